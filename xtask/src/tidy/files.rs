//! Files: how they begin, how long they are, what they are called, and what must not stand in them.

use std::collections::BTreeMap;

use super::Finding;
use super::house::{File, House};

/// A file is about one thing.
const MOST_LINES: usize = 500;

/// Names that say nothing about what a thing is.
const EMPTY_NAMES: &[&str] =
    &["manager", "managers", "helper", "helpers", "util", "utils", "utilities", "common", "core", "misc"];

fn rust(house: &House) -> impl Iterator<Item = &File> {
    house.files.iter().filter(|file| file.path.ends_with(".rs"))
}

/// Each source file says what it owns.
pub(super) fn header(house: &House) -> Vec<Finding> {
    let says_nothing = |file: &&File| {
        let first = file.text.lines().next().unwrap_or("");
        first.strip_prefix("//!").is_none_or(|words| words.trim().len() < 10)
    };
    let fix = "begin it with `//!`: what it owns and what it never does";
    rust(house)
        .filter(says_nothing)
        .map(|file| Finding::new(&file.path, "a file says what it is", fix))
        .collect()
}

/// No source file is over the limit.
pub(super) fn length(house: &House) -> Vec<Finding> {
    let lines = |file: &File| file.text.lines().count();
    let long = rust(house).filter(|file| lines(file) > MOST_LINES);
    long.map(|file| {
        let fix = format!("{} lines: part it along what it is about", lines(file));
        Finding::new(&file.path, "a file has at most 500 lines", fix)
    })
    .collect()
}

/// The variables that the recipes for deployments set exist.
pub(super) fn recipes(house: &House) -> Vec<Finding> {
    let settings = house.files.iter().find(|file| file.path == "docs/settings.md");
    let known = |name: &str| {
        let name = name.strip_suffix("_FILE").unwrap_or(name);
        // Those of the other images that run beside.
        name.starts_with("POSTGRES_")
            || settings.is_some_and(|settings| settings.text.contains(&format!("`{name}`")))
    };
    let mut findings = Vec::new();
    for file in house.files.iter().filter(|file| file.path.starts_with("deploy/")) {
        for name in file.text.lines().filter_map(variable).filter(|name| !known(name)) {
            let fix = format!("`{name}` is no setting: see docs/settings.md");
            findings.push(Finding::new(&file.path, "recipes set what exists", fix));
        }
    }
    findings
}

/// The name in `NAME: value` and `- name: NAME`, where it looks like a variable.
fn variable(line: &str) -> Option<&str> {
    let line = line.trim();
    let name = match line.strip_prefix("- name: ") {
        Some(name) => name,
        None => line.split_once(':')?.0,
    };
    let letters = |c: char| c.is_ascii_uppercase() || c == '_';
    (name.len() > 3 && name.chars().all(letters)).then_some(name)
}

/// No folder, file or module has an empty name.
pub(super) fn names(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in rust(house) {
        let stem = file.path.trim_end_matches(".rs");
        let modules = file.text.lines().filter_map(module);
        for name in stem.split('/').chain(modules) {
            if is_empty_name(name) {
                let fix = format!("`{name}` says nothing: name what is in it");
                findings.push(Finding::new(&file.path, "names are nouns for what a thing is", fix));
            }
        }
    }
    findings
}

/// The name in `mod name {` and `pub(super) mod name;`.
fn module(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = if line.starts_with("pub") { line.split_once(' ')?.1 } else { line };
    let name = line.strip_prefix("mod ")?;
    Some(name.trim_end_matches([';', '{', ' ', '}']))
}

/// The whole name, or a word of it: `http_util`.
fn is_empty_name(name: &str) -> bool {
    name.split(['_', '-']).any(|word| EMPTY_NAMES.contains(&word))
}

/// No path of the place where it was written.
pub(super) fn workplace(house: &House) -> Vec<Finding> {
    // In two parts, so that this file is not the first finding.
    let place = concat!("/wo", "rk/");
    let mut findings = Vec::new();
    for file in &house.files {
        for (number, line) in file.text.lines().enumerate() {
            let starts_there =
                |at: usize| !line.get(..at).is_some_and(|before| before.ends_with(is_part_of_a_path));
            if line.match_indices(place).any(|(at, _)| starts_there(at)) {
                let fix = format!("line {}: use a path from the root of the repository", number + 1);
                findings.push(Finding::new(&file.path, "no path of a workplace", fix));
            }
        }
    }
    findings
}

fn is_part_of_a_path(sign: char) -> bool {
    sign.is_alphanumeric() || matches!(sign, '.' | '_' | '-' | '}' | ')')
}

/// Migrations are `0001_name.sql`, `0002_…`, without a gap and without two of one number.
pub(super) fn migrations(house: &House) -> Vec<Finding> {
    let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in &house.files {
        if let Some((folder, name)) = file.path.rsplit_once('/')
            && name.ends_with(".sql")
            && folder.rsplit('/').next() == Some("migrations")
        {
            folders.entry(folder).or_default().push(name);
        }
    }
    let mut findings = Vec::new();
    for (folder, mut names) in folders {
        names.sort_unstable();
        for (place, name) in names.iter().enumerate() {
            let expected = format!("{:04}_", place + 1);
            if !name.starts_with(&expected) || name.len() <= expected.len() + ".sql".len() {
                let fix = format!("its name begins with {expected} and says what it does");
                findings.push(Finding::new(
                    format!("{folder}/{name}"),
                    "migrations are numbered without gaps",
                    fix,
                ));
                break;
            }
        }
    }
    findings
}
