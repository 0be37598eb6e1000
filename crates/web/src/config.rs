//! What the HTTP surface needs to know. Values are valid already: `server::settings` made them.

use std::time::Duration;

use kernel::Secret;

/// What the HTTP surface needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// `development`, `staging` or `production`, shown by `/health`.
    pub environment: &'static str,
    /// `/metrics` answers to this bearer token, and not at all without one.
    pub metrics_token: Option<Secret<String>>,
    /// An answer that does not stream takes at most this long.
    pub deadline: Duration,
    /// Requests that take longer are logged as slow.
    pub slow_request: Duration,
}
