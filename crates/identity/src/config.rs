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
    /// Shares the session cookie with every host below this domain.
    pub cookie_domain: Option<String>,
    /// How long the session of a browser lives after its last extension.
    pub session_lifetime: Duration,
    /// A session is extended when it is used this long after its last extension.
    pub session_slide: Duration,
    /// Who may make an account.
    pub registration: Registration,
    /// Mails can be sent: addresses are verified, passwords are reset by mail.
    pub mail: bool,
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

/// Who may make an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Registration {
    /// Nobody.
    Off,
    /// Who has an invitation.
    Invite,
    /// Everybody.
    Open,
}
