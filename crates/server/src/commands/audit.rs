//! `stoa audit list|export|verify`: the audit log, read, written out and proven.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use kernel::{Actor, Ambient, AuditEvent, EventType, PageRequest, Severity, Time};
use ops::export::{Form, document};
use serde_json::json;
use store::{AuditFilter, Store, StoredEvent};

use super::data::{told, with_store};
use super::paper::{Mark, Paper, complain, print, print_json};
use crate::cli::{Audit, AuditWanted, Global, span};

/// Runs the command. `false`: `verify` found the log altered.
pub(crate) fn run(global: &Global, audit: &Audit, ambient: &Ambient) -> anyhow::Result<bool> {
    with_store(global, ambient, true, async |store| match audit {
        Audit::List { wanted, limit, json } => {
            list(store, filter(wanted, ambient.now())?, *limit, *json).await?;
            Ok(true)
        }
        Audit::Export { wanted, format, out } => {
            let form = Form::parse(format).map_err(told)?;
            export(store, filter(wanted, ambient.now())?, form, out.as_deref()).await?;
            Ok(true)
        }
        Audit::Verify { json } => verify(store, *json).await,
    })
}

async fn list(store: &Store, filter: AuditFilter, limit: u32, json: bool) -> anyhow::Result<()> {
    let mut left = limit;
    let mut page = PageRequest::first(left);
    loop {
        let piece = store.audit_events(filter.clone(), page).await.map_err(told)?;
        for event in &piece.items {
            print(&if json { format!("{}\n", document(event)) } else { line(event) })?;
        }
        left = left.saturating_sub(u32::try_from(piece.items.len()).unwrap_or(u32::MAX));
        match piece.next {
            Some(next) if left > 0 => {
                page = PageRequest::parse(Some(left.min(PageRequest::MOST)), Some(&next)).map_err(told)?;
            }
            _ => return Ok(()),
        }
    }
}

fn filter(wanted: &AuditWanted, now: Time) -> anyhow::Result<AuditFilter> {
    let known = |text: &String| Severity::ALL.iter().any(|one| one.as_str() == text);
    if let Some(text) = wanted.severity.as_ref().filter(|text| !known(text)) {
        return Err(anyhow!("`{text}` is no severity; write low, medium, high or critical"));
    }
    Ok(AuditFilter {
        event_type: wanted.event.clone(),
        severity: wanted.severity.clone(),
        actor: wanted.actor.clone(),
        ip: wanted.ip.clone(),
        object: wanted.object.clone(),
        since: wanted.since.as_deref().map(|text| moment(text, now)).transpose()?,
        until: wanted.until.as_deref().map(|text| moment(text, now)).transpose()?,
    })
}

/// Writes the log piece by piece. The event of the export is written first, and is the first of it.
async fn export(store: &Store, filter: AuditFilter, form: Form, out: Option<&Path>) -> anyhow::Result<()> {
    let event =
        AuditEvent::new(EventType::DataExported, Actor::Operator).to("audit").with("format", form.as_str());
    let mut file = match out {
        None => None,
        Some(path) => {
            let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            Some(opened.with_context(|| format!("{} cannot be made", path.display()))?)
        }
    };
    store.record(vec![event]).await.map_err(told)?;
    let (mut page, mut first, mut events) = (PageRequest::first(PageRequest::MOST), true, 0);
    loop {
        let piece = store.audit_events(filter.clone(), page).await.map_err(told)?;
        let text = form.piece(&piece.items, first, piece.next.is_none());
        match &mut file {
            None => print(&text)?,
            Some(file) => file.write_all(text.as_bytes())?,
        }
        (first, events) = (first && piece.items.is_empty(), events + piece.items.len());
        match piece.next {
            Some(next) => page = PageRequest::parse(Some(PageRequest::MOST), Some(&next)).map_err(told)?,
            None => break,
        }
    }
    if let (Some(file), Some(path)) = (file, out) {
        file.sync_all()?;
        complain(&format!("{events} events are in {}.", path.display()));
    }
    Ok(())
}

fn line(event: &StoredEvent) -> String {
    format!(
        "{}  {:<8} {:<20} {:<46} {:<15} {} {}\n",
        event.at.rfc3339_seconds(),
        event.severity,
        event.event_type,
        event.actor,
        event.ip.as_deref().unwrap_or("-"),
        event.object.as_deref().unwrap_or("-"),
        event.details,
    )
}

async fn verify(store: &Store, json: bool) -> anyhow::Result<bool> {
    let verdict = store.verify_audit().await.map_err(told)?;
    if json {
        let fault = verdict.fault.as_ref().map(|fault| json!({ "seq": fault.seq, "what": fault.what }));
        let removed = verdict.removed;
        print_json(
            &json!({ "events": verdict.events, "removed": removed, "intact": verdict.fault.is_none(), "fault": fault }),
        )?;
        return Ok(verdict.fault.is_none());
    }
    let mut paper = Paper::standard();
    match &verdict.fault {
        None => paper.entry(
            Mark::Good,
            "audit log",
            &match verdict.removed {
                0 => format!("{} events, the chain is intact", verdict.events),
                removed => format!(
                    "{} events, the chain is intact from the sealed record on that says that retention removed the \
                     {removed} before",
                    verdict.events
                ),
            },
            "",
        )?,
        Some(fault) => paper.entry(
            Mark::Bad,
            "audit log",
            &format!("event {}: {}", fault.seq, fault.what),
            "keep this database as evidence and compare it with a backup",
        )?,
    }
    Ok(verdict.fault.is_none())
}

/// A time, or a span before now.
fn moment(text: &str, now: Time) -> anyhow::Result<Time> {
    if let Ok(before) = span(text) {
        return Ok(now - before);
    }
    Time::parse_rfc3339(text)
        .ok_or_else(|| anyhow!("`{text}` is no time"))
        .context("write a time like 2026-11-21T08:00:00Z, or a span like 24h")
}
