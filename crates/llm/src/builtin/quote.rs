//! Which sentences of the passages answer a question. It owns the score of a sentence and how far a quote reaches.
//! It never changes a word: a quote is a range of bytes.

use std::collections::HashSet;
use std::ops::Range;

use knowledge::SUPPORTED;
use knowledge::bm25::{Index, Query};
use knowledge::sentence::sentences;
use knowledge::tokens::{Stemming, distinct_terms};

use crate::chat::{Passage, Quote};

/// Sentences that are quoted at the most.
const MOST: usize = 3;
/// What the words of the sentence before and after add, and what its length takes away: the values that put the
/// right sentence first for 82 % of the questions of a public set (78 % when the paragraph has to be found too).
const BEFORE: f32 = 0.3;
const AFTER: f32 = 0.15;
const PER_CHAR: f32 = 0.004;
/// Longer than this in bytes counts as this long: tables and code are not worse for being long.
const LONG: usize = 250;
/// What the search's own confidence in the passage adds, as a share of the whole question's weight.
const PASSAGE: f32 = 0.6;
/// What each place further down the search's ranking takes away.
const PER_RANK: f32 = 0.15;
/// What the words of the title count for each sentence below it.
const NAMED: f32 = 0.5;
/// What they add for the first and second sentence: below a heading that asks the question, the answer comes first.
const OPENING: [f32; 2] = [0.5, 0.25];
/// A further sentence is quoted when it is at least this good beside the best.
const CLOSE: f32 = 0.75;
/// A sentence shorter than this in bytes takes the next one along.
const SHORT: usize = 100;

struct Candidate {
    passage: usize,
    /// The number of the sentence in its passage.
    at: usize,
    score: f32,
}

/// The best quotes for the question, best passage first; empty when no passage supports the question.
pub(super) fn pick(question: &str, passages: &[Passage]) -> Vec<Quote> {
    let supported = |passage: &&Passage| passage.confidence >= SUPPORTED;
    if !passages.iter().any(|passage| supported(&passage)) {
        return Vec::new();
    }
    let cut: Vec<Vec<Range<usize>>> = passages.iter().map(|passage| sentences(&passage.text)).collect();
    let mut index = Index::broad();
    for (passage, cut) in passages.iter().zip(&cut) {
        for range in cut {
            index.add(&[(passage.text.get(range.clone()).unwrap_or(""), 1.0)]);
        }
    }
    let query = index.query(question);
    let mut candidates = Vec::new();
    for (number, (passage, cut)) in passages.iter().zip(&cut).enumerate() {
        if supported(&passage) {
            weigh(&query, number, passage, cut, &mut candidates);
        }
    }
    candidates
        .sort_by(|a, b| b.score.total_cmp(&a.score).then(a.passage.cmp(&b.passage)).then(a.at.cmp(&b.at)));
    let best = candidates.first().map_or(0.0, |candidate| candidate.score);
    let close: Vec<&Candidate> = candidates
        .iter()
        .take_while(|candidate| candidate.score > 0.0 && candidate.score >= CLOSE * best)
        .take(MOST)
        .collect();
    // The passage with the best sentence comes first; inside of a passage the sentences keep their order.
    let place = |passage: usize| close.iter().position(|candidate| candidate.passage == passage);
    let mut chosen: Vec<(usize, usize)> = close.iter().map(|found| (found.passage, found.at)).collect();
    chosen.sort_by_key(|(passage, at)| (place(*passage), *at));
    spans(&chosen, passages, &cut)
}

/// Scores each sentence of a passage.
fn weigh(query: &Query, number: usize, passage: &Passage, cut: &[Range<usize>], found: &mut Vec<Candidate>) {
    let title = terms(&passage.title);
    let held: Vec<HashSet<String>> =
        cut.iter().map(|range| terms(passage.text.get(range.clone()).unwrap_or(""))).collect();
    let share = |at: Option<usize>| {
        let held = at.and_then(|at| held.get(at));
        held.map_or(0.0, |held| query.coverage(|term| held.contains(term)))
    };
    let named = query.coverage(|term| title.contains(term));
    for (at, range) in cut.iter().enumerate() {
        let own = share(Some(at)).max(NAMED * named);
        let opens = OPENING.get(at).copied().unwrap_or(0.0) * named;
        let words = own + opens + BEFORE * share(at.checked_sub(1)) + AFTER * share(Some(at + 1));
        let length = 1.0 + PER_CHAR * range.len().min(LONG) as f32;
        let score = words / length + PASSAGE * passage.confidence * words.min(1.0);
        let score = score / (1.0 + PER_RANK * number as f32);
        found.push(Candidate { passage: number, at, score });
    }
}

/// The chosen sentences as quotes: neighbours become one, a short one takes the next along, and so does one that
/// announces what follows.
fn spans(chosen: &[(usize, usize)], passages: &[Passage], cut: &[Vec<Range<usize>>]) -> Vec<Quote> {
    let mut quotes: Vec<(usize, usize, usize)> = Vec::new();
    for (passage, at) in chosen.iter().copied() {
        let (Some(text), Some(cut)) = (passages.get(passage).map(|p| &p.text), cut.get(passage)) else {
            continue;
        };
        let Some(range) = cut.get(at) else { continue };
        let words = text.get(range.clone()).unwrap_or("");
        let takes_next = (words.len() < SHORT || words.ends_with(':')) && at + 1 < cut.len();
        let last = at + usize::from(takes_next);
        match quotes.last_mut() {
            Some((same, _, end)) if *same == passage && at <= *end + 1 => *end = (*end).max(last),
            _ => quotes.push((passage, at, last)),
        }
    }
    let range = |passage: usize, first: usize, last: usize| {
        let cut = cut.get(passage)?;
        Some(Quote { passage, range: cut.get(first)?.start..cut.get(last)?.end })
    };
    quotes.into_iter().filter_map(|(passage, first, last)| range(passage, first, last)).collect()
}

fn terms(text: &str) -> HashSet<String> {
    distinct_terms(text, Stemming::English)
}
