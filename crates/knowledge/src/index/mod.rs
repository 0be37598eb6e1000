//! The documents of one app, ready to be searched in memory: by words with Okapi BM25, by meaning with vectors. What
//! only the staff may see lies on a shelf of its own, so that a search for everyone neither finds it nor is ranked by
//! it. It never holds text, and asks nobody: cards and vectors are handed in.

mod card;
mod shelf;
mod vectors;

use std::collections::{HashMap, HashSet};

use kernel::{DocumentId, PassageId, Visibility};

pub use card::{Card, Scribe};
pub(crate) use card::{prefix_tag, stem_tag};
pub use shelf::Hit;
use shelf::{Shelf, Sums, order};

use crate::query::{Query, Weighed, WeighedWord};

/// A word in more than this share of the passages is common, whatever the language…
const COMMON_SHARE: f32 = 0.3;
/// …once there are so many passages that shares mean something.
const COMMON_FROM: usize = 100;

/// The documents of one app.
#[derive(Default)]
pub struct Index {
    everyone: Shelf,
    staff: Shelf,
    documents: HashMap<DocumentId, Visibility>,
}

impl Index {
    fn shelf(&mut self, visibility: Visibility) -> &mut Shelf {
        match visibility {
            Visibility::Everyone => &mut self.everyone,
            Visibility::Staff => &mut self.staff,
        }
    }

    /// The shelves that somebody may look at.
    fn shelves(&self, sees: Visibility) -> impl Iterator<Item = &Shelf> {
        let staff = (sees == Visibility::Staff).then_some(&self.staff);
        std::iter::once(&self.everyone).chain(staff)
    }

    /// The documents it holds, in no order.
    pub fn documents(&self) -> impl Iterator<Item = DocumentId> {
        self.documents.keys().copied()
    }

    /// How many passages somebody may find.
    pub fn passages(&self, sees: Visibility) -> usize {
        self.shelves(sees).map(Shelf::len).sum()
    }

    /// Begins a document. Nothing of it is found before [`Index::finish`].
    pub fn begin(&mut self, document: DocumentId, visibility: Visibility) {
        self.documents.insert(document, visibility);
        self.shelf(visibility).begin(document);
    }

    /// Adds passages of a document that was begun. `false` when the app has no room for more.
    pub fn add(&mut self, document: DocumentId, cards: &[(PassageId, Card)]) -> bool {
        match self.documents.get(&document).copied() {
            Some(visibility) => self.shelf(visibility).add(document, cards),
            None => true,
        }
    }

    /// Shows a document.
    pub fn finish(&mut self, document: DocumentId) {
        if let Some(visibility) = self.documents.get(&document).copied() {
            self.shelf(visibility).finish(document);
        }
    }

    /// Removes documents. It costs a look at every posting, so many at once cost as much as one.
    pub fn remove(&mut self, documents: &HashSet<DocumentId>) {
        self.documents.retain(|document, _| !documents.contains(document));
        self.everyone.remove(documents);
        self.staff.remove(documents);
    }

    /// Gives back the room that is kept in reserve: after many documents came at once.
    pub fn settle(&mut self) {
        self.everyone.settle();
        self.staff.settle();
    }

    /// Keeps vectors of a document's passages.
    pub fn set_vectors(&mut self, document: DocumentId, vectors: &[(PassageId, Vec<f32>)]) {
        if let Some(visibility) = self.documents.get(&document).copied() {
            let shelf = self.shelf(visibility);
            vectors.iter().for_each(|(passage, vector)| shelf.set_vector(*passage, vector));
        }
    }

    /// Forgets all vectors.
    pub fn drop_vectors(&mut self) {
        self.everyone.drop_vectors();
        self.staff.drop_vectors();
    }

    /// How many numbers the vectors have, where any are known.
    pub fn width(&self, sees: Visibility) -> Option<usize> {
        self.shelves(sees).find_map(Shelf::width)
    }

    /// Weighs the words of a question by how rare they are in what the asker may see. Common ones are left out when
    /// others remain.
    pub fn weigh(&self, query: &Query, sees: Visibility) -> Weighed {
        let all = self.sums(sees).passages;
        let frequency = |tag: u64| self.shelves(sees).map(|shelf| shelf.frequency(tag)).sum::<usize>();
        let everywhere = |with: usize| all >= COMMON_FROM && with as f32 > COMMON_SHARE * all as f32;
        let words = query.words.iter().map(|word| {
            let (stem, prefix) = (frequency(word.stem_tag), word.prefix_tag.map_or(0, frequency));
            let common = word.common || everywhere(stem);
            let weighed = WeighedWord {
                word: word.clone(),
                stem_idf: idf(all, stem),
                // First letters that are everywhere say nothing; the word itself may.
                prefix_idf: if everywhere(prefix) { 0.0 } else { idf(all, prefix) },
                known: stem + prefix > 0,
            };
            (common, weighed)
        });
        let words: Vec<(bool, WeighedWord)> = words.collect();
        let any_rare = words.iter().any(|(common, _)| !common);
        let words: Vec<WeighedWord> =
            words.into_iter().filter(|(common, _)| !any_rare || !common).map(|(_, word)| word).collect();
        let total = words.iter().map(|word| word.stem_idf).sum();
        Weighed { words, total }
    }

    /// The passages that share words with the question, best first, at most `limit`.
    pub fn search(&self, query: &Weighed, sees: Visibility, limit: usize) -> Vec<Hit> {
        let average = self.sums(sees).average();
        let mut found = Vec::new();
        for shelf in self.shelves(sees) {
            shelf.search(query, average, limit, &mut found);
        }
        ranked(found, limit)
    }

    /// The passages whose vectors are nearest to this one, nearest first, at most `limit`; the score is the cosine.
    pub fn nearest(&self, vector: &[f32], sees: Visibility, limit: usize) -> Vec<Hit> {
        let mut found = Vec::new();
        for shelf in self.shelves(sees) {
            shelf.nearest(vector, limit, &mut found);
        }
        ranked(found, limit)
    }

    fn sums(&self, sees: Visibility) -> Sums {
        self.shelves(sees).map(Shelf::sums).fold(Sums::default(), |a, b| Sums {
            passages: a.passages + b.passages,
            words: a.words + b.words,
        })
    }
}

fn ranked(mut found: Vec<Hit>, limit: usize) -> Vec<Hit> {
    found.sort_unstable_by(order);
    found.truncate(limit);
    found
}

fn idf(all: usize, with: usize) -> f32 {
    let (all, with) = (all as f32, with as f32);
    (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
}

#[cfg(test)]
mod tests;
