//! The commands of a developer of this workspace: `test`, `tidy`, `docs`, `deploy`, `release`, `ci`. It owns their command line.
//! It is no part of the product and uses none of its crates.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool at a terminal that runs other programs"
)]

mod deploy;
mod docs;
mod release;
mod runbooks;
mod running;
mod services;
mod shell;
mod stages;
mod suite;
mod tally;
mod tidy;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

use shell::Shell;
use stages::Stages;

/// The commands of a developer of Stoa.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run all tests, with Postgres, Redis and Chromium of their own (found, or installed when you are root).
    Test {
        /// Run what is sensible of the tests over HTTP against this many replicas on one Postgres and one Redis.
        #[arg(long, value_name = "COUNT", num_args = 0..=1, default_missing_value = "3")]
        replicas: Option<u8>,
        /// Handed to `cargo nextest run` or `cargo test` as they are: filters, `-p room`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Check the walls of the house: who uses whom, outside technologies, names and sizes of files.
    Tidy,
    /// Sort the catalogues of texts, and print what each language lacks.
    Texts,
    /// Write the generated documents.
    Docs {
        /// Change nothing; fail when one of them is not what the code says.
        #[arg(long)]
        check: bool,
    },
    /// Hold the files of deployments against their rules, and give each to the tool of its kind where there is one.
    Deploy,
    /// Execute the runbooks of docs/operations.md against a server of their own.
    Runbooks {
        /// Only those below headings that hold these words.
        only: Option<String>,
    },
    /// Build the release: one static file, its bill of materials, the sums.
    Release(release::Wanted),
    /// Serve from a root that holds the released program alone, as nobody, and verify it there. Needs root.
    Empty {
        /// The program.
        #[arg(default_value = "dist/stoa")]
        program: PathBuf,
        /// The program of the tests instead, with its libraries beside it, as CI does.
        #[arg(long)]
        tested: bool,
    },
    /// Print the bill of materials (CycloneDX).
    Sbom,
    /// Compare the packages with a copy of the RustSec advisory database.
    Advisories {
        /// The copy; else the variable ADVISORY_DB.
        #[arg(long)]
        database: Option<PathBuf>,
    },
    /// Everything that has to be green: test, format, lints, tidy, documents, `stoa verify`.
    Ci,
}

fn main() -> ExitCode {
    running::stop_on_signals();
    let code = run(Arguments::parse().command).unwrap_or_else(|error| {
        println!("xtask: {error:#}");
        ExitCode::FAILURE
    });
    running::settle();
    code
}

fn run(command: Command) -> Result<ExitCode> {
    let shell = Shell::at_root()?;
    let mut stages = Stages::default();
    match command {
        Command::Test { replicas: None, arguments } => suite::stages(&shell, &mut stages, &arguments),
        Command::Test { replicas: Some(count), arguments } => {
            suite::replicas(&shell, &mut stages, count, &arguments);
        }
        Command::Tidy => stages.check("tidy", || tidy::run(&shell.root)),
        Command::Texts => tidy::list_texts(&shell.root)?,
        Command::Docs { check } => {
            stages.check("build", || shell.build());
            stages.check("documents", || docs::run(&shell, check));
        }
        Command::Deploy => stages.check("deploy", || deploy::run(&shell)),
        Command::Runbooks { only } => {
            stages.check("build", || shell.build());
            stages.check("runbooks", || runbooks::run(&shell, only.as_deref()));
        }
        Command::Release(wanted) => stages.check("release", || release::run(&shell, &wanted)),
        Command::Empty { tested: true, .. } => stages.check("empty root", || release::prove_tested(&shell)),
        Command::Empty { program, .. } => stages.check("empty root", || release::prove(&program)),
        Command::Sbom => {
            print!("{}", release::bill(&shell, None)?);
            return Ok(ExitCode::SUCCESS);
        }
        Command::Advisories { database } => {
            stages.check("advisories", || release::advisories(&shell.root, database));
        }
        Command::Ci => ci(&shell, &mut stages),
    }
    Ok(stages.close())
}

/// Cheap and telling checks would come first for a person; here the tests come first because they build what the
/// others need, and everything runs whatever fails.
fn ci(shell: &Shell, stages: &mut Stages) {
    suite::stages(shell, stages, &[]);
    stages.check("format", || shell.cargo(&["fmt", "--all", "--", "--check"]));
    stages.check("lints", || {
        shell.cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
    });
    stages.check("tidy", || tidy::run(&shell.root));
    stages.check("documents", || docs::run(shell, true));
    stages.check("deploy", || deploy::run(shell));
    stages.check("materials", || release::check(shell));
    stages.check("advisories", || release::advisories(&shell.root, None));
    stages.check("runbooks", || runbooks::run(shell, None));
    stages.check("verify", || verify::run(shell));
    stages.check("empty root", || release::prove_tested(shell));
}

/// The environment variable, when it is set and not empty.
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The folder that `cargo` builds into.
fn target_folder(root: &std::path::Path) -> Result<PathBuf> {
    match setting("CARGO_TARGET_DIR") {
        Some(folder) => Ok(root.join(folder)),
        None => {
            let output = std::process::Command::new("cargo")
                .args(["metadata", "--no-deps", "--format-version", "1"])
                .current_dir(root)
                .output()
                .context("cargo metadata cannot be run")?;
            let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
            let folder = metadata.get("target_directory").and_then(serde_json::Value::as_str);
            Ok(folder.context("cargo metadata names no target folder")?.into())
        }
    }
}
