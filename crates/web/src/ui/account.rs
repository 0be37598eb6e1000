//! The pages of one's own account: profile, security, sessions, API keys.

use askama::Template;
use kernel::Time;

use super::Markup;
use super::device::{device, device_icon};
use super::form::FormView;
use super::frame::PersonView;
use super::shell::Shell;
use super::view::AppView;
use crate::texts::{Language, filters, key};

/// `/account`.
#[derive(Clone, Debug, Template)]
#[template(path = "account/profile.html")]
pub(crate) struct ProfilePage {
    pub(crate) shell: Shell,
    pub(crate) person: PersonView,
    pub(crate) form: FormView,
    pub(crate) role: &'static str,
    pub(crate) created_at: Time,
    pub(crate) verified: bool,
    /// The apps this person may enter, with what they may there.
    pub(crate) apps: Vec<(AppView, &'static str)>,
    /// Accounts elsewhere that lead here.
    pub(crate) issuers: Vec<String>,
    /// The language that the account has.
    pub(crate) language: Option<Language>,
}

/// `/account/email`.
#[derive(Clone, Debug, Template)]
#[template(path = "account/email.html")]
pub(crate) struct EmailPage {
    pub(crate) shell: Shell,
    pub(crate) form: FormView,
    /// The address until now.
    pub(crate) email: String,
    /// The new one is asked by mail first.
    pub(crate) mail: bool,
}

/// `/account/security`.
#[derive(Clone, Debug, Template)]
#[template(path = "account/security.html")]
pub(crate) struct SecurityPage {
    pub(crate) shell: Shell,
    pub(crate) email: String,
    /// The form for a new password.
    pub(crate) password: FormView,
    pub(crate) has_password: bool,
    pub(crate) password_at: Option<Time>,
    /// Fewest characters of a new password.
    pub(crate) least: u32,
    /// Since when there is a second factor.
    pub(crate) totp_at: Option<Time>,
    pub(crate) recovery_left: u32,
    pub(crate) passkeys: Vec<PasskeyView>,
    /// The form for a new passkey or the removal of the second factor.
    pub(crate) form: FormView,
}

/// A passkey.
#[derive(Clone, Debug)]
pub(crate) struct PasskeyView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created_at: Time,
    pub(crate) used_at: Option<Time>,
}

/// The second factor is being set up.
#[derive(Clone, Debug, Template)]
#[template(path = "account/totp.html")]
pub(crate) struct TotpPage {
    pub(crate) shell: Shell,
    pub(crate) form: FormView,
    /// The picture to scan, as SVG of our own making.
    pub(crate) picture: Markup,
    /// The same as text, in groups of four.
    pub(crate) secret: String,
    /// The same as an address that opens an app on this device.
    pub(crate) address: String,
}

/// Recovery codes, shown once.
#[derive(Clone, Debug, Template)]
#[template(path = "account/recovery.html")]
pub(crate) struct RecoveryPage {
    pub(crate) shell: Shell,
    pub(crate) codes: Vec<String>,
}

/// A session in a list.
#[derive(Clone, Debug)]
pub(crate) struct SessionView {
    pub(crate) id: String,
    /// Whose it is, in the lists of the administration.
    pub(crate) person: String,
    pub(crate) person_id: String,
    pub(crate) this: bool,
    /// A browser; otherwise a program with tokens.
    pub(crate) browser: bool,
    pub(crate) agent: String,
    pub(crate) address: String,
    pub(crate) method: String,
    pub(crate) created_at: Time,
    pub(crate) seen_at: Time,
}

impl SessionView {
    pub(crate) fn device(&self) -> String {
        device(&self.agent)
    }

    pub(crate) fn icon(&self) -> &'static str {
        if self.browser { device_icon(&self.agent) } else { "code" }
    }

    pub(crate) fn how(&self) -> &'static str {
        match self.method.as_str() {
            "password" => key("password"),
            "totp" => key("password and code"),
            "recovery" => key("password and recovery code"),
            "passkey" => key("passkey"),
            "setup" => key("set-up token"),
            "oidc" | "id_token" => key("another account"),
            _ => key("sign-in"),
        }
    }
}

/// `/account/sessions`.
#[derive(Clone, Debug, Template)]
#[template(path = "account/sessions.html")]
pub(crate) struct SessionsPage {
    pub(crate) shell: Shell,
    pub(crate) sessions: Vec<SessionView>,
    pub(crate) next: Option<String>,
}

/// An API key in a list.
#[derive(Clone, Debug)]
pub(crate) struct KeyView {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Whose it is, in the lists of the administration.
    pub(crate) owner: String,
    pub(crate) owner_id: String,
    pub(crate) apps: Vec<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) limits: String,
    pub(crate) created_at: Time,
    pub(crate) used_at: Option<Time>,
    pub(crate) expires_at: Option<Time>,
    pub(crate) revoked: bool,
}

impl KeyView {
    pub(crate) fn is_expired(&self, now: &Time) -> bool {
        self.expires_at.is_some_and(|at| at <= *now)
    }
}

/// `/account/keys`.
#[derive(Clone, Debug, Template)]
#[template(path = "account/keys.html")]
pub(crate) struct KeysPage {
    pub(crate) shell: Shell,
    pub(crate) form: FormView,
    pub(crate) keys: Vec<KeyView>,
    pub(crate) next: Option<String>,
    /// The apps that a key of this person may use.
    pub(crate) apps: Vec<AppView>,
    /// A key that was just made: its name and itself, shown once.
    pub(crate) fresh: Option<(String, String)>,
}

/// What a key may be made for, besides everything.
pub(crate) const SCOPES: [(&str, &str); 4] = [
    ("chat", key("Send messages and get answers")),
    ("read", key("Read its own conversations")),
    ("write", key("Make, rename and delete its own conversations")),
    ("documents", key("Change the documents of an app")),
];

impl KeysPage {
    fn scopes(&self) -> &'static [(&'static str, &'static str)] {
        &SCOPES
    }
}
