//! What the pages of the account and of the administration have around their content: the header, the navigation
//! at the side, what has just been done, and the brake while it is pulled.

use kernel::Time;

use super::Markup;
use super::frame::{Frame, ago, moment};
use crate::texts::key;

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
    /// What waits for somebody to look at it.
    pub(crate) open_reviews: u64,
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
    tab("/account", "user", key("Profile")),
    tab("/account/conversations", "chat", key("Conversations")),
    tab("/account/security", "shield", key("Security")),
    tab("/account/sessions", "sessions", key("Sessions")),
    tab("/account/keys", "key", key("API keys")),
];

pub(super) const ADMIN: [Tab; 14] = [
    tab("/admin", "pulse", key("Overview")),
    tab("/admin/users", "users", key("Users")),
    tab("/admin/sessions", "sessions", key("Sessions")),
    tab("/admin/keys", "key", key("API keys")),
    tab("/admin/audit", "list", key("Audit log")),
    tab("/admin/alerts", "bell", key("Alerts")),
    tab("/admin/review", "shield", key("Review")),
    tab("/admin/slo", "chart", key("Service levels")),
    tab("/admin/reports", "print", key("Reports")),
    tab("/admin/blocks", "ban", key("Blocked addresses")),
    tab("/admin/holds", "lock", key("Legal holds")),
    tab("/admin/lockdown", "lock", key("Lockdown")),
    tab("/admin/backups", "disk", key("Backups")),
    tab("/admin/settings", "sliders", key("Settings")),
];

impl Shell {
    pub(crate) fn tabs(&self) -> &'static [Tab] {
        if self.admin { &ADMIN } else { &ACCOUNT }
    }

    pub(crate) fn section(&self) -> &'static str {
        if self.admin { key("Administration") } else { key("Account") }
    }

    /// What waits behind a link: how much, and what it is.
    pub(crate) fn waiting(&self, tab: &Tab) -> Option<(u64, &'static str)> {
        let (count, what) = match tab.path {
            "/admin/alerts" => (self.open_alerts, key("Open alerts")),
            "/admin/review" => (self.open_reviews, key("Open reviews")),
            _ => return None,
        };
        (count > 0).then_some((count, what))
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
