//! How well sentences that answer are found, and how well it is known that none does: XQuAD, 240 paragraphs and 1,190
//! questions in English and German. Gold: the answer stands in the sentence.
//!
//! `cargo run --release -p knowledge --example answers`; the data is looked for below `STOA_DATA` and beside the project.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement")]
#![allow(clippy::disallowed_methods, reason = "reads where the data lies; no part of the server")]

use std::path::{Path, PathBuf};

use knowledge::Language;
use knowledge::answer::{self, Source};
use knowledge::bm25::Index;
use knowledge::sentence::sentences;
use knowledge::tokens::distinct_terms;
use serde_json::Value;

/// Paragraphs that the search hands over.
const PASSAGES: usize = 5;

struct Question {
    text: String,
    paragraph: usize,
    answer: std::ops::Range<usize>,
}

struct Set {
    paragraphs: Vec<String>,
    articles: Vec<usize>,
    questions: Vec<Question>,
}

fn main() {
    for (code, language) in [("en", Language::English), ("de", Language::German)] {
        let Some(set) = load(code) else {
            println!("skipped: the questions are not here");
            continue;
        };
        measure(code, language, &set);
    }
}

fn measure(code: &str, language: Language, set: &Set) {
    let mut index = Index::new(language.stemming());
    for paragraph in &set.paragraphs {
        index.add(&[(paragraph, 1.0)]);
    }
    let mut gold = [0_usize; 3];
    let mut open = [0_usize; 3];
    let (mut with, mut sibling, mut absent) = (Vec::new(), Vec::new(), Vec::new());
    for question in &set.questions {
        let query = index.query(&question.text);
        let found: Vec<(usize, f32)> = index
            .search(&query, set.paragraphs.len())
            .iter()
            .map(|found| (found.text as usize, found.score))
            .collect();
        let best = |keep: &dyn Fn(usize) -> bool| -> Vec<(usize, f32)> {
            found.iter().copied().filter(|(number, _)| keep(*number)).take(PASSAGES).collect()
        };
        count(set, question, &[(question.paragraph, 1.0)], &mut gold);
        let all = best(&|_| true);
        count(set, question, &all, &mut open);
        with.push(support(set, &index, question, &all));
        sibling.push(support(set, &index, question, &best(&|number| number != question.paragraph)));
        let article = set.articles[question.paragraph];
        absent.push(support(set, &index, question, &best(&|number| set.articles[number] != article)));
    }
    let all = set.questions.len() as f64;
    let share = |hits: [usize; 3]| hits.map(|hits| format!("{:.3}", hits as f64 / all)).join(" / ");
    println!("{code}: sentence hit@1/2/3, paragraph given {}, open {}", share(gold), share(open));
    let mut sorted = with.clone();
    sorted.sort_by(f32::total_cmp);
    let line = sorted[sorted.len() / 10];
    let refused =
        |scores: &[f32]| scores.iter().filter(|score| **score < line).count() as f64 / scores.len() as f64;
    let fixed = |scores: &[f32]| {
        scores.iter().filter(|score| **score >= knowledge::SUPPORTED).count() as f64 / scores.len() as f64
    };
    println!(
        "{code}: 90 % answered at {line:.3}: paragraph removed AUROC {:.3}, refused {:.3}; topic absent AUROC {:.3}, \
         refused {:.3}; at the line of the product answered {:.3}, {:.3}, {:.3}",
        auroc(&with, &sibling),
        refused(&sibling),
        auroc(&with, &absent),
        refused(&absent),
        fixed(&with),
        fixed(&sibling),
        fixed(&absent),
    );
}

fn sources<'a>(set: &'a Set, numbers: &[(usize, f32)]) -> Vec<Source<'a>> {
    let of = |(number, score): &(usize, f32)| Source {
        heading: "",
        text: &set.paragraphs[*number],
        score: *score,
    };
    numbers.iter().map(of).collect()
}

fn count(set: &Set, question: &Question, numbers: &[(usize, f32)], hits: &mut [usize; 3]) {
    let sources = sources(set, numbers);
    let picked = answer::pick(&question.text, &sources, 3);
    let right = picked.iter().position(|sentence| {
        numbers[sentence.passage].0 == question.paragraph
            && sentence.range.start < question.answer.end
            && question.answer.start < sentence.range.end
    });
    if let Some(right) = right {
        hits[right..].iter_mut().for_each(|hits| *hits += 1);
    }
}

/// How sure it is that one of the passages holds an answer: the share of the question's weight that the passage holds,
/// lowered when no single sentence holds most of it.
fn support(set: &Set, index: &Index, question: &Question, numbers: &[(usize, f32)]) -> f32 {
    let query = index.query(&question.text);
    let language = Language::of(&question.text);
    let held = |text: &str| distinct_terms(text, language.stemming());
    let confidence = |text: &str| {
        let whole = held(text);
        let sentences = sentences(text).into_iter().map(|range| held(&text[range]));
        let best = sentences.map(|held| query.coverage(|term| held.contains(term))).fold(0.0, f32::max);
        0.5 * query.coverage(|term| whole.contains(term)) + 0.5 * best
    };
    numbers.iter().map(|(number, _)| confidence(&set.paragraphs[*number])).fold(0.0, f32::max)
}

fn auroc(with: &[f32], without: &[f32]) -> f64 {
    let mut sum = 0.0;
    for a in with {
        for b in without {
            sum += if a > b {
                1.0
            } else if a == b {
                0.5
            } else {
                0.0
            };
        }
    }
    sum / (with.len() * without.len()) as f64
}

fn load(language: &str) -> Option<Set> {
    let file = format!("xquad/xquad.{language}.json");
    let beside = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut places: Vec<PathBuf> = std::env::var_os("STOA_DATA").map(PathBuf::from).into_iter().collect();
    places.extend(beside.ancestors().map(|folder| folder.join("shared/data")));
    let path = places.into_iter().map(|place| place.join(&file)).find(|path| path.is_file())?;
    let data: Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    let mut set = Set { paragraphs: vec![], articles: vec![], questions: vec![] };
    for (article, entry) in data["data"].as_array()?.iter().enumerate() {
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
            set.articles.push(article);
        }
    }
    Some(set)
}
