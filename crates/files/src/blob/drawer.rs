//! A part of a bucket for files that are not contents of people: whole artefacts under names with folders. It uses the
//! same way to the bucket, and knows nothing about what it keeps.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use guard::outbound::Client;
use guard::outbound::aws::Aws;
use kernel::{Fault, Result};

use super::aside::broken;
use super::config::Bucket;
use super::folder::blocking;
use super::s3::S3;

/// How much is fetched with one call.
const PIECE: u64 = 8 << 20;

/// Files in a bucket, below the prefix of the bucket. Cheap to clone.
#[derive(Clone)]
pub struct Drawer(Arc<S3>);

/// A file in a drawer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Its name, below the prefix of the bucket.
    pub name: String,
    /// How many bytes it has.
    pub size: u64,
}

impl Drawer {
    /// Asks no bucket yet.
    pub fn new(bucket: Bucket, client: &Client, aws: &Aws) -> Drawer {
        Drawer(Arc::new(S3::new(bucket, client.clone(), aws.clone())))
    }

    /// Puts a file under this name, in place of what is there: whole or not at all.
    pub async fn put(&self, from: &Path, name: &str) -> Result<()> {
        let path = from.to_owned();
        let size = blocking(move || std::fs::metadata(path).map_err(broken)).await?.len();
        self.0.keep(from, named(name)?, size).await
    }

    /// A part of a file that has `size` bytes in all.
    pub async fn get(&self, name: &str, range: Range<u64>, size: u64) -> Result<Vec<u8>> {
        let body = self.0.get(named(name)?, range, size).await?;
        Ok(body.collect().await.map_err(Fault::from)?.to_vec())
    }

    /// Fetches a file of `size` bytes into a new file that only its owner reads. `note` hears how much has come.
    pub async fn fetch(&self, name: &str, size: u64, into: &Path, note: &(dyn Fn(u64) + Sync)) -> Result<()> {
        let into = into.to_owned();
        let mut file = blocking(move || {
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(into).map_err(broken)
        })
        .await?;
        let mut at = 0;
        while at < size {
            let end = (at + PIECE).min(size);
            let bytes = self.get(name, at..end, size).await?;
            file = written(file, bytes).await?;
            at = end;
            note(at);
        }
        blocking(move || file.sync_all().map_err(broken)).await
    }

    /// Whether there is a file with this name.
    pub async fn exists(&self, name: &str) -> Result<bool> {
        self.0.exists(named(name)?).await
    }

    /// How many bytes the file with this name has; `None` when there is none.
    pub async fn size(&self, name: &str) -> Result<Option<u64>> {
        let all = self.list().await?;
        Ok(all.into_iter().find(|kept| kept.name == name).map(|kept| kept.size))
    }

    /// Every file.
    pub async fn list(&self) -> Result<Vec<Kept>> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let (piece, next) = self.0.list_sizes(after).await?;
            all.extend(piece.into_iter().map(|(name, size)| Kept { name, size }));
            match next {
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// Removes the file with this name; that there is none is no failure.
    pub async fn remove(&self, name: &str) -> Result<()> {
        self.0.destroy(named(name)?).await
    }
}

async fn written(mut file: File, bytes: Vec<u8>) -> Result<File> {
    blocking(move || file.write_all(&bytes).map_err(broken).map(|()| file)).await
}

/// Names are made here; one that could lead elsewhere is a defect.
fn named(name: &str) -> Result<&str> {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    match name.split('/').all(plain) {
        true => Ok(name),
        false => Err(Fault::internal("the name of a file for the bucket is malformed")),
    }
}
