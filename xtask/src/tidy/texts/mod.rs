//! The texts of the pages: every key that templates, code and scripts use stands in every catalogue, none stands there
//! for nothing, places and plural forms agree, and templates show no words beside the catalogues. It owns these rules;
//! `web::texts` owns the languages themselves.

mod catalogue;
mod keys;
mod visible;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::Finding;
use super::house::{File, House};

/// Where the catalogues lie.
const CATALOGUES: &str = "crates/web/texts/";
/// Where templates lie.
const TEMPLATES: &str = "crates/web/templates/";
/// Where scripts lie.
const SCRIPTS: &str = "crates/web/static/";

/// Templates whose words are still to be put into the catalogues. It only shrinks.
const TO_DO: &[&str] = &[
    "crates/web/templates/chat.html",
    "crates/web/templates/message.html",
    "crates/web/templates/conversation.html",
];

fn catalogues(house: &House) -> impl Iterator<Item = &File> {
    house.files.iter().filter(|file| file.path.starts_with(CATALOGUES) && file.path.ends_with(".toml"))
}

/// Templates that people see; the samples are looked at by whoever makes them.
fn templates(house: &House) -> impl Iterator<Item = &File> {
    let shown = |file: &&File| {
        file.path.starts_with(TEMPLATES) && !file.path.contains("/samples/") && file.path.ends_with(".html")
    };
    house.files.iter().filter(shown)
}

/// Every key with the first file that uses it.
fn used(house: &House) -> BTreeMap<String, &str> {
    let mut used = BTreeMap::new();
    for file in &house.files {
        for key in keys::of(file) {
            used.entry(key).or_insert(file.path.as_str());
        }
    }
    used
}

/// Every key is in every catalogue.
pub(super) fn complete(house: &House) -> Vec<Finding> {
    let used = used(house);
    let mut findings = Vec::new();
    for file in catalogues(house) {
        let known = catalogue::read(&file.text);
        for (key, place) in used.iter().filter(|(key, _)| !known.iter().any(|line| line.key == **key)) {
            let fix = format!("translate `{key}` ({place}); `cargo xtask texts` lists what is missing");
            findings.push(Finding::new(&file.path, "every text is in every language", fix));
        }
    }
    findings
}

/// No text is kept that nobody shows. What other rooms say in a fault is found in their code by its words.
pub(super) fn needed(house: &House) -> Vec<Finding> {
    let used = used(house);
    let elsewhere = |key: &str| {
        let literal = keys::quoted(key);
        house
            .files
            .iter()
            .filter(|file| file.path.starts_with("crates/") && file.path.ends_with(".rs"))
            .any(|file| file.text.contains(&literal))
    };
    let mut findings = Vec::new();
    for file in catalogues(house) {
        for line in catalogue::read(&file.text) {
            if !used.contains_key(&line.key) && !elsewhere(&line.key) {
                let fix = format!("remove `{}`: nothing says it any more", line.key);
                findings.push(Finding::new(&file.path, "no text is kept for nothing", fix));
            }
        }
    }
    findings
}

/// Each line of a catalogue is right by itself, and the lines are sorted.
pub(super) fn sound(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in catalogues(house) {
        let language = file.path.trim_start_matches(CATALOGUES).trim_end_matches(".toml");
        for (number, fix) in catalogue::faults(language, &file.text) {
            findings.push(Finding::new(&file.path, "a catalogue is sound", format!("line {number}: {fix}")));
        }
    }
    findings
}

/// Templates show no words of their own.
pub(super) fn visible(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in templates(house) {
        let words = visible::words(&file.text);
        let waiting = TO_DO.contains(&file.path.as_str());
        if waiting && words.is_empty() {
            findings.push(Finding::new(
                &file.path,
                "the list of templates to do shrinks",
                "take it off the list",
            ));
        }
        for word in words.into_iter().filter(|_| !waiting) {
            let fix = format!("write `{{{{ \"{word}\"|t }}}}`, and translate it");
            findings.push(Finding::new(&file.path, "templates show texts of the catalogues", fix));
        }
    }
    findings
}

/// Sorts the catalogues and prints what each of them lacks.
///
/// # Errors
/// When the house cannot be read or a catalogue not be written.
pub(crate) fn list(root: &Path) -> Result<()> {
    let house = House::read(root)?;
    let used = used(&house);
    for file in catalogues(&house) {
        let sorted = catalogue::sorted(&file.text);
        std::fs::write(root.join(&file.path), sorted).with_context(|| file.path.clone())?;
        let known = catalogue::read(&file.text);
        let missing: Vec<&String> =
            used.keys().filter(|key| !known.iter().any(|line| line.key == **key)).collect();
        println!("{}: {} texts, {} missing", file.path, known.len(), missing.len());
        for key in missing {
            println!("{} = \"\"", keys::quoted(key));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
