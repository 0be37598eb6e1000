//! Trains the linear judge of `content::moderate` and writes its weights. It owns the training alone; what the result
//! is worth is measured by the example `figures`, on texts that were held out here.
//!
//! Texts: openai-moderation (MIT), davidson-hate (MIT), and the questions of banking77 (CC BY 4.0) as texts that
//! harm nobody, from the folder that `STOA_DATA` names. A text is held out when the first byte of its SHA-256 is
//! below 77 (three in ten), and then it is used for nothing here. Where a set leaves a label open, the text says
//! nothing about that output. Every run gives the same file: no chance is used but the hash of the text.
//!
//! `STOA_DATA=… cargo run --release -p guard --example train_moderation`

#![expect(clippy::print_stdout, reason = "a program that prints what it does")]

#[path = "figures/data.rs"]
#[allow(dead_code, reason = "shared with the figures, which use all of it")]
mod data;

use guard::content::moderate::linear::{OUTPUTS, SLOTS, features};
use guard::content::normal::normalise;
use serde_json::Value;

use data::{csv, held_out, order, read};

/// Rounds over the texts.
const ROUNDS: usize = 20;
/// First step of a weight.
const STEP: f32 = 0.3;
/// How strongly weights are drawn to zero where there are few texts; found in five parts of the texts trained on.
const DECAY: f32 = 3e-4;
/// From so many texts on nothing is drawn to zero.
const MANY: usize = 10_000;
/// How much a text that harms nobody counts.
const HARMLESS: f32 = 0.1;
/// Parts of the texts by which thresholds are found.
const PARTS: u64 = 5;

/// The labels of openai-moderation, in the order of the outputs.
const LABELS: [&str; OUTPUTS - 1] = ["S", "H", "V", "HR", "SH", "S3", "H2"];

/// One text.
struct Row {
    slots: Vec<u32>,
    labels: [Option<bool>; OUTPUTS],
    weight: f32,
    part: u64,
}

impl Row {
    fn new(text: &str, labels: [Option<bool>; OUTPUTS], weight: f32) -> Row {
        let mut slots = Vec::new();
        features(&normalise(text).text, |slot| slots.extend(u32::try_from(slot)));
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

impl Model {
    fn logit(&self, row: &Row) -> f32 {
        let sum: f32 = row.slots.iter().filter_map(|slot| self.weights.get(*slot as usize)).sum();
        self.bias + sum * row.scale()
    }

    /// Logistic regression by steps that grow smaller for each weight that was moved often.
    fn train(rows: &[&Row], output: usize) -> Model {
        let mut model = Model { weights: vec![0.0; SLOTS], bias: 0.0 };
        let mut moved = vec![1e-6_f32; SLOTS];
        let mut bias_moved = 1e-6_f32;
        let known: Vec<(&Row, bool)> =
            rows.iter().filter_map(|row| Some((*row, row.labels.get(output).copied()??))).collect();
        let labelled = known.iter().filter(|(row, _)| row.weight == 1.0).count();
        let decay = if labelled < MANY { DECAY } else { 0.0 };
        for _ in 0..ROUNDS {
            for (row, label) in &known {
                let likely = 1.0 / (1.0 + (-model.logit(row)).exp());
                let slope = (likely - f32::from(u8::from(*label))) * row.weight;
                let each = slope * row.scale();
                for slot in &row.slots {
                    let slot = *slot as usize;
                    if let (Some(weight), Some(moved)) = (model.weights.get_mut(slot), moved.get_mut(slot)) {
                        let slope = each + decay * *weight;
                        *moved += slope * slope;
                        *weight -= STEP * slope / moved.sqrt();
                    }
                }
                bias_moved += slope * slope;
                model.bias -= STEP * slope / bias_moved.sqrt();
            }
        }
        model
    }
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
    println!(
        "output {output}: {} texts, {all} of them labelled; best F0.5 in 5 parts {best:.3}",
        scored.len()
    );
    at
}

fn main() -> std::io::Result<()> {
    let rows = rows();
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
