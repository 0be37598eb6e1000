//! The document of checklists names every check, and no check that does not exist.

use std::collections::BTreeSet;

const CHECKS: &str = include_str!("../../src/checks/mod.rs");
const DOCUMENT: &str = include_str!("../../../../docs/checklists.md");

fn names() -> BTreeSet<&'static str> {
    let rows = CHECKS.split("check!(").skip(2).filter_map(|row| row.split('"').nth(1));
    rows.chain(["reach"]).collect()
}

/// Words between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_check_is_described_and_ticks_a_line() {
    let (lists, table) = DOCUMENT.split_once("## The checks of `stoa verify`").unwrap();
    let described: BTreeSet<&str> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| quoted(line.split(" | ").next().unwrap()))
        .collect();
    assert_eq!(described, names());
    let ticked: BTreeSet<&str> =
        lists.lines().filter(|line| line.starts_with("| ")).flat_map(quoted).collect();
    // These hold the others up and tick no line of their own.
    let beside = ["reach", "clean-up", "brake", "openapi"];
    for name in names() {
        assert!(ticked.contains(name) || beside.contains(&name), "`{name}` ticks no line");
    }
}

#[test]
fn every_line_of_the_documents_names_what_ticks_it() {
    let names = names();
    let rows: Vec<&str> = DOCUMENT
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| line") && !line.starts_with("| check"))
        .collect();
    assert!(rows.len() > 90, "{} lines", rows.len());
    for row in rows {
        let by = row.rsplit(" | ").next().unwrap();
        let known = quoted(by)
            .any(|word| names.contains(word) || word.starts_with("stoa ") || word.starts_with("cargo "));
        assert!(
            known || by.contains(".md") || row.starts_with("| `") || by.contains("there are none"),
            "{row}"
        );
    }
}
