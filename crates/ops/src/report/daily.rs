//! The daily report: system health, error rates, backups, the security log (row 001.78 of the requirements).

use kernel::{EventType, Result, Time};
use store::{By, Store, TallyQuery};

use super::{Known, Section, Tone, ago};
use crate::slo::{Goal, Slo, Window};

/// A backup that is older than this is late, whatever the schedule.
const LATE_HOURS: u64 = 26;

/// Addresses that are named.
const NAMED: usize = 5;

pub(super) async fn sections(store: &Store, known: &Known, since: Time, now: Time) -> Result<Vec<Section>> {
    let slo = Slo::of(store, now).await?;
    let day = slo.windows.iter().find(|window| window.name == "24h");
    Ok(vec![
        health(store, day, since, now).await?,
        errors(day),
        backups(store, known, since, now).await?,
        security(store, since, now).await?,
    ])
}

pub(super) fn goal(section: &mut Section, name: &str, goal: Goal, unit: &str, above: bool) {
    let promise = if above { "more than" } else { "less than" };
    match (goal.value, goal.met) {
        (Some(value), Some(met)) => {
            let tone = if met { Tone::Ok } else { Tone::Wrong };
            section.say(tone, name, format!("{value} {unit} (promised: {promise} {} {unit})", goal.target));
        }
        _ => section.nothing(name),
    }
}

async fn health(store: &Store, day: Option<&Window>, since: Time, now: Time) -> Result<Section> {
    let mut section = Section::new("System health");
    match day {
        Some(day) => {
            goal(&mut section, "in service", day.availability, "%", true);
            if let Some(at) = day.measured_since {
                section.ok("measured since", at.rfc3339_seconds());
            }
        }
        None => section.nothing("in service"),
    }
    match store.ping().await {
        Ok(took) => section.ok("database answers now", format!("in {:.1} ms", took.as_secs_f64() * 1_000.0)),
        Err(_) => section.say(Tone::Wrong, "database answers now", "no"),
    }
    let raised = store.alert_minutes(since).await?.iter().map(|(_, count)| count).sum();
    section.count("alerts raised", raised, Tone::Look);
    section.count("alerts open now", store.count_open_alerts(None).await?, Tone::Wrong);
    let backlog = store.outbox_backlog().await?;
    let tone = match backlog.oldest {
        Some(oldest) if now.since(oldest).as_secs() > 3_600 => Tone::Look,
        _ => Tone::Ok,
    };
    let oldest = backlog.oldest.map_or_else(String::new, |at| format!(", the oldest since {}", ago(now, at)));
    section.say(tone, "mails and alerts that wait", format!("{}{oldest}", backlog.count));
    Ok(section)
}

fn errors(day: Option<&Window>) -> Section {
    let mut section = Section::new("Error rates");
    let Some(day) = day else {
        section.nothing("requests");
        return section;
    };
    goal(&mut section, "requests that failed", day.errors, "%", false);
    for group in &day.routes {
        if group.requests == 0 {
            section.nothing(format!("requests to {}", group.group));
        } else {
            section.ok(
                format!("requests to {}", group.group),
                format!("{}, of which {} failed", group.requests, group.failed),
            );
        }
    }
    section.count("log lines at ERROR", day.log_errors, Tone::Look);
    section.ok("log lines at WARNING", day.log_warnings.to_string());
    section
}

pub(super) async fn backups(store: &Store, known: &Known, since: Time, now: Time) -> Result<Section> {
    let mut section = Section::new("Backups");
    let counts = store.event_counts(since, now).await?;
    let count = |event: EventType| {
        counts.iter().find(|(name, _)| name == event.as_str()).map_or(0, |(_, count)| *count)
    };
    match store.last_event(EventType::BackupCreated).await? {
        Some(at) => {
            let late = now.since(at).as_secs() > LATE_HOURS * 3_600;
            let tone = if late { Tone::Wrong } else { Tone::Ok };
            section.say(tone, "newest backup", format!("{} ({})", ago(now, at), at.rfc3339_seconds()));
        }
        None if known.backups => section.say(Tone::Wrong, "newest backup", "none was made yet"),
        None => {
            section.say(Tone::Look, "newest backup", "none, and no place for backups is set (BACKUP_DIR)")
        }
    }
    section.ok("backups made", count(EventType::BackupCreated).to_string());
    section.count("backups that failed", count(EventType::BackupFailed), Tone::Wrong);
    match store.last_event(EventType::BackupVerified).await? {
        Some(at) => section.ok("last verified", ago(now, at)),
        None => section.nothing("last verified"),
    }
    Ok(section)
}

async fn security(store: &Store, since: Time, now: Time) -> Result<Section> {
    let mut section = Section::new("Security log");
    let counts = store.event_counts(since, now).await?;
    if counts.is_empty() {
        section.nothing("events");
        return Ok(section);
    }
    let count = |event: EventType| {
        counts.iter().find(|(name, _)| name == event.as_str()).map_or(0, |(_, count)| *count)
    };
    section.ok("events in all", counts.iter().map(|(_, count)| count).sum::<u64>().to_string());
    for (name, event, tone) in [
        ("failed sign-ins and credentials", EventType::AuthFailure, Tone::Look),
        ("denied", EventType::AuthzDenied, Tone::Look),
        ("rules of the front broken", EventType::SecurityViolation, Tone::Look),
        ("content blocked", EventType::ContentBlocked, Tone::Look),
        ("refused by a limit", EventType::RatelimitExceeded, Tone::Look),
        ("tokens used twice", EventType::TokenReuse, Tone::Wrong),
        ("permissions changed", EventType::PermissionChanged, Tone::Look),
        ("alerts raised", EventType::AlertRaised, Tone::Look),
    ] {
        section.count(name, count(event), tone);
    }
    for (address, count) in busiest(store, EventType::AuthFailure, since).await? {
        section.say(Tone::Look, format!("failures from {address}"), count.to_string());
    }
    Ok(section)
}

/// The addresses with the most events of a type.
pub(super) async fn busiest(store: &Store, event_type: EventType, since: Time) -> Result<Vec<(String, u64)>> {
    let query = TallyQuery { event_type, severity: None, since, by: By::Address, only: None, more_than: 0 };
    let tallies = store.tally(query).await?;
    Ok(tallies.into_iter().take(NAMED).map(|tally| (tally.group, tally.count)).collect())
}
