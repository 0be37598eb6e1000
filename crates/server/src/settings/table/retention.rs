//! The rows of how long the server keeps what belongs to no app.

use super::{Room, always, settings};
use crate::settings::form;

/// How long things are kept.
pub(crate) static RETENTION: Room = Room {
    title: "Retention",
    about: "How long the server keeps its own records. What apps keep stands in `[[apps]]`, how long files stay in the trash under Files, backups under Backups. What a legal hold protects (`stoa hold`) stays longer.",
    settings: RETENTION_ROWS,
};

settings! { @fields RETENTION_ROWS;
    /// How many days the audit log and alerts that are over are kept. Older events are removed from its beginning under a sealed record, so that `stoa audit verify` still proves the rest.
    AUDIT_DAYS: u64 = form::whole::<1, 36_500>(), "retention.audit_days", ["AUDIT_RETENTION_DAYS"], always("90");
    /// How many days sessions are kept after they have expired: the list of addresses that somebody signed in from before.
    SESSION_DAYS: u64 = form::whole::<1, 3_650>(), "retention.session_days", ["SESSION_RETENTION_DAYS"], always("7");
    /// What stays of an app after it has gone from `[[apps]]`: its content goes on as its last configuration said, and what had no end goes after this span, counted from the first start without the app; or `keep`.
    REMOVED_APPS: Option<std::time::Duration> = form::kept(), "retention.removed_apps", ["RETENTION_REMOVED_APPS"], always("90d");
}
