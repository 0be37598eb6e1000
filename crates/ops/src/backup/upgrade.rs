//! Bringing the schema up to date, with a snapshot of what was there before: what `stoa migrate up` and the start of a
//! server share. It never goes back by itself.

use kernel::{Actor, Fault, Result};
use store::{Migration, STEPS};

use super::{Backups, Listed, Reason, silently};

impl Backups {
    /// Applies the migrations that are missing; gives those, and the name of the snapshot from before, if there was
    /// anything to keep. Nothing is changed when the snapshot cannot be made.
    pub async fn upgrade(&self) -> Result<(Vec<Migration>, Option<String>)> {
        let store = &self.0.store;
        let present = store.schema_version().await?;
        let steps = match store.migrations().await {
            Ok(steps) => steps,
            Err(fault) => return Err(with_way_back(fault, present, self).await),
        };
        let missing = steps.iter().any(|step| step.applied_at.is_none());
        let mut snapshot = None;
        if missing && present.is_some() && store.house().await?.is_some() {
            let made =
                self.create(Reason::BeforeMigration, Actor::System, &silently()).await.map_err(|fault| {
                    let cause = fault.cause().map_or_else(|| fault.to_string(), ToString::to_string);
                    Fault::internal(cause).say(
                "The snapshot before the migration could not be made, so the schema was left as it is; give \
                 BACKUP_DIR room",
            )
                })?;
            snapshot = Some(made.name);
        }
        Ok((store.migrate().await?, snapshot))
    }
}

/// A refusal of a newer schema, with the command that brings back what this version can read.
async fn with_way_back(fault: Fault, present: Option<u32>, backups: &Backups) -> Fault {
    let newest = STEPS.last().map_or(0, |step| step.version);
    if present.is_none_or(|present| present <= newest) {
        return fault;
    }
    let known = match backups.list().await {
        Ok(listed) => listed,
        Err(_) => return fault,
    };
    // The snapshot from before the migration first, then whatever this version can read.
    let readable = |listed: &&Listed| listed.manifest.as_ref().is_some_and(|m| m.schema <= newest);
    let snapshot =
        |listed: &&Listed| listed.manifest.as_ref().is_some_and(|m| m.reason == Reason::BeforeMigration);
    let way = known.iter().filter(readable).find(snapshot).or_else(|| known.iter().find(readable));
    let sentence = match way {
        Some(listed) => {
            let file = backups.file(&listed.name).filter(|_| listed.local);
            let named = file.map_or_else(|| listed.name.clone(), |file| file.display().to_string());
            format!("{fault} To go back to what was there before, run `stoa restore {named}`.")
        }
        None => format!(
            "{fault} There is no backup in BACKUP_DIR that this version can read; with one, run `stoa restore ARTEFACT`."
        ),
    };
    Fault::internal("the schema of the database is newer than this program").say(sentence)
}
