//! What the pages of the account and of the administration have around their content: the header, the navigation
//! at the side, what has just been done, and the brake while it is pulled.

use kernel::Time;

use super::Markup;
use super::frame::{Frame, ago, moment};

/// The surroundings of a page.
#[derive(Clone, Debug)]
pub(crate) struct Shell {
    pub(crate) frame: Frame,
    /// The pages of the administration rather than those of the account.
    pub(crate) admin: bool,
    /// The place in the navigation at the side.
    pub(crate) here: &'static str,
    /// What has just been done.
    pub(crate) done: Option<String>,
    /// What could not be done.
    pub(crate) failed: Option<String>,
    /// The brake, while it is pulled; admins see it on every page of theirs.
    pub(crate) brake: Option<Brake>,
    /// Alerts that nobody has taken note of.
    pub(crate) open_alerts: u64,
    pub(crate) now: Time,
}

/// What the pulled brake says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Brake {
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
}

/// A link of the navigation at the side.
#[derive(Debug)]
pub(crate) struct Tab {
    pub(crate) path: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) name: &'static str,
}

const fn tab(path: &'static str, icon: &'static str, name: &'static str) -> Tab {
    Tab { path, icon, name }
}

pub(super) const ACCOUNT: [Tab; 5] = [
    tab("/account", "user", "Profile"),
    tab("/account/conversations", "chat", "Conversations"),
    tab("/account/security", "shield", "Security"),
    tab("/account/sessions", "sessions", "Sessions"),
    tab("/account/keys", "key", "API keys"),
];

pub(super) const ADMIN: [Tab; 13] = [
    tab("/admin", "pulse", "Overview"),
    tab("/admin/users", "users", "Users"),
    tab("/admin/sessions", "sessions", "Sessions"),
    tab("/admin/keys", "key", "API keys"),
    tab("/admin/audit", "list", "Audit log"),
    tab("/admin/alerts", "bell", "Alerts"),
    tab("/admin/slo", "chart", "Service levels"),
    tab("/admin/reports", "print", "Reports"),
    tab("/admin/blocks", "ban", "Blocked addresses"),
    tab("/admin/holds", "lock", "Legal holds"),
    tab("/admin/lockdown", "lock", "Lockdown"),
    tab("/admin/backups", "disk", "Backups"),
    tab("/admin/settings", "sliders", "Settings"),
];

impl Shell {
    pub(crate) fn tabs(&self) -> &'static [Tab] {
        if self.admin { &ADMIN } else { &ACCOUNT }
    }

    pub(crate) fn section(&self) -> &'static str {
        if self.admin { "Administration" } else { "Account" }
    }

    pub(crate) fn at(&self, tab: &Tab) -> bool {
        self.here == tab.path
    }

    pub(crate) fn ago(&self, then: &Time) -> Markup {
        let stamp = then.rfc3339_seconds();
        let exact = stamp.replace('T', " ").replace('Z', " UTC");
        Markup(format!(r#"<time datetime="{stamp}" title="{exact}">{}</time>"#, ago(self.now, *then)))
    }

    pub(crate) fn moment(&self, at: &Time) -> Markup {
        moment(*at)
    }
}
