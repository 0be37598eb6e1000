//! `cargo xtask test`: the services, the build, every test, and the documentation's examples.

use std::process::Command;

use anyhow::Result;

use crate::services::{self, Services};
use crate::shell::{self, Shell};
use crate::stages::Stages;
use crate::tally::Tally;

/// Runs it as stages. `arguments` narrow the tests down and go to the test runner.
pub(crate) fn stages(shell: &Shell, stages: &mut Stages, arguments: &[String]) {
    let Some(services) = stages.prepare("services", services::start) else { return };
    if arguments.is_empty() && stages.prepare("build", || shell.build()).is_none() {
        return;
    }
    let nextest = shell::output(Command::new("cargo").args(["nextest", "--version"])).is_ok();
    if !nextest {
        stages
            .count("tests", || run(shell, &services, &["test", "--workspace", "--no-fail-fast"], arguments));
        return;
    }
    stages.count("tests", || {
        run(shell, &services, &["nextest", "run", "--workspace", "--no-fail-fast"], arguments)
    });
    if arguments.is_empty() {
        // nextest does not know the examples in the documentation.
        stages.count("examples", || {
            run(shell, &services, &["test", "--doc", "--workspace", "--no-fail-fast"], &[])
        });
    }
}

fn run(shell: &Shell, services: &Services, runner: &[&str], arguments: &[String]) -> Result<Tally> {
    let mut command = shell.command("cargo");
    // A named package replaces the whole workspace.
    let narrowed = arguments.iter().any(|word| word.starts_with("-p") || word.starts_with("--package"));
    command
        .args(runner.iter().filter(|word| !(narrowed && **word == "--workspace")))
        .arg("--locked")
        .args(arguments);
    command.envs(services.variables.iter().map(|(name, value)| (name, value)));
    let mut tally = Tally::default();
    let success = shell::show(&mut command, |line| {
        if let Some(more) = Tally::of_nextest(line).or_else(|| Tally::of_cargo_test(line)) {
            tally = tally + more;
        }
    })?;
    Ok(tally.with_exit(success))
}
