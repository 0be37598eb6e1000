//! How well passages are cut for searching: recall and precision of the five best passages on the public
//! chunking benchmark (472 questions with the places of their answers; as many as have their text at hand).
//!
//! `cargo run --release -p knowledge --example chunking [FOLDER]`, where the folder holds `questions_df.csv` and
//! `corpora/`; without one it looks for `data/chunking-eval` below `STOA_DATA` and beside the project.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement")]
#![allow(clippy::disallowed_methods, reason = "reads where the data lies; no part of the server")]

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crypto::Blind;
use kernel::{DocumentId, PassageId, Visibility};
use knowledge::extract::{Budget, Extracted, extract};
use knowledge::passage::{Passage, passages};
use knowledge::rank::{Candidate, RERANKED, judge};
use knowledge::{Card, Index, Query, Scribe};
use uuid::Uuid;

const BEST: usize = 5;

struct Question {
    text: String,
    corpus: String,
    answers: Vec<String>,
}

#[derive(Default, Clone, Copy)]
struct Sums {
    recall: f64,
    precision: f64,
    whole: usize,
    questions: usize,
    lost: usize,
}

fn main() {
    let Some(folder) = folder() else {
        println!("skipped: the benchmark is not here");
        return;
    };
    let questions = questions(&std::fs::read_to_string(folder.join("questions_df.csv")).unwrap());
    let mut corpora: Vec<PathBuf> =
        std::fs::read_dir(folder.join("corpora")).unwrap().map(|entry| entry.unwrap().path()).collect();
    corpora.sort();
    println!(
        "{:<20} {:>7} {:>9} {:>9} {:>7} {:>9} {:>10} {:>7} {:>5} {:>9}",
        "corpus",
        "most",
        "passages",
        "questions",
        "mean",
        "recall@5",
        "precision",
        "whole",
        "lost",
        "cut MB/s"
    );
    for most in [800, 1_200, 1_300, 1_400, 1_600] {
        let mut all = Sums::default();
        for path in &corpora {
            let name = path.file_stem().unwrap().to_str().unwrap();
            let sums = measure(path, name, most, &questions);
            all.recall += sums.recall;
            all.precision += sums.precision;
            all.whole += sums.whole;
            all.questions += sums.questions;
            all.lost += sums.lost;
        }
        print("all", most, 0, 0, all, 0.0);
    }
}

fn print(name: &str, most: usize, passages: usize, mean: usize, sums: Sums, speed: f64) {
    let share = |sum: f64| sum / sums.questions.max(1) as f64;
    println!(
        "{name:<20} {most:>7} {passages:>9} {:>9} {mean:>7} {:>9.3} {:>10.4} {:>7.3} {:>5} {speed:>9.0}",
        sums.questions,
        share(sums.recall),
        share(sums.precision),
        share(sums.whole as f64),
        sums.lost,
    );
}

fn measure(path: &Path, name: &str, most: usize, questions: &[Question]) -> Sums {
    let bytes = std::fs::read(path).unwrap();
    // Each file as what it is by its content: the name says Markdown for all of them.
    let document = extract(&bytes, name, &Budget::default()).unwrap();
    let began = Instant::now();
    let found = passages(&document.text, &document.blocks, most);
    let speed = document.text.len() as f64 / 1e6 / began.elapsed().as_secs_f64();
    let library = Library::of(&document, &found);
    let letters = Letters::of(&document.text);
    let mut sums = Sums::default();
    for question in questions.iter().filter(|question| question.corpus == name) {
        let answers: Vec<Range<usize>> =
            question.answers.iter().filter_map(|answer| letters.find(answer)).collect();
        sums.lost += question.answers.len() - answers.len();
        let answers = union(answers);
        let total: usize = answers.iter().map(|range| range.len()).sum();
        let best = library.find(&question.text);
        let spans: Vec<Range<usize>> =
            best.iter().map(|at| &found[*at].span).map(|span| span.start..span.end).collect();
        let held: usize =
            spans.iter().map(|span| answers.iter().map(|answer| overlap(span, answer)).sum::<usize>()).sum();
        let read: usize = spans.iter().map(|span| span.len()).sum();
        sums.questions += 1;
        sums.recall += held as f64 / total.max(1) as f64;
        sums.precision += held as f64 / read.max(1) as f64;
        sums.whole += usize::from(held == total);
    }
    let mean = document.text.len() / found.len().max(1);
    print(name, most, found.len(), mean, sums, speed);
    sums
}

/// The passages of a document as the server keeps and searches them.
struct Library<'a> {
    blind: Blind,
    index: Index,
    document: &'a Extracted,
    passages: &'a [Passage],
}

impl Library<'_> {
    fn of<'a>(document: &'a Extracted, passages: &'a [Passage]) -> Library<'a> {
        let mut library = Library { blind: Blind::new([7; 32]), index: Index::default(), document, passages };
        let id = DocumentId::from_uuid(Uuid::from_u128(1));
        library.index.begin(id, Visibility::Everyone);
        let mut scribe = Scribe::new(&library.blind);
        let cards: Vec<(PassageId, Card)> = passages
            .iter()
            .enumerate()
            .map(|(at, passage)| {
                let blob = scribe.card(&passage.parts(&document.title, &document.text)).encode();
                (PassageId::from_uuid(Uuid::from_u128(at as u128)), Card::decode(&blob).unwrap())
            })
            .collect();
        library.index.add(id, &cards);
        library.index.finish(id);
        library
    }

    fn find(&self, question: &str) -> Vec<usize> {
        let query = self.index.weigh(&Query::new(question, &self.blind), Visibility::Everyone);
        let hits = self.index.search(&query, Visibility::Everyone, RERANKED);
        let candidates: Vec<(usize, Candidate<'_>)> = hits
            .iter()
            .map(|hit| {
                let at = hit.passage.uuid().as_u128() as usize;
                let (passage, title) = (&self.passages[at], self.document.title.as_str());
                let text = passage.span.of(&self.document.text).unwrap();
                let words = Some(hit.score);
                (at, Candidate { title, headings: &passage.headings, text, words, meaning: None })
            })
            .collect();
        let only: Vec<Candidate<'_>> = candidates.iter().map(|(_, candidate)| *candidate).collect();
        let judged = judge(&query, &only);
        let mut order: Vec<usize> = (0..judged.len()).collect();
        order.sort_by(|a, b| judged[*b].score.total_cmp(&judged[*a].score));
        order.into_iter().take(BEST).map(|at| candidates[at].0).collect()
    }
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> usize {
    a.end.min(b.end).saturating_sub(a.start.max(b.start))
}

fn union(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// The letters and digits of a text with their places, so that an answer is found whatever became of the marks
/// and the white space around it.
struct Letters {
    letters: String,
    places: Vec<(usize, usize)>,
}

impl Letters {
    fn of(text: &str) -> Letters {
        let mut found = Letters { letters: String::new(), places: Vec::new() };
        for (at, c) in text.char_indices().filter(|(_, c)| c.is_alphanumeric()) {
            found.places.push((found.letters.len(), at));
            found.letters.push(c);
        }
        found
    }

    fn find(&self, answer: &str) -> Option<Range<usize>> {
        let answer: String = answer.chars().filter(|c| c.is_alphanumeric()).collect();
        let at = self.letters.find(&answer).filter(|_| !answer.is_empty())?;
        let place = |letter: usize| self.places[self.places.partition_point(|(known, _)| *known < letter)].1;
        let last = answer.chars().next_back()?.len_utf8();
        Some(place(at)..place(at + answer.len() - last) + last)
    }
}

fn folder() -> Option<PathBuf> {
    if let Some(given) = std::env::args().nth(1) {
        return Some(PathBuf::from(given)).filter(|folder| folder.is_dir());
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = here.ancestors().map(|folder| folder.join("shared/data/chunking-eval"));
    let named = std::env::var("STOA_DATA").ok().map(|data| Path::new(&data).join("chunking-eval"));
    named.into_iter().chain(beside).find(|folder| folder.is_dir())
}

fn questions(csv: &str) -> Vec<Question> {
    let mut rows: Vec<Vec<String>> = vec![vec![String::new()]];
    let mut quoted = false;
    for c in csv.chars() {
        match c {
            '"' => {
                // A doubled quote leaves the value and comes back at once.
                quoted = !quoted;
                let value = rows.last_mut().unwrap().last_mut().unwrap();
                if quoted && value.ends_with('\u{1}') {
                    value.pop();
                    value.push('"');
                } else if !quoted {
                    value.push('\u{1}');
                }
            }
            ',' if !quoted => rows.last_mut().unwrap().push(String::new()),
            '\n' if !quoted => rows.push(vec![String::new()]),
            _ => rows.last_mut().unwrap().last_mut().unwrap().push(c),
        }
    }
    rows.into_iter()
        .skip(1)
        .filter(|row| row.len() == 3)
        .map(|row| {
            let clean = |at: usize| row[at].replace('\u{1}', "").trim().to_owned();
            let references: serde_json::Value = serde_json::from_str(&clean(1)).unwrap();
            let answers = references.as_array().unwrap().iter();
            Question {
                text: clean(0),
                corpus: clean(2),
                answers: answers.map(|answer| answer["content"].as_str().unwrap().to_owned()).collect(),
            }
        })
        .collect()
}
