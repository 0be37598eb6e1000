//! What the pages of an app have around their content beside its talk: the header, the pages of the app at the side, and
//! what has just been done.

use kernel::Time;

use super::Markup;
use super::frame::{Frame, ago, day, moment};
use super::view::AppView;

/// The surroundings of a page of an app.
#[derive(Clone, Debug)]
pub(crate) struct AppShell {
    pub(crate) frame: Frame,
    pub(crate) app: AppView,
    /// The pages that the person may use.
    pub(crate) places: Vec<Place>,
    /// What has just been done.
    pub(crate) done: Option<String>,
    /// What could not be done.
    pub(crate) failed: Option<String>,
    pub(crate) now: Time,
}

/// A link of the navigation at the side.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) href: String,
    pub(crate) icon: &'static str,
    pub(crate) name: &'static str,
    /// How many things wait there.
    pub(crate) count: Option<u64>,
    pub(crate) here: bool,
}

impl AppShell {
    /// The address of a page of the app.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.app.url())
    }

    pub(crate) fn ago(&self, then: &Time) -> Markup {
        let stamp = then.rfc3339_seconds();
        let exact = stamp.replace('T', " ").replace('Z', " UTC");
        Markup(format!(r#"<time datetime="{stamp}" title="{exact}">{}</time>"#, ago(self.now, *then)))
    }

    pub(crate) fn moment(&self, at: &Time) -> Markup {
        moment(*at)
    }

    pub(crate) fn day(&self, at: &Time) -> Markup {
        day(*at)
    }
}
