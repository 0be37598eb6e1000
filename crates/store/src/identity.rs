//! Identities at other issuers that belong to accounts: found by a keyed tag of issuer and subject, never by an
//! address. It never verifies a token.

use kernel::{AuditEvent, Fault, Result, Time, UserId};

use crate::{NewUser, Store, User};

/// An identity at another issuer that belongs to an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkedIdentity {
    /// The issuer, as its tokens name it.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
    /// When it was linked.
    pub created_at: Time,
}

impl Store {
    /// The account that this identity belongs to.
    pub async fn identity(&self, issuer: &str, subject: &str) -> Result<Option<UserId>> {
        let _ = (issuer, subject);
        Err(Fault::internal("not written yet"))
    }

    /// The identities of an account, oldest first.
    pub async fn identities(&self, user: UserId) -> Result<Vec<LinkedIdentity>> {
        let _ = user;
        Err(Fault::internal("not written yet"))
    }

    /// Links an identity to an account. `conflict` when it belongs to another; fine when it is linked already.
    pub async fn link_identity(
        &self,
        user: UserId,
        issuer: &str,
        subject: &str,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let _ = (user, issuer, subject, audit);
        Err(Fault::internal("not written yet"))
    }

    /// Takes an identity from an account. `not_found` when it has no such.
    pub async fn unlink_identity(
        &self,
        user: UserId,
        issuer: &str,
        subject: &str,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let _ = (user, issuer, subject, audit);
        Err(Fault::internal("not written yet"))
    }

    /// The account of this identity; when there is none, `new` is made for it. Of any number of calls at once one
    /// makes it. An address that another account has is left out: the new account has none. The events are written
    /// only when an account was made.
    pub async fn provision(
        &self,
        new: NewUser,
        issuer: &str,
        subject: &str,
        audit: Vec<AuditEvent>,
    ) -> Result<User> {
        let _ = (new, issuer, subject, audit);
        Err(Fault::internal("not written yet"))
    }
}
