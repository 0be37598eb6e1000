//! The analysis on a folder of this machine: how a tree is read and hashed by all cores, how what can go is moved to
//! the trash, and how that is undone. Symbolic links are never followed, a file with several names is one file, and
//! what cannot be read is reported and never fatal. It never deletes.

mod apply;
mod compare;
mod glob;
mod hash;
mod learn;
mod trash;
mod undo;
mod walk;

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use uuid::Uuid;

use super::{Digest, Entry, EntryKind, FindingKind, Limits, Marks, Place, Rules};

pub use apply::{Applied, Step, apply, go};
pub use glob::Glob;
pub use trash::{Places as TrashPlaces, Trash};
pub use undo::{Record, Undone, read as read_records, undo};
pub(crate) use walk::{Found, FoundKind};

/// How a folder is read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is left out, by name or by path from the root.
    pub exclude: Vec<Glob>,
    /// Threads; 0 takes as many as there are cores.
    pub threads: usize,
    /// What the reading of one content may cost.
    pub limits: Limits,
    /// Folders of version control are looked into: what is in them is not for people to tidy.
    pub version_control: bool,
}

impl Options {
    fn threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            given => given,
        }
    }
}

/// How far the reading is; looked at by another thread.
#[derive(Debug, Default)]
pub struct Progress {
    stage: AtomicU8,
    done: AtomicU64,
    all: AtomicU64,
    stop: AtomicBool,
}

/// What is being done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Listing folders; the number is of files found.
    Listing,
    /// Comparing contents; the number is of files.
    Comparing,
    /// Looking at pictures and texts; the number is of files.
    Looking,
}

impl Progress {
    /// The stage, how much of it is done, and of how much; 0 when that is not known.
    pub fn now(&self) -> (Stage, u64, u64) {
        let stage = match self.stage.load(Ordering::Relaxed) {
            0 => Stage::Listing,
            1 => Stage::Comparing,
            _ => Stage::Looking,
        };
        (stage, self.done.load(Ordering::Relaxed), self.all.load(Ordering::Relaxed))
    }

    /// Asks the reading to end early; what was found so far is given.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn begin(&self, stage: u8, all: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.all.store(all, Ordering::Relaxed);
        self.stage.store(stage, Ordering::Relaxed);
    }

    fn add(&self, count: u64) {
        self.done.fetch_add(count, Ordering::Relaxed);
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// A folder, read.
#[derive(Debug)]
pub struct Scan {
    /// Where it is, as it was given.
    pub root: PathBuf,
    /// What is in it, for [`super::analyse`]; in the order of the paths.
    pub entries: Vec<Entry>,
    /// What could not be read, one sentence each.
    pub problems: Vec<Problem>,
    /// For each entry, what was seen of it; its id is the place in this list.
    pub(crate) found: Vec<(PathBuf, Found)>,
}

/// Something that could not be read.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Problem {
    /// Where.
    pub path: String,
    /// What.
    pub what: String,
}

impl Scan {
    /// Where the entry with this id is.
    pub fn path(&self, id: Uuid) -> Option<PathBuf> {
        Some(self.root.join(&self.seen(id)?.0))
    }

    pub(crate) fn seen(&self, id: Uuid) -> Option<&(PathBuf, Found)> {
        self.found.get(usize::try_from(id.as_u128()).ok()?)
    }
}

/// Reads a folder. What is asked of it by `rules` decides how much is read: for duplicates alone no picture is
/// decoded.
///
/// # Errors
/// When the folder itself cannot be read.
pub fn scan(root: &Path, options: &Options, rules: &Rules, progress: &Progress) -> std::io::Result<Scan> {
    progress.begin(0, 0);
    let mut walked = walk::walk(root, options, progress)?;
    walked.found.sort_unstable_by(|a, b| (a.dir, &a.name).cmp(&(b.dir, &b.name)));
    let mut problems = walked.problems;
    let tree = Listing { root, dirs: &walked.dirs, found: &walked.found };

    let folders = rules.wants(FindingKind::IdenticalFolder) || rules.wants(FindingKind::ContainedFolder);
    let least = if folders { 1 } else { rules.min_size.max(1) };
    let digests = hash::digests(&tree, least, folders, options.threads(), progress, &mut problems);
    let facts = if learn::is_wanted(rules) {
        learn::all(&tree, &digests, options, progress, &mut problems)
    } else {
        Vec::new()
    };

    let mut seen: HashMap<u128, u64> = HashMap::new();
    for found in walked.found.iter().filter(|found| found.kind == FoundKind::File) {
        *seen.entry(found.key()).or_default() += 1;
    }
    let mut order: Vec<(PathBuf, usize)> =
        (0..walked.found.len()).map(|at| (tree.relative(at), at)).collect();
    order.sort_unstable();
    let mut entries = Vec::with_capacity(order.len());
    let mut all = Vec::with_capacity(order.len());
    let mut slots: Vec<Option<Found>> = walked.found.into_iter().map(Some).collect();
    for (path, at) in order {
        let Some(found) = slots.get_mut(at).and_then(Option::take) else { continue };
        let place = (found.kind == FoundKind::File).then(|| Place {
            key: found.key(),
            // Through a second mount a file is met twice though it has one name.
            names: found.links.max(seen.get(&found.key()).copied().unwrap_or(1)),
            bytes: found.room,
        });
        let entry = Entry {
            id: Uuid::from_u128(all.len() as u128),
            path: readable(path.as_os_str()),
            kind: match found.kind {
                FoundKind::File => EntryKind::File,
                FoundKind::Folder => EntryKind::Folder,
                FoundKind::Other => EntryKind::Other,
            },
            size: if found.kind == FoundKind::File { found.size } else { 0 },
            modified: found.modified(),
            created: None,
            place,
            digest: digests.get(at).copied().flatten(),
            facts: None,
            marks: Marks::default(),
        };
        let known: Option<Arc<super::Facts>> = facts.get(at).cloned().flatten();
        entries.push(match known {
            Some(facts) => entry.with_facts(facts),
            None => entry,
        });
        all.push((path, found));
    }
    problems.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Scan { root: root.to_owned(), entries, problems, found: all })
}

/// What was found, with the folders it lies in.
pub(crate) struct Listing<'a> {
    root: &'a Path,
    dirs: &'a [PathBuf],
    found: &'a [Found],
}

impl Listing<'_> {
    fn relative(&self, at: usize) -> PathBuf {
        let Some(found) = self.found.get(at) else { return PathBuf::new() };
        let dir = self.dirs.get(found.dir as usize).map_or(Path::new(""), PathBuf::as_path);
        dir.join(OsStr::from_bytes(&found.name))
    }

    fn full(&self, at: usize) -> PathBuf {
        self.root.join(self.relative(at))
    }

    fn problem(&self, at: usize, what: impl Into<String>) -> Problem {
        Problem { path: readable(self.relative(at).as_os_str()), what: what.into() }
    }
}

/// A path as text: bytes that are no UTF-8, and control characters, are shown as `\xNN`.
pub(crate) fn readable(path: &OsStr) -> String {
    let bytes = path.as_bytes();
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for sign in chunk.valid().chars() {
            if sign.is_control() {
                let mut buffer = [0; 4];
                for byte in sign.encode_utf8(&mut buffer).bytes() {
                    let _ = write!(text, "\\x{byte:02x}");
                }
            } else {
                text.push(sign);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// A digest for each found file; `None` where it equals no other, or could not be read.
type Digests = Vec<Option<Digest>>;

#[cfg(test)]
mod tests;
