//! Trying an artefact out: every byte is authenticated, every hash followed, every row put into a database of its own
//! and read again. Nothing live is touched, and nothing stays of it unless somebody wants it.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kernel::{Ambient, Code, Fault, Result, Subject};
use rustix::fs::{FlockOperation, flock};
use store::{Database, Piece, Pool, Store, WrappedKey};
use tokio::sync::mpsc;

use super::artefact::{Content, Frame, Manifest, frames};
use super::keys::Keys;
use super::shelf::manifest_of;
use super::{Backups, Note, Progress, broken, make};

const LOCK: &str = "lock";

/// A folder for a while. Dropped, it is gone; that of a dead process is swept away by the next.
pub(super) struct Scratch {
    folder: PathBuf,
    _file: File,
}

impl Scratch {
    fn make(root: &Path, ambient: &Ambient) -> Result<Scratch> {
        make(root)?;
        sweep(root);
        let name: String = ambient.bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
        let folder = root.join(name);
        make(&folder)?;
        let path = folder.join(LOCK);
        let say = |error| broken(&path, error);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(say)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|error| say(error.into()))?;
        Ok(Scratch { folder, _file: file })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is swept away by the next one.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn sweep(root: &Path) {
    let Ok(entries) = fs::read_dir(root) else { return };
    for folder in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
        let Ok(lock) = OpenOptions::new().write(true).open(folder.join(LOCK)) else { continue };
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok()
            && fs::remove_dir_all(&folder).is_ok()
        {
            tracing::info!("what an earlier process tried out was removed");
        }
    }
}

/// An artefact that is what it says, in a database of its own.
pub(super) struct Attempt {
    pub(super) manifest: Manifest,
    pub(super) store: Store,
    /// The subjects that had a key, with its moment.
    pub(super) subjects: Vec<(String, i64)>,
    /// The BLAKE3 of the sealed bytes of every content.
    pub(super) contents: HashMap<String, [u8; 32]>,
}

/// The keys of the subjects of an artefact that still have one, and the subjects that were erased since.
pub(super) struct Shares {
    pub(super) keys: Vec<WrappedKey>,
    pub(super) erased: Vec<Subject>,
}

fn refused(say: impl std::fmt::Display) -> Fault {
    Fault::new(Code::InvalidInput).say(format!("The backup is refused: {say}."))
}

/// Follows the bytes of contents as they come.
#[derive(Default)]
struct Following {
    open: Option<(String, u64, u64, blake3::Hasher)>,
    hashes: HashMap<String, [u8; 32]>,
    count: u64,
    bytes: u64,
}

impl Following {
    fn begin(&mut self, id: String, size: u64, content: &mut Content) -> Result<()> {
        self.end(content)?;
        self.open = Some((id, size, 0, blake3::Hasher::new()));
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        let (_, _, come, hasher) = self.open.as_mut().ok_or_else(|| refused("bytes belong to no file"))?;
        hasher.update(bytes);
        *come += bytes.len() as u64;
        Ok(())
    }

    fn end(&mut self, content: &mut Content) -> Result<()> {
        let Some((id, size, come, hasher)) = self.open.take() else { return Ok(()) };
        if size != come {
            return Err(refused("a file in it is not whole"));
        }
        let hash = *hasher.finalize().as_bytes();
        content.add_file(&id, size, &hash);
        self.hashes.insert(id, hash);
        self.count += 1;
        self.bytes += size;
        Ok(())
    }
}

/// What was read besides rows.
struct Read {
    manifest: Manifest,
    subjects: Vec<(String, i64)>,
    contents: HashMap<String, [u8; 32]>,
}

/// Reads the whole artefact on a thread of its own and hands its rows out.
fn read(path: &Path, keyring: &crypto::Keyring, out: &mpsc::Sender<Piece>, note: &Note) -> Result<Read> {
    let (mut subjects, mut manifest) = (Vec::new(), None);
    let (mut content, mut following, mut done) = (Content::new(), Following::default(), 0);
    let send = |piece| {
        // The database has its own word on why it takes no more.
        out.blocking_send(piece).map_err(|_| Fault::internal("the rows of a backup are not taken"))
    };
    frames(path, keyring, &mut |frame| {
        match frame {
            Frame::Table(name, columns) => send(Piece::Table { name, columns })?,
            Frame::Rows(rows) => {
                done += rows.len() as u64;
                note(Progress::Bytes(done, None));
                send(Piece::Rows(rows))?;
            }
            Frame::Subjects(some) => subjects.extend(some),
            Frame::File(id, size) => following.begin(id, size, &mut content)?,
            Frame::Data(bytes) => {
                done += bytes.len() as u64;
                note(Progress::Bytes(done, None));
                following.data(&bytes)?;
            }
            Frame::Manifest(found) => {
                following.end(&mut content)?;
                manifest = Some(*found);
            }
        }
        Ok(())
    })?;
    let manifest = manifest.ok_or_else(|| refused("it is incomplete"))?;
    let files = &manifest.files;
    let whole = (following.count, following.bytes) == (files.count, files.bytes)
        && subjects.len() as u64 == manifest.subjects
        && content.finish(&manifest.tables) == manifest.content;
    if !whole {
        return Err(refused("what it holds is not what it says"));
    }
    // Only now may the rows be kept.
    send(Piece::End(manifest.tables.clone()))?;
    Ok(Read { manifest, subjects, contents: following.hashes })
}

impl Backups {
    pub(super) fn scratch(&self) -> Result<Scratch> {
        Scratch::make(&self.0.config.scratch, &self.0.ambient)
    }

    /// A new SQLite database of a copy.
    pub(super) async fn open_copy(&self, path: PathBuf) -> Result<Store> {
        let seconds = Duration::from_secs;
        let pool = Pool {
            size: 2,
            overflow: 0,
            wait: seconds(60),
            connect: seconds(30),
            idle: seconds(600),
            recycle: seconds(3_600),
        };
        // Copying is slow work: nobody needs to be told.
        let config = store::Config { database: Database::Sqlite { path }, pool, slow_query: seconds(3_600) };
        Store::open(config, self.0.keyring.clone(), self.0.ambient.clone()).await
    }

    /// Tries the artefact in this file out, in a new database under this path.
    pub(super) async fn try_out(&self, artefact: &Path, database: PathBuf, note: &Note) -> Result<Attempt> {
        let first = manifest_of(artefact, &self.0.keyring).await?;
        let newest = store::STEPS.last().map_or(0, |step| step.version);
        if first.schema > newest {
            return Err(refused(format!(
                "its schema is {}, and this version knows those up to {newest}; use version {} or a newer one",
                first.schema, first.version
            )));
        }
        note(Progress::Phase("Checking"));
        let store = self.open_copy(database).await?;
        let (sender, receiver) = mpsc::channel(8);
        let (path, keyring, note) = (artefact.to_owned(), self.0.keyring.clone(), note.clone());
        let reading = tokio::task::spawn_blocking(move || read(&path, &keyring, &sender, &note));
        let filled = store.fill_new(first.schema, receiver).await;
        let read = reading.await.map_err(Fault::internal)?;
        let outcome = match (read, filled) {
            (Ok(read), Ok(_)) => Ok(read),
            (Err(fault), Err(_)) if !fault.cause().is_some_and(|c| c.to_string().contains("not taken")) => {
                Err(fault)
            }
            (_, Err(fault)) | (Err(fault), _) => Err(fault),
        };
        let Read { manifest, subjects, contents } = match outcome {
            Ok(read) if read.manifest != first => {
                store.close().await;
                return Err(refused("it changed while it was read"));
            }
            Ok(read) => read,
            Err(fault) => {
                store.close().await;
                return Err(fault);
            }
        };
        // The store's own keys open with the master key, and are those of the database that the manifest names.
        let house = store.house().await;
        let opened = store.check_key().await;
        if !matches!(&house, Ok(Some(house)) if *house == manifest.house) || opened.is_err() {
            store.close().await;
            return Err(refused("its keys do not open with the encryption key"));
        }
        Ok(Attempt { manifest, store, subjects, contents })
    }

    /// Which keys the artefact's subjects still have. Without the keyring nobody can tell who was erased, so nothing is
    /// restored without it.
    pub(super) async fn shares(&self, attempt: &Attempt, keys: Option<Keys>) -> Result<Shares> {
        let manifest = &attempt.manifest;
        let keys: Vec<WrappedKey> = match keys {
            Some(keys) if keys.at >= manifest.began_at => keys.all().cloned().collect(),
            Some(_) => return Err(refused("the keyring beside it is older than the backup itself")),
            // The live database is where every keyring comes from.
            None if self.0.store.house().await.ok().flatten().as_ref() == Some(&manifest.house) => {
                self.0.store.wrapped_keys().await?
            }
            None => {
                return Err(refused(format!(
                    "its keyring is missing; put {} beside it, which lies where the backup was made",
                    Keys::name(&manifest.house)
                )));
            }
        };
        let mut lives: HashMap<(&str, i64), &WrappedKey> =
            keys.iter().map(|key| ((key.subject.as_str(), key.created_at), key)).collect();
        let mut shares = Shares { keys: Vec::new(), erased: Vec::new() };
        for (subject, created_at) in &attempt.subjects {
            match lives.remove(&(subject.as_str(), *created_at)) {
                Some(key) => {
                    self.0
                        .keyring
                        .unwrap(subject, &key.wrapped)
                        .map_err(|_| refused("a key in the keyring does not open with the encryption key"))?;
                    shares.keys.push(key.clone());
                }
                None => shares.erased.push(Subject::parse(subject)?),
            }
        }
        Ok(shares)
    }
}
