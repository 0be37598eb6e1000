//! The sentences of passages that answer a question, best first: what is quoted when there is no language model. It
//! owns the numbers of that judgement. It never changes a word: a sentence is a byte range of its passage; and it
//! never judges whether the passages answer at all: the search does.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::language::Language;
use crate::sentence::sentences;

mod kind;

use kind::Kind;

/// What the words of the neighbours add, what length takes away, what the rank of the passage adds, what a sentence
/// gets that may hold this kind of answer (a year for `when`, a name for `who`, a number for `how many`): the values
/// that put the right sentence first most often on a public set of questions (see the example `answers`).
const BEFORE: f32 = 0.2;
const AFTER: f32 = 0.12;
const PER_CHAR: f32 = 0.0015;
const RANK: f32 = 0.5;
const FITS: f32 = 0.3;
/// Longer than this in bytes counts as this long: tables and lists are not worse for being long.
const LONG: usize = 350;
/// What a heading that holds the question's words adds to each sentence below it, and to the first one.
const NAMED: f32 = 0.25;
const OPENING: f32 = 0.15;

/// A passage that may answer.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The names of its document and of the headings above it.
    pub heading: &'a str,
    /// The passage.
    pub text: &'a str,
    /// The score of the search that found it; comparable with the others of this search.
    pub score: f32,
}

/// A sentence that answers.
#[derive(Clone, PartialEq, Debug)]
pub struct Sentence {
    /// The index of its passage.
    pub passage: usize,
    /// Where it stands in the passage.
    pub range: Range<usize>,
    /// Comparable within one question only.
    pub score: f32,
}

/// How much the words of a question weigh inside of one passage: a word that each sentence holds tells nothing about
/// which of them answers.
struct Weights<'a> {
    of: HashMap<&'a str, f32>,
    total: f32,
}

impl Weights<'_> {
    fn share(&self, holds: impl Fn(&str) -> bool) -> f32 {
        let held: f32 = self.of.iter().filter(|(term, _)| holds(term)).map(|(_, weight)| weight).sum();
        if self.total > 0.0 { held / self.total } else { 0.0 }
    }
}

/// A passage, cut into sentences with their words.
struct Cut {
    ranges: Vec<Range<usize>>,
    terms: Vec<HashSet<String>>,
    heading: HashSet<String>,
}

impl Cut {
    fn of(language: Language, source: &Source<'_>) -> Cut {
        let ranges = sentences(source.text);
        let words = |range: &Range<usize>| language.content(source.text.get(range.clone()).unwrap_or(""));
        let terms = ranges.iter().map(|range| words(range).into_iter().collect()).collect();
        Cut { ranges, terms, heading: language.content(source.heading).into_iter().collect() }
    }

    fn weigh<'a>(&self, question: &'a [String]) -> Weights<'a> {
        let all = self.ranges.len() as f32;
        let weight = |term: &'a String| {
            let with = self.terms.iter().filter(|terms| terms.contains(term)).count() as f32;
            (term.as_str(), (1.0 + (all - with + 0.5) / (with + 0.5)).ln())
        };
        let of: HashMap<&str, f32> = question.iter().map(weight).collect();
        Weights { total: of.values().sum(), of }
    }
}

/// The sentences that share words with the question, best first, at most `most`.
pub fn pick(question: &str, sources: &[Source<'_>], most: usize) -> Vec<Sentence> {
    let language = Language::of(question);
    let asked = language.content(question);
    let kind = Kind::of(question, language);
    let top = sources.iter().map(|source| source.score).fold(0.0_f32, f32::max).max(f32::EPSILON);
    let mut found = Vec::new();
    for (passage, source) in sources.iter().enumerate() {
        let cut = Cut::of(language, source);
        let weights = cut.weigh(&asked);
        let share = |at: Option<usize>| {
            let terms = at.and_then(|at| cut.terms.get(at));
            terms.map_or(0.0, |terms| weights.share(|term| terms.contains(term)))
        };
        let named = weights.share(|term| cut.heading.contains(term));
        for (at, range) in cut.ranges.iter().enumerate() {
            let text = source.text.get(range.clone()).unwrap_or("");
            let around = BEFORE * share(at.checked_sub(1)) + AFTER * share(Some(at + 1));
            let opens = if at == 0 { OPENING * named } else { 0.0 };
            let words = share(Some(at)) + NAMED * named + opens + around;
            if words <= 0.0 || text.starts_with('#') {
                continue;
            }
            let fits = if kind.fits(text) { FITS } else { 0.0 };
            let length = 1.0 + PER_CHAR * range.len().min(LONG) as f32;
            let score = (words + fits) / length + RANK * source.score / top;
            found.push(Sentence { passage, range: range.clone(), score });
        }
    }
    found.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then(a.passage.cmp(&b.passage)).then(a.range.start.cmp(&b.range.start))
    });
    found.truncate(most);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETURNS: &str = "Returns are easy. You may send an item back within 30 days of delivery. The customer pays \
        for the parcel. Broken items are collected free of charge.";

    fn best(question: &str) -> &'static str {
        let sources = [
            Source {
                heading: "Shop › Opening hours", text: "We open at nine. We close at six.", score: 1.0
            },
            Source { heading: "Shop › Returns", text: RETURNS, score: 4.0 },
        ];
        let found = pick(question, &sources, 3);
        let first = found.iter().find(|sentence| sentence.passage == 1).unwrap();
        assert_eq!(first.passage, found[0].passage);
        &RETURNS[first.range.clone()]
    }

    #[test]
    fn the_sentence_that_answers_comes_first() {
        assert!(best("How many days do I have to send an item back?").contains("30 days"));
        assert!(best("Who pays for the parcel?").contains("customer pays"));
        assert!(best("Are broken items collected?").starts_with("Broken items"));
    }

    #[test]
    fn nothing_in_common_is_nothing() {
        let source = Source { heading: "", text: RETURNS, score: 1.0 };
        assert!(pick("zebra", &[source], 3).is_empty());
        assert!(pick("", &[source], 3).is_empty());
        assert!(pick("returns", &[], 3).is_empty());
    }
}
