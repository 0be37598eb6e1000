//! Tickets: rights that are used once, known by the digest of a secret that went out by mail or on the operator's
//! terminal. It never sees the secret and never sends anything.

use kernel::{AuditEvent, Fault, Result, Role, Time, UserId};

use crate::Store;

/// What a ticket is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Purpose {
    /// To claim a new server.
    Setup,
    /// To make an account.
    Invite,
    /// To set a new password.
    Reset,
    /// To prove an address.
    Verify,
    /// To link an identity of another issuer.
    Link,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Purpose; 5] =
        [Purpose::Setup, Purpose::Invite, Purpose::Reset, Purpose::Verify, Purpose::Link];

    /// The purpose as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Purpose::Setup => "setup",
            Purpose::Invite => "invite",
            Purpose::Reset => "reset",
            Purpose::Verify => "verify",
            Purpose::Link => "link",
        }
    }
}

/// A ticket that is valid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ticket {
    /// What it is for.
    pub purpose: Purpose,
    /// Whose it is, when there is an account.
    pub user: Option<UserId>,
    /// The address it is about; empty for none.
    pub email: String,
    /// The role that it gives.
    pub role: Option<Role>,
    /// When it was issued.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
}

/// A ticket to be issued.
#[derive(Clone, Debug)]
pub struct NewTicket {
    /// The digest of the secret.
    pub digest: String,
    /// What it is for.
    pub purpose: Purpose,
    /// Whose it is, when there is an account.
    pub user: Option<UserId>,
    /// The address it is about, normalised; empty for none.
    pub email: String,
    /// The role that it gives.
    pub role: Option<Role>,
    /// When it ends.
    pub expires_at: Time,
}

impl Store {
    /// Issues a ticket. With `replace` the earlier ones of the same purpose for the same account (without one: for
    /// the same address, or for none) are void.
    pub async fn issue_ticket(&self, new: NewTicket, replace: bool, audit: Vec<AuditEvent>) -> Result<()> {
        let _ = (new, replace, audit);
        Err(Fault::internal("not written yet"))
    }

    /// The ticket with this digest and purpose, unless it has expired. It stays valid.
    pub async fn ticket(&self, digest: &str, purpose: Purpose) -> Result<Option<Ticket>> {
        let _ = (digest, purpose);
        Err(Fault::internal("not written yet"))
    }

    /// Takes the ticket with this digest and purpose, unless it has expired: of any number of calls one gets it.
    pub async fn take_ticket(&self, digest: &str, purpose: Purpose) -> Result<Option<Ticket>> {
        let _ = (digest, purpose);
        Err(Fault::internal("not written yet"))
    }

    /// Voids all tickets of a purpose: those to claim the server, at each start. Gives how many.
    pub async fn void_tickets(&self, purpose: Purpose) -> Result<u64> {
        let _ = purpose;
        Err(Fault::internal("not written yet"))
    }

    /// Forgets tickets that had expired before `time`. Gives how many.
    pub async fn purge_tickets(&self, time: Time) -> Result<u64> {
        let _ = time;
        Err(Fault::internal("not written yet"))
    }
}
