//! The one form that every kind of credential becomes.

use std::net::IpAddr;
use std::sync::Arc;

use kernel::{AppId, Language, Level, Role, SessionId, Subject, Time, UserId};

use crate::scope::Scopes;

/// Who asks. Made by [`crate::Identity`] alone; holds the apps that may be entered, so that a question about
/// an app needs no look-up.
#[derive(Clone, Debug)]
pub struct Principal {
    pub(crate) subject: Subject,
    pub(crate) method: Method,
    pub(crate) apps: Apps,
    pub(crate) managed: Apps,
    pub(crate) address: IpAddr,
    /// What tells a credential that was replaced from the one of now: the epoch of a visitor, the print of a key.
    pub(crate) epoch: i64,
    pub(crate) role: Option<Role>,
    /// The account that made the key.
    pub(crate) maker: Option<UserId>,
    pub(crate) session: Option<SessionId>,
    pub(crate) proven_at: Option<Time>,
    pub(crate) scopes: Scopes,
    pub(crate) limits: OwnLimits,
    /// The moment from which a credential without a row counts: an ID token's `iat`.
    pub(crate) issued_at: Option<Time>,
    /// What the account reads, else what this request asks for.
    pub(crate) language: Option<Language>,
}

/// Which kind of credential was shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// The cookie of an anonymous browser.
    Visitor,
    /// The cookie of a browser that has signed in.
    Session,
    /// An access token of this server.
    Token,
    /// An ID token of a configured issuer.
    IdToken,
    /// An API key.
    Key,
}

impl Method {
    /// The kind as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Visitor => "visitor",
            Method::Session => "session",
            Method::Token => "token",
            Method::IdToken => "id_token",
            Method::Key => "key",
        }
    }
}

/// Limits of a caller's own. They apply beside those of the server, so they can only tighten.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OwnLimits {
    /// Turns in any minute.
    pub per_minute: Option<u32>,
    /// Turns in any hour.
    pub per_hour: Option<u32>,
}

/// The apps that a principal may enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apps(pub(crate) Arc<[AppId]>);

impl Apps {
    pub(crate) fn none() -> Apps {
        Apps(Arc::new([]))
    }

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

    /// The language in which it is spoken to, as far as that is known.
    pub const fn language(&self) -> Option<Language> {
        self.language
    }

    /// The same, who asks for this language unless its account has one.
    pub fn asking_for(self, language: Option<Language>) -> Principal {
        Principal { language: self.language.or(language), ..self }
    }

    /// The account, when it is one itself: not the maker of a key.
    pub const fn user(&self) -> Option<UserId> {
        match self.subject {
            Subject::User(id) => Some(id),
            Subject::Visitor(_) | Subject::Key(_) => None,
        }
    }

    /// Whose files it works with: a key that an account made is there for that account's.
    pub const fn keeper(&self) -> Subject {
        match self.maker {
            Some(maker) => Subject::User(maker),
            None => self.subject,
        }
    }

    /// Which kind of credential was shown.
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The apps it may enter.
    pub const fn apps(&self) -> &Apps {
        &self.apps
    }

    /// The apps whose knowledge it may change.
    pub const fn managed(&self) -> &Apps {
        &self.managed
    }

    /// What it may do in this app, if anything.
    pub fn level(&self, app: &AppId) -> Option<Level> {
        match (self.managed.contains(app), self.apps.contains(app)) {
            (true, _) => Some(Level::Manage),
            (false, true) => Some(Level::Use),
            (false, false) => None,
        }
    }

    /// Whether it is a key of the operator's: from the environment or the command line, of no account.
    pub const fn is_operators(&self) -> bool {
        self.is_key() && self.maker.is_none()
    }

    /// Where the request came from.
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// The role of an account; a key never has one, whoever made it.
    pub const fn role(&self) -> Option<Role> {
        self.role
    }

    /// The session that the request belongs to: of a browser, or the family of an access token.
    pub const fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// When the person last proved who they are, in this session.
    pub const fn proven_at(&self) -> Option<Time> {
        self.proven_at
    }

    /// What a key may be used for; everything for all others.
    pub const fn scopes(&self) -> Scopes {
        self.scopes
    }

    /// Limits of its own.
    pub const fn limits(&self) -> OwnLimits {
        self.limits
    }

    /// Whether it is an anonymous browser.
    pub const fn is_visitor(&self) -> bool {
        matches!(self.subject, Subject::Visitor(_))
    }

    /// Whether it is an API key.
    pub const fn is_key(&self) -> bool {
        matches!(self.subject, Subject::Key(_))
    }

    /// Whether it is an account with the role of admin.
    pub const fn is_admin(&self) -> bool {
        matches!(self.role, Some(Role::Admin))
    }
}
