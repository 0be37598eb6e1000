//! Signing in with a password. Nobody learns whether an account exists: the same work, the same answer and the same
//! status for an address without an account, a wrong password and an account without a password (SAFETY V13).

use kernel::{Actor, AuditEvent, Code, EventType, Fault, Result, Secret, Subject, UserId};
use store::{Mode, User};
use uuid::Uuid;

use super::{Accounts, Verified, mail};
use crate::{Context, email};

/// Nobody's id: what is looked up for an address without an account.
pub(super) const NOBODY: UserId = UserId::from_uuid(Uuid::nil());

impl Accounts {
    /// Proves who somebody is by address and password, and by a code where the account has a second factor.
    ///
    /// `rate_limited` before anything is computed; `unauthenticated` for anything wrong; after the right password
    /// alone `second_factor_required`, `inactive`, `locked_down`, or `forbidden` while the address is not proven.
    pub async fn sign_in(
        &self,
        email: &str,
        password: &Secret<String>,
        code: Option<&str>,
        from: &Context,
    ) -> Result<Verified> {
        if password.expose().is_empty() {
            return Err(Fault::invalid("password", "missing", "the password is missing"));
        }
        let address = email::normal(email)?;
        let tag = self.tag(&address);
        // The account is read before its password: a session that is opened on what follows is refused when the
        // password was changed in between.
        let user = self.parts.store.user_by_email(&address).await?;
        let id = user.as_ref().map_or(NOBODY, |user| user.id);
        self.count_sign_in(from, &tag, id).await?;
        let stored = self.parts.store.password(id).await?;
        let has_password = stored.is_some();
        let verdict = self.parts.hasher.verify(password.clone(), stored.clone()).await?;
        let Some(user) = user.filter(|_| verdict.is_right()) else {
            let reason = match (id == NOBODY, has_password) {
                (true, _) => "unknown account",
                (false, false) => "no password",
                (false, true) => "wrong password",
            };
            return Err(self.failed(from, "password", reason, &tag, id).await);
        };
        self.admit(&user, from).await?;
        let method = match (user.totp_at, code.map(str::trim).filter(|code| !code.is_empty())) {
            (None, _) => "password",
            (Some(_), None) => return Err(Fault::new(Code::SecondFactorRequired)),
            (Some(_), Some(code)) => match self.second_factor(&user, code, from).await? {
                Some(method) => method,
                None => return Err(self.failed(from, "totp", "wrong code", &tag, id).await),
            },
        };
        if let (crypto::password::Verdict::RightButOld, Some(old)) = (verdict, stored) {
            self.rehash(&user, password, old);
        }
        Ok(Verified { user, method })
    }

    /// Whether an account whose owner has just been recognised may come in at all.
    pub(super) async fn admit(&self, user: &User, from: &Context) -> Result<()> {
        let subject = Subject::User(user.id);
        let locked = self.parts.identity.brake() != Mode::Off && user.role != kernel::Role::Admin;
        let (code, reason) = if user.disabled_at.is_some() {
            (Code::Inactive, "inactive account")
        } else if locked {
            (Code::LockedDown, "locked down")
        } else if self.config.mail && user.verified_at.is_none() && !user.email.is_empty() {
            self.send_verification(&mail::reading(user.clone(), from)).await;
            (Code::Forbidden, "address not proven")
        } else {
            return Ok(());
        };
        self.note(from.event(EventType::AuthzDenied, subject).with("reason", reason)).await;
        let fault = Fault::new(code);
        Err(match code {
            Code::Forbidden => fault.say("confirm your e-mail address first: a link has been sent to it"),
            _ => fault,
        })
    }

    /// Records that a proof failed. The caller learns nothing more than that.
    pub(super) async fn failed(
        &self,
        from: &Context,
        method: &'static str,
        reason: &'static str,
        tag: &str,
        user: UserId,
    ) -> Fault {
        let actor = if user == NOBODY { Actor::Anonymous } else { Actor::Subject(Subject::User(user)) };
        metrics::counter!("stoa_auth_failures_total", "reason" => reason).increment(1);
        let mut event =
            from.event(EventType::AuthFailure, actor).with("method", method).with("reason", reason);
        if !tag.is_empty() {
            event = event.with("account", tag);
        }
        self.note(event).await;
        Fault::new(Code::Unauthenticated)
            .say("this does not fit any account: check the address, the password, the code")
    }

    /// Stores the password hashed at the cost of now. Nobody waits for it, and a failure is made up for next time.
    fn rehash(&self, user: &User, password: &Secret<String>, old: Secret<String>) {
        let (hasher, store) = (self.parts.hasher.clone(), self.parts.store.clone());
        let (id, password) = (user.id, password.clone());
        self.parts.tasks.spawn(async move {
            if let Ok(new) = hasher.hash(password).await {
                let _ = store.rehash_password(id, &old, new).await;
            }
        });
    }

    /// The event of a success, to be written with the session that it opens.
    pub(super) fn succeeded(&self, who: &Verified, from: &Context) -> AuditEvent {
        let event = from.event(EventType::AuthSuccess, Subject::User(who.user.id)).with("method", who.method);
        if who.user.email.is_empty() { event } else { event.with("account", self.tag(&who.user.email)) }
    }
}
