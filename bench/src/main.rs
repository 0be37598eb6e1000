//! Measures Stoa beside programs that do less: a mock upstream, a bare proxy, a proxy that stores, a load driver,
//! and the table that runs them all on cores of their own; and the finding of duplicates beside programs for it. It owns no part of the server and touches loopback only.

#![cfg_attr(test, allow(clippy::unwrap_used))]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool that talks to its caller")]

mod clock;
mod clutter;
mod driver;
mod fleet;
mod group;
mod load;
mod markdown;
mod mock;
mod process;
mod promises;
mod proxy;
mod rows;
mod samples;
mod subjects;
mod table;
mod target;
mod wire;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measures Stoa beside programs that do less.
#[derive(Parser)]
#[command(name = "bench", version)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// A mock model provider that speaks OpenAI's protocol and answers at once
    Mock(mock::Args),
    /// A proxy that passes everything through; with --sqlite it stores both messages before it answers
    Proxy(proxy::Args),
    /// Sends requests to loopback, checks every answer and tells how long they took
    Load(load::Args),
    /// Starts everything on cores of its own and prints the table of ratios
    Table(table::Args),
    /// Finds exact duplicates in a made tree, beside every program for it that is installed
    Clutter(clutter::Args),
    /// Measures one, two, three replicas on one Postgres and one Redis
    Replicas(fleet::Replicas),
    /// Measures under load what is promised: latency of the API, mean of the statements, share of failures
    Promises(promises::Args),
    /// Loads one server for a long time and looks whether its memory stays flat
    Soak(fleet::Soak),
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    // The runtime takes as many threads as the process has cores, which `taskset` decides.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = match cores {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        _ => tokio::runtime::Builder::new_multi_thread().worker_threads(cores).enable_all().build()?,
    };
    runtime.block_on(async {
        match cli.what {
            What::Mock(args) => mock::run(args).await,
            What::Proxy(args) => proxy::run(args).await,
            What::Load(args) => load::run(args).await,
            What::Table(args) => table::run(args).await,
            What::Clutter(args) => clutter::run(&args),
            What::Replicas(args) => fleet::replicas(args).await,
            What::Promises(args) => promises::run(args).await,
            What::Soak(args) => fleet::soak(args).await,
        }
    })
}
