//! `stoa declutter` without the server around it, to measure the engine by itself: it takes `declutter --json --only
//! KIND FOLDER` and prints the same findings.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example that talks to its caller")]

use std::path::Path;

use files::clutter::disk::{Options, Progress, scan};
use files::clutter::{FindingKind, Rules, analyse};
use kernel::Time;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |flag: &str| {
        let at = arguments.iter().position(|one| one == flag)?;
        arguments.get(at + 1)
    };
    let Some(folder) = arguments.last() else { return Err("name a folder".into()) };
    let now = std::fs::metadata(folder)?.modified()?.duration_since(std::time::UNIX_EPOCH)?;
    let mut rules = Rules::new(Time::from_seconds(i64::try_from(now.as_secs())?));
    rules.only.extend(after("--only").and_then(|word| FindingKind::parse(word)));
    rules.shared_names = false;
    let options = Options { threads: after("--threads").map_or(Ok(0), |n| n.parse())?, ..Options::default() };
    let scan = scan(Path::new(folder), &options, &rules, &Progress::default())?;
    let report = analyse(&scan.entries, &rules);
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}
