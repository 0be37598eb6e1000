//! How each provider has been doing: failures in a row, and whether it is left alone for a while. It owns the
//! circuit. It never calls a provider: the next request that is let through is the trial.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::chat::State;

/// Failures in a row after which a provider is left alone.
const TRIPS_AT: u32 = 5;
/// How long it is left alone, until one request tries it again.
const LEFT_ALONE: Duration = Duration::from_secs(5);
/// Failures older than this say nothing about now.
const RECENT: Duration = Duration::from_secs(60);

/// The record of one provider.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<Record>);

#[derive(Debug, Default)]
struct Record {
    failures: u32,
    last_failure: Option<Instant>,
    alone_until: Option<Instant>,
}

impl Health {
    /// Whether a request may go to the provider now; if not, how long it is still left alone. When the time is
    /// over one request is let through and the others wait for another while, so that a provider that comes back
    /// is not met by all of them, and one that does not costs one request.
    pub(crate) fn admit(&self) -> Result<(), Duration> {
        let mut record = self.0.lock();
        let Some(until) = record.alone_until else { return Ok(()) };
        let now = Instant::now();
        if now < until {
            return Err(until - now);
        }
        record.alone_until = (record.failures >= TRIPS_AT).then(|| now + LEFT_ALONE);
        Ok(())
    }

    /// A call went well.
    pub(crate) fn succeeded(&self) {
        let mut record = self.0.lock();
        if record.failures > 0 || record.alone_until.is_some() {
            *record = Record::default();
        }
    }

    /// A call failed; `rest` is how long the provider asked to be left alone.
    pub(crate) fn failed(&self, rest: Option<Duration>) {
        let now = Instant::now();
        let mut record = self.0.lock();
        record.failures = record.failures.saturating_add(1);
        record.last_failure = Some(now);
        let rest = rest.or((record.failures >= TRIPS_AT).then_some(LEFT_ALONE));
        if let Some(rest) = rest {
            record.alone_until = Some(now + rest);
        }
    }

    /// How the provider is doing.
    pub(crate) fn state(&self) -> State {
        let record = self.0.lock();
        let recent = record.last_failure.is_some_and(|at| at.elapsed() < RECENT);
        match record.failures {
            _ if !recent => State::Operational,
            0 => State::Operational,
            TRIPS_AT.. => State::Down,
            _ => State::Degraded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_dead_provider_is_left_alone_and_tried_by_one() {
        let health = Health::default();
        for _ in 0..TRIPS_AT {
            assert!(health.admit().is_ok());
            health.failed(None);
        }
        assert!(health.admit().is_err());
        assert_eq!(health.state(), State::Down);
        tokio::time::advance(LEFT_ALONE).await;
        assert!(health.admit().is_ok(), "one trial");
        assert!(health.admit().is_err(), "only one");
        health.succeeded();
        assert!(health.admit().is_ok());
        assert_eq!(health.state(), State::Operational);
    }

    #[tokio::test(start_paused = true)]
    async fn single_failures_degrade_for_a_minute() {
        let health = Health::default();
        health.failed(None);
        assert_eq!(health.state(), State::Degraded);
        assert!(health.admit().is_ok());
        tokio::time::advance(RECENT).await;
        assert_eq!(health.state(), State::Operational);
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_asks_for_rest_gets_it() {
        let health = Health::default();
        health.failed(Some(Duration::from_secs(20)));
        assert!(health.admit().is_err());
        tokio::time::advance(Duration::from_secs(20)).await;
        assert!(health.admit().is_ok());
        assert!(health.admit().is_ok(), "no trial: it was busy, not dead");
    }
}
