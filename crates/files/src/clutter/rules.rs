//! What counts: sizes, ages, what is never to go, what was said to be fine. It owns the defaults.

use std::collections::BTreeSet;

use kernel::Time;
use uuid::Uuid;

use super::FindingKind;

/// What a report is made by.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The time that ages are counted to.
    pub now: Time,
    /// Files under this many bytes are no duplicates worth telling of. One byte: every file counts.
    pub min_size: u64,
    /// Folders of which nothing is ever to go, as paths from the root of the tree.
    pub protected: Vec<String>,
    /// Pairs of files that somebody has said are both wanted: they are never put to one another again.
    pub ignored: BTreeSet<(Uuid, Uuid)>,
    /// Only these kinds of findings; all when empty.
    pub only: BTreeSet<FindingKind>,
    /// Names of one storage are copies of each other: yes where names are all there is, no on a disk, where a hard
    /// link takes no room.
    pub shared_names: bool,
    /// Files of at least this many bytes are big.
    pub big: u64,
    /// Files that were not changed for this many days are old.
    pub old_days: u64,
    /// At most this many findings of kinds that only list files: big and old.
    pub most_listed: usize,
}

impl Rules {
    /// 100 MiB are big, two years are old, one byte counts.
    pub fn new(now: Time) -> Rules {
        Rules {
            now,
            min_size: 1,
            protected: Vec::new(),
            ignored: BTreeSet::new(),
            only: BTreeSet::new(),
            shared_names: true,
            big: 100 << 20,
            old_days: 730,
            most_listed: 100,
        }
    }

    /// Says that these two are both wanted.
    pub fn ignore(&mut self, one: Uuid, other: Uuid) {
        self.ignored.insert((one.min(other), one.max(other)));
    }

    /// Whether somebody has said that these two are both wanted.
    pub fn is_ignored(&self, one: Uuid, other: Uuid) -> bool {
        !self.ignored.is_empty() && self.ignored.contains(&(one.min(other), one.max(other)))
    }

    /// Whether findings of this kind are wanted.
    pub fn wants(&self, kind: FindingKind) -> bool {
        self.only.is_empty() || self.only.contains(&kind)
    }

    /// Whether the path lies in a protected folder, or is one.
    pub fn protects(&self, path: &str) -> bool {
        self.protected.iter().any(|folder| {
            let folder = folder.trim_matches('/');
            folder.is_empty()
                || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}
