//! Facts of the files of a tree: pictures decoded and texts read by all cores, each content once. What a picture may
//! cost is bounded for all cores together: large ones are decoded one after another.

use std::collections::HashMap;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::hash::{open, read_at};
use super::{Digests, FoundKind, Listing, Options, Problem, Progress, readable};
use crate::clutter::{Facts, FindingKind, Format, Limits, Rules, learn};

/// Pixels of a picture that is decoded beside others.
const PIXELS: u64 = 24_000_000;
/// Bytes of memory that decoding it may take.
const MEMORY: u64 = 128 << 20;
/// How much of the front tells the format.
const HEAD: usize = 4 * 1024;

/// Whether any finding is wanted that needs more than the names of contents.
pub(super) fn is_wanted(rules: &Rules) -> bool {
    [
        FindingKind::SimilarImage,
        FindingKind::NearDocument,
        FindingKind::Version,
        FindingKind::Broken,
        FindingKind::WrongExtension,
    ]
    .into_iter()
    .any(|kind| rules.wants(kind))
}

/// Learns of every file.
pub(super) fn all(
    tree: &Listing<'_>,
    digests: &Digests,
    options: &Options,
    progress: &Progress,
    problems: &mut Vec<Problem>,
) -> Vec<Option<Arc<Facts>>> {
    // One file of each content, and one name of each file.
    let mut first: HashMap<u128, usize> = HashMap::new();
    let mut same: Vec<(usize, usize)> = Vec::new();
    for (at, found) in tree.found.iter().enumerate() {
        if found.kind == FoundKind::File && found.size > 0 {
            let key = digests.get(at).copied().flatten().map_or(found.key(), |digest| digest.short());
            same.push((at, *first.entry(key).or_insert(at)));
        }
    }
    let mut jobs: Vec<usize> = first.into_values().collect();
    jobs.sort_by_key(|at| tree.found.get(*at).map(|found| (found.device, found.inode)));
    progress.begin(2, jobs.len() as u64);
    let small = Limits { pixels: PIXELS.min(options.limits.pixels), memory: MEMORY, ..options.limits };
    let mut facts: Vec<Option<Arc<Facts>>> = vec![None; tree.found.len()];
    let mut large: Vec<usize> = Vec::new();
    for (at, result) in run(tree, &jobs, &small, options.threads(), progress) {
        match result {
            Ok(learned) if is_left(&learned) => large.push(at),
            Ok(learned) => set(&mut facts, at, Arc::new(learned)),
            Err(error) => problems.push(tree.problem(at, format!("It cannot be read: {}.", error.kind()))),
        }
    }
    large.sort_unstable();
    for (at, result) in run(tree, &large, &options.limits, 1, progress) {
        if let Ok(learned) = result {
            set(&mut facts, at, Arc::new(learned));
        }
    }
    for (at, from) in same {
        if let Some(learned) = facts.get(from).cloned().flatten() {
            set(&mut facts, at, learned);
        }
    }
    facts
}

fn set(facts: &mut [Option<Arc<Facts>>], at: usize, learned: Arc<Facts>) {
    if let Some(slot) = facts.get_mut(at) {
        *slot = Some(learned);
    }
}

/// A picture that is sound and was too large to be decoded beside others.
fn is_left(facts: &Facts) -> bool {
    let picture = matches!(facts.format, Some(Format::Png | Format::Jpeg | Format::Gif | Format::Webp));
    picture && facts.image.is_none() && facts.fault.is_none() && !facts.zero
}

type Learned = (usize, io::Result<Facts>);

fn run(
    tree: &Listing<'_>,
    jobs: &[usize],
    limits: &Limits,
    threads: usize,
    progress: &Progress,
) -> Vec<Learned> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(jobs.len()));
    let work = || {
        let mut head = vec![0; HEAD];
        while let Some(at) = jobs.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
            if progress.stopped() {
                return;
            }
            let result = one(tree, at, limits, &mut head);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
            progress.add(1);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.min(jobs.len()).max(1) {
            scope.spawn(work);
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn one(tree: &Listing<'_>, at: usize, limits: &Limits, head: &mut [u8]) -> io::Result<Facts> {
    let mut file = open(tree, at)?;
    let size = tree.found.get(at).map_or(0, |found| found.size);
    let count = read_at(&file, head, 0, size)?;
    let glance = Facts::glance(head.get(..count).unwrap_or(&[]), size);
    let deep = matches!(
        glance.format,
        Some(
            Format::Png
                | Format::Jpeg
                | Format::Gif
                | Format::Webp
                | Format::Pdf
                | Format::Zip
                | Format::Json
                | Format::Html
                | Format::Xml
                | Format::Text
        )
    );
    // Zeros at the front may be zeros to the end: that takes a reading, which a file with holes makes cheap.
    let zeros =
        glance.format.is_none() && head.get(..count).is_some_and(|head| head.iter().all(|byte| *byte == 0));
    if zeros && size <= limits.file {
        return learn(&mut file, "", limits);
    }
    // A text too large to be compared, a log, is not read for its name's sake.
    let text = matches!(glance.format, Some(Format::Html | Format::Xml | Format::Text));
    if !deep || size > limits.file || text && size > limits.document {
        return Ok(glance);
    }
    let name = tree.found.get(at).map(|found| readable(std::ffi::OsStr::from_bytes(&found.name)));
    learn(&mut file, &name.unwrap_or_default(), limits)
}
