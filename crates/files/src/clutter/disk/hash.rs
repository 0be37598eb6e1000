//! Which files have the same bytes, reading as little as possible: those of one size, then their fronts and ends, then
//! all of them. Small files are read once, whole. Files with several names are read once.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{CWD, Mode, OFlags, fstat, openat};

use super::{Digests, FoundKind, Listing, Problem, Progress};
use crate::clutter::Digest;

/// Files up to this size are read whole at once.
const SMALL: u64 = 32 * 1024;
/// How much of the front and of the end of larger ones is compared first.
const EDGE: usize = 4 * 1024;
/// How much is read at a time. It fits the second level of the processor's cache.
const PIECE: usize = 256 * 1024;
/// Files that a thread takes at a time.
const BATCH: usize = 16;

/// Reads what has to be read and names every content that is there more than once. `folders`: also contents whose
/// only copies are further names of the same file, which make folders alike and free nothing.
pub(super) fn digests(
    tree: &Listing<'_>,
    least: u64,
    folders: bool,
    threads: usize,
    progress: &Progress,
    problems: &mut Vec<Problem>,
) -> Digests {
    let mut digests: Digests = vec![None; tree.found.len()];
    // One name of each file, by size; other names get what it gets.
    let mut names: Vec<(u64, u128, usize)> = tree
        .found
        .iter()
        .enumerate()
        .filter(|(_, found)| found.kind == FoundKind::File && found.size >= least)
        .map(|(at, found)| (found.size, found.key(), at))
        .collect();
    names.sort_unstable();
    let mut jobs: Vec<Job> = Vec::new();
    let mut linked: Vec<(usize, usize)> = Vec::new();
    for run in names.chunk_by(|a, b| a.0 == b.0) {
        let distinct = run.chunk_by(|a, b| a.1 == b.1);
        let several = run.first().map(|one| one.1) != run.last().map(|one| one.1);
        for one in distinct {
            let Some(((size, _, first), rest)) = one.split_first() else { continue };
            linked.extend(rest.iter().map(|(_, _, other)| (*first, *other)));
            if several || folders && !rest.is_empty() {
                jobs.push(Job { at: *first, size: *size, alone: !several });
            }
        }
    }
    progress.begin(1, jobs.len() as u64);
    // The order of the inodes is roughly that on the disk.
    jobs.sort_by_key(|job| tree.found.get(job.at).map(|found| (found.device, found.inode)));
    let pass = Pass { tree, progress, threads };
    let firsts = pass.run(&jobs, problems, |job, buffer| match job {
        _ if job.alone || job.size <= SMALL => whole(tree, job, buffer),
        _ => edges(tree, job, buffer),
    });
    let mut groups: HashMap<(u64, Digest), Vec<&Job>> = HashMap::with_capacity(jobs.len());
    for (job, print) in jobs.iter().zip(&firsts) {
        if let Some(print) = print {
            groups.entry((job.size, *print)).or_default().push(job);
        }
    }
    let mut large: Vec<Job> = Vec::new();
    for ((size, print), group) in groups {
        let read = size <= SMALL || group.iter().any(|job| job.alone);
        if read && (group.len() > 1 || group.iter().any(|job| job.alone)) {
            for job in group {
                set(&mut digests, job.at, print);
            }
        } else if group.len() > 1 {
            large.extend(group.into_iter().cloned());
        }
    }
    progress.begin(1, large.len() as u64);
    large.sort_by_key(|job| tree.found.get(job.at).map(|found| (found.device, found.inode)));
    let seconds = pass.run(&large, problems, |job, buffer| whole(tree, job, buffer));
    let mut counts: HashMap<Digest, usize> = HashMap::new();
    for digest in seconds.iter().flatten() {
        *counts.entry(*digest).or_default() += 1;
    }
    for (job, digest) in large.iter().zip(seconds) {
        if let Some(digest) = digest.filter(|digest| counts.get(digest).is_some_and(|count| *count > 1)) {
            set(&mut digests, job.at, digest);
        }
    }
    for (first, other) in linked {
        if let Some(digest) = digests.get(first).copied().flatten() {
            set(&mut digests, other, digest);
        }
    }
    digests
}

fn set(digests: &mut Digests, at: usize, digest: Digest) {
    if let Some(slot) = digests.get_mut(at) {
        *slot = Some(digest);
    }
}

#[derive(Clone, Debug)]
struct Job {
    at: usize,
    size: u64,
    /// No other file has its size, but it has several names.
    alone: bool,
}

struct Pass<'a> {
    tree: &'a Listing<'a>,
    progress: &'a Progress,
    threads: usize,
}

impl Pass<'_> {
    /// Does `work` for all jobs; a failure is a problem and gives `None`.
    fn run(
        &self,
        jobs: &[Job],
        problems: &mut Vec<Problem>,
        work: impl Fn(&Job, &mut [u8]) -> io::Result<Option<Digest>> + Sync,
    ) -> Vec<Option<Digest>> {
        let next = AtomicUsize::new(0);
        let failed = Mutex::new(Vec::new());
        let run = || {
            let mut buffer = vec![0; PIECE];
            let mut done: Vec<(usize, Option<Digest>)> = Vec::new();
            loop {
                let from = next.fetch_add(BATCH, Ordering::Relaxed);
                let batch = jobs.get(from..jobs.len().min(from + BATCH)).unwrap_or(&[]);
                if batch.is_empty() || self.progress.stopped() {
                    return done;
                }
                for (offset, job) in batch.iter().enumerate() {
                    let result = work(job, &mut buffer);
                    if !matches!(result, Ok(Some(_))) {
                        let what = match &result {
                            Err(error) => format!("It cannot be read: {}.", error.kind()),
                            _ => "It changed while it was read.".to_owned(),
                        };
                        let problem = self.tree.problem(job.at, what);
                        failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(problem);
                    }
                    done.push((from + offset, result.ok().flatten()));
                }
                self.progress.add(batch.len() as u64);
            }
        };
        let mut results = vec![None; jobs.len()];
        let threads = self.threads.min(jobs.len().div_ceil(BATCH)).max(1);
        let lists: Vec<Vec<(usize, Option<Digest>)>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_default()).collect()
        });
        for (at, digest) in lists.into_iter().flatten() {
            if let Some(slot) = results.get_mut(at) {
                *slot = digest;
            }
        }
        problems.extend(failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner));
        results
    }
}

/// Opens a file that was seen as one: a link that took its place since is not followed, a pipe not waited for.
pub(super) fn open(tree: &Listing<'_>, at: usize) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    Ok(File::from(openat(CWD, tree.full(at), flags, Mode::empty())?))
}

/// The digest of the whole file; `None` when it is no longer what was seen.
fn whole(tree: &Listing<'_>, job: &Job, buffer: &mut [u8]) -> io::Result<Option<Digest>> {
    let file = open(tree, job.at)?;
    let mut read = 0_u64;
    let mut hasher = None;
    loop {
        let count = read_at(&file, buffer, read, job.size)?;
        let piece = buffer.get(..count).unwrap_or(&[]);
        read += count as u64;
        // One reading past the known end would say nothing new: the size is compared below.
        if read >= job.size || count == 0 {
            if read != job.size {
                return Ok(None);
            }
            let digest = match hasher {
                None => blake3::hash(piece),
                Some(mut hasher) => blake3::Hasher::update(&mut hasher, piece).finalize(),
            };
            // What was read in one piece is one state of the file; of a longer reading the file tells.
            let same = read <= SMALL
                || tree.found.get(job.at).is_some_and(|seen| fstat(&file).is_ok_and(|now| seen.is(&now)));
            return Ok(same.then(|| Digest(*digest.as_bytes())));
        }
        hasher.get_or_insert_with(blake3::Hasher::new).update(piece);
    }
}

/// A print of the front and the end.
fn edges(tree: &Listing<'_>, job: &Job, buffer: &mut [u8]) -> io::Result<Option<Digest>> {
    let file = open(tree, job.at)?;
    let Some((front, rest)) = buffer.split_at_mut_checked(EDGE) else { return Ok(None) };
    let Some(end) = rest.get_mut(..EDGE) else { return Ok(None) };
    if read_at(&file, front, 0, job.size)? < EDGE
        || read_at(&file, end, job.size - EDGE as u64, job.size)? < EDGE
    {
        return Ok(None);
    }
    Ok(buffer.get(..EDGE * 2).map(Digest::of))
}

/// Reads as much as fits; `size` is the size the file should have.
pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64, size: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let room = rest.len();
        match file.read_at(rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => {
                filled += count;
                // Where the end is expected, a reading that gave less than there was room for has reached it.
                if count < room && offset + filled as u64 == size {
                    break;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
