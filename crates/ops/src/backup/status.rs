//! What is known of backups: the last one, the last failure, the last drill. It lies in the database, where every
//! replica and command finds it, and survives a restore. It never looks at an artefact.

use std::sync::PoisonError;
use std::time::Duration;

use kernel::{AuditEvent, Fault, Result, Time};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::Store;

use super::create::Made;
use super::schedule::Schedule;
use super::verify::Verified;
use super::{Backups, Reason};
use crate::health::BackupReport;

const LAST: &str = "backup.last";
const FAILED: &str = "backup.failed";
const VERIFIED: &str = "backup.verified";
const SINCE: &str = "backup.since";

/// A drill that lies back farther than this is no proof any more.
const STALE: Duration = Duration::from_secs(30 * 86_400);
/// How late a backup may be before it is overdue: it takes its time.
const GRACE: Duration = Duration::from_secs(3_600);

/// The last whole backup.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Last {
    /// Its name.
    pub name: String,
    /// The moment that it shows.
    pub at: Time,
    /// How many bytes it has.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// Why it was made.
    pub reason: Reason,
}

/// The last failure.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failed {
    /// When.
    pub at: Time,
    /// The code of the fault.
    pub code: String,
}

/// The last time that an artefact was tried out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Drill {
    /// Which.
    pub name: String,
    /// When.
    pub at: Time,
    /// It was what it said.
    pub passed: bool,
    /// How many rows were compared.
    pub rows: u64,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

/// How fresh something is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// As it should be.
    Current,
    /// Older than it may be, or failed.
    Overdue,
    /// There was none yet, and none was due.
    None,
}

impl Freshness {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Freshness::Current => "current",
            Freshness::Overdue => "overdue",
            Freshness::None => "none",
        }
    }
}

/// What is known of backups.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Status {
    /// When they are made.
    pub schedule: Option<Schedule>,
    /// The last whole backup.
    pub last: Option<Last>,
    /// The last failure.
    pub failed: Option<Failed>,
    /// The last drill.
    pub verified: Option<Drill>,
    /// Since when somebody waits for the first.
    pub since: Option<Time>,
}

impl Status {
    /// How old the last whole backup is.
    pub fn age(&self, now: Time) -> Option<Duration> {
        self.last.as_ref().map(|last| now.since(last.at))
    }

    /// The moment at which a backup was due that has not been made.
    pub fn due(&self, now: Time) -> Option<Time> {
        let due = self.schedule.as_ref()?.last(now)?;
        let made = self.last.as_ref().map(|last| last.at).max(self.since)?;
        (made < due).then_some(due)
    }

    /// How old the newest backup is, when it is older than the schedule allows.
    pub fn overdue(&self, now: Time) -> Option<Duration> {
        let due = self.due(now)?;
        let newest = self.last.as_ref().map(|last| last.at).or(self.since)?;
        (now.since(due) > GRACE).then(|| now.since(newest))
    }

    /// How fresh backups are.
    pub fn backups(&self, now: Time) -> Freshness {
        match (self.overdue(now), &self.last) {
            (Some(_), _) => Freshness::Overdue,
            (None, Some(_)) => Freshness::Current,
            (None, None) => Freshness::None,
        }
    }

    /// How fresh drills are.
    pub fn drills(&self, now: Time) -> Freshness {
        match (&self.verified, &self.last) {
            (Some(drill), _) if drill.passed && now.since(drill.at) <= STALE => Freshness::Current,
            (Some(_), _) => Freshness::Overdue,
            (None, Some(last)) if now.since(last.at) > STALE => Freshness::Overdue,
            (None, _) => Freshness::None,
        }
    }
}

async fn read<T: DeserializeOwned>(store: &Store, name: &str) -> Result<Option<T>> {
    // What an older version wrote otherwise says nothing.
    Ok(store.get_state(name).await?.and_then(|text| serde_json::from_str(&text).ok()))
}

async fn write(store: &Store, name: &str, value: &impl Serialize, audit: Vec<AuditEvent>) -> Result<()> {
    let text = serde_json::to_string(value).map_err(Fault::internal)?;
    store.set_state(name, &text, audit).await
}

pub(super) async fn remember_made(store: &Store, made: &Made, event: AuditEvent) -> Result<()> {
    let last = Last {
        name: made.name.clone(),
        at: made.manifest.began_at,
        bytes: made.bytes,
        sha256: made.sha256.clone(),
        milliseconds: u64::try_from(made.took.as_millis()).unwrap_or(u64::MAX),
        reason: made.manifest.reason,
    };
    write(store, LAST, &last, vec![event]).await
}

pub(super) async fn remember_failed(store: &Store, at: Time, fault: &Fault, event: AuditEvent) -> Result<()> {
    let failed = Failed { at, code: fault.code().as_str().to_owned() };
    write(store, FAILED, &failed, vec![event]).await
}

pub(super) async fn remember_verified(
    store: &Store,
    name: &str,
    at: Time,
    verified: Option<&Verified>,
    event: AuditEvent,
) -> Result<()> {
    let drill = Drill {
        name: name.to_owned(),
        at,
        passed: verified.is_some(),
        rows: verified.map_or(0, |verified| verified.rows),
        milliseconds: verified.map_or(0, |v| u64::try_from(v.took.as_millis()).unwrap_or(u64::MAX)),
    };
    write(store, VERIFIED, &drill, vec![event]).await
}

impl Status {
    /// What this database knows.
    pub async fn read(store: &Store, schedule: Option<Schedule>) -> Result<Status> {
        Ok(Status {
            schedule,
            last: read(store, LAST).await?,
            failed: read(store, FAILED).await?,
            verified: read(store, VERIFIED).await?,
            since: read(store, SINCE).await?,
        })
    }
}

impl Backups {
    /// What is known now, asked of the database.
    pub async fn status(&self) -> Result<Status> {
        let status = Status::read(&self.0.store, self.0.config.schedule.clone()).await?;
        *self.0.known.lock().unwrap_or_else(PoisonError::into_inner) = status.clone();
        Ok(status)
    }

    /// What was known when somebody asked last: costs nothing.
    pub fn known(&self) -> Status {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is known, for the report of health.
    pub fn report(&self) -> BackupReport {
        let (now, known) = (self.now(), self.known());
        BackupReport {
            status: known.backups(now),
            age_seconds: known.age(now).map(|age| age.as_secs()),
            drill: known.drills(now),
            last: known.last.map(|last| last.at),
            verified: known.verified.filter(|drill| drill.passed).map(|drill| drill.at),
        }
    }

    /// How old the newest backup is, when it is older than the schedule allows, as far as is known.
    pub fn overdue(&self) -> Option<Duration> {
        self.known().overdue(self.now())
    }

    /// Asks again, and shows the age. Where the database does not answer, what was known stands.
    pub(super) async fn look(&self) {
        if self.status().await.is_ok() {
            let now = self.now();
            let known = self.known();
            let age = known.age(now).or(known.since.map(|since| now.since(since)));
            if let Some(age) = age {
                metrics::gauge!("stoa_backup_age_seconds").set(age.as_secs_f64());
            }
        }
    }

    /// From now on a first backup is waited for.
    pub(super) async fn begin_to_wait(&self) -> Result<()> {
        if self.0.store.get_state(SINCE).await?.is_none() {
            write(&self.0.store, SINCE, &self.now(), Vec::new()).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::parse_rfc3339(text).unwrap()
    }

    fn made(at: Time) -> Last {
        let (name, sha256) = (String::new(), String::new());
        Last { name, at, bytes: 1, sha256, milliseconds: 1, reason: Reason::Scheduled }
    }

    #[test]
    fn a_missed_backup_is_due_at_once_and_overdue_after_an_hour() {
        let mut status = Status { schedule: Schedule::parse("0 2 * * *"), ..Status::default() };
        assert_eq!(status.due(at("2026-11-21T03:00:00Z")), None, "nobody has waited yet");
        status.since = Some(at("2026-11-20T12:00:00Z"));
        assert_eq!(status.due(at("2026-11-21T01:59:00Z")), None);
        assert_eq!(status.backups(at("2026-11-21T01:59:00Z")), Freshness::None);
        assert_eq!(status.due(at("2026-11-21T02:30:00Z")), Some(at("2026-11-21T02:00:00Z")));
        assert_eq!(status.overdue(at("2026-11-21T02:30:00Z")), None);
        assert_eq!(status.backups(at("2026-11-21T03:30:00Z")), Freshness::Overdue);
        status.last = Some(made(at("2026-11-21T03:31:00Z")));
        assert_eq!(status.backups(at("2026-11-21T03:32:00Z")), Freshness::Current);
        assert_eq!(status.age(at("2026-11-21T03:32:00Z")), Some(Duration::from_secs(60)));
        // The server was off for a week.
        assert!(status.due(at("2026-11-28T12:00:00Z")).is_some());
        assert_eq!(status.overdue(at("2026-11-28T03:31:00Z")), Some(Duration::from_secs(7 * 86_400)));
    }

    #[test]
    fn a_drill_is_stale_after_thirty_days() {
        let now = at("2026-11-21T12:00:00Z");
        let mut status = Status { last: Some(made(now)), ..Status::default() };
        assert_eq!(status.drills(now), Freshness::None);
        let drill = Drill { name: String::new(), at: now, passed: true, rows: 1, milliseconds: 1 };
        status.verified = Some(drill.clone());
        assert_eq!(status.drills(now + STALE), Freshness::Current);
        assert_eq!(status.drills(now + STALE + Duration::from_secs(1)), Freshness::Overdue);
        status.verified = Some(Drill { passed: false, ..drill });
        assert_eq!(status.drills(now), Freshness::Overdue);
    }
}
