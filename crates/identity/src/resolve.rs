//! From the credentials of a request to one principal, or to a refusal whose reason only the log may tell.
//! Whether a genuine credential may be used now is decided in `standing.rs`, for all kinds alike.

use std::net::IpAddr;
use std::sync::Arc;

use kernel::{Actor, AuditEvent, Code, EventType, Fault, Result, Severity, Subject};

use crate::Identity;
use crate::credential::Credentials;
use crate::memory::Holder;
use crate::permission::{May, Permission};
use crate::principal::{Apps, Method, OwnLimits, Principal};
use crate::scope::Scopes;
use crate::standing::{Caller, Denial, standing};

/// Who asks, and what has to be done about it.
#[derive(Debug)]
pub struct Resolved {
    /// Who asks.
    pub principal: Principal,
    /// The browser sent the proof by itself, as a cookie: a request that changes something must come from our pages.
    pub rides_on_cookie: bool,
    /// A `Set-Cookie` value: for a browser that has just become a visitor, or whose session was extended.
    pub cookie: Option<String>,
    /// Something that the audit log should hold: a forged cookie, a session that was extended.
    pub event: Option<AuditEvent>,
}

/// Why nobody was resolved.
#[derive(Debug)]
pub struct Refusal {
    /// What the caller is told.
    pub fault: Fault,
    /// The reason, one word or two of a closed list, for the log and for metrics.
    pub reason: &'static str,
    /// What the audit log is told; nothing when it is the server that failed. In a box, as refusals are rare and
    /// results should stay small.
    pub event: Option<Box<AuditEvent>>,
    /// A `Set-Cookie` value that takes a dead session cookie away.
    pub cookie: Option<String>,
}

impl Identity {
    /// Who asks. Without any credential it is a new visitor, unless visitors are refused. Two credentials of two
    /// callers are an error; a visitor's cookie beside a stronger credential is not looked at.
    pub async fn resolve(
        &self,
        credentials: Credentials<'_>,
        address: IpAddr,
        https: bool,
    ) -> Result<Resolved, Refusal> {
        match self.identify(&credentials, address, https).await {
            Ok(resolved) => Ok(resolved),
            Err(denial) => {
                let dead = credentials.has_session() && denial.code.kind() == kernel::Kind::Unauthenticated;
                let cookie = (dead && !credentials.rides_on_header()).then(|| self.cookie.clear(https));
                Err(refusal(denial, credentials.malformed, address, cookie))
            }
        }
    }

    async fn identify(
        &self,
        credentials: &Credentials<'_>,
        address: IpAddr,
        https: bool,
    ) -> Result<Resolved, Denial> {
        if credentials.malformed.is_some() {
            return Err(Denial::unknown("malformed credential", Severity::High));
        }
        let shown = match (credentials.key, credentials.token) {
            (Some(key), _) => Some(self.by_key(key, address).await?),
            (None, Some(token)) => Some(Box::pin(self.by_token(token, address)).await?),
            (None, None) => None,
        };
        let cookie = self.cookie.pick(&credentials.sessions, https);
        match (shown, cookie) {
            (Some(principal), cookie) => {
                self.agree(&principal, cookie, address).await?;
                Ok(Resolved { principal, rides_on_cookie: false, cookie: None, event: None })
            }
            (None, Some(token)) => self.by_session(token, address, https).await,
            (None, None) => self.visitor(credentials, address, https),
        }
    }

    /// A session cookie that is good must be of the same account as the credential beside it: which of two people
    /// somebody is cannot be chosen by the order in which we look. A cookie that is good for nothing does not matter.
    async fn agree(&self, who: &Principal, cookie: Option<&str>, address: IpAddr) -> Result<(), Denial> {
        let Some(token) = cookie else { return Ok(()) };
        match self.session_principal(token, address).await {
            Ok((other, _)) if other.subject != who.subject => {
                Err(Denial::unknown("contradicting credentials", Severity::High).of(who.subject))
            }
            Err(denial) if denial.fault.is_some() => Err(denial),
            _ => Ok(()),
        }
    }

    fn visitor(
        &self,
        credentials: &Credentials<'_>,
        address: IpAddr,
        https: bool,
    ) -> Result<Resolved, Denial> {
        if self.require_authentication {
            return Err(Denial::unknown("missing credential", Severity::Low));
        }
        standing(&Caller::Visitor, self.brake())?;
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
                let (pass, cookie) = self.visitors.admit(self.visitor_epoch(), https, &self.ambient);
                (pass, Some(cookie))
            }
        };
        let subject = Subject::Visitor(pass.visitor);
        let event = forged.then(|| {
            AuditEvent::new(EventType::SecurityViolation, subject)
                .from(address)
                .with("reason", "a visitor cookie was forged, altered or expired")
        });
        let mut principal = Principal::bare(subject, Method::Visitor, self.visitor_apps.clone(), address);
        principal.epoch = pass.epoch;
        let rides_on_cookie = credentials.visitor.is_some() || credentials.has_session();
        Ok(Resolved { principal, rides_on_cookie, cookie, event })
    }

    /// The proof that `who` may do `what`, or the fault that says why not.
    pub fn may<P: Permission>(&self, who: &Principal, what: P) -> Result<May<P>> {
        May::check(who, what)
    }

    /// Whether this principal would still be accepted; asked again and again by open streams. `unavailable` when
    /// that cannot be said, because the database is away and memory does not tell.
    pub async fn stands(&self, who: &Principal) -> Result<bool> {
        match self.current(who).await {
            Ok(_) => Ok(true),
            Err(Denial { fault: Some(fault), .. }) => Err(fault),
            Err(_) => Ok(false),
        }
    }

    /// Whether this principal would still be accepted and may still enter this app.
    pub async fn enters(&self, who: &Principal, app: &kernel::AppId) -> Result<bool> {
        match self.current(who).await {
            Ok(now) => Ok(now.apps.contains(app)),
            Err(Denial { fault: Some(fault), .. }) => Err(fault),
            Err(_) => Ok(false),
        }
    }

    /// The principal as it would be resolved now.
    async fn current(&self, who: &Principal) -> Result<Principal, Denial> {
        let address = who.address;
        match who.subject {
            Subject::Visitor(_) => {
                standing(&Caller::Visitor, self.brake())?;
                if !self.visitor_stands(who.epoch, who.subject) {
                    return Err(Denial::unknown("revoked visitor", Severity::Low));
                }
                Ok(who.clone())
            }
            Subject::Key(id) => {
                let known = self.keys.by_id(id);
                let known = known.ok_or(Denial::unknown("unknown key", Severity::High))?;
                // The id lives on when the secret is replaced; what was opened with the old secret does not.
                if known.print != who.epoch {
                    return Err(Denial::unknown("replaced key", Severity::Medium).of(who.subject));
                }
                self.key_principal(known, address).await
            }
            Subject::User(user) => match (who.session, who.issued_at) {
                (Some(id), _) => self.session_stands(id, who.method, address).await,
                (None, Some(issued_at)) => {
                    let holder = self.holder(user).await?;
                    self.introduced_stands(&holder, issued_at)?;
                    self.account_principal(&holder, who.method, address)
                }
                (None, None) => Err(Denial::unknown("revoked session", Severity::Medium)),
            },
        }
    }

    async fn by_key(&self, key: &str, address: IpAddr) -> Result<Principal, Denial> {
        let known = self.keys.find(key).ok_or(Denial::unknown("unknown key", Severity::High))?;
        let id = known.id;
        let principal = self.key_principal(known, address).await?;
        if !self.keys.is_environment(id) {
            self.store.touch_key(id, self.ambient.now());
        }
        Ok(principal)
    }

    async fn key_principal(&self, known: crate::key::Known, address: IpAddr) -> Result<Principal, Denial> {
        let subject = Subject::Key(known.id);
        if known.revoked || self.is_revoked(subject) {
            return Err(Denial::unknown("revoked key", Severity::High).of(subject));
        }
        if known.expires_at.is_some_and(|at| at <= self.ambient.now()) {
            return Err(Denial::expired("expired key").of(subject));
        }
        let maker = match known.maker {
            Some(maker) => Some(self.holder(maker).await.map_err(|denial| denial.of(subject))?),
            None => None,
        };
        let account = maker.as_ref().map(|maker| &maker.account);
        standing(&Caller::Key(account), self.brake()).map_err(|denial| denial.of(subject))?;
        let apps = self.keys.apps(&known, maker.as_ref().map(|maker| &maker.apps));
        let mut principal = Principal::bare(subject, Method::Key, apps, address);
        if let Some(maker) = &maker {
            let managed = principal.apps.iter().filter(|app| maker.managed.contains(app));
            principal.managed = Apps(managed.cloned().collect());
        }
        principal.maker = known.maker;
        principal.epoch = known.print;
        principal.scopes = known.scopes;
        principal.limits = known.limits;
        Ok(principal)
    }

    /// The principal of an account that has shown a credential of its own. All of them pass here.
    pub(crate) fn account_principal(
        &self,
        holder: &Holder,
        method: Method,
        address: IpAddr,
    ) -> Result<Principal, Denial> {
        let subject = Subject::User(holder.account.user);
        if self.is_revoked(subject) {
            return Err(Denial::unknown("erased account", Severity::Medium).of(subject));
        }
        standing(&Caller::Account(&holder.account), self.brake()).map_err(|denial| denial.of(subject))?;
        let mut principal = Principal::bare(subject, method, holder.apps.clone(), address);
        principal.managed = holder.managed.clone();
        principal.role = Some(holder.account.role);
        principal.language = holder.account.language;
        Ok(principal)
    }

    /// The account as permissions see it, from memory or the database.
    pub(crate) async fn holder(&self, user: kernel::UserId) -> Result<Arc<Holder>, Denial> {
        let load = async {
            let account = self.store.account(user).await?;
            Ok(account.map(|account| self.hold(account)))
        };
        let found = self.memory.recall(&self.memory.holders, user, load).await?;
        found.ok_or(Denial::unknown("erased account", Severity::Medium))
    }
}

impl Principal {
    fn bare(subject: Subject, method: Method, apps: Apps, address: IpAddr) -> Principal {
        Principal {
            subject,
            method,
            apps,
            managed: Apps::none(),
            address,
            epoch: 0,
            role: None,
            maker: None,
            session: None,
            proven_at: None,
            scopes: Scopes::ALL,
            limits: OwnLimits::default(),
            issued_at: None,
            language: None,
        }
    }
}

/// What a denial is outside: the sentence of its code for the caller, the reason for the log.
fn refusal(denial: Denial, detail: Option<&'static str>, address: IpAddr, cookie: Option<String>) -> Refusal {
    let Denial { code, reason, severity, subject, fault } = denial;
    if let Some(fault) = fault {
        return Refusal { fault, reason, event: None, cookie: None };
    }
    // Whoever is known and kept out is denied; whoever is not known has failed to prove who they are.
    let what = match code {
        Code::Inactive | Code::LockedDown => EventType::AuthzDenied,
        _ => EventType::AuthFailure,
    };
    let actor = subject.map_or(Actor::Anonymous, Actor::Subject);
    let mut event = AuditEvent::new(what, actor).from(address).with("reason", reason);
    event.severity = severity;
    if let Some(detail) = detail {
        event = event.with("detail", detail);
    }
    Refusal { fault: Fault::new(code), reason, event: Some(Box::new(event)), cookie }
}
