//! Changes of an account: role, address, name, whether it is active, where it is signed in. All run alone, so that
//! the rule of the last active admin holds whoever changes what at the same time.
//! It never decides who may change what.

use kernel::{AuditEvent, Fault, Result, Role, SessionId, UserId};

use crate::Store;

impl Store {
    /// Makes an account active or inactive; an inactive one keeps everything and may use nothing. Becoming active
    /// ends the sessions from before. `conflict` for the last active admin. What is so already changes nothing and
    /// is not audited.
    pub async fn set_active(&self, id: UserId, active: bool, audit: Vec<AuditEvent>) -> Result<()> {
        let _ = (id, active, audit);
        Err(Fault::internal("not written yet"))
    }

    /// Changes the role. `conflict` for the last active admin. Events of `permission.changed` get `before` and
    /// `after`; what is so already changes nothing and is not audited.
    pub async fn set_role(&self, id: UserId, role: Role, audit: Vec<AuditEvent>) -> Result<()> {
        let _ = (id, role, audit);
        Err(Fault::internal("not written yet"))
    }

    /// Changes the address (normalised; empty removes it), which is not proven then. Tickets that went to the old
    /// one are void. `conflict` when another account has it.
    pub async fn set_email(&self, id: UserId, email: &str, audit: Vec<AuditEvent>) -> Result<()> {
        let _ = (id, email, audit);
        Err(Fault::internal("not written yet"))
    }

    /// Changes the name.
    pub async fn set_name(&self, id: UserId, name: &str, audit: Vec<AuditEvent>) -> Result<()> {
        let _ = (id, name, audit);
        Err(Fault::internal("not written yet"))
    }

    /// Notes that the address is proven; the first time stays.
    pub async fn verify_email(&self, id: UserId, audit: Vec<AuditEvent>) -> Result<()> {
        let _ = (id, audit);
        Err(Fault::internal("not written yet"))
    }

    /// Notes that somebody signed in. Costs nothing now: these are written together every few seconds.
    /// [`Store::open_session`] does it by itself.
    pub fn note_sign_in(&self, id: UserId) {
        let _ = id;
    }

    /// Ends the sessions of an account, all but `keep`, and every stateless credential from before. Gives how many
    /// sessions ended.
    pub async fn sign_out_everywhere(
        &self,
        id: UserId,
        keep: Option<SessionId>,
        audit: Vec<AuditEvent>,
    ) -> Result<u64> {
        let _ = (id, keep, audit);
        Err(Fault::internal("not written yet"))
    }
}
