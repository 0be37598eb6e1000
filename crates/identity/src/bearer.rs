//! Tokens as bearer: access tokens of this server, ID tokens of configured issuers.

use std::net::IpAddr;
use std::sync::Arc;

use kernel::{AuditEvent, EventType, Fault, Result, Role, Severity, Subject, Time, UserId};
use store::NewUser;

use crate::issuer::IdClaims;
use crate::memory::{Holder, Introduced};
use crate::principal::{Method, Principal};
use crate::standing::Denial;
use crate::token::{Flaw, Shape};
use crate::{Identity, email};

impl Identity {
    /// The caller of a bearer token.
    pub(crate) async fn by_token(&self, token: &str, address: IpAddr) -> Result<Principal, Denial> {
        match Shape::of(token) {
            Shape::Access => self.by_access(token, address).await,
            Shape::Identity => self.by_introduction(token, address).await,
            Shape::Opaque => Err(Denial::unknown("unknown token", Severity::High)),
        }
    }

    /// The caller of an ID token. What was found good is remembered by the digest of the whole token (SAFETY V15),
    /// at the most until the token ends.
    async fn by_introduction(&self, token: &str, address: IpAddr) -> Result<Principal, Denial> {
        let (known, _) = self.introduced(token, address).await?;
        let holder = self.holder(known.user).await?;
        self.introduced_stands(&holder, known.issued_at)?;
        let mut principal = self.account_principal(&holder, Method::IdToken, address)?;
        principal.issued_at = Some(known.issued_at);
        principal.proven_at = Some(known.proven_at);
        Ok(principal)
    }

    /// Whom an ID token introduces, and whether an account had to be looked for.
    pub(crate) async fn introduced(
        &self,
        token: &str,
        address: IpAddr,
    ) -> Result<(Arc<Introduced>, bool), Denial> {
        let digest = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
        let key: [u8; 32] =
            digest.as_ref().try_into().map_err(|_| Denial::from(Fault::internal("SHA-256")))?;
        if let Some(known) = self.memory.find(&self.memory.introduced, &key) {
            if known.expires_at <= self.ambient.now() {
                return Err(Denial::expired("expired token").of(Subject::User(known.user)));
            }
            return Ok((known, false));
        }
        let mark = self.memory.mark();
        let claims = self.issuers.verify(token).await.map_err(flawed)?;
        // The issuer still vouches for somebody whose account was erased here; what it said before that is dead.
        let erased = self.store.identity_erased(&claims.issuer, &claims.subject).await?;
        if erased.is_some_and(|at| claims.issued_at <= at) {
            return Err(Denial::unknown("erased account", Severity::Medium));
        }
        let user = self.introduce(&claims, address).await?;
        let known = Arc::new(Introduced {
            user,
            issued_at: claims.issued_at,
            proven_at: claims.auth_time.unwrap_or(claims.issued_at),
            expires_at: claims.expires_at,
        });
        self.memory.introduced.insert(key, (mark, Arc::clone(&known)));
        Ok((known, true))
    }

    /// The account of somebody whom an issuer has introduced. A new identity makes a new account: never is one found
    /// by its address, whatever the issuer says about it (SAFETY V14).
    pub(crate) async fn introduce(&self, claims: &IdClaims, address: IpAddr) -> Result<UserId> {
        if let Some(user) = self.store.identity(&claims.issuer, &claims.subject).await? {
            return Ok(user);
        }
        let id = UserId::new(&self.ambient);
        let email = claims.email.as_deref().filter(|_| claims.email_verified);
        let new = NewUser {
            id,
            email: email.and_then(|email| email::normal(email).ok()).unwrap_or_default(),
            name: claims.name.clone().unwrap_or_default(),
            role: Role::User,
            verified: email.is_some(),
            password: None,
        };
        let event = AuditEvent::new(EventType::UserChanged, Subject::User(id))
            .from(address)
            .to(Subject::User(id))
            .with("what", "provisioned")
            .with("issuer", claims.issuer.as_str());
        let user = self.store.provision(new, &claims.issuer, &claims.subject, vec![event]).await?;
        Ok(user.id)
    }

    /// The caller of an access token: genuine, of a sign-in that has not ended.
    async fn by_access(&self, token: &str, address: IpAddr) -> Result<Principal, Denial> {
        let access = self.ring().verify(token, self.ambient.now()).map_err(flawed)?;
        let subject = Subject::User(access.user);
        let revoked = || Denial::unknown("revoked token", Severity::Medium).of(subject);
        if access.issued_at < self.tokens_from() {
            return Err(revoked());
        }
        let principal = self.session_stands(access.session, Method::Token, address).await?;
        if principal.subject != subject {
            return Err(Denial::unknown("contradicting token", Severity::High).of(subject));
        }
        self.store.touch_session(access.session, self.ambient.now());
        Ok(principal)
    }

    /// Whether an ID token issued at this moment still counts for the account: nothing was signed out since.
    pub(crate) fn introduced_stands(&self, holder: &Holder, issued_at: Time) -> Result<(), Denial> {
        if issued_at < self.tokens_from() || issued_at < holder.account.valid_from {
            let subject = Subject::User(holder.account.user);
            return Err(Denial::unknown("revoked token", Severity::Medium).of(subject));
        }
        Ok(())
    }
}

/// The log learns the flaw; the caller learns only whether the token has expired.
pub(crate) fn flawed(flaw: Flaw) -> Denial {
    match flaw {
        Flaw::Expired => Denial::expired("expired token"),
        Flaw::Invalid(_) => Denial::unknown("invalid token", Severity::High),
        Flaw::Unavailable => Denial::from(kernel::Fault::from(flaw)),
    }
}

#[cfg(test)]
#[path = "bearer_tests.rs"]
mod tests;
