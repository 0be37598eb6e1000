//! The weekly report: the database, people, patches, capacity (rows 001.79 and 002.57 of the requirements).

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use kernel::{EventType, Result, Time};
use store::{Measure, Store};

use super::daily::{busiest, goal};
use super::{Known, Section, Tone, bytes};
use crate::slo::Slo;

/// A statement whose mean is over this is slow (row 001.54).
pub(crate) const SLOW_MEAN: Duration = Duration::from_millis(100);

/// Statements, apps and callers that are named.
const NAMED: usize = 10;

/// A program that is older than this should be looked at for a newer one.
const OLD_DAYS: u64 = 90;

/// Growth is told from measurements that lie at least this far apart.
const APART: Duration = Duration::from_secs(86_400);

pub(super) async fn sections(store: &Store, known: &Known, since: Time, now: Time) -> Result<Vec<Section>> {
    Ok(vec![
        database(store, since, now).await?,
        activity(store, since, now).await?,
        patches(known, now),
        capacity(store, &known.data_dir, now).await?,
    ])
}

async fn database(store: &Store, since: Time, now: Time) -> Result<Section> {
    let mut section = Section::new("Database performance");
    let slo = Slo::of(store, now).await?;
    match slo.windows.iter().find(|window| window.name == "7d") {
        Some(week) => goal(&mut section, "mean of all statements", week.database_mean, "ms", false),
        None => section.nothing("mean of all statements"),
    }
    let mut costs: BTreeMap<String, (String, u64, u64, u64)> = BTreeMap::new();
    let day = Duration::from_secs(86_400);
    for row in store.measures(86_400, since - day, "statement:").await? {
        let known = costs.entry(row.what).or_default();
        known.0 = row.detail;
        known.1 += row.calls;
        known.2 = known.2.saturating_add(row.total);
        known.3 = known.3.max(row.longest);
    }
    if costs.is_empty() {
        section.nothing("slow statements");
    } else {
        let mut slow: Vec<_> = costs.into_iter().filter(|(_, (_, calls, ..))| *calls > 0).collect();
        slow.sort_by_key(|(_, (_, calls, total, _))| std::cmp::Reverse(total / calls));
        let limit = u64::try_from(SLOW_MEAN.as_micros()).unwrap_or(u64::MAX);
        let over = slow.iter().filter(|(_, (_, calls, total, _))| total / calls > limit).count();
        section.count("statements with a mean over 100 ms", over as u64, Tone::Wrong);
        for (what, (_, calls, total, longest)) in slow.iter().take(NAMED) {
            let operation = what.split(':').nth(1).unwrap_or(what);
            let tone = if total / calls > limit { Tone::Wrong } else { Tone::Ok };
            let value = format!(
                "{calls} calls, mean {:.2} ms, longest {:.1} ms",
                *total as f64 / *calls as f64 / 1_000.0,
                *longest as f64 / 1_000.0
            );
            section.say(tone, operation, value);
        }
    }
    if let Ok(Some(server)) = store.server_statements(SLOW_MEAN, 10).await {
        section.count("over 100 ms by pg_stat_statements", server.len() as u64, Tone::Wrong);
    }
    let missing = store.missing_indexes().await?;
    let missing_text = if missing.is_empty() { "none".to_owned() } else { missing.join(", ") };
    section.say(
        if missing.is_empty() { Tone::Ok } else { Tone::Wrong },
        "indexes that are missing",
        missing_text,
    );
    Ok(section)
}

async fn activity(store: &Store, since: Time, now: Time) -> Result<Section> {
    let mut section = Section::new("User activity");
    let usage = store.usage(since, now, &store::UsageFilter::default()).await?;
    if usage.apps.is_empty() {
        section.nothing("turns");
    }
    for app in &usage.apps {
        section.ok(
            format!("app {}", app.name),
            format!(
                "{} turns in {} conversations, {} tokens in, {} out",
                app.requests, app.conversations, app.input_tokens, app.output_tokens
            ),
        );
    }
    let more = if usage.principals.len() >= 100 { " or more" } else { "" };
    section.ok("visitors, accounts and keys that asked", format!("{}{more}", usage.principals.len()));
    let counts = store.event_counts(since, now).await?;
    let count = |event: EventType| {
        counts.iter().find(|(name, _)| name == event.as_str()).map_or(0, |(_, count)| *count)
    };
    section.ok("sign-ins", count(EventType::AuthSuccess).to_string());
    section.ok("sessions now", store.count_sessions().await?.to_string());
    section.ok("refused by a limit", count(EventType::RatelimitExceeded).to_string());
    for (address, count) in busiest(store, EventType::RatelimitExceeded, since).await? {
        section.say(Tone::Look, format!("limited most: {address}"), count.to_string());
    }
    Ok(section)
}

fn patches(known: &Known, now: Time) -> Section {
    let mut section = Section::new("Patches");
    section.ok("version", known.version.clone());
    match known.built {
        Some(built) => {
            let days = now.since(built).as_secs() / 86_400;
            let tone = if days > OLD_DAYS { Tone::Look } else { Tone::Ok };
            section.say(tone, "age of the program", format!("{days} days ({})", built.rfc3339_seconds()));
        }
        None => section.nothing("age of the program"),
    }
    section.ok("packages in it", known.packages.0.to_string());
    for package in &known.packages.1 {
        section.ok("faces the network", package.clone());
    }
    section
}

async fn capacity(store: &Store, data_dir: &Path, now: Time) -> Result<Section> {
    let mut section = Section::new("Capacity");
    let sizes = store.measures(86_400, now - Duration::from_secs(30 * 86_400), "size:").await?;
    let (database, files) = (store.database_size().await?, store.files_size().await?);
    section.ok("database", bytes(database));
    section.ok("files", bytes(files));
    let free = crate::monitor::free(data_dir);
    match free {
        Some((free, all)) => section.ok("free on the disk", format!("{} of {}", bytes(free), bytes(all))),
        None => section.nothing("free on the disk"),
    }
    match growth(&sizes, database.saturating_add(files), now) {
        None => {
            section.nothing("growth a day");
            section.nothing("days until the disk is full");
        }
        Some(a_day) => {
            section.ok("growth a day", bytes(a_day));
            match (free, a_day) {
                (None, _) => section.nothing("days until the disk is full"),
                (_, 0) => section.ok("days until the disk is full", "it does not grow"),
                (Some((free, _)), a_day) => {
                    let days = free / a_day;
                    let tone = match days {
                        0..=13 => Tone::Wrong,
                        14..=59 => Tone::Look,
                        _ => Tone::Ok,
                    };
                    section.say(tone, "days until the disk is full", days.to_string());
                }
            }
        }
    }
    Ok(section)
}

/// How many bytes a day the data has grown, from the oldest measurement to now; `None` when that is not long enough.
fn growth(sizes: &[Measure], present: u64, now: Time) -> Option<u64> {
    let first = sizes.iter().map(|row| row.at).min()?;
    // The size of a day is that at its end, as far as it was seen.
    let end = first + APART;
    if now.since(end) < APART {
        return None;
    }
    let at_first = |what: &str| {
        sizes.iter().filter(|row| row.at == first && row.what == what).map(|row| row.calls).max().unwrap_or(0)
    };
    let before = at_first("size:database").saturating_add(at_first("size:files"));
    let days = now.since(end).as_secs_f64() / 86_400.0;
    Some((present.saturating_sub(before) as f64 / days) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_told_from_days_that_were_measured() {
        let day = |number: i64| Time::from_seconds(1_795_132_800 + number * 86_400);
        let row = |number: i64, what: &str, size: u64| Measure {
            replica: "r".into(),
            span: 86_400,
            at: day(number),
            what: what.into(),
            calls: size,
            failed: 0,
            total: 0,
            longest: 0,
            detail: String::new(),
        };
        assert_eq!(growth(&[], 5, day(3)), None);
        let sizes = [row(0, "size:database", 900), row(0, "size:files", 100), row(4, "size:database", 9)];
        assert_eq!(growth(&sizes, 2_000, day(1)), None, "a day is no trend");
        assert_eq!(growth(&sizes, 2_000, day(11)), Some(100));
        assert_eq!(growth(&sizes, 10, day(11)), Some(0));
    }
}
