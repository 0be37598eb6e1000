//! Sealed bytes as they are, out and in again: what a backup copies. Nothing is opened on the way, so no key is needed.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use kernel::{Fault, Result};

use super::aside::{Leftover, Staged, broken};
use super::folder::{blocking, sync};
use super::s3::Reads;

/// How much is read at once.
const PIECE: u64 = 1 << 20;

/// The sealed bytes of a content, read from the beginning to the end.
pub struct Raw {
    from: From,
    at: u64,
    size: u64,
}

pub(super) enum From {
    File(Arc<File>),
    S3(Reads),
}

impl Raw {
    pub(super) const fn new(from: From, size: u64) -> Raw {
        Raw { from, at: 0, size }
    }

    /// How many bytes there are.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The next bytes; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let end = (self.at + PIECE).min(self.size);
        if self.at >= end {
            return Ok(None);
        }
        let (begin, length) = (self.at, usize::try_from(end - self.at).map_err(Fault::internal)?);
        let bytes = match &self.from {
            From::File(file) => {
                let file = Arc::clone(file);
                blocking(move || {
                    let mut bytes = vec![0; length];
                    file.read_exact_at(&mut bytes, begin).map_err(broken)?;
                    Ok(bytes)
                })
                .await?
            }
            From::S3(reads) => reads.read(begin..end).await?,
        };
        self.at = end;
        Ok(Some(bytes))
    }
}

/// Sealed bytes that come back. Dropped before they are whole, they leave nothing.
pub struct Import {
    id: String,
    file: File,
    left: Leftover,
    written: u64,
}

impl Import {
    pub(super) async fn begin(folder: &Path, id: &str) -> Result<Import> {
        let path = folder.join(id);
        let id = id.to_owned();
        blocking(move || {
            let file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(broken)?;
            Ok(Import { id, file, left: Leftover(path), written: 0 })
        })
        .await
    }

    /// The next bytes.
    pub async fn write(mut self, bytes: Vec<u8>) -> Result<Import> {
        blocking(move || {
            self.file.write_all(&bytes).map_err(broken)?;
            self.written += bytes.len() as u64;
            Ok(self)
        })
        .await
    }

    /// All bytes have come: they are on the disk when this returns, and get their place with `keep`.
    pub async fn finish(self) -> Result<Staged> {
        blocking(move || {
            self.file.sync_all().map_err(broken)?;
            if let Some(folder) = self.left.0.parent() {
                sync(folder)?;
            }
            Ok(Staged::sealed_before(self.id, self.left, self.written))
        })
        .await
    }
}
