//! Ranks texts by the words they share with a question: Okapi BM25 over an inverted index in memory. It owns the
//! numbers of the ranking. It never keeps the texts; a text is known by the number `add` gave it.

use std::collections::HashMap;

use crate::thesaurus;
use crate::tokens::{Stemming, each_term};

/// How fast more of the same word stops to count (Robertson and Zaragoza, 2009; the customary value).
const K1: f32 = 1.2;
/// How much long texts are held back (the same).
const B: f32 = 0.75;
/// What a word counts that stands for the one that was asked for.
pub const ALIKE: f32 = 0.8;
/// A word in more than this share of the texts is common, whatever the language…
const COMMON_SHARE: f32 = 0.3;
/// …once there are so many texts that shares mean something.
const COMMON_FROM: usize = 100;

/// An index of texts.
#[derive(Debug, Default)]
pub struct Index {
    stemming: Stemming,
    postings: HashMap<String, Vec<Posting>>,
    lengths: Vec<f32>,
    total: f64,
    /// Words that mean nearly the same are found too.
    broad: bool,
}

#[derive(Debug, Clone, Copy)]
struct Posting {
    text: u32,
    count: f32,
}

/// A question, weighed against an index.
#[derive(Clone, Debug)]
pub struct Query {
    terms: Vec<Weighed>,
    total: f32,
}

/// A word of a question.
#[derive(Clone, Debug)]
pub struct Weighed {
    /// The stemmed word.
    pub term: String,
    /// How rare it is: its inverse document frequency, largest for a word that the index does not know.
    pub idf: f32,
    /// The stems that may stand for it.
    pub alike: &'static [String],
}

impl Query {
    /// The different words that are searched for.
    pub fn terms(&self) -> &[Weighed] {
        &self.terms
    }

    /// The share of the question's weight that lies in the terms which `holds` accepts, 0 to 1. A word that only stands
    /// for the one that was asked for counts [`ALIKE`].
    pub fn coverage(&self, mut holds: impl FnMut(&str) -> bool) -> f32 {
        let mut share = |word: &Weighed| {
            if holds(&word.term) {
                1.0
            } else if word.alike.iter().any(|stem| holds(stem)) {
                ALIKE
            } else {
                0.0
            }
        };
        let held: f32 = self.terms.iter().map(|word| word.idf * share(word)).sum();
        if self.total > 0.0 { held / self.total } else { 0.0 }
    }
}

/// A text that shares words with a question.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Match {
    /// The number that [`Index::add`] gave.
    pub text: u32,
    /// The BM25 score; comparable within one search only.
    pub score: f32,
}

impl Index {
    /// An empty index.
    pub fn new(stemming: Stemming) -> Index {
        Index { stemming, ..Index::default() }
    }

    /// An empty index of English texts that also finds words which mean nearly the same.
    pub fn broad() -> Index {
        Index { broad: true, ..Index::new(Stemming::English) }
    }

    /// How many texts it holds.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Adds a text in parts, each with what one of its words counts; gives its number, counted from 0.
    pub fn add(&mut self, parts: &[(&str, f32)]) -> u32 {
        let number = u32::try_from(self.lengths.len()).unwrap_or(u32::MAX);
        let mut counts: HashMap<String, f32> = HashMap::new();
        let mut length = 0.0;
        for (text, weight) in parts.iter().copied() {
            each_term(text, self.stemming, |term| {
                length += 1.0;
                match counts.get_mut(term.text) {
                    Some(count) => *count += weight,
                    None => _ = counts.insert(term.text.to_owned(), weight),
                }
            });
        }
        for (term, count) in counts {
            self.postings.entry(term).or_default().push(Posting { text: number, count });
        }
        self.total += f64::from(length);
        self.lengths.push(length);
        number
    }

    /// Weighs the different words of a question. Common ones are left out when others remain.
    pub fn query(&self, question: &str) -> Query {
        let mut seen: HashMap<String, bool> = HashMap::new();
        let mut order = Vec::new();
        each_term(question, self.stemming, |term| {
            if !seen.contains_key(term.text) {
                seen.insert(term.text.to_owned(), term.common || self.is_everywhere(term.text));
                order.push(term.text.to_owned());
            }
        });
        let any_rare = seen.values().any(|common| !common);
        let terms: Vec<Weighed> = order
            .into_iter()
            .filter(|term| !any_rare || seen.get(term) == Some(&false))
            .map(|term| self.weigh(term))
            .collect();
        let total = terms.iter().map(|word| word.idf).sum();
        Query { terms, total }
    }

    /// The texts that share words with the question, best first; equal ones in the order they were added.
    pub fn search(&self, query: &Query, limit: usize) -> Vec<Match> {
        let mut scores: HashMap<u32, f32> = HashMap::new();
        let average = (self.total / self.lengths.len().max(1) as f64).max(1.0) as f32;
        for word in &query.terms {
            // Of the words that stand for one, the best counts.
            let mut best: HashMap<u32, f32> = HashMap::new();
            let stems = std::iter::once((&word.term, word.idf));
            let others = word.alike.iter().map(|stem| (stem, ALIKE * word.idf.min(self.idf(stem))));
            for (stem, weight) in stems.chain(others) {
                for posting in self.postings.get(stem).map_or(&[][..], Vec::as_slice) {
                    let length = self.lengths.get(posting.text as usize).copied().unwrap_or(average);
                    let damp = K1 * (1.0 - B + B * length / average);
                    let score = weight * posting.count * (K1 + 1.0) / (posting.count + damp);
                    let known = best.entry(posting.text).or_default();
                    *known = known.max(score);
                }
            }
            for (text, score) in best {
                *scores.entry(text).or_default() += score;
            }
        }
        let mut found: Vec<Match> = scores.into_iter().map(|(text, score)| Match { text, score }).collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.text.cmp(&b.text)));
        found.truncate(limit);
        found
    }

    /// A word of a question with its weight. One that the index does not know weighs what those weigh that stand for it.
    fn weigh(&self, term: String) -> Weighed {
        let alike = if self.broad { thesaurus::alike(&term) } else { &[] };
        let known = alike.iter().filter(|stem| self.frequency(stem) > 0).map(|stem| self.idf(stem));
        let idf = match known.reduce(f32::max) {
            Some(idf) if self.frequency(&term) == 0 => idf,
            _ => self.idf(&term),
        };
        Weighed { term, idf, alike }
    }

    fn frequency(&self, term: &str) -> usize {
        self.postings.get(term).map_or(0, Vec::len)
    }

    fn is_everywhere(&self, term: &str) -> bool {
        self.len() >= COMMON_FROM && self.frequency(term) as f32 > COMMON_SHARE * self.len() as f32
    }

    fn idf(&self, term: &str) -> f32 {
        let (all, with) = (self.len() as f32, self.frequency(term) as f32);
        (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> Index {
        let mut index = Index::new(Stemming::English);
        index.add(&[("Backups", 2.0), ("A backup is checked before anything live is touched.", 1.0)]);
        index.add(&[
            ("Limits", 2.0),
            ("Requests are limited for each key. Wait when the limit is reached.", 1.0),
        ]);
        index.add(&[("Keys", 2.0), ("Create a key, rotate a key, revoke a key.", 1.0)]);
        index
    }

    #[test]
    fn the_text_about_it_comes_first() {
        let index = index();
        let best = |question: &str| index.search(&index.query(question), 5).first().map(|found| found.text);
        assert_eq!(best("How are backups checked?"), Some(0));
        assert_eq!(best("what is the limit"), Some(1));
        assert_eq!(best("revoking keys"), Some(2));
        assert_eq!(best("zebra"), None);
        assert_eq!(best(""), None);
    }

    #[test]
    fn unknown_words_lower_the_coverage() {
        let index = index();
        let query = index.query("rotate the zebra");
        let known = query.coverage(|term| term == "rotat");
        assert!(known > 0.2 && known < 0.5, "{known}");
        assert_eq!(index.query("").coverage(|_| true), 0.0);
    }

    #[test]
    fn common_words_are_searched_only_when_nothing_else_is_asked() {
        let index = index();
        assert_eq!(index.query("is a backup").terms().len(), 1);
        assert_eq!(index.query("what is it").terms().len(), 3);
    }
}
