//! What is being written: a content that comes in pieces of any size is hashed, cut, sealed and written aside, with two
//! pieces of memory whatever its size. Dropped before it is whole, it leaves nothing.
//!
//! Each process writes into a folder of its own whose lock it holds; a folder whose lock is free belonged to a process
//! that is gone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crypto::stream::{CHUNK, Sealer};
use kernel::{Ambient, Fault, Result};
use rustix::fs::{FlockOperation, flock};

use super::folder::{blocking, make, sync};

/// How much is gathered before it is sealed and written.
const PIECE: usize = 4 * CHUNK;
const LOCK: &str = "lock";

/// The folder of this process.
pub(super) struct Lock {
    folder: PathBuf,
    /// Unlocked by the system when the process ends, however it ends.
    _file: File,
}

impl Lock {
    /// Sweeps away the folders of dead processes and makes one's own.
    pub(super) fn take(root: &Path, ambient: &Ambient) -> Result<Lock> {
        let aside = root.join("aside");
        make(&aside)?;
        sweep(&aside);
        // Whoever starts at the same moment may take a fresh folder for one of a dead process: then once more.
        for _ in 0..8 {
            let name: String = ambient.bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
            let folder = aside.join(name);
            make(&folder)?;
            let Ok(file) = lock_file(&folder) else { continue };
            let locked = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
            if locked && folder.join(LOCK).exists() {
                return Ok(Lock { folder, _file: file });
            }
        }
        Err(Fault::internal("the folder for files cannot be locked"))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // In order: nothing is being written any more. What is left all the same is swept by the next process.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn lock_file(folder: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(folder.join(LOCK))
}

/// Removes the folders that no living process holds. What cannot be removed is tried again at the next start.
fn sweep(aside: &Path) {
    let Ok(folders) = fs::read_dir(aside) else { return };
    for folder in folders.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
        // A folder whose lock file is not there yet belongs to a process that is starting now.
        let Ok(lock) = OpenOptions::new().write(true).open(folder.join(LOCK)) else { continue };
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            continue;
        }
        match fs::remove_dir_all(&folder) {
            Ok(()) => tracing::info!("what an earlier process was writing was removed"),
            Err(error) => tracing::warn!(%error, "what an earlier process was writing could not be removed"),
        }
    }
}

/// A content that is being written.
pub struct Aside {
    id: String,
    /// Lent to the thread that writes.
    /// In a box: ciphers and hash are kilobytes, and they go from thread to thread.
    writing: Option<Box<Writing>>,
    gathered: Vec<u8>,
    size: u64,
}

struct Writing {
    file: File,
    left: Leftover,
    sealer: Sealer,
    hasher: blake3::Hasher,
    sealed: Vec<u8>,
    written: u64,
}

/// Removes the file unless it has been taken away.
pub(super) struct Leftover(pub(super) PathBuf);

impl Drop for Leftover {
    fn drop(&mut self) {
        // It is gone when it has got its place.
        let _ = fs::remove_file(&self.0);
    }
}

impl Writing {
    /// Seals whole chunks; with `last`, the rest too.
    fn take(&mut self, plain: &[u8], last: bool) -> Result<()> {
        self.hasher.update(plain);
        self.sealed.clear();
        let mut rest = plain;
        while rest.len() > CHUNK || (last && !rest.is_empty()) {
            let (chunk, after) = rest.split_at(rest.len().min(CHUNK));
            self.sealer.seal(chunk, last && after.is_empty(), &mut self.sealed)?;
            rest = after;
        }
        if !rest.is_empty() {
            self.sealer.seal(rest, false, &mut self.sealed)?;
        }
        self.file.write_all(&self.sealed).map_err(broken)?;
        self.written += self.sealed.len() as u64;
        Ok(())
    }
}

impl Aside {
    pub(super) async fn begin(folder: &Path, id: &str, sealer: Sealer) -> Result<Aside> {
        let path = folder.join(id);
        let writing = blocking(move || {
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(broken)?;
            let left = Leftover(path);
            file.write_all(sealer.header()).map_err(broken)?;
            let written = sealer.header().len() as u64;
            let hasher = blake3::Hasher::new();
            Ok(Box::new(Writing { file, left, sealer, hasher, sealed: Vec::new(), written }))
        })
        .await?;
        Ok(Aside { id: id.to_owned(), writing: Some(writing), gathered: Vec::with_capacity(PIECE), size: 0 })
    }

    /// How many bytes have come.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The next bytes.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.size += bytes.len() as u64;
        while !bytes.is_empty() {
            // A piece is written only when more follows: the last one must be known as such.
            if self.gathered.len() == PIECE {
                let full = std::mem::replace(&mut self.gathered, Vec::with_capacity(PIECE));
                self.flush(full, false).await?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(PIECE - self.gathered.len()));
            self.gathered.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    async fn flush(&mut self, plain: Vec<u8>, last: bool) -> Result<()> {
        let mut writing =
            self.writing.take().ok_or_else(|| Fault::internal("a failed content was written on"))?;
        let writing = blocking(move || {
            writing.take(&plain, last)?;
            Ok(writing)
        })
        .await?;
        self.writing = Some(writing);
        Ok(())
    }

    /// All bytes have come: they are on the disk when this returns.
    pub async fn finish(mut self) -> Result<Staged> {
        let rest = std::mem::take(&mut self.gathered);
        if rest.is_empty() {
            // Only an empty content ends without a rest.
            let mut writing =
                self.writing.take().ok_or_else(|| Fault::internal("a failed content was ended"))?;
            let mut sealed = Vec::new();
            writing.sealer.seal(&[], true, &mut sealed)?;
            writing.written += sealed.len() as u64;
            self.writing = Some(
                blocking(move || writing.file.write_all(&sealed).map_err(broken).map(|()| writing)).await?,
            );
        } else {
            self.flush(rest, true).await?;
        }
        let writing = self.writing.take().ok_or_else(|| Fault::internal("a failed content was ended"))?;
        let (id, size) = (self.id, self.size);
        blocking(move || {
            writing.file.sync_all().map_err(broken)?;
            if let Some(folder) = writing.left.0.parent() {
                sync(folder)?;
            }
            let digest = *writing.hasher.finalize().as_bytes();
            Ok(Staged { id, left: writing.left, size, sealed: writing.written, digest })
        })
        .await
    }
}

/// A whole content that lies aside. Dropped, it is gone unless it has got its place.
pub struct Staged {
    id: String,
    left: Leftover,
    size: u64,
    sealed: u64,
    digest: [u8; 32],
}

impl Staged {
    /// The name that it will have.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How many bytes the content has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The BLAKE3 of the content.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Bytes that were sealed before. What they hold is not known here.
    pub(super) fn sealed_before(id: String, left: Leftover, sealed: u64) -> Staged {
        Staged { id, left, size: 0, sealed, digest: [0; 32] }
    }

    pub(super) fn path(&self) -> &Path {
        &self.left.0
    }

    /// How many bytes lie aside.
    pub(super) const fn sealed(&self) -> u64 {
        self.sealed
    }
}

/// What the disk says. A full one is a matter of the operator, and passes.
pub(super) fn broken(error: io::Error) -> Fault {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    let code = match error.kind() {
        StorageFull | QuotaExceeded => kernel::Code::Unavailable,
        _ => kernel::Code::Internal,
    };
    Fault::new(code).because(format!("the folder for files: {error}"))
}
