//! Accounts: made, found, listed. Addresses, names and passwords are sealed with the account's own data key; an
//! address is found by its keyed tag. Whatever changes an account runs alone, so that two changes never cross.
//! It never checks a password and never decides who may sign in.

use kernel::{AuditEvent, Fault, Page, PageRequest, Result, Role, Secret, Time, UserId};

use crate::Store;

/// An account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its address; empty when it has none.
    pub email: String,
    /// What the person is called.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Since when it is inactive.
    pub disabled_at: Option<Time>,
    /// When the address was proven.
    pub verified_at: Option<Time>,
    /// It has a password.
    pub has_password: bool,
    /// When the password was set.
    pub password_at: Option<Time>,
    /// Since when codes of an authenticator are asked for.
    pub totp_at: Option<Time>,
    /// Stateless credentials from before this moment are refused. Moves with every change of the password and
    /// every sign-out everywhere, and is never the same twice.
    pub valid_from: Time,
    /// When it was made.
    pub created_at: Time,
    /// When somebody last signed in, to within some seconds.
    pub last_sign_in_at: Option<Time>,
    /// How many passkeys it has.
    pub passkeys: u32,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Its id.
    pub id: UserId,
    /// Its address, normalised; empty for none.
    pub email: String,
    /// What the person is called.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// The address is proven.
    pub verified: bool,
    /// The hash of the password (a PHC string).
    pub password: Option<Secret<String>>,
}

/// Which accounts are wanted; an absent part allows everything.
#[derive(Clone, Default, Debug)]
pub struct UserFilter {
    /// Of this role.
    pub role: Option<Role>,
    /// With exactly this address, normalised.
    pub q: Option<String>,
}

impl Store {
    /// Makes an account. `conflict` when the address or the id is taken.
    pub async fn create_user(&self, new: NewUser, audit: Vec<AuditEvent>) -> Result<User> {
        let _ = (new, audit);
        Err(Fault::internal("not written yet"))
    }

    /// Makes the first admin with the set-up ticket of this digest, all in one transaction: of any number of
    /// claims one succeeds. `conflict` when there is an admin already or the address is taken, `not_found` when
    /// there is no such ticket. The role of `new` is not looked at.
    pub async fn claim_server(
        &self,
        new: NewUser,
        ticket_digest: &str,
        audit: Vec<AuditEvent>,
    ) -> Result<User> {
        let _ = (new, ticket_digest, audit);
        Err(Fault::internal("not written yet"))
    }

    /// The account with this id; `not_found` when there is none.
    pub async fn user(&self, id: UserId) -> Result<User> {
        let _ = id;
        Err(Fault::internal("not written yet"))
    }

    /// The account with this address, which the caller has normalised. Nobody has the empty one.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        let _ = email;
        Err(Fault::internal("not written yet"))
    }

    /// Accounts, newest first.
    pub async fn users(&self, filter: UserFilter, page: PageRequest) -> Result<Page<User>> {
        let _ = (filter, page);
        Err(Fault::internal("not written yet"))
    }

    /// How many accounts there are, and how many of them are admins, inactive ones included.
    pub async fn count_users(&self) -> Result<(u64, u64)> {
        Err(Fault::internal("not written yet"))
    }
}
