//! What is written down about the running server: log lines and metrics, masked before they leave.

mod config;

pub use config::{Config, Format, Level, LogFile};
