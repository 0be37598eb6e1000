//! The binary `stoa`: reads the command line, runs one command, turns the outcome into an exit code.
//! 0: done. 1: refused or failed. 2: wrong usage.

mod ages;
mod cli;
mod commands;
mod debugging;
mod jobs;
mod known;
mod listen;
mod looks;
mod measures;
mod nature;
mod reload;
mod settings;
mod wire;

use std::future::Future;
use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command};
use commands::paper::{complain, print};

/// A turn makes some hundreds of small allocations on many threads; the system's allocator took a fifth of the
/// processor time under load.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever read the output has read enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("stoa: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs a command. `false`: it ran, and what it looked at is not as it should be.
fn run(cli: Cli) -> anyhow::Result<bool> {
    let ambient = nature::ambient();
    let global = &cli.global;
    match cli.command {
        Command::Serve(serve) => commands::serve::run(global, &serve, &ambient),
        Command::Init(init) => commands::init::run(global, &init, ambient.random()),
        Command::Check(check) => wait(commands::check::run(global, &check, &ambient))?,
        Command::Config(config) => commands::config::run(global, &config, &ambient),
        Command::Secret(secret) => commands::secret::run(secret.kind, ambient.random()),
        Command::Migrate(migrate) => commands::migrate::run(global, &migrate, &ambient),
        Command::Rollback(wanted) => commands::restore::rollback(global, &wanted, &ambient),
        Command::Backup { command } => commands::backup::run(global, &command, &ambient),
        Command::Restore(wanted) => commands::restore::run(global, &wanted, &ambient),
        Command::User { command } => commands::user::run(global, &command, &ambient),
        Command::Grant { command } => commands::grant::run(global, &command, &ambient),
        Command::Lockdown(wanted) => commands::brake::lockdown(global, &wanted, &ambient),
        Command::Revoke(wanted) => commands::brake::revoke(global, &wanted, &ambient),
        Command::Key { command } => commands::key::run(global, &command, &ambient),
        Command::Block { command } => commands::block::run(global, &command, &ambient),
        Command::Hold { command } => commands::hold::run(global, &command, &ambient),
        Command::Maintain(wanted) => commands::maintain::run(global, &wanted, &ambient),
        Command::Audit { command } => commands::audit::run(global, &command, &ambient),
        Command::Docs { command } => commands::docs::run(global, &command, &ambient),
        Command::Problem { command } => commands::problem::run(global, &command, &ambient),
        Command::Verify(args) => wait(verify::command(args)),
        Command::Declutter(wanted) => commands::declutter::run(&wanted, &ambient),
        Command::Report(report) => commands::report::run(global, &report, &ambient),
        Command::Doctor(doctor) => wait(commands::doctor::run(global, &doctor, &ambient))?,
        Command::Probe(probe) => commands::knock::run(global, &probe, &ambient),
        Command::Openapi => print(&format!("{}\n", web::openapi())).map(|()| true).map_err(Into::into),
        Command::Version => commands::version::run(),
        Command::Errors => commands::version::errors(),
    }
}

/// Runs the future of a command to its end.
fn wait<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    guard::outbound::install_crypto_provider();
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future))
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let pipe = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    error.downcast_ref::<std::io::Error>().is_some_and(pipe)
}
