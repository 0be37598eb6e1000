//! Trains the linear judge of `content::moderate` and writes its weights. It owns the training alone; what the result
//! is worth is measured by the example `figures`, on texts that were held out here.
//!
//! Texts: openai-moderation (MIT), davidson-hate (MIT), and the questions of banking77 (CC BY 4.0) as texts that
//! harm nobody, from the folder that `STOA_DATA` names. A text is held out when the first byte of its SHA-256 is
//! below 77 (three in ten), and then it is used for nothing here. Where a set leaves a label open, the text says
//! nothing about that output. Every run gives the same file: no chance is used but the hash of the text.
//!
//! Files that admins have taken out of the review (`reviews.jsonl`) are learned from too, where they are named: a text that
//! was rightly flagged is one of its categories, one that was wrongly flagged is not. `--check` says how many lines of
//! them can be learned from, and trains nothing.
//!
//! `STOA_DATA=… cargo run --release -p guard --example train_moderation [--check] [reviews.jsonl …]`

#![expect(clippy::print_stdout, reason = "a program that prints what it does")]

#[path = "figures/data.rs"]
#[allow(dead_code, reason = "shared with the figures, which use all of it")]
mod data;

use guard::content::moderate::linear::{CATEGORIES, OUTPUTS, SLOTS, features};
use guard::content::moderate::reviewed;
use guard::content::normal::normalise;
use serde_json::Value;

use data::{csv, held_out, order, read};

/// Steps of the descent; the loss changes no digit that is kept after about half as many.
const STEPS: usize = 400;
/// How much the texts count against small weights; found in five parts of the texts trained on.
const TRUST: f32 = 30.0;
/// How much a text that harms nobody counts.
const HARMLESS: f32 = 0.1;
/// Parts of the texts by which thresholds are found.
const PARTS: u64 = 5;

/// The labels of openai-moderation, in the order of the outputs.
const LABELS: [&str; OUTPUTS - 1] = ["S", "H", "V", "HR", "SH", "S3", "H2"];

/// One text.
struct Row {
    slots: Vec<u16>,
    labels: [Option<bool>; OUTPUTS],
    weight: f32,
    part: u64,
}

impl Row {
    fn new(text: &str, labels: [Option<bool>; OUTPUTS], weight: f32) -> Row {
        let mut slots = Vec::new();
        features(&normalise(text).text, |more| slots.extend_from_slice(more));
        Row { slots, labels, weight, part: order(text) % PARTS }
    }

    fn scale(&self) -> f32 {
        1.0 / (self.slots.len().max(1) as f32).sqrt()
    }
}

/// The weights of one output.
struct Model {
    weights: Vec<f32>,
    bias: f32,
}

/// How much a slot says: the rarer it is among the texts, the more (inverse document frequency). It is part of the
/// weight in the end, so that judging costs nothing more.
fn rarities(rows: &[&Row]) -> Vec<f32> {
    let mut texts = vec![0_u32; SLOTS];
    for row in rows {
        let mut slots = row.slots.clone();
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            if let Some(count) = texts.get_mut(usize::from(slot)) {
                *count += 1;
            }
        }
    }
    let all = rows.len() as f32;
    texts.into_iter().map(|count| ((1.0 + all) / (1.0 + count as f32)).ln() + 1.0).collect()
}

impl Model {
    fn logit(&self, row: &Row) -> f32 {
        let sum: f32 = row.slots.iter().filter_map(|slot| self.weights.get(usize::from(*slot))).sum();
        self.bias + sum * row.scale()
    }

    /// Logistic regression with weights kept small (L2), by Nesterov's accelerated descent on all texts at once:
    /// the step is set by the largest curvature there can be, so that nothing has to be tuned.
    fn train(rows: &[&Row], output: usize) -> Model {
        let known: Vec<(&Row, bool)> =
            rows.iter().filter_map(|row| Some((*row, row.labels.get(output).copied()??))).collect();
        let rarities = rarities(&known.iter().map(|(row, _)| *row).collect::<Vec<_>>());
        let scaled = |mut model: Model| {
            model.weights.iter_mut().zip(&rarities).for_each(|(weight, rarity)| *weight *= rarity);
            model
        };
        let blank = || Model { weights: vec![0.0; SLOTS], bias: 0.0 };
        let curvature = curvature(&known, &rarities);
        let (mut model, mut ahead) = (blank(), blank());
        for step in 0..STEPS {
            let judge = scaled(Model { weights: ahead.weights.clone(), bias: ahead.bias });
            let mut next = blank();
            for (row, label) in &known {
                let likely = 1.0 / (1.0 + (-judge.logit(row)).exp());
                let slope = (likely - f32::from(u8::from(*label))) * row.weight * TRUST;
                row.add(slope, &rarities, &mut next);
            }
            let momentum = step as f32 / (step as f32 + 3.0);
            let places = model.weights.iter_mut().zip(&mut ahead.weights).zip(&next.weights);
            for ((weight, ahead), slope) in places {
                let moved = *ahead - (slope + *ahead) / curvature;
                *ahead = moved + momentum * (moved - *weight);
                *weight = moved;
            }
            let moved = ahead.bias - next.bias / curvature;
            ahead.bias = moved + momentum * (moved - model.bias);
            model.bias = moved;
        }
        scaled(model)
    }
}

impl Row {
    /// Adds `slope` times the features of the row.
    fn add(&self, slope: f32, rarities: &[f32], sum: &mut Model) {
        let each = slope * self.scale();
        for slot in &self.slots {
            let slot = usize::from(*slot);
            if let (Some(sum), Some(rarity)) = (sum.weights.get_mut(slot), rarities.get(slot)) {
                *sum += each * rarity;
            }
        }
        sum.bias += slope;
    }
}

/// The largest curvature of the loss: the largest eigenvalue of the features' products, by power iteration, times the
/// quarter that the logistic function bends by at the most.
fn curvature(known: &[(&Row, bool)], rarities: &[f32]) -> f32 {
    let mut vector = Model { weights: vec![1.0; SLOTS], bias: 1.0 };
    let mut largest = 1.0;
    for _ in 0..30 {
        let norm = (vector.weights.iter().map(|x| x * x).sum::<f32>() + vector.bias * vector.bias).sqrt();
        let shrunk = |weight: f32, rarity: &f32| weight / norm * rarity;
        let unit = Model {
            weights: vector
                .weights
                .iter()
                .zip(rarities)
                .map(|(weight, rarity)| shrunk(*weight, rarity))
                .collect(),
            bias: vector.bias / norm,
        };
        let mut next = Model { weights: vec![0.0; SLOTS], bias: 0.0 };
        for (row, _) in known {
            row.add(unit.logit(row) * row.weight, rarities, &mut next);
        }
        largest = (next.weights.iter().map(|x| x * x).sum::<f32>() + next.bias * next.bias).sqrt();
        vector = next;
    }
    // A little more: power iteration comes from below.
    1.0 + 0.25 * TRUST * largest * 1.1
}

fn rows() -> Vec<(u64, Row)> {
    let mut rows = Vec::new();
    let mut add = |text: &str, labels, weight| {
        if !held_out(text) {
            rows.push((order(text), Row::new(text, labels, weight)));
        }
    };
    for line in read("openai-moderation/samples-dev.jsonl").unwrap_or_default().lines() {
        let Ok(row) = serde_json::from_str::<Value>(line) else { continue };
        let mut labels = [None; OUTPUTS];
        for (slot, name) in labels.iter_mut().zip(LABELS) {
            *slot = row.get(name).and_then(Value::as_i64).map(|label| label == 1);
        }
        add(row.get("prompt").and_then(Value::as_str).unwrap_or_default(), labels, 1.0);
    }
    for row in csv("davidson-hate/data/labeled_data.csv").iter().skip(1) {
        let (Some(class), Some(text)) = (row.get(5), row.get(6)) else { continue };
        let mut labels = [None; OUTPUTS];
        labels[OUTPUTS - 1] = Some(class != "2");
        add(text, labels, 1.0);
    }
    for row in csv("banking77/banking_data/train.csv").iter().skip(1) {
        add(row.first().map_or("", String::as_str), [Some(false); OUTPUTS], HARMLESS);
    }
    rows.sort_by_key(|(order, _)| *order);
    rows
}

/// What people decided, as they are trained with: the categories that the judge knows are labelled, all others say nothing.
fn decisions(path: &str) -> std::io::Result<Vec<(u64, Row)>> {
    let mut rows = Vec::new();
    for one in std::fs::read_to_string(path)?.lines().filter_map(reviewed::read) {
        let labels = CATEGORIES.map(|category| {
            category.filter(|category| one.categories.contains(category)).map(|_| one.rightly)
        });
        if labels.iter().any(Option::is_some) {
            rows.push((order(&one.text), Row::new(&one.text, labels, 1.0)));
        }
    }
    println!("{} texts that can be learned from in {path}", rows.len());
    Ok(rows)
}

/// The logit from which on F0.5 is best (a wrong find counts twice a miss), of the parts that a model did not see.
fn threshold(rows: &[&Row], output: usize) -> f32 {
    let mut scored = Vec::new();
    for part in 0..PARTS {
        let seen: Vec<&Row> = rows.iter().copied().filter(|row| row.part != part).collect();
        let model = Model::train(&seen, output);
        let unseen = rows.iter().filter(|row| row.part == part && row.weight == 1.0);
        scored.extend(unseen.filter_map(|row| Some((model.logit(row), row.labels.get(output).copied()??))));
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let all = scored.iter().filter(|(_, label)| *label).count();
    let (mut best, mut at, mut hit) = (0.0, 0.0, 0);
    for (found, (logit, label)) in scored.iter().enumerate() {
        hit += usize::from(*label);
        let fair = 1.25 * hit as f32 / ((found + 1) as f32 + 0.25 * all as f32);
        if fair > best {
            (best, at) = (fair, *logit);
        }
    }
    let (mut precisions, mut hit) = (0.0, 0);
    for (found, (_, label)) in scored.iter().enumerate() {
        hit += usize::from(*label);
        precisions += if *label { hit as f32 / (found + 1) as f32 } else { 0.0 };
    }
    println!(
        "output {output}: {} texts, {all} of them labelled; in 5 parts: average precision {:.3}, best F0.5 {best:.3}",
        scored.len(),
        precisions / all.max(1) as f32
    );
    at
}

fn main() -> std::io::Result<()> {
    let (files, flags): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| !word.starts_with('-'));
    let mut decided = Vec::new();
    for path in &files {
        decided.extend(decisions(path)?);
    }
    if flags.iter().any(|flag| flag == "--check") {
        return Ok(());
    }
    let mut rows = rows();
    rows.extend(decided);
    rows.sort_by_key(|(order, _)| *order);
    let rows: Vec<&Row> = rows.iter().map(|(_, row)| row).collect();
    println!("{} texts", rows.len());
    let mut file = vec![u8::try_from(OUTPUTS).unwrap_or(0)];
    let mut packed = vec![0_u8; SLOTS * OUTPUTS];
    for output in 0..OUTPUTS {
        let at = threshold(&rows, output);
        let model = Model::train(&rows, output);
        let most = model.weights.iter().fold(1e-9_f32, |most, weight| most.max(weight.abs()));
        // Half likely is where the threshold lies.
        file.extend((model.bias - at).to_le_bytes());
        file.extend((most / 127.0).to_le_bytes());
        for (slot, weight) in model.weights.iter().enumerate() {
            #[expect(clippy::cast_possible_truncation, reason = "at most 127")]
            let byte = (weight / most * 127.0).round() as i8;
            if let Some(place) = packed.get_mut(slot * OUTPUTS + output) {
                *place = byte.cast_unsigned();
            }
        }
    }
    file.extend(packed);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/content/moderate/weights.bin");
    println!("{} bytes in {path}", file.len());
    std::fs::write(path, file)
}
