//! How the monitor watches. Values are valid already: `server::settings` made them. The thresholds that are promised
//! (CONTRACT section 6) are constants beside the code that applies them.

use std::path::PathBuf;
use std::time::Duration;

/// How the monitor watches.
#[derive(Clone, Debug)]
pub struct Config {
    /// How often it looks.
    pub pace: Duration,
    /// How often it checks health.
    pub health: Duration,
    /// More refusals by limits than this in a minute raise an alert.
    pub rate_limits_per_minute: u64,
    /// Less free space than this, in percent, or less than 1 GiB raises an alert; 0: never.
    pub disk_percent: u64,
    /// The folder whose disk must not fill up.
    pub data_dir: PathBuf,
}
