//! The second factor: the sealed secret of the authenticator, the last time step that counted, recovery codes.
//! Each step and each code counts once, whoever comes at the same time. It never computes a code.

use kernel::{AuditEvent, Fault, Result, Secret, UserId};

use crate::Store;

impl Store {
    /// The secret of the authenticator, and whether it has been confirmed; `None` when there is none.
    pub async fn totp_secret(&self, id: UserId) -> Result<Option<(Secret<Vec<u8>>, bool)>> {
        let _ = id;
        Err(Fault::internal("not written yet"))
    }

    /// Keeps a secret that is not confirmed yet; an earlier one of that kind is replaced. `conflict` when a
    /// confirmed one exists.
    pub async fn begin_totp(&self, id: UserId, secret: Secret<Vec<u8>>) -> Result<()> {
        let _ = (id, secret);
        Err(Fault::internal("not written yet"))
    }

    /// Confirms the secret with the time step of its first code, which counts as used, and sets the recovery codes.
    /// `conflict` when there is nothing to confirm or the step has been used.
    pub async fn confirm_totp(
        &self,
        id: UserId,
        step: i64,
        recovery_digests: Vec<String>,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let _ = (id, step, recovery_digests, audit);
        Err(Fault::internal("not written yet"))
    }

    /// Removes the authenticator and the recovery codes; fine when there are none.
    pub async fn remove_totp(&self, id: UserId, audit: Vec<AuditEvent>) -> Result<()> {
        let _ = (id, audit);
        Err(Fault::internal("not written yet"))
    }

    /// Uses a time step: true once for each, and never for one before the last.
    pub async fn use_totp_step(&self, id: UserId, step: i64) -> Result<bool> {
        let _ = (id, step);
        Err(Fault::internal("not written yet"))
    }

    /// Replaces all recovery codes. `conflict` when the account has no confirmed authenticator.
    pub async fn set_recovery_codes(
        &self,
        id: UserId,
        digests: Vec<String>,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let _ = (id, digests, audit);
        Err(Fault::internal("not written yet"))
    }

    /// Uses a recovery code: true once for each. The events are written only then.
    pub async fn use_recovery_code(&self, id: UserId, digest: &str, audit: Vec<AuditEvent>) -> Result<bool> {
        let _ = (id, digest, audit);
        Err(Fault::internal("not written yet"))
    }

    /// How many recovery codes are left.
    pub async fn recovery_left(&self, id: UserId) -> Result<u32> {
        let _ = id;
        Err(Fault::internal("not written yet"))
    }
}
