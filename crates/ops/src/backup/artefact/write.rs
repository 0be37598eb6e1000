//! An artefact being written: aside, under a lock that ends with the process, until it is whole and on the disk.
//! Dropped before, it leaves nothing. Everything here works on a thread that may wait for the disk.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crypto::stream::{CHUNK, Sealer};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use kernel::{Ambient, Fault, Result};
use rustix::fs::{FlockOperation, flock};
use sha2::{Digest as _, Sha256};

use super::{DATA, FILE, FOOT, MAGIC, MANIFEST, Manifest, ROWS, SUBJECTS, TABLE, place};
use crate::backup::broken;

/// The folder of what is being written.
const ASIDE: &str = ".aside";

/// An artefact being written.
pub(crate) struct Pen {
    file: File,
    left: Leftover,
    sealer: Sealer,
    plain: Vec<u8>,
    sealed: Vec<u8>,
    sha: Sha256,
    written: u64,
}

/// A whole artefact that lies aside. Dropped, it is gone.
pub(crate) struct Finished {
    left: Leftover,
    /// Keeps the lock.
    _file: File,
    /// How many bytes it has.
    pub(crate) bytes: u64,
    /// The SHA-256 of the file, as `sha256sum` prints it.
    pub(crate) sha256: String,
}

impl Finished {
    pub(crate) fn path(&self) -> &Path {
        &self.left.0
    }
}

struct Leftover(PathBuf);

impl Drop for Leftover {
    fn drop(&mut self) {
        // What cannot be removed now is swept away by the next backup.
        let _ = fs::remove_file(&self.0);
    }
}

/// Makes a folder that only its owner enters.
pub(crate) fn make(folder: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| broken(folder, error))
}

/// Removes what dead processes left behind.
fn sweep(aside: &Path) {
    let Ok(entries) = fs::read_dir(aside) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let Ok(file) = OpenOptions::new().write(true).open(&path) else { continue };
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() && fs::remove_file(&path).is_ok() {
            tracing::info!("an unfinished backup of an earlier process was removed");
        }
    }
}

impl Pen {
    /// Begins an artefact aside in `folder`, sealed with the key in use.
    pub(crate) fn begin(folder: &Path, keyring: &crypto::Keyring, ambient: &Ambient) -> Result<Pen> {
        let aside = folder.join(ASIDE);
        make(&aside)?;
        sweep(&aside);
        let id: String = ambient.bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
        let prelude = format!("{MAGIC}id={id} key={}\n", keyring.fingerprint());
        let key = keyring.backup_keys().first().ok_or_else(|| Fault::internal("the keyring is empty"))?;
        let sealer = Sealer::new(key, place(&prelude), ambient.random());
        let path = aside.join(&id);
        let say = |error| broken(&path, error);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(say)?;
        let left = Leftover(path.clone());
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|error| say(error.into()))?;
        let header = *sealer.header();
        let mut pen =
            Pen { file, left, sealer, plain: Vec::new(), sealed: Vec::new(), sha: Sha256::new(), written: 0 };
        pen.put(prelude.as_bytes())?;
        pen.put(&header)?;
        Ok(pen)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| broken(&self.left.0, error))?;
        self.sha.update(bytes);
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Seals what has been gathered; the last chunk waits until it is known as such.
    fn flush(&mut self, last: bool) -> Result<()> {
        let plain = std::mem::take(&mut self.plain);
        let mut sealed = std::mem::take(&mut self.sealed);
        sealed.clear();
        let mut rest = plain.as_slice();
        while rest.len() > CHUNK || (last && !rest.is_empty()) {
            let (chunk, after) = rest.split_at(rest.len().min(CHUNK));
            self.sealer.seal(chunk, last && after.is_empty(), &mut sealed)?;
            rest = after;
        }
        self.plain = rest.to_vec();
        self.put(&sealed)?;
        self.sealed = sealed;
        Ok(())
    }

    fn frame(&mut self, tag: u8, payload: &[u8]) -> Result<()> {
        let length =
            u32::try_from(payload.len()).map_err(|_| Fault::internal("a piece of a backup is too long"))?;
        self.plain.push(tag);
        self.plain.extend_from_slice(&length.to_le_bytes());
        self.plain.extend_from_slice(payload);
        if self.plain.len() > 8 * CHUNK { self.flush(false) } else { Ok(()) }
    }

    fn deflated(&mut self, tag: u8, bytes: &[u8]) -> Result<()> {
        let mut encoder = DeflateEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::fast());
        encoder.write_all(bytes).map_err(Fault::internal)?;
        let deflated = encoder.finish().map_err(Fault::internal)?;
        self.frame(tag, &deflated)
    }

    /// The rows that follow belong to this table.
    pub(crate) fn table(&mut self, name: &str, columns: &[String]) -> Result<()> {
        self.frame(TABLE, &serde_json::to_vec(&(name, columns)).map_err(Fault::internal)?)
    }

    /// Rows.
    pub(crate) fn rows(&mut self, rows: &[u8]) -> Result<()> {
        self.deflated(ROWS, rows)
    }

    /// Subjects with the moments of their keys.
    pub(crate) fn subjects(&mut self, subjects: &[(String, i64)]) -> Result<()> {
        for some in subjects.chunks(4_096) {
            self.deflated(SUBJECTS, &serde_json::to_vec(some).map_err(Fault::internal)?)?;
        }
        Ok(())
    }

    /// The bytes that follow are those of this content.
    pub(crate) fn file(&mut self, id: &str, size: u64) -> Result<()> {
        self.frame(FILE, &serde_json::to_vec(&(id, size)).map_err(Fault::internal)?)
    }

    /// Bytes of a content.
    pub(crate) fn data(&mut self, bytes: &[u8]) -> Result<()> {
        self.frame(DATA, bytes)
    }

    /// The end: when this returns, the artefact lies whole on the disk.
    pub(crate) fn finish(mut self, manifest: &Manifest) -> Result<Finished> {
        let manifest = serde_json::to_vec(manifest).map_err(Fault::internal)?;
        self.frame(MANIFEST, &manifest)?;
        let foot = (manifest.len() as u64 + 5).to_le_bytes();
        debug_assert_eq!(foot.len(), FOOT);
        self.plain.extend_from_slice(&foot);
        self.flush(true)?;
        self.file.sync_all().map_err(|error| broken(&self.left.0, error))?;
        let sha256 = self.sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Finished { left: self.left, _file: self.file, bytes: self.written, sha256 })
    }
}
