//! Identities at other issuers that belong to accounts: found by a keyed tag of issuer and subject, never by an
//! address. It never verifies a token.

use std::sync::Arc;
use std::time::Duration;

use crypto::Place;
use kernel::{AuditEvent, Code, Fault, Result, Subject, Time, UserId};

use crate::account::expect;
use crate::data_key::{self, Refusal, SubjectKey};
use crate::epoch::{self, Scope};
use crate::tx::Tx;
use crate::value::values;
use crate::{NewUser, Store, User};

/// An identity at another issuer that belongs to an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkedIdentity {
    /// The issuer, as its tokens name it.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
    /// When it was linked.
    pub created_at: Time,
}

/// How long it is remembered that the account of an identity was erased: longer than any token lives that was issued
/// before.
const REMEMBERED: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// Stands before the tag of an identity whose account was erased. It is in no list, and tells nobody who it was.
const ERASED: &str = "erased:";

/// Remembers the identities of an account that is being erased: their issuers' older tokens must not make a new one.
pub(crate) async fn remember_erased(tx: &mut Tx, user: &str, now: Time) -> Result<(), Refusal> {
    tx.run(
        "INSERT INTO tickets (digest, purpose, created_at, expires_at) \
         SELECT $1 || tag, 'spent', $2, $3 FROM user_identities WHERE user_id = $4 \
         ON CONFLICT (digest) DO UPDATE SET created_at = excluded.created_at, expires_at = excluded.expires_at",
        values![ERASED, now, now + REMEMBERED, user],
    )
    .await?;
    Ok(())
}

const fn place(tag: &str) -> Place<'_> {
    Place { table: "user_identities", column: "subject", row: tag }
}

/// An identity that is sealed and ready to be written.
struct SealedIdentity {
    tag: String,
    user: String,
    issuer: String,
    subject: Vec<u8>,
    now: Time,
}

impl SealedIdentity {
    async fn write(self, tx: &mut Tx) -> Result<(), Refusal> {
        tx.run(
            "INSERT INTO user_identities (tag, user_id, issuer, subject, created_at) VALUES ($1, $2, $3, $4, $5)",
            values![self.tag, self.user, self.issuer, self.subject, self.now],
        )
        .await?;
        epoch::bump(tx, Scope::Users).await
    }
}

/// Whose the identity with this tag is.
async fn holder(tx: &mut Tx, tag: &str) -> Result<Option<String>, Refusal> {
    let row = tx.one("SELECT user_id FROM user_identities WHERE tag = $1", values![tag]).await?;
    Ok(row.map(|row| row.text(0)).transpose()?)
}

impl Store {
    /// The tag of an identity. The length of the issuer comes first, so that no two pairs have one tag.
    async fn identity_tag(&self, issuer: &str, subject: &str) -> Result<String> {
        let pair = format!("identity\n{}\n{issuer}\n{subject}", issuer.len());
        Ok(self.secrets().await?.blind.tag(&pair))
    }

    fn seal_identity(&self, tag: &str, user: UserId, pair: (&str, &str), key: &SubjectKey) -> SealedIdentity {
        SealedIdentity {
            tag: tag.to_owned(),
            user: user.to_string(),
            issuer: pair.0.to_owned(),
            subject: key.seal(self, place(tag), pair.1.as_bytes()),
            now: self.inside.ambient.now(),
        }
    }

    /// The account that this identity belongs to.
    pub async fn identity(&self, issuer: &str, subject: &str) -> Result<Option<UserId>> {
        let tag = self.identity_tag(issuer, subject).await?;
        let sql = "SELECT user_id FROM user_identities WHERE tag = $1";
        let row = self.read("identity.get").await?.one(sql, values![tag]).await?;
        row.map(|row| UserId::parse(&row.text(0)?)).transpose()
    }

    /// When the account of this identity was erased; remembered for 31 days.
    pub async fn identity_erased(&self, issuer: &str, subject: &str) -> Result<Option<Time>> {
        let digest = format!("{ERASED}{}", self.identity_tag(issuer, subject).await?);
        let sql = "SELECT created_at FROM tickets WHERE digest = $1 AND expires_at > $2";
        let row = values![digest, self.inside.ambient.now()];
        let row = self.read("identity.erased").await?.one(sql, row).await?;
        row.map(|row| Ok(row.time(0)?)).transpose()
    }

    /// The identities of an account, oldest first.
    pub async fn identities(&self, user: UserId) -> Result<Vec<LinkedIdentity>> {
        let user = user.to_string();
        let sql = "SELECT i.tag, i.issuer, i.subject, i.created_at, k.wrapped FROM user_identities i \
                   JOIN data_keys k ON k.subject = 'user:' || i.user_id \
                   WHERE i.user_id = $1 ORDER BY i.created_at, i.tag";
        let rows = self.read("identity.list").await?.all(sql, values![user.as_str()]).await?;
        rows.iter()
            .map(|row| {
                let key = self.row_key(&user, &row.bytes(4)?)?;
                Ok(LinkedIdentity {
                    issuer: row.text(1)?,
                    subject: key.open_text(place(&row.text(0)?), &row.bytes(2)?)?,
                    created_at: row.time(3)?,
                })
            })
            .collect()
    }

    /// Links an identity to an account. `conflict` when it belongs to another; fine, and not audited again, when it
    /// is linked already.
    pub async fn link_identity(
        &self,
        user: UserId,
        issuer: &str,
        subject: &str,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let tag = self.identity_tag(issuer, subject).await?;
        self.with_subject_key(&Subject::User(user), |key: Arc<SubjectKey>| {
            let sealed = self.seal_identity(&tag, user, (issuer, subject), &key);
            let audit = audit.clone();
            self.write_sealed_alone("identity.link", Vec::new(), move |tx| {
                Box::pin(async move {
                    expect(tx, &sealed.user).await?;
                    match holder(tx, &sealed.tag).await? {
                        Some(holder) if holder == sealed.user => return Ok(()),
                        Some(_) => {
                            let taken =
                                Fault::new(Code::Conflict).say("This sign-in belongs to another account.");
                            return Err(taken.into());
                        }
                        None => {}
                    }
                    data_key::hold_one(tx, &key).await?;
                    sealed.write(tx).await?;
                    tx.events.extend(audit);
                    Ok(())
                })
            })
        })
        .await
    }

    /// Takes an identity from an account. `not_found` when it has no such.
    pub async fn unlink_identity(
        &self,
        user: UserId,
        issuer: &str,
        subject: &str,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let row = values![self.identity_tag(issuer, subject).await?, user.to_string()];
        self.write_alone("identity.unlink", audit, move |tx| {
            Box::pin(async move {
                if tx.run("DELETE FROM user_identities WHERE tag = $1 AND user_id = $2", row).await? == 0 {
                    return Err(Fault::new(Code::NotFound).into());
                }
                epoch::bump(tx, Scope::Users).await
            })
        })
        .await
    }

    /// The account of this identity; when there is none, `new` is made for it. Of any number of calls at once one
    /// makes it. An address that another account has is left out: the new account has none. The events are written
    /// only when an account was made.
    pub async fn provision(
        &self,
        new: NewUser,
        issuer: &str,
        subject: &str,
        audit: Vec<AuditEvent>,
    ) -> Result<User> {
        if let Some(known) = self.identity(issuer, subject).await? {
            return self.user(known).await;
        }
        let (tag, email_tag) = (self.identity_tag(issuer, subject).await?, self.email_tag(&new.email).await?);
        let holder = self
            .with_subject_key(&Subject::User(new.id), |key: Arc<SubjectKey>| {
                let mut user = self.seal_user(&new, email_tag.clone(), &key);
                let sealed = self.seal_identity(&tag, new.id, (issuer, subject), &key);
                let audit = audit.clone();
                self.write_sealed_alone("identity.provision", Vec::new(), move |tx| {
                    Box::pin(async move {
                        if let Some(holder) = holder(tx, &sealed.tag).await? {
                            return Ok(holder);
                        }
                        user.yield_address(tx).await?;
                        user.write(tx, &key).await?;
                        let made = sealed.user.clone();
                        sealed.write(tx).await?;
                        tx.events.extend(audit);
                        Ok(made)
                    })
                })
            })
            .await?;
        self.user(UserId::parse(&holder)?).await
    }
}
