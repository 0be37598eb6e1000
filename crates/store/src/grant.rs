//! Grants: which account may use or manage which app. It never decides what a grant allows.

use kernel::{AppId, AuditEvent, Fault, Level, Page, PageRequest, Result, Time, UserId};

use crate::Store;

/// A grant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// Whose it is.
    pub user: UserId,
    /// For which app.
    pub app: AppId,
    /// What it allows.
    pub level: Level,
    /// Since when it allows that.
    pub created_at: Time,
}

impl Store {
    /// Grants an app, or changes what the grant allows. `not_found` for an unknown account. Events of
    /// `permission.changed` get `before` and `after`; what is so already changes nothing and is not audited.
    pub async fn set_grant(
        &self,
        user: UserId,
        app: &AppId,
        level: Level,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let _ = (user, app, level, audit);
        Err(Fault::internal("not written yet"))
    }

    /// Takes a grant away. `not_found` when there is none. Events as with [`Store::set_grant`].
    pub async fn remove_grant(&self, user: UserId, app: &AppId, audit: Vec<AuditEvent>) -> Result<()> {
        let _ = (user, app, audit);
        Err(Fault::internal("not written yet"))
    }

    /// The grants of an account, by app.
    pub async fn grants(&self, user: UserId) -> Result<Vec<(AppId, Level)>> {
        let _ = user;
        Err(Fault::internal("not written yet"))
    }

    /// All grants, newest first.
    pub async fn grants_page(&self, page: PageRequest) -> Result<Page<Grant>> {
        let _ = page;
        Err(Fault::internal("not written yet"))
    }
}
