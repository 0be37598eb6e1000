//! People whom another issuer introduces: an ID token is exchanged for a sign-in here, or a browser goes there and
//! comes back. An identity is the pair of issuer and subject; an address never finds an account.

use kernel::{AuditEvent, Code, EventType, Fault, Result, Secret, Severity};
use store::{LinkedIdentity, Template};

use super::second::changed;
use super::{Accounts, Verified};
use crate::issuer::IdClaims;
use crate::oidc::Departure;
use crate::{AccountRead, AccountWrite, Context, May};

/// Somebody who came back from an issuer.
#[derive(Debug)]
pub struct Arrival {
    /// The proof.
    pub verified: Verified,
    /// The page that they wanted: a path of this server.
    pub return_to: String,
}

impl Accounts {
    /// Takes an ID token of a configured issuer, or of Firebase, for a sign-in here.
    pub async fn exchange(&self, id_token: &Secret<String>, from: &Context) -> Result<Verified> {
        self.count_address(from).await?;
        let identity = &self.parts.identity;
        let known = match identity.introduced(id_token.expose(), from.peer_ip).await {
            Ok((known, _)) => known,
            Err(denial) => return Err(self.denied(from, denial).await),
        };
        let holder = match identity.holder(known.user).await {
            Ok(holder) => holder,
            Err(denial) => return Err(self.denied(from, denial).await),
        };
        if let Err(denial) = identity.introduced_stands(&holder, known.issued_at) {
            return Err(self.denied(from, denial).await);
        }
        self.welcome(known.user, "id_token", from).await
    }

    /// The identities at other issuers that belong to one's own account.
    pub async fn identities(&self, may: &May<AccountRead>) -> Result<Vec<LinkedIdentity>> {
        self.parts.store.identities(may.who().user().ok_or(Code::Forbidden)?).await
    }

    /// Links an identity to one's own account, shown by an ID token of it. The password, unless the person has proven
    /// who they are within 15 minutes. `conflict` when the identity belongs to another account, `unauthenticated` for
    /// a token that proves nothing.
    pub async fn link(
        &self,
        may: &May<AccountWrite>,
        id_token: &Secret<String>,
        password: Option<&Secret<String>>,
    ) -> Result<()> {
        let user = self.proven(may, password).await?;
        let claims = self.parts.identity.issuers.verify(id_token.expose()).await?;
        let event = changed(may, "identity linked").with("issuer", claims.issuer.as_str());
        self.parts.store.link_identity(user.id, &claims.issuer, &claims.subject, vec![event]).await?;
        self.parts.identity.forget();
        self.tell(&user, Template::SignInMethodAdded, [("method", claims.issuer.as_str())]).await;
        Ok(())
    }

    /// Takes an identity from one's own account, and ends what it has signed in. `conflict` when nothing would be left
    /// to sign in with.
    pub async fn unlink(
        &self,
        may: &May<AccountWrite>,
        issuer: &str,
        subject: &str,
        password: Option<&Secret<String>>,
    ) -> Result<()> {
        let user = self.proven(may, password).await?;
        let store = &self.parts.store;
        let others = store.identities(user.id).await?.len() > 1;
        if !user.has_password && user.passkeys == 0 && !others {
            return Err(Fault::new(Code::Conflict)
                .say("this is the only way to sign in to the account; set a password first"));
        }
        let event = changed(may, "identity unlinked").with("issuer", issuer);
        store.unlink_identity(user.id, issuer, subject, vec![event]).await?;
        // A session may have come from there; the one of this request stays.
        let event = changed(may, "signed out after unlinking");
        store.sign_out_everywhere(user.id, may.who().session(), vec![event]).await?;
        self.parts.identity.forget();
        Ok(())
    }

    /// The names of the issuers that a page can offer for sign-in.
    pub fn issuers(&self) -> Vec<&str> {
        self.parts.oidc.names()
    }

    /// Where to send the browser, and the cookie that it must bring back. `return_to` is a path of this server;
    /// anything else is the first page.
    pub async fn oidc_start(&self, name: &str, return_to: &str, from: &Context) -> Result<Departure> {
        self.count_address(from).await?;
        self.parts.oidc.start(name, return_to).await
    }

    /// The name of the cookie to give to [`Accounts::oidc_finish`].
    pub fn oidc_cookie(&self) -> &'static str {
        self.parts.oidc.cookie_name()
    }

    /// The `Set-Cookie` value that forgets a journey, to be sent whatever comes of it: one that failed cannot go on.
    pub fn oidc_forget(&self) -> String {
        self.parts.oidc.forget()
    }

    /// Ends a journey to an issuer: the query with which it sent the browser back, and the value of the cookie.
    pub async fn oidc_finish(
        &self,
        name: &str,
        query: &str,
        cookie: Option<&str>,
        from: &Context,
    ) -> Result<Arrival> {
        let arrival = match self.parts.oidc.finish(name, query, cookie).await {
            Ok(arrival) => arrival,
            Err(fault) => {
                let reason = fault.cause().map(ToString::to_string).unwrap_or_default();
                let event = from
                    .event(EventType::AuthFailure, kernel::Actor::Anonymous)
                    .with("method", "oidc")
                    .with("reason", "journey failed")
                    .with("detail", reason);
                // Old tabs and second thoughts come this way as often as attacks do.
                self.note(AuditEvent { severity: Severity::Medium, ..event }).await;
                return Err(fault);
            }
        };
        let verified = self.introduced(&arrival.claims, from).await?;
        Ok(Arrival { verified, return_to: arrival.return_to })
    }

    async fn introduced(&self, claims: &IdClaims, from: &Context) -> Result<Verified> {
        let user = self.parts.identity.introduce(claims, from.peer_ip).await?;
        self.welcome(user, "oidc", from).await
    }

    async fn welcome(&self, user: kernel::UserId, method: &'static str, from: &Context) -> Result<Verified> {
        let user = self.parts.store.user(user).await?;
        self.admit(&user, from).await?;
        Ok(Verified { user, method })
    }

    /// What a denial is to somebody who signs in.
    async fn denied(&self, from: &Context, denial: crate::standing::Denial) -> kernel::Fault {
        if let Some(fault) = denial.fault {
            return fault;
        }
        metrics::counter!("stoa_auth_failures_total", "reason" => denial.reason).increment(1);
        let actor = denial.subject.map_or(kernel::Actor::Anonymous, kernel::Actor::Subject);
        let event = from
            .event(EventType::AuthFailure, actor)
            .with("method", "id_token")
            .with("reason", denial.reason);
        self.note(AuditEvent { severity: denial.severity, ..event }).await;
        kernel::Fault::new(denial.code)
    }
}
