//! How often the rules of spam refuse what people write, and what they catch of spam that is made here. Whoever sends,
//! sends several texts in a row, so that repeats and bursts count too.

use guard::content::{SpamGuard, spam};
use kernel::Time;
use serde_json::Value;

use crate::data::{csv, folder, json, read};
use crate::report::Report;

/// How senders send.
struct Pace {
    name: &'static str,
    /// Texts of one sender.
    each: usize,
    /// Seconds between two.
    pause: i64,
}

const PACES: [Pace; 2] = [
    Pace { name: "six in half a minute", each: 6, pause: 5 },
    Pace { name: "twelve in a dozen seconds", each: 12, pause: 1 },
];

/// How many of these texts are refused, when every sender writes some of them in a row.
fn refused(texts: &[String], pace: &Pace) -> usize {
    let guard = SpamGuard::new([7; 32]);
    let admit = |(number, text): (usize, &String)| {
        let at =
            Time::from_seconds(1_795_000_000 + i64::try_from(number % pace.each).unwrap_or(0) * pace.pause);
        guard.admit_here(&format!("visitor:{}", number / pace.each), text, at).is_err()
    };
    texts.iter().enumerate().map(admit).filter(|refused| *refused).count()
}

fn column(path: &str, column: usize) -> Vec<String> {
    csv(path).into_iter().skip(1).filter_map(|row| row.into_iter().nth(column)).collect()
}

/// Every text of some length in JSON, whatever it is called.
fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= 20 => found.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|one| strings(one, found)),
        Value::Object(fields) => fields.values().for_each(|one| strings(one, found)),
        _ => {}
    }
}

fn long_quotes(path: &str) -> Vec<String> {
    let paragraphs: Vec<String> = questions(path).into_iter().filter(|text| text.len() > 300).collect();
    paragraphs.chunks(8).map(|some| format!("Please sum this up:\n\n{}", some.join("\n\n"))).collect()
}

/// Code as people paste it: the sources of this very room.
fn code() -> Vec<String> {
    let mut open = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut texts = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => open.push(path),
                path => texts.extend(std::fs::read_to_string(path).ok()),
            }
        }
    }
    texts.sort();
    let pieces = texts.iter().flat_map(|text| {
        let lines: Vec<&str> = text.lines().collect();
        lines.chunks(60).map(|some| some.join("\n")).collect::<Vec<_>>()
    });
    pieces.collect()
}

fn questions(path: &str) -> Vec<String> {
    let set = json(path).unwrap_or_default();
    let list =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for paragraph in list(&set, "data").iter().flat_map(|article| list(article, "paragraphs")) {
        found.push(text(&paragraph, "context"));
        found.extend(list(&paragraph, "qas").iter().map(|asked| text(asked, "question")));
    }
    found
}

/// What students say in the dialogues, in order.
fn students(path: &str) -> Vec<String> {
    let text = read(path).unwrap_or_default();
    let mut said = Vec::new();
    for row in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let talk = row.get("conversation").and_then(Value::as_str).unwrap_or_default();
        for turn in talk.split("|EOM|") {
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
        let Some(offer) = offers.get(sender % offers.len()) else { continue };
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

pub(crate) fn print(report: &mut Report) {
    report.title("Spam");
    report.say(
        "Texts that people write: how many are refused by themselves, and when each sender writes some of them in a row. \
         There is no set of spam in the folder; the last row is offers made here, each sent again with other numbers, codes, \
         words, spelling or spaces, of which the first three (in a burst the first two) are due to pass.\n",
    );
    let mut harmless = vec![
        ("banking77, test", column("banking77/banking_data/test.csv", 0)),
        ("xstest", column("xstest/xstest_prompts.csv", 1)),
        ("XQuAD, English: paragraphs and questions", questions("xquad/xquad.en.json")),
        ("XQuAD, German", questions("xquad/xquad.de.json")),
        ("XQuAD, eight paragraphs at a time", long_quotes("xquad/xquad.en.json")),
        ("MathDial, students' turns in order", students("mathdial/mathdial-dev.jsonl")),
        ("code, sixty lines at a time", code()),
    ];
    let mut texts = Vec::new();
    for file in folder("notinject", "json") {
        strings(&json(&file).unwrap_or_default(), &mut texts);
    }
    harmless.push(("notinject", texts));
    let share = |count: usize, all: usize| format!("{:.2} %", 100.0 * count as f64 / all.max(1) as f64);
    let mut table = Vec::new();
    for (name, texts) in harmless.iter().filter(|(_, texts)| !texts.is_empty()) {
        let alone = texts.iter().filter(|text| spam::check(text).is_err()).count();
        let mut row = vec![(*name).to_owned(), texts.len().to_string(), share(alone, texts.len())];
        row.extend(PACES.iter().map(|pace| share(refused(texts, pace), texts.len())));
        table.push(row);
    }
    let made = spam();
    let due = made.len() / 6 * 3;
    let caught = refused(&made, &PACES[0]);
    table.push(vec![
        "(offers made here, of those due)".to_owned(),
        due.to_string(),
        "–".to_owned(),
        share(caught, due),
        "–".to_owned(),
    ]);
    let header: Vec<&str> =
        ["set", "texts", "by itself"].into_iter().chain(PACES.iter().map(|pace| pace.name)).collect();
    report.table(&header, &table);
}
