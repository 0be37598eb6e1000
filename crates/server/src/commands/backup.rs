//! `stoa backup create|list|verify|prune`: made for people at a terminal and for cron without one: what happened is said
//! on standard output, a bar is drawn on a terminal alone, and any failure is an exit code.

use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{anyhow, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kernel::{Actor, Ambient, Time};
use ops::backup::{Listed, Made, Note, Progress, Reason, silently};
use serde_json::{Value, json};

use super::data::{Fresh, Vault, told, with_backups};
use super::paper::{Mark, Paper, print_json};
use crate::cli::{Backup, Global};

/// Runs the command. `false`: what was looked at is not as it should be.
pub(crate) fn run(global: &Global, command: &Backup, ambient: &Ambient) -> anyhow::Result<bool> {
    with_backups(global, ambient, Fresh::Allowed, async |vault| match command {
        Backup::Create { json } => create(vault, *json).await,
        Backup::List { json } => list(vault, *json, ambient.now()).await,
        Backup::Verify { artefact, json } => verify(vault, artefact.as_deref(), *json).await,
        Backup::Prune { json } => prune(vault, *json).await,
    })
}

/// A bar on standard error, where that is a terminal.
pub(crate) fn bar() -> Note {
    if !std::io::stderr().is_terminal() {
        return silently();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = |bar: &ProgressBar, template: &str| {
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
    };
    style(&bar, "{spinner} {msg} {bytes}");
    let phase = Mutex::new(false);
    let bar = Arc::new(Clearing(bar));
    Arc::new(move |progress| {
        let bar = &bar.0;
        match progress {
            Progress::Phase(name) => {
                bar.set_message(name);
                bar.set_position(0);
            }
            Progress::Bytes(done, all) => {
                let mut sized = phase.lock().unwrap_or_else(PoisonError::into_inner);
                if *sized != all.is_some() {
                    *sized = all.is_some();
                    let template = match all {
                        Some(_) => "{msg} {wide_bar} {bytes} of {total_bytes}, {eta} left",
                        None => "{spinner} {msg} {bytes}",
                    };
                    style(bar, template);
                }
                if let Some(all) = all {
                    bar.set_length(all);
                }
                bar.set_position(done);
            }
        }
        bar.tick();
    })
}

/// Takes the bar away when nobody draws on it any more.
struct Clearing(ProgressBar);

impl Drop for Clearing {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Bytes for people: `12.3 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    let mut unit = "bytes";
    let mut number = bytes as f64;
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if number < 1_024.0 {
            break;
        }
        number /= 1_024.0;
        unit = next;
    }
    if unit == "bytes" { format!("{bytes} bytes") } else { format!("{number:.1} {unit}") }
}

/// Opens the backups of a database that is up to date.
async fn ready(vault: &Vault) -> anyhow::Result<()> {
    let steps = vault.store.migrations().await.map_err(told)?;
    if steps.iter().any(|step| step.applied_at.is_none()) {
        bail!("the database is behind this version; run `stoa migrate` first");
    }
    vault.store.check_key().await.map_err(told)
}

async fn create(vault: &Vault, json: bool) -> anyhow::Result<bool> {
    ready(vault).await?;
    let mut paper = Paper::standard();
    if !json {
        paper.line("Starting database backup…")?;
    }
    let made = vault.backups.create(Reason::Manual, Actor::Operator, &bar()).await.map_err(told)?;
    let pruned = vault.backups.prune().await.map_err(told)?;
    if json {
        let mut document = document_of(&made);
        if let Some(object) = document.as_object_mut() {
            object.insert("pruned".to_owned(), json!({ "local": pruned.local, "bucket": pruned.bucket }));
        }
        print_json(&document)?;
        return Ok(true);
    }
    paper.line("Backup completed successfully")?;
    paper.line(&format!("  file      {}", made.path.display()))?;
    if made.sent {
        paper.line(&format!("  bucket    {}", vault.backups.places().1.unwrap_or_default()))?;
    }
    paper.line(&format!("  size      {}", size(made.bytes)))?;
    paper.line(&format!("  duration  {:.2} s", made.took.as_secs_f64()))?;
    paper.line(&format!("  checksum  sha256:{}", made.sha256))?;
    let (rows, files) = (made.manifest.rows(), &made.manifest.files);
    paper.line(&format!("  holds     {rows} rows and {} files ({})", files.count, size(files.bytes)))?;
    if files.missing > 0 {
        paper.entry(
            Mark::Attention,
            "files",
            &format!("{} files have no bytes in the file store and are in no backup", files.missing),
            "`stoa doctor` names what is missing",
        )?;
    }
    for name in pruned.local.iter().chain(&pruned.bucket) {
        paper.line(&format!("  removed   {name}"))?;
    }
    Ok(true)
}

fn document_of(made: &Made) -> Value {
    json!({
        "name": made.name,
        "path": made.path,
        "bytes": made.bytes,
        "sha256": made.sha256,
        "milliseconds": u64::try_from(made.took.as_millis()).unwrap_or(u64::MAX),
        "in_bucket": made.sent,
        "rows": made.manifest.rows(),
        "files": made.manifest.files,
        "content": made.manifest.content,
        "tables": made.manifest.tables,
        "schema": made.manifest.schema,
        "engine": made.manifest.engine,
        "began_at": made.manifest.began_at,
        "ended_at": made.manifest.ended_at,
    })
}

async fn list(vault: &Vault, json: bool, now: Time) -> anyhow::Result<bool> {
    let listed = vault.backups.list().await.map_err(told)?;
    if json {
        print_json(&serde_json::to_value(&listed)?)?;
        return Ok(true);
    }
    let mut paper = Paper::standard();
    let (folder, bucket) = vault.backups.places();
    let places = match bucket {
        Some(bucket) => format!("{} and {bucket}", folder.display()),
        None => folder.display().to_string(),
    };
    if listed.is_empty() {
        paper.line(&format!("There are no backups in {places}. `stoa backup create` makes one."))?;
        return Ok(true);
    }
    paper.line(&format!("Backups in {places}"))?;
    for one in &listed {
        let (mark, say) = describe(one, now);
        paper.entry(mark, &one.name, &say, "")?;
    }
    Ok(true)
}

fn describe(listed: &Listed, now: Time) -> (Mark, String) {
    let place = match (listed.local, listed.bucket) {
        (true, true) => "here and in the bucket",
        (false, true) => "in the bucket",
        _ => "here",
    };
    let hours = now.since(listed.at).as_secs() / 3_600;
    let age = if hours < 48 { format!("{hours} h old") } else { format!("{} days old", hours / 24) };
    match &listed.manifest {
        Some(manifest) => (
            Mark::Good,
            format!(
                "{}, {age}, {place}; {}, {} rows, {} files, schema {}, from {}",
                size(listed.bytes),
                manifest.reason.as_str().replace('_', " "),
                manifest.rows(),
                manifest.files.count,
                manifest.schema,
                manifest.engine
            ),
        ),
        None => (
            Mark::Bad,
            format!(
                "{}, {age}, {place}; {}",
                size(listed.bytes),
                listed.problem.as_deref().unwrap_or("cannot be read")
            ),
        ),
    }
}

async fn verify(vault: &Vault, artefact: Option<&str>, json: bool) -> anyhow::Result<bool> {
    ready(vault).await?;
    let name = match artefact {
        Some(name) => name.to_owned(),
        None => {
            let listed = vault.backups.list().await.map_err(told)?;
            let whole =
                |one: &&Listed| one.manifest.as_ref().is_none_or(|manifest| manifest.reason.is_whole());
            let newest = listed.iter().find(whole);
            newest.map(|one| one.name.clone()).ok_or_else(|| anyhow!("there is no backup to verify"))?
        }
    };
    let found = vault.backups.find(&name).await.map_err(told)?;
    let verified = vault.backups.verify(&found, Actor::Operator, &bar()).await.map_err(told)?;
    if json {
        print_json(&json!({
            "name": verified.name,
            "passed": true,
            "rows": verified.rows,
            "files": verified.files,
            "erased_subjects": verified.erased,
            "content": verified.manifest.content,
            "milliseconds": u64::try_from(verified.took.as_millis()).unwrap_or(u64::MAX),
        }))?;
        return Ok(true);
    }
    Paper::standard().line(&format!(
        "✓ {} can be restored: {} rows and {} files are what they were, in {:.2} s{}",
        verified.name,
        verified.rows,
        verified.files,
        verified.took.as_secs_f64(),
        match verified.erased {
            0 => String::new(),
            erased => format!("; {erased} subjects were erased since and stay so"),
        }
    ))?;
    Ok(true)
}

async fn prune(vault: &Vault, json: bool) -> anyhow::Result<bool> {
    let pruned = vault.backups.prune().await.map_err(told)?;
    if json {
        print_json(&json!({ "local": pruned.local, "bucket": pruned.bucket }))?;
        return Ok(true);
    }
    let mut paper = Paper::standard();
    for (names, place) in [(&pruned.local, "here"), (&pruned.bucket, "in the bucket")] {
        for name in names {
            paper.line(&format!("removed {place}: {name}"))?;
        }
    }
    if pruned.local.is_empty() && pruned.bucket.is_empty() {
        paper.line("Nothing is older than it has to be kept.")?;
    }
    Ok(true)
}
