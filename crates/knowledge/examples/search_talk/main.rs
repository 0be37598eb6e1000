//! How fast everything that was said is searched, read and listed: an owner with very many messages, or many owners.
//! Every phrase that is asked for was cut from a message that is known, which must be found; a sample is compared with
//! a plain scan. What a database holds already is not written again, so that two states of the program can be compared.
//! `--out docs/figures.md` writes the tables into that file too, in the place of older ones.
//!
//! `cargo run --release -p knowledge --example search_talk -- FOLDER_OR_POSTGRES_URL [messages] [owners] [rounds] [--out FILE]`

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement")]
#![allow(clippy::disallowed_methods, reason = "reads the clock; no part of the server")]

mod asking;
mod corpus;
mod fill;
mod reading;
mod report;

use corpus::Corpus;
use fill::World;
use report::Report;

#[tokio::main]
async fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let out = words.iter().position(|word| word == "--out").map(|at| words.drain(at..at + 2).nth(1).unwrap());
    let number =
        |place: usize, otherwise: usize| words.get(place).map_or(otherwise, |text| text.parse().unwrap());
    let (messages, owners, rounds) = (number(1, 1_000_000), number(2, 1), number(3, 100));
    let corpus = Corpus::new(messages, owners);
    let world = World::open(&words[0], owners).await;
    world.fill(&corpus).await;
    if rounds == 0 {
        return world.store.close().await;
    }
    let engine = world.store.engine();
    let mut report = Report::new(&format!("{messages} messages, {owners} owners, {engine}"));
    asking::measure(&world, &corpus, rounds, &mut report).await;
    reading::measure(&world, &corpus, rounds, &mut report).await;
    if let Ok(load) = std::fs::read_to_string("/proc/loadavg") {
        let processors = std::thread::available_parallelism().map_or(0, usize::from);
        let load = load.split(' ').nth(1).unwrap_or_default();
        report.say(&format!(
            "\nLoad of the machine in the last five minutes: {load} on {processors} processors."
        ));
    }
    if std::env::var("STATEMENTS").is_ok() {
        let mut costs = world.store.statement_costs();
        costs.sort_by_key(|cost| std::cmp::Reverse(cost.total));
        for cost in costs.iter().take(30) {
            let text: String = cost.text.chars().take(300).collect();
            println!(
                "{:>8} x {:?} (longest {:?}) {} {text}",
                cost.calls,
                cost.mean(),
                cost.longest,
                cost.operation
            );
        }
    }
    world.store.close().await;
    if let Some(file) = out {
        report.put(&file).unwrap();
    }
}
