//! The hash of an account's password. It never hashes and never compares.

use kernel::{AuditEvent, Fault, Result, Secret, SessionId, UserId};

use crate::Store;

impl Store {
    /// The hash of the password (a PHC string); `None` for an account without one, and for no account.
    ///
    /// Whoever is about to open a session reads the account first and this second: see
    /// [`NewSession::valid_from`](crate::NewSession::valid_from).
    pub async fn password(&self, id: UserId) -> Result<Option<Secret<String>>> {
        let _ = id;
        Err(Fault::internal("not written yet"))
    }

    /// Sets the password, and ends every session but `keep`, every stateless credential and every ticket to reset
    /// the password from before.
    pub async fn set_password(
        &self,
        id: UserId,
        hash: Secret<String>,
        keep: Option<SessionId>,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let _ = (id, hash, keep, audit);
        Err(Fault::internal("not written yet"))
    }

    /// Replaces the hash by one of the same password that costs more. Nothing else changes; nothing happens when
    /// the hash is not `old` any more.
    pub async fn rehash_password(&self, id: UserId, old: &Secret<String>, new: Secret<String>) -> Result<()> {
        let _ = (id, old, new);
        Err(Fault::internal("not written yet"))
    }
}
