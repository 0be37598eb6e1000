//! From rollups to the answer: was it kept what was promised? It owns the targets, which are those of the guides, and
//! the arithmetic over replicas: time in service counts once, however many serve.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kernel::{Result, Time};
use serde::Serialize;
use store::{Measure, Store};

use super::spread::{Spread, pairs};
use super::{Group, HOUR, MINUTE};

/// What is promised (rows 001.88 to 001.91 of the requirements).
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Targets {
    /// More of the time than this, in percent, the server is in service.
    pub availability_percent: f64,
    /// Fewer of the requests than this, in percent, fail.
    pub error_percent: f64,
    /// 95 of 100 requests to the API that need no model take less than this.
    pub api_p95_ms: f64,
    /// The mean of all statements is below this.
    pub database_mean_ms: f64,
}

/// What was counted is written after this time at the latest.
const UNWRITTEN: Duration = Duration::from_secs(15);

const TARGETS: Targets =
    Targets { availability_percent: 99.9, error_percent: 0.1, api_p95_ms: 200.0, database_mean_ms: 100.0 };

/// A promise and what was kept of it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Goal {
    /// What was measured; `null` while there is nothing to measure.
    pub value: Option<f64>,
    /// What was promised.
    pub target: f64,
    /// Whether it was kept.
    pub met: Option<bool>,
}

/// The requests of one part of the surface.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RouteGroup {
    /// `api`, `model`, `files`, `pages`.
    pub group: &'static str,
    /// How many were answered.
    pub requests: u64,
    /// Of these, with 5xx.
    pub failed: u64,
    /// Half took at most this many milliseconds.
    pub p50_ms: Option<f64>,
    /// 95 of 100.
    pub p95_ms: Option<f64>,
    /// 99 of 100.
    pub p99_ms: Option<f64>,
}

/// A step of a window, for a chart.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Step {
    /// When it began.
    pub at: Time,
    /// Requests.
    pub requests: u64,
    /// Of these, failed.
    pub failed: u64,
    /// 95 of 100 requests to the API took at most this.
    pub api_p95_ms: Option<f64>,
}

/// A span of time that ends now.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Window {
    /// `1h`, `24h`, `7d`, `30d`.
    pub name: &'static str,
    /// When it begins.
    pub since: Time,
    /// Since when there are measurements, if that is later.
    pub measured_since: Option<Time>,
    /// The share of the time in service, in percent.
    pub availability: Goal,
    /// The share of the requests that failed, in percent.
    pub errors: Goal,
    /// The 95th percentile of the API, in milliseconds.
    pub api_p95: Goal,
    /// The mean of the statements, in milliseconds.
    pub database_mean: Goal,
    /// By part of the surface.
    pub routes: Vec<RouteGroup>,
    /// Lines of the log at `ERROR`, and at `WARNING`; kept by the hour.
    pub log_errors: u64,
    /// The same at `WARNING`.
    pub log_warnings: u64,
    /// The steps of the window.
    #[serde(skip)]
    pub steps: Vec<Step>,
}

/// What was kept of what was promised.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SloReport {
    /// When it was read.
    pub at: Time,
    /// The promises.
    pub targets: Targets,
    /// Over an hour, a day, a week, a month.
    pub windows: Vec<Window>,
}

/// The windows: name, length, the span whose rows are read.
const WINDOWS: [(&str, u64, u32); 4] =
    [("1h", 3_600, MINUTE), ("24h", 86_400, HOUR), ("7d", 7 * 86_400, HOUR), ("30d", 30 * 86_400, HOUR)];

/// Reads everything.
pub(super) async fn read(store: &Store, now: Time) -> Result<SloReport> {
    let (_, month, _) = WINDOWS[3];
    let hours = store.measures(HOUR, begin(now, month, HOUR), "").await?;
    let minutes = store.measures(MINUTE, begin(now, 3_600, MINUTE), "").await?;
    let windows = WINDOWS.map(|(name, length, span)| {
        let rows = if span == MINUTE { &minutes } else { &hours };
        window(name, now, begin(now, length, span), span, rows, &hours)
    });
    Ok(SloReport { at: now, targets: TARGETS, windows: windows.to_vec() })
}

/// Windows begin with a whole span, so that a row is in it or not.
fn begin(now: Time, length: u64, span: u32) -> Time {
    let span = i64::from(span);
    let from = (now - Duration::from_secs(length)).seconds();
    Time::from_seconds((from.div_euclid(span) + 1) * span)
}

fn goal(value: Option<f64>, target: f64, met: impl Fn(f64, f64) -> bool) -> Goal {
    let value = value.map(|value| (value * 1_000.0).round() / 1_000.0);
    Goal { value, target, met: value.map(|value| met(value, target)) }
}

fn window(
    name: &'static str,
    now: Time,
    since: Time,
    span: u32,
    rows: &[Measure],
    hours: &[Measure],
) -> Window {
    let inside: Vec<&Measure> = rows.iter().filter(|row| row.at >= since).collect();
    let of = |what: &str| inside.iter().filter(|row| row.what == what).copied().collect::<Vec<_>>();
    let sum = |rows: &[&Measure], of: fn(&Measure) -> u64| rows.iter().map(|row| of(row)).sum::<u64>();
    let spread = |rows: &[&Measure]| {
        let mut all = Spread::default();
        rows.iter().for_each(|row| all.merge(&Spread::read(&row.detail)));
        all
    };
    let routes: Vec<RouteGroup> = Group::ALL
        .into_iter()
        .map(|group| {
            let rows = of(group.what());
            let spread = spread(&rows);
            RouteGroup {
                group: group.as_str(),
                requests: sum(&rows, |row| row.calls),
                failed: sum(&rows, |row| row.failed),
                p50_ms: spread.percentile(0.5),
                p95_ms: spread.percentile(0.95),
                p99_ms: spread.percentile(0.99),
            }
        })
        .collect();
    let requests: u64 = routes.iter().map(|group| group.requests).sum();
    let failed: u64 = routes.iter().map(|group| group.failed).sum();
    let errors = (requests > 0).then(|| 100.0 * failed as f64 / requests as f64);
    let api = routes.iter().find(|group| group.group == "api").and_then(|group| group.p95_ms);
    let db = of("db");
    let calls = sum(&db, |row| row.calls);
    let mean = (calls > 0).then(|| sum(&db, |row| row.total) as f64 / calls as f64 / 1_000.0);
    let (availability, measured_since) = available(now, since, hours);
    let below = |value: f64, target: f64| value < target;
    // Lines are counted by the hour: of the last hour, those of the hours that touch it.
    let touching = hours.iter().filter(|row| row.at + Duration::from_secs(u64::from(HOUR)) > since);
    let lines = |what: &str| touching.clone().filter(|row| row.what == what).map(|row| row.calls).sum();
    Window {
        name,
        since,
        measured_since,
        availability: goal(availability, TARGETS.availability_percent, |value, target| value > target),
        errors: goal(errors, TARGETS.error_percent, below),
        api_p95: goal(api, TARGETS.api_p95_ms, below),
        database_mean: goal(mean, TARGETS.database_mean_ms, below),
        log_errors: lines("log:error"),
        log_warnings: lines("log:warning"),
        steps: steps(now, since, span, &inside),
        routes,
    }
}

fn steps(now: Time, since: Time, span: u32, inside: &[&Measure]) -> Vec<Step> {
    let mut steps: BTreeMap<i64, (u64, u64, Spread)> = BTreeMap::new();
    let width = i64::from(span);
    let (first, last) = (since.seconds().div_euclid(width), now.seconds().div_euclid(width));
    for at in first..=last {
        steps.insert(at, (0, 0, Spread::default()));
    }
    for row in inside.iter().filter(|row| row.what.starts_with("http:")) {
        if let Some((requests, failed, spread)) = steps.get_mut(&row.at.seconds().div_euclid(width)) {
            *requests += row.calls;
            *failed += row.failed;
            if row.what == Group::Api.what() {
                spread.merge(&Spread::read(&row.detail));
            }
        }
    }
    let step = |(at, (requests, failed, spread)): (i64, (u64, u64, Spread))| Step {
        at: Time::from_seconds(at * width),
        requests,
        failed,
        api_p95_ms: spread.percentile(0.95),
    };
    steps.into_iter().map(step).collect()
}

/// The share of the time, in percent, in which at least one replica was in service, and since when that is known. Time
/// without any row is time without any server. The minute that goes on, and the one in which the first process began,
/// say nothing yet.
fn available(now: Time, since: Time, hours: &[Measure]) -> (Option<f64>, Option<Time>) {
    let mut minutes: BTreeMap<i64, u64> = BTreeMap::new();
    let mut seen: BTreeSet<i64> = BTreeSet::new();
    for row in hours.iter().filter(|row| row.what == "up") {
        let first = row.at.seconds().div_euclid(60);
        for (minute, millis) in pairs(&row.detail) {
            let minute = first + i64::try_from(minute).unwrap_or(0);
            seen.insert(minute);
            let best = minutes.entry(minute).or_default();
            *best = (*best).max(millis.min(60_000));
        }
        if row.calls > 0 && row.detail.is_empty() {
            seen.insert(first);
        }
    }
    let Some(first) = seen.first().copied() else { return (None, None) };
    let begin = since.seconds().div_euclid(60).max(first + 1);
    // What the last seconds were is not written yet.
    let end = (now - UNWRITTEN).seconds().div_euclid(60);
    let measured = (first > since.seconds().div_euclid(60)).then(|| Time::from_seconds(first * 60));
    if begin >= end {
        return (None, measured);
    }
    let good: u64 = minutes.range(begin..end).map(|(_, millis)| *millis).sum();
    let all = u64::try_from(end - begin).unwrap_or(0) * 60_000;
    (Some(100.0 * good as f64 / all as f64), measured)
}
