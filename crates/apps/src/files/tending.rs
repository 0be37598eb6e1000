//! What the file store does by itself: files whose time in the trash is over go for good, bytes that are noted for removal
//! are removed, and new contents are looked at. Small steps, each of which may be the last: the next round goes on.

use std::time::Duration;

use tokio::time::Instant;

use ::files::blob::Blobs;
use kernel::{Actor, AuditEvent, EventType, Result};
use store::Store;

use crate::Hall;

/// How many files of one owner go in one transaction.
const STEP: u32 = 100;
/// How many steps one round takes.
const ROUNDS: usize = 20;
/// For so long contents are looked at in one round; the one that is begun is ended.
const EXAMINING: Duration = Duration::from_secs(5);
/// The lease of a backup that copies contents (`ops::backup`).
const BACKUP: &str = "backup.files";
/// Bytes that cannot be removed are tried again this often at the least.
const SLOWEST: Duration = Duration::from_secs(6 * 60 * 60);

/// What a round has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tended {
    /// Files that went for good.
    pub expired: u64,
    /// Bytes of how many contents were removed.
    pub removed: u64,
    /// Of how many they could not be removed yet.
    pub postponed: u64,
    /// Contents that were looked at.
    pub examined: u64,
}

/// What is stored and what ought to be, compared.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reconciled {
    /// Stored bytes that no row knows: they can be removed.
    pub orphans: Vec<String>,
    /// Contents in use whose bytes are not there: those files cannot be read.
    pub missing: Vec<String>,
    /// How many contents were compared.
    pub seen: u64,
}

impl Hall {
    /// One round.
    pub async fn tend_files(&self) -> Result<Tended> {
        let mut tended = Tended::default();
        let over = self.rooms.ambient.now() - self.rooms.files.rules.trash;
        let audit = AuditEvent::new(EventType::FileDeleted, Actor::System)
            .with("permanent", true)
            .with("reason", "its time in the trash is over");
        for _ in 0..ROUNDS {
            let gone = self.rooms.store.expire_trash(over, STEP, audit.clone()).await?;
            if gone.is_empty() {
                break;
            }
            tended.expired += gone.len() as u64;
        }
        for _ in 0..ROUNDS {
            let due = self.rooms.store.due_removals(self.rooms.ambient.now(), STEP).await?;
            // A backup copies what it has named: until it has, nothing goes. Asked after what is due was read, so that
            // none of it was named by a backup that begins now.
            if due.is_empty() || self.rooms.store.is_leased(BACKUP).await? {
                break;
            }
            let mut done = Vec::with_capacity(due.len());
            for removal in due {
                match self.rooms.files.blobs.destroy(&removal.id).await {
                    Ok(()) => done.push(removal.id),
                    Err(fault) => {
                        let minutes = 1_u64 << removal.attempts.min(9);
                        let wait = Duration::from_secs(60 * minutes).min(SLOWEST);
                        tracing::warn!(cause = ?fault, "the bytes of a file could not be removed; tried again");
                        let at = self.rooms.ambient.now() + wait;
                        self.rooms.store.postpone_removal(&removal.id, at).await?;
                        tended.postponed += 1;
                    }
                }
            }
            tended.removed += done.len() as u64;
            self.rooms.store.removed(done).await?;
        }
        let begun = Instant::now();
        while begun.elapsed() < EXAMINING && !self.rooms.stop.is_cancelled() && self.examine().await? {
            tended.examined += 1;
        }
        Ok(tended)
    }

    /// Compares what is stored with the rows, both ways. Changes nothing. With millions of contents it takes minutes.
    pub async fn reconcile_files(&self) -> Result<Reconciled> {
        reconcile(&self.rooms.store, &self.rooms.files.blobs, u64::MAX).await
    }
}

/// Compares what is stored with the rows, both ways, up to about `most` contents each way. Changes nothing.
pub async fn reconcile(store: &Store, blobs: &Blobs, most: u64) -> Result<Reconciled> {
    let mut found = Reconciled::default();
    let mut after = None;
    while found.seen < most {
        // Listed first, asked afterwards: bytes are noted before they are stored, so what comes in between is known.
        let (names, next) = blobs.list(after).await?;
        let known = store.known_blobs(&names).await?;
        found.seen += names.len() as u64;
        found.orphans.extend(names.into_iter().filter(|name| !known.contains(name)));
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let mut after = String::new();
    let mut asked = 0;
    while asked < most {
        let rows = store.blobs_after(&after, STEP).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.id);
        asked += rows.len() as u64;
        for row in rows {
            let there = blobs.exists(&row.id).await?;
            if !there && store.known_blobs(std::slice::from_ref(&row.id)).await?.contains(&row.id) {
                found.missing.push(row.id);
            }
        }
    }
    Ok(found)
}
