//! Bringing an artefact back. First everything is checked, in a database of its own; then the live database takes it
//! over in one transaction, with what it had before kept as an artefact; then it is asked whether it is well, and if it is
//! not, what it had before comes back.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use files::blob::{Blobs, Keep};
use kernel::{Actor, AuditEvent, Code, EventType, Fault, Result, Time};
use store::{Plan, Store};
use tokio::sync::mpsc;

use super::artefact::{Frame, frames};
use super::attempt::{Attempt, Scratch, Shares};
use super::find::Found;
use super::{Backups, Manifest, Note, Progress, Reason, blocking, lease, make, silently};

/// An artefact that was checked from its first byte to its last and lies ready in a database of its own.
pub struct Prepared {
    attempt: Attempt,
    shares: Shares,
    file: PathBuf,
    name: String,
    /// The schema that the live database will have.
    schema: u32,
    /// Rows of subjects that were erased since the backup.
    erased_rows: u64,
    /// Removed in the end, the fetched file and the copy with it.
    _scratch: Scratch,
}

impl Prepared {
    /// What the artefact says about itself.
    pub const fn manifest(&self) -> &Manifest {
        &self.attempt.manifest
    }

    /// How many subjects were erased since the backup and stay so.
    pub const fn erased(&self) -> usize {
        self.shares.erased.len()
    }
}

/// What a restore did.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The artefact.
    pub name: String,
    /// What it held.
    pub manifest: Manifest,
    /// How many subjects were erased since and stayed so, and how many of their rows were left out.
    pub erased: u64,
    /// Rows of theirs.
    pub erased_rows: u64,
    /// How many contents of files were put back; those that were there still are not counted.
    pub files: u64,
    /// The artefact of what was there before; `None` where there was nothing.
    pub before: Option<String>,
    /// What was there before was of another database: running servers must be restarted.
    pub stranger: bool,
    /// How long it took.
    pub took: Duration,
}

impl Backups {
    /// Checks an artefact. `forward`: bring it to the schema of this version; else it keeps its own. `at`: make it what
    /// was there at that moment, with what the live database knows of the time between.
    pub async fn prepare(
        &self,
        found: &Found,
        forward: bool,
        at: Option<Time>,
        note: &Note,
    ) -> Result<Prepared> {
        // What was erased on the live server a moment ago must not come back.
        if self.0.store.house().await.ok().flatten().as_ref() == Some(&found.manifest.house)
            && let Err(fault) = self.renew_keys(false).await
        {
            tracing::warn!(?fault, "the keyring could not be brought up to date before a restore");
        }
        let scratch = self.scratch()?;
        let file = self.file_of(found, scratch.folder(), note).await?;
        let attempt = self.try_out(&file, scratch.folder().join("copy.db"), note).await?;
        match self.make_ready(found, &attempt, (forward, at), scratch.folder(), note).await {
            Ok((shares, schema, erased_rows)) => {
                let name = found.name().to_owned();
                Ok(Prepared { attempt, shares, file, name, schema, erased_rows, _scratch: scratch })
            }
            Err(fault) => {
                attempt.store.close().await;
                Err(fault)
            }
        }
    }

    async fn make_ready(
        &self,
        found: &Found,
        attempt: &Attempt,
        (forward, at): (bool, Option<Time>),
        scratch: &Path,
        note: &Note,
    ) -> Result<(Shares, u32, u64)> {
        note(Progress::Phase("Keys"));
        let keys = self.keys_for(found, &attempt.manifest).await?;
        let mut shares = self.shares(attempt, keys).await?;
        let mut schema = attempt.manifest.schema;
        if forward {
            attempt.store.migrate().await?;
            schema = store::STEPS.last().map_or(schema, |step| step.version);
        }
        if let Some(at) = at {
            note(Progress::Phase("Bringing to the moment"));
            self.take_to(attempt, &mut shares, at, scratch).await?;
        }
        // The keys go straight to where they are needed; the copy gets them only to be looked at.
        let keys = std::mem::take(&mut shares.keys);
        let erased_rows = attempt.store.settle(keys.clone(), shares.erased.clone()).await?;
        shares.keys = keys;
        Ok((shares, schema, erased_rows))
    }

    /// Takes a copy to a moment. A copy from before it needs the live database for what was written in between.
    async fn take_to(&self, attempt: &Attempt, shares: &mut Shares, at: Time, scratch: &Path) -> Result<()> {
        if at > self.now() {
            return Err(Fault::new(Code::InvalidInput).say("The time of --at lies in the future."));
        }
        if attempt.manifest.began_at > at {
            return attempt.store.as_of(None, at).await;
        }
        let live = &self.0.store;
        let newest = store::STEPS.last().map(|step| step.version);
        if live.house().await?.as_ref() != Some(&attempt.manifest.house)
            || live.schema_version().await? != newest
        {
            return Err(Fault::new(Code::Conflict).say(
                "Between the backup and the time of --at only the live database knows what was written, and it is \
                 not there, of another installation or of another version. Restore the backup without --at, or name \
                 one from after that time.",
            ));
        }
        let path = scratch.join("later.db");
        let later = self.open_copy(path.clone()).await?;
        let (sender, receiver) = mpsc::channel(8);
        let reading = {
            let live = live.clone();
            tokio::spawn(async move { live.snapshot(sender).await })
        };
        let filled = later.fill_new(newest.unwrap_or_default(), receiver).await;
        let read = reading.await.map_err(Fault::internal)?;
        later.close().await;
        filled?;
        read?;
        attempt.store.as_of(Some(&path), at).await?;
        // Who came in between has a key in the live database.
        let known: HashSet<String> = shares.keys.iter().map(|key| key.subject.clone()).collect();
        let keys = live.wrapped_keys().await?;
        let came =
            keys.into_iter().filter(|key| key.created_at <= at.micros() && !known.contains(&key.subject));
        shares.keys.extend(came);
        Ok(())
    }

    /// What is there now, as an artefact to go back from.
    pub async fn present(&self) -> Result<Found> {
        let made = self.create(Reason::BeforeRestore, Actor::System, &silently()).await?;
        self.find(&made.name).await
    }

    /// Puts what was prepared into a new folder: a database and files, for a server of its own.
    pub async fn stage(&self, prepared: Prepared, into: PathBuf, note: &Note) -> Result<Restored> {
        let since = Instant::now();
        let folder = into.clone();
        blocking(move || {
            make(&folder)?;
            match std::fs::read_dir(&folder).map(|mut entries| entries.next().is_none()) {
                Ok(true) => Ok(()),
                _ => Err(Fault::new(Code::Conflict)
                    .say("The folder for the copy is not empty; name one that is new or empty.")),
            }
        })
        .await?;
        note(Progress::Phase("Database"));
        let copy = self.open_copy(into.join("stoa.db")).await?;
        let placed = self.pour(&prepared, &copy).await;
        copy.close().await;
        placed?;
        let files = files::blob::Config { folder: into.join("files"), keep: Keep::Folder };
        let blobs = Blobs::open(&files, &self.0.client, &self.0.aws, &self.0.ambient)?;
        let count = self.put_files(&prepared, &blobs, note).await?;
        self.finished(prepared, count, None, true, since).await
    }

    /// Replaces the live data with what was prepared. `check` asks the live database whether it is well.
    pub async fn restore(
        &self,
        prepared: Prepared,
        actor: Actor,
        check: impl AsyncFn(&Store) -> Result<()>,
        note: &Note,
    ) -> Result<Restored> {
        let since = Instant::now();
        note(Progress::Phase("Safety copy"));
        let present = self.0.store.house().await?;
        let before = match present {
            // The schema may be another's; what is there is kept as it is.
            Some(_) => Some(self.create(Reason::BeforeRestore, actor, &silently()).await?),
            None => None,
        };
        let house = prepared.attempt.manifest.house.clone();
        let stranger = present.is_some() && present.as_ref() != Some(&house);
        let lease = match self.0.store.schema_version().await? {
            Some(_) => self.hold(lease::BACKUP).await.ok(),
            None => None,
        };
        let tending = match &lease {
            Some(_) => self.hold(lease::FILES).await.ok(),
            None => None,
        };
        if let Some(keys) = self.keys(&house, None).await? {
            self.park_keys(&house, keys).await?;
        }
        let files = self.put_files(&prepared, &self.0.blobs, note).await?;
        note(Progress::Phase("Database"));
        self.pour_live(&prepared, actor).await?;
        note(Progress::Phase("Health check"));
        if let Err(fault) = self.is_well(&prepared, check).await {
            return Err(self.go_back(before.as_ref().map(|made| made.name.as_str()), fault).await);
        }
        drop((lease, tending));
        if let Err(fault) = self.renew_keys(true).await {
            tracing::warn!(
                ?fault,
                "the keyring could not be written after a restore; the server does it later"
            );
        }
        self.look().await;
        self.finished(prepared, files, before.map(|made| made.name), stranger, since).await
    }

    async fn finished(
        &self,
        prepared: Prepared,
        files: u64,
        before: Option<String>,
        stranger: bool,
        since: Instant,
    ) -> Result<Restored> {
        prepared.attempt.store.close().await;
        tracing::info!(
            name = prepared.name,
            rows = prepared.attempt.manifest.rows(),
            "a backup was restored"
        );
        Ok(Restored {
            name: prepared.name.clone(),
            manifest: prepared.attempt.manifest.clone(),
            erased: prepared.shares.erased.len() as u64,
            erased_rows: prepared.erased_rows,
            files,
            before,
            stranger,
            took: since.elapsed(),
        })
    }

    /// The rows of the copy into the live database.
    async fn pour_live(&self, prepared: &Prepared, actor: Actor) -> Result<()> {
        let event = AuditEvent::new(EventType::BackupRestored, actor)
            .with("name", prepared.name.as_str())
            .with("began_at", prepared.attempt.manifest.began_at.rfc3339())
            .with("rows", prepared.attempt.manifest.rows())
            .with("erased_subjects", prepared.shares.erased.len() as u64);
        self.replace(&self.0.store, prepared, event).await
    }

    /// The rows of the copy into a new database.
    async fn pour(&self, prepared: &Prepared, into: &Store) -> Result<()> {
        let event = AuditEvent::new(EventType::BackupRestored, Actor::System)
            .with("name", prepared.name.as_str())
            .with("copy", true);
        self.replace(into, prepared, event).await
    }

    async fn replace(&self, into: &Store, prepared: &Prepared, event: AuditEvent) -> Result<()> {
        let (sender, receiver) = mpsc::channel(8);
        let copy = prepared.attempt.store.clone();
        let reading = tokio::spawn(async move { copy.snapshot(sender).await });
        let plan = Plan {
            schema: prepared.schema,
            house: prepared.attempt.manifest.house.clone(),
            head: prepared.attempt.manifest.head.clone(),
            keys: prepared.shares.keys.clone(),
            event,
        };
        let replaced = into.replace(receiver, plan).await;
        let read = reading.await.map_err(Fault::internal)?;
        replaced.and(read.map(drop))
    }

    /// Puts contents back where they are not, from an artefact whose every byte is authenticated once more.
    async fn put_files(&self, prepared: &Prepared, blobs: &Blobs, note: &Note) -> Result<u64> {
        let files = &prepared.attempt.manifest.files;
        if !files.included || files.count == 0 {
            return Ok(0);
        }
        note(Progress::Phase("Files"));
        let wanted = prepared.attempt.store.known_contents().await?;
        let (path, keyring) = (prepared.file.clone(), self.0.keyring.clone());
        let (sender, mut receiver) = mpsc::channel::<Frame>(8);
        let reading = tokio::task::spawn_blocking(move || {
            frames(&path, &keyring, &mut |frame| match frame {
                Frame::File(..) | Frame::Data(_) | Frame::Manifest(_) => {
                    sender.blocking_send(frame).map_err(|_| Fault::internal("files are not taken"))
                }
                _ => Ok(()),
            })
        });
        let (mut open, mut count, mut done) = (None, 0, 0);
        let mut outcome = Ok(());
        while let Some(frame) = receiver.recv().await {
            let step = async {
                match frame {
                    Frame::File(id, size) => {
                        count += finish(blobs, open.take()).await?;
                        // Contents of subjects that were erased since are nobody's.
                        let hash = prepared.attempt.contents.get(&id);
                        if wanted.contains(&id) && !same(blobs, &id, size, hash).await {
                            open = Some(blobs.import(&id).await?);
                        }
                    }
                    Frame::Data(bytes) => {
                        done += bytes.len() as u64;
                        note(Progress::Bytes(done, Some(files.bytes)));
                        if let Some(import) = open.take() {
                            open = Some(import.write(bytes).await?);
                        }
                    }
                    _ => count += finish(blobs, open.take()).await?,
                }
                Ok::<_, Fault>(())
            };
            outcome = step.await;
            if outcome.is_err() {
                break;
            }
        }
        drop(receiver);
        let read = reading.await.map_err(Fault::internal)?;
        outcome.and(read)?;
        Ok(count)
    }

    /// The live database says that it is well, and what was to be there is there.
    async fn is_well(&self, prepared: &Prepared, check: impl AsyncFn(&Store) -> Result<()>) -> Result<()> {
        // In its own connections, with the keys that are there now: those of this store may be of another database.
        let config = self.0.store.config().clone();
        let store = Store::open(config, self.0.keyring.clone(), self.0.ambient.clone()).await?;
        let asked = async {
            store.ping().await?;
            store.check_key().await?;
            if store.house().await?.as_ref() != Some(&prepared.attempt.manifest.house) {
                return Err(Fault::internal("the database is not the one that was restored"));
            }
            if store.schema_version().await? != Some(prepared.schema) {
                return Err(Fault::internal("the schema is not the one that was restored"));
            }
            check(&store).await
        };
        let outcome = asked.await;
        store.close().await;
        outcome
    }

    /// What was there before comes back. Gives the fault to be told.
    async fn go_back(&self, before: Option<&str>, fault: Fault) -> Fault {
        let cause = fault.cause().map(ToString::to_string).unwrap_or_default();
        tracing::error!(cause, "the health check after a restore failed; what was there before comes back");
        let Some(name) = before else {
            return Fault::internal(cause)
                .say("The health check after the restore failed, and there was nothing before.");
        };
        let undone = async {
            let found = self.find(name).await?;
            let prepared = self.prepare(&found, false, None, &silently()).await?;
            self.pour_live(&prepared, Actor::System).await?;
            prepared.attempt.store.close().await;
            Ok::<_, Fault>(())
        };
        match undone.await {
            Ok(()) => Fault::internal(cause)
                .say("The health check after the restore failed; what was there before is back."),
            Err(other) => Fault::internal(format!("{cause}; {other:?}")).say(format!(
                "The health check after the restore failed, and what was there before could not be brought back by \
                 itself; run `stoa restore {name}`."
            )),
        }
    }
}

/// Whether these bytes lie there already, unharmed.
async fn same(blobs: &Blobs, id: &str, sealed: u64, hash: Option<&[u8; 32]>) -> bool {
    let compare = async {
        let size = crypto::stream::plain_size(sealed).ok_or_else(|| Fault::internal("no sealed content"))?;
        if !blobs.exists(id).await? {
            return Ok(false);
        }
        let (mut raw, mut hasher) = (blobs.raw(id, size).await?, blake3::Hasher::new());
        while let Some(bytes) = raw.next().await? {
            hasher.update(&bytes);
        }
        Ok::<_, Fault>(Some(hasher.finalize().as_bytes()) == hash)
    };
    // What cannot be read is put there anew.
    compare.await.unwrap_or(false)
}

async fn finish(blobs: &Blobs, import: Option<files::blob::Import>) -> Result<u64> {
    let Some(import) = import else { return Ok(0) };
    blobs.keep(&import.finish().await?).await?;
    Ok(1)
}
