//! One's own account: who one is, one's name and password, and proving again who one is before a sensitive change.

use std::time::Duration;

use kernel::{Code, Fault, Language, Result, Secret};
use store::{Template, User};

use super::Accounts;
use super::second::changed;
use crate::policy::Least;
use crate::{AccountRead, AccountWrite, Context, May};

/// So long after proving who one is sensitive changes need no password (ASVS 7.5.1).
const PROVEN: Duration = Duration::from_secs(15 * 60);

/// The longest name, in characters.
const NAME: usize = 100;

impl Accounts {
    /// One's own account.
    pub async fn me(&self, may: &May<AccountRead>) -> Result<User> {
        self.parts.store.user(may.who().user().ok_or(Code::Forbidden)?).await
    }

    /// Changes one's name.
    pub async fn set_name(&self, may: &May<AccountWrite>, name: &str) -> Result<User> {
        let user = self.own(may).await?;
        self.parts.store.set_name(user.id, &checked_name(name)?, vec![changed(may, "name")]).await?;
        self.own(may).await
    }

    /// Changes the language in which one is spoken to, on every device and in mails; `None` leaves it to each browser.
    pub async fn set_language(&self, may: &May<AccountWrite>, language: Option<Language>) -> Result<User> {
        let user = self.own(may).await?;
        self.parts.store.set_language(user.id, language, vec![changed(may, "language")]).await?;
        self.parts.identity.forget();
        self.own(may).await
    }

    /// Changes one's password and ends every other session. `current` is needed where there is a password; where
    /// there is none, the person must have signed in within 15 minutes. With a second factor a code is needed too,
    /// unless the person has proven within 15 minutes who they are.
    pub async fn change_password(
        &self,
        may: &May<AccountWrite>,
        current: &Secret<String>,
        new: &Secret<String>,
        code: Option<&str>,
    ) -> Result<()> {
        let recent = self.is_recent(may);
        let user = match self.own(may).await? {
            user if user.has_password => self.confirm_password(may, current).await?,
            _ => self.proven(may, None).await?,
        };
        if user.totp_at.is_some() && !recent {
            let from = Context::new(may.who().address(), true);
            match code.map(str::trim).filter(|code| !code.is_empty()) {
                None => return Err(Fault::new(Code::SecondFactorRequired)),
                Some(code) if self.second_factor(&user, code, &from).await?.is_some() => {}
                Some(_) => return Err(wrong("code")),
            }
        }
        let hash = self.accept(new, &user).await?;
        let event = changed(may, "password");
        self.parts.store.set_password(user.id, hash, may.who().session(), vec![event]).await?;
        self.parts.identity.forget();
        self.tell(&user, Template::PasswordChanged, []).await;
        Ok(())
    }

    /// Proves again who one is, for the sensitive changes of the next 15 minutes.
    pub async fn prove(
        &self,
        may: &May<AccountWrite>,
        password: &Secret<String>,
        code: Option<&str>,
    ) -> Result<()> {
        let user = self.confirm_password(may, password).await?;
        if user.totp_at.is_some() {
            let from = Context::new(may.who().address(), true);
            match code.map(str::trim).filter(|code| !code.is_empty()) {
                None => return Err(Fault::new(Code::SecondFactorRequired)),
                Some(code) if self.second_factor(&user, code, &from).await?.is_some() => {}
                Some(_) => return Err(wrong("code")),
            }
        }
        if let Some(session) = may.who().session() {
            self.parts.store.prove_session(session).await?;
            self.parts.identity.forget();
        }
        Ok(())
    }

    /// The caller's account.
    pub(super) async fn own(&self, may: &May<AccountWrite>) -> Result<User> {
        self.parts.store.user(may.who().user().ok_or(Code::Forbidden)?).await
    }

    /// The caller's account, when this is its password.
    pub(super) async fn confirm_password(
        &self,
        may: &May<AccountWrite>,
        password: &Secret<String>,
    ) -> Result<User> {
        let user = self.own(may).await?;
        if !user.has_password {
            return if self.is_recent(may) { Ok(user) } else { Err(stale()) };
        }
        if password.expose().is_empty() {
            return Err(Fault::invalid("password", "missing", "your password is needed for this"));
        }
        self.count_own(may).await?;
        let stored = self.parts.store.password(user.id).await?;
        if self.parts.hasher.verify(password.clone(), stored).await?.is_right() {
            return Ok(user);
        }
        let from = Context::new(may.who().address(), true);
        // The session stands: what is wrong is the field, and a 401 would make clients sign out.
        self.failed(&from, "password", "wrong password", "", user.id).await;
        Err(wrong("password"))
    }

    /// The caller's account, when the person has proven within 15 minutes who they are, or does now.
    pub(super) async fn proven(
        &self,
        may: &May<AccountWrite>,
        password: Option<&Secret<String>>,
    ) -> Result<User> {
        if self.is_recent(may) {
            return self.own(may).await;
        }
        match password {
            Some(password) => self.confirm_password(may, password).await,
            None => Err(stale()),
        }
    }

    pub(super) fn is_recent(&self, may: &May<AccountWrite>) -> bool {
        let now = self.parts.ambient.now();
        may.who().proven_at().is_some_and(|at| now < at + PROVEN)
    }

    /// The hash of what may become the account's password; `invalid_input` when it may not.
    pub(super) async fn accept(&self, password: &Secret<String>, user: &User) -> Result<Secret<String>> {
        let least = if user.totp_at.is_some() { Least::WithSecondFactor } else { Least::Alone };
        self.parts.hasher.admit(password.clone(), &user.email, &user.name, least).await
    }
}

pub(super) fn stale() -> Fault {
    Fault::new(Code::Forbidden)
        .say("this needs a fresh proof of who you are: give your password, or sign in again")
}

/// A wrong secret of somebody who is signed in.
fn wrong(field: &'static str) -> Fault {
    Fault::invalid(field, "wrong", format!("the {field} is wrong"))
}

/// A name as it is kept: no blanks around, no control characters, not too long.
pub(super) fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.chars().count() > NAME {
        return Err(Fault::invalid("name", "too_long", "a name has at most 100 characters"));
    }
    if name.chars().any(char::is_control) {
        return Err(Fault::invalid("name", "invalid", "a name has no control characters"));
    }
    Ok(name.to_owned())
}
