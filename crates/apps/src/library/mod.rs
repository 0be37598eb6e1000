//! What apps answer from: documents are added, listed, read, removed and searched here, by people, by keys, by the
//! operator's commands and by the kinds of apps. The words of all documents lie in memory and follow the database, so
//! that what any process adds is found by all within a second. It never decides what is said with what was found.

mod add;
mod documents;
mod found;
mod meaning;
mod reading;
mod search;
mod shelves;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use kernel::{Ambient, AppKind, Code, Fault, Result};
use llm::Models;
use parking_lot::Mutex;
use store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use add::{Added, NewDocument, Offered};
pub use documents::Adder;
pub use found::{Found, SUPPORTED};
use meaning::Meaning;
pub use reading::{OpenAt, OpenDocument, meant};
use shelves::Shelves;

/// What the library keeps to.
#[derive(Clone, Debug)]
pub struct Config {
    /// The most bytes of one document.
    pub most_bytes: u64,
    /// The most documents of one app.
    pub most_documents: u64,
    /// The most bytes of all documents of one app.
    pub most_total: u64,
    /// The model that makes vectors; without one documents are found by their words alone.
    pub embedding_model: Option<String>,
}

impl Default for Config {
    fn default() -> Config {
        Config { most_bytes: 32 << 20, most_documents: 20_000, most_total: 4 << 30, embedding_model: None }
    }
}

/// The rooms that the library works with.
pub struct Parts {
    /// What it keeps to.
    pub config: Config,
    /// Rows.
    pub store: Store,
    /// Makes vectors.
    pub models: Models,
    /// Time and randomness.
    pub ambient: Ambient,
    /// Documents that are being written must end before the process does.
    pub tasks: TaskTracker,
    /// The name of this process, for jobs that one process at a time does.
    pub holder: String,
}

/// How well documents are found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LibraryState {
    /// All of them, in every way that is configured.
    Operational,
    /// By their words, and not all by their meaning; or not the newest.
    Degraded,
    /// None of them yet.
    Down,
}

/// The documents of all apps. Cheap to clone.
#[derive(Clone)]
pub struct Library(Arc<Inside>);

struct Inside {
    config: Config,
    store: Store,
    models: Models,
    ambient: Ambient,
    tasks: TaskTracker,
    holder: String,
    shelves: Shelves,
    meaning: Meaning,
    /// Files that are read at the same time: each may take as much memory as its budget allows.
    reading: Semaphore,
    /// Requests with files that are taken in at the same time: each lies in memory.
    taking: Arc<Semaphore>,
    /// The epoch that the index should have reached.
    wanted: watch::Sender<i64>,
    /// The index has been read once.
    loaded: watch::Sender<bool>,
    /// The epoch that it has reached.
    reached: AtomicI64,
    /// It could not follow the last time.
    behind: AtomicBool,
    /// Something was said in the log about it already.
    told: Mutex<bool>,
}

/// Files read at the same time.
const READING: usize = 2;
/// Requests with files taken in at the same time.
const TAKING: usize = 4;
/// After a failure the index is read again after this long.
const AGAIN: Duration = Duration::from_secs(1);
/// A search waits this long for the index to be read after the start.
const PATIENCE: Duration = Duration::from_secs(10);
/// A search waits this long for the index to follow another process.
const FOLLOW: Duration = Duration::from_secs(1);
/// A document that nobody has written to for this long belonged to a process that is gone.
const LEFT: Duration = Duration::from_secs(120);
/// How often leftovers are looked for.
const SETTLE: Duration = Duration::from_secs(30);
/// What is said of a document whose reading ended with its process.
const STOPPED: &str = "The server stopped while it read the file. Add it again.";

/// Whether apps of this kind answer from documents.
pub const fn takes_documents(kind: AppKind) -> bool {
    match kind {
        AppKind::Chat | AppKind::Support | AppKind::Tutor => true,
        AppKind::Files => false,
    }
}

impl Library {
    /// A library over these rooms. It finds nothing before [`Library::refresh`], or [`Library::run`] and
    /// [`Library::note`].
    pub fn new(parts: Parts) -> Library {
        let Parts { config, store, models, ambient, tasks, holder } = parts;
        Library(Arc::new(Inside {
            meaning: Meaning::new(config.embedding_model.clone()),
            config,
            store,
            models,
            ambient,
            tasks,
            holder,
            shelves: Shelves::default(),
            reading: Semaphore::new(READING),
            taking: Arc::new(Semaphore::new(TAKING)),
            wanted: watch::Sender::new(-1),
            loaded: watch::Sender::new(false),
            reached: AtomicI64::new(-1),
            behind: AtomicBool::new(false),
            told: Mutex::new(false),
        }))
    }

    /// The most bytes of one document.
    pub fn most_bytes(&self) -> u64 {
        self.0.config.most_bytes
    }

    /// The right to have the files of one request in memory; waits for it. Given back when it is dropped.
    pub async fn take(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.0.taking).acquire_owned().await.map_err(Fault::internal)
    }

    /// Says that the database is at this epoch of documents.
    pub fn note(&self, epoch: i64) {
        self.0.wanted.send_if_modified(|wanted| std::mem::replace(wanted, epoch) != epoch);
    }

    /// Follows the database, makes vectors and settles leftovers until `stop`.
    pub fn run(&self, stop: &CancellationToken) {
        let tasks = &self.0.tasks;
        tasks.spawn(self.clone().follow(stop.clone()));
        tasks.spawn(self.clone().settle(stop.clone()));
        if self.0.config.embedding_model.is_some() {
            tasks.spawn(self.clone().embed(stop.clone()));
        }
    }

    async fn follow(self, stop: CancellationToken) {
        let mut wanted = self.0.wanted.subscribe();
        loop {
            let epoch = *wanted.borrow_and_update();
            if epoch >= 0 && epoch != self.0.reached.load(Ordering::Relaxed) {
                let read = self.refresh_to(epoch).await;
                if !self.heard(read) {
                    if !pause(AGAIN, &stop).await {
                        return;
                    }
                    continue;
                }
            }
            tokio::select! {
                changed = wanted.changed() => if changed.is_err() { return },
                () = stop.cancelled() => return,
            }
        }
    }

    /// Takes note of whether the index followed; says so in the log when that changed.
    fn heard(&self, read: Result<()>) -> bool {
        self.0.behind.store(read.is_err(), Ordering::Relaxed);
        let mut told = self.0.told.lock();
        match read {
            Ok(()) => *told = false,
            Err(fault) => {
                if !*told {
                    let cause = fault.cause().map(ToString::to_string).unwrap_or_default();
                    let code = fault.code().as_str();
                    tracing::warn!(code, cause, "the index of documents cannot be read; it stays as it is");
                }
                *told = true;
            }
        }
        !*told
    }

    async fn settle(self, stop: CancellationToken) {
        loop {
            let before = self.0.ambient.now() - LEFT;
            match self.0.store.settle_documents(before, STOPPED).await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "documents of a process that is gone were settled"),
                Err(fault) => {
                    tracing::warn!(code = fault.code().as_str(), "documents could not be settled");
                }
            }
            if !pause(SETTLE, &stop).await {
                return;
            }
        }
    }

    /// Brings the index up to what the database holds now.
    pub async fn refresh(&self) -> Result<()> {
        let epoch = self.0.store.epochs().await?.documents;
        self.refresh_to(epoch).await
    }

    async fn refresh_to(&self, epoch: i64) -> Result<()> {
        self.0.shelves.refresh(&self.0.store, self.0.config.embedding_model.as_deref()).await?;
        self.0.reached.fetch_max(epoch, Ordering::Relaxed);
        // Who waits for the index to follow hears of every step.
        self.0.loaded.send_modify(|loaded| *loaded = true);
        Ok(())
    }

    /// What this process wrote it finds at once; a process that does not search does not follow.
    async fn catch_up(&self) {
        if *self.0.loaded.borrow() {
            let read = self.refresh().await;
            self.heard(read);
        }
    }

    /// Waits until the index was read once, and for a moment until it has followed what other processes changed.
    async fn ready(&self) -> Result<()> {
        let mut loaded = self.0.loaded.subscribe();
        if *loaded.borrow() {
            let wanted = *self.0.wanted.borrow();
            let followed = loaded.wait_for(|_| self.0.reached.load(Ordering::Relaxed) >= wanted);
            // Otherwise it answers from what it has.
            let _ = tokio::time::timeout(FOLLOW, followed).await;
            return Ok(());
        }
        match tokio::time::timeout(PATIENCE, loaded.wait_for(|loaded| *loaded)).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Fault::new(Code::Unavailable)
                .say("the documents are still being read")
                .retry_after(AGAIN)),
        }
    }

    /// How well documents are found now, as it was measured. While the index is read for the first time a search
    /// waits for it, so that nothing is wrong until reading it has failed.
    pub fn state(&self) -> LibraryState {
        let behind = self.0.behind.load(Ordering::Relaxed);
        match *self.0.loaded.borrow() {
            false if behind => LibraryState::Down,
            true if behind || self.0.meaning.lags() => LibraryState::Degraded,
            true | false => LibraryState::Operational,
        }
    }
}

/// Waits; `false` when the server stops.
async fn pause(span: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(span) => true,
        () = stop.cancelled() => false,
    }
}
