//! The manual that the built-in answerer quotes: a handful of Markdown pages, searched in memory. It owns how sure
//! a search is of its hits, so that a question about something else can be refused. It never writes an answer.

use std::collections::HashSet;

use crate::bm25::{ALIKE, Index, Query};
use crate::chunk::{self, Chunk};
use crate::cite::Span;
use crate::sentence::sentences;
use crate::tokens::{Stemming, distinct_terms};

/// From this confidence on a passage is taken to answer the question.
pub const SUPPORTED: f32 = 0.5;

/// How many times a word of the heading right above a passage counts as one of the passage.
const OWN_HEADING: f32 = 3.0;

/// How many of the best passages are ranked again by how much their heading is like the question.
const RERANKED: usize = 20;

/// Pages that can be searched.
#[derive(Debug)]
pub struct Manual {
    pages: Vec<Page>,
    passages: Vec<(usize, Chunk)>,
    index: Index,
}

#[derive(Debug)]
struct Page {
    name: String,
    title: String,
    text: String,
}

/// A passage that shares words with a question.
#[derive(Clone, PartialEq, Debug)]
pub struct Hit {
    /// The title of the page.
    pub title: String,
    /// The headings above the passage, outermost first; the first is most often the title.
    pub heading_path: Vec<String>,
    /// The name of the page, as given to [`Manual::new`].
    pub source: String,
    /// The passage, byte for byte as it stands in the page.
    pub text: String,
    /// Where it stands in the page.
    pub span: Span,
    /// The rank's score; comparable within one search only.
    pub score: f32,
    /// How sure the search is that the passage answers the question: 0 to 1; see [`SUPPORTED`].
    pub confidence: f32,
}

impl Manual {
    /// A manual of these pages: name and Markdown each.
    pub fn new(files: &[(&str, &str)]) -> Manual {
        let mut manual = Manual { pages: Vec::new(), passages: Vec::new(), index: Index::broad() };
        for (name, text) in files {
            let page = manual.pages.len();
            for chunk in chunk::chunks(text, chunk::CHARS) {
                let (own, above) = chunk
                    .headings
                    .split_last()
                    .map_or(("", String::new()), |(own, above)| (own.as_str(), above.join("\n")));
                let body = chunk.span.of(text).unwrap_or("");
                manual.index.add(&[(&above, 1.0), (own, OWN_HEADING), (body, 1.0)]);
                manual.passages.push((page, chunk));
            }
            let title = chunk::title(text).unwrap_or_else(|| (*name).to_owned());
            manual.pages.push(Page { name: (*name).to_owned(), title, text: (*text).to_owned() });
        }
        manual
    }

    /// The passages that share words with `query`, best first, at most `limit`.
    pub fn search(&self, query: &str, limit: usize) -> Vec<Hit> {
        let query = self.index.query(query);
        let mut found = self.index.search(&query, limit.max(RERANKED));
        for found in &mut found {
            if let Some((_, chunk)) = self.passages.get(found.text as usize) {
                found.score *= 1.0 + likeness(&query, &self.index, chunk);
            }
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.text.cmp(&b.text)));
        found
            .into_iter()
            .take(limit)
            .filter_map(|found| {
                let (page, chunk) = self.passages.get(found.text as usize)?;
                let page = self.pages.get(*page)?;
                let text = chunk.span.of(&page.text)?;
                Some(Hit {
                    title: page.title.clone(),
                    heading_path: chunk.headings.clone(),
                    source: page.name.clone(),
                    text: text.to_owned(),
                    span: chunk.span.clone(),
                    score: found.score,
                    confidence: confidence(&query, &chunk.headings.join("\n"), text),
                })
            })
            .collect()
    }

    /// Whether `quote` stands, byte for byte, at this place of the page with this name.
    pub fn verifies(&self, source: &str, span: &Span, quote: &str) -> bool {
        self.pages.iter().any(|page| page.name == source && span.verifies(&page.text, quote))
    }
}

/// How much the heading right above a passage is the question itself, 0 to 1: the weight of the words that both
/// have, as a share of the weight of all words of either. Pages ask in their headings what people ask.
fn likeness(query: &Query, index: &Index, chunk: &Chunk) -> f32 {
    let heading = index.query(chunk.headings.last().map_or("", String::as_str));
    let asked = |term: &str| query.terms().iter().any(|word| word.term == term);
    let meant = |term: &str| query.terms().iter().any(|word| word.alike.iter().any(|stem| stem == term));
    let (mut both, mut either) = (0.0, query.terms().iter().map(|word| word.idf).sum::<f32>());
    for word in heading.terms() {
        if asked(&word.term) {
            both += word.idf;
        } else if meant(&word.term) {
            both += ALIKE * word.idf;
        } else {
            either += word.idf;
        }
    }
    if either > 0.0 { both / either } else { 0.0 }
}

/// How sure it is that a passage answers: the share of the question's weight that the passage and its headings
/// hold, lowered when no single sentence (with the headings) holds most of it.
fn confidence(query: &Query, headings: &str, text: &str) -> f32 {
    let above = terms(headings);
    let mut whole = above.clone();
    whole.extend(terms(text));
    let best = sentences(text)
        .into_iter()
        .filter_map(|range| text.get(range))
        .map(|sentence| {
            let held = terms(sentence);
            query.coverage(|term| held.contains(term) || above.contains(term))
        })
        .fold(0.0, f32::max);
    0.5 * query.coverage(|term| whole.contains(term)) + 0.5 * best
}

fn terms(text: &str) -> HashSet<String> {
    distinct_terms(text, Stemming::English)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manual() -> Manual {
        Manual::new(&[
            (
                "keys.md",
                "# Keys\n\nMake one.\n\n## How do I revoke a key?\n\nRun `stoa key revoke ID`. It ends at once.\n",
            ),
            ("limits.md", "# Limits\n\nA visitor may send 10 messages a minute.\n"),
        ])
    }

    #[test]
    fn a_hit_names_its_place_and_verifies() {
        let manual = manual();
        let hits = manual.search("How can I revoke a key?", 3);
        let best = &hits[0];
        assert_eq!((best.title.as_str(), best.source.as_str()), ("Keys", "keys.md"));
        assert_eq!(best.heading_path, ["Keys", "How do I revoke a key?"]);
        assert!(best.confidence >= SUPPORTED, "{}", best.confidence);
        assert!(manual.verifies(&best.source, &best.span, &best.text));
        assert!(!manual.verifies("limits.md", &best.span, &best.text));
    }

    #[test]
    fn questions_about_something_else_are_not_supported() {
        for question in ["What is the capital of France?", "key facts about zebra migration routes", ""] {
            let hits = manual().search(question, 5);
            assert!(hits.iter().all(|hit| hit.confidence < SUPPORTED), "{question}: {hits:?}");
        }
        assert!(Manual::new(&[]).search("anything", 5).is_empty());
    }
}
