//! How well sentences that answer are found: XQuAD, 240 paragraphs and 1,190 questions in English and German. Passages
//! are searched and judged as in the product; the sentences are those that are quoted without a language model. Gold:
//! the answer stands in the sentence. How well it is known that nothing answers is what the example `xquad` measures.
//!
//! `cargo run --release -p knowledge --example answers`; the data is looked for below `STOA_DATA` and beside the project.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement")]
#![allow(clippy::disallowed_methods, reason = "reads where the data lies; no part of the server")]

use std::path::{Path, PathBuf};

use crypto::Blind;
use kernel::{DocumentId, PassageId, Visibility};
use knowledge::answer::{self, Source};
use knowledge::rank::{Candidate, RERANKED, judge};
use knowledge::{Index, Query, Scribe};
use serde_json::Value;
use uuid::Uuid;

/// Passages that customer service looks at.
const PASSAGES: usize = 6;
const EVERYONE: Visibility = Visibility::Everyone;

struct Question {
    text: String,
    paragraph: usize,
    answer: std::ops::Range<usize>,
}

struct Set {
    paragraphs: Vec<String>,
    questions: Vec<Question>,
}

fn main() {
    println!("{:<4} {:<16} {:>6} {:>6} {:>6}", "set", "passages", "hit@1", "hit@2", "hit@3");
    for code in ["en", "de"] {
        match load(code) {
            Some(set) => measure(code, &set),
            None => println!("skipped: the questions are not here"),
        }
    }
}

fn measure(code: &str, set: &Set) {
    let blind = Blind::new([7; 32]);
    let mut index = Index::default();
    for (number, paragraph) in set.paragraphs.iter().enumerate() {
        let id = Uuid::from_u128(number as u128);
        let card = Scribe::new(&blind).card(&[(paragraph, 1)]);
        index.begin(DocumentId::from_uuid(id), EVERYONE);
        index.add(DocumentId::from_uuid(id), &[(PassageId::from_uuid(id), card)]);
        index.finish(DocumentId::from_uuid(id));
    }
    let (mut gold, mut open) = ([0_usize; 3], [0_usize; 3]);
    for question in &set.questions {
        count(set, question, &[(question.paragraph, 1.0)], &mut gold);
        count(set, question, &find(set, &index, &blind, &question.text), &mut open);
    }
    for (name, hits) in [("the right one", gold), ("searched", open)] {
        let [one, two, three] = hits.map(|hits| hits as f64 / set.questions.len() as f64);
        println!("{code:<4} {name:<16} {one:>6.3} {two:>6.3} {three:>6.3}");
    }
}

/// The paragraphs that are found, with their scores, best first.
fn find(set: &Set, index: &Index, blind: &Blind, question: &str) -> Vec<(usize, f32)> {
    let query = index.weigh(&Query::new(question, blind), EVERYONE);
    let hits = index.search(&query, EVERYONE, RERANKED);
    let number = |passage: PassageId| passage.uuid().as_u128() as usize;
    let candidates: Vec<Candidate<'_>> = hits
        .iter()
        .map(|hit| Candidate {
            title: "",
            headings: &[],
            text: &set.paragraphs[number(hit.passage)],
            words: Some(hit.score),
            meaning: None,
        })
        .collect();
    let judged = judge(&query, &candidates);
    let mut found: Vec<(usize, f32)> =
        hits.iter().zip(judged).map(|(hit, judged)| (number(hit.passage), judged.score)).collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found.truncate(PASSAGES);
    found
}

fn count(set: &Set, question: &Question, found: &[(usize, f32)], hits: &mut [usize; 3]) {
    let source = |(number, score): &(usize, f32)| Source {
        heading: "",
        text: &set.paragraphs[*number],
        score: *score,
    };
    let sources: Vec<Source<'_>> = found.iter().map(source).collect();
    let right = answer::pick(&question.text, &sources, 3).iter().position(|sentence| {
        found[sentence.passage].0 == question.paragraph
            && sentence.range.start < question.answer.end
            && question.answer.start < sentence.range.end
    });
    if let Some(right) = right {
        hits[right..].iter_mut().for_each(|hits| *hits += 1);
    }
}

fn load(language: &str) -> Option<Set> {
    let file = format!("xquad/xquad.{language}.json");
    let beside = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut places: Vec<PathBuf> = std::env::var_os("STOA_DATA").map(PathBuf::from).into_iter().collect();
    places.extend(beside.ancestors().map(|folder| folder.join("shared/data")));
    let path = places.into_iter().map(|place| place.join(&file)).find(|path| path.is_file())?;
    let data: Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    let mut set = Set { paragraphs: vec![], questions: vec![] };
    for entry in data["data"].as_array()? {
        for paragraph in entry["paragraphs"].as_array()? {
            let text = paragraph["context"].as_str()?.to_owned();
            for question in paragraph["qas"].as_array()? {
                let answer = &question["answers"][0];
                // Places are counted in characters.
                let from = answer["answer_start"].as_u64()? as usize;
                let start = text.char_indices().nth(from).map_or(text.len(), |(at, _)| at);
                let end = start + answer["text"].as_str()?.len();
                let question = question["question"].as_str()?.to_owned();
                set.questions.push(Question {
                    text: question,
                    paragraph: set.paragraphs.len(),
                    answer: start..end,
                });
            }
            set.paragraphs.push(text);
        }
    }
    Some(set)
}
