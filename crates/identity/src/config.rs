//! How callers prove who they are. Values are valid already: `server::settings` made them.

use std::time::Duration;

use kernel::{AppId, Entry, Secret};

use crate::trust::{AccessTokens, Firebase, PasswordRules, TrustedIssuer};

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
    /// How access tokens are signed and how long they live.
    pub tokens: AccessTokens,
    /// What passwords must be and what hashing one costs.
    pub passwords: PasswordRules,
    /// The Firebase project whose ID tokens are taken.
    pub firebase: Option<Firebase>,
    /// Other issuers whose ID tokens are taken, and where people can sign in.
    pub issuers: Vec<TrustedIssuer>,
    /// `true`: no visitors anywhere.
    pub require_authentication: bool,
    /// Who may enter which app.
    pub entries: Vec<(AppId, Entry)>,
}
