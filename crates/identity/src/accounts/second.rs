//! The second factor: an authenticator app and recovery codes. Each code counts once.

use crypto::{recovery, totp};
use kernel::{AuditEvent, Code, EventType, Fault, Result, Secret};
use store::{Template, User};
use unicode_normalization::UnicodeNormalization as _;

use super::Accounts;
use crate::policy::Least;
use crate::{AccountRead, AccountWrite, Context, May};

/// The name under which authenticator apps show the account.
const SERVER: &str = "Stoa";

/// An authenticator that is being enrolled.
#[derive(Debug)]
pub struct Enrolment {
    /// The secret in base32, to type in.
    pub secret: Secret<String>,
    /// The `otpauth:` address.
    pub address: Secret<String>,
    /// The address as a picture: one SVG element.
    pub picture: Secret<String>,
}

/// Recovery codes: shown once, usable once each.
#[derive(Debug)]
pub struct RecoveryCodes(pub Vec<Secret<String>>);

impl Accounts {
    /// Begins to enrol an authenticator. The password, unless the person has proven who they are within 15 minutes.
    /// `conflict` when one is enrolled.
    pub async fn begin_totp(
        &self,
        may: &May<AccountWrite>,
        password: Option<&Secret<String>>,
    ) -> Result<Enrolment> {
        let user = self.proven(may, password).await?;
        let secret = totp::generate(self.parts.ambient.random());
        self.parts.store.begin_totp(user.id, secret.clone()).await?;
        let label = if user.email.is_empty() { user.id.to_string() } else { user.email };
        let address = totp::uri(&secret, SERVER, &label);
        Ok(Enrolment { secret: totp::base32(&secret), picture: totp::qr_svg(&address)?, address })
    }

    /// Confirms the authenticator with its first code; from now on signing in with the password asks for one. Gives
    /// the recovery codes, this once.
    pub async fn confirm_totp(&self, may: &May<AccountWrite>, code: &str) -> Result<RecoveryCodes> {
        self.count_own(may).await?;
        let user = self.own(may).await?;
        let (secret, confirmed) = self
            .parts
            .store
            .totp_secret(user.id)
            .await?
            .ok_or_else(|| Fault::new(Code::Conflict).say("no authenticator is being enrolled"))?;
        if confirmed {
            return Err(Fault::new(Code::Conflict).say("an authenticator is enrolled already"));
        }
        let step = totp::verify(&secret, code, self.parts.ambient.now())
            .ok_or_else(|| Fault::invalid("code", "wrong", "this is not the code that the app shows now"))?;
        let (codes, digests) = self.recovery_codes()?;
        let event = changed(may, "totp enrolled");
        self.parts.store.confirm_totp(user.id, step, digests, vec![event]).await?;
        self.parts.identity.forget();
        self.tell(&user, Template::SignInMethodAdded, [("method", "an authenticator app")]).await;
        Ok(codes)
    }

    /// Removes the authenticator. The password must be long enough to stand alone then.
    pub async fn remove_totp(&self, may: &May<AccountWrite>, password: &Secret<String>) -> Result<()> {
        let user = self.confirm_password(may, password).await?;
        if user.has_password && password.expose().nfc().count() < Least::Alone.chars() {
            return Err(Fault::invalid(
                "password",
                "too_short",
                "without a second factor a password has at least 15 characters: choose a longer one first",
            ));
        }
        self.parts.store.remove_totp(user.id, vec![changed(may, "totp removed")]).await?;
        self.parts.identity.forget();
        Ok(())
    }

    /// Replaces all recovery codes.
    pub async fn regenerate_recovery(
        &self,
        may: &May<AccountWrite>,
        password: &Secret<String>,
    ) -> Result<RecoveryCodes> {
        let user = self.confirm_password(may, password).await?;
        let (codes, digests) = self.recovery_codes()?;
        let event = changed(may, "recovery codes replaced");
        self.parts.store.set_recovery_codes(user.id, digests, vec![event]).await?;
        Ok(codes)
    }

    /// How many recovery codes are left.
    pub async fn recovery_left(&self, may: &May<AccountRead>) -> Result<u32> {
        let user = may.who().user().ok_or(Code::Forbidden)?;
        self.parts.store.recovery_left(user).await
    }

    /// Which second factor this code is of, when it is one; it counts as used then.
    pub(super) async fn second_factor(
        &self,
        user: &User,
        code: &str,
        from: &Context,
    ) -> Result<Option<&'static str>> {
        let store = &self.parts.store;
        if let Some((secret, true)) = store.totp_secret(user.id).await?
            && let Some(step) = totp::verify(&secret, code, self.parts.ambient.now())
        {
            return Ok(store.use_totp_step(user.id, step).await?.then_some("totp"));
        }
        let Some(digest) = recovery::digest(code) else { return Ok(None) };
        let event = from
            .event(EventType::UserChanged, kernel::Subject::User(user.id))
            .to(format_args!("user:{}", user.id))
            .with("what", "recovery code used");
        Ok(store.use_recovery_code(user.id, &digest, vec![event]).await?.then_some("recovery"))
    }

    fn recovery_codes(&self) -> Result<(RecoveryCodes, Vec<String>)> {
        let codes = recovery::generate(self.parts.ambient.random());
        let digests: Option<Vec<String>> = codes.iter().map(|code| recovery::digest(code.expose())).collect();
        let digests =
            digests.ok_or_else(|| Fault::internal("a recovery code that was made has no digest"))?;
        Ok((RecoveryCodes(codes), digests))
    }
}

/// The event of a change that somebody makes to their own account.
pub(super) fn changed(may: &May<AccountWrite>, what: &str) -> AuditEvent {
    let owner = may.owner();
    AuditEvent::new(EventType::UserChanged, owner).from(may.who().address()).to(owner).with("what", what)
}
