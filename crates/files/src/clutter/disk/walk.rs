//! The listing of a tree by several threads. Each folder is opened once, without following a link, and left out when
//! it was met before: a mount of itself is no loop.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use kernel::Time;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat};

use super::{Options, Problem, Progress, readable};

/// Something that was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The place of its folder in the list.
    pub(crate) dir: u32,
    pub(crate) kind: FoundKind,
    pub(crate) name: Box<[u8]>,
    pub(crate) size: u64,
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) links: u64,
    /// Bytes it takes on the disk.
    pub(crate) room: u64,
    /// Seconds and nanoseconds of the last change.
    pub(crate) changed: (i64, u32),
}

/// What was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FoundKind {
    File,
    Folder,
    Other,
}

impl Found {
    fn new(dir: u32, name: &[u8], kind: FoundKind, stat: &Stat) -> Found {
        Found {
            dir,
            kind,
            name: name.into(),
            size: u64::try_from(stat.st_size).unwrap_or(0),
            device: stat.st_dev,
            inode: stat.st_ino,
            links: links(stat),
            room: u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512),
            changed: changed(stat),
        }
    }

    /// The same for every name of one file.
    pub(crate) fn key(&self) -> u128 {
        u128::from(self.device) << 64 | u128::from(self.inode)
    }

    pub(crate) fn modified(&self) -> Time {
        let (seconds, nanos) = self.changed;
        Time::from_micros(seconds.saturating_mul(1_000_000).saturating_add(i64::from(nanos / 1_000)))
    }

    /// Whether this is still what was seen.
    pub(crate) fn is(&self, stat: &Stat) -> bool {
        let same = self.device == stat.st_dev && self.inode == stat.st_ino;
        same && u64::try_from(stat.st_size) == Ok(self.size) && self.changed == changed(stat)
    }
}

/// How many names a file has.
#[allow(clippy::useless_conversion, reason = "the width of the field depends on the processor")]
pub(super) fn links(stat: &Stat) -> u64 {
    stat.st_nlink.into()
}

fn changed(stat: &Stat) -> (i64, u32) {
    (stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or(0))
}

/// What a walk brings home.
pub(super) struct Walked {
    /// Folders by their path from the root, which is the first and has none.
    pub(super) dirs: Vec<PathBuf>,
    pub(super) found: Vec<Found>,
    pub(super) problems: Vec<Problem>,
}

struct Work {
    waiting: Vec<u32>,
    busy: usize,
    dirs: Vec<PathBuf>,
    met: HashSet<(u64, u64)>,
}

struct Walk<'a> {
    root: &'a Path,
    options: &'a Options,
    progress: &'a Progress,
    work: Mutex<Work>,
    more: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lists everything under `root`.
pub(super) fn walk(root: &Path, options: &Options, progress: &Progress) -> io::Result<Walked> {
    // The root may be a link: it was named.
    let opened = openat(CWD, root, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let stat = fstat(&opened)?;
    drop(opened);
    let work = Work {
        waiting: vec![0],
        busy: 0,
        dirs: vec![PathBuf::new()],
        met: HashSet::from([(stat.st_dev, stat.st_ino)]),
    };
    let walk = Walk { root, options, progress, work: Mutex::new(work), more: Condvar::new() };
    let results: Vec<(Vec<Found>, Vec<Problem>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..options.threads()).map(|_| scope.spawn(|| walk.run())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_default()).collect()
    });
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for (more_found, more_problems) in results {
        found.extend(more_found);
        problems.extend(more_problems);
    }
    let work = walk.work.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Walked { dirs: work.dirs, found, problems })
}

impl Walk<'_> {
    fn run(&self) -> (Vec<Found>, Vec<Problem>) {
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        let mut work = lock(&self.work);
        loop {
            if self.progress.stopped() {
                work.waiting.clear();
            }
            if let Some(dir) = work.waiting.pop() {
                work.busy += 1;
                let path = work.dirs.get(dir as usize).cloned().unwrap_or_default();
                drop(work);
                let folders = self.list(dir, &path, &mut found, &mut problems);
                work = lock(&self.work);
                for name in folders {
                    if let Ok(number) = u32::try_from(work.dirs.len()) {
                        work.dirs.push(path.join(OsStr::from_bytes(&name)));
                        work.waiting.push(number);
                    }
                }
                work.busy -= 1;
                self.more.notify_all();
            } else if work.busy == 0 {
                self.more.notify_all();
                return (found, problems);
            } else {
                work = self.more.wait(work).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Lists one folder; gives the names of those in it.
    fn list(
        &self,
        dir: u32,
        path: &Path,
        found: &mut Vec<Found>,
        problems: &mut Vec<Problem>,
    ) -> Vec<Vec<u8>> {
        let mut folders = Vec::new();
        let mut fail = |path: &Path, error: rustix::io::Errno| {
            let what = format!("It cannot be read: {}.", io::Error::from(error).kind());
            problems.push(Problem { path: readable(path.as_os_str()), what });
        };
        // Only the root may be a link.
        let follow = if dir == 0 { OFlags::empty() } else { OFlags::NOFOLLOW };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | follow;
        let opened = openat(CWD, self.root.join(path), flags, Mode::empty())
            .and_then(|opened| Dir::read_from(&opened).map(|list| (opened, list)));
        let (opened, list) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                fail(path, error);
                return folders;
            }
        };
        let before = found.len();
        for entry in list {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    fail(path, error);
                    break;
                }
            };
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let stat = match statat(opened.as_fd(), entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(rustix::io::Errno::NOENT) => continue,
                Err(error) => {
                    fail(&path.join(OsStr::from_bytes(name)), error);
                    continue;
                }
            };
            let mut kind = match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => FoundKind::File,
                FileType::Directory => FoundKind::Folder,
                _ => FoundKind::Other,
            };
            // What is left out still makes its folder one of which nothing is said.
            if self.is_left_out(path, name, kind) {
                kind = FoundKind::Other;
            }
            if kind == FoundKind::Folder {
                let new = lock(&self.work).met.insert((stat.st_dev, stat.st_ino));
                if new {
                    folders.push(name.to_vec());
                } else {
                    kind = FoundKind::Other;
                }
            }
            found.push(Found::new(dir, name, kind, &stat));
        }
        self.progress.add((found.len() - before) as u64);
        folders
    }

    fn is_left_out(&self, path: &Path, name: &[u8], kind: FoundKind) -> bool {
        let folder = kind == FoundKind::Folder;
        if folder
            && !self.options.version_control
            && matches!(name, b".git" | b".hg" | b".svn" | b".bzr" | b".jj")
        {
            return true;
        }
        // The trash is no place to tidy.
        if folder && name.starts_with(b".Trash") {
            return true;
        }
        !self.options.exclude.is_empty() && {
            let full = path.join(OsStr::from_bytes(name));
            self.options.exclude.iter().any(|glob| glob.matches(full.as_os_str().as_bytes(), name))
        }
    }
}
