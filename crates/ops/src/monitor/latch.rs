//! A state that is good or bad: tells when it turns bad, and when it has been good again for long enough.
//! It owns the memory of one process about one state.

use std::time::Duration;

use kernel::{Result, Time};
use store::Store;

use crate::alerts::{Alerts, Finding, Kind, cause};

/// How often an alert that goes on is counted.
const COUNT: Duration = Duration::from_secs(60);

/// A state that is watched.
pub(super) struct Latch {
    kind: Kind,
    about: String,
    /// It must be good for this long before it counts as over.
    calm: Duration,
    told: Told,
}

/// What was told about it last.
enum Told {
    /// Nothing: this process has just begun, and an alert of its predecessor may be open.
    Nothing,
    /// It is bad. `counted`: when that was last counted; `good`: since when it has been good.
    Bad { counted: Time, good: Option<Time> },
    /// It is good.
    Good,
}

impl Latch {
    /// A state of this replica.
    pub(super) fn new(kind: Kind, replica: &str, calm: Duration) -> Latch {
        Latch { kind, about: replica.to_owned(), calm, told: Told::Nothing }
    }

    /// A finding of its kind, about this replica.
    pub(super) fn finding(&self, now: Time) -> Finding {
        Finding::new(self.kind, now).about(&self.about).with("replica", self.about.as_str())
    }

    /// Takes note of the state. `bad` is what is wrong, if something is. An alert that somebody has acknowledged is not
    /// raised again before the state has been good.
    pub(super) async fn note(
        &mut self,
        bad: Option<Finding>,
        store: &Store,
        alerts: &Alerts,
        now: Time,
    ) -> Result<()> {
        match (&mut self.told, bad) {
            (Told::Bad { counted, good }, Some(_)) => {
                *good = None;
                if now.since(*counted) >= COUNT {
                    *counted = now;
                    store.count_alert(&cause(self.kind, Some(&self.about)), 1, now).await?;
                }
            }
            (Told::Nothing | Told::Good, Some(finding)) => {
                alerts.raise(finding).await?;
                self.told = Told::Bad { counted: now, good: None };
            }
            (Told::Bad { good, .. }, None) => {
                let since = *good.get_or_insert(now);
                if now.since(since) >= self.calm {
                    alerts.recover(self.kind, Some(&self.about)).await?;
                    self.told = Told::Good;
                }
            }
            (Told::Nothing, None) => {
                alerts.recover(self.kind, Some(&self.about)).await?;
                self.told = Told::Good;
            }
            (Told::Good, None) => {}
        }
        Ok(())
    }
}
