//! How often the rules of spam refuse what people write, and what they catch of spam that is made here:
//! `cargo run --release -p guard --example spam`. The data is looked for below `STOA_DATA` and beside the project.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement")]
#![allow(clippy::disallowed_methods, reason = "reads where the data lies; no part of the server")]

use std::path::{Path, PathBuf};

use guard::content::SpamGuard;
use kernel::Time;
use serde_json::Value;

/// Texts that one sender writes, and the seconds between two.
const EACH: usize = 6;
const PAUSE: i64 = 5;

fn folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("STOA_DATA").map_or_else(beside, PathBuf::from)
}

/// How many of these texts are refused, when every sender writes some of them in a row.
fn refused(texts: &[String]) -> usize {
    let guard = SpamGuard::new([7; 32]);
    let admit = |(number, text): (usize, &String)| {
        let at = Time::from_seconds(1_795_000_000 + (number % EACH) as i64 * PAUSE);
        guard.admit_here(&format!("visitor:{}", number / EACH), text, at).is_err()
    };
    texts.iter().enumerate().map(admit).filter(|refused| *refused).count()
}

fn tell(name: &str, texts: &[String]) {
    match texts.len() {
        0 => println!("{name:<44} skipped: it is not here"),
        all => {
            let refused = refused(texts);
            println!("{name:<44} {refused:>6} of {all:>6}  {:.2} %", 100.0 * refused as f64 / all as f64);
        }
    }
}

fn table(path: &str, column: usize) -> Vec<String> {
    let Ok(text) = std::fs::read_to_string(folder().join(path)) else { return Vec::new() };
    let mut rows = Vec::new();
    let (mut row, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    rows.into_iter().skip(1).filter_map(|row| row.into_iter().nth(column)).collect()
}

fn questions(path: &str) -> Vec<String> {
    let Ok(text) = std::fs::read_to_string(folder().join(path)) else { return Vec::new() };
    let json: Value = serde_json::from_str(&text).unwrap();
    let mut found = Vec::new();
    for article in json["data"].as_array().unwrap() {
        for paragraph in article["paragraphs"].as_array().unwrap() {
            found.push(paragraph["context"].as_str().unwrap().to_owned());
            let asked = paragraph["qas"].as_array().unwrap().iter();
            found.extend(asked.map(|asked| asked["question"].as_str().unwrap().to_owned()));
        }
    }
    found
}

/// What students say in the dialogues, in order.
fn students(path: &str) -> Vec<String> {
    let Ok(text) = std::fs::read_to_string(folder().join(path)) else { return Vec::new() };
    let mut said = Vec::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        for turn in row["conversation"].as_str().unwrap_or_default().split("|EOM|") {
            let words = turn.split_once(": ").filter(|(who, _)| !who.trim().starts_with("Teacher"));
            said.extend(words.map(|(_, words)| words.trim().to_owned()));
        }
    }
    said
}

/// Spam: each sender sends one offer again and again, with other numbers, codes, spelling or a word exchanged.
fn spam() -> Vec<String> {
    let offers = [
        "Congratulations, you have won a brand new phone, call the number below within the hour to claim your prize",
        "Cheap watches of every famous brand delivered to your door, order today on our page and save half of the price",
        "Work from home and earn a thousand dollars every week, no experience needed, write to us and begin tomorrow",
        "Your parcel could not be delivered, confirm your address and pay the small fee on our secure page at once",
    ];
    let ends = ["now", "today", "please", "fast", "soon", "here"];
    let mut texts = Vec::new();
    for sender in 0..200_usize {
        let offer = offers[sender % offers.len()];
        for (number, end) in ends.into_iter().enumerate() {
            texts.push(match sender / 4 % 5 {
                0 => format!("{offer} {}", 1000 + sender * 7 + number * 13),
                1 => format!("{offer} code x{number}q{sender}"),
                2 => format!("{offer} {end}"),
                3 => offer
                    .chars()
                    .enumerate()
                    .map(|(at, c)| if (at + number) % 9 == 0 { c.to_ascii_uppercase() } else { c })
                    .collect(),
                _ => offer.replacen(' ', &" ".repeat(number + 1), 3) + &"!".repeat(number),
            });
        }
    }
    texts
}

fn main() {
    println!("{:<44} {:>16}", "texts, six of a sender in half a minute", "refused");
    tell("banking77", &table("banking77/banking_data/test.csv", 0));
    tell("xstest", &table("xstest/xstest_prompts.csv", 1));
    tell("XQuAD, English: paragraphs and questions", &questions("xquad/xquad.en.json"));
    tell("XQuAD, German", &questions("xquad/xquad.de.json"));
    tell("MathDial, students' turns in order", &students("mathdial/mathdial-dev.jsonl"));
    let spam = spam();
    let caught = refused(&spam);
    // The first three of each sender are let in by the rule.
    let due = spam.len() / EACH * (EACH - 3);
    println!(
        "{:<44} {caught:>6} of {due:>6}  {:.2} % of those after the third",
        "offers made here, with small changes",
        100.0 * caught as f64 / due as f64
    );
}
