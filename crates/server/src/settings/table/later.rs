//! The rows of what deployments already set and the server does not use yet: each is read and checked, so that
//! existing environments start, and its sentence says so.

use std::path::PathBuf;

use super::{Default, Room, always, settings};
use crate::settings::form;

/// Backups.
pub(crate) static BACKUP: Room =
    Room { title: "Backups", about: "Read and checked; not used yet.", settings: BACKUP_ROWS };

settings! { @fields BACKUP_ROWS;
    /// Where backups are kept on this machine. Not used yet.
    BACKUP_DIR: PathBuf = form::path(), "backup.dir", ["BACKUP_DIR"], Default::None;
    /// Where backups are kept in S3. Not used yet.
    BACKUP_S3: String = form::text("an `s3://` URL"), "backup.s3_url", ["BACKUP_S3_URL"], Default::None;
    /// When a backup is made: minute, hour, day, month, weekday. Not used yet.
    BACKUP_SCHEDULE: String = form::cron(), "backup.schedule", ["BACKUP_SCHEDULE"], always("0 2 * * *");
    /// How many days backups are kept. Not used yet.
    BACKUP_KEEP: u64 = form::whole::<1, 36_500>(), "backup.keep_days", ["BACKUP_KEEP_DAYS"], always("30");
    /// How many days backups are kept on this machine when they are also in S3. Not used yet.
    BACKUP_KEEP_LOCAL: u64 = form::whole::<1, 36_500>(), "backup.keep_local_days", ["BACKUP_KEEP_LOCAL_DAYS"], always("7");
}
