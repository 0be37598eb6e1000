//! `stoa maintain`: looks after the database now, beside a running server or without one. Requests go on.

use std::time::Instant;

use kernel::Ambient;
use ops::upkeep;
use serde_json::{Value, json};
use store::{Size, Store, Vacuumed};

use super::data::{told, with_store};
use super::paper::{Mark, Paper, print_json};
use crate::cli::{Global, Maintain, MaintainTask};

/// Runs the command. `false`: something was put off, and the reason is printed.
pub(crate) fn run(global: &Global, wanted: &Maintain, ambient: &Ambient) -> anyhow::Result<bool> {
    with_store(global, ambient, true, async |store| match wanted.task {
        None if !wanted.whole => {
            let kept = upkeep::keep_up(store).await.map_err(told)?;
            vacuumed(&kept.vacuumed, wanted.json)
        }
        None | Some(MaintainTask::Vacuum) => {
            let began = Instant::now();
            let done = store.vacuum(wanted.whole).await.map_err(told)?;
            let outcome = format!("{} bytes before, {} after", done.before.bytes, done.after.bytes);
            store.note_chore("vacuum", began.elapsed(), &outcome).await.map_err(told)?;
            vacuumed(&done, wanted.json)
        }
        Some(MaintainTask::Analyze) => {
            let began = Instant::now();
            store.analyze().await.map_err(told)?;
            store.note_chore("analyze", began.elapsed(), "statistics counted").await.map_err(told)?;
            say(wanted.json, json!({ "analyzed": true }), "analyze", "statistics are counted anew")
        }
        Some(MaintainTask::Reindex) => {
            let began = Instant::now();
            let indexes = store.reindex().await.map_err(told)?;
            let outcome = format!("{indexes} indexes built anew");
            store.note_chore("reindex", began.elapsed(), &outcome).await.map_err(told)?;
            say(wanted.json, json!({ "indexes": indexes }), "reindex", &outcome)
        }
        Some(MaintainTask::Status) => status(store, wanted.json).await,
    })
}

fn say(as_json: bool, document: Value, name: &str, words: &str) -> anyhow::Result<bool> {
    if as_json {
        print_json(&document)?;
    } else {
        Paper::standard().entry(Mark::Good, name, words, "")?;
    }
    Ok(true)
}

fn size(size: &Size) -> Value {
    json!({ "bytes": size.bytes, "free": size.free })
}

fn vacuumed(done: &Vacuumed, as_json: bool) -> anyhow::Result<bool> {
    let Vacuumed { before, after, postponed } = done;
    if as_json {
        print_json(&json!({ "before": size(before), "after": size(after), "postponed": postponed }))?;
    } else if *postponed {
        Paper::standard().entry(
            Mark::Attention,
            "vacuum",
            "the file was made by an earlier version and is too large to be rewritten beside requests",
            "run `stoa maintain vacuum --whole` in a quiet hour: requests that write wait for it",
        )?;
    } else {
        let words =
            format!("{} bytes before, {} after, {} of them free", before.bytes, after.bytes, after.free);
        Paper::standard().entry(Mark::Good, "vacuum", &words, "")?;
    }
    Ok(!postponed)
}

async fn status(store: &Store, as_json: bool) -> anyhow::Result<bool> {
    let (now, chores) = (store.size().await.map_err(told)?, store.chores().await.map_err(told)?);
    if as_json {
        let rows: Vec<Value> = chores
            .iter()
            .map(|chore| {
                let took = u64::try_from(chore.took.as_millis()).unwrap_or(u64::MAX);
                json!({ "name": chore.name, "done_at": chore.done_at, "took_ms": took, "outcome": chore.outcome })
            })
            .collect();
        print_json(&json!({ "size": size(&now), "chores": rows }))?;
        return Ok(true);
    }
    let mut paper = Paper::standard();
    paper.entry(Mark::Nothing, "size", &format!("{} bytes, {} of them free", now.bytes, now.free), "")?;
    for chore in &chores {
        let say = format!("{}: {}", chore.done_at.rfc3339_seconds(), chore.outcome);
        paper.entry(Mark::Good, &chore.name, &say, "")?;
    }
    if chores.is_empty() {
        paper.line("The database was not looked after yet; a running server does it once a week.")?;
    }
    Ok(true)
}
