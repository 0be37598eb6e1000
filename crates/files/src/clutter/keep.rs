//! Which of several is kept, and why, in words. The order is total: the same files give the same answer, whatever the
//! order they come in.

use std::cmp::Ordering;
use std::collections::HashSet;

use uuid::Uuid;

use super::{Entry, Format, Rules, versions};

/// What the files are compared for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// The same bytes: where they lie and how old they are decides.
    Copies,
    /// Pictures: the one that shows most is kept.
    Pictures,
    /// Texts and versions: the newest is kept.
    Texts,
}

/// Knows what stands above the files themselves: protected folders, files that other findings rest on.
pub(super) struct Choice<'a> {
    pub(super) rules: &'a Rules,
    /// Files that prove that others can go.
    pub(super) anchored: &'a HashSet<Uuid>,
}

type Criterion = (fn(&Choice<'_>, &Entry, &Entry) -> Ordering, &'static str);

const PROTECTED: Criterion = (
    |choice, a, b| more(choice.rules.protects(&a.path), choice.rules.protects(&b.path)),
    "it lies in a protected folder",
);
const ANCHORED: Criterion = (
    |choice, a, b| more(choice.anchored.contains(&a.id), choice.anchored.contains(&b.id)),
    "another finding rests on it",
);
const ORIGINAL: Criterion =
    (|_, a, b| more(a.marks.original, b.marks.original), "it is marked as the original");
const TAGGED: Criterion = (|_, a, b| more(a.marks.tagged, b.marks.tagged), "it has tags or a caption");
const PIXELS: Criterion = (|_, a, b| more(pixels(a), pixels(b)), "it has the most pixels");
const LOSSLESS: Criterion = (|_, a, b| more(is_lossless(a), is_lossless(b)), "it is saved without loss");
const TAKEN: Criterion =
    (|_, a, b| more(told(a), told(b)), "it says the most about how, when and where it was taken");
const BYTES: Criterion = (|_, a, b| more(a.size, b.size), "it has the most bytes for the same picture");
const NAMED: Criterion = (
    |_, a, b| more(!versions::is_copy(a.name()), !versions::is_copy(b.name())),
    "its name is not that of a copy",
);
const OLDEST: Criterion = (|_, a, b| more(b.modified, a.modified), "it is the oldest");
const NEWEST: Criterion = (|_, a, b| more(a.modified, b.modified), "it is the newest");
const DEPTH: Criterion = (|_, a, b| more(depth(b), depth(a)), "its path is the shortest");
const LENGTH: Criterion = (|_, a, b| more(b.path.len(), a.path.len()), "its path is the shortest");
const PATH: Criterion = (|_, a, b| more(&b.path, &a.path), "its path comes first in the alphabet");
const ID: Criterion = (|_, a, b| more(b.id, a.id), "it was here first");

/// Greater comes first.
fn more<T: Ord>(a: T, b: T) -> Ordering {
    b.cmp(&a)
}

fn criteria(purpose: Purpose) -> &'static [Criterion] {
    match purpose {
        Purpose::Copies => &[PROTECTED, ANCHORED, ORIGINAL, TAGGED, NAMED, OLDEST, DEPTH, LENGTH, PATH, ID],
        Purpose::Pictures => &[
            PROTECTED, ANCHORED, ORIGINAL, TAGGED, PIXELS, LOSSLESS, TAKEN, NAMED, BYTES, OLDEST, DEPTH,
            LENGTH, PATH, ID,
        ],
        Purpose::Texts => &[PROTECTED, ANCHORED, ORIGINAL, TAGGED, NEWEST, NAMED, DEPTH, LENGTH, PATH, ID],
    }
}

impl Choice<'_> {
    /// Which is rather kept: `Less` when it is the first; and what decided.
    pub(super) fn order(&self, purpose: Purpose, a: &Entry, b: &Entry) -> (Ordering, &'static str) {
        for (compare, why) in criteria(purpose) {
            let order = compare(self, a, b);
            if order != Ordering::Equal {
                return (order, why);
            }
        }
        (Ordering::Equal, "it is the only one")
    }

    /// Sorts what is rather kept to the front.
    pub(super) fn sort(&self, purpose: Purpose, entries: &mut [&Entry]) {
        entries.sort_by(|a, b| self.order(purpose, a, b).0);
    }

    /// Why the first of two is kept: a sentence.
    pub(super) fn why(&self, purpose: Purpose, kept: &Entry, next: &Entry) -> String {
        format!("Kept because {}.", self.order(purpose, kept, next).1)
    }

    /// Whether it must stay whatever it is like.
    pub(super) fn stays(&self, entry: &Entry) -> bool {
        self.rules.protects(&entry.path) || self.anchored.contains(&entry.id)
    }
}

fn pixels(entry: &Entry) -> u64 {
    entry.facts.as_ref().and_then(|facts| facts.image.as_ref()).map_or(0, super::ImageFacts::pixels)
}

fn is_lossless(entry: &Entry) -> bool {
    let format = entry.facts.as_ref().and_then(|facts| facts.format);
    matches!(format, Some(Format::Png | Format::Tiff | Format::Bmp))
}

fn told(entry: &Entry) -> u8 {
    let taken = entry.facts.as_ref().and_then(|facts| facts.image.as_ref()?.taken.as_ref());
    taken.map_or(0, |taken| {
        2 * u8::from(taken.place) + u8::from(taken.at.is_some()) + u8::from(taken.camera.is_some())
    })
}

fn depth(entry: &Entry) -> usize {
    entry.path.matches('/').count()
}
