//! How often the rules of spam refuse what people write, and what they catch of spam that is made here:
//! `cargo run --release -p guard --example spam [--out docs/figures.md]`. The sets are looked for below `STOA_DATA` and
//! beside the project. With `--out` the section of the file is written anew, and nothing else in it.

#![expect(clippy::print_stdout, reason = "a program that prints figures")]

#[path = "figures/data.rs"]
#[allow(dead_code, reason = "shared with the figures, which use all of it")]
mod data;
#[path = "figures/report.rs"]
mod report;
#[path = "figures/spam.rs"]
mod spam;

use report::Report;

fn main() -> std::io::Result<()> {
    let mut report = Report::default();
    spam::print(&mut report);
    let mut words = std::env::args().skip(1);
    let Some(path) = words.find(|word| word == "--out").and_then(|_| words.next()) else { return Ok(()) };
    let file = std::fs::read_to_string(&path)?;
    let (before, behind) = file.split_once("\n## Spam\n").unwrap_or((&file, ""));
    let after = behind.find("\n## ").and_then(|at| behind.get(at..)).unwrap_or("");
    std::fs::write(&path, format!("{}\n\n{}\n{after}", before.trim_end(), report.text()))
}
