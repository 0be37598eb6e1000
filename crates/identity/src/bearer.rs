//! Tokens as bearer: access tokens of this server, ID tokens of configured issuers.

use std::net::IpAddr;

use kernel::{Severity, Subject, Time};

use crate::Identity;
use crate::memory::Holder;
use crate::principal::{Method, Principal};
use crate::standing::Denial;
use crate::token::{Flaw, Shape};

impl Identity {
    /// The caller of a bearer token.
    pub(crate) async fn by_token(&self, token: &str, address: IpAddr) -> Result<Principal, Denial> {
        match Shape::of(token) {
            Shape::Access => self.by_access(token, address).await,
            Shape::Identity | Shape::Opaque => Err(Denial::unknown("unknown token", Severity::High)),
        }
    }

    /// The caller of an access token: genuine, of a sign-in that has not ended.
    async fn by_access(&self, token: &str, address: IpAddr) -> Result<Principal, Denial> {
        let access = self.ring.verify(token, self.ambient.now()).map_err(flawed)?;
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
