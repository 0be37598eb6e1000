//! The stages of a run: their names, times and results, and the closing line. It owns the sum at the end, which
//! counts each test and each check once.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::tally::Tally;

/// The stages so far.
#[derive(Default)]
pub(crate) struct Stages {
    done: Vec<Done>,
}

struct Done {
    name: String,
    took: Duration,
    tally: Tally,
    /// What went wrong, where that is not a number of tests.
    fault: Option<String>,
}

impl Stages {
    /// Runs a stage that passes or fails as a whole and counts as one.
    pub(crate) fn check(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        self.count(name, || work().map(|()| Tally { passed: 1, ..Tally::default() }));
    }

    /// Runs a stage that only prepares: it counts when it fails. Gives what it made.
    pub(crate) fn prepare<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Option<T> {
        let mut made = None;
        self.count(name, || {
            made = Some(work()?);
            Ok(Tally::default())
        });
        made
    }

    /// Runs a stage of many tests. An error counts as one failure.
    pub(crate) fn count(&mut self, name: &str, work: impl FnOnce() -> Result<Tally>) {
        println!("\n── {name}");
        let begin = Instant::now();
        let (tally, fault) = match work() {
            Ok(tally) => (tally, None),
            Err(error) => (Tally { failed: 1, ..Tally::default() }, Some(format!("{error:#}"))),
        };
        if let Some(fault) = &fault {
            println!("{name}: {fault}");
        }
        self.done.push(Done { name: name.to_owned(), took: begin.elapsed(), tally, fault });
    }

    fn sum(&self) -> Tally {
        self.done.iter().fold(Tally::default(), |sum, done| sum + done.tally)
    }

    /// Prints the table and the closing line, and says how the program ends.
    pub(crate) fn close(&self) -> ExitCode {
        println!();
        for Done { name, took, tally, fault } in &self.done {
            let result = match (fault, tally.failed) {
                (Some(fault), _) => format!("failed: {}", fault.lines().next().unwrap_or_default()),
                (None, 0) if tally.passed <= 1 && tally.skipped == 0 => "ok".to_owned(),
                _ => tally.to_string(),
            };
            println!("{name:<14} {:>7.1} s  {result}", took.as_secs_f64());
        }
        let total: Duration = self.done.iter().map(|done| done.took).sum();
        println!("{:<14} {:>7.1} s", "in all", total.as_secs_f64());
        let sum = self.sum();
        println!("\n{sum}");
        if sum.failed == 0 && sum.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn the_sum_counts_every_test_and_every_check_once() {
        let mut stages = Stages::default();
        stages.count("test", || Ok(Tally { passed: 40, failed: 2, skipped: 3 }));
        stages.check("tidy", || Ok(()));
        stages.check("lints", || bail!("a warning"));
        assert_eq!(stages.prepare("services", || Ok(7)), Some(7));
        assert_eq!(stages.prepare::<()>("build", || bail!("no compiler")), None);
        assert_eq!(stages.sum(), Tally { passed: 41, failed: 4, skipped: 3 });
        assert_eq!(stages.sum().to_string(), "41 passed, 4 failed, 3 skipped");
    }
}
