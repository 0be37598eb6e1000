//! The passages of one app that one audience may see, ready to be searched: postings as packed numbers, and vectors.
//! It never holds text.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use kernel::{DocumentId, PassageId};

use super::card::Card;
use super::vectors::Vectors;
use crate::query::Weighed;

/// How fast more of the same word stops to count (Robertson and Zaragoza, 2009; the customary value).
const K1: f32 = 1.2;
/// How much long passages are held back (the same).
const B: f32 = 0.75;

/// Bits of a posting that say how often the word counts; the others say in which slot.
const COUNT_BITS: u32 = 8;
/// Slots of a shelf.
const SLOTS: usize = 1 << (32 - COUNT_BITS);

/// Keys are keyed hashes already: they are their own hash.
#[derive(Default)]
pub(crate) struct Itself(u64);

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

type Postings = HashMap<u64, Vec<u32>, BuildHasherDefault<Itself>>;

/// A passage's place on the shelf.
#[derive(Clone, Copy, Debug)]
struct Slot {
    passage: PassageId,
    document: DocumentId,
    length: u32,
}

/// Passages, searchable.
#[derive(Default)]
pub(crate) struct Shelf {
    postings: Postings,
    slots: Vec<Slot>,
    /// Which passages lie where, for vectors that come later.
    places: HashMap<PassageId, u32>,
    /// Documents that are not on the shelf as a whole yet; nothing of them is found.
    partial: HashSet<DocumentId>,
    total: u64,
    vectors: Vectors,
}

/// A passage with its score.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Hit {
    /// The passage.
    pub passage: PassageId,
    /// Its document.
    pub document: DocumentId,
    /// Comparable within one search only.
    pub score: f32,
}

/// Counts that the weights of words come from, summed over shelves.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sums {
    pub(crate) passages: usize,
    pub(crate) words: u64,
}

impl Sums {
    /// Words of a passage in the mean.
    pub(crate) fn average(self) -> f32 {
        (self.words as f64 / self.passages.max(1) as f64).max(1.0) as f32
    }
}

impl Shelf {
    /// How many passages it holds.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn sums(&self) -> Sums {
        Sums { passages: self.slots.len(), words: self.total }
    }

    /// How many passages hold this word.
    pub(crate) fn frequency(&self, tag: u64) -> usize {
        self.postings.get(&tag).map_or(0, Vec::len)
    }

    /// Hides a document until [`Shelf::finish`], while it is put on the shelf piece by piece.
    pub(crate) fn begin(&mut self, document: DocumentId) {
        self.partial.insert(document);
    }

    /// Shows a document.
    pub(crate) fn finish(&mut self, document: DocumentId) {
        self.partial.remove(&document);
    }

    /// Puts passages of a document on the shelf. `false` when there is no room for them.
    pub(crate) fn add(&mut self, document: DocumentId, cards: &[(PassageId, Card)]) -> bool {
        if self.slots.len() + cards.len() > SLOTS {
            return false;
        }
        for (passage, card) in cards {
            let slot = self.slots.len() as u32;
            self.slots.push(Slot { passage: *passage, document, length: card.length });
            self.places.insert(*passage, slot);
            self.total += u64::from(card.length);
            for (tag, count) in &card.words {
                self.postings.entry(*tag).or_default().push(slot << COUNT_BITS | u32::from(*count));
            }
        }
        true
    }

    /// Takes documents off the shelf with everything known of them. The others move together.
    pub(crate) fn remove(&mut self, documents: &HashSet<DocumentId>) {
        self.partial.retain(|document| !documents.contains(document));
        if !self.slots.iter().any(|slot| documents.contains(&slot.document)) {
            return;
        }
        let mut moved = Vec::with_capacity(self.slots.len());
        let mut next = 0_u32;
        for slot in &self.slots {
            let stays = !documents.contains(&slot.document);
            moved.push(stays.then_some(next));
            next += u32::from(stays);
        }
        let place = |slot: u32| moved.get(slot as usize).copied().flatten();
        self.postings.retain(|_, list| {
            list.retain_mut(|posting| match place(*posting >> COUNT_BITS) {
                Some(slot) => {
                    *posting = slot << COUNT_BITS | (*posting & ((1 << COUNT_BITS) - 1));
                    true
                }
                None => false,
            });
            // A list that lost most of its entries gives the room back.
            if list.len() * 4 < list.capacity() {
                list.shrink_to_fit();
            }
            !list.is_empty()
        });
        self.places.retain(|_, slot| match place(*slot) {
            Some(now) => {
                *slot = now;
                true
            }
            None => false,
        });
        self.vectors.keep(&moved);
        self.slots.retain(|slot| !documents.contains(&slot.document));
        self.total = self.slots.iter().map(|slot| u64::from(slot.length)).sum();
    }

    /// Gives back the room that lists have in reserve: after the first filling, when few more will come.
    pub(crate) fn settle(&mut self) {
        self.postings.values_mut().for_each(Vec::shrink_to_fit);
    }

    /// Keeps the vector of a passage on the shelf; one of another model's width, or of a passage that is gone, is
    /// dropped.
    pub(crate) fn set_vector(&mut self, passage: PassageId, vector: &[f32]) {
        if let Some(slot) = self.places.get(&passage) {
            self.vectors.set(*slot as usize, vector);
        }
    }

    /// Forgets all vectors: those of another model say nothing about this one's.
    pub(crate) fn drop_vectors(&mut self) {
        self.vectors = Vectors::default();
    }

    /// How many numbers the vectors have, if any is known.
    pub(crate) fn width(&self) -> Option<usize> {
        self.vectors.width()
    }

    /// Adds the passages that share words with the question to `found`, at most `limit`: the best of this shelf.
    pub(crate) fn search(&self, query: &Weighed, average: f32, limit: usize, found: &mut Vec<Hit>) {
        let mut scores = vec![0.0_f32; self.slots.len()];
        for word in &query.words {
            let forms = [
                Some((word.word.stem_tag, word.stem_idf)),
                word.word.prefix_tag.map(|tag| (tag, word.prefix_idf)),
            ];
            for (tag, idf) in forms.into_iter().flatten() {
                for posting in self.postings.get(&tag).map_or(&[][..], Vec::as_slice) {
                    let at = (posting >> COUNT_BITS) as usize;
                    let count = (posting & ((1 << COUNT_BITS) - 1)) as f32;
                    if let (Some(score), Some(slot)) = (scores.get_mut(at), self.slots.get(at)) {
                        let damp = K1 * (1.0 - B + B * slot.length as f32 / average);
                        *score += idf * count * (K1 + 1.0) / (count + damp);
                    }
                }
            }
        }
        let hits = scores.iter().zip(&self.slots).filter(|(score, _)| **score > 0.0);
        self.best(hits.map(|(score, slot)| (*score, slot)), limit, found);
    }

    /// The same by meaning: the passages whose vectors point most nearly where this one does. Exact.
    pub(crate) fn nearest(&self, vector: &[f32], limit: usize, found: &mut Vec<Hit>) {
        // Of documents that are not shown yet the nearest may have to be passed over.
        let spare = if self.partial.is_empty() { limit } else { self.slots.len() };
        let near = self.vectors.nearest(vector, spare);
        let hits = near.iter().filter_map(|(at, score)| Some((*score, self.slots.get(*at)?)));
        self.best(hits, limit, found);
    }

    fn best<'a>(&'a self, hits: impl Iterator<Item = (f32, &'a Slot)>, limit: usize, found: &mut Vec<Hit>) {
        let shown = |slot: &Slot| self.partial.is_empty() || !self.partial.contains(&slot.document);
        let mut own: Vec<Hit> = hits
            .filter(|(_, slot)| shown(slot))
            .map(|(score, slot)| Hit { passage: slot.passage, document: slot.document, score })
            .collect();
        if own.len() > limit && limit > 0 {
            own.select_nth_unstable_by(limit - 1, order);
            own.truncate(limit);
        }
        found.append(&mut own);
    }
}

/// The best first; equal ones in the order of their ids, which is the same on every replica.
pub(crate) fn order(a: &Hit, b: &Hit) -> std::cmp::Ordering {
    b.score.total_cmp(&a.score).then(a.passage.cmp(&b.passage))
}
