//! What was written down: the audit log and the alerts.

use kernel::{AlertId, EventType, Page, PageRequest, Result, Subject, UserId};
use store::{Alert, AlertFilter, AuditFilter, StoredEvent};

use super::{Administration, event};
use crate::{Admin, May};

impl Administration {
    /// The audit log, newest first. Reading it is itself recorded.
    pub async fn audit(
        &self,
        may: &May<Admin>,
        filter: AuditFilter,
        page: PageRequest,
    ) -> Result<Page<StoredEvent>> {
        if page.after.is_none() {
            self.store.record(vec![event(may, EventType::DataRead).with("what", "audit log")]).await?;
        }
        self.store.audit_events(filter, page).await
    }

    /// Records that the audit log leaves the house.
    pub async fn note_audit_export(&self, may: &May<Admin>) -> Result<()> {
        self.store.record(vec![event(may, EventType::DataExported).with("what", "audit log")]).await
    }

    /// What one account did and what was done to it, newest first.
    pub async fn audit_of(
        &self,
        may: &May<Admin>,
        user: UserId,
        page: PageRequest,
    ) -> Result<Page<StoredEvent>> {
        let filter = AuditFilter { actor: Some(Subject::User(user).to_string()), ..AuditFilter::default() };
        self.audit(may, filter, page).await
    }

    /// Alerts, newest first.
    pub async fn alerts(
        &self,
        _: &May<Admin>,
        filter: AlertFilter,
        page: PageRequest,
    ) -> Result<Page<Alert>> {
        self.store.alerts(filter, page).await
    }

    /// Takes note of an alert: its cause may raise another.
    pub async fn acknowledge(&self, may: &May<Admin>, id: AlertId) -> Result<Alert> {
        let event = event(may, EventType::AlertAcknowledged).to(format_args!("alert:{id}"));
        self.store.acknowledge_alert(id, may.owner().into(), vec![event]).await
    }
}
