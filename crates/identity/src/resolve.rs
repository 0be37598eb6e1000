//! From the credentials of a request to one principal, or to a refusal whose reason only the log may tell.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwap;
use kernel::{Actor, Ambient, AppId, AuditEvent, Code, Entry, EventType, Fault, Result, Subject};
use store::Epochs;

use crate::Config;
use crate::credential::Credentials;
use crate::key::Keys;
use crate::permission::{May, Permission};
use crate::principal::{Apps, Principal};
use crate::visitor::Visitors;

/// Resolves credentials and makes permissions. Shared by all requests.
pub struct Identity {
    visitors: Visitors,
    keys: Keys,
    visitor_apps: Apps,
    require_authentication: bool,
    epoch: AtomicI64,
    revoked: ArcSwap<HashSet<Subject>>,
    ambient: Ambient,
}

/// Who asks, and what has to be done about it.
#[derive(Debug)]
pub struct Resolved {
    /// Who asks.
    pub principal: Principal,
    /// A `Set-Cookie` value for a browser that has just become a visitor.
    pub cookie: Option<String>,
    /// Something odd that the audit log should hold: a forged cookie.
    pub event: Option<AuditEvent>,
}

/// Why nobody was resolved.
#[derive(Debug)]
pub struct Refusal {
    /// What the caller is told.
    pub fault: Fault,
    /// What the audit log is told.
    pub event: AuditEvent,
}

impl Identity {
    /// From the configuration. Keys of the database and epochs arrive with [`Identity::refresh`].
    pub fn new(config: &Config, ambient: Ambient) -> Identity {
        let enterable = |rule: fn(&Entry) -> bool| -> Vec<AppId> {
            config.entries.iter().filter(|(_, entry)| rule(entry)).map(|(app, _)| app.clone()).collect()
        };
        Identity {
            visitors: Visitors::new(&config.cookie_secrets, config.visitor_lifetime, config.secure_cookies),
            keys: Keys::new(&config.environment_keys, enterable(|entry| entry.keys)),
            visitor_apps: Apps(enterable(|entry| entry.visitors).into()),
            require_authentication: config.require_authentication,
            epoch: AtomicI64::new(0),
            revoked: ArcSwap::default(),
            ambient,
        }
    }

    /// Takes note of what the database says now: epochs, revoked subjects, keys.
    pub fn refresh(&self, epochs: &Epochs, revoked: HashSet<Subject>, keys: Vec<store::ApiKey>) {
        self.keys.replace(keys);
        self.revoked.store(Arc::new(revoked));
        self.epoch.store(epochs.server.saturating_add(epochs.visitors), Ordering::Release);
    }

    /// Whether anonymous visitors are refused everywhere.
    pub const fn requires_authentication(&self) -> bool {
        self.require_authentication
    }

    /// Who asks. Without any credential it is a new visitor, unless visitors are refused.
    pub fn resolve(
        &self,
        credentials: Credentials<'_>,
        address: IpAddr,
        https: bool,
    ) -> Result<Resolved, Refusal> {
        let refuse = |reason: &str, code: Code| Refusal {
            fault: Fault::new(code),
            event: AuditEvent::new(EventType::AuthFailure, Actor::Anonymous)
                .from(address)
                .with("reason", reason),
        };
        if let Some(why) = credentials.malformed {
            let mut refusal = refuse("malformed credential", Code::Unauthenticated);
            refusal.event = refusal.event.with("detail", why);
            return Err(refusal);
        }
        if let Some(key) = credentials.key {
            return self.resolve_key(key, address).map_err(|(reason, code)| refuse(reason, code));
        }
        if self.require_authentication {
            return Err(refuse("missing credential", Code::Unauthenticated));
        }
        let (pass, forged) = match credentials.visitor {
            Some(value) => match self.visitors.read(value, self.ambient.now()) {
                Some(pass) if self.visitor_stands(pass.epoch, Subject::Visitor(pass.visitor)) => {
                    (Some(pass), false)
                }
                Some(_) => (None, false),
                None => (None, true),
            },
            None => (None, false),
        };
        let (pass, cookie) = match pass {
            Some(pass) => (pass, None),
            None => {
                let (pass, cookie) =
                    self.visitors.admit(self.epoch.load(Ordering::Acquire), https, &self.ambient);
                (pass, Some(cookie))
            }
        };
        let subject = Subject::Visitor(pass.visitor);
        let event = forged.then(|| {
            AuditEvent::new(EventType::SecurityViolation, subject)
                .from(address)
                .with("reason", "a visitor cookie was forged, altered or expired")
        });
        let principal = Principal { subject, apps: self.visitor_apps.clone(), address, epoch: pass.epoch };
        Ok(Resolved { principal, cookie, event })
    }

    /// The proof that `who` may do `what`, or the fault that says why not.
    pub fn may<P: Permission>(&self, who: &Principal, what: P) -> Result<May<P>> {
        May::check(who, what)
    }

    /// Whether this principal would still be accepted; asked again and again by open streams.
    pub fn stands(&self, who: &Principal) -> bool {
        match who.subject {
            Subject::Visitor(_) => self.visitor_stands(who.epoch, who.subject),
            Subject::Key(id) => self.keys.stands(id, self.ambient.now()) && !self.is_revoked(who.subject),
            Subject::User(_) => !self.is_revoked(who.subject),
        }
    }

    fn visitor_stands(&self, epoch: i64, subject: Subject) -> bool {
        epoch >= self.epoch.load(Ordering::Acquire) && !self.is_revoked(subject)
    }

    fn is_revoked(&self, subject: Subject) -> bool {
        self.revoked.load().contains(&subject)
    }

    fn resolve_key(&self, key: &str, address: IpAddr) -> Result<Resolved, (&'static str, Code)> {
        let known = self.keys.find(key).ok_or(("unknown key", Code::Unauthenticated))?;
        if known.revoked || self.is_revoked(Subject::Key(known.id)) {
            return Err(("revoked key", Code::Unauthenticated));
        }
        if known.expires_at.is_some_and(|at| at <= self.ambient.now()) {
            return Err(("expired key", Code::TokenExpired));
        }
        let principal = Principal { subject: Subject::Key(known.id), apps: known.apps, address, epoch: 0 };
        Ok(Resolved { principal, cookie: None, event: None })
    }
}
