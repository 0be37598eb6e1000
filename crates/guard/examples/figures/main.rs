//! Measures the room `content` against public sets and prints tables: masking, moderation, over-blocking, disguises,
//! speed. It owns the measuring alone. The sets are read from the folder that `STOA_DATA` names (`../shared/data` beside
//! the repository otherwise); a set that is absent is said to be skipped. No text of a set is printed unless the name
//! of a kind or set is given as argument, which lists what was missed and what was taken wrongly; `speed` measures
//! speed alone. `--out docs/figures.md` writes the tables into a file too.
//!
//! `cargo run --release -p guard --example figures [kind] [--out FILE]`

#![expect(clippy::print_stdout, reason = "a program that prints figures")]

mod data;
mod judging;
mod masking;
mod report;
mod spam;
mod speed;

use report::Report;

const ABOUT: &str = "# Figures of the content guard\n\n\
    Measured by `cargo run --release -p guard --example figures -- --out docs/figures.md`, with `STOA_DATA` naming the \
    folder of the public sets. A text is held out when the first byte of its SHA-256 is below 77; the linear judge \
    (`examples/train_moderation.rs`) has seen none of those. The lexicon and the rules were written by hand and not \
    trained. P: precision, R: recall.";

fn main() -> std::io::Result<()> {
    let mut show = None;
    let mut out = None;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--out" {
            out = words.next();
        } else {
            show = Some(word);
        }
    }
    let show = show.as_deref();
    let mut report = Report::default();
    report.say(ABOUT);
    if show != Some("speed") {
        masking::print(&mut report, show);
        masking::print_false_alarms(&mut report, show);
        masking::print_naughty(&mut report);
        judging::print(&mut report, show);
        spam::print(&mut report);
    }
    if show.is_none_or(|show| show == "speed") {
        speed::print(&mut report);
    }
    match out {
        Some(path) => {
            // Figures of other rooms stand behind these.
            let before = std::fs::read_to_string(&path).unwrap_or_default();
            let others =
                before.get(1..).and_then(|text| text.find("\n# ")).and_then(|at| before.get(at + 1..));
            std::fs::write(path, format!("{}\n{}", report.text(), others.unwrap_or_default()))
        }
        None => Ok(()),
    }
}
