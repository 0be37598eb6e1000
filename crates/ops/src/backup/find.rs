//! Which artefact is meant: a file, a name from the list, an object in a bucket, or the newest before a moment.

use std::path::{Path, PathBuf};

use files::blob::{Bucket, Drawer};
use kernel::{Code, Fault, Result, Time};

use super::artefact::{HEAD, Manifest, TAIL, manifest};
use super::keys::Keys;
use super::shelf::{Listed, manifest_of};
use super::{Backups, Note, Progress, keys, sealed_keys};

/// An artefact that was found. Its manifest can be read; the rest is not looked at yet.
#[derive(Clone, Debug)]
pub struct Found {
    origin: Origin,
    name: String,
    /// What it says about itself.
    pub manifest: Manifest,
}

#[derive(Clone)]
enum Origin {
    File(PathBuf),
    Shelf(Box<Listed>),
    Bucket { bucket: Bucket, drawer: Drawer, size: u64 },
}

impl std::fmt::Debug for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::File(path) => write!(f, "{}", path.display()),
            Origin::Shelf(listed) => write!(f, "{}", listed.name),
            Origin::Bucket { bucket, .. } => write!(f, "s3://{}/{}", bucket.name, bucket.prefix),
        }
    }
}

impl Found {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One of the list, if its manifest can be read.
    pub(super) fn listed(listed: Listed) -> Option<Found> {
        let (name, manifest) = (listed.name.clone(), listed.manifest.clone()?);
        Some(Found { origin: Origin::Shelf(Box::new(listed)), name, manifest })
    }
}

impl Backups {
    /// What `text` means: `s3://…`, a file, or a name from the list.
    pub async fn find(&self, text: &str) -> Result<Found> {
        if text.starts_with("s3://") {
            return self.find_in_bucket(text).await;
        }
        let path = Path::new(text);
        if path.is_file() {
            let manifest = manifest_of(path, &self.0.keyring).await?;
            let name =
                path.file_name().map_or_else(|| text.to_owned(), |name| name.to_string_lossy().into_owned());
            return Ok(Found { origin: Origin::File(path.to_owned()), name, manifest });
        }
        let listed = self.list().await?.into_iter().find(|listed| listed.name == text);
        let problem = listed.as_ref().and_then(|listed| listed.problem.clone());
        match (listed.and_then(Found::listed), problem) {
            (Some(found), _) => Ok(found),
            (None, Some(problem)) => Err(Fault::new(Code::InvalidInput).say(problem)),
            (None, None) => Err(Fault::new(Code::NotFound).say(format!(
                "There is no backup `{text}`: it is no file, and no name that `stoa backup list` shows."
            ))),
        }
    }

    /// The newest whole artefact that shows a moment at or before `at`.
    pub async fn find_before(&self, at: Time) -> Result<Option<Found>> {
        let fits = |listed: &Listed| {
            listed
                .manifest
                .as_ref()
                .is_some_and(|manifest| manifest.began_at <= at && manifest.reason.is_whole())
        };
        Ok(self.list().await?.into_iter().find(fits).and_then(Found::listed))
    }

    /// The artefact from before the last migration, if the database has moved on since.
    pub async fn find_rollback(&self, present: u32) -> Result<Option<Found>> {
        let fits = |listed: &Listed| {
            listed.manifest.as_ref().is_some_and(|manifest| {
                manifest.reason == super::Reason::BeforeMigration && manifest.schema < present
            })
        };
        Ok(self.list().await?.into_iter().find(fits).and_then(Found::listed))
    }

    async fn find_in_bucket(&self, text: &str) -> Result<Found> {
        let wrong = |say: String| Fault::new(Code::InvalidInput).say(format!("`{text}` {say}."));
        let (folder, name) = text.rsplit_once('/').unwrap_or((text, ""));
        let region = self.0.aws.config().region.clone().unwrap_or_default();
        let region = self.0.config.bucket.as_ref().map_or(region, |bucket| bucket.region.clone());
        if region.is_empty() {
            return Err(wrong("needs a region; set AWS_REGION".to_owned()));
        }
        let bucket = Bucket::parse(folder, &region).map_err(wrong)?;
        let drawer = Drawer::new(bucket.clone(), &self.0.client, &self.0.aws);
        let gone = || Fault::new(Code::NotFound).say(format!("There is no backup `{text}` in the bucket."));
        let size = drawer.size(name).await?.ok_or_else(gone)?;
        let head = drawer.get(name, 0..HEAD.min(size), size).await?;
        let tail = drawer.get(name, size.saturating_sub(TAIL)..size, size).await?;
        let manifest = manifest(&self.0.keyring, &head, &tail, size)?;
        Ok(Found { origin: Origin::Bucket { bucket, drawer, size }, name: name.to_owned(), manifest })
    }

    /// A file with all its bytes; what has to be fetched is put into `folder`.
    pub(super) async fn file_of(&self, found: &Found, folder: &Path, note: &Note) -> Result<PathBuf> {
        let fetching = |size: u64| {
            let note = note.clone();
            note(Progress::Phase("Download"));
            move |done: u64| note(Progress::Bytes(done, Some(size)))
        };
        match &found.origin {
            Origin::File(path) => Ok(path.clone()),
            Origin::Shelf(listed) if listed.local => self.0.shelf.fetch(listed, folder, &|_| {}).await,
            Origin::Shelf(listed) => self.0.shelf.fetch(listed, folder, &fetching(listed.bytes)).await,
            Origin::Bucket { drawer, size, .. } => {
                let path = folder.join("fetched.stoa");
                drawer.fetch(&found.name, *size, &path, &fetching(*size)).await?;
                Ok(path)
            }
        }
    }

    /// The newest keyring of the database that the artefact is of, from everywhere it may lie.
    pub(super) async fn keys_for(&self, found: &Found, manifest: &Manifest) -> Result<Option<Keys>> {
        let house = &manifest.house;
        match &found.origin {
            Origin::Shelf(_) => self.keys(house, None).await,
            Origin::File(path) => {
                let path = path.canonicalize().map_err(|error| super::broken(path, error))?;
                self.keys(house, path.parent()).await
            }
            Origin::Bucket { bucket, .. } => {
                let mut sealed = keys::near(self.0.config.folder.clone(), house).await?;
                let mut bucket = bucket.clone();
                for _ in 0..4 {
                    let drawer = Drawer::new(bucket.clone(), &self.0.client, &self.0.aws);
                    sealed.extend(sealed_keys(&drawer, house).await?);
                    let shorter = bucket.prefix.trim_end_matches('/');
                    match shorter.rsplit_once('/') {
                        Some((above, _)) => bucket.prefix = format!("{above}/"),
                        None if shorter.is_empty() => break,
                        None => bucket.prefix = String::new(),
                    }
                }
                self.newest(house, sealed)
            }
        }
    }
}
