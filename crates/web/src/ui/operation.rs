//! The pages of operation as templates: service levels and reports. They show what they are given.

use askama::Template;
use kernel::Time;

use super::chart::Chart;
use super::shell::Shell;
use crate::texts::{filters, key};

/// A promise and what was kept of it.
#[derive(Clone, Debug)]
pub(crate) struct GoalView {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) target: String,
    /// The class of the dot, and its word.
    pub(crate) tone: (&'static str, &'static str),
}

/// A span of time.
#[derive(Clone, Debug)]
pub(crate) struct WindowView {
    pub(crate) slug: &'static str,
    pub(crate) title: &'static str,
    /// Since when there are measurements, if not for all of it.
    pub(crate) measured: Option<Time>,
    pub(crate) goals: Vec<GoalView>,
    /// The group, requests, failed, and half, 95 and 99 of 100 within.
    pub(crate) routes: Vec<(&'static str, String, String, [String; 3])>,
}

/// `/admin/slo`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/slo.html")]
pub(crate) struct SloPage {
    pub(crate) shell: Shell,
    pub(crate) windows: Vec<WindowView>,
    pub(crate) charts: Vec<Chart>,
    pub(crate) errors: String,
    pub(crate) warnings: String,
}

/// The answers to one question.
#[derive(Clone, Debug)]
pub(crate) struct SectionView {
    pub(crate) title: &'static str,
    /// The name, the value, the class of the dot and its word.
    pub(crate) items: Vec<(String, String, (&'static str, &'static str))>,
}

/// `/admin/reports/{period}`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/report.html")]
pub(crate) struct ReportPage {
    pub(crate) shell: Shell,
    pub(crate) period: &'static str,
    pub(crate) periods: [(&'static str, bool); 3],
    pub(crate) since: Time,
    pub(crate) until: Time,
    pub(crate) sections: Vec<SectionView>,
}

/// The name of a report, which is the heading of its page.
fn title(period: &str) -> &str {
    match period {
        "daily" => key("The daily report"),
        "weekly" => key("The weekly report"),
        "monthly" => key("The monthly report"),
        other => other,
    }
}

/// The span of a report as a link.
fn span(period: &str) -> &str {
    match period {
        "daily" => key("daily"),
        "weekly" => key("weekly"),
        "monthly" => key("monthly"),
        other => other,
    }
}
