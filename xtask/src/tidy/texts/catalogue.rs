//! A catalogue as a file: comments at its head, then lines `"English" = "translation"`, sorted by their keys.

use std::collections::BTreeSet;

use super::keys::quoted;

/// A line of a catalogue.
pub(super) struct Line {
    pub(super) key: String,
    pub(super) text: String,
}

/// The lines that can be read.
pub(super) fn read(text: &str) -> Vec<Line> {
    text.lines().filter_map(line).collect()
}

fn line(text: &str) -> Option<Line> {
    let (key, words) = text.split_once("\" = \"")?;
    let half = |text: String| serde_json::from_str::<String>(&text).ok();
    Some(Line { key: half(format!("{key}\""))?, text: half(format!("\"{words}"))? })
}

fn is_comment(line: &str) -> bool {
    line.is_empty() || line.starts_with('#')
}

/// The same with its lines in order.
pub(super) fn sorted(text: &str) -> String {
    let head = text.lines().take_while(|line| is_comment(line));
    let mut lines = read(text);
    lines.sort_by(|one, other| one.key.cmp(&other.key));
    let lines = lines.iter().map(|line| format!("{} = {}", quoted(&line.key), quoted(&line.text)));
    head.map(str::to_owned).chain(lines).map(|line| line + "\n").collect()
}

/// What is wrong with the lines of this language, each with its number.
pub(super) fn faults(language: &str, text: &str) -> Vec<(usize, String)> {
    let mut faults = Vec::new();
    let mut before: Option<String> = None;
    for (number, raw) in (1..).zip(text.lines()) {
        if before.is_none() && is_comment(raw) {
            continue;
        }
        let Some(Line { key, text }) = line(raw) else {
            faults.push((number, "write `\"English\" = \"translation\"`".to_owned()));
            continue;
        };
        if before.as_ref().is_some_and(|before| *before >= key) {
            faults.push((number, format!("`{key}` is out of order or twice: run `cargo xtask texts`")));
        }
        faults.extend(disagreement(language, &key, &text).map(|fix| (number, fix)));
        before = Some(key);
    }
    faults
}

/// In what a translation does not fit its key.
fn disagreement(language: &str, key: &str, text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some(format!("`{key}` has no translation"));
    }
    let several = key.contains('|');
    let wanted = match (several, language) {
        (false, _) => 1,
        (true, "ar") => 6,
        (true, _) => 2,
    };
    let forms: Vec<&str> = text.split('|').collect();
    if forms.len() != wanted {
        return Some(format!("`{key}` has {} forms and wants {wanted}", forms.len()));
    }
    let all: BTreeSet<&str> = places(key);
    for form in &forms {
        let mut missing = all.clone();
        let found = places(form);
        missing.retain(|place| !found.contains(place));
        // A form for one thing or for none may do without the number.
        missing.retain(|place| !(several && *place == "count" && *form != *forms.last().unwrap_or(&"")));
        if let Some(place) = missing.first() {
            return Some(format!("`{key}`: `{form}` lacks {{{place}}}"));
        }
        if let Some(place) = found.iter().find(|place| !all.contains(*place)) {
            return Some(format!("`{key}`: `{form}` has {{{place}}}, which the English has not"));
        }
    }
    None
}

/// The names of the places of a text.
fn places(text: &str) -> BTreeSet<&str> {
    let names = text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    names.filter(|name| !name.starts_with('@')).collect()
}
