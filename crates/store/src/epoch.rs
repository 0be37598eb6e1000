//! Epochs: counters that move when something that other processes have cached is no longer true. A server polls
//! them with one cheap query. It also keeps the visitors that were revoked one by one.
//! It never decides what a moved epoch means.

use std::sync::atomic::Ordering;

use kernel::{AuditEvent, Fault, Result, Subject, Time};

use crate::Store;
use crate::data_key::Refusal;
use crate::tx::Tx;
use crate::value::values;

/// What has moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Everything: every session, token and cookie ends.
    Server,
    /// Every visitor's cookie ends.
    Visitors,
    /// The keys changed.
    Keys,
    /// The blocked networks changed.
    Blocks,
    /// Single subjects were revoked or erased.
    Subjects,
    /// An account, a grant or a session changed.
    Users,
    /// Every session from before ends.
    Sessions,
    /// Every token from before ends.
    Tokens,
    /// The brake was pulled or released.
    Lockdown,
    /// A document can be found, or can no more.
    Documents,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 10] = [
        Scope::Server,
        Scope::Visitors,
        Scope::Keys,
        Scope::Blocks,
        Scope::Subjects,
        Scope::Users,
        Scope::Sessions,
        Scope::Tokens,
        Scope::Lockdown,
        Scope::Documents,
    ];

    /// The scope as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scope::Server => "server",
            Scope::Visitors => "visitors",
            Scope::Keys => "keys",
            Scope::Blocks => "blocks",
            Scope::Subjects => "subjects",
            Scope::Users => "users",
            Scope::Sessions => "sessions",
            Scope::Tokens => "tokens",
            Scope::Lockdown => "lockdown",
            Scope::Documents => "documents",
        }
    }
}

/// The epochs: each only grows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Epochs {
    /// Of everything.
    pub server: i64,
    /// Of all visitors.
    pub visitors: i64,
    /// Of the keys.
    pub keys: i64,
    /// Of the blocked networks.
    pub blocks: i64,
    /// Of single subjects.
    pub subjects: i64,
    /// Of accounts, grants and sessions.
    pub users: i64,
    /// A floor: sessions from before this moment, in microseconds, have ended.
    pub sessions: i64,
    /// A floor: tokens from before this moment, in microseconds, have ended.
    pub tokens: i64,
    /// Of the brake.
    pub lockdown: i64,
    /// Of the documents of all apps.
    pub documents: i64,
}

/// Moves an epoch inside a job.
pub(crate) async fn bump(tx: &mut Tx, scope: Scope) -> Result<(), Refusal> {
    let sql = "UPDATE epochs SET value = value + 1 WHERE scope = $1";
    match tx.run(sql, values![scope.as_str()]).await? {
        1 => Ok(()),
        _ => Err(Fault::internal("an epoch is missing").into()),
    }
}

/// Moves a floor inside a job: it stays a counter that only grows, and is a moment as well.
pub(crate) async fn raise(tx: &mut Tx, scope: Scope, now: Time) -> Result<(), Refusal> {
    let sql = "UPDATE epochs SET value = CASE WHEN value < $2 THEN $2 ELSE value + 1 END WHERE scope = $1";
    match tx.run(sql, values![scope.as_str(), now]).await? {
        1 => Ok(()),
        _ => Err(Fault::internal("an epoch is missing").into()),
    }
}

impl Store {
    /// The epochs as they are committed. Cheap enough to be asked four times a second.
    pub async fn epochs(&self) -> Result<Epochs> {
        let rows = self.read("epoch.read").await?.all("SELECT scope, value FROM epochs", values![]).await?;
        let mut epochs = Epochs::default();
        for row in rows {
            let value = row.int(1)?;
            match row.text(0)?.as_str() {
                "server" => epochs.server = value,
                "visitors" => epochs.visitors = value,
                "keys" => epochs.keys = value,
                "blocks" => epochs.blocks = value,
                "subjects" => epochs.subjects = value,
                "users" => epochs.users = value,
                "sessions" => epochs.sessions = value,
                "tokens" => epochs.tokens = value,
                "lockdown" => epochs.lockdown = value,
                "documents" => epochs.documents = value,
                _ => {}
            }
        }
        // A subject that another process erased must not live on in this one's cache of data keys.
        if self.inside.subjects.swap(epochs.subjects, Ordering::Relaxed) != epochs.subjects {
            self.inside.data_keys.invalidate_all();
        }
        Ok(epochs)
    }

    /// Moves an epoch.
    pub async fn bump_epoch(&self, scope: Scope, audit: Vec<AuditEvent>) -> Result<()> {
        self.write_alone("epoch.bump", audit, move |tx| Box::pin(bump(tx, scope))).await
    }

    /// Moves an epoch that is a floor: what was issued before this moment is dead.
    pub async fn raise_floor(&self, scope: Scope, audit: Vec<AuditEvent>) -> Result<()> {
        let now = self.inside.ambient.now();
        self.write_alone("epoch.raise", audit, move |tx| Box::pin(raise(tx, scope, now))).await
    }

    /// Revokes everything that one subject holds from before this moment.
    pub async fn revoke_subject(&self, subject: &Subject, audit: Vec<AuditEvent>) -> Result<()> {
        let row = values![subject.to_string(), self.inside.ambient.now()];
        self.write_alone("subject.revoke", audit, move |tx| {
            Box::pin(async move {
                tx.run(
                    "INSERT INTO revoked_subjects (subject, revoked_at) VALUES ($1, $2) \
                     ON CONFLICT (subject) DO UPDATE SET revoked_at = excluded.revoked_at",
                    row,
                )
                .await?;
                bump(tx, Scope::Subjects).await
            })
        })
        .await
    }

    /// The subjects that were revoked at `since` or later, each with the moment.
    pub async fn revoked_subjects(&self, since: Time) -> Result<Vec<(Subject, Time)>> {
        let sql =
            "SELECT subject, revoked_at FROM revoked_subjects WHERE revoked_at >= $1 ORDER BY revoked_at";
        let rows = self.read("subject.revoked").await?.all(sql, values![since]).await?;
        rows.iter().map(|row| Ok((Subject::parse(&row.text(0)?)?, row.time(1)?))).collect()
    }

    /// Forgets revocations from before `time`: whatever they ended has expired by itself.
    pub async fn prune_revoked(&self, time: Time) -> Result<u64> {
        self.write_alone("subject.prune", Vec::new(), move |tx| {
            Box::pin(async move {
                Ok(tx.run("DELETE FROM revoked_subjects WHERE revoked_at < $1", values![time]).await?)
            })
        })
        .await
    }
}
