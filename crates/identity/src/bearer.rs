//! Tokens as bearer: access tokens of this server, ID tokens of configured issuers.

use std::net::IpAddr;

use kernel::{Severity, Subject, Time};

use crate::Identity;
use crate::memory::Holder;
use crate::principal::Principal;
use crate::standing::Denial;

impl Identity {
    /// The caller of a bearer token.
    pub(crate) async fn by_token(&self, token: &str, address: IpAddr) -> Result<Principal, Denial> {
        let _ = (token, address);
        Err(Denial::unknown("unknown token", Severity::High))
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
