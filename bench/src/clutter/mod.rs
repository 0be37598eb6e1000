//! Exact duplicates beside the programs that are known for finding them: one tree with decoys, every program in turn,
//! what each found against what is there, how long it took and how much memory. It owns the table; `tree` makes the
//! tree, `peers` knows the programs.

mod peers;
mod tree;

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::Args as Arguments;

use crate::samples::median;
use peers::{Peer, Run};
use tree::Truth;

/// What is compared, and with what.
#[derive(Arguments)]
pub(crate) struct Args {
    /// The program `stoa`, built with --release
    #[arg(long, value_name = "FILE")]
    stoa: PathBuf,
    /// Where the tree is made; the folder must not be there, and is removed afterwards
    #[arg(long, value_name = "DIR")]
    folder: PathBuf,
    /// How many files the tree has
    #[arg(long, default_value_t = 20_000)]
    files: usize,
    /// The tree is the same for the same number
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often each program is measured, after one run that warms the cache
    #[arg(long, default_value_t = 7)]
    runs: usize,
    /// Leave the tree where it is
    #[arg(long)]
    keep: bool,
}

/// Makes the tree, runs everything that is there, prints the table.
pub(crate) fn run(args: &Args) -> Result<()> {
    ensure!(!args.folder.exists(), "{} is there already; name a folder to be made", args.folder.display());
    let outputs = tempfile::tempdir()?;
    let truth = tree::make(&args.folder, args.files, args.seed)
        .with_context(|| format!("the tree in {} cannot be made", args.folder.display()))?;
    let folder = args.folder.canonicalize()?;
    println!(
        "{} files, {:.0} MiB, {} of them copies; decoys: same size, same front, hard links, holes, empty; seed {}",
        truth.files,
        truth.bytes as f64 / f64::from(1 << 20),
        truth.copies,
        args.seed
    );
    let peers: Vec<Peer> = peers::present(&args.stoa, &folder, outputs.path());
    let mut runs: Vec<Vec<Run>> = peers.iter().map(|_| Vec::new()).collect();
    for round in 0..=args.runs {
        // In turns, so that what else the machine does meets all alike.
        for (peer, runs) in peers.iter().zip(&mut runs) {
            let run = peers::measure(peer).with_context(|| format!("{} failed", peer.name))?;
            if round > 0 {
                runs.push(run);
            }
        }
    }
    table(&peers, &runs, &truth, &folder)?;
    if !args.keep {
        std::fs::remove_dir_all(&args.folder)?;
    }
    Ok(())
}

fn table(peers: &[Peer], runs: &[Vec<Run>], truth: &Truth, folder: &std::path::Path) -> Result<()> {
    println!(
        "\n{:<14}{:>10}{:>10}{:>12}{:>12}{:>10}{:>8}",
        "program", "precision", "recall", "median ms", "least ms", "RSS MiB", "times"
    );
    let middle = |runs: &[Run]| median(runs.iter().map(|run| run.millis).collect());
    let ours = runs.first().map_or(0.0, |runs| middle(runs));
    for (peer, runs) in peers.iter().zip(runs) {
        let groups = peers::read(peer).with_context(|| format!("what {} wrote cannot be read", peer.name))?;
        let score = truth.score(&groups, folder);
        let least = runs.iter().map(|run| run.millis).fold(f64::INFINITY, f64::min);
        let room = runs.iter().map(|run| run.peak_mib).fold(0.0, f64::max);
        println!(
            "{:<14}{:>10.4}{:>10.4}{:>12.1}{:>12.1}{:>10.1}{:>8.2}",
            peer.name,
            score.precision,
            score.recall,
            middle(runs),
            least,
            room,
            middle(runs) / ours.max(0.001)
        );
    }
    println!(
        "\npairs of different files with the same bytes; least and median of {} warm runs in turns",
        runs.first().map_or(0, Vec::len)
    );
    Ok(())
}
