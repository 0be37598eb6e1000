//! The catalogues: one file for each language but English, compiled in and read once. Each line is `"English" =
//! "translation"`, which is TOML; both halves are strings of JSON too.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::LazyLock;

use super::Language;

type Table = HashMap<String, String>;

const FILES: [(Language, &str); 4] = [
    (Language::German, include_str!("../../texts/de.toml")),
    (Language::Spanish, include_str!("../../texts/es.toml")),
    (Language::French, include_str!("../../texts/fr.toml")),
    (Language::Arabic, include_str!("../../texts/ar.toml")),
];

static TABLES: LazyLock<HashMap<Language, Table>> =
    LazyLock::new(|| FILES.into_iter().map(|(language, text)| (language, read(text))).collect());

/// The text in this language, when it has one.
pub(super) fn find(language: Language, text: &str) -> Option<&'static str> {
    if language == Language::English {
        return None;
    }
    TABLES.get(&language)?.get(text).map(String::as_str)
}

fn read(text: &str) -> Table {
    text.lines().filter_map(entry).collect()
}

/// The two halves of a line; comments and what is not a line of a catalogue are nothing. The check of the catalogues
/// reads them more strictly.
fn entry(line: &str) -> Option<(String, String)> {
    let (key, words) = line.split_once("\" = \"")?;
    let half = |text: String| serde_json::from_str::<String>(&text).ok();
    Some((half(format!("{key}\""))?, half(format!("\"{words}"))?))
}

/// A script with what the scripts say in this language. It runs before them.
pub(super) fn script(language: Language, scripts: &[&str]) -> String {
    let mut words: BTreeMap<String, &str> = BTreeMap::new();
    for key in scripts.iter().flat_map(|script| keys(script)) {
        if let Some(found) = find(language, &key) {
            words.insert(key, found);
        }
    }
    // What the API says of a failure is shown by scripts too.
    for title in kernel::Code::ALL.iter().map(|code| code.title()) {
        if let Some(found) = find(language, title) {
            words.insert(title.to_owned(), found);
        }
    }
    let mut script = String::from("globalThis.stoaTexts = ");
    // A map of strings is always JSON.
    let _ = write!(script, "{};", serde_json::to_string(&words).unwrap_or_default());
    script
}

/// The first arguments of `say(…)` and `count(…)` in a script.
fn keys(script: &str) -> impl Iterator<Item = String> {
    ["say(\"", "count(\""].into_iter().flat_map(move |call| {
        script.split(call).skip(1).filter_map(|rest| {
            let mut escaped = false;
            let end = rest.find(|sign| {
                let ends = sign == '"' && !escaped;
                escaped = sign == '\\' && !escaped;
                ends
            })?;
            serde_json::from_str(&format!("\"{}\"", rest.get(..end)?)).ok()
        })
    })
}
