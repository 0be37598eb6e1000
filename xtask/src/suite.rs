//! `cargo xtask test`: the services, the build, every test, and the documentation's examples.

use std::process::Command;

use anyhow::Result;

use crate::services::{self, Services};
use crate::shell::{self, Shell};
use crate::stages::Stages;
use crate::tally::Tally;

/// A program that runs tests.
struct Runner {
    /// What `cargo` is told.
    words: &'static [&'static str],
    /// Reads the numbers in a line. Each runner has its own: a failed test under nextest shows the line of
    /// `cargo test` too, and would count twice.
    read: fn(&str) -> Option<Tally>,
}

const NEXTEST: Runner =
    Runner { words: &["nextest", "run", "--workspace", "--no-fail-fast"], read: Tally::of_nextest };
const CARGO_TEST: Runner =
    Runner { words: &["test", "--workspace", "--no-fail-fast"], read: Tally::of_cargo_test };
const EXAMPLES: Runner =
    Runner { words: &["test", "--doc", "--workspace", "--no-fail-fast"], read: Tally::of_cargo_test };

/// Runs it as stages. `arguments` narrow the tests down and go to the test runner.
pub(crate) fn stages(shell: &Shell, stages: &mut Stages, arguments: &[String]) {
    let Some(services) = stages.prepare("services", services::start) else { return };
    if arguments.is_empty() && stages.prepare("build", || shell.build()).is_none() {
        return;
    }
    let nextest = shell::output(Command::new("cargo").args(["nextest", "--version"])).is_ok();
    let runner = if nextest { NEXTEST } else { CARGO_TEST };
    stages.count("tests", || run(shell, &services, &runner, arguments));
    if nextest && arguments.is_empty() {
        // nextest does not know the examples in the documentation.
        stages.count("examples", || run(shell, &services, &EXAMPLES, &[]));
    }
}

/// The tests over HTTP that are about one process: files of SQLite, its memory, log or metrics, its
/// stream while it is being written (another replica has it when it is done); and those that start replicas themselves.
const ALONE: &str = "binary(it) & (test(/::sqlite$/) \
    + test(/^(acme|bedrock|faults|production|replicas|secrets|tls|watching)::/) \
    + test(/^(probes::metrics|probes::health_says|records::a_changed_event|documents::the_files_of)/) \
    + test(/^backups::(moving::from_sqlite|kills)/) \
    + test(/^messages::(a_stream_stops_when_told|a_resumable_stream_is_resumed)/))";

/// Runs the tests over HTTP against so many replicas of every server that they start.
pub(crate) fn replicas(shell: &Shell, stages: &mut Stages, count: u8, arguments: &[String]) {
    let Some(mut services) = stages.prepare("services", services::start) else { return };
    services.variables.push(("STOA_TEST_REPLICAS", count.to_string()));
    let mut words = vec!["-E".to_owned(), format!("binary(it) - ({ALONE})")];
    if !arguments.is_empty() {
        words = arguments.to_vec();
    }
    stages.count("tests on replicas", || run(shell, &services, &NEXTEST, &words));
}

fn run(shell: &Shell, services: &Services, runner: &Runner, arguments: &[String]) -> Result<Tally> {
    let mut command = shell.command("cargo");
    // A named package replaces the whole workspace.
    let narrowed = arguments.iter().any(|word| word.starts_with("-p") || word.starts_with("--package"));
    let words = runner.words.iter().filter(|word| !(narrowed && **word == "--workspace"));
    command.args(words).arg("--locked").args(arguments);
    command.envs(services.variables.iter().map(|(name, value)| (name, value)));
    let mut tally = Tally::default();
    let success = shell::show(&mut command, |line| {
        if let Some(more) = (runner.read)(line) {
            tally = tally + more;
        }
    })?;
    Ok(tally.with_exit(success))
}
