//! Drills: an artefact is tried out as a restore would, brought forward to the present schema, compared, and forgotten
//! again. What came of it is remembered and audited.

use std::time::{Duration, Instant};

use kernel::{Actor, AuditEvent, Code, EventType, Fault, Result};

use super::attempt::Attempt;
use super::find::Found;
use super::{Backups, Manifest, Note, Progress, lease, status};

/// What a drill found.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Which artefact.
    pub name: String,
    /// What it holds.
    pub manifest: Manifest,
    /// How many rows were compared.
    pub rows: u64,
    /// How many contents of files were.
    pub files: u64,
    /// How many subjects were erased since and stay so.
    pub erased: u64,
    /// How long it took.
    pub took: Duration,
}

impl Backups {
    /// Tries an artefact out.
    pub async fn verify(&self, found: &Found, actor: Actor, note: &Note) -> Result<Verified> {
        let outcome = self.drill(found, note).await;
        let event = AuditEvent::new(EventType::BackupVerified, actor)
            .with("name", found.name())
            .with("passed", outcome.is_ok());
        let told =
            status::remember_verified(&self.0.store, found.name(), self.now(), outcome.as_ref().ok(), event)
                .await;
        if let Err(fault) = told {
            tracing::warn!(?fault, "a drill could not be recorded");
        }
        match &outcome {
            Ok(verified) => {
                tracing::info!(name = verified.name, rows = verified.rows, "a backup was verified")
            }
            Err(fault) => {
                let cause = fault.cause().map(ToString::to_string).unwrap_or_default();
                tracing::error!(name = found.name(), cause, "a backup did not pass its drill");
                // What cannot be restored is no backup: people must hear of it as of one that failed.
                let event = AuditEvent::new(EventType::BackupFailed, Actor::System)
                    .with("reason", "drill")
                    .with("name", found.name())
                    .with("code", fault.code().as_str());
                if let Err(fault) = self.0.store.record(vec![event]).await {
                    tracing::warn!(?fault, "a failed drill could not be recorded");
                }
            }
        }
        self.look().await;
        outcome
    }

    async fn drill(&self, found: &Found, note: &Note) -> Result<Verified> {
        let since = Instant::now();
        let scratch = self.scratch()?;
        let file = self.file_of(found, scratch.folder(), note).await?;
        let attempt = self.try_out(&file, scratch.folder().join("copy.db"), note).await?;
        let verified = self.compare(found, &attempt, since, note).await;
        attempt.store.close().await;
        verified
    }

    async fn compare(
        &self,
        found: &Found,
        attempt: &Attempt,
        since: Instant,
        note: &Note,
    ) -> Result<Verified> {
        note(Progress::Phase("Keys"));
        let keys = self.keys_for(found, &attempt.manifest).await?;
        let shares = self.shares(attempt, keys).await?;
        let erased = shares.erased.len() as u64;
        note(Progress::Phase("Restoring into scratch"));
        attempt.store.migrate().await?;
        attempt.store.settle(shares.keys, shares.erased).await?;
        if let Some(fault) = attempt.store.verify_audit().await?.fault {
            return Err(Fault::new(Code::InvalidInput)
                .say(format!("The audit log in the backup is not whole: {fault:?}.")));
        }
        let manifest = attempt.manifest.clone();
        Ok(Verified {
            name: found.name().to_owned(),
            rows: manifest.rows(),
            files: manifest.files.count,
            manifest,
            erased,
            took: since.elapsed(),
        })
    }

    /// Verifies the newest artefact.
    pub(super) async fn verify_newest(&self) -> Result<Option<Verified>> {
        let lease = self.hold(lease::BACKUP).await?;
        let listed = self.list().await?;
        let newest =
            listed.into_iter().find(|one| one.manifest.as_ref().is_some_and(|m| m.reason.is_whole()));
        let outcome = match newest.and_then(Found::listed) {
            Some(found) => self.verify(&found, Actor::System, &super::silently()).await.map(Some),
            None => Ok(None),
        };
        lease.end().await;
        outcome
    }
}
