//! What was promised and what was kept: requests, errors, latencies, statements and the time in service, counted in this
//! process and kept as rollups in the database, so that a restart loses a few seconds at the most. It owns what is
//! counted and when it is written. It never keeps a path, an address or anything else about a single request.

mod report;
mod spread;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::{Ambient, Result, Time};
use parking_lot::Mutex;
use store::{Measure, StatementCost, Store};
use tokio_util::sync::CancellationToken;

pub use report::{Goal, RouteGroup, SloReport, Step, Targets, Window};

use crate::health::Health;
use spread::Spread;

/// How often what was counted is written: the most that a crash loses.
const PACE: Duration = Duration::from_secs(10);

/// The spans, in seconds, and how long each is kept.
const MINUTE: u32 = 60;
const HOUR: u32 = 3_600;
const DAY: u32 = 86_400;
const KEEP_MINUTES: Duration = Duration::from_secs(3 * 3_600);
const KEEP_HOURS: Duration = Duration::from_secs(32 * 86_400);
const KEEP_DAYS: Duration = Duration::from_secs(400 * 86_400);

/// Rows that wait for a database that is away; the oldest are given up first.
const MOST_WAITING: usize = 5_000;

/// Statements of a day that are kept: those with the highest mean.
const MOST_STATEMENTS: usize = 50;

/// Sizes change slowly, and asking for them costs something.
const SIZES: Duration = Duration::from_secs(600);

/// Which part of the surface a request belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Group {
    /// The API, without models and without bytes of files.
    Api,
    /// What waits for a model.
    Model,
    /// Bytes of files and documents, in and out.
    Files,
    /// Pages.
    Pages,
}

impl Group {
    const ALL: [Group; 4] = [Group::Api, Group::Model, Group::Files, Group::Pages];

    /// The group of a route template.
    pub fn of(method: &str, route: &str) -> Group {
        let writes = method == "POST" || method == "PUT";
        let path = route.strip_prefix("/api/v1/").or_else(|| route.strip_prefix("/v1/"));
        let Some(path) = path else { return Group::Pages };
        match path {
            "chat" | "chat/completions" | "embeddings" => Group::Model,
            path if path.contains("/messages") && (writes || path.ends_with("/regenerate")) => Group::Model,
            path if path.ends_with("/search") || path.contains("tutor") && writes => Group::Model,
            path if path.ends_with("/content") || path.contains("/declutter") => Group::Files,
            "files" | "apps/{app}/documents" if writes => Group::Files,
            _ => Group::Api,
        }
    }

    /// The word of reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Group::Api => "api",
            Group::Model => "model",
            Group::Files => "files",
            Group::Pages => "pages",
        }
    }

    const fn what(self) -> &'static str {
        match self {
            Group::Api => "http:api",
            Group::Model => "http:model",
            Group::Files => "http:files",
            Group::Pages => "http:pages",
        }
    }
}

/// Counts of one thing in one span.
#[derive(Clone, Default)]
struct Counted {
    calls: u64,
    failed: u64,
    total: u64,
    longest: u64,
    spread: Spread,
    /// In place of the spread, where the thing has no times.
    detail: Option<String>,
}

/// A span that goes on.
struct Running {
    span: u32,
    at: i64,
    counted: HashMap<String, Counted>,
    /// Milliseconds in service by minute of the hour.
    up: [u32; 60],
}

impl Running {
    fn new(span: u32) -> Running {
        Running { span, at: -1, counted: HashMap::new(), up: [0; 60] }
    }

    fn of(&mut self, what: &str) -> &mut Counted {
        if !self.counted.contains_key(what) {
            self.counted.insert(what.to_owned(), Counted::default());
        }
        self.counted.entry(what.to_owned()).or_default()
    }

    fn rows(&self, replica: &str) -> Vec<Measure> {
        let row = |(what, counted): (&String, &Counted)| Measure {
            replica: replica.to_owned(),
            span: self.span,
            at: Time::from_seconds(self.at.saturating_mul(i64::from(self.span))),
            what: what.clone(),
            calls: counted.calls,
            failed: counted.failed,
            total: counted.total,
            longest: counted.longest,
            detail: counted.detail.clone().unwrap_or_else(|| counted.spread.write()),
        };
        self.counted.iter().map(row).collect()
    }
}

/// Everything that is counted.
struct Counts {
    minute: Running,
    hour: Running,
    day: Running,
    waiting: Vec<Measure>,
    /// Until when the time in service is accounted for, and whether it was the last time that anybody looked.
    ticked: Option<Time>,
    serving: bool,
    sized: Option<Instant>,
    statements: (u64, Duration),
    /// What each statement had cost when the day began.
    before: HashMap<(&'static str, String), (u64, Duration)>,
    /// A day has begun since that was looked at.
    midnight: bool,
    lines: (u64, u64),
}

/// Lines of the log since the start: errors and warnings.
pub type Lines = Arc<dyn Fn() -> (u64, u64) + Send + Sync>;

/// What was promised and what was kept. Cheap to clone.
#[derive(Clone)]
pub struct Slo(Arc<Inner>);

struct Inner {
    store: Store,
    ambient: Ambient,
    replica: String,
    lines: Lines,
    counts: Mutex<Counts>,
}

impl Slo {
    /// Nothing counted yet. `replica` is the name of this one; each start gets a mark of its own.
    pub fn new(store: Store, replica: &str, lines: Lines, ambient: Ambient) -> Slo {
        let mark = u32::from_be_bytes(ambient.bytes());
        let counts = Counts {
            minute: Running::new(MINUTE),
            hour: Running::new(HOUR),
            day: Running::new(DAY),
            waiting: Vec::new(),
            ticked: None,
            serving: true,
            sized: None,
            statements: store.statement_sum(),
            before: HashMap::new(),
            midnight: false,
            lines: lines(),
        };
        let replica = format!("{replica}/{mark:08x}");
        Slo(Arc::new(Inner { store, ambient, replica, lines, counts: Mutex::new(counts) }))
    }

    /// Counts an answered request of this route template.
    pub fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let what = Group::of(method, route).what();
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let mut counts = self.0.counts.lock();
        counts.turn(self.0.ambient.now(), &self.0.replica);
        let Counts { minute, hour, .. } = &mut *counts;
        for running in [minute, hour] {
            let counted = running.of(what);
            counted.calls += 1;
            counted.failed += u64::from(status >= 500);
            counted.total = counted.total.saturating_add(micros);
            counted.longest = counted.longest.max(micros);
            counted.spread.add(took);
        }
    }

    /// Counts and writes again and again until `stop`; then what is left.
    pub async fn run(self, health: Health, stop: CancellationToken) {
        let mut away = false;
        let mut rounds: u32 = 0;
        self.0.counts.lock().ticked = Some(self.0.ambient.now());
        loop {
            let stopping = tokio::select! {
                () = tokio::time::sleep(PACE) => false,
                () = stop.cancelled() => true,
            };
            let serving = health.report().await.serves();
            let outcome = self.round(serving, stopping).await;
            if let (Err(fault), false) = (&outcome, away) {
                tracing::warn!(
                    code = fault.code().as_str(),
                    "what was measured cannot be written now; it waits"
                );
            }
            away = outcome.is_err();
            if stopping {
                return;
            }
            if rounds.is_multiple_of(360) {
                // An hour later again.
                let _ = self.prune().await;
            }
            rounds = rounds.wrapping_add(1);
        }
    }

    /// Takes note of what the other rooms have counted, and writes everything that changed.
    pub async fn round(&self, serving: bool, hurried: bool) -> Result<()> {
        let Inner { store, ambient, replica, lines, counts } = &*self.0;
        let sizes = !hurried && {
            let mut counts = counts.lock();
            let due = counts.sized.is_none_or(|at| at.elapsed() >= SIZES);
            if due {
                counts.sized = Some(Instant::now());
            }
            due
        };
        let sizes = if sizes { Some((store.database_size().await, store.files_size().await)) } else { None };
        let rows = {
            let mut counts = counts.lock();
            counts.tick(serving, ambient.now(), replica);
            counts.note_statements(store);
            counts.note_lines(lines());
            if let Some((database, files)) = sizes {
                for (what, bytes) in [("size:database", database), ("size:files", files)] {
                    if let Ok(bytes) = bytes {
                        counts.day.of(what).calls = bytes;
                    }
                }
            }
            let mut rows = std::mem::take(&mut counts.waiting);
            for running in [&counts.minute, &counts.hour, &counts.day] {
                rows.extend(running.rows(replica));
            }
            rows
        };
        let finished: Vec<Measure> = rows.clone();
        let kept = store.keep_measures(rows).await;
        if kept.is_err() {
            let mut counts = counts.lock();
            // Spans that go on are written again anyway; those that have ended must not be lost.
            let (minute, hour, day) = (counts.minute.at, counts.hour.at, counts.day.at);
            let ended = finished.into_iter().filter(|row| {
                let at = row.at.seconds().div_euclid(i64::from(row.span.max(1)));
                let goes_on = [(MINUTE, minute), (HOUR, hour), (DAY, day)].contains(&(row.span, at));
                !goes_on
            });
            counts.waiting.extend(ended);
            let surplus = counts.waiting.len().saturating_sub(MOST_WAITING);
            counts.waiting.drain(..surplus);
        }
        kept
    }

    async fn prune(&self) -> Result<()> {
        let now = self.0.ambient.now();
        for (span, keep) in [(MINUTE, KEEP_MINUTES), (HOUR, KEEP_HOURS), (DAY, KEEP_DAYS)] {
            self.0.store.prune_measures(span, now - keep).await?;
        }
        Ok(())
    }

    /// What was kept of what was promised, over an hour, a day, a week and a month.
    pub async fn report(&self) -> Result<SloReport> {
        // What this process has not written yet belongs to it.
        let serving = self.0.counts.lock().serving;
        let _ = self.round(serving, true).await;
        report::read(&self.0.store, self.0.ambient.now()).await
    }

    /// The same from the database alone, for commands beside a running server.
    pub async fn of(store: &Store, now: Time) -> Result<SloReport> {
        report::read(store, now).await
    }
}

impl Counts {
    /// Begins new spans where the time has left the old ones, which wait to be written for the last time.
    fn turn(&mut self, now: Time, replica: &str) {
        let seconds = now.seconds();
        let end = Time::from_seconds(self.hour.at.saturating_add(1).saturating_mul(i64::from(HOUR)));
        if self.hour.at >= 0 && end <= now && self.ticked.is_some() {
            self.account(end);
        }
        for running in [&mut self.minute, &mut self.hour, &mut self.day] {
            let at = seconds.div_euclid(i64::from(running.span));
            if running.at != at {
                if running.at >= 0 {
                    self.waiting.extend(running.rows(replica));
                    self.midnight |= running.span == DAY;
                }
                *running = Running { at, ..Running::new(running.span) };
            }
        }
    }

    /// The time since the last tick was spent in service, or not.
    fn tick(&mut self, serving: bool, now: Time, replica: &str) {
        self.turn(now, replica);
        self.serving = serving;
        self.account(now);
    }

    /// Accounts for the time until `until`, which is in the hour that goes on.
    fn account(&mut self, until: Time) {
        let Some(from) = self.ticked.replace(until) else { return };
        // A process that was asleep did not serve.
        let mut at = from.max(until - PACE * 2);
        while at < until {
            let minute = at.seconds().div_euclid(60);
            let end = Time::from_seconds((minute + 1) * 60).min(until);
            let millis = u64::try_from(end.since(at).as_millis()).unwrap_or(0);
            let place = usize::try_from(minute.rem_euclid(60)).unwrap_or(0);
            let good = if self.serving { millis } else { 0 };
            if let Some(up) = self.hour.up.get_mut(place) {
                *up = up.saturating_add(u32::try_from(good).unwrap_or(0)).min(60_000);
            }
            let hour = self.hour.of("up");
            hour.calls += millis;
            hour.failed += millis - good;
            at = end;
        }
        let up = self.hour.up.iter().enumerate().filter(|(_, millis)| **millis > 0);
        let pairs: Vec<String> = up.map(|(minute, millis)| format!("{minute}:{millis}")).collect();
        self.hour.of("up").detail = Some(pairs.join(","));
    }

    fn note_statements(&mut self, store: &Store) {
        let (calls, total) = store.statement_sum();
        let (old_calls, old_total) = std::mem::replace(&mut self.statements, (calls, total));
        let micros = u64::try_from(total.saturating_sub(old_total).as_micros()).unwrap_or(0);
        for running in [&mut self.minute, &mut self.hour] {
            let counted = running.of("db");
            counted.calls += calls.saturating_sub(old_calls);
            counted.total = counted.total.saturating_add(micros);
        }
        let costs = store.statement_costs();
        if self.midnight {
            self.midnight = false;
            let cost = |cost: &StatementCost| ((cost.operation, cost.text.clone()), (cost.calls, cost.total));
            self.before = costs.iter().map(cost).collect();
        }
        for cost in costs.iter().take(MOST_STATEMENTS) {
            // Of a process that began today everything is of today; the day after, only what came since midnight.
            let before = self.before.get(&(cost.operation, cost.text.clone())).copied();
            let (calls, total) = before.unwrap_or_default();
            if cost.calls == calls {
                continue;
            }
            let mark =
                cost.text.bytes().fold(5_381_u32, |hash, byte| hash.wrapping_mul(33) ^ u32::from(byte));
            let counted = self.day.of(&format!("statement:{}:{mark:08x}", cost.operation));
            counted.calls = cost.calls.saturating_sub(calls);
            counted.total = u64::try_from(cost.total.saturating_sub(total).as_micros()).unwrap_or(0);
            counted.longest = u64::try_from(cost.longest.as_micros()).unwrap_or(0);
            counted.detail = Some(cost.text.clone());
        }
    }

    fn note_lines(&mut self, lines: (u64, u64)) {
        let (errors, warnings) = std::mem::replace(&mut self.lines, lines);
        let hour = &mut self.hour;
        hour.of("log:error").calls += lines.0.saturating_sub(errors);
        hour.of("log:warning").calls += lines.1.saturating_sub(warnings);
    }
}

#[cfg(test)]
mod tests;
