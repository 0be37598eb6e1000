//! Precision and recall of the mask per kind, on presidio-research (a find counts when it covers half of the union).

use guard::content::{Masker, PiiKind, validate};
use serde_json::Value;

use crate::data::{Tally, csv, json, prose};

const KINDS: &[(&str, PiiKind)] = &[
    ("EMAIL_ADDRESS", PiiKind::Email),
    ("PHONE_NUMBER", PiiKind::Phone),
    ("CREDIT_CARD", PiiKind::Card),
    ("IBAN_CODE", PiiKind::Iban),
    ("US_SSN", PiiKind::Ssn),
    ("IP_ADDRESS", PiiKind::Ip),
    ("DOMAIN_NAME", PiiKind::Url),
];

pub(crate) fn print(show: Option<&str>) {
    for file in ["presidio-research/synth_dataset_v2.json", "presidio-research/generated_small.json"] {
        let Some(rows) = json(file) else { continue };
        println!("\n{file}");
        for (label, kind) in KINDS {
            let mut tally = Tally::default();
            for row in rows.as_array().into_iter().flatten() {
                count(row, label, *kind, &mut tally, show == Some(kind.as_str()));
            }
            println!("{}", tally.line(kind.as_str()));
        }
    }
}

/// Finds in texts that hold nothing personal, or hardly anything.
pub(crate) fn print_false_alarms(show: Option<&str>) {
    let mut texts = prose("xquad/xquad.en.json").unwrap_or_default();
    for part in ["train", "test"] {
        let rows = csv(&format!("banking77/banking_data/{part}.csv"));
        texts.extend(rows.into_iter().filter_map(|row| row.into_iter().next()));
    }
    let words: usize = texts.iter().map(|text| text.split_whitespace().count()).sum();
    let mut finds = 0;
    for text in &texts {
        for found in Masker::standard().find(text) {
            finds += 1;
            if show == Some("alarms") {
                println!("  {:?} {:?}", found.kind, text.get(found.range));
            }
        }
    }
    println!("\nfalse alarms on XQuAD and banking77: {finds} finds in {words} words");
}

/// How many of the naughty strings that the rules allow pass validation.
pub(crate) fn print_naughty() {
    let Some(strings) = json("naughty-strings/blns.json") else { return };
    let strings: Vec<_> = strings.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let allowed = |text: &&&str| {
        !text.trim().is_empty() && !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
    };
    let taken = strings.iter().filter(|text| validate::message("content", text, 5_000).is_ok()).count();
    let expected = strings.iter().filter(allowed).count();
    println!(
        "naughty strings: {taken} of {expected} allowed ones pass validation ({} in all)",
        strings.len()
    );
}

fn count(row: &Value, label: &str, kind: PiiKind, tally: &mut Tally, show: bool) {
    let Some(text) = row["full_text"].as_str() else { return };
    // Positions of the set are in characters.
    let place = |at: &Value| {
        let nth = usize::try_from(at.as_u64().unwrap_or(0)).unwrap_or(usize::MAX);
        text.char_indices().nth(nth).map_or(text.len(), |(byte, _)| byte)
    };
    let gold: Vec<_> = row["spans"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|span| span["entity_type"] == label)
        .map(|span| place(&span["start_position"])..place(&span["end_position"]))
        .collect();
    let found: Vec<_> = Masker::everything().find(text).into_iter().filter(|f| f.kind == kind).collect();
    let same = |a: &std::ops::Range<usize>, b: &std::ops::Range<usize>| {
        let both = a.end.min(b.end).saturating_sub(a.start.max(b.start));
        both * 2 >= a.end.max(b.end) - a.start.min(b.start)
    };
    for span in &gold {
        if found.iter().any(|found| same(span, &found.range)) {
            tally.hit += 1;
        } else {
            tally.missed += 1;
            if show {
                println!("  missed {:?}", text.get(span.clone()));
            }
        }
    }
    for found in &found {
        if !gold.iter().any(|span| same(span, &found.range)) {
            tally.wrong += 1;
            if show {
                println!("  wrong  {:?}", text.get(found.range.clone()));
            }
        }
    }
}
