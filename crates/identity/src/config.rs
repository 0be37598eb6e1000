//! How callers prove who they are. Values are valid already: `server::settings` made them.

use std::time::Duration;

use kernel::{AppId, Entry, Secret};

/// How callers prove who they are.
#[derive(Clone, Debug)]
pub struct Config {
    /// Signing secrets for cookies: the first signs, all are accepted (rotation). Never empty.
    pub cookie_secrets: Vec<Secret<String>>,
    /// Cookies carry `Secure`.
    pub secure_cookies: bool,
    /// How long a visitor's cookie lives.
    pub visitor_lifetime: Duration,
    /// Keys of the environment, taken as they are.
    pub environment_keys: Vec<Secret<String>>,
    /// `true`: no visitors anywhere.
    pub require_authentication: bool,
    /// Who may enter which app.
    pub entries: Vec<(AppId, Entry)>,
}
