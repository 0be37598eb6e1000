//! How well documents are found, and how well the search knows when nothing answers, on XQuAD: 240 paragraphs and
//! 1,190 questions in English and German. Each paragraph is a document and goes the way of documents: read, cut into
//! passages, written as blind cards, encoded and decoded as in the database, searched, judged.
//!
//! `cargo run --release -p knowledge --example xquad [--signs]`; the data is looked for below `STOA_DATA` and beside
//! the project. `--signs` prints what the confidence is fitted to, a row a question.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement")]
#![allow(clippy::disallowed_methods, reason = "reads where the data lies; no part of the server")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crypto::Blind;
use kernel::{Ambient, Clock, DocumentId, PassageId, Random, Time, Visibility};
use knowledge::extract::{Budget, extract};
use knowledge::index::Hit;
use knowledge::passage::{CHARS, Passage, passages};
use knowledge::rank::{Candidate, Judged, RERANKED, every_sign, judge};
use knowledge::{Card, Index, Query, Scribe};
use serde_json::Value;

const EVERYONE: Visibility = Visibility::Everyone;

struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now(&self) -> Time {
        Time::from_micros(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

impl Random for Ticks {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed) as u8);
    }
}

struct Set {
    paragraphs: Vec<String>,
    articles: Vec<usize>,
    questions: Vec<(String, usize)>,
}

struct Kept {
    document: usize,
    title: String,
    text: String,
    passage: Passage,
}

struct Base {
    blind: Blind,
    index: Index,
    passages: HashMap<PassageId, Kept>,
}

fn main() {
    let signs = std::env::args().any(|argument| argument == "--signs");
    if !signs {
        println!("{:<4} {:>9} {:>6} {:>6} {:>6}", "set", "questions", "hit@1", "hit@5", "MRR");
    }
    for language in ["en", "de"] {
        let Some(set) = load(language) else {
            println!("skipped: the data is not here");
            return;
        };
        if signs {
            print_signs(language, &set);
        } else {
            let base = Base::of(&set, &|_| true);
            base.print_hits(language, &set);
            base.print_refusals(&set);
        }
    }
}

impl Base {
    fn of(set: &Set, holds: &dyn Fn(usize) -> bool) -> Base {
        let ticks = Arc::new(Ticks(AtomicI64::new(1)));
        let ambient = Ambient::new(ticks.clone(), ticks);
        let blind = Blind::new([7; 32]);
        let mut base = Base { blind, index: Index::default(), passages: HashMap::new() };
        for (number, paragraph) in set.paragraphs.iter().enumerate() {
            if !holds(set.articles[number]) {
                continue;
            }
            let name = format!("{number}.txt");
            let read = extract(paragraph.as_bytes(), &name, &Budget::default()).unwrap();
            let document = DocumentId::new(&ambient);
            let mut scribe = Scribe::new(&base.blind);
            let mut cards = Vec::new();
            for passage in passages(&read.text, &read.blocks, CHARS) {
                let id = PassageId::new(&ambient);
                let blob = scribe.card(&passage.parts(&read.title, &read.text)).encode();
                cards.push((id, Card::decode(&blob).unwrap()));
                let text = passage.span.of(&read.text).unwrap().to_owned();
                base.passages.insert(id, Kept { document: number, title: read.title.clone(), text, passage });
            }
            base.index.begin(document, EVERYONE);
            base.index.add(document, &cards);
            base.index.finish(document);
        }
        base
    }

    fn candidates(&self, hits: &[Hit]) -> Vec<Candidate<'_>> {
        let candidate = |hit: &Hit| {
            let kept = &self.passages[&hit.passage];
            Candidate {
                title: &kept.title,
                headings: &kept.passage.headings,
                text: &kept.text,
                words: Some(hit.score),
                meaning: None,
            }
        };
        hits.iter().map(candidate).collect()
    }

    /// The documents found, the best first, when those that `hidden` names are not there.
    fn find(&self, question: &str, hidden: &dyn Fn(usize) -> bool) -> Vec<(usize, Judged)> {
        let query = self.index.weigh(&Query::new(question, &self.blind), EVERYONE);
        let mut hits = self.index.search(&query, EVERYONE, RERANKED * 2);
        hits.retain(|hit| !hidden(self.passages[&hit.passage].document));
        hits.truncate(RERANKED);
        let judged = judge(&query, &self.candidates(&hits));
        let mut found: Vec<(usize, Judged)> =
            hits.iter().map(|hit| self.passages[&hit.passage].document).zip(judged).collect();
        found.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
        found
    }

    fn print_hits(&self, language: &str, set: &Set) {
        let (mut first, mut five, mut reciprocal) = (0, 0, 0.0);
        for (question, gold) in &set.questions {
            let mut documents: Vec<usize> =
                self.find(question, &|_| false).into_iter().map(|(document, _)| document).collect();
            documents.dedup();
            if let Some(at) = documents.iter().position(|document| document == gold) {
                first += usize::from(at == 0);
                five += usize::from(at < 5);
                reciprocal += 1.0 / (at + 1) as f64;
            }
        }
        let all = set.questions.len() as f64;
        println!(
            "{language:<4} {:>9} {:>6.3} {:>6.3} {:>6.3}",
            set.questions.len(),
            f64::from(first as u32) / all,
            f64::from(five as u32) / all,
            reciprocal / all
        );
    }

    fn sure(&self, question: &str, hidden: &dyn Fn(usize) -> bool) -> f32 {
        // As a caller does: the surest of the best few.
        self.find(question, hidden).iter().take(3).map(|(_, judged)| judged.confidence).fold(0.0, f32::max)
    }

    fn print_refusals(&self, set: &Set) {
        let (mut with, mut sibling, mut absent) = (Vec::new(), Vec::new(), Vec::new());
        for (question, gold) in &set.questions {
            with.push(self.sure(question, &|_| false));
            sibling.push(self.sure(question, &|document| document == *gold));
            absent.push(self.sure(question, &|document| set.articles[document] == set.articles[*gold]));
        }
        let mut sorted = with.clone();
        sorted.sort_by(f32::total_cmp);
        let nine_of_ten = sorted[sorted.len() / 10];
        let below =
            |of: &[f32], limit: f32| of.iter().filter(|it| **it < limit).count() as f64 / of.len() as f64;
        println!(
            "     refused at {:.3} (nine of ten answered): paragraph removed {:.3}, article removed {:.3}; AUROC {:.3}, {:.3}",
            nine_of_ten,
            below(&sibling, nine_of_ten),
            below(&absent, nine_of_ten),
            auroc(&with, &sibling),
            auroc(&with, &absent),
        );
        println!(
            "     at the threshold {}: answered {:.3}, refused {:.3} and {:.3}",
            knowledge::SUPPORTED,
            1.0 - below(&with, knowledge::SUPPORTED),
            below(&sibling, knowledge::SUPPORTED),
            below(&absent, knowledge::SUPPORTED),
        );
    }

    /// What the best passage shows, and whether it is of the right document.
    fn print_sign(&self, label: &str, question: &str, gold: usize, hidden: &dyn Fn(usize) -> bool) {
        let query = self.index.weigh(&Query::new(question, &self.blind), EVERYONE);
        let mut hits = self.index.search(&query, EVERYONE, RERANKED * 2);
        hits.retain(|hit| !hidden(self.passages[&hit.passage].document));
        hits.truncate(RERANKED);
        let candidates = self.candidates(&hits);
        let judged = judge(&query, &candidates);
        let best = (0..judged.len()).max_by(|a, b| judged[*a].score.total_cmp(&judged[*b].score));
        let Some(best) = best else { return };
        let right = self.passages[&hits[best].passage].document == gold;
        let signs: Vec<String> =
            every_sign(&query, &candidates)[best].0.iter().map(|sign| format!("{sign:.4}")).collect();
        println!("{label}\t{}\t{}", u8::from(right), signs.join("\t"));
    }
}

/// Of all paragraphs together, and of small collections of four articles each: people have both.
fn print_signs(language: &str, set: &Set) {
    for size in [48, 4] {
        for first in (0..48).step_by(size) {
            let inside = |article: usize| (first..first + size).contains(&article);
            let base = Base::of(set, &inside);
            for (question, gold) in &set.questions {
                let article = set.articles[*gold];
                let label = |case: &str| format!("{language}{size}\t{article}\t{case}");
                if inside(article) {
                    base.print_sign(&label("with"), question, *gold, &|_| false);
                    base.print_sign(&label("sibling"), question, *gold, &|document| document == *gold);
                    let hidden = |document: usize| set.articles[document] == article;
                    base.print_sign(&label("absent"), question, *gold, &hidden);
                } else if article % 12 == first / size {
                    base.print_sign(&label("absent"), question, *gold, &|_| false);
                }
            }
        }
    }
}

/// The chance that a confidence of `with` is higher than one of `without`.
fn auroc(with: &[f32], without: &[f32]) -> f64 {
    let mut sum = 0.0;
    for a in with {
        for b in without {
            sum += if a > b { 1.0 } else { f64::from(u8::from(a == b)) / 2.0 };
        }
    }
    sum / (with.len() * without.len()) as f64
}

fn load(language: &str) -> Option<Set> {
    let name = format!("xquad/xquad.{language}.json");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = here.ancestors().map(|folder| folder.join("shared/data").join(&name));
    let named = std::env::var("STOA_DATA").ok().map(|data| PathBuf::from(data).join(&name));
    let file = named.into_iter().chain(beside).find(|path| path.is_file())?;
    let data: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let mut set = Set { paragraphs: vec![], articles: vec![], questions: vec![] };
    for (article, entry) in data["data"].as_array().unwrap().iter().enumerate() {
        for paragraph in entry["paragraphs"].as_array().unwrap() {
            for question in paragraph["qas"].as_array().unwrap() {
                set.questions.push((question["question"].as_str().unwrap().to_owned(), set.paragraphs.len()));
            }
            set.paragraphs.push(paragraph["context"].as_str().unwrap().to_owned());
            set.articles.push(article);
        }
    }
    Some(set)
}
