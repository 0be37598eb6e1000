//! Files on their way out: to the trash, where they can be taken back one by one or together, or for good. With the
//! last file that has a content its bytes go, at once where that is possible and by `tending.rs` otherwise.

use std::time::Duration;

use identity::{FilesDelete, May};
use kernel::id::{BatchId, FileId};
use kernel::{EventType, Fault, Result};
use store::{File, Gone, Trashed};
use tokio::time::Instant;

use super::event;
use crate::Hall;

/// How many files one request may name.
const MOST: usize = 1_000;
/// How many files of the trash go in one transaction.
const STEP: u32 = 200;
/// An emptying that takes longer stops and says that there is more.
const PATIENCE: Duration = Duration::from_secs(15);

/// What went to the trash, or for good.
#[derive(Clone, Debug)]
pub enum Removed {
    /// To the trash, under this batch; each file with the batch it is in.
    Trashed(BatchId, Vec<Trashed>),
    /// For good.
    Destroyed(Vec<Gone>),
}

/// What an emptying of the trash took away.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Emptied {
    /// How many files.
    pub files: u64,
    /// Their sizes together.
    pub bytes: u64,
    /// What was freed: the sizes of contents that no file has any more.
    pub freed: u64,
    /// There is more: ask again.
    pub more: bool,
}

impl Hall {
    /// Throws files away, all of them or none: one operation, however many they are.
    pub async fn delete_files(
        &self,
        may: &May<FilesDelete>,
        ids: &[FileId],
        permanent: bool,
    ) -> Result<Removed> {
        if ids.is_empty() {
            return Err(Fault::invalid("file_ids", "missing", "name at least one file"));
        }
        if ids.len() > MOST {
            return Err(Fault::invalid(
                "file_ids",
                "too_many",
                format!("at most {MOST} files in one request"),
            ));
        }
        let (owner, apps) = (may.keeper(), self.rooms_of(may));
        let audit = event(may, EventType::FileDeleted).with("permanent", permanent);
        let removed = if permanent {
            let gone = self.rooms.store.destroy_files(&owner, &apps, ids, audit).await?;
            self.discard(gone.iter().filter_map(|gone| gone.blob.clone()).collect()).await;
            Removed::Destroyed(gone)
        } else {
            let batch = BatchId::new(&self.rooms.ambient);
            Removed::Trashed(batch, self.rooms.store.trash_files(&owner, &apps, ids, batch, audit).await?)
        };
        tracing::info!(files = ids.len(), permanent, "files deleted");
        Ok(removed)
    }

    /// A file of the caller's that has just gone to the trash.
    pub async fn trashed_file(&self, may: &May<FilesDelete>, id: FileId) -> Result<File> {
        self.rooms.store.file(&may.keeper(), id).await
    }

    /// Destroys everything in the caller's trash.
    pub async fn empty_trash(&self, may: &May<FilesDelete>) -> Result<Emptied> {
        let (owner, app) = (may.keeper(), &may.what().0);
        let audit = event(may, EventType::FileDeleted).with("permanent", true);
        let begun = Instant::now();
        let mut emptied = Emptied::default();
        loop {
            let gone = self.rooms.store.empty_trash(&owner, app, STEP, audit.clone()).await?;
            emptied.files += gone.len() as u64;
            emptied.bytes += gone.iter().map(|gone| gone.size).sum::<u64>();
            emptied.freed +=
                gone.iter().filter(|gone| gone.blob.is_some()).map(|gone| gone.size).sum::<u64>();
            let last = gone.len() < usize::try_from(STEP).unwrap_or(usize::MAX);
            self.discard(gone.into_iter().filter_map(|gone| gone.blob).collect()).await;
            if last {
                tracing::info!(files = emptied.files, "trash emptied");
                return Ok(emptied);
            }
            if begun.elapsed() > PATIENCE {
                return Ok(Emptied { more: true, ..emptied });
            }
        }
    }

    /// Removes bytes that are noted for removal. What cannot be removed now stays noted and is tried again.
    pub(crate) async fn discard(&self, ids: Vec<String>) {
        let mut done = Vec::with_capacity(ids.len());
        for id in ids {
            match self.rooms.files.blobs.destroy(&id).await {
                Ok(()) => done.push(id),
                Err(fault) => tracing::warn!(cause = ?fault, "the bytes of a file could not be removed yet"),
            }
        }
        if let Err(fault) = self.rooms.store.removed(done).await {
            tracing::warn!(cause = ?fault, "that bytes are gone could not be noted yet");
        }
    }
}
