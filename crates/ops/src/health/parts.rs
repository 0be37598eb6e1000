//! The parts of the server, each looked at for itself again and again: what was found last and when. It owns the clock of
//! each look and the rule when a part is told about: two bad looks in a row, until two good ones. A look that hangs is a
//! bad one and keeps nobody waiting, because the report only reads what was found. What is looked at is handed in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Ambient, Time};
use parking_lot::Mutex;
use serde::Serialize;
use store::Store;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Probe;
use super::report::State;
use crate::alerts::{Alerts, Finding, Kind, cause};

/// A look that takes longer has found that the part does not answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks in a row that count.
const IN_A_ROW: u32 = 2;

/// What one look has found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// How the part stands.
    pub state: State,
    /// In words, without a secret, for admins and alerts.
    pub say: String,
}

impl Found {
    /// It works.
    pub fn good(say: impl Into<String>) -> Found {
        Found { state: State::Operational, say: say.into() }
    }

    /// It works with a loss.
    pub fn degraded(say: impl Into<String>) -> Found {
        Found { state: State::Degraded, say: say.into() }
    }

    /// It does not work.
    pub fn down(say: impl Into<String>) -> Found {
        Found { state: State::Down, say: say.into() }
    }

    /// There is nothing to look at.
    pub fn nothing() -> Found {
        Found { state: State::NotConfigured, say: String::new() }
    }
}

/// A part to look at.
#[derive(Clone)]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// How it is looked at.
    pub ask: Probe<Found>,
    /// How often.
    pub every: Duration,
    /// Whether the first look waits until then.
    pub later: bool,
    /// While it is bad, the server as a whole is degraded; that has an alert of its own.
    pub weighs: bool,
    /// Two bad looks in a row raise an alert about it alone.
    pub tells: bool,
}

/// What was found, as reports show it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Check {
    /// How the part stands.
    pub status: State,
    /// How many seconds ago it was looked at.
    pub age_seconds: u64,
}

/// What was found, for admins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Look {
    /// The part.
    pub name: &'static str,
    /// How it stands.
    pub status: State,
    /// In words.
    pub say: String,
    /// How many seconds ago it was looked at.
    pub age_seconds: u64,
}

struct Seen {
    found: Found,
    at: Instant,
    weighs: bool,
}

/// The parts and what was found. Cheap to clone.
#[derive(Clone, Default)]
pub struct Parts(Arc<Mutex<BTreeMap<&'static str, Seen>>>);

/// What a part needs to be told about.
#[derive(Clone)]
pub struct Telling {
    /// Where it is told.
    pub alerts: Alerts,
    /// Where an alert that goes on is counted.
    pub store: Store,
    /// The time.
    pub ambient: Ambient,
    /// The name of this replica.
    pub replica: String,
}

impl Parts {
    /// Looks at these again and again until `stop`, each at its own pace.
    pub fn start(&self, parts: Vec<Part>, telling: &Telling, tasks: &TaskTracker, stop: &CancellationToken) {
        for part in parts {
            tasks.spawn(self.clone().follow(part, telling.clone(), stop.clone()));
        }
    }

    async fn follow(self, part: Part, telling: Telling, stop: CancellationToken) {
        let mut row = Row::default();
        let mut wait = if part.later { part.every } else { Duration::ZERO };
        loop {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => return,
            }
            let found = self.look(&part).await;
            if part.tells && tell(&part, &found, &mut row, &telling).await.is_err() {
                // The database is what could not be asked; the next look tells.
                row.undo();
            }
            wait = part.every;
        }
    }

    /// Looks once.
    pub async fn look(&self, part: &Part) -> Found {
        let asked = part.ask.ask();
        let found = timeout(PATIENCE, asked).await;
        let found = found.unwrap_or_else(|_| Found::down("it does not answer"));
        let seen = Seen { found: found.clone(), at: Instant::now(), weighs: part.weighs };
        self.0.lock().insert(part.name, seen);
        found
    }

    /// What was found last, for everybody.
    pub(super) fn checks(&self) -> BTreeMap<&'static str, Check> {
        let seen = self.0.lock();
        let check =
            |seen: &Seen| Check { status: seen.found.state, age_seconds: seen.at.elapsed().as_secs() };
        seen.iter().map(|(name, seen)| (*name, check(seen))).collect()
    }

    /// What was found last, for admins.
    pub fn looks(&self) -> Vec<Look> {
        let seen = self.0.lock();
        let look = |(name, seen): (&&'static str, &Seen)| Look {
            name,
            status: seen.found.state,
            say: seen.found.say.clone(),
            age_seconds: seen.at.elapsed().as_secs(),
        };
        seen.iter().map(look).collect()
    }

    /// The parts that weigh and are bad.
    pub(super) fn faulty(&self) -> Vec<&'static str> {
        let seen = self.0.lock();
        let bad = seen.iter().filter(|(_, seen)| seen.weighs && seen.found.state.is_faulty());
        bad.map(|(name, _)| *name).collect()
    }
}

/// Looks in a row.
#[derive(Default)]
struct Row {
    bad: u32,
    good: u32,
    told: Option<bool>,
}

impl Row {
    fn undo(&mut self) {
        self.told = None;
    }
}

async fn tell(part: &Part, found: &Found, row: &mut Row, telling: &Telling) -> kernel::Result<()> {
    let Telling { alerts, store, ambient, replica } = telling;
    let about = format!("{replica} {}", part.name);
    let now: Time = ambient.now();
    if found.state.is_faulty() {
        row.bad += 1;
        row.good = 0;
        if row.bad < IN_A_ROW {
            return Ok(());
        }
        if row.told == Some(true) {
            return store.count_alert(&cause(Kind::Part, Some(&about)), 1, now).await.map(drop);
        }
        let finding = Finding::new(Kind::Part, now)
            .about(&about)
            .with("part", part.name)
            .with("status", found.state.as_str())
            .with("reason", found.say.as_str())
            .with("replica", replica.as_str());
        alerts.raise(finding).await?;
        row.told = Some(true);
    } else {
        row.good += 1;
        row.bad = 0;
        // An alert of a predecessor may be open: it is closed like one's own.
        if row.good >= IN_A_ROW && row.told != Some(false) {
            alerts.recover(Kind::Part, Some(&about)).await?;
            row.told = Some(false);
        }
    }
    Ok(())
}
