//! A tree of files with copies and decoys, the same for the same seed, and what is true of it. It owns the random
//! numbers (SplitMix64), so that no library's next version changes the tree.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{Result, Seek as _, SeekFrom, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// What is true of a tree.
pub(super) struct Truth {
    pub(super) files: usize,
    pub(super) bytes: u64,
    /// Files that are a copy of an earlier one.
    pub(super) copies: usize,
    /// For each path from the root: the number of its content and of its file; names of one file share the latter.
    by_path: HashMap<Vec<u8>, (usize, usize)>,
}

/// How well something was found.
pub(super) struct Score {
    pub(super) precision: f64,
    pub(super) recall: f64,
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn under(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap_or(0)
    }

    /// Sizes as they are in homes: most are small, a few are large. From 1 byte to 1 MiB.
    fn size(&mut self) -> usize {
        let power = self.under(20);
        1 + (1 << power) + self.under(1 << power)
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(word.get(..chunk.len()).unwrap_or(&word));
        }
    }
}

struct Maker<'a> {
    root: &'a Path,
    random: Random,
    truth: Truth,
    /// One path and size of each content.
    contents: Vec<(PathBuf, usize)>,
    folders: Vec<PathBuf>,
}

/// Names that programs stumble over.
const NAMES: &[&str] = &[
    "résumé",
    "写真",
    "фото",
    "with space",
    "quote'",
    "double\"quote",
    "[brackets]",
    "emoji 🎈",
    "-dash",
    "a%20b",
];

/// Makes a tree of this many files under `root`.
pub(super) fn make(root: &Path, files: usize, seed: u64) -> Result<Truth> {
    fs::create_dir_all(root)?;
    let truth = Truth { files: 0, bytes: 0, copies: 0, by_path: HashMap::new() };
    let mut maker =
        Maker { root, random: Random(seed), truth, contents: Vec::new(), folders: vec![PathBuf::new()] };
    while maker.truth.files < files {
        maker.folder(files)?;
        match maker.random.under(100) {
            0..30 if !maker.contents.is_empty() => maker.copy()?,
            30..36 if !maker.contents.is_empty() => maker.near(false)?,
            36..42 if !maker.contents.is_empty() => maker.near(true)?,
            42..44 if !maker.contents.is_empty() => maker.link()?,
            44..46 => maker.empty()?,
            46..47 => maker.holes()?,
            _ => maker.fresh()?,
        }
    }
    Ok(maker.truth)
}

impl Maker<'_> {
    fn folder(&mut self, files: usize) -> Result<()> {
        if self.random.under(files) < files / 20 + 1 {
            let parent = self.random.under(self.folders.len());
            let name = format!("folder {}", self.folders.len());
            let path = self.folders.get(parent).map_or_else(PathBuf::new, |parent| parent.join(name));
            if path.as_os_str().len() < 600 {
                fs::create_dir_all(self.root.join(&path))?;
                self.folders.push(path);
            }
        }
        Ok(())
    }

    fn path(&mut self) -> PathBuf {
        let folder = self.random.under(self.folders.len());
        let kind = self.random.under(40);
        let number = self.truth.files;
        let name = match NAMES.get(kind) {
            Some(odd) => format!("{odd} {number}.dat"),
            None if kind == NAMES.len() => format!("{}{number}", "long".repeat(60)),
            None => format!("file-{number}.dat"),
        };
        self.folders.get(folder).map_or_else(PathBuf::new, |folder| folder.join(name))
    }

    fn note(&mut self, path: &Path, content: usize, file: usize, size: usize) {
        self.truth.by_path.insert(path.as_os_str().as_bytes().to_vec(), (content, file));
        self.truth.files += 1;
        self.truth.bytes += size as u64;
    }

    fn write(&mut self, bytes: &[u8], content: usize) -> Result<()> {
        let path = self.path();
        fs::write(self.root.join(&path), bytes)?;
        if content == self.contents.len() {
            self.contents.push((path.clone(), bytes.len()));
        }
        let file = self.truth.files;
        self.note(&path, content, file, bytes.len());
        Ok(())
    }

    fn fresh(&mut self) -> Result<()> {
        let mut bytes = vec![0; self.random.size()];
        self.random.fill(&mut bytes);
        // A number in front: two files of one byte would be copies by chance.
        let number = self.truth.files.to_le_bytes();
        bytes.extend(number);
        self.write(&bytes, self.contents.len())
    }

    fn some(&mut self) -> Result<(usize, Vec<u8>)> {
        let at = self.random.under(self.contents.len());
        let path = self.contents.get(at).map_or_else(PathBuf::new, |(path, _)| path.clone());
        Ok((at, fs::read(self.root.join(path))?))
    }

    fn copy(&mut self) -> Result<()> {
        let (at, bytes) = self.some()?;
        self.truth.copies += 1;
        self.write(&bytes, at)
    }

    /// The same size: another end with the same front, or one byte changed somewhere inside.
    fn near(&mut self, inside: bool) -> Result<()> {
        let (_, mut bytes) = self.some()?;
        let end = bytes.len() - 1;
        let at = if inside { end / 2 } else { end };
        // The number of this file, so that two changed ones never meet.
        let number = u32::try_from(self.truth.files).unwrap_or(u32::MAX);
        if bytes.len() < 16 {
            return self.fresh();
        }
        for (place, byte) in number.to_le_bytes().iter().enumerate() {
            if let Some(slot) = bytes.get_mut(at - place) {
                *slot ^= byte ^ 0x55;
            }
        }
        self.write(&bytes, self.contents.len())
    }

    fn link(&mut self) -> Result<()> {
        let at = self.random.under(self.contents.len());
        let (from, size) = self.contents.get(at).cloned().unwrap_or_default();
        let path = self.path();
        fs::hard_link(self.root.join(&from), self.root.join(&path))?;
        let file = self.truth.by_path.get(from.as_os_str().as_bytes()).map_or(0, |(_, file)| *file);
        self.note(&path, at, file, size);
        Ok(())
    }

    /// Empty files are no copies of each other: each has a content of its own here.
    fn empty(&mut self) -> Result<()> {
        let path = self.path();
        fs::write(self.root.join(&path), b"")?;
        let file = self.truth.files;
        self.note(&path, usize::MAX - file, file, 0);
        Ok(())
    }

    /// A file with a hole, and sometimes the same bytes without one.
    fn holes(&mut self) -> Result<()> {
        let path = self.path();
        let size = 300_000 + self.random.under(100_000);
        let mut mark = [0; 16];
        self.random.fill(&mut mark);
        let mut file = File::create(self.root.join(&path))?;
        file.set_len(size as u64)?;
        file.seek(SeekFrom::Start(size as u64 / 2))?;
        file.write_all(&mark)?;
        drop(file);
        let (content, number) = (self.contents.len(), self.truth.files);
        self.contents.push((path.clone(), size));
        self.note(&path, content, number, size);
        if self.random.under(2) == 0 {
            let bytes = fs::read(self.root.join(&path))?;
            self.truth.copies += 1;
            self.write(&bytes, content)?;
        }
        Ok(())
    }
}

impl Truth {
    /// Compares groups of paths with what is true, by pairs of different files.
    pub(super) fn score(&self, groups: &[Vec<PathBuf>], root: &Path) -> Score {
        let pairs = |count: usize| count * count.saturating_sub(1) / 2;
        let mut all: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (content, file) in self.by_path.values() {
            all.entry(*content).or_default().insert(*file);
        }
        let there: usize = all.values().map(|files| pairs(files.len())).sum();
        let (mut told, mut right) = (0, 0);
        for group in groups {
            let mut files: BTreeMap<usize, usize> = BTreeMap::new();
            for path in group {
                let path = path.strip_prefix(root).unwrap_or(path);
                // What is not in the tree at all is wrong, too.
                let (content, file) = self
                    .by_path
                    .get(path.as_os_str().as_bytes())
                    .copied()
                    .unwrap_or((usize::MAX, usize::MAX - files.len()));
                files.insert(file, content);
            }
            told += pairs(files.len());
            let mut same: BTreeMap<usize, usize> = BTreeMap::new();
            for content in files.values() {
                *same.entry(*content).or_default() += 1;
            }
            right += same.values().map(|count| pairs(*count)).sum::<usize>();
        }
        let share = |part: usize, of: usize| if of == 0 { 1.0 } else { part as f64 / of as f64 };
        Score { precision: share(right, told), recall: share(right, there) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_the_same_for_the_same_seed_and_scores_are_by_pairs() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("a"), folder.path().join("b"));
        let truth = make(&one, 300, 7).unwrap();
        assert_eq!(truth.by_path, make(&other, 300, 7).unwrap().by_path);
        let mut groups: BTreeMap<usize, Vec<PathBuf>> = BTreeMap::new();
        for (path, (content, _)) in &truth.by_path {
            groups.entry(*content).or_default().push(one.join(std::ffi::OsStr::from_bytes(path)));
        }
        let mut groups: Vec<Vec<PathBuf>> = groups.into_values().collect();
        let score = truth.score(&groups, &one);
        assert!((score.precision - 1.0).abs() < 1e-9 && (score.recall - 1.0).abs() < 1e-9);
        let all = vec![groups.concat()];
        assert!(truth.score(&all, &one).precision < 0.1);
        groups.truncate(1);
        assert!(truth.score(&groups, &one).recall < 0.1);
        // What is said to be the same has the same bytes.
        for (path, (content, _)) in &truth.by_path {
            for (other, (theirs, _)) in &truth.by_path {
                if content == theirs {
                    let read =
                        |path: &Vec<u8>| fs::read(one.join(std::ffi::OsStr::from_bytes(path))).unwrap();
                    assert_eq!(read(path), read(other));
                }
            }
        }
    }
}
