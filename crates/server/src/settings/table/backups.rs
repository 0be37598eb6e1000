//! The rows of backups: where they lie, when they are made, how long they are kept.

use std::path::PathBuf;

use super::{Default, Room, always, follows, settings};
use crate::settings::form;

/// Backups.
pub(crate) static BACKUP: Room = Room {
    title: "Backups",
    about: "Sealed copies of everything, made by the server itself on a schedule and by `stoa backup create`. Each schema change is preceded by one as well.",
    settings: BACKUP_ROWS,
};

settings! { @fields BACKUP_ROWS;
    /// The folder of backups on this machine, by date, with the keyring without which they cannot be read. It should lie on another disk than the data.
    BACKUP_DIR: PathBuf = form::path(), "backup.dir", ["BACKUP_DIR"], follows("`backups` in the data folder");
    /// The bucket that gets every backup too: `s3://bucket` or `s3://bucket/prefix`, in the region and with the credentials of AWS. Its lifecycle should end uploads that broke off (`AbortIncompleteMultipartUpload`), and old versions of `keyring-…` should not be kept.
    BACKUP_S3: String = form::text("an `s3://` URL"), "backup.s3_url", ["BACKUP_S3_URL"], Default::None;
    /// When a backup is made: minute, hour, day, month, weekday, in UTC; `off` for never. One that was missed is made at the next start, and of many replicas one makes it.
    BACKUP_SCHEDULE: String = form::cron(), "backup.schedule", ["BACKUP_SCHEDULE"], always("0 2 * * *");
    /// How many days backups are kept. The last good one is never removed.
    BACKUP_KEEP: u64 = form::whole::<1, 36_500>(), "backup.keep_days", ["BACKUP_KEEP_DAYS"], always("30");
    /// How many days backups are kept on this machine that are also in S3.
    BACKUP_KEEP_LOCAL: u64 = form::whole::<1, 36_500>(), "backup.keep_local_days", ["BACKUP_KEEP_LOCAL_DAYS"], always("7");
}
