//! The monthly report: security audit, performance, recovery, documents (row 001.80 of the requirements).

use std::time::Duration;

use kernel::{EventType, PageRequest, Result, Role, Time};
use store::{Store, UserFilter};

use super::daily::goal;
use super::{Known, Section, Tone, ago, keys};
use crate::slo::Slo;

/// Who has not signed in for so long, or a key that was not used for so long, is probably needed no more.
const STALE: Duration = Duration::from_secs(90 * 86_400);

/// A secret or key that is older than this many days should be replaced (row 001.24).
const OLD_DAYS: u64 = 90;

/// A restore that was tried longer ago than this proves little.
const DRILL_DAYS: u64 = 31;

/// Findings and admins that are named.
const NAMED: usize = 20;

pub(super) async fn sections(store: &Store, known: &Known, since: Time, now: Time) -> Result<Vec<Section>> {
    Ok(vec![
        audit(store, known, now).await?,
        performance(store, now).await?,
        recovery(store, since, now).await?,
        documents(store, known, since, now).await?,
    ])
}

async fn audit(store: &Store, known: &Known, now: Time) -> Result<Section> {
    let mut section = Section::new("Security audit");
    section.ok("production rules that hold", known.holding.to_string());
    section.count("production rules that do not", known.findings.len() as u64, Tone::Wrong);
    for (name, say) in known.findings.iter().take(NAMED) {
        section.say(Tone::Wrong, name.clone(), say.clone());
    }
    let accounts = store.account_counts(now - STALE).await?;
    section.ok("accounts", format!("{}, of which {} may sign in", accounts.all, accounts.active));
    section.count("accounts without a second factor", accounts.one_factor, Tone::Look);
    section.count("accounts not used for 90 days", accounts.stale, Tone::Look);
    let admins = UserFilter { role: Some(Role::Admin), active: Some(true), ..UserFilter::default() };
    let admins = store.users(admins, PageRequest::first(PageRequest::MOST)).await?;
    let none = Tone::Wrong;
    section.say(
        if admins.items.is_empty() { none } else { Tone::Ok },
        "admins",
        admins.items.len().to_string(),
    );
    for admin in admins.items.iter().take(NAMED) {
        let factor = admin.totp_at.is_some() || admin.passkeys > 0;
        let (tone, factor) =
            if factor { (Tone::Ok, "two factors") } else { (Tone::Look, "a password alone") };
        let seen =
            admin.last_sign_in_at.map_or("never signed in".to_owned(), |at| format!("seen {}", ago(now, at)));
        section.say(tone, format!("admin {}", admin.id), format!("{factor}, {seen}"));
    }
    let keys = keys(store, now).await?;
    let stale =
        keys.iter().filter(|key| now.since(key.last_used_at.unwrap_or(key.created_at)) > STALE).count();
    let old = keys.iter().filter(|key| now.since(key.since()).as_secs() / 86_400 >= OLD_DAYS).count();
    section.ok("API keys", keys.len().to_string());
    section.count("API keys not used for 90 days", stale as u64, Tone::Look);
    section.count("API keys older than 90 days", old as u64, Tone::Look);
    let old: Vec<_> = known.secrets.iter().filter(|(_, days)| *days >= OLD_DAYS).collect();
    section.count("secrets older than 90 days", old.len() as u64, Tone::Wrong);
    for (name, days) in old {
        section.say(Tone::Wrong, name.clone(), format!("in use for {days} days: replace it"));
    }
    let verdict = store.verify_audit().await?;
    let (tone, say) = match verdict.fault {
        None => (Tone::Ok, format!("whole, {} events", verdict.events)),
        Some(_) => (Tone::Wrong, "altered: `stoa audit verify` names the place".to_owned()),
    };
    section.say(tone, "chain of the audit log", say);
    Ok(section)
}

async fn performance(store: &Store, now: Time) -> Result<Section> {
    let mut section = Section::new("Performance");
    let slo = Slo::of(store, now).await?;
    let Some(month) = slo.windows.iter().find(|window| window.name == "30d") else {
        section.nothing("requests");
        return Ok(section);
    };
    goal(&mut section, "in service", month.availability, "%", true);
    goal(&mut section, "requests that failed", month.errors, "%", false);
    goal(&mut section, "95 of 100 requests to the API", month.api_p95, "ms", false);
    goal(&mut section, "mean of all statements", month.database_mean, "ms", false);
    for group in &month.routes {
        let milliseconds = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value} ms"));
        if group.requests > 0 {
            let value = format!(
                "half within {}, 95 of 100 within {}, 99 within {}",
                milliseconds(group.p50_ms),
                milliseconds(group.p95_ms),
                milliseconds(group.p99_ms)
            );
            section.ok(format!("requests to {}", group.group), value);
        }
    }
    if let Some(at) = month.measured_since {
        section.ok("measured since", at.rfc3339_seconds());
    }
    Ok(section)
}

async fn recovery(store: &Store, since: Time, now: Time) -> Result<Section> {
    let mut section = Section::new("Disaster recovery");
    for (name, event) in
        [("last backup verified", EventType::BackupVerified), ("last restore", EventType::BackupRestored)]
    {
        match store.last_event(event).await? {
            Some(at) => {
                let old = now.since(at).as_secs() / 86_400 > DRILL_DAYS;
                section.say(if old { Tone::Look } else { Tone::Ok }, name, ago(now, at));
            }
            None => {
                section.say(Tone::Look, name, "never: try one with `stoa restore --into` a folder of its own")
            }
        }
    }
    let counts = store.event_counts(since, now).await?;
    let failed = counts.iter().find(|(name, _)| name == EventType::BackupFailed.as_str());
    section.count("backups that failed", failed.map_or(0, |(_, count)| *count), Tone::Wrong);
    Ok(section)
}

async fn documents(store: &Store, known: &Known, since: Time, now: Time) -> Result<Section> {
    let mut section = Section::new("Documentation");
    section.ok("manual and API reference", format!("served at /docs, of version {}", known.version));
    let counts = store.event_counts(since, now).await?;
    let changed = counts.iter().find(|(name, _)| name == EventType::ConfigChanged.as_str());
    section.count(
        "changes of the configuration to write down",
        changed.map_or(0, |(_, count)| *count),
        Tone::Look,
    );
    match store.last_event(EventType::ConfigChanged).await? {
        Some(at) => section.ok("last change of the configuration", ago(now, at)),
        None => section.nothing("last change of the configuration"),
    }
    Ok(section)
}
