//! Blobs: sealed contents in a folder or in a bucket of S3, each under a random name that is used once and never again,
//! so that a removal that comes late can never hit newer bytes. What is being written lies aside, in a folder of this
//! process, until it is whole and on the disk; only then it gets its name. What a dead process left aside is swept away
//! by the next one that opens the same folder.
//!
//! It knows no owner, no database and no plain content: keys come as [`crypto::stream::Sealer`] and
//! [`crypto::stream::Opener`].

mod aside;
mod config;
mod drawer;
mod folder;
mod raw;
mod reader;
mod s3;
mod seeker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crypto::DataKey;
use crypto::stream::{HEADER, Opener, Sealer, sealed_size};
use guard::outbound::Client;
use guard::outbound::aws::Aws;
use kernel::{Ambient, Fault, Result};

pub use aside::{Aside, Staged};
pub use config::{Bucket, Config, Keep};
pub use drawer::{Drawer, Kept};
pub use raw::{Import, Raw};
pub use reader::Reader;
pub use seeker::Seeker;

use aside::Lock;
use folder::Folder;
use s3::S3;

/// Where contents lie. Cheap to clone.
#[derive(Clone)]
pub struct Blobs(Arc<Inner>);

struct Inner {
    aside: Lock,
    place: Place,
    ambient: Ambient,
}

enum Place {
    Folder(Folder),
    S3(Box<S3>),
}

impl Blobs {
    /// Makes the folders, for their owner alone, and sweeps away what dead processes left aside. Asks no bucket yet.
    pub fn open(config: &Config, client: &Client, aws: &Aws, ambient: &Ambient) -> Result<Blobs> {
        folder::make(&config.folder)?;
        let aside = Lock::take(&config.folder, ambient)?;
        let place = match &config.keep {
            Keep::Folder => Place::Folder(Folder::open(&config.folder)?),
            Keep::S3(bucket) => Place::S3(Box::new(S3::new(bucket.clone(), client.clone(), aws.clone()))),
        };
        Ok(Blobs(Arc::new(Inner { aside, place, ambient: ambient.clone() })))
    }

    /// A new name: 32 hexadecimal digits of 128 random bits.
    pub fn new_id(&self) -> String {
        self.0.ambient.bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Begins to write a content aside, sealed for its place.
    pub async fn aside(&self, id: &str, sealer: Sealer) -> Result<Aside> {
        named(id)?;
        Aside::begin(self.0.aside.folder(), id, sealer).await
    }

    /// Gives a content that lies aside its place. When this returns it survives a loss of power. Another try after a
    /// failure does no harm.
    pub async fn keep(&self, staged: &Staged) -> Result<()> {
        match &self.0.place {
            Place::Folder(folder) => folder.keep(staged.path(), staged.id()).await,
            Place::S3(s3) => s3.keep(staged.path(), staged.id(), staged.sealed()).await,
        }
    }

    /// Reads a content of `size` bytes from its place, or a part of it. `opener` makes the opener from the header.
    pub async fn read(
        &self,
        id: &str,
        size: u64,
        range: std::ops::Range<u64>,
        opener: impl FnOnce(&[u8]) -> Result<Opener>,
    ) -> Result<Reader> {
        named(id)?;
        let (header, bytes) = match &self.0.place {
            Place::Folder(folder) => {
                let (file, header) = folder.open_blob(id, sealed_size(size)).await?;
                (header, reader::Bytes::File(file))
            }
            Place::S3(s3) => {
                let sealed = sealed_size(size);
                let header =
                    s3.get(id, 0..HEADER as u64, sealed).await?.collect().await.map_err(Fault::from)?;
                let header = <[u8; HEADER]>::try_from(header.as_ref())
                    .map_err(|_| Fault::internal("a content in the bucket has no header"))?;
                (header, reader::Bytes::S3(s3.reads(id, sealed)))
            }
        };
        Reader::new(opener(&header)?, bytes, range)
    }

    /// The sealed bytes of a content of `size` bytes, as they lie there.
    pub async fn raw(&self, id: &str, size: u64) -> Result<Raw> {
        named(id)?;
        let sealed = sealed_size(size);
        let from = match &self.0.place {
            Place::Folder(folder) => raw::From::File(Arc::new(folder.open_blob(id, sealed).await?.0)),
            Place::S3(s3) => raw::From::S3(s3.reads(id, sealed)),
        };
        Ok(Raw::new(from, sealed))
    }

    /// Begins to take back bytes that were sealed before.
    pub async fn import(&self, id: &str) -> Result<Import> {
        named(id)?;
        Import::begin(self.0.aside.folder(), id).await
    }

    /// Removes the bytes with this name; that there are none is no failure. What is gone stays gone after a loss of
    /// power.
    pub async fn destroy(&self, id: &str) -> Result<()> {
        named(id)?;
        match &self.0.place {
            Place::Folder(folder) => folder.destroy(id).await,
            Place::S3(s3) => s3.destroy(id).await,
        }
    }

    /// The names of what is stored, piece by piece: a piece and where to go on, `None` at the end.
    pub async fn list(&self, after: Option<String>) -> Result<(Vec<String>, Option<String>)> {
        match &self.0.place {
            Place::Folder(folder) => folder.list(after).await,
            Place::S3(s3) => s3.list(after).await,
        }
    }

    /// Whether there are bytes with this name.
    pub async fn exists(&self, id: &str) -> Result<bool> {
        named(id)?;
        match &self.0.place {
            Place::Folder(folder) => folder.exists(id).await,
            Place::S3(s3) => s3.exists(id).await,
        }
    }

    /// Writes, reads and destroys a few bytes, as a stored content would be; gives how long that took.
    pub async fn probe(&self) -> Result<Duration> {
        const SAMPLE: &[u8] = b"a probe of the file store";
        let (since, id) = (Instant::now(), self.new_id());
        let random = self.0.ambient.random();
        let key = DataKey::generate(random);
        let place = crypto::Place { table: "probe", column: "bytes", row: &id };
        let mut aside = self.aside(&id, Sealer::new(&key, place, random)).await?;
        aside.write(SAMPLE).await?;
        let staged = aside.finish().await?;
        self.keep(&staged).await?;
        let size = SAMPLE.len() as u64;
        let read = async {
            let reader =
                self.read(&id, size, 0..size, |header| Opener::new(&key, place, header, size)).await?;
            reader.collect().await
        };
        let read = read.await;
        // Whatever was read, nothing of it stays.
        self.destroy(&id).await?;
        if read? != SAMPLE {
            return Err(Fault::internal("the file store gives back other bytes than it was given"));
        }
        Ok(since.elapsed())
    }

    /// `folder` or `s3`.
    pub fn kind(&self) -> &'static str {
        match self.0.place {
            Place::Folder(_) => "folder",
            Place::S3(_) => "s3",
        }
    }
}

/// Names come from this server alone; one that could lead elsewhere is a defect.
fn named(id: &str) -> Result<()> {
    if is_name(id) { Ok(()) } else { Err(Fault::internal("the name of a content is malformed")) }
}

fn is_name(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests;
