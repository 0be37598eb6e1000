//! A new password for somebody who has lost the old one: by a link that goes to the address of the account, and by
//! nothing else. The link's secret has 256 random bits, is stored as a digest, counts once and for half an hour.

use guard::limits::Claim;
use kernel::{EventType, Fault, Language, Result, Secret, Subject};
use store::{Purpose, Template, User};

use super::Accounts;
use crate::{Context, email};

impl Accounts {
    /// Sends a link to the owner of the address, if there is one. The answer comes before any of it is done, so it
    /// says nothing.
    pub async fn forgot(&self, email: &str, from: &Context) -> Result<()> {
        let address = email::normal(email)?;
        self.count_address(from).await?;
        if !self.config.mail {
            tracing::warn!("a password reset was asked for, and no mail is configured");
            return Ok(());
        }
        let (accounts, language) = (self.clone(), from.language);
        self.parts.tasks.spawn(async move { accounts.remind(&address, language).await });
        Ok(())
    }

    /// Sends the link, not more often to one address than people sign in: a mailbox must not be flooded either.
    async fn remind(&self, address: &str, asked_in: Option<Language>) {
        let tag = self.tag(address);
        let rules = &self.parts.limiter.rules().sign_in;
        let claim = Claim { scope: "password_reset", key: &tag, rules };
        if !self.parts.limiter.admit(&[claim]).await.allowed {
            return;
        }
        match self.parts.store.user_by_email(address).await {
            // Inactive ones too: whether an account is active is told to nobody, and the link lets nobody in.
            Ok(Some(user)) => {
                self.send_reset(&User { language: user.language.or(asked_in), ..user }).await;
            }
            Ok(None) => {}
            Err(fault) => tracing::error!(code = fault.code().as_str(), "a password reset was lost"),
        }
    }

    /// Sets a new password with the secret of a link, and ends every session. `invalid_input` for a link that is not
    /// valid (any more), or a password that may not be one.
    pub async fn reset(&self, token: &str, new: &Secret<String>, from: &Context) -> Result<()> {
        self.count_address(from).await?;
        let user = self.reset_for(token).await?;
        // Before the ticket is used up: a password that may not be one must not cost the link.
        let hash = self.accept(new, &user).await?;
        let ticket = self.take(token, Purpose::Reset).await?;
        if ticket.user != Some(user.id) {
            return Err(Fault::internal("a ticket changed its owner"));
        }
        let event = |what: &str| {
            from.event(EventType::UserChanged, Subject::User(user.id))
                .to(Subject::User(user.id))
                .with("what", what)
        };
        self.parts.store.set_password(user.id, hash, None, vec![event("password reset")]).await?;
        self.parts.identity.forget();
        if user.verified_at.is_none() {
            self.parts.store.verify_email(user.id, vec![event("address proven")]).await?;
        }
        self.tell(&user, Template::PasswordChanged, []).await;
        Ok(())
    }

    /// Whose the link is. It stays valid.
    async fn reset_for(&self, token: &str) -> Result<User> {
        let invalid = || Fault::invalid("token", "invalid", "this link is not valid, or not any more");
        let token = token.trim();
        if token.is_empty() {
            return Err(Fault::invalid("token", "missing", "the token is missing"));
        }
        let digest = crypto::token::digest(token);
        let ticket = self.parts.store.ticket(&digest, Purpose::Reset).await?.ok_or_else(invalid)?;
        let user = self.parts.store.user(ticket.user.ok_or_else(invalid)?).await?;
        // It went to the address of then.
        if user.email == ticket.email { Ok(user) } else { Err(invalid()) }
    }
}
