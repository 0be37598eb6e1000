//! The entries as a tree: files in the order in which every folder is one stretch, folders with what is in them. It
//! owns the order and the fingerprint of a folder; it never judges.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;

use kernel::Time;
use uuid::Uuid;

use super::{Digest, Entry, EntryKind};

/// The tree.
pub(super) struct Tree<'a> {
    /// All files; those of a folder stand together.
    pub(super) files: Vec<&'a Entry>,
    /// All folders in the same order, the root first.
    pub(super) folders: Vec<Folder<'a>>,
    /// Where in the list the folder of a path is.
    places: HashMap<&'a str, usize>,
}

/// A folder.
pub(super) struct Folder<'a> {
    /// Its path; empty for the root.
    pub(super) path: &'a str,
    /// Its entry, if it is one.
    pub(super) id: Option<Uuid>,
    /// Its files, those of folders in it too, as a stretch of [`Tree::files`].
    pub(super) files: Range<usize>,
    /// The folders in it, at any depth, as a stretch of [`Tree::folders`].
    pub(super) folders: Range<usize>,
    /// Where it lies; `None` for the root.
    pub(super) parent: Option<usize>,
    /// Bytes of all its files.
    pub(super) bytes: u64,
    /// When anything in it was changed last; of an empty one: itself.
    pub(super) modified: Time,
    /// There are links or devices in it: nothing is said about such folders.
    pub(super) odd: bool,
    /// The same for folders with the same names and contents in them; `None` when a content is not known.
    pub(super) print: Option<Digest>,
}

/// What a folder's fingerprint is made of: name, kind and content of one thing in it.
type Item<'a> = (&'a str, u8, Digest);

/// The order in which what is in a folder follows it at once.
fn by_path(a: &str, b: &str) -> Ordering {
    let signs =
        |path: &'_ str| path.bytes().map(|byte| if byte == b'/' { 0 } else { byte }).collect::<Vec<u8>>();
    // Nearly all neighbours differ before a slash; the folded form is made only where one is met.
    match a.bytes().zip(b.bytes()).find(|(one, other)| one != other) {
        Some((one, other)) if one != b'/' && other != b'/' => one.cmp(&other),
        None => a.len().cmp(&b.len()),
        _ => signs(a).cmp(&signs(b)),
    }
}

impl<'a> Tree<'a> {
    /// Puts the entries in order.
    pub(super) fn of(entries: &'a [Entry]) -> Tree<'a> {
        let mut files: Vec<&Entry> = entries.iter().filter(|entry| entry.is_file()).collect();
        files.sort_by(|a, b| by_path(&a.path, &b.path).then(a.id.cmp(&b.id)));
        let mut paths: HashMap<&'a str, Option<&'a Entry>> = HashMap::from([("", None)]);
        let mut odd: Vec<&'a str> = Vec::new();
        for entry in entries {
            match entry.kind {
                EntryKind::Folder => {
                    paths.insert(&entry.path, Some(entry));
                }
                EntryKind::Other => odd.push(entry.parent()),
                EntryKind::File => {}
            }
            let mut path = entry.parent();
            while !path.is_empty() && !paths.contains_key(path) {
                paths.insert(path, None);
                path = path.rsplit_once('/').map_or("", |(parent, _)| parent);
            }
        }
        let mut sorted: Vec<(&'a str, Option<&'a Entry>)> = paths.into_iter().collect();
        sorted.sort_by(|a, b| by_path(a.0, b.0));
        let places = sorted.iter().enumerate().map(|(at, (path, _))| (*path, at)).collect();
        let mut tree = Tree { files, folders: Vec::with_capacity(sorted.len()), places };
        for (path, entry) in sorted {
            tree.add(path, entry);
        }
        tree.mark_odd(&odd);
        tree.print();
        tree
    }

    fn add(&mut self, path: &'a str, entry: Option<&'a Entry>) {
        let is_in = |inner: &str| {
            path.is_empty() || inner.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
        };
        let from = self.files.partition_point(|file| by_path(&file.path, path) == Ordering::Less);
        let rest = self.files.get(from..).unwrap_or(&[]);
        let count = rest.partition_point(|file| is_in(&file.path));
        let inner = rest.get(..count).unwrap_or(&[]);
        let place = self.folders.len();
        // What was added last is a brother, an uncle, or the folder it lies in.
        let mut parent = place.checked_sub(1);
        while let Some(at) = parent
            && let Some(folder) = self.folders.get(at)
            && !(folder.path.is_empty()
                || path.strip_prefix(folder.path).is_some_and(|rest| rest.starts_with('/')))
        {
            parent = folder.parent;
        }
        let mut above = parent;
        while let Some(folder) = above.and_then(|at| self.folders.get_mut(at)) {
            folder.folders.end = place + 1;
            above = folder.parent;
        }
        self.folders.push(Folder {
            path,
            id: entry.map(|entry| entry.id),
            files: from..from + count,
            folders: place + 1..place + 1,
            parent,
            bytes: inner.iter().map(|file| file.size).sum(),
            modified: inner
                .iter()
                .map(|file| file.modified)
                .max()
                .or(entry.map(|entry| entry.modified))
                .unwrap_or_default(),
            odd: false,
            print: None,
        });
    }

    fn mark_odd(&mut self, odd: &[&str]) {
        for path in odd {
            let mut at = self.folder_of(path);
            while let Some(folder) = at.and_then(|at| self.folders.get_mut(at))
                && !folder.odd
            {
                folder.odd = true;
                at = folder.parent;
            }
        }
    }

    /// Fingerprints, from the deepest folder up.
    fn print(&mut self) {
        let empty = Digest::of(b"");
        let mut inner: Vec<Option<Vec<Item<'_>>>> = self.folders.iter().map(|_| Some(Vec::new())).collect();
        for file in &self.files {
            if let Some(list) = self.folder_of(file.parent()).and_then(|at| inner.get_mut(at)) {
                let digest = if file.size == 0 { Some(empty) } else { file.digest };
                match (digest, list.as_mut()) {
                    (Some(digest), Some(list)) => list.push((file.name(), b'f', digest)),
                    _ => *list = None,
                }
            }
        }
        for at in (0..self.folders.len()).rev() {
            let Some(folder) = self.folders.get_mut(at) else { continue };
            let list = inner.get_mut(at).and_then(Option::take);
            folder.print = list.filter(|_| !folder.odd).map(|mut list| {
                list.sort_unstable();
                let mut hasher = blake3::Hasher::new();
                for (name, kind, digest) in list {
                    hasher.update(&[kind]).update(&(name.len() as u64).to_le_bytes());
                    hasher.update(name.as_bytes()).update(&digest.0);
                }
                Digest(*hasher.finalize().as_bytes())
            });
            let name = folder.path.rsplit('/').next().unwrap_or(folder.path);
            let (print, parent) = (folder.print, folder.parent);
            if let Some(above) = parent.and_then(|at| inner.get_mut(at)) {
                match (print, above.as_mut()) {
                    (Some(print), Some(list)) => list.push((name, b'd', print)),
                    _ => *above = None,
                }
            }
        }
    }

    /// The place of the folder with this path.
    pub(super) fn folder_of(&self, path: &str) -> Option<usize> {
        self.places.get(path).copied()
    }

    /// The files of a folder.
    pub(super) fn of_folder(&self, folder: &Folder<'_>) -> &[&'a Entry] {
        self.files.get(folder.files.clone()).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_is_one_stretch_whatever_signs_are_in_names() {
        let paths = ["a/x", "a b/x", "a-b/y", "a.txt", "a/z/q", "a/z!/q", "b", "a!"];
        let entries: Vec<Entry> = paths
            .iter()
            .enumerate()
            .map(|(at, path)| Entry::file(Uuid::from_u128(at as u128), *path, 1, Time::EPOCH))
            .collect();
        let tree = Tree::of(&entries);
        let found: Vec<(&str, usize, usize)> = tree
            .folders
            .iter()
            .map(|folder| (folder.path, folder.files.len(), folder.folders.len()))
            .collect();
        assert_eq!(
            found,
            [("", 8, 5), ("a", 3, 2), ("a/z", 1, 0), ("a/z!", 1, 0), ("a b", 1, 0), ("a-b", 1, 0)]
        );
        for folder in &tree.folders {
            let prefix = if folder.path.is_empty() { String::new() } else { format!("{}/", folder.path) };
            assert!(tree.of_folder(folder).iter().all(|file| file.path.starts_with(&prefix)));
        }
    }
}
