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
    /// Telemetry that leaves.
    pub shipping: Option<crate::shipping::Config>,
}

/// The level of a line, and the least level that is written.
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

impl Level {
    /// Every level, the least first.
    pub const ALL: [Level; 4] = [Level::Debug, Level::Info, Level::Warning, Level::Error];

    /// The word that lines and metrics carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
        }
    }

    /// The level of a `tracing` event. There is nothing below `DEBUG`.
    pub(super) fn of(level: tracing::Level) -> Level {
        match level {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warning,
            tracing::Level::INFO => Level::Info,
            _ => Level::Debug,
        }
    }
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
