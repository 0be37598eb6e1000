//! One thing in a tree of files, as the analysis sees it. It owns what is asked about it; where the answers come
//! from, a disk or a database, is the caller's.

use std::sync::Arc;

use kernel::Time;
use uuid::Uuid;

use super::{Digest, Facts};

/// A file, a folder or something else in the tree.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The caller's name for it; unique.
    pub id: Uuid,
    /// From the root of the tree, `/` between folders, no slash at either end. Folders need not be entries
    /// themselves, except where an empty one shall be found.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of the content.
    pub size: u64,
    /// When the content was last changed.
    pub modified: Time,
    /// When it was made, where that is known.
    pub created: Option<Time>,
    /// What storage it stands for; `None`: storage of its own, as large as the content.
    pub place: Option<Place>,
    /// The name of the content. `None`: not known, or known to be equal to nothing else in the tree.
    pub digest: Option<Digest>,
    /// What is known of the content. The same `Arc` may stand in many entries.
    pub facts: Option<Arc<Facts>>,
    /// What its owner has said of it.
    pub marks: Marks,
}

/// The kinds of [`Entry`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum EntryKind {
    /// Bytes.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, a socket, a device: what is in it is not looked at, but it makes a folder not empty.
    Other,
}

/// The storage behind a name. Several names may share it: hard links, or one stored blob.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The same for all names of one storage and for no other: device and inode, or [`Digest::short`] of a blob.
    pub key: u128,
    /// How many names the storage has, in this tree and outside it.
    pub names: u64,
    /// Bytes it takes.
    pub bytes: u64,
}

/// What the owner of a file has said of it; it counts when one of several is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    /// It is the original.
    pub original: bool,
    /// It has tags, a caption, an album: something that would be lost with it.
    pub tagged: bool,
}

impl Entry {
    /// A file with storage of its own of which nothing more is known.
    pub fn file(id: Uuid, path: impl Into<String>, size: u64, modified: Time) -> Entry {
        Entry {
            id,
            path: path.into(),
            kind: EntryKind::File,
            size,
            modified,
            created: None,
            place: None,
            digest: None,
            facts: None,
            marks: Marks::default(),
        }
    }

    /// A folder.
    pub fn folder(id: Uuid, path: impl Into<String>, modified: Time) -> Entry {
        Entry { kind: EntryKind::Folder, ..Entry::file(id, path, 0, modified) }
    }

    /// The same entry with what is known of its content.
    #[must_use]
    pub fn with_facts(self, facts: Arc<Facts>) -> Entry {
        let digest = Some(facts.digest).filter(|digest| *digest != Digest::UNKNOWN).or(self.digest);
        Entry { digest, facts: Some(facts), ..self }
    }

    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The folder it lies in; empty at the root.
    pub fn parent(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(parent, _)| parent)
    }

    /// The ending of the name in lower case, without the dot.
    pub fn ending(&self) -> Option<String> {
        let (stem, ending) = self.name().rsplit_once('.')?;
        (!stem.is_empty() && !ending.is_empty()).then(|| ending.to_lowercase())
    }

    /// Whether it is a file.
    pub fn is_file(&self) -> bool {
        self.kind == EntryKind::File
    }
}
