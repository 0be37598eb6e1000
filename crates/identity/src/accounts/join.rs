//! Joining: registration, proving an address, claiming a new server. An address has one account, however it is
//! written and however many people ask at once. Nobody learns from an answer whether an address has an account.

use crypto::token;
use kernel::{AuditEvent, Code, EventType, Fault, Result, Role, Secret, Subject, Time, UserId};
use store::{NewTicket, NewUser, Purpose, Template, Ticket, User};

use super::password::checked_name;
use super::{Accounts, Verified, mail};
use crate::policy::Least;
use crate::{Context, Registration, email};

impl Accounts {
    /// Makes an account, or tells the owner of the address by mail that there is one: the answer is the same.
    /// `forbidden` when nobody may register, `invalid_input` for what is wrong with the input itself.
    pub async fn register(
        &self,
        email: &str,
        password: &Secret<String>,
        name: &str,
        invitation: Option<&str>,
        from: &Context,
    ) -> Result<()> {
        let invitation = invitation.map(str::trim).filter(|text| !text.is_empty());
        match (self.config.registration, invitation) {
            (Registration::Off, _) => {
                return Err(Fault::new(Code::Forbidden).say("nobody can register here"));
            }
            (Registration::Invite, None) => {
                return Err(Fault::new(Code::Forbidden).say("registration needs an invitation"));
            }
            _ => {}
        }
        let address = email::normal(email)?;
        let name = checked_name(name)?;
        self.count_address(from).await?;
        let digest = invitation.map(token::digest);
        if let Some(digest) = &digest {
            // Looked at before the hash, which is dear; taken after it.
            let ticket = self.parts.store.ticket(digest, Purpose::Invite).await?;
            ticket.filter(|ticket| is_for(ticket, &address)).ok_or_else(no_invitation)?;
        }
        let hash = self.parts.hasher.admit(password.clone(), &address, &name, Least::Alone).await?;
        let taken = match &digest {
            Some(digest) => {
                let ticket = self.parts.store.take_ticket(digest, Purpose::Invite).await?;
                Some(ticket.ok_or_else(no_invitation)?)
            }
            None => None,
        };
        let id = UserId::new(&self.parts.ambient);
        let new = NewUser {
            id,
            email: address.clone(),
            name,
            role: taken.as_ref().and_then(|ticket| ticket.role).unwrap_or(Role::User),
            // The invitation went to this address and came back.
            verified: taken.as_ref().is_some_and(|ticket| ticket.email == address),
            password: Some(hash),
        };
        let event = from
            .event(EventType::UserChanged, Subject::User(id))
            .to(Subject::User(id))
            .with("what", "registered")
            .with("role", new.role.as_str())
            .with("account", self.tag(&address));
        match self.parts.store.create_user(new, vec![event]).await {
            Ok(user) => self.greet(mail::reading(user, from)),
            Err(fault) if fault.code() == Code::Conflict => self.exists(&address, from).await?,
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    /// The address has an account. Its owner is told by mail; the caller is not. As much is written as when an
    /// account is made, so that the time tells nothing either.
    async fn exists(&self, address: &str, from: &Context) -> Result<()> {
        let event = from
            .event(EventType::AuthFailure, kernel::Actor::Anonymous)
            .with("method", "register")
            .with("reason", "address taken")
            .with("account", self.tag(address));
        self.parts.store.record(vec![AuditEvent { severity: kernel::Severity::Low, ..event }]).await?;
        let Some(user) = self.parts.store.user_by_email(address).await? else { return Ok(()) };
        // Somebody else may have begun an account with this address and a password of theirs. Until it is proven,
        // whoever reads the mail chooses the password, and what was begun before is void (SAFETY V14).
        let what = if user.verified_at.is_none() { Welcome::Choose } else { Welcome::Exists };
        self.later(mail::reading(user, from), what);
        Ok(())
    }

    /// Remembers what a new account reads, and has its address proven. Not before the answer: how long that takes must not
    /// tell whether the address was free.
    fn greet(&self, user: User) {
        let accounts = self.clone();
        self.parts.tasks.spawn(async move {
            if user.language.is_some() {
                let kept = accounts.parts.store.set_language(user.id, user.language, Vec::new()).await;
                if let Err(fault) = kept {
                    tracing::warn!(
                        code = fault.code().as_str(),
                        "the language of a new account was not kept"
                    );
                }
            }
            if user.verified_at.is_none() {
                accounts.later(user, Welcome::Verify);
            }
        });
    }

    fn later(&self, user: User, what: Welcome) {
        if !self.config.mail {
            return;
        }
        let accounts = self.clone();
        self.parts.tasks.spawn(async move {
            match what {
                Welcome::Verify => accounts.send_verification(&user).await,
                Welcome::Choose => accounts.send_reset(&user).await,
                Welcome::Exists => {
                    accounts.tell(&user, Template::AccountExists, [("path", "/sign-in")]).await;
                }
            }
        });
    }

    /// Proves an address with the link that went there: the address of the account, or the one that it is to have
    /// from now on. `invalid_input` for a link that is not valid (any more).
    pub async fn verify(&self, token: &str, from: &Context) -> Result<()> {
        self.count_address(from).await?;
        let digest = token::digest(token.trim());
        if let Some(ticket) = self.parts.store.take_ticket(&digest, Purpose::Change).await? {
            return self.take_address(ticket, from).await;
        }
        let taken = self.take(token, Purpose::Verify).await?;
        let Ticket { user: Some(id), email, .. } = taken else { return Err(no_ticket()) };
        if self.parts.store.user(id).await?.email != email {
            return Err(no_ticket());
        }
        let event = from
            .event(EventType::UserChanged, Subject::User(id))
            .to(Subject::User(id))
            .with("what", "address proven");
        self.parts.store.verify_email(id, vec![event]).await
    }

    /// Takes a ticket; an empty one is none, whatever the database holds (SAFETY V11).
    pub(super) async fn take(&self, token: &str, purpose: Purpose) -> Result<Ticket> {
        let token = token.trim();
        if token.is_empty() {
            return Err(Fault::invalid("token", "missing", "the token is missing"));
        }
        self.parts.store.take_ticket(&token::digest(token), purpose).await?.ok_or_else(no_ticket)
    }

    /// Whether nobody runs the server yet.
    pub async fn setup_open(&self) -> Result<bool> {
        self.parts.store.count_users().await.map(|(_, admins)| admins == 0)
    }

    /// At the start: the set-up token, while nobody runs the server yet, and when it ends. Replicas that start together
    /// show the same one, so whichever log is read, it opens the door.
    pub async fn open_setup(&self) -> Result<Option<(Secret<String>, Time)>> {
        let store = &self.parts.store;
        if !self.setup_open().await? {
            store.void_tickets(Purpose::Setup).await?;
            return Ok(None);
        }
        let expires_at = self.parts.ambient.now() + mail::SETUP;
        let period = self.parts.ambient.now().seconds() / mail::SETUP.as_secs().cast_signed();
        let secret = store.common_secret(Purpose::Setup, &period.to_string()).await?;
        let digest = token::digest(secret.expose());
        let new = NewTicket {
            digest: digest.clone(),
            purpose: Purpose::Setup,
            user: None,
            email: String::new(),
            role: None,
            expires_at,
        };
        if let Some(ticket) = store.ticket(&digest, Purpose::Setup).await? {
            return Ok(Some((secret, ticket.expires_at)));
        }
        match store.issue_ticket(new, false, Vec::new()).await {
            // Another replica was faster by a moment.
            Err(fault) if fault.code() != Code::Conflict => Err(fault),
            _ => Ok(Some((secret, expires_at))),
        }
    }

    /// Claims a new server: makes its first admin. Of any number of claims one succeeds (SAFETY V10).
    pub async fn claim(
        &self,
        token: &str,
        email: &str,
        password: &Secret<String>,
        from: &Context,
    ) -> Result<Verified> {
        let token = token.trim();
        if token.is_empty() {
            return Err(Fault::invalid("token", "missing", "the token is missing"));
        }
        let address = email::normal(email)?;
        self.count_address(from).await?;
        let digest = token::digest(token);
        if self.parts.store.ticket(&digest, Purpose::Setup).await?.is_none() {
            return Err(self.no_claim(from).await);
        }
        let hash = self.parts.hasher.admit(password.clone(), &address, "", Least::Alone).await?;
        let id = UserId::new(&self.parts.ambient);
        let new = NewUser {
            id,
            email: address.clone(),
            name: String::new(),
            role: Role::Admin,
            verified: true,
            password: Some(hash),
        };
        let event = from
            .event(EventType::UserChanged, Subject::User(id))
            .to(Subject::User(id))
            .with("what", "server claimed")
            .with("role", Role::Admin.as_str())
            .with("account", self.tag(&address));
        match self.parts.store.claim_server(new, &digest, vec![event]).await {
            Ok(user) => {
                self.parts.identity.forget();
                Ok(Verified { user, method: "setup" })
            }
            Err(fault) if fault.code() == Code::NotFound => Err(self.no_claim(from).await),
            Err(fault) => Err(fault),
        }
    }

    async fn no_claim(&self, from: &Context) -> Fault {
        let event = from
            .event(EventType::AuthFailure, kernel::Actor::Anonymous)
            .with("method", "setup")
            .with("reason", "unknown set-up token");
        self.note(event).await;
        no_ticket()
    }
}

enum Welcome {
    Verify,
    Choose,
    Exists,
}

/// Whether an invitation is for this address; one without an address is for anybody.
fn is_for(ticket: &Ticket, address: &str) -> bool {
    ticket.email.is_empty() || ticket.email == address
}

fn no_invitation() -> Fault {
    Fault::invalid("invitation", "invalid", "this invitation is not valid, or not for this address")
}

pub(super) fn no_ticket() -> Fault {
    Fault::invalid("token", "invalid", "this token is not valid, or not any more")
}
