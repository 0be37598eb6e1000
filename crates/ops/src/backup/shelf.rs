//! Where artefacts lie: a folder by date, and a bucket with the same names. It never opens more of one than its
//! manifest.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crypto::Keyring;
use files::blob::Drawer;
use kernel::{Code, Fault, Result, Time};
use serde::Serialize;

use super::artefact::{Finished, HEAD, Manifest, TAIL, manifest};
use super::schedule::civil;
use super::{blocking, broken};

/// What the names of artefacts end with.
const ENDING: &str = ".stoa";

/// An artefact that lies on the shelf.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// Its name, such as `stoa_20261121_020000.stoa`.
    pub name: String,
    /// When it was begun, as the name says.
    pub at: Time,
    /// How many bytes it has.
    pub bytes: u64,
    /// It lies in the folder.
    pub local: bool,
    /// It lies in the bucket.
    pub bucket: bool,
    /// What it says about itself; `None` when it cannot be read, because it is damaged or sealed with another key.
    pub manifest: Option<Manifest>,
    /// Why it cannot be read.
    pub problem: Option<String>,
}

impl Listed {
    /// Whether it can be restored, as far as its manifest tells.
    pub const fn is_good(&self) -> bool {
        self.manifest.is_some()
    }
}

/// The name of an artefact begun at this time; a number apart from 0 tells those of one second apart.
pub(super) fn name(at: Time, number: u32) -> String {
    let (year, month, day) = civil(at.seconds().div_euclid(86_400));
    let second = at.seconds().rem_euclid(86_400);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let more = if number == 0 { String::new() } else { format!("_{number}") };
    format!("stoa_{year:04}{month:02}{day:02}_{hour:02}{minute:02}{second:02}{more}{ENDING}")
}

/// The time in a name; `None` when it is not one of ours.
pub(super) fn time_of(name: &str) -> Option<Time> {
    let rest = name.strip_prefix("stoa_")?.strip_suffix(ENDING)?;
    let stamp = rest.get(..15)?;
    let more = rest.get(15..)?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !more.is_empty() && !more.strip_prefix('_').is_some_and(digits) {
        return None;
    }
    let (date, time) = stamp.split_once('_')?;
    if date.len() != 8 || !digits(date) || !digits(time) {
        return None;
    }
    let part = |text: &str, from: usize, to: usize| text.get(from..to).map(str::to_owned);
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(date, 0, 4)?,
        part(date, 4, 6)?,
        part(date, 6, 8)?,
        part(time, 0, 2)?,
        part(time, 2, 4)?,
        part(time, 4, 6)?
    );
    Time::parse_rfc3339(&text)
}

/// Where an artefact of this name lies, below the folder and in the bucket: `2026/11/21/stoa_….stoa`.
fn place(name: &str) -> Option<String> {
    time_of(name)?;
    let date = name.get(5..13)?;
    Some(format!("{}/{}/{}/{name}", date.get(..4)?, date.get(4..6)?, date.get(6..8)?))
}

/// The shelf.
pub(super) struct Shelf {
    folder: PathBuf,
    pub(super) drawer: Option<Drawer>,
    keyring: Keyring,
    /// Manifests by name and size: an artefact never changes.
    known: Mutex<HashMap<(String, u64), Manifest>>,
}

impl Shelf {
    pub(super) fn new(folder: PathBuf, drawer: Option<Drawer>, keyring: Keyring) -> Shelf {
        Shelf { folder, drawer, keyring, known: Mutex::default() }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of an artefact in the folder.
    pub(super) fn file(&self, name: &str) -> Option<PathBuf> {
        place(name).map(|place| self.folder.join(place))
    }

    /// Gives a finished artefact its name in the folder, one that the bucket does not have either. When this returns it
    /// survives a loss of power.
    pub(super) async fn keep(&self, finished: Finished, at: Time) -> Result<(String, PathBuf)> {
        let mut finished = finished;
        for number in 0..1_000 {
            let name = name(at, number);
            let place = place(&name).ok_or_else(|| Fault::internal("the clock shows no date"))?;
            if let Some(drawer) = &self.drawer
                && drawer.exists(&place).await?
            {
                continue;
            }
            let (folder, path) = (self.folder.clone(), self.folder.join(place));
            let (kept, linked) = blocking(move || Ok((link(&folder, &path, &finished)?, finished))).await?;
            finished = linked;
            if let Some(path) = kept {
                return Ok((name, path));
            }
        }
        Err(Fault::internal("a thousand backups in one second"))
    }

    /// Puts a copy of an artefact into the bucket, where there is one.
    pub(super) async fn send(&self, name: &str, path: &Path) -> Result<bool> {
        match (&self.drawer, place(name)) {
            (Some(drawer), Some(place)) => drawer.put(path, &place).await.map(|()| true),
            _ => Ok(false),
        }
    }

    /// Every artefact, the newest first. With `only_local`, the bucket is not asked.
    pub(super) async fn list(&self, only_local: bool) -> Result<Vec<Listed>> {
        let folder = self.folder.clone();
        let mut found: BTreeMap<String, (u64, bool, bool)> = BTreeMap::new();
        for (name, bytes) in blocking(move || Ok(walk(&folder, 3))).await? {
            found.insert(name, (bytes, true, false));
        }
        if let Some(drawer) = self.drawer.as_ref().filter(|_| !only_local) {
            for kept in drawer.list().await? {
                let name = kept.name.rsplit('/').next().unwrap_or_default();
                if place(name).as_deref() == Some(kept.name.as_str()) {
                    found.entry(name.to_owned()).or_insert((kept.size, false, false)).2 = true;
                }
            }
        }
        let mut listed = Vec::with_capacity(found.len());
        for (name, (bytes, local, bucket)) in found.into_iter().rev() {
            let read = self.manifest(&name, bytes, local).await;
            let problem = read.as_ref().err().map(ToString::to_string);
            let at = time_of(&name).unwrap_or(Time::EPOCH);
            listed.push(Listed { name, at, bytes, local, bucket, manifest: read.ok(), problem });
        }
        Ok(listed)
    }

    /// What an artefact on the shelf says about itself.
    async fn manifest(&self, name: &str, bytes: u64, local: bool) -> Result<Manifest> {
        let known = |known: &HashMap<(String, u64), Manifest>| known.get(&(name.to_owned(), bytes)).cloned();
        if let Some(manifest) = known(&self.known.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(manifest);
        }
        let gone = || Fault::new(Code::NotFound);
        let read = match (&self.drawer, local) {
            (_, true) => manifest_of(&self.file(name).ok_or_else(gone)?, &self.keyring).await?,
            (Some(drawer), false) => {
                let place = place(name).ok_or_else(gone)?;
                let head = drawer.get(&place, 0..HEAD.min(bytes), bytes).await?;
                let tail = drawer.get(&place, bytes.saturating_sub(TAIL)..bytes, bytes).await?;
                manifest(&self.keyring, &head, &tail, bytes)?
            }
            (None, false) => return Err(gone()),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((name.to_owned(), bytes), read.clone());
        Ok(read)
    }

    /// A file with all bytes of an artefact: the one in the folder, or a copy from the bucket in `into`.
    pub(super) async fn fetch(
        &self,
        listed: &Listed,
        into: &Path,
        note: &(dyn Fn(u64) + Sync),
    ) -> Result<PathBuf> {
        match (&self.drawer, self.file(&listed.name), place(&listed.name)) {
            (_, Some(path), _) if listed.local => Ok(path),
            (Some(drawer), _, Some(place)) => {
                let path = into.join("fetched.stoa");
                drawer.fetch(&place, listed.bytes, &path, note).await?;
                Ok(path)
            }
            _ => Err(Fault::new(Code::NotFound)),
        }
    }

    /// Removes the file of an artefact from the folder.
    pub(super) async fn remove_local(&self, name: &str) -> Result<()> {
        let Some(path) = self.file(name) else { return Ok(()) };
        let root = self.folder.clone();
        blocking(move || {
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(broken(&path, error)),
            }
            // Days that have nothing left go too; those that have something refuse to.
            for folder in path.ancestors().skip(1).take(3).filter(|folder| *folder != root) {
                if fs::remove_dir(folder).is_err() {
                    break;
                }
            }
            Ok(())
        })
        .await
    }

    /// Removes an artefact from the bucket.
    pub(super) async fn remove_sent(&self, name: &str) -> Result<()> {
        match (&self.drawer, place(name)) {
            (Some(drawer), Some(place)) => drawer.remove(&place).await,
            _ => Ok(()),
        }
    }
}

/// Gives a finished artefact this path; `None` when another has it.
fn link(folder: &Path, path: &Path, finished: &Finished) -> Result<Option<PathBuf>> {
    let parent = path.parent().unwrap_or(folder);
    super::make(parent)?;
    match fs::hard_link(finished.path(), path) {
        Ok(()) => {
            // The folders of a new day must be found again as well.
            for folder in parent.ancestors().take(4) {
                File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| broken(folder, e))?;
            }
            Ok(Some(path.to_owned()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(broken(path, error)),
    }
}

/// What the artefact in this file says about itself.
pub(super) async fn manifest_of(path: &Path, keyring: &Keyring) -> Result<Manifest> {
    let (path, keyring) = (path.to_owned(), keyring.clone());
    blocking(move || {
        let say = |error| broken(&path, error);
        let file = File::open(&path).map_err(say)?;
        let total = file.metadata().map_err(say)?.len();
        let part = |from: u64, to: u64| {
            let mut bytes = vec![0; usize::try_from(to.saturating_sub(from)).map_err(Fault::internal)?];
            file.read_exact_at(&mut bytes, from).map_err(say)?;
            Ok::<_, Fault>(bytes)
        };
        let (head, tail) = (part(0, HEAD.min(total))?, part(total.saturating_sub(TAIL), total)?);
        manifest(&keyring, &head, &tail, total)
    })
    .await
}

/// The artefacts in a folder and the folders in it, so many levels deep, with their sizes.
fn walk(folder: &Path, deep: usize) -> Vec<(String, u64)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let Ok(about) = entry.metadata() else { continue };
        if about.is_dir() && deep > 0 && !name.starts_with('.') {
            found.extend(walk(&entry.path(), deep - 1));
        } else if about.is_file() && deep == 0 && time_of(&name).is_some() {
            found.push((name, about.len()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_the_time_and_nothing_leads_elsewhere() {
        let at = Time::parse_rfc3339("2026-11-21T02:03:04Z").unwrap();
        assert_eq!(name(at, 0), "stoa_20261121_020304.stoa");
        assert_eq!(name(at, 7), "stoa_20261121_020304_7.stoa");
        for number in [0, 7] {
            assert_eq!(time_of(&name(at, number)), Some(at));
        }
        assert_eq!(place("stoa_20261121_020304.stoa").unwrap(), "2026/11/21/stoa_20261121_020304.stoa");
        for bad in [
            "stoa_20261121_020304",
            "stoa_20261321_020304.stoa",
            "stoa_2026112a_020304.stoa",
            "stoa_20261121_020304_.stoa",
            "stoa_20261121_020304_../x.stoa",
            "../stoa_20261121_020304.stoa",
            "stoa_20261121-020304.stoa",
            "keyring-0011.stoa",
            "",
        ] {
            assert_eq!(place(bad), None, "{bad}");
        }
    }
}
