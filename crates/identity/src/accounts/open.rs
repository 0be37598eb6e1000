//! What a proof is spent on: the session of a browser, or the tokens of a program. Each sign-in has a new secret.

use crypto::token;
use kernel::{AuditEvent, EventType, Fault, Result, Secret, SessionId, Severity, Subject};
use store::{NewSession, Refreshed, SessionKind};

use super::{Accounts, Browser, Tokens, Verified};
use crate::Context;
use crate::standing::{Caller, standing};

/// How every refresh token begins, so that scanners can find leaked ones.
const REFRESH_PREFIX: &str = "stoa_rt_";

impl Accounts {
    /// Signs a browser in. The session that it held before ends: a token that somebody planted there before the
    /// sign-in is worth nothing after it.
    pub async fn open_browser(&self, who: Verified, from: &Context) -> Result<Browser> {
        let (identity, ambient) = (&self.parts.identity, &self.parts.ambient);
        let secret = token::random(ambient.random());
        let lifetime = identity.sliding.lifetime;
        let audit = vec![self.succeeded(&who, from)];
        let new = NewSession {
            digest: Some(token::digest(secret.expose())),
            expires_at: ambient.now() + lifetime,
            ..self.session(&who, from, SessionKind::Browser)
        };
        let session = self.begin(new, from, audit).await?;
        self.end_before(from, session.id).await;
        let mut cookies = vec![identity.cookie.set(secret.expose(), lifetime, from.https)];
        if !who.user.email.is_empty() {
            let tag = self.tag(&who.user.email);
            let known =
                from.device.as_deref().and_then(|value| self.devices.recall(value, &tag, ambient.now()));
            cookies.push(self.devices.remember(&tag, known, from.https, ambient));
        }
        Ok(Browser { session, cookies })
    }

    /// Gives a program its tokens.
    pub async fn open_tokens(&self, who: Verified, from: &Context) -> Result<Tokens> {
        let new = self.session(&who, from, SessionKind::Token);
        let (id, user) = (new.id, new.user);
        let refresh = self.refresh_token(id);
        let expires_at = self.parts.ambient.now() + self.config.tokens.refresh_lifetime;
        let new =
            NewSession { refresh: Some((token::digest(refresh.expose()), expires_at)), expires_at, ..new };
        self.begin(new, from, vec![self.succeeded(&who, from)]).await?;
        Ok(self.tokens(id, user, refresh))
    }

    /// New tokens for a refresh token, which is used up. One that comes back ends the whole sign-in: either a thief
    /// or the owner holds a copy, and nobody can tell which.
    pub async fn refresh(&self, refresh_token: &Secret<String>, from: &Context) -> Result<Tokens> {
        let Some(id) = session_of(refresh_token.expose()) else {
            return Err(self.refused(from, "unknown token", None).await);
        };
        let session = self.parts.store.session(id).await?;
        // Whoever is kept out for now keeps the token: releasing the brake must restore what was.
        if let Some(session) = &session {
            self.may_pass(session.user, from).await?;
        }
        let new = self.refresh_token(id);
        let expires_at = self.parts.ambient.now() + self.config.tokens.refresh_lifetime;
        let (old, digest) = (token::digest(refresh_token.expose()), token::digest(new.expose()));
        let rotated = self.parts.store.rotate_refresh(&old, &digest, expires_at, Some(from.peer_ip)).await?;
        match rotated {
            Refreshed::Rotated(session) if session.id == id => Ok(self.tokens(id, session.user, new)),
            Refreshed::Rotated(_) => Err(Fault::internal("a refresh token belongs to another session")),
            Refreshed::Reused(session) => {
                self.parts.identity.forget();
                Err(self.refused(from, "reused token", Some(session.user)).await)
            }
            Refreshed::Expired => {
                Err(Fault::new(kernel::Code::TokenExpired)
                    .say("the refresh token has expired: sign in again"))
            }
            Refreshed::Unknown => Err(self.refused(from, "unknown token", session.map(|s| s.user)).await),
        }
    }

    /// Whether the brake and the account's state let somebody pass who has a genuine refresh token.
    async fn may_pass(&self, user: kernel::UserId, from: &Context) -> Result<()> {
        let identity = &self.parts.identity;
        let denial = match identity.holder(user).await {
            Ok(holder) => match standing(&Caller::Account(&holder.account), identity.brake()) {
                Ok(()) => return Ok(()),
                Err(denial) => denial,
            },
            Err(denial) => denial,
        };
        if let Some(fault) = denial.fault {
            return Err(fault);
        }
        let event = from.event(EventType::AuthzDenied, Subject::User(user)).with("reason", denial.reason);
        self.note(event).await;
        Err(Fault::new(denial.code))
    }

    async fn refused(&self, from: &Context, reason: &'static str, user: Option<kernel::UserId>) -> Fault {
        metrics::counter!("stoa_auth_failures_total", "reason" => reason).increment(1);
        let actor = user.map_or(kernel::Actor::Anonymous, |user| Subject::User(user).into());
        let mut event =
            from.event(EventType::AuthFailure, actor).with("method", "refresh").with("reason", reason);
        // A program that goes on with the token of a session that has ended guesses nothing.
        event.severity = Severity::Medium;
        self.note(event).await;
        Fault::new(kernel::Code::Unauthenticated)
    }

    fn session(&self, who: &Verified, from: &Context, kind: SessionKind) -> NewSession {
        let now = self.parts.ambient.now();
        NewSession {
            id: SessionId::new(&self.parts.ambient),
            user: who.user.id,
            kind,
            digest: None,
            method: who.method.to_owned(),
            agent: from.agent.clone(),
            ip: from.peer_ip,
            expires_at: now,
            refresh: None,
            valid_from: who.user.valid_from,
        }
    }

    async fn begin(
        &self,
        new: NewSession,
        from: &Context,
        mut audit: Vec<AuditEvent>,
    ) -> Result<store::Session> {
        let begun = from
            .event(EventType::SessionAccess, Subject::User(new.user))
            .to(format_args!("session:{}", new.id))
            .with("what", "begun")
            .with("kind", new.kind.as_str());
        audit.push(begun);
        self.parts.store.open_session(new, audit).await
    }

    /// Ends the sessions whose cookies came along with a sign-in.
    async fn end_before(&self, from: &Context, new: SessionId) {
        let store = &self.parts.store;
        for value in from.sessions.iter().flatten() {
            let Ok(Some(before)) = store.session_by_digest(&token::digest(value)).await else { continue };
            if before.id == new {
                continue;
            }
            let event = from
                .event(EventType::AuthLogout, Subject::User(before.user))
                .to(format_args!("session:{}", before.id))
                .with("reason", "replaced by a new sign-in");
            if store.end_session(Some(before.user), before.id, vec![event]).await.is_ok() {
                self.parts.identity.forget();
            }
        }
    }

    /// A new refresh token: it names its session, so that whether its owner may come in is known before it is used
    /// up, and 256 random bits.
    fn refresh_token(&self, session: SessionId) -> Secret<String> {
        let random = token::random(self.parts.ambient.random());
        Secret::new(format!("{REFRESH_PREFIX}{}_{}", session.uuid().simple(), random.expose()))
    }

    fn tokens(&self, session: SessionId, user: kernel::UserId, refresh_token: Secret<String>) -> Tokens {
        let ring = self.parts.identity.ring();
        let access_token = ring.issue(user, session, &self.parts.ambient);
        Tokens { access_token, refresh_token, expires_in: ring.lifetime().as_secs(), session }
    }
}

/// The session that a refresh token names; nothing is known of it yet.
fn session_of(token: &str) -> Option<SessionId> {
    let (id, random) = token.strip_prefix(REFRESH_PREFIX)?.split_once('_')?;
    let uuid = (id.len() == 32).then(|| uuid::Uuid::try_parse(id).ok()).flatten()?;
    (random.len() == 43).then(|| SessionId::from_uuid(uuid))
}
