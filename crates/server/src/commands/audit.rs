//! `stoa audit list|verify`: the audit log, read and proven.

use anyhow::{Context as _, anyhow};
use kernel::{Ambient, PageRequest, Time};
use serde_json::json;
use store::{AuditFilter, Store, StoredEvent};

use super::data::{told, with_store};
use super::paper::{Mark, Paper, print, print_json};
use crate::cli::{Audit, Global, span};

/// Runs the command. `false`: `verify` found the log altered.
pub(crate) fn run(global: &Global, audit: &Audit, ambient: &Ambient) -> anyhow::Result<bool> {
    with_store(global, ambient, true, async |store| match audit {
        Audit::List { event, actor, ip, object, since, until, limit, json } => {
            let filter = AuditFilter {
                event_type: event.clone(),
                actor: actor.clone(),
                ip: ip.clone(),
                object: object.clone(),
                since: since.as_deref().map(|text| moment(text, ambient.now())).transpose()?,
                until: until.as_deref().map(|text| moment(text, ambient.now())).transpose()?,
            };
            list(store, filter, *limit, *json).await?;
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

fn document(event: &StoredEvent) -> serde_json::Value {
    json!({
        "id": event.id, "timestamp": event.at, "event_type": event.event_type, "severity": event.severity,
        "ip_address": event.ip, "actor": event.actor, "object": event.object, "details": event.details,
        "hash": event.hash,
    })
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
        print_json(&json!({ "events": verdict.events, "intact": verdict.fault.is_none(), "fault": fault }))?;
        return Ok(verdict.fault.is_none());
    }
    let mut paper = Paper::standard();
    match &verdict.fault {
        None => paper.entry(
            Mark::Good,
            "audit log",
            &format!("{} events, the chain is intact", verdict.events),
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
