//! Ranks texts by the words they share with a question: Okapi BM25 over an inverted index in memory. It owns the
//! numbers of the ranking. It never keeps the texts; a text is known by the number `add` gave it.

use std::collections::HashMap;

use crate::tokens::{Stemming, each_term};

/// How fast more of the same word stops to count (Robertson and Zaragoza, 2009; the customary value).
const K1: f32 = 1.2;
/// How much long texts are held back (the same).
const B: f32 = 0.75;
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
}

impl Query {
    /// The different words that are searched for.
    pub fn terms(&self) -> &[Weighed] {
        &self.terms
    }

    /// The share of the question's weight that lies in the terms which `holds` accepts, 0 to 1.
    pub fn coverage(&self, mut holds: impl FnMut(&str) -> bool) -> f32 {
        let held: f32 = self.terms.iter().filter(|word| holds(&word.term)).map(|word| word.idf).sum();
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
            .map(|term| Weighed { idf: self.idf(&term), term })
            .collect();
        let total = terms.iter().map(|word| word.idf).sum();
        Query { terms, total }
    }

    /// The texts that share words with the question, best first; equal ones in the order they were added.
    pub fn search(&self, query: &Query, limit: usize) -> Vec<Match> {
        let mut scores: HashMap<u32, f32> = HashMap::new();
        let average = (self.total / self.lengths.len().max(1) as f64).max(1.0) as f32;
        for word in &query.terms {
            for posting in self.postings.get(&word.term).map_or(&[][..], Vec::as_slice) {
                let length = self.lengths.get(posting.text as usize).copied().unwrap_or(average);
                let damp = K1 * (1.0 - B + B * length / average);
                *scores.entry(posting.text).or_default() +=
                    word.idf * posting.count * (K1 + 1.0) / (posting.count + damp);
            }
        }
        let mut found: Vec<Match> = scores.into_iter().map(|(text, score)| Match { text, score }).collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.text.cmp(&b.text)));
        found.truncate(limit);
        found
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
