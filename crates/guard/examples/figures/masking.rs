//! Precision and recall of the mask, on presidio-research.

use std::ops::Range;

use guard::content::{Found, Masker, PiiKind, find_broadly, validate};
use serde_json::Value;

use crate::data::{Tally, csv, folder, json, prose};
use crate::report::Report;

const KINDS: &[(&str, PiiKind)] = &[
    ("EMAIL_ADDRESS", PiiKind::Email),
    ("PHONE_NUMBER", PiiKind::Phone),
    ("CREDIT_CARD", PiiKind::Card),
    ("IBAN_CODE", PiiKind::Iban),
    ("US_SSN", PiiKind::Ssn),
    ("IP_ADDRESS", PiiKind::Ip),
    ("DOMAIN_NAME", PiiKind::Url),
];

/// How much two places must share, of what they cover together.
const KIND_SHARE: f64 = 0.5;
const ANY_SHARE: f64 = 0.9;

pub(crate) fn print(report: &mut Report, show: Option<&str>) {
    for file in folder("presidio-research", "json") {
        let Some(rows) = json(&file) else { continue };
        let texts: Vec<Text> = rows.as_array().into_iter().flatten().filter_map(Text::read).collect();
        report.title(&format!("Masking: {file}, {} texts", texts.len()));
        report.say("A find counts when it covers half of the union with what is labelled.\n");
        let mut all = Tally::default();
        let mut table = Vec::new();
        for (label, kind) in KINDS {
            let mut tally = Tally::default();
            for text in &texts {
                let found = Masker::everything().find(&text.text);
                let found: Vec<_> = found.into_iter().filter(|f| f.kind == *kind).map(|f| f.range).collect();
                let gold: Vec<_> = text.of(label).collect();
                tally.join(compare(&text.text, &gold, &found, KIND_SHARE, show == Some(kind.as_str())));
            }
            all.join(tally);
            table.push(tally.cells(kind.as_str()));
        }
        table.push(all.cells("all of these"));
        report.table(&["kind", "labelled", "P", "R", "F1"], &table);
        broad(report, &texts, show == Some("any"));
    }
}

/// A text with what is labelled in it.
struct Text {
    text: String,
    spans: Vec<(String, Range<usize>)>,
}

impl Text {
    fn read(row: &Value) -> Option<Text> {
        let text = row.get("full_text")?.as_str()?.to_owned();
        // Positions of the set are in characters.
        let place = |at: &Value| {
            let nth = usize::try_from(at.as_u64().unwrap_or(0)).unwrap_or(usize::MAX);
            text.char_indices().nth(nth).map_or(text.len(), |(byte, _)| byte)
        };
        let span = |span: &Value| {
            let range = place(&span["start_position"])..place(&span["end_position"]);
            Some((span.get("entity_type")?.as_str()?.to_owned(), range))
        };
        let mut spans: Vec<_> = row.get("spans")?.as_array()?.iter().filter_map(span).collect();
        spans.sort_by_key(|(_, range)| range.start);
        Some(Text { text, spans })
    }

    fn of(&self, label: &str) -> impl Iterator<Item = Range<usize>> {
        self.spans.iter().filter(move |(found, _)| found == label).map(|(_, range)| range.clone())
    }
}

/// What is labelled against what was found; each place counts once.
fn compare(text: &str, gold: &[Range<usize>], found: &[Range<usize>], share: f64, show: bool) -> Tally {
    let same = |a: &Range<usize>, b: &Range<usize>| {
        let both = a.end.min(b.end).saturating_sub(a.start.max(b.start)) as f64;
        both >= share * (a.end.max(b.end) - a.start.min(b.start)) as f64
    };
    let mut tally = Tally::default();
    for span in gold {
        let hit = found.iter().any(|found| same(span, found));
        tally.add(true, hit);
        if show && !hit {
            println!("  missed {:?} in {:?}", text.get(span.clone()), text);
        }
    }
    for place in found {
        let wrong = !gold.iter().any(|span| same(span, place));
        tally.add(false, wrong);
        if show && wrong {
            println!("  wrong  {:?} in {:?}", text.get(place.clone()), text);
        }
    }
    tally
}

/// The broad mask against everything that is labelled, whatever its type.
fn broad(report: &mut Report, texts: &[Text], show: bool) {
    let (mut single, mut merged, mut letters) = (Tally::default(), Tally::default(), Tally::default());
    let mut standard = Tally::default();
    for text in texts {
        let gold: Vec<_> = text.spans.iter().map(|(_, range)| range.clone()).collect();
        let found: Vec<_> = find_broadly(&text.text).into_iter().map(|found| found.range).collect();
        let structured = Masker::everything().find(&text.text);
        let structured: Vec<_> = structured.into_iter().map(|found: Found| found.range).collect();
        single.join(compare(&text.text, &gold, &found, ANY_SHARE, false));
        standard.join(compare(&text.text, &gold, &structured, ANY_SHARE, false));
        let (gold, found) = (merge(&text.text, gold), merge(&text.text, found));
        merged.join(compare(&text.text, &gold, &found, ANY_SHARE, show));
        for (start, end) in words(&text.text) {
            let within =
                |ranges: &[Range<usize>]| ranges.iter().any(|range| range.start < end && start < range.end);
            letters.add(within(&gold), within(&found));
        }
    }
    report.say(
        "Any type, the broad mask (names by how they are written; see `mask/broad.rs`). A find counts when it covers \
         nine tenths of the union. Neighbours: places with nothing but white space and signs between them are one, on \
         both sides, as types are not told apart.\n",
    );
    let rows = [
        ("places, neighbours as one", merged),
        ("places as labelled", single),
        ("words", letters),
        ("places as labelled, structured kinds alone", standard),
    ];
    let cells = |(name, tally): &(&str, Tally)| {
        let mut cells = tally.cells(name);
        cells.push(format!("{:.3}", tally.f(2.0)));
        cells
    };
    report
        .table(&["any type", "labelled", "P", "R", "F1", "F2"], &rows.iter().map(cells).collect::<Vec<_>>());
}

/// Joins places with only white space and signs between them.
fn merge(text: &str, ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last)
                if text
                    .get(last.end..range.start)
                    .is_none_or(|between| !between.chars().any(char::is_alphanumeric)) =>
            {
                last.end = last.end.max(range.end);
            }
            _ => merged.push(range),
        }
    }
    merged
}

/// Where the words of a text are.
fn words(text: &str) -> impl Iterator<Item = (usize, usize)> {
    text.split_whitespace().map(|word| {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        (start, start + word.len())
    })
}

/// Finds in texts that hold nothing personal, or hardly anything.
pub(crate) fn print_false_alarms(report: &mut Report, show: Option<&str>) {
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
    report.title("False alarms of the mask");
    report.say(&format!("XQuAD (English) and banking77: {finds} finds in {words} words."));
}

/// How many of the naughty strings that the rules allow pass validation.
pub(crate) fn print_naughty(report: &mut Report) {
    let Some(strings) = json("naughty-strings/blns.json") else { return };
    let strings: Vec<_> = strings.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let allowed = |text: &&&str| !text.trim().is_empty() && !text.contains('\0');
    let taken = strings.iter().filter(|text| validate::message("content", text, 5_000).is_ok()).count();
    let expected = strings.iter().filter(allowed).count();
    report.say(&format!(
        "Naughty strings: {taken} of {expected} allowed ones pass validation ({} in all)",
        strings.len()
    ));
}
