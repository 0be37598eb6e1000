//! How often the built-in answerer finds the right place of the manual for questions in other words:
//! `cargo run --release -p knowledge --example paraphrases`. With `--misses` the questions of the development half that
//! missed are named; those that are held out never are.

#![allow(clippy::print_stdout, reason = "a measurement")]

use knowledge::{Manual, PAGES};

#[path = "../tests/paraphrases/mod.rs"]
mod set;

fn main() {
    let manual = Manual::new(PAGES);
    let misses = std::env::args().any(|argument| argument == "--misses");
    println!(
        "{:<24} {:>9} {:>6} {:>6} {:>16} {:>16}",
        "questions", "answered", "hit@1", "hit@3", "refused wrongly", "refused rightly"
    );
    for (name, table) in [
        ("first", include_str!("../tests/paraphrases/questions.tsv")),
        ("written later", include_str!("../tests/paraphrases/later.tsv")),
    ] {
        let all = set::questions(table);
        for (half, held) in [("development", Some(false)), ("held out", Some(true)), ("all", None)] {
            let outcome = set::measure(
                &manual,
                all.iter().filter(|question| held.is_none_or(|held| question.held_out() == held)),
            );
            println!(
                "{:<24} {:>9} {:>6.2} {:>6.2} {:>16} {:>16}",
                format!("{name}, {half}"),
                outcome.asked,
                outcome.share(outcome.hit[0]),
                outcome.share(outcome.hit[1]),
                format!("{} of {}", outcome.refused_wrongly, outcome.asked),
                format!("{} of {}", outcome.refused, outcome.unanswerable),
            );
            if misses && held == Some(false) {
                outcome.misses.iter().for_each(|miss| println!("    {miss}"));
            }
        }
    }
}
