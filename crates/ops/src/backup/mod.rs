//! Backups: consistent, sealed, complete, tried out, and brought back whole or not at all (docs/decisions/0014).
//!
//! An artefact is one sealed file with every row and every content of a moment. Data keys are not in it: they lie beside
//! the artefacts in a keyring that is always the latest, so that what was erased stays unreadable everywhere.
//! Nothing live is touched before an artefact has been read from its first byte to its last, tried out in a database of
//! its own and found to be what it says.

mod artefact;
mod attempt;
mod config;
mod create;
mod find;
mod job;
mod keys;
mod lease;
mod prune;
mod restore;
mod schedule;
mod shelf;
mod status;
mod upgrade;
mod verify;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crypto::Keyring;
use files::blob::{Blobs, Drawer};
use guard::outbound::Client;
use guard::outbound::aws::Aws;
use kernel::{Ambient, Code, Fault, Result, Time};
use store::Store;

pub use artefact::{Files, Manifest, Reason};
pub use config::Config;
pub use create::Made;
pub use find::Found;
pub use prune::Pruned;
pub use restore::{Prepared, Restored};
pub use schedule::Schedule;
pub use shelf::Listed;
pub use status::{Drill, Failed, Freshness, Last, Status};
pub use verify::Verified;

use keys::Keys;
use shelf::Shelf;

/// How far something has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// What is done now.
    Phase(&'static str),
    /// So many bytes are done; of so many in all, where that is known.
    Bytes(u64, Option<u64>),
}

/// Hears how far something has come.
pub type Note = Arc<dyn Fn(Progress) + Send + Sync>;

/// Hears nothing.
pub fn silently() -> Note {
    Arc::new(|_| {})
}

/// What backups are made with.
pub struct Parts {
    /// Where and when.
    pub config: Config,
    /// The live database.
    pub store: Store,
    /// The master keys.
    pub keyring: Keyring,
    /// The contents of files.
    pub blobs: Blobs,
    /// The way to a bucket.
    pub client: Client,
    /// Who this server is at Amazon Web Services.
    pub aws: Aws,
    /// Time and randomness.
    pub ambient: Ambient,
}

/// The backups of one deployment. Cheap to clone.
#[derive(Clone)]
pub struct Backups(Arc<Inner>);

struct Inner {
    config: Config,
    store: Store,
    keyring: Keyring,
    blobs: Blobs,
    client: Client,
    aws: Aws,
    ambient: Ambient,
    shelf: Shelf,
    /// Names this process.
    holder: String,
    known: Mutex<Status>,
}

impl Backups {
    /// Touches nothing yet.
    pub fn new(parts: Parts) -> Backups {
        let Parts { config, store, keyring, blobs, client, aws, ambient } = parts;
        let drawer = config.bucket.as_ref().map(|bucket| Drawer::new(bucket.clone(), &client, &aws));
        let shelf = Shelf::new(config.folder.clone(), drawer, keyring.clone());
        let mark: String = ambient.bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
        let holder = lease::name(&mark);
        let known = Mutex::new(Status { schedule: config.schedule.clone(), ..Status::default() });
        Backups(Arc::new(Inner { config, store, keyring, blobs, client, aws, ambient, shelf, holder, known }))
    }

    /// The artefacts in folder and bucket, the newest first.
    pub async fn list(&self) -> Result<Vec<Listed>> {
        self.0.shelf.list(false).await
    }

    /// The file that an artefact of this name has in the folder.
    pub fn file(&self, name: &str) -> Option<PathBuf> {
        self.0.shelf.file(name)
    }

    /// How the configuration says where artefacts lie.
    pub fn places(&self) -> (PathBuf, Option<String>) {
        let bucket = self.0.config.bucket.as_ref();
        let url = bucket.map(|bucket| format!("s3://{}/{}", bucket.name, bucket.prefix));
        (self.0.config.folder.clone(), url)
    }

    fn now(&self) -> Time {
        self.0.ambient.now()
    }

    /// The newest keyring of a database, from the folder, from `near` and from the bucket; `None` when there is none
    /// anywhere. One that is damaged counts only when no other can be read.
    async fn keys(&self, house: &str, near: Option<&Path>) -> Result<Option<Keys>> {
        let mut sealed = keys::near(self.0.config.folder.clone(), house).await?;
        if let Some(folder) = near {
            sealed.extend(keys::near(folder.to_owned(), house).await?);
        }
        if let Some(drawer) = &self.0.shelf.drawer {
            sealed.extend(sealed_keys(drawer, house).await?);
        }
        self.newest(house, sealed)
    }

    fn newest(&self, house: &str, sealed: Vec<Vec<u8>>) -> Result<Option<Keys>> {
        let (mut newest, mut broken) = (None::<Keys>, None);
        for sealed in sealed {
            match Keys::open(&self.0.keyring, house, &sealed) {
                Ok(keys) if newest.as_ref().is_none_or(|newest| newest.at < keys.at) => newest = Some(keys),
                Ok(_) => {}
                Err(fault) => broken = Some(fault),
            }
        }
        match (newest, broken) {
            (None, Some(fault)) => Err(fault),
            (newest, _) => Ok(newest),
        }
    }

    async fn write_keys(&self, keys: &Keys) -> Result<()> {
        let path = keys.write(&self.0.config.folder, &self.0.keyring, &self.0.ambient).await?;
        match &self.0.shelf.drawer {
            Some(drawer) => drawer.put(&path, &Keys::name(&keys.house)).await,
            None => Ok(()),
        }
    }

    /// Brings the keyring beside the artefacts up to date with the live database. After an erasure this takes the key
    /// out of every backup. Nothing happens when nothing was ever backed up, unless `anew`.
    pub async fn renew_keys(&self, anew: bool) -> Result<bool> {
        let Some(house) = self.0.store.house().await? else { return Ok(false) };
        let lease = self.hold(lease::KEYS).await?;
        let before = self.keys(&house, None).await?;
        if before.is_none() && !anew {
            return Ok(false);
        }
        // The epoch first: what is erased between the two moves it once more.
        let epoch = self.0.store.epochs().await?.subjects;
        let live = self.0.store.wrapped_keys().await?;
        let now = self.now();
        let before =
            before.unwrap_or_else(|| Keys { house, at: now, epoch, keys: Vec::new(), parked: Vec::new() });
        self.write_keys(&before.renewed(now, epoch, live, self.0.config.keep)).await?;
        lease.end().await;
        Ok(true)
    }

    /// Keeps every key of a database for its newer artefacts, before an older one is restored.
    async fn park_keys(&self, house: &str, known: Keys) -> Result<()> {
        // An empty database has no leases, and nobody who works on it.
        let lease = self.hold(lease::KEYS).await.ok();
        let keys = self.keys(house, None).await?.filter(|keys| keys.at >= known.at).unwrap_or(known);
        self.write_keys(&keys.all_parked(self.now())).await?;
        if let Some(lease) = lease {
            lease.end().await;
        }
        Ok(())
    }
}

/// The sealed keyring in a bucket.
async fn sealed_keys(drawer: &Drawer, house: &str) -> Result<Option<Vec<u8>>> {
    let name = Keys::name(house);
    match drawer.size(&name).await? {
        Some(size) => drawer.get(&name, 0..size, size).await.map(Some),
        None => Ok(None),
    }
}

/// Does something with the disk where it holds nobody up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Fault::internal)?
}

/// What the disk says. A full one is a matter of the operator, and passes.
fn broken(path: &Path, error: io::Error) -> Fault {
    use io::ErrorKind::{FileTooLarge, NotFound, QuotaExceeded, StorageFull};
    let code = match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => Code::Unavailable,
        NotFound => Code::NotFound,
        _ => Code::Internal,
    };
    Fault::new(code).because(format!("{}: {error}", path.display()))
}

/// Makes a folder that only its owner enters.
fn make(folder: &Path) -> Result<()> {
    artefact::make(folder)
}
