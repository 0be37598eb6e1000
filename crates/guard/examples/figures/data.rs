//! Finds and reads the sets.

use std::path::PathBuf;

use serde_json::Value;

/// The text of a file of the data folder; says so when it is absent.
pub(crate) fn read(path: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "a tool beside the server; the folder is not a setting")]
    let folder = match std::env::var("STOA_DATA") {
        Ok(folder) => PathBuf::from(folder),
        Err(_) => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    match std::fs::read_to_string(folder.join(path)) {
        Ok(text) => Some(text),
        Err(_) => {
            println!("skipped: {path} is not in {}", folder.display());
            None
        }
    }
}

/// A JSON file of the data folder.
pub(crate) fn json(path: &str) -> Option<Value> {
    serde_json::from_str(&read(path)?).ok()
}

/// Rows of a CSV file with quoted fields.
pub(crate) fn csv(path: &str) -> Vec<Vec<String>> {
    let text = read(path).unwrap_or_default();
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                field.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !quoted => {}
            _ => field.push(c),
        }
    }
    rows
}

/// The paragraphs of a set in the form of SQuAD.
pub(crate) fn prose(path: &str) -> Option<Vec<String>> {
    let set = json(path)?;
    let list =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let paragraphs = list(&set, "data").into_iter().flat_map(|article| list(&article, "paragraphs"));
    Some(paragraphs.filter_map(|part| part.get("context")?.as_str().map(str::to_owned)).collect())
}

/// True and false positives and negatives.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) hit: u32,
    pub(crate) wrong: u32,
    pub(crate) missed: u32,
}

impl Tally {
    /// Counts one text.
    pub(crate) fn add(&mut self, gold: bool, found: bool) {
        match (gold, found) {
            (true, true) => self.hit += 1,
            (false, true) => self.wrong += 1,
            (true, false) => self.missed += 1,
            (false, false) => {}
        }
    }

    /// Precision, recall and F1 as a line.
    pub(crate) fn line(self, name: &str) -> String {
        let [hit, wrong, missed] = [self.hit, self.wrong, self.missed].map(f64::from);
        let precision = hit / (hit + wrong).max(1.0);
        let recall = hit / (hit + missed).max(1.0);
        let f1 = 2.0 * hit / (2.0 * hit + wrong + missed).max(1.0);
        format!("{name:<24} n {:>5}  P {precision:.3}  R {recall:.3}  F1 {f1:.3}", self.hit + self.missed)
    }
}
