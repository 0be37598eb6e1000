//! Sessions of browsers and families of tokens: found, extended while they are used, ended by the clock.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crypto::token;
use kernel::{AuditEvent, Code, EventType, SessionId, Severity, Subject};
use parking_lot::Mutex;
use store::{Session, SessionKind};

use crate::Identity;
use crate::principal::{Method, Principal};
use crate::resolve::Resolved;
use crate::standing::Denial;

/// How sessions of browsers live on while they are used (rows 001.33 and 001.34 of the requirements).
pub(crate) struct Sliding {
    pub(crate) lifetime: Duration,
    slide: Duration,
    /// The sessions that are being extended: of many requests at once one does it.
    extending: Mutex<HashSet<SessionId>>,
}

impl Sliding {
    pub(crate) fn new(lifetime: Duration, slide: Duration) -> Sliding {
        Sliding { lifetime, slide, extending: Mutex::default() }
    }
}

/// The turn of one request to extend a session; given back when dropped, whatever happens meanwhile.
struct Extending<'a>(&'a Sliding, SessionId);

impl Drop for Extending<'_> {
    fn drop(&mut self) {
        self.0.extending.lock().remove(&self.1);
    }
}

impl Identity {
    /// The caller whose browser sent this session cookie.
    pub(crate) async fn by_session(
        &self,
        token: &str,
        address: IpAddr,
        https: bool,
    ) -> Result<Resolved, Denial> {
        let (principal, session) = self.session_principal(token, address).await?;
        self.store.touch_session(session.id, self.ambient.now());
        let mut resolved = Resolved { principal, rides_on_cookie: true, cookie: None, event: None };
        if self.extend(&session, token).await? {
            resolved.cookie = Some(self.cookie.set(token, self.sliding.lifetime, https));
            resolved.event = Some(
                AuditEvent::new(EventType::SessionAccess, Subject::User(session.user))
                    .from(address)
                    .to(format_args!("session:{}", session.id))
                    .with("what", "extended"),
            );
        }
        Ok(resolved)
    }

    /// The caller that a session cookie stands for, and the session. Extends nothing.
    pub(crate) async fn session_principal(
        &self,
        token: &str,
        address: IpAddr,
    ) -> Result<(Principal, Arc<Session>), Denial> {
        let unknown = Denial::unknown("unknown session", Severity::Medium);
        // Every token of this server is 43 characters of base64url; anything else costs no query.
        if token.len() != 43 {
            return Err(unknown);
        }
        let digest = token::digest(token);
        let kept = &self.memory.digests;
        let load = || self.store.session_by_digest(&digest);
        let found = self.memory.recall(kept, digest.clone(), load()).await?;
        let mut session = found.ok_or(unknown)?;
        if session.expires_at <= self.ambient.now() {
            // Another process may have extended it since it was read.
            let mark = self.memory.mark();
            let gone = Denial::unknown("unknown session", Severity::Medium);
            session = Arc::new(load().await?.ok_or(gone)?);
            kept.insert(digest.clone(), (mark, Arc::clone(&session)));
        }
        let principal = self.of_session(&session, Method::Session, address).await?;
        Ok((principal, session))
    }

    /// The caller of a session by its id, as of an access token or an open stream.
    pub(crate) async fn session_stands(
        &self,
        id: SessionId,
        method: Method,
        address: IpAddr,
    ) -> Result<Principal, Denial> {
        let revoked = || Denial::unknown("revoked session", Severity::Medium);
        let kept = &self.memory.sessions;
        let found = self.memory.recall(kept, id, self.store.session(id)).await?;
        let mut session = found.ok_or_else(revoked)?;
        if session.expires_at <= self.ambient.now() {
            let mark = self.memory.mark();
            session = Arc::new(self.store.session(id).await?.ok_or_else(revoked)?);
            kept.insert(id, (mark, Arc::clone(&session)));
        }
        self.of_session(&session, method, address).await
    }

    async fn of_session(
        &self,
        session: &Session,
        method: Method,
        address: IpAddr,
    ) -> Result<Principal, Denial> {
        let subject = Subject::User(session.user);
        // A cookie of a browser is no token and the other way round, whatever the row says.
        let fits = matches!(
            (session.kind, method),
            (SessionKind::Browser, Method::Session) | (SessionKind::Token, Method::Token)
        );
        if !fits {
            return Err(Denial::unknown("unknown session", Severity::High).of(subject));
        }
        if session.expires_at <= self.ambient.now() {
            return Err(Denial::expired("expired session").of(subject));
        }
        let holder = self.holder(session.user).await.map_err(|denial| denial.of(subject))?;
        let mut principal = self.account_principal(&holder, method, address)?;
        principal.session = Some(session.id);
        principal.proven_at = Some(session.proven_at);
        Ok(principal)
    }

    /// Extends a session that was last extended long enough ago. True when it did: the browser's cookie must be set
    /// anew. While the database is away the session goes on as it is.
    async fn extend(&self, session: &Arc<Session>, token: &str) -> Result<bool, Denial> {
        let now = self.ambient.now();
        if now < session.extended_at + self.sliding.slide {
            return Ok(false);
        }
        if !self.sliding.extending.lock().insert(session.id) {
            return Ok(false);
        }
        let _turn = Extending(&self.sliding, session.id);
        let mark = self.memory.mark();
        // Another request or another process may have done it since this one read the session.
        if let Ok(Some(newest)) = self.store.session(session.id).await
            && now < newest.extended_at + self.sliding.slide
        {
            self.memory.digests.insert(token::digest(token), (mark, Arc::new(newest)));
            return Ok(false);
        }
        let expires_at = now + self.sliding.lifetime;
        match self.store.extend_session(session.id, expires_at).await {
            Ok(()) => {
                let extended = Session { expires_at, extended_at: now, ..Session::clone(session) };
                self.memory.digests.insert(token::digest(token), (mark, Arc::new(extended)));
                Ok(true)
            }
            Err(fault) if fault.code() == Code::NotFound => {
                Err(Denial::unknown("revoked session", Severity::Medium).of(Subject::User(session.user)))
            }
            Err(fault) => {
                tracing::warn!(code = fault.code().as_str(), "a session could not be extended");
                Ok(false)
            }
        }
    }
}
