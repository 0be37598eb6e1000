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
    visitors: ArcSwap<Visitors>,
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
    /// What the audit log is told. In a box, as refusals are rare and results should stay small.
    pub event: Box<AuditEvent>,
}

impl Identity {
    /// From the configuration. Keys of the database and epochs arrive with [`Identity::refresh`].
    pub fn new(config: &Config, ambient: Ambient) -> Identity {
        let enterable = |rule: fn(&Entry) -> bool| -> Vec<AppId> {
            config.entries.iter().filter(|(_, entry)| rule(entry)).map(|(app, _)| app.clone()).collect()
        };
        Identity {
            visitors: ArcSwap::from_pointee(visitors(config)),
            keys: Keys::new(&config.environment_keys, enterable(|entry| entry.keys)),
            visitor_apps: Apps(enterable(|entry| entry.visitors).into()),
            require_authentication: config.require_authentication,
            epoch: AtomicI64::new(0),
            revoked: ArcSwap::default(),
            ambient,
        }
    }

    /// Takes over the secrets of another configuration: those of cookies, and the keys of the environment. Everything
    /// else stays as it was at the start. Requests in flight keep what they have been granted; open streams of a key
    /// that is gone end like those of a revoked one.
    pub fn renew(&self, config: &Config) {
        self.visitors.store(Arc::new(visitors(config)));
        self.keys.renew(&config.environment_keys);
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
            event: Box::new(
                AuditEvent::new(EventType::AuthFailure, Actor::Anonymous)
                    .from(address)
                    .with("reason", reason),
            ),
        };
        if let Some(why) = credentials.malformed {
            let mut refusal = refuse("malformed credential", Code::Unauthenticated);
            refusal.event.details.insert("detail".to_owned(), why.into());
            return Err(refusal);
        }
        if let Some(key) = credentials.key {
            return self.resolve_key(key, address).map_err(|(reason, code)| refuse(reason, code));
        }
        if self.require_authentication {
            return Err(refuse("missing credential", Code::Unauthenticated));
        }
        let (pass, forged) = match credentials.visitor {
            Some(value) => match self.visitors.load().read(value, self.ambient.now()) {
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
                    self.visitors.load().admit(self.epoch.load(Ordering::Acquire), https, &self.ambient);
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

fn visitors(config: &Config) -> Visitors {
    Visitors::new(&config.cookie_secrets, config.visitor_lifetime, config.secure_cookies)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicI64, AtomicU64};
    use std::time::Duration;

    use kernel::{Clock, KeyId, Random, Secret, Time, UserEntry};
    use store::ApiKey;

    use super::*;
    use crate::Converse;

    const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const ENVIRONMENT_KEY: &str = "0123456789abcdef0123456789abcdef";

    struct Turning(AtomicI64);
    impl Clock for Turning {
        fn now(&self) -> Time {
            Time::from_seconds(self.0.load(Ordering::Relaxed))
        }
    }
    struct Counting(AtomicU64);
    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            let count = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            bytes.iter_mut().zip(count.iter().cycle()).for_each(|(to, from)| *to = *from);
        }
    }

    struct Place {
        clock: Arc<Turning>,
        identity: Identity,
    }

    fn place(require_authentication: bool) -> Place {
        let clock = Arc::new(Turning(AtomicI64::new(1_000)));
        let ambient = Ambient::new(clock.clone(), Arc::new(Counting(AtomicU64::new(1))));
        Place { clock, identity: Identity::new(&config(require_authentication), ambient) }
    }

    fn config(require_authentication: bool) -> Config {
        let app = |id| AppId::parse(id).unwrap();
        let entry = |visitors, keys| Entry { visitors, keys, users: UserEntry::Nobody };
        Config {
            cookie_secrets: vec![Secret::new("a signing secret".to_owned())],
            secure_cookies: false,
            visitor_lifetime: Duration::from_secs(86_400),
            environment_keys: vec![Secret::new(ENVIRONMENT_KEY.to_owned())],
            require_authentication,
            entries: vec![(app("assistant"), entry(true, true)), (app("support"), entry(false, true))],
        }
    }

    fn stored(key: &str, apps: &[&str]) -> ApiKey {
        ApiKey {
            id: KeyId::from_uuid(uuid::Uuid::from_u128(7)),
            user: None,
            name: "test".to_owned(),
            scopes: Vec::new(),
            per_minute: None,
            per_hour: None,
            digest: crypto::token::digest(key),
            apps: apps.iter().map(|app| AppId::parse(app).unwrap()).collect(),
            created_at: Time::EPOCH,
            rotated_at: None,
            expires_at: Some(Time::from_seconds(2_000)),
            revoked_at: None,
            last_used_at: None,
        }
    }

    fn with_key(key: &str) -> Credentials<'_> {
        Credentials { key: Some(key), ..Credentials::default() }
    }

    fn cookie_of(resolved: &Resolved) -> String {
        let cookie = resolved.cookie.as_deref().unwrap();
        cookie.split_once('=').unwrap().1.split_once(';').unwrap().0.to_owned()
    }

    #[test]
    fn a_browser_becomes_a_visitor_and_stays_one() {
        let Place { identity, .. } = place(false);
        let first = identity.resolve(Credentials::default(), ADDRESS, false).unwrap();
        let value = cookie_of(&first);
        let again = Credentials { visitor: Some(&value), ..Credentials::default() };
        let second = identity.resolve(again, ADDRESS, false).unwrap();
        assert_eq!(first.principal.subject(), second.principal.subject());
        assert!(second.cookie.is_none() && second.event.is_none());
        assert!(identity.may(&second.principal, Converse(AppId::parse("assistant").unwrap())).is_ok());
        let support = identity.may(&second.principal, Converse(AppId::parse("support").unwrap()));
        assert_eq!(support.unwrap_err().code(), Code::Unauthenticated);
    }

    #[test]
    fn a_forged_cookie_gives_a_new_visitor_and_an_event() {
        let Place { identity, .. } = place(false);
        let forged = Credentials { visitor: Some("AAAA"), ..Credentials::default() };
        let resolved = identity.resolve(forged, ADDRESS, false).unwrap();
        assert!(resolved.cookie.is_some());
        assert_eq!(resolved.event.unwrap().event_type, EventType::SecurityViolation);
    }

    #[test]
    fn an_epoch_ends_every_visitor_from_before_and_a_revocation_one() {
        let Place { identity, .. } = place(false);
        let first = identity.resolve(Credentials::default(), ADDRESS, false).unwrap().principal;
        let other = identity.resolve(Credentials::default(), ADDRESS, false).unwrap().principal;
        identity.refresh(&Epochs::default(), HashSet::from([first.subject()]), Vec::new());
        assert!(!identity.stands(&first) && identity.stands(&other));
        identity.refresh(&Epochs { visitors: 1, ..Epochs::default() }, HashSet::new(), Vec::new());
        assert!(!identity.stands(&other));
        let new = identity.resolve(Credentials::default(), ADDRESS, false).unwrap().principal;
        assert!(identity.stands(&new));
    }

    #[test]
    fn keys_enter_their_apps_until_they_end() {
        let Place { clock, identity } = place(true);
        identity.refresh(&Epochs::default(), HashSet::new(), vec![stored("stored-key", &["support"])]);
        let resolved = identity.resolve(with_key("stored-key"), ADDRESS, false).unwrap();
        let apps: Vec<_> = resolved.principal.apps().iter().map(AppId::as_str).collect();
        assert_eq!(apps, ["support"]);
        let assistant = identity.may(&resolved.principal, Converse(AppId::parse("assistant").unwrap()));
        assert_eq!(assistant.unwrap_err().code(), Code::Forbidden);
        assert!(identity.stands(&resolved.principal));
        clock.0.store(2_000, Ordering::Relaxed);
        assert!(!identity.stands(&resolved.principal));
        let expired = identity.resolve(with_key("stored-key"), ADDRESS, false).unwrap_err();
        assert_eq!(expired.fault.code(), Code::TokenExpired);
        assert_eq!(expired.event.details["reason"], "expired key");
    }

    #[test]
    fn the_caller_is_told_less_than_the_log() {
        let Place { identity, .. } = place(true);
        let revoked = ApiKey { revoked_at: Some(Time::EPOCH), ..stored("revoked-key", &[]) };
        identity.refresh(&Epochs::default(), HashSet::new(), vec![revoked]);
        let malformed = Credentials { malformed: Some("twice"), ..Credentials::default() };
        for (credentials, reason) in [
            (Credentials::default(), "missing credential"),
            (malformed, "malformed credential"),
            (with_key("unknown"), "unknown key"),
            (with_key("revoked-key"), "revoked key"),
        ] {
            let refusal = identity.resolve(credentials, ADDRESS, false).unwrap_err();
            assert_eq!(refusal.fault.code(), Code::Unauthenticated);
            assert_eq!(refusal.fault.message(), Code::Unauthenticated.title());
            assert_eq!(refusal.event.details["reason"], reason);
        }
        assert!(identity.resolve(with_key(ENVIRONMENT_KEY), ADDRESS, false).is_ok());
    }

    #[test]
    fn a_renewed_secret_signs_and_the_earlier_one_still_opens() {
        let Place { identity, .. } = place(false);
        let first = identity.resolve(Credentials::default(), ADDRESS, false).unwrap();
        let value = cookie_of(&first);
        let again = || {
            let shown = Credentials { visitor: Some(&value), ..Credentials::default() };
            identity.resolve(shown, ADDRESS, false).unwrap().principal.subject()
        };
        let secret = |text: &str| Secret::new(text.to_owned());
        let mut config = config(false);
        config.cookie_secrets = vec![secret("another secret"), secret("a signing secret")];
        identity.renew(&config);
        assert_eq!(again(), first.principal.subject());
        config.cookie_secrets.truncate(1);
        identity.renew(&config);
        assert_ne!(again(), first.principal.subject());
    }

    #[test]
    fn a_key_that_left_the_environment_is_unknown_and_its_streams_end() {
        let Place { identity, .. } = place(false);
        let who = identity.resolve(with_key(ENVIRONMENT_KEY), ADDRESS, false).unwrap().principal;
        let mut config = config(false);
        config.environment_keys = vec![Secret::new("fedcba9876543210fedcba9876543210".to_owned())];
        identity.renew(&config);
        assert!(identity.resolve(with_key(ENVIRONMENT_KEY), ADDRESS, false).is_err());
        assert!(identity.resolve(with_key("fedcba9876543210fedcba9876543210"), ADDRESS, false).is_ok());
        assert!(!identity.stands(&who));
    }
}
