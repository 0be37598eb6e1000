//! The pages of the administration. Everything they show that somebody else chose (addresses, agents, names, reasons,
//! details) is text.

use askama::Template;
use kernel::Time;

use super::Markup;
use super::account::{KeyView, SessionView};
use super::chart::Chart;
use super::form::FormView;
use super::frame::initials;
use super::shell::Shell;
use crate::SecretAge;
use crate::texts::{filters, key, say, told};

/// `/admin`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/overview.html")]
pub(crate) struct OverviewPage {
    pub(crate) shell: Shell,
    /// The part that is fetched again, as HTML already.
    pub(crate) pulse: Markup,
    pub(crate) version: String,
    pub(crate) environment: String,
    /// What an operator should look at: a sentence, and where.
    pub(crate) warnings: Vec<(String, &'static str)>,
}

/// The part of the overview that is fetched again every few seconds.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/pulse.html")]
pub(crate) struct PulseView {
    pub(crate) status: String,
    pub(crate) services: Vec<(String, String)>,
    pub(crate) tiles: Vec<Tile>,
    pub(crate) charts: Vec<Chart>,
    /// Who is signed in: the address, how many sessions, seen last.
    pub(crate) people: Vec<(String, String, u64, String)>,
}

/// A number with a name.
#[derive(Clone, Debug)]
pub(crate) struct Tile {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) note: String,
    /// `good`, `warn`, `bad` or nothing.
    pub(crate) tone: &'static str,
    pub(crate) href: &'static str,
}

/// An account in a list.
#[derive(Clone, Debug)]
pub(crate) struct UserView {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) admin: bool,
    pub(crate) active: bool,
    pub(crate) verified: bool,
    pub(crate) second_factor: bool,
    pub(crate) passkeys: u32,
    pub(crate) has_password: bool,
    pub(crate) created_at: Time,
    pub(crate) signed_in_at: Option<Time>,
}

impl UserView {
    pub(crate) fn label(&self) -> &str {
        [self.name.as_str(), self.email.as_str()]
            .into_iter()
            .find(|text| !text.trim().is_empty())
            .unwrap_or("(no address)")
    }

    pub(crate) fn initials(&self) -> String {
        initials(self.label())
    }
}

/// `/admin/users`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/users.html")]
pub(crate) struct UsersPage {
    pub(crate) shell: Shell,
    /// The filter.
    pub(crate) filter: FormView,
    pub(crate) users: Vec<UserView>,
    /// The address of the rest of the list.
    pub(crate) next: Option<String>,
    pub(crate) filtered: bool,
    pub(crate) totals: Option<(u64, u64)>,
}

/// `/admin/users/new`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/new_user.html")]
pub(crate) struct NewUserPage {
    pub(crate) shell: Shell,
    pub(crate) form: FormView,
    pub(crate) mail: bool,
    pub(crate) least: u32,
    /// An invitation that was just made: for whom, and the link, shown once.
    pub(crate) invitation: Option<(String, String)>,
}

/// What a person may in an app.
#[derive(Clone, Debug)]
pub(crate) struct GrantView {
    pub(crate) app: String,
    pub(crate) name: String,
    /// `none`, `use` or `manage`.
    pub(crate) level: &'static str,
    /// Why the app is open without a grant; empty when it needs one.
    pub(crate) anyway: &'static str,
}

impl GrantView {
    fn is(&self, level: &str) -> bool {
        self.level == level
    }
}

/// `/admin/users/{id}`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/user.html")]
pub(crate) struct UserPage {
    pub(crate) shell: Shell,
    pub(crate) user: UserView,
    /// The person who looks: one does not take one's own role away by accident.
    pub(crate) own: bool,
    pub(crate) grants: Vec<GrantView>,
    pub(crate) sessions: Vec<SessionView>,
    pub(crate) keys: Vec<KeyView>,
}

impl AllSessionsPage {
    fn back(&self) -> &'static str {
        "/admin/sessions"
    }
}

impl AllKeysPage {
    fn back(&self) -> &'static str {
        "/admin/keys"
    }
}

impl UserPage {
    fn back(&self) -> String {
        format!("/admin/users/{}", self.user.id)
    }

    fn levels(&self) -> [(&'static str, &'static str); 3] {
        [("none", key("None")), ("use", key("Use")), ("manage", key("Manage"))]
    }
}

/// `/admin/sessions`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/sessions.html")]
pub(crate) struct AllSessionsPage {
    pub(crate) shell: Shell,
    pub(crate) sessions: Vec<SessionView>,
    pub(crate) next: Option<String>,
}

/// `/admin/keys`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/keys.html")]
pub(crate) struct AllKeysPage {
    pub(crate) shell: Shell,
    pub(crate) keys: Vec<KeyView>,
    pub(crate) next: Option<String>,
}

/// An event of the audit log.
#[derive(Clone, Debug)]
pub(crate) struct AuditView {
    pub(crate) at: Time,
    pub(crate) event_type: String,
    pub(crate) severity: String,
    pub(crate) actor: String,
    pub(crate) address: String,
    pub(crate) object: String,
    /// The details, a name and its value each.
    pub(crate) details: Vec<(String, String)>,
    pub(crate) id: String,
    pub(crate) hash: String,
}

/// `/admin/audit`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/audit.html")]
pub(crate) struct AuditPage {
    pub(crate) shell: Shell,
    pub(crate) filter: FormView,
    pub(crate) filtered: bool,
    pub(crate) types: Vec<&'static str>,
    pub(crate) events: Vec<AuditView>,
    pub(crate) next: Option<String>,
    /// The filter as a query, for the next piece.
    pub(crate) query: String,
    /// The filter as the API names it, for the export.
    pub(crate) export: String,
}

/// An alert.
#[derive(Clone, Debug)]
pub(crate) struct AlertView {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) severity: String,
    pub(crate) details: Vec<(String, String)>,
    pub(crate) count: u64,
    pub(crate) first_at: Time,
    pub(crate) last_at: Time,
    /// When it ended, and how.
    pub(crate) closed: Option<(Time, String)>,
}

/// `/admin/alerts`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/alerts.html")]
pub(crate) struct AlertsPage {
    pub(crate) shell: Shell,
    pub(crate) open: Vec<AlertView>,
    pub(crate) closed: Vec<AlertView>,
    pub(crate) next: Option<String>,
    /// Where alerts are sent, in words.
    pub(crate) sinks: String,
}

/// `/admin/backups`.
#[derive(Template)]
#[template(path = "admin/backups.html")]
pub(crate) struct BackupsPage {
    pub(crate) shell: Shell,
    pub(crate) backups: Vec<crate::api::admin::backups::BackupView>,
    /// When they are made, in words.
    pub(crate) schedule: String,
    /// `current`, `overdue` or `none`.
    pub(crate) freshness: &'static str,
    pub(crate) last: Option<Time>,
    pub(crate) failed: Option<Time>,
    /// `current`, `overdue` or `none`.
    pub(crate) drill: &'static str,
    /// When one was tried out last, and whether it passed.
    pub(crate) verified: Option<(Time, bool)>,
}

/// How grave an event of the audit log is.
pub(crate) const SEVERITIES: [&str; 4] = [key("low"), key("medium"), key("high"), key("critical")];

/// For how long an address may be blocked: hours, and words.
pub(crate) const SPANS: [(&str, &str); 5] = [
    ("1", key("An hour")),
    ("24", key("A day")),
    ("168", key("A week")),
    ("720", key("30 days")),
    ("", key("Until lifted")),
];

/// Why a backup was made, as people read it.
pub(crate) fn reason(reason: &str) -> &str {
    match reason {
        "scheduled" => key("scheduled"),
        "manual" => key("by hand"),
        "before_migration" => key("before a migration"),
        "before_restore" => key("before a restore"),
        other => other,
    }
}

/// A block of addresses.
#[derive(Clone, Debug)]
pub(crate) struct BlockView {
    pub(crate) net: String,
    pub(crate) reason: String,
    pub(crate) created_at: Time,
    pub(crate) expires_at: Option<Time>,
}

/// `/admin/blocks`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/blocks.html")]
pub(crate) struct BlocksPage {
    pub(crate) shell: Shell,
    pub(crate) form: FormView,
    pub(crate) blocks: Vec<BlockView>,
    /// The address of who looks, which should not be blocked.
    pub(crate) own: String,
}

/// `/admin/lockdown`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/lockdown.html")]
pub(crate) struct LockdownPage {
    pub(crate) shell: Shell,
    /// `off`, `users` or `admin-only`.
    pub(crate) mode: &'static str,
    pub(crate) since: Option<Time>,
    pub(crate) by: String,
}

impl LockdownPage {
    fn is(&self, mode: &str) -> bool {
        self.mode == mode
    }

    fn is_off(&self, mode: &str) -> bool {
        mode == "off"
    }

    fn modes(&self) -> [(&'static str, &'static str, &'static str); 3] {
        [
            ("off", key("Normal"), key("Everybody may do what their account, grants and keys allow.")),
            (
                "users",
                key("Accounts locked"),
                key(
                    "Every account that is no administrator, and every API key, is refused. Anonymous visitors go on.",
                ),
            ),
            (
                "admin-only",
                key("Administrators only"),
                key("Everybody but signed-in administrators is refused, anonymous visitors too."),
            ),
        ]
    }

    fn revocations(&self) -> [(&'static str, &'static str, &'static str); 4] {
        [
            ("sessions", key("Sessions"), key("Every browser is signed out, yours too.")),
            (
                "tokens",
                key("Tokens"),
                key("Every access and refresh token is dead; programs must sign in again."),
            ),
            ("keys", key("API keys"), key("Every API key made here is revoked for good.")),
            ("all", key("All of these"), key("Sessions, tokens and keys, in one step.")),
        ]
    }
}

/// A setting.
#[derive(Clone, Debug)]
pub(crate) struct SettingView {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) origin: String,
    pub(crate) secret: bool,
    /// Whether somebody chose it.
    pub(crate) chosen: bool,
}

impl SettingView {
    /// Where its value comes from, in words; what is a place in a file is that in every language.
    fn origin(&self) -> String {
        const KINDS: [(&str, &str); 6] = [
            ("profile ", key("profile {name}")),
            ("variable ", key("variable {name}")),
            ("file named by ", key("file named by {name}")),
            ("flag ", key("flag {name}")),
            ("Secrets Manager ", key("Secrets Manager {name}")),
            (".env ", key(".env {name}")),
        ];
        let named = KINDS.iter().find_map(|(kind, words)| Some((self.origin.strip_prefix(kind)?, *words)));
        match named {
            Some((name, words)) => say(words).with("name", name).to_string(),
            None if self.origin == "default" => say("default").to_string(),
            None => told(&self.origin).into_owned(),
        }
    }
}

/// `/admin/settings`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/settings.html")]
pub(crate) struct SettingsPage {
    pub(crate) shell: Shell,
    pub(crate) groups: Vec<(String, Vec<SettingView>)>,
    /// How long each secret has been in use.
    pub(crate) ages: Vec<SecretAge>,
}

/// A legal hold in the list.
#[derive(Clone, Debug)]
pub(crate) struct HoldView {
    pub(crate) id: String,
    pub(crate) target: String,
    /// The address of an account.
    pub(crate) label: String,
    pub(crate) reason: String,
    pub(crate) by: String,
    pub(crate) created_at: Time,
}

impl HoldView {
    /// What is on hold, for people.
    fn name(&self) -> &str {
        if self.label.is_empty() { &self.target } else { &self.label }
    }
}

/// `/admin/holds`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/holds.html")]
pub(crate) struct HoldsPage {
    pub(crate) shell: Shell,
    pub(crate) form: FormView,
    pub(crate) holds: Vec<HoldView>,
}
