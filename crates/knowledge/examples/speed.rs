//! How fast documents are written for the index and searched in it: megabytes a second from bytes to blobs, the time
//! to read blobs into memory, the time of a search by words, of the last look, and by vectors, with the recall of the
//! last beside a search that looks at every number.
//!
//! `cargo run --release -p knowledge --example speed [PASSAGES]`, 100,000 unless said. The text is made up: words of a
//! vocabulary of 60,000 as frequent as in real text (Zipf).

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement")]
#![allow(clippy::disallowed_methods, reason = "reads its own memory; no part of the server")]

use std::time::{Duration, Instant};

use crypto::Blind;
use kernel::{DocumentId, PassageId, Visibility};
use knowledge::extract::{Budget, extract};
use knowledge::passage::{CHARS, passages};
use knowledge::rank::{Candidate, RERANKED, judge};
use knowledge::{Card, Index, Query, Scribe};
use uuid::Uuid;

const EVERYONE: Visibility = Visibility::Everyone;
const WORDS: usize = 60_000;

/// Numbers that are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A word by its rank, the first the most frequent.
    fn word(&mut self) -> usize {
        ((WORDS as f64).powf(self.unit()) as usize).min(WORDS - 1)
    }
}

fn vocabulary(dice: &mut Dice) -> Vec<String> {
    let syllables = [
        "ba", "con", "der", "el", "for", "gi", "ham", "in", "ka", "lo", "men", "ni", "or", "pre", "qui",
        "ra", "sta", "tion", "un", "ver", "wa", "zo",
    ];
    (0..WORDS)
        .map(|_| {
            (0..2 + dice.next() % 3).map(|_| syllables[dice.next() as usize % syllables.len()]).collect()
        })
        .collect()
}

fn main() {
    let count: usize = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let vocabulary = vocabulary(&mut dice);
    let blind = Blind::new([7; 32]);
    let (mut texts, mut blobs, mut bytes) = (Vec::new(), Vec::new(), 0);
    let mut spent = Duration::ZERO;
    while texts.len() < count {
        let mut source = String::new();
        for _ in 0..40 {
            source.push_str("## ");
            source.push_str(&vocabulary[dice.word()]);
            source.push_str("\n\n");
            for _ in 0..14 {
                for word in 0..14 {
                    source.push_str(&vocabulary[dice.word()]);
                    source.push(if word == 13 { '.' } else { ' ' });
                }
                source.push(' ');
            }
            source.push_str("\n\n");
        }
        bytes += source.len();
        let began = Instant::now();
        let read = extract(source.as_bytes(), "a.md", &Budget::default()).unwrap();
        let cut = passages(&read.text, &read.blocks, CHARS);
        let mut scribe = Scribe::new(&blind);
        blobs.extend(cut.iter().map(|passage| scribe.card(&passage.parts(&read.title, &read.text)).encode()));
        spent += began.elapsed();
        texts.extend(cut.iter().map(|passage| passage.span.of(&read.text).unwrap().to_owned()));
    }
    let size: usize = blobs.iter().map(Vec::len).sum();
    println!(
        "written: {} passages from {:.0} MB in {:.1} s: {:.1} MB/s on one core; {:.0} bytes of blob each",
        blobs.len(),
        bytes as f64 / 1e6,
        spent.as_secs_f64(),
        bytes as f64 / 1e6 / spent.as_secs_f64(),
        size as f64 / blobs.len() as f64,
    );
    let before = memory();
    let began = Instant::now();
    let mut index = Index::default();
    let id = |at: usize| PassageId::from_uuid(Uuid::from_u128(at as u128));
    for (document, chunk) in (0..blobs.len()).collect::<Vec<_>>().chunks(40).enumerate() {
        let document = DocumentId::from_uuid(Uuid::from_u128(document as u128));
        let cards: Vec<(PassageId, Card)> =
            chunk.iter().map(|at| (id(*at), Card::decode(&blobs[*at]).unwrap())).collect();
        index.begin(document, EVERYONE);
        index.add(document, &cards);
        index.finish(document);
    }
    index.settle();
    println!(
        "read into memory in {:.2} s; {:.0} MB, {:.0} bytes a passage",
        began.elapsed().as_secs_f64(),
        (memory() - before) as f64 / 1e6,
        (memory() - before) as f64 / blobs.len() as f64
    );
    search(&index, &blind, &texts, &mut dice);
    for width in [384, 1_536] {
        vectors(&mut index, blobs.len(), width, &mut dice);
    }
}

fn search(index: &Index, blind: &Blind, texts: &[String], dice: &mut Dice) {
    let (mut found, mut judged) = (Vec::new(), Vec::new());
    for _ in 0..400 {
        // Words of one sentence somewhere, common ones too.
        let text = &texts[dice.next() as usize % texts.len()];
        let sentence: Vec<&str> = text.split('.').nth(1).unwrap_or(text).split_whitespace().take(8).collect();
        let began = Instant::now();
        let query = index.weigh(&Query::new(&sentence.join(" "), blind), EVERYONE);
        let hits = index.search(&query, EVERYONE, RERANKED);
        found.push(began.elapsed());
        let candidates: Vec<Candidate<'_>> = hits
            .iter()
            .map(|hit| Candidate {
                title: "Title",
                headings: &[],
                text: &texts[hit.passage.uuid().as_u128() as usize],
                words: Some(hit.score),
                meaning: None,
            })
            .collect();
        let judgement = judge(&query, &candidates);
        judged.push(began.elapsed());
        assert_eq!(judgement.len(), hits.len());
    }
    say("search by words, eight each", found);
    say("the same with the last look", judged);
}

/// Vectors around a thousand centres, as those of texts lie.
fn vectors(index: &mut Index, count: usize, width: usize, dice: &mut Dice) {
    index.drop_vectors();
    let point = |dice: &mut Dice| -> Vec<f32> { (0..width).map(|_| dice.unit() as f32 - 0.5).collect() };
    let centres: Vec<Vec<f32>> = (0..1_000).map(|_| point(dice)).collect();
    let near = |dice: &mut Dice| -> Vec<f32> {
        let centre = &centres[dice.next() as usize % centres.len()];
        centre.iter().map(|number| number + (dice.unit() as f32 - 0.5) * 0.8).collect()
    };
    let mut every = Vec::new();
    for at in 0..count {
        let vector = near(dice);
        let document = DocumentId::from_uuid(Uuid::from_u128((at / 40) as u128));
        index.set_vectors(document, &[(PassageId::from_uuid(Uuid::from_u128(at as u128)), vector.clone())]);
        every.push(unit(&vector));
    }
    let (mut times, mut kept, mut wanted) = (Vec::new(), 0, 0);
    for _ in 0..60 {
        let asked = near(dice);
        let began = Instant::now();
        let hits = index.nearest(&asked, EVERYONE, 10);
        times.push(began.elapsed());
        let asked = unit(&asked);
        let mut exact: Vec<(f32, usize)> = every
            .iter()
            .enumerate()
            .map(|(at, vector)| (vector.iter().zip(&asked).map(|(a, b)| a * b).sum(), at))
            .collect();
        exact.sort_by(|a, b| b.0.total_cmp(&a.0));
        wanted += 10;
        kept += exact[..10]
            .iter()
            .filter(|(_, at)| hits.iter().any(|hit| hit.passage.uuid().as_u128() as usize == *at))
            .count();
    }
    say(&format!("search by vectors of {width}"), times);
    println!("  recall@10 beside every number looked at: {:.4}", f64::from(kept as u32) / f64::from(wanted));
}

fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    vector.iter().map(|number| number / length).collect()
}

fn say(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{what}: p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms", at(0.5), at(0.95), at(0.99));
}

/// Bytes of memory that this process holds.
fn memory() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4_096
}
