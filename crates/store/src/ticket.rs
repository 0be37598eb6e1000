//! Tickets: rights that are used once, known by the digest of a secret that went out by mail or on the operator's
//! terminal. It never sees the secret and never sends anything.

use std::sync::Arc;

use crypto::Place;
use kernel::{AuditEvent, Fault, Result, Role, Secret, Subject, Time, UserId};

use crate::Store;
use crate::account::expect;
use crate::data_key::{self, Refusal, SubjectKey};
use crate::tx::Tx;
use crate::value::{Row, values};

/// What a ticket is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Purpose {
    /// To claim a new server.
    Setup,
    /// To make an account.
    Invite,
    /// To set a new password.
    Reset,
    /// To prove an address.
    Verify,
    /// To take another address for an account.
    Change,
    /// To link an identity of another issuer.
    Link,
    /// No right at all: a challenge that has been answered, kept until its time is over so that it counts once.
    /// Issuing it a second time is a `conflict`.
    Spent,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Purpose; 7] = [
        Purpose::Setup,
        Purpose::Invite,
        Purpose::Reset,
        Purpose::Verify,
        Purpose::Change,
        Purpose::Link,
        Purpose::Spent,
    ];

    /// The purpose as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Purpose::Setup => "setup",
            Purpose::Invite => "invite",
            Purpose::Reset => "reset",
            Purpose::Verify => "verify",
            Purpose::Change => "change",
            Purpose::Link => "link",
            Purpose::Spent => "spent",
        }
    }
}

/// A ticket that is valid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ticket {
    /// What it is for.
    pub purpose: Purpose,
    /// Whose it is, when there is an account.
    pub user: Option<UserId>,
    /// The address it is about; empty for none.
    pub email: String,
    /// The role that it gives.
    pub role: Option<Role>,
    /// When it was issued.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
}

/// A ticket to be issued.
#[derive(Clone, Debug)]
pub struct NewTicket {
    /// The digest of the secret.
    pub digest: String,
    /// What it is for.
    pub purpose: Purpose,
    /// Whose it is, when there is an account.
    pub user: Option<UserId>,
    /// The address it is about, normalised; empty for none.
    pub email: String,
    /// The role that it gives.
    pub role: Option<Role>,
    /// When it ends.
    pub expires_at: Time,
}

const fn place(digest: &str) -> Place<'_> {
    Place { table: "tickets", column: "email", row: digest }
}

const VALID: &str = "SELECT t.digest, t.user_id, t.email, t.role, t.created_at, t.expires_at, k.wrapped \
                     FROM tickets t LEFT JOIN data_keys k ON k.subject = 'user:' || t.user_id \
                     WHERE t.digest = $1 AND t.purpose = $2 AND t.expires_at > $3";

/// A ticket that is sealed and ready to be written.
struct SealedTicket {
    new: NewTicket,
    email: Option<Vec<u8>>,
    email_tag: Option<String>,
    replace: bool,
    now: Time,
}

impl SealedTicket {
    async fn write(self, tx: &mut Tx) -> Result<(), Refusal> {
        let (user, purpose) = (self.new.user.map(|user| user.to_string()), self.new.purpose.as_str());
        if let Some(user) = &user {
            expect(tx, user).await?;
        }
        if self.replace {
            let (sql, row) = match (&user, &self.email_tag) {
                (Some(user), _) => (
                    "DELETE FROM tickets WHERE purpose = $1 AND user_id = $2",
                    values![purpose, user.as_str()],
                ),
                (None, Some(tag)) => (
                    "DELETE FROM tickets WHERE purpose = $1 AND user_id IS NULL AND email_tag = $2",
                    values![purpose, tag.as_str()],
                ),
                (None, None) => (
                    "DELETE FROM tickets WHERE purpose = $1 AND user_id IS NULL AND email_tag IS NULL",
                    values![purpose],
                ),
            };
            tx.run(sql, row).await?;
        }
        let row = values![
            self.new.digest,
            purpose,
            user,
            self.email,
            self.email_tag,
            self.new.role.map(Role::as_str),
            self.now,
            self.new.expires_at
        ];
        tx.run(
            "INSERT INTO tickets (digest, purpose, user_id, email, email_tag, role, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            row,
        )
        .await?;
        Ok(())
    }
}

impl Store {
    async fn read_ticket(&self, purpose: Purpose, row: &Row) -> Result<Ticket> {
        let (digest, user) = (row.text(0)?, row.maybe_text(1)?);
        let sealed = row.maybe_bytes(2)?;
        let email = match (sealed, &user, row.maybe_bytes(6)?) {
            (None, ..) => String::new(),
            (Some(sealed), Some(user), Some(wrapped)) => {
                self.row_key(user, &wrapped)?.open_text(place(&digest), &sealed)?
            }
            (Some(sealed), None, _) => {
                String::from_utf8(self.secrets().await?.open(place(&digest), &sealed)?)
                    .map_err(|_| Fault::internal("the address of a ticket is not UTF-8"))?
            }
            (Some(_), Some(_), None) => return Err(Fault::internal("an account has no data key")),
        };
        let role = row.maybe_text(3)?.map(|role| Role::parse(&role)).transpose();
        Ok(Ticket {
            purpose,
            user: user.map(|user| UserId::parse(&user)).transpose()?,
            email,
            role: role.map_err(|_| Fault::internal("a ticket has no known role"))?,
            created_at: row.time(4)?,
            expires_at: row.time(5)?,
        })
    }

    /// Issues a ticket. With `replace` the earlier ones of the same purpose for the same account (without one: for
    /// the same address, or for none) are void. `not_found` for an unknown account.
    pub async fn issue_ticket(&self, new: NewTicket, replace: bool, audit: Vec<AuditEvent>) -> Result<()> {
        let email_tag = self.email_tag(&new.email).await?;
        let now = self.inside.ambient.now();
        let sealed =
            |email| SealedTicket { new: new.clone(), email, email_tag: email_tag.clone(), replace, now };
        let place = place(&new.digest);
        let Some(user) = new.user else {
            let ambient = &self.inside.ambient;
            let email = match &email_tag {
                Some(_) => Some(self.secrets().await?.seal(place, new.email.as_bytes(), ambient)),
                None => None,
            };
            let ticket = sealed(email);
            return self.write_alone("ticket.issue", audit, move |tx| Box::pin(ticket.write(tx))).await;
        };
        self.with_subject_key(&Subject::User(user), |key: Arc<SubjectKey>| {
            let email = email_tag.as_ref().map(|_| key.seal(self, place, new.email.as_bytes()));
            let ticket = sealed(email);
            self.write_sealed_alone("ticket.issue", audit.clone(), move |tx| {
                Box::pin(async move {
                    ticket.write(tx).await?;
                    data_key::hold_one(tx, &key).await
                })
            })
        })
        .await
    }

    /// The secret of a ticket that every process on this database can offer, the same for the same period: nobody can
    /// compute it without the keys of the store, and it opens nothing until the ticket is issued.
    pub async fn common_secret(&self, purpose: Purpose, period: &str) -> Result<Secret<String>> {
        let tags = self.secrets().await?.blind.below(purpose.as_str(), period);
        Ok(Secret::new(format!("{}{}", tags.tag("first half"), tags.tag("second half"))))
    }

    /// The ticket with this digest and purpose, unless it has expired. It stays valid.
    pub async fn ticket(&self, digest: &str, purpose: Purpose) -> Result<Option<Ticket>> {
        let row = values![digest, purpose.as_str(), self.inside.ambient.now()];
        match self.read("ticket.get").await?.one(VALID, row).await? {
            Some(row) => self.read_ticket(purpose, &row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Takes the ticket with this digest and purpose, unless it has expired: of any number of calls one gets it.
    pub async fn take_ticket(&self, digest: &str, purpose: Purpose) -> Result<Option<Ticket>> {
        let row = values![digest, purpose.as_str(), self.inside.ambient.now()];
        // Guessing must not make everybody wait: what is not there is not looked for alone.
        if self.read("ticket.look").await?.one(VALID, row.clone()).await?.is_none() {
            return Ok(None);
        }
        let digest = digest.to_owned();
        let taken = self
            .write_alone("ticket.take", Vec::new(), move |tx| {
                Box::pin(async move {
                    let Some(row) = tx.one(VALID, row).await? else { return Ok(None) };
                    // The count of deleted rows decides who has it.
                    let deleted = tx.run("DELETE FROM tickets WHERE digest = $1", values![digest]).await?;
                    Ok((deleted == 1).then_some(row))
                })
            })
            .await?;
        match taken {
            Some(row) => self.read_ticket(purpose, &row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Voids all tickets of a purpose: those to claim the server, at each start. Gives how many.
    pub async fn void_tickets(&self, purpose: Purpose) -> Result<u64> {
        self.write_alone("ticket.void", Vec::new(), move |tx| {
            Box::pin(async move {
                Ok(tx.run("DELETE FROM tickets WHERE purpose = $1", values![purpose.as_str()]).await?)
            })
        })
        .await
    }

    /// Forgets tickets that had expired before `time`. Gives how many.
    pub async fn purge_tickets(&self, time: Time) -> Result<u64> {
        let sql = "SELECT digest FROM tickets WHERE expires_at < $1 LIMIT 1";
        // Most of the time there is nothing: asking takes no lock.
        if self.read("ticket.old").await?.one(sql, values![time]).await?.is_none() {
            return Ok(0);
        }
        self.write_alone("ticket.purge", Vec::new(), move |tx| {
            Box::pin(
                async move { Ok(tx.run("DELETE FROM tickets WHERE expires_at < $1", values![time]).await?) },
            )
        })
        .await
    }
}
