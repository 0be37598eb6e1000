//! Finds and reads the sets.

use std::path::PathBuf;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

fn root() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "a tool beside the server; the folder is not a setting")]
    match std::env::var("STOA_DATA") {
        Ok(folder) => PathBuf::from(folder),
        Err(_) => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    }
}

/// The files of a set with this ending, in order, folders below it too; another split that is put there is measured
/// as well.
pub(crate) fn folder(set: &str, ending: &str) -> Vec<String> {
    let mut open = vec![PathBuf::from(set)];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).into_iter().flatten().flatten() {
            let path = folder.join(entry.file_name());
            if entry.path().is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                files.extend(path.to_str().map(str::to_owned));
            }
        }
    }
    files.sort();
    if files.is_empty() {
        println!("skipped: there is no {set} in {}", root().display());
    }
    files
}

/// The text of a file of the data folder; says so when it is absent.
pub(crate) fn read(path: &str) -> Option<String> {
    let folder = root();
    match std::fs::read_to_string(folder.join(path)) {
        Ok(text) => Some(text),
        Err(_) => {
            println!("skipped: {path} is not in {}", folder.display());
            None
        }
    }
}

/// A number of the text that chance has no part in: from its SHA-256.
pub(crate) fn order(text: &str) -> u64 {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Whether the text is held out of every training (three in ten): the first byte of its SHA-256 is below 77.
pub(crate) fn held_out(text: &str) -> bool {
    order(text) >> 56 < 77
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

    /// Adds the counts of another.
    pub(crate) fn join(&mut self, other: Tally) {
        self.hit += other.hit;
        self.wrong += other.wrong;
        self.missed += other.missed;
    }

    /// How much of what was found is right.
    pub(crate) fn precision(self) -> f64 {
        f64::from(self.hit) / f64::from(self.hit + self.wrong).max(1.0)
    }

    /// How much of what is there was found.
    pub(crate) fn recall(self) -> f64 {
        f64::from(self.hit) / f64::from(self.hit + self.missed).max(1.0)
    }

    /// Both in one number, recall counting `beta` times as much.
    pub(crate) fn f(self, beta: f64) -> f64 {
        let squared = beta * beta;
        let [hit, wrong, missed] = [self.hit, self.wrong, self.missed].map(f64::from);
        (1.0 + squared) * hit / ((1.0 + squared) * hit + squared * missed + wrong).max(1.0)
    }

    /// Both in one number, each counting as much.
    pub(crate) fn f1(self) -> f64 {
        self.f(1.0)
    }

    /// Name, count, precision, recall and F1 as cells of a table.
    pub(crate) fn cells(self, name: &str) -> Vec<String> {
        let numbers = [self.precision(), self.recall(), self.f1()].map(|number| format!("{number:.3}"));
        [name.to_owned(), (self.hit + self.missed).to_string()].into_iter().chain(numbers).collect()
    }
}
