//! The one form that every kind of credential becomes.

use std::net::IpAddr;
use std::sync::Arc;

use kernel::{AppId, Subject};

/// Who asks. Made by [`crate::Identity`] alone; holds the apps that may be entered, so that a question about
/// an app needs no look-up.
#[derive(Clone, Debug)]
pub struct Principal {
    pub(crate) subject: Subject,
    pub(crate) apps: Apps,
    pub(crate) address: IpAddr,
    pub(crate) epoch: i64,
}

/// The apps that a principal may enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apps(pub(crate) Arc<[AppId]>);

impl Apps {
    /// Whether this app is one of them.
    pub fn contains(&self, app: &AppId) -> bool {
        self.0.contains(app)
    }

    /// The ids, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &AppId> {
        self.0.iter()
    }
}

impl Principal {
    /// Whose data it works with.
    pub const fn subject(&self) -> Subject {
        self.subject
    }

    /// The apps it may enter.
    pub const fn apps(&self) -> &Apps {
        &self.apps
    }

    /// Where the request came from.
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// Whether it is an anonymous browser.
    pub const fn is_visitor(&self) -> bool {
        matches!(self.subject, Subject::Visitor(_))
    }

    /// Whether it is an API key.
    pub const fn is_key(&self) -> bool {
        matches!(self.subject, Subject::Key(_))
    }
}
