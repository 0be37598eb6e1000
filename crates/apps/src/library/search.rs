//! One search: words and meaning find, the passages are opened, and what they say decides. What the asker may not see
//! is not looked at. It owns the time a search may wait for a vector.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use kernel::{AppId, Fault, PassageId, Result, Visibility};
use knowledge::query::Weighed;
use knowledge::rank::{Candidate, RERANKED, judge};
use knowledge::{Query, Span};
use store::Passage;

use super::shelves::Shelf;
use super::{Found, Library};

/// Passages of one search at the most.
const MOST: usize = 50;

/// What was found before its text is known.
struct Trace {
    words: Option<f32>,
    meaning: Option<f32>,
}

impl Library {
    /// The passages of the app's documents that answer `query` best, the best first, at most `limit`. `sees` is what
    /// the asker may see: [`Visibility::Everyone`] finds in documents for everyone alone, [`Visibility::Staff`] in all.
    pub async fn search(
        &self,
        app: &AppId,
        sees: Visibility,
        query: &str,
        limit: usize,
    ) -> Result<Vec<Found>> {
        let begun = Instant::now();
        self.ready().await?;
        let limit = limit.clamp(1, MOST);
        let Some(shelf) = self.0.shelves.of(app) else { return Ok(Vec::new()) };
        let found = self.search_shelf(app, &shelf, sees, query, limit).await?;
        metrics::histogram!("stoa_search_duration_seconds").record(begun.elapsed().as_secs_f64());
        Ok(found)
    }

    async fn search_shelf(
        &self,
        app: &AppId,
        shelf: &Arc<Shelf>,
        sees: Visibility,
        query: &str,
        limit: usize,
    ) -> Result<Vec<Found>> {
        let width = shelf.index.read().width(sees);
        let vector = match width {
            Some(width) => self.vector_of(query).await.filter(|vector| {
                let fits = vector.len() == width;
                if !fits {
                    self.misfit();
                }
                fits
            }),
            None => None,
        };
        let asked = Query::new(query, &shelf.blind);
        let most = limit.max(RERANKED);
        let searched = Arc::clone(shelf);
        let find = move || {
            let index = searched.index.read();
            let weighed = index.weigh(&asked, sees);
            let words = index.search(&weighed, sees, most);
            let near = vector.map(|vector| index.nearest(&vector, sees, most)).unwrap_or_default();
            drop(index);
            let mut traces: HashMap<PassageId, Trace> = HashMap::new();
            for hit in words {
                traces.insert(hit.passage, Trace { words: Some(hit.score), meaning: None });
            }
            for hit in near {
                let trace = traces.entry(hit.passage).or_insert(Trace { words: None, meaning: None });
                trace.meaning = Some(hit.score);
            }
            (weighed, traces)
        };
        let (weighed, traces) = tokio::task::spawn_blocking(find).await.map_err(Fault::internal)?;
        let ids: Vec<PassageId> = traces.keys().copied().collect();
        let passages = self.0.store.passages(app, sees, &ids).await?;
        let ranked = move || rank(&weighed, &traces, passages, limit);
        tokio::task::spawn_blocking(ranked).await.map_err(Fault::internal)
    }
}

/// Looks at the passages with their words at hand and puts them in their order.
fn rank(
    query: &Weighed,
    traces: &HashMap<PassageId, Trace>,
    mut passages: Vec<Passage>,
    limit: usize,
) -> Vec<Found> {
    passages.sort_unstable_by_key(|passage| passage.id);
    let candidates: Vec<Candidate<'_>> = passages
        .iter()
        .map(|passage| {
            let trace = traces.get(&passage.id);
            Candidate {
                title: &passage.title,
                headings: &passage.headings,
                text: &passage.text,
                words: trace.and_then(|trace| trace.words),
                meaning: trace.and_then(|trace| trace.meaning),
            }
        })
        .collect();
    let judged = judge(query, &candidates);
    let mut found: Vec<Found> = passages
        .into_iter()
        .zip(judged)
        .map(|(passage, judged)| Found {
            passage_id: passage.id,
            document_id: passage.document,
            title: passage.title,
            heading_path: passage.headings,
            page: passage.page,
            span: Span { start: place(passage.span.0), end: place(passage.span.1) },
            text: passage.text,
            score: judged.score,
            confidence: judged.confidence,
        })
        .collect();
    // Equal ones stay in the order of their ids, which is the same on every replica.
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(limit);
    found
}

fn place(byte: u64) -> usize {
    usize::try_from(byte).unwrap_or(usize::MAX)
}
