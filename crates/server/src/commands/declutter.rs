//! `stoa declutter PATH`: what can go in a folder of this machine, and why. It changes nothing without `--apply`, and
//! then it moves to the system's trash and writes down how to put everything back. The analysis and every promise
//! about what may go live in `files::clutter`.

mod page;

use std::collections::BTreeSet;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use files::clutter::disk::{self, Applied, Glob, Options, Progress, Scan, Stage, Trash, TrashPlaces};
use files::clutter::{FindingKind, Report, Rules, analyse};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kernel::{Ambient, Time};
use serde_json::json;

use super::paper::{complain, print_json};
use crate::cli::Declutter;

/// Runs the command. `false`: something that should have moved stayed, or could not be put back.
pub(crate) fn run(wanted: &Declutter, ambient: &Ambient) -> anyhow::Result<bool> {
    if let Some(list) = &wanted.undo {
        return undo(list, wanted.json);
    }
    let root = wanted.path.as_deref().ok_or_else(|| anyhow!("name a folder"))?;
    if !root.is_dir() {
        bail!("{} is no folder that can be read; name a folder", root.display());
    }
    let rules = rules(wanted, root, ambient.now())?;
    let scan = look(wanted, root, &rules)?;
    let report = analyse(&scan.entries, &rules);
    let applied = if wanted.apply { apply(wanted, &scan, &report, &rules, ambient.now())? } else { None };
    if wanted.json {
        let (applied, list) =
            applied.as_ref().map_or((None, None), |(applied, list)| (Some(applied), Some(list)));
        print_json(&json!({
            "root": root.display().to_string(),
            "seen": report.seen,
            "together": report.together,
            "totals": report.totals,
            "findings": report.findings,
            "problems": scan.problems,
            "applied": applied,
            "undo_list": list,
        }))?;
    } else if let Some((applied, list)) = &applied {
        page::applied(applied, list)?;
    } else if !wanted.apply {
        page::report(&scan, &report, wanted.all)?;
    }
    Ok(applied.is_none_or(|(applied, _)| applied.stayed.is_empty()))
}

fn rules(wanted: &Declutter, root: &Path, now: Time) -> anyhow::Result<Rules> {
    let mut rules = Rules::new(now);
    rules.min_size = wanted.min_size;
    rules.only = wanted.only.iter().copied().collect();
    rules.shared_names = false;
    rules.big = wanted.big;
    rules.old_days = wanted.old;
    let whole = root.canonicalize().with_context(|| format!("{} cannot be read", root.display()))?;
    for folder in &wanted.protect {
        // As it is typed it may be seen from here or from the folder that is looked at.
        let found = [folder.clone(), root.join(folder)].into_iter().find_map(|path| path.canonicalize().ok());
        let found = found.ok_or_else(|| {
            anyhow!("--protect {}: there is no such folder; name one that is there", folder.display())
        })?;
        match found.strip_prefix(&whole) {
            Ok(inside) => rules.protected.push(inside.display().to_string()),
            // What lies outside is not touched anyhow; what the folder lies in protects all of it.
            Err(_) if whole.starts_with(&found) => rules.protected.push(String::new()),
            Err(_) => {}
        }
    }
    Ok(rules)
}

/// Reads the folder, with a bar at a terminal.
fn look(wanted: &Declutter, root: &Path, rules: &Rules) -> anyhow::Result<Scan> {
    let options = Options {
        exclude: wanted.exclude.iter().map(|pattern| Glob::new(pattern)).collect(),
        threads: wanted.threads,
        version_control: wanted.version_control,
        ..Options::default()
    };
    let progress = Progress::default();
    let scan = std::thread::scope(|scope| {
        let work = scope.spawn(|| disk::scan(root, &options, rules, &progress));
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            while !work.is_finished() {
                draw(&bar, &progress);
                std::thread::sleep(Duration::from_millis(80));
            }
            bar.finish_and_clear();
        }
        work.join().map_err(|_| anyhow!("the folder could not be read: a thread of the reading failed"))
    })?;
    scan.with_context(|| format!("{} cannot be read", root.display()))
}

fn draw(bar: &ProgressBar, progress: &Progress) {
    let (stage, done, all) = progress.now();
    let (text, template) = match stage {
        Stage::Listing => ("Listing folders", "{spinner} {msg}: {pos} found"),
        Stage::Comparing => ("Comparing contents", "{msg} {wide_bar} {pos} of {len} files, {eta} left"),
        Stage::Looking => {
            ("Looking at pictures and texts", "{msg} {wide_bar} {pos} of {len} files, {eta} left")
        }
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(text);
    bar.set_length(all);
    bar.set_position(done);
    bar.tick();
}

/// The kinds that an `--apply` moves: those that were named, else those that lose nothing.
fn kinds(wanted: &Declutter) -> BTreeSet<FindingKind> {
    if wanted.only.is_empty() {
        return FindingKind::ALL.iter().copied().filter(|kind| kind.loses_nothing()).collect();
    }
    wanted.only.iter().copied().collect()
}

fn apply(
    wanted: &Declutter,
    scan: &Scan,
    report: &Report,
    rules: &Rules,
    now: Time,
) -> anyhow::Result<Option<(Applied, PathBuf)>> {
    let kinds = kinds(wanted);
    let (picked, _) = disk::go(report, &kinds);
    if picked.is_empty() {
        if !wanted.json {
            page::report(scan, report, wanted.all)?;
            complain("There is nothing that can go.");
        }
        return Ok(None);
    }
    if !wanted.json {
        page::report(scan, report, wanted.all)?;
    }
    if !wanted.yes && !agreed(picked.len())? {
        complain("Nothing was moved.");
        return Ok(None);
    }
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let under = |variable: &str, inner: &str| {
        let named = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        named.or_else(|| home.as_ref().map(|home| home.join(inner)))
    };
    let trash = Trash::new(TrashPlaces { data_home: under("XDG_DATA_HOME", ".local/share") }, now);
    let folder = under("XDG_STATE_HOME", ".local/state").unwrap_or_else(std::env::temp_dir).join("stoa");
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .with_context(|| format!("the undo list needs the folder {}", folder.display()))?;
    let list = folder.join(format!("declutter-{}.jsonl", now.rfc3339().replace(':', "-")));
    let applied = disk::apply(scan, report, &kinds, rules, &trash, &list).with_context(|| {
        format!("the undo list {} cannot be written, so nothing more was moved", list.display())
    })?;
    Ok(Some((applied, list)))
}

fn agreed(count: usize) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("--apply asks before it moves anything, and nobody is there to answer; say --yes");
    }
    let mut out = std::io::stderr();
    write!(out, "\nMove up to {count} of these to the trash? [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn undo(list: &Path, json: bool) -> anyhow::Result<bool> {
    let records = disk::read_records(list).with_context(|| format!("{} cannot be read", list.display()))?;
    let undone = disk::undo(&records);
    if json {
        print_json(&serde_json::to_value(&undone)?)?;
    } else {
        page::undone(&undone)?;
    }
    Ok(undone.failed.is_empty())
}
