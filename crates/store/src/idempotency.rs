//! Idempotency keys: which request has run, and what was answered. Keys are stored as keyed tags, answers sealed.
//! It never runs a request.

use std::sync::Arc;
use std::time::Duration;

use crypto::Place;
use kernel::{Fault, Result, Subject, Time};

use crate::Store;
use crate::data_key::{self, Refusal, SubjectKey};
use crate::tx::Tx;
use crate::value::values;

/// A request that began this long ago and has not ended belonged to a process that is gone.
const ABANDONED: Duration = Duration::from_secs(300);

/// The answer to a request that has run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// The content type of the body.
    pub content_type: String,
}

/// What is known about a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Idempotent {
    /// Nothing: it is claimed now, run it.
    Fresh,
    /// It is running.
    Running,
    /// It has run.
    Done(StoredAnswer),
    /// Its key was used for another request.
    Conflict,
}

const fn place(tag: &str) -> Place<'_> {
    Place { table: "idempotency", column: "body", row: tag }
}

impl Store {
    async fn idempotency_tag(&self, owner: &Subject, key: &str) -> Result<String> {
        Ok(self.secrets().await?.blind.tag(&format!("idempotency\n{owner}\n{key}")))
    }

    /// Claims a key for a request, or says what became of the request that has it. `fingerprint` names the
    /// request (method, path, body); the claim and its answer are forgotten at `expires`.
    pub async fn begin_idempotent(
        &self,
        owner: &Subject,
        key: &str,
        fingerprint: &str,
        expires: Time,
    ) -> Result<Idempotent> {
        let tag = self.idempotency_tag(owner, key).await?;
        // Of the fingerprint only a keyed tag is kept: a plain hash of a short text could be guessed.
        let fingerprint = self.secrets().await?.blind.tag(&format!("fingerprint\n{fingerprint}"));
        let now = self.inside.ambient.now();
        let claim = Claim { tag: tag.clone(), owner: owner.to_string(), fingerprint, now, expires };
        let found = self.write("idempotency.begin", Vec::new(), move |tx| Box::pin(claim.make(tx))).await?;
        match found {
            Found::Fresh => Ok(Idempotent::Fresh),
            Found::Running => Ok(Idempotent::Running),
            Found::Conflict => Ok(Idempotent::Conflict),
            Found::Done { status, content_type, body } => {
                let body = self.opened(owner, |key| key.open(place(&tag), &body)).await?;
                let status =
                    u16::try_from(status).map_err(|_| Fault::internal("a stored status is out of range"))?;
                Ok(Idempotent::Done(StoredAnswer { status, body, content_type }))
            }
        }
    }

    /// Keeps the answer to a claimed request.
    pub async fn finish_idempotent(&self, owner: &Subject, key: &str, answer: StoredAnswer) -> Result<()> {
        let tag = self.idempotency_tag(owner, key).await?;
        self.with_subject_key(owner, |data_key: Arc<SubjectKey>| {
            let body = data_key.seal(self, place(&tag), &answer.body);
            let row = values![tag.as_str(), i64::from(answer.status), answer.content_type.as_str(), body];
            self.write_sealed("idempotency.finish", Vec::new(), move |tx| {
                Box::pin(async move {
                    data_key::hold_one(tx, &data_key).await?;
                    tx.run(
                        "UPDATE idempotency SET status = $2, content_type = $3, body = $4 WHERE tag = $1",
                        row,
                    )
                    .await?;
                    Ok(())
                })
            })
        })
        .await
    }

    /// Gives up the claim of a request that failed before it changed anything: it may be sent again.
    pub async fn release_idempotent(&self, owner: &Subject, key: &str) -> Result<()> {
        let row = values![self.idempotency_tag(owner, key).await?];
        self.write("idempotency.release", Vec::new(), move |tx| {
            Box::pin(async move {
                tx.run("DELETE FROM idempotency WHERE tag = $1 AND status IS NULL", row).await?;
                Ok(())
            })
        })
        .await
    }

    /// Forgets what has expired. Gives how many.
    pub async fn purge_idempotent(&self, now: Time) -> Result<u64> {
        self.write_alone("idempotency.purge", Vec::new(), move |tx| {
            Box::pin(async move {
                Ok(tx.run("DELETE FROM idempotency WHERE expires_at <= $1", values![now]).await?)
            })
        })
        .await
    }
}

enum Found {
    Fresh,
    Running,
    Conflict,
    Done { status: i64, content_type: String, body: Vec<u8> },
}

struct Claim {
    tag: String,
    owner: String,
    fingerprint: String,
    now: Time,
    expires: Time,
}

impl Claim {
    async fn make(self, tx: &mut Tx) -> Result<Found, Refusal> {
        let abandoned = self.now - ABANDONED;
        tx.run(
            "DELETE FROM idempotency WHERE tag = $1 AND (expires_at <= $2 OR (status IS NULL AND claimed_at <= $3))",
            values![self.tag.as_str(), self.now, abandoned],
        )
        .await?;
        let fresh = tx
            .run(
                "INSERT INTO idempotency (tag, owner, fingerprint, claimed_at, expires_at) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (tag) DO NOTHING",
                values![self.tag.as_str(), self.owner, self.fingerprint.as_str(), self.now, self.expires],
            )
            .await?;
        if fresh == 1 {
            return Ok(Found::Fresh);
        }
        let sql = "SELECT fingerprint, status, content_type, body FROM idempotency WHERE tag = $1";
        let Some(row) = tx.one(sql, values![self.tag]).await? else { return Ok(Found::Running) };
        if row.text(0)? != self.fingerprint {
            return Ok(Found::Conflict);
        }
        Ok(match (row.maybe_int(1)?, row.maybe_text(2)?, row.maybe_bytes(3)?) {
            (Some(status), Some(content_type), Some(body)) => Found::Done { status, content_type, body },
            _ => Found::Running,
        })
    }
}
