//! How the server logs. Values are valid already: `server::settings` made them.

use std::path::PathBuf;

/// How the server logs.
#[derive(Clone, Debug)]
pub struct Config {
    /// The least level that is written: `DEBUG`, `INFO`, `WARNING`, `ERROR`.
    pub level: Level,
    /// JSON lines, or text for a person at a terminal.
    pub format: Format,
    /// Personal data is masked in every field; `false` is refused in production.
    pub mask: bool,
    /// Also into a file.
    pub file: Option<LogFile>,
}

/// The least level that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything.
    Debug,
    /// Normal operation.
    Info,
    /// Slow, degraded or refused.
    Warning,
    /// Somebody must act.
    Error,
}

/// The form of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// For a person at a terminal.
    Text,
}

/// A log file that is rotated by size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// The file being written; older ones get `.1`, `.2`, … appended.
    pub path: PathBuf,
    /// A file is closed before it would grow past this many bytes.
    pub max_bytes: u64,
    /// How many files are kept in all, the one being written included.
    pub keep: u32,
}
