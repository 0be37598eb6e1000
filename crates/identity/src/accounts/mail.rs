//! Mails to the people who own accounts: what they say and when. They are put into the outbox, sealed; `ops` sends
//! them. Secrets stand behind the `#` of a link, which no browser sends and no log holds.

use std::collections::BTreeMap;
use std::time::Duration;

use crypto::token;
use kernel::{AuditEvent, EventType, Language, Result, Role, Secret, Subject, UserId};
use store::{Mail, NewParcel, NewTicket, Purpose, Template, User};

use super::Accounts;
use crate::Context;

/// How long links are valid.
pub(super) const SETUP: Duration = Duration::from_secs(30 * 60);
pub(super) const RESET: Duration = Duration::from_secs(30 * 60);
pub(super) const VERIFY: Duration = Duration::from_secs(24 * 60 * 60);
pub(super) const INVITE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Who gets a mail, and what they read.
pub(super) struct Reader<'r> {
    pub(super) user: Option<UserId>,
    pub(super) email: &'r str,
    pub(super) language: Option<Language>,
}

impl<'r> Reader<'r> {
    pub(super) fn of(user: &'r User) -> Reader<'r> {
        Reader { user: Some(user.id), email: &user.email, language: user.language }
    }
}

/// The account as it reads, which speaks the language of this request unless it has chosen one.
pub(super) fn reading(user: User, from: &Context) -> User {
    User { language: user.language.or(from.language), ..user }
}

impl Accounts {
    /// A new ticket: its secret. Earlier ones of the same purpose and account are void.
    pub(super) async fn ticket(
        &self,
        purpose: Purpose,
        user: Option<UserId>,
        email: &str,
        role: Option<Role>,
        valid: Duration,
        audit: Vec<AuditEvent>,
    ) -> Result<Secret<String>> {
        let secret = token::random(self.parts.ambient.random());
        let new = NewTicket {
            digest: token::digest(secret.expose()),
            purpose,
            user,
            email: email.to_owned(),
            role,
            expires_at: self.parts.ambient.now() + valid,
        };
        self.parts.store.issue_ticket(new, true, audit).await?;
        Ok(secret)
    }

    /// Sends the link that proves an address.
    pub(super) async fn send_verification(&self, user: &User) {
        let sent = async {
            let ticket =
                self.ticket(Purpose::Verify, Some(user.id), &user.email, None, VERIFY, Vec::new()).await?;
            let link = link("/verify", &ticket, VERIFY);
            self.post(Reader::of(user), Template::VerifyAddress, link, VERIFY).await
        };
        lost(sent.await);
    }

    /// Sends the link that sets a new password.
    pub(super) async fn send_reset(&self, user: &User) {
        let sent = async {
            let event = AuditEvent::new(EventType::UserChanged, kernel::Actor::System)
                .to(Subject::User(user.id))
                .with("what", "password reset sent");
            let ticket =
                self.ticket(Purpose::Reset, Some(user.id), &user.email, None, RESET, vec![event]).await?;
            let link = link("/reset", &ticket, RESET);
            self.post(Reader::of(user), Template::ResetPassword, link, RESET).await
        };
        lost(sent.await);
    }

    /// Invites to an address, in the language of whoever invites; gives the secret of the link.
    pub(crate) async fn send_invitation(
        &self,
        email: &str,
        role: Role,
        language: Option<Language>,
        audit: Vec<AuditEvent>,
    ) -> Result<Secret<String>> {
        let ticket = self.ticket(Purpose::Invite, None, email, Some(role), INVITE, audit).await?;
        let to = Reader { user: None, email, language };
        lost(self.post(to, Template::Invitation, link("/sign-up", &ticket, INVITE), INVITE).await);
        Ok(ticket)
    }

    /// Tells somebody about their account.
    pub(super) async fn tell<const N: usize>(
        &self,
        user: &User,
        template: Template,
        values: [(&str, &str); N],
    ) {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        // What happened stays worth knowing for a week.
        lost(self.post(Reader::of(user), template, values, INVITE).await);
    }

    pub(super) async fn post(
        &self,
        to: Reader<'_>,
        template: Template,
        values: BTreeMap<String, String>,
        valid: Duration,
    ) -> Result<()> {
        if !self.config.mail || to.email.is_empty() {
            return Ok(());
        }
        let until = Some(self.parts.ambient.now() + valid);
        let language = to.language.map(|language| language.tag().to_owned());
        let mail = Mail { to: to.email.to_owned(), template, values, until, language };
        self.parts.store.send(vec![NewParcel::mail(to.user, &mail)?]).await
    }
}

pub(super) fn link(page: &str, ticket: &Secret<String>, valid: Duration) -> BTreeMap<String, String> {
    let minutes = valid.as_secs() / 60;
    let span = match minutes {
        0..120 => format!("{minutes} minutes"),
        120..2_880 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    };
    BTreeMap::from([
        ("path".to_owned(), format!("{page}#token={}", ticket.expose())),
        ("valid".to_owned(), span),
    ])
}

/// A mail that could not be put into the outbox does not undo what it tells of.
pub(super) fn lost(sent: Result<()>) {
    if let Err(fault) = sent {
        tracing::error!(code = fault.code().as_str(), "a mail could not be put into the outbox");
    }
}
