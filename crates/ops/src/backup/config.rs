//! Where backups lie, when they are made and how long they are kept. Values are valid already: `server::settings` made
//! them.

use std::path::PathBuf;
use std::time::Duration;

use files::blob::Bucket;

use super::schedule::Schedule;

/// How backups are made.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder of artefacts on this machine.
    pub folder: PathBuf,
    /// The bucket that has them too.
    pub bucket: Option<Bucket>,
    /// When they are made; `None`: only when somebody asks.
    pub schedule: Option<Schedule>,
    /// How long they are kept.
    pub keep: Duration,
    /// How long those on this machine are kept that are in the bucket too.
    pub keep_local: Duration,
    /// Where copies are tried out. Its disk holds the database once more while that goes on.
    pub scratch: PathBuf,
    /// The version of this program.
    pub version: &'static str,
}
