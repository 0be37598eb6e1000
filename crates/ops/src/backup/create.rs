//! Making an artefact: rows of one moment, then the contents of files, then the keyring, then the name. Until it has
//! its name there is nothing, and whatever fails leaves nothing.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use kernel::{Actor, AuditEvent, EventType, Fault, Result};
use store::{Piece, Snapshot};
use tokio::sync::mpsc;

use super::artefact::{Content, FORMAT, Files, Finished, Manifest, Pen, Reason};
use super::{Backups, Note, Progress, lease, status};

/// An artefact that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// How many bytes it has.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// How long it took.
    pub took: Duration,
    /// What it holds.
    pub manifest: Manifest,
    /// The bucket has it too.
    pub sent: bool,
}

/// What is written down, in order.
enum Ink {
    Table(String, Vec<String>),
    Rows(Vec<u8>),
    Subjects(Vec<(String, i64)>),
    File(String, u64),
    Data(Vec<u8>),
    End(Box<Manifest>),
}

fn write(mut pen: Pen, mut ink: mpsc::Receiver<Ink>) -> Result<Finished> {
    while let Some(ink) = ink.blocking_recv() {
        match ink {
            Ink::Table(name, columns) => pen.table(&name, &columns)?,
            Ink::Rows(rows) => pen.rows(&rows)?,
            Ink::Subjects(subjects) => pen.subjects(&subjects)?,
            Ink::File(id, size) => pen.file(&id, size)?,
            Ink::Data(bytes) => pen.data(&bytes)?,
            Ink::End(manifest) => return pen.finish(&manifest),
        }
    }
    Err(Fault::internal("a backup was given up"))
}

fn dry<T>(_: mpsc::error::SendError<T>) -> Fault {
    Fault::internal("a backup cannot be written")
}

impl Backups {
    /// Makes an artefact, in the folder and, where there is one, in the bucket. Its failure is an event in the audit
    /// log, which raises an alert.
    pub async fn create(&self, reason: Reason, actor: Actor, note: &Note) -> Result<Made> {
        tracing::info!(reason = reason.as_str(), "Starting database backup…");
        let outcome = match self.hold(lease::BACKUP).await {
            Ok(lease) => {
                let made = self.make(reason, note).await;
                lease.end().await;
                made
            }
            // Before the first migrations there are no leases, and nobody to share with.
            Err(_) if reason == Reason::BeforeMigration => self.make(reason, note).await,
            Err(fault) => Err(fault),
        };
        self.tell(reason, actor, &outcome).await;
        outcome
    }

    async fn tell(&self, reason: Reason, actor: Actor, outcome: &Result<Made>) {
        let told = match outcome {
            Ok(made) => {
                tracing::info!(
                    name = made.name,
                    bytes = made.bytes,
                    milliseconds = u64::try_from(made.took.as_millis()).unwrap_or(u64::MAX),
                    sha256 = made.sha256,
                    "Backup completed successfully"
                );
                let event = AuditEvent::new(EventType::BackupCreated, actor)
                    .with("name", made.name.as_str())
                    .with("reason", reason.as_str())
                    .with("bytes", made.bytes)
                    .with("milliseconds", u64::try_from(made.took.as_millis()).unwrap_or(u64::MAX))
                    .with("sha256", made.sha256.as_str())
                    .with("rows", made.manifest.rows())
                    .with("files", made.manifest.files.count);
                match reason.is_whole() {
                    true => status::remember_made(&self.0.store, made, event).await,
                    false => self.0.store.record(vec![event]).await,
                }
            }
            Err(fault) => {
                let cause = fault.cause().map(ToString::to_string).unwrap_or_default();
                tracing::error!(code = fault.code().as_str(), cause, "a backup failed");
                let event = AuditEvent::new(EventType::BackupFailed, actor)
                    .with("reason", reason.as_str())
                    .with("code", fault.code().as_str());
                status::remember_failed(&self.0.store, self.now(), fault, event).await
            }
        };
        if let Err(fault) = told
            && reason != Reason::BeforeMigration
        {
            tracing::warn!(?fault, "a backup could not be recorded");
        }
        self.look().await;
    }

    async fn make(&self, reason: Reason, note: &Note) -> Result<Made> {
        let (since, began_at) = (Instant::now(), self.now());
        // From before the snapshot on no bytes are removed, so that all it names are there when they are copied.
        let files = match reason.is_whole() {
            true => Some(self.hold(lease::FILES).await?),
            false => None,
        };
        let (folder, keyring, ambient) =
            (self.0.shelf.folder().to_owned(), self.0.keyring.clone(), self.0.ambient.clone());
        let pen = super::blocking(move || Pen::begin(&folder, &keyring, &ambient)).await?;
        let (sender, receiver) = mpsc::channel(8);
        let writing = tokio::task::spawn_blocking(move || write(pen, receiver));
        let dictated = Box::pin(self.dictate(reason, began_at, sender, note)).await;
        // What the disk said explains more than that nobody listened.
        let written = writing.await.map_err(Fault::internal)?;
        let (manifest, finished) = match (dictated, written) {
            (Ok(manifest), Ok(finished)) => (manifest, finished),
            (Err(fault), Err(other)) if other.cause().is_some_and(|c| c.to_string().contains("given up")) => {
                return Err(fault);
            }
            (_, Err(fault)) | (Err(fault), _) => return Err(fault),
        };
        if let Some(files) = files {
            files.end().await;
        }
        note(Progress::Phase("Keys"));
        self.renew_keys(true).await?;
        let (bytes, sha256) = (finished.bytes, finished.sha256.clone());
        let (name, path) = self.0.shelf.keep(finished, began_at).await?;
        note(Progress::Phase("Upload"));
        let sent = self.0.shelf.send(&name, &path).await?;
        Ok(Made { name, path, bytes, sha256, took: since.elapsed(), manifest, sent })
    }

    /// Reads everything and hands it to the pen.
    async fn dictate(
        &self,
        reason: Reason,
        began_at: kernel::Time,
        ink: mpsc::Sender<Ink>,
        note: &Note,
    ) -> Result<Manifest> {
        note(Progress::Phase("Database"));
        let snapshot = self.dictate_rows(&ink, note).await?;
        ink.send(Ink::Subjects(snapshot.subjects.clone())).await.map_err(dry)?;
        let mut content = Content::new();
        let files = match reason.is_whole() {
            true => self.dictate_files(&snapshot, &mut content, &ink, note).await?,
            false => Files::default(),
        };
        let manifest = Manifest {
            format: FORMAT,
            version: self.0.config.version.to_owned(),
            schema: snapshot.schema,
            engine: snapshot.engine.to_owned(),
            house: snapshot.house,
            reason,
            began_at,
            ended_at: self.now(),
            content: content.finish(&snapshot.tables),
            tables: snapshot.tables,
            subjects: snapshot.subjects.len() as u64,
            files,
            head: snapshot.head,
        };
        ink.send(Ink::End(Box::new(manifest.clone()))).await.map_err(dry)?;
        Ok(manifest)
    }

    async fn dictate_rows(&self, ink: &mpsc::Sender<Ink>, note: &Note) -> Result<Snapshot> {
        let (sender, mut pieces) = mpsc::channel(8);
        let store = self.0.store.clone();
        let reading = tokio::spawn(async move { store.snapshot(sender).await });
        let mut done = 0;
        while let Some(piece) = pieces.recv().await {
            let next = match piece {
                Piece::Table { name, columns } => Ink::Table(name, columns),
                Piece::Rows(rows) => {
                    done += rows.len() as u64;
                    note(Progress::Bytes(done, None));
                    Ink::Rows(rows)
                }
                Piece::End(_) => continue,
            };
            if ink.send(next).await.is_err() {
                // The reader notices that nobody takes the rows.
                drop(pieces);
                let _ = reading.await;
                return Err(Fault::internal("a backup cannot be written"));
            }
        }
        reading.await.map_err(Fault::internal)?
    }

    async fn dictate_files(
        &self,
        snapshot: &Snapshot,
        content: &mut Content,
        ink: &mpsc::Sender<Ink>,
        note: &Note,
    ) -> Result<Files> {
        note(Progress::Phase("Files"));
        let all: u64 = snapshot.blobs.iter().map(|(_, size)| *size).sum();
        let mut files = Files { included: true, ..Files::default() };
        for (id, size) in &snapshot.blobs {
            if !self.0.blobs.exists(id).await? {
                // The file cannot be read in the live server either: the other files are worth a backup.
                tracing::error!(id, "the bytes of a stored file are not there and not in the backup");
                files.missing += 1;
                continue;
            }
            let mut raw = self.0.blobs.raw(id, *size).await?;
            ink.send(Ink::File(id.clone(), raw.size())).await.map_err(dry)?;
            let mut hasher = blake3::Hasher::new();
            while let Some(bytes) = raw.next().await? {
                hasher.update(&bytes);
                files.bytes += bytes.len() as u64;
                note(Progress::Bytes(files.bytes, Some(all)));
                ink.send(Ink::Data(bytes)).await.map_err(dry)?;
            }
            files.count += 1;
            content.add_file(id, raw.size(), hasher.finalize().as_bytes());
        }
        Ok(files)
    }
}
