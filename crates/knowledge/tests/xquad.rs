//! Measures the search on XQuAD: 240 paragraphs, 1,190 questions. The data lies beside the project and is not part
//! of it, so this runs only when asked for: `cargo test -p knowledge --test xquad -- --ignored --nocapture`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement"
)]

use std::path::Path;

use knowledge::Manual;
use knowledge::bm25::Index;
use knowledge::tokens::Stemming;
use serde_json::Value;

struct Set {
    paragraphs: Vec<String>,
    /// The article of each paragraph.
    articles: Vec<usize>,
    /// A question and its paragraph.
    questions: Vec<(String, usize)>,
}

fn load(language: &str) -> Set {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = format!("shared/data/xquad/xquad.{language}.json");
    let file = here.ancestors().map(|folder| folder.join(&file)).find(|path| path.is_file());
    let file = file.expect("the folder shared/data stands beside the project");
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
    set
}

/// hit@1, hit@5 and mean reciprocal rank.
fn ranks(set: &Set, stemming: Stemming) -> (f64, f64, f64) {
    let mut index = Index::new(stemming);
    for paragraph in &set.paragraphs {
        index.add(&[(paragraph, 1.0)]);
    }
    let (mut first, mut five, mut reciprocal) = (0, 0, 0.0);
    for (question, gold) in &set.questions {
        let found = index.search(&index.query(question), 100);
        if let Some(at) = found.iter().position(|found| found.text as usize == *gold) {
            first += usize::from(at == 0);
            five += usize::from(at < 5);
            reciprocal += 1.0 / (at + 1) as f64;
        }
    }
    let all = set.questions.len() as f64;
    (first as f64 / all, five as f64 / all, reciprocal / all)
}

/// The chance that a confidence of `with` is higher than one of `without`.
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

#[test]
#[ignore = "needs the data beside the project"]
fn the_right_paragraph_comes_first() {
    for (language, stemming, least) in
        [("en", Stemming::English, 0.935), ("de", Stemming::Prefix, 0.885), ("en", Stemming::Prefix, 0.9)]
    {
        let (first, five, reciprocal) = ranks(&load(language), stemming);
        println!("{language} {stemming:?}: hit@1 {first:.3} hit@5 {five:.3} MRR {reciprocal:.3}");
        assert!(first >= least);
    }
}

#[test]
#[ignore = "needs the data beside the project"]
fn confidence_tells_what_is_not_there() {
    let set = load("en");
    let names: Vec<String> = (0..set.paragraphs.len()).map(|number| number.to_string()).collect();
    let manual = |keep: &dyn Fn(usize) -> bool| {
        let files: Vec<(&str, &str)> = names
            .iter()
            .zip(&set.paragraphs)
            .enumerate()
            .filter(|(number, _)| keep(*number))
            .map(|(_, (name, text))| (name.as_str(), text.as_str()))
            .collect();
        Manual::new(&files)
    };
    let confidence = |manual: &Manual, question: &str| {
        manual.search(question, 5).iter().map(|hit| hit.confidence).fold(0.0, f32::max)
    };
    let whole = manual(&|_| true);
    let (mut present, mut sibling, mut absent) = (Vec::new(), Vec::new(), Vec::new());
    for paragraph in 0..set.paragraphs.len() {
        let without = manual(&|number| number != paragraph);
        let without_article = manual(&|number| set.articles[number] != set.articles[paragraph]);
        for (question, _) in set.questions.iter().filter(|(_, gold)| *gold == paragraph) {
            present.push(confidence(&whole, question));
            sibling.push(confidence(&without, question));
            absent.push(confidence(&without_article, question));
        }
    }
    let share =
        |of: &[f32]| of.iter().filter(|it| **it >= knowledge::SUPPORTED).count() as f64 / of.len() as f64;
    println!(
        "paragraph removed: AUROC {:.3}; article removed: AUROC {:.3}; answered at the threshold: {:.3} of those \
         that have an answer, {:.3} and {:.3} of those that have none",
        auroc(&present, &sibling),
        auroc(&present, &absent),
        share(&present),
        share(&sibling),
        share(&absent),
    );
    assert!(auroc(&present, &absent) > 0.97);
}
