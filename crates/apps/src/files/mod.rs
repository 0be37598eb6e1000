//! The file store: what a person keeps, in the apps of the kind `files`. A file is a label on a content; contents are
//! kept once for each owner (`store::blob`), sealed, in a folder or a bucket (`files::blob`).
//!
//! What the bytes are, where they lie and how they are found is decided below; here is who may, how much, and what is
//! written down.

mod declutter;
mod incoming;
mod reading;
mod removing;
mod tending;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use files::blob::Blobs;
use files::sniff::Allowed;
use identity::{FilesRead, FilesWrite, May, Principal};
use kernel::id::{BatchId, FileId};
use kernel::{AppId, AppKind, AuditEvent, Code, EventType, Fault, Page, PageRequest, Result};
use store::{File, FileFilter, FileUsage};

use crate::Hall;
use incoming::Incoming;

pub use declutter::{Applied, Declutter};
pub use reading::{Content, Part};
pub use removing::{Emptied, Removed};
pub use tending::{Reconciled, Tended, reconcile};
pub use upload::{Stored, Upload};

/// What may be kept, and for how long.
#[derive(Clone, Debug)]
pub struct FileRules {
    /// The most bytes of one file.
    pub most: u64,
    /// The most bytes of one owner, each content counted once, the trash included.
    pub quota: u64,
    /// Which files are taken.
    pub allowed: Arc<Allowed>,
    /// How long files stay in the trash.
    pub trash: Duration,
}

/// What the file store works with.
pub struct Shelves {
    pub(crate) blobs: Blobs,
    pub(crate) rules: FileRules,
    pub(crate) incoming: Incoming,
}

impl Shelves {
    /// Shelves over this place, with these rules.
    pub fn new(blobs: Blobs, rules: FileRules) -> Shelves {
        Shelves { blobs, rules, incoming: Incoming::default() }
    }
}

/// What an owner has, beside what it may have.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// What it has.
    pub has: FileUsage,
    /// The most bytes that its contents may take.
    pub quota: u64,
    /// The most bytes of one file.
    pub most: u64,
    /// How long files stay in the trash.
    pub trash: Duration,
}

impl Hall {
    /// The file store that is meant: the one that is named, else the first that the caller may enter, else the first.
    /// `not_found` when there is none.
    pub fn file_app(&self, who: &Principal, named: Option<AppId>) -> Result<AppId> {
        let apps = || self.rooms.catalog.iter().filter(|app| app.kind == AppKind::Files).map(|app| &app.id);
        let found = match named {
            Some(named) => apps().find(|id| **id == named),
            None => apps().find(|id| who.apps().contains(id)).or_else(|| apps().next()),
        };
        found.cloned().ok_or_else(|| Fault::new(Code::NotFound))
    }

    /// The caller's files, the newest first; those in the trash as they came there.
    pub async fn files(
        &self,
        may: &May<FilesRead>,
        trashed: bool,
        q: Option<String>,
        page: PageRequest,
    ) -> Result<Page<File>> {
        let filter = FileFilter { app: may.what().0.clone(), trashed, q };
        let found = self.rooms.store.files(&may.keeper(), filter, page).await?;
        self.rooms.audit.note(event(may, EventType::DataRead).with("what", "files"));
        Ok(found)
    }

    /// One of the caller's files, in the trash or not.
    pub async fn file(&self, may: &May<FilesRead>, id: FileId) -> Result<File> {
        let file = self.rooms.store.file(&may.keeper(), id).await?;
        may.inside(&file.app)?;
        Ok(file)
    }

    /// How much the caller has and may have.
    pub async fn file_usage(&self, may: &May<FilesRead>) -> Result<Usage> {
        let FileRules { most, quota, trash, .. } = self.rooms.files.rules;
        Ok(Usage { has: self.rooms.store.file_usage(&may.keeper()).await?, quota, most, trash })
    }

    /// What may be kept, and for how long.
    pub fn file_rules(&self) -> &FileRules {
        &self.rooms.files.rules
    }

    /// Takes a file out of the trash.
    pub async fn restore_file(&self, may: &May<FilesWrite>, id: FileId) -> Result<File> {
        let owner = may.keeper();
        may.inside(&self.rooms.store.file(&owner, id).await?.app)?;
        self.rooms
            .store
            .restore_file(&owner, id, event(may, EventType::DataWritten).with("what", "restore"))
            .await
    }

    /// Takes out of the trash everything that went there together.
    pub async fn restore_batch(&self, may: &May<FilesWrite>, batch: BatchId) -> Result<Vec<File>> {
        let event =
            event(may, EventType::DataWritten).with("what", "restore").with("batch", batch.to_string());
        self.rooms.store.restore_batch(&may.keeper(), &self.rooms_of(may), batch, event).await
    }

    /// The apps whose files the caller may touch.
    pub(crate) fn rooms_of<P>(&self, may: &May<P>) -> Vec<AppId> {
        let files = self.rooms.catalog.iter().filter(|app| app.kind == AppKind::Files).map(|app| &app.id);
        files.filter(|id| may.who().apps().contains(id)).cloned().collect()
    }
}

/// An event of the audit log by this caller.
pub(crate) fn event<P>(may: &May<P>, what: EventType) -> AuditEvent {
    AuditEvent::new(what, may.who().subject()).from(may.who().address())
}
