//! How many edited documents are found again, per edit, and how many different ones are taken for the same: articles of
//! XQuAD in English and German, from text to report. `STOA_DATA` names the folder of the data.
//!
//! `cargo run --release -p files --example documents`

#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "an example that prints a table of what it computes"
)]

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use files::clutter::{Advice, Entry, FindingKind, Limits, Relation, Rules, analyse, learn};
use kernel::Time;
use serde_json::Value;
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

struct Random(u64);

impl Random {
    fn under(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

fn articles(text: &str) -> Outcome<Vec<String>> {
    let value: Value = serde_json::from_str(text)?;
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let paragraph = |value: &Value| value["context"].as_str().unwrap_or_default().to_owned();
    let article =
        |value: &Value| list(value, "paragraphs").iter().map(paragraph).collect::<Vec<_>>().join("\n\n");
    Ok(list(&value, "data").iter().map(article).filter(|text| !text.is_empty()).collect())
}

/// Replaces this share of the words by words of other articles.
fn replaced(text: &str, hundredths: usize, words: &[&str], random: &mut Random) -> String {
    let changed = |word: &str, random: &mut Random| {
        if random.under(100) < hundredths {
            words[random.under(words.len())].to_owned()
        } else {
            word.to_owned()
        }
    };
    let lines = text
        .split("\n\n")
        .map(|line| line.split_whitespace().map(|word| changed(word, random)).collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n\n")
}

fn part(text: &str, from: f64, to: f64) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let at = |share: f64| (words.len() as f64 * share) as usize;
    words[at(from)..at(to)].join(" ")
}

fn sentences_turned(text: &str) -> String {
    let mut sentences: Vec<&str> = text.split_inclusive(". ").collect();
    sentences.reverse();
    sentences.concat()
}

type Edit<'a> = (&'static str, Box<dyn Fn(&str, &mut Random) -> String + 'a>);

fn edits<'a>(words: &'a [&'a str], extra: &'a [String]) -> Vec<Edit<'a>> {
    let replace =
        |share: usize| Box::new(move |text: &str, random: &mut Random| replaced(text, share, words, random));
    vec![
        ("1 % of the words replaced", replace(1)),
        ("5 % of the words replaced", replace(5)),
        ("10 % of the words replaced", replace(10)),
        ("cut to 80 %", Box::new(|text, _| part(text, 0.0, 0.8))),
        ("cut to 50 %", Box::new(|text, _| part(text, 0.0, 0.5))),
        ("a third from the middle", Box::new(|text, _| part(text, 0.33, 0.66))),
        (
            "another text of a quarter appended",
            Box::new(|text, random| {
                let other = &extra[random.under(extra.len())];
                let share = (text.len() as f64 / 4.0 / other.len() as f64).min(1.0);
                format!("{text}\n\n{}", part(other, 0.0, share))
            }),
        ),
        ("sentences in another order", Box::new(|text, _| sentences_turned(text))),
        (
            "other lines, capitals, quotes",
            Box::new(|text, _| text.to_uppercase().replace(". ", ".\n").replace('"', "\u{201c}")),
        ),
        (
            "as a web page",
            Box::new(|text, _| {
                let body: String = text
                    .split("\n\n")
                    .map(|line| format!("<p>{}</p>\n", line.replace('<', "&lt;")))
                    .collect();
                format!("<!doctype html><html><head><title>x</title></head><body>{body}</body></html>")
            }),
        ),
    ]
}

fn entry(number: usize, path: &str, text: &str) -> Outcome<Entry> {
    let facts = learn(&mut Cursor::new(text.as_bytes()), path, &Limits::default())?;
    let file = Entry::file(
        Uuid::from_u128(number as u128),
        path,
        text.len() as u64,
        Time::from_seconds(number as i64),
    );
    Ok(file.with_facts(Arc::new(facts)))
}

/// Pairs of what is kept and what goes, by the number of the article, and whether it is told to be a part.
fn pairs(entries: &[Entry]) -> Vec<(usize, usize, bool)> {
    let mut rules = Rules::new(Time::EPOCH);
    rules.only.insert(FindingKind::NearDocument);
    let number = |path: &str| path.split('-').nth(1).and_then(|end| end.parse().ok()).unwrap_or(usize::MAX);
    let mut pairs = Vec::new();
    for finding in analyse(entries, &rules).findings {
        let kept = finding.members.first().map_or(usize::MAX, |member| number(&member.path));
        for member in finding.members.iter().filter(|member| member.advice == Advice::Go) {
            let part = member.evidence.iter().any(|proof| matches!(proof.relation, Relation::PartOf { .. }));
            pairs.push((kept, number(&member.path), part));
        }
    }
    pairs
}

fn main() -> Outcome<()> {
    let data = std::env::var_os("STOA_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    for language in ["en", "de"] {
        let path = data.join(format!("xquad/xquad.{language}.json"));
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!("skipped: {} is not there", path.display());
            continue;
        };
        let all = articles(&text)?;
        // Half of the articles are edited; the others only lend words.
        let (texts, extra) = all.split_at(all.len() / 2);
        let words: Vec<&str> = extra.iter().flat_map(|text| text.split_whitespace()).collect();
        let base: Vec<Entry> = texts
            .iter()
            .enumerate()
            .map(|(at, text)| entry(at, &format!("base-{at}-.txt"), text))
            .collect::<Outcome<_>>()?;
        println!(
            "\nXQuAD {language}: {} articles; pairs told among them: {}",
            texts.len(),
            pairs(&base).len()
        );
        println!("{:<40}{:>8}{:>10}{:>9}", "edit", "recall", "as part", "false");
        let (mut right_pairs, mut all_pairs) = (0, 0);
        for (name, edit) in edits(&words, extra) {
            let mut random = Random(7);
            let mut entries = base.clone();
            for (at, text) in texts.iter().enumerate() {
                let ending = if name == "as a web page" { "html" } else { "txt" };
                let edited = edit(text, &mut random);
                entries.push(entry(texts.len() + at, &format!("edited-{at}-.{ending}"), &edited)?);
            }
            let found = pairs(&entries);
            let right: BTreeSet<usize> = found.iter().filter(|(a, b, _)| a == b).map(|(a, ..)| *a).collect();
            let parts = found.iter().filter(|(a, b, part)| a == b && *part).count();
            let wrong = found.iter().filter(|(a, b, _)| a != b).count();
            right_pairs += found.len() - wrong;
            all_pairs += found.len();
            let recall = right.len() as f64 / texts.len() as f64;
            println!("{name:<40}{recall:>8.3}{parts:>10}{wrong:>9}");
        }
        println!("precision {:.4}", right_pairs as f64 / f64::from(u32::try_from(all_pairs.max(1))?));
    }
    Ok(())
}
