//! The security monitor: looks at what happened, every few seconds, and raises alerts at the thresholds of CONTRACT
//! section 6. What is counted in the audit log one replica counts for all; what a process measures of itself each
//! measures. It never acts on what it finds: people do.

mod config;
mod events;
mod latch;
mod machine;

use std::sync::Arc;
use std::time::Duration;

use kernel::{Ambient, EventType, Result, Severity, Time};
use store::Store;
use tokio_util::sync::CancellationToken;

pub use config::Config;
pub use machine::free;

use crate::alerts::Alerts;
use crate::health::Health;
use crate::pulse::{MINUTES, Pulses};
use events::Events;
use machine::Machine;

/// The lease of the replica that counts for all.
const LEASE: &str = "security-monitor";

/// The least time for which it is held: another replica takes over that long after this one has died.
const LEASE_SPAN: Duration = Duration::from_secs(20);

/// Of the time, the queries of the monitor take at most one part in this many, however large the audit log is; and yet
/// it never rests for longer than this because of it.
const RESTRAINT: u32 = 20;
const LONGEST_REST: Duration = Duration::from_secs(30);

/// How often sessions are counted.
const SESSIONS: Duration = Duration::from_secs(15);

/// Says how old the newest good backup is when that is older than the schedule allows.
pub type Overdue = Arc<dyn Fn() -> Option<Duration> + Send + Sync>;

/// What the monitor looks at.
#[derive(Clone)]
pub struct Parts {
    /// How.
    pub config: Config,
    /// The audit log, and the connections.
    pub store: Store,
    /// Where findings go.
    pub alerts: Alerts,
    /// What was measured.
    pub health: Health,
    /// The requests of this process; the monitor adds what the database knows.
    pub pulses: Pulses,
    /// Time and randomness.
    pub ambient: Ambient,
    /// The name of this replica, the same after a restart.
    pub replica: String,
    /// Whether a backup is overdue; `None` where nothing is backed up.
    pub overdue: Option<Overdue>,
}

/// The security monitor.
pub struct Monitor {
    parts: Parts,
    holder: String,
    events: Events,
    machine: Machine,
    sessions_at: Option<Time>,
    /// The charts hold the last hour of the database.
    filled: bool,
    away: bool,
}

impl Monitor {
    /// A monitor that has seen nothing yet.
    pub fn new(parts: Parts) -> Monitor {
        let mark: [u8; 8] = parts.ambient.bytes();
        // Two processes of one name are still two.
        let holder = format!("{}/{:016x}", parts.replica, u64::from_be_bytes(mark));
        let events = Events::new(parts.config.rate_limits_per_minute);
        Monitor {
            machine: Machine::new(parts.clone()),
            parts,
            holder,
            events,
            sessions_at: None,
            filled: false,
            away: false,
        }
    }

    /// Looks again and again until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut due = tokio::time::Instant::now();
        loop {
            // What this process measures of itself is looked at on time, whatever the database does.
            let machine = self.machine.look().await;
            let began = tokio::time::Instant::now();
            let outcome = if began >= due { self.look_at_database().await } else { Ok(()) };
            if outcome.is_ok() && began >= due {
                due = began + (began.elapsed() * RESTRAINT).min(LONGEST_REST);
            }
            match machine.and(outcome) {
                Err(fault) if !self.away => {
                    self.away = true;
                    let cause = fault.cause().map(ToString::to_string).unwrap_or_default();
                    tracing::warn!(code = fault.code().as_str(), cause, "the audit log cannot be watched");
                }
                outcome => self.away = outcome.is_err(),
            }
            tokio::select! {
                () = tokio::time::sleep(self.parts.config.pace) => {}
                () = stop.cancelled() => break,
            }
        }
        // Another replica need not wait for the end of the lease. A database that is away keeps it: so be it.
        let _ = self.parts.store.drop_lease(LEASE, &self.holder).await;
    }

    /// Looks once at everything. What this process measures of itself is judged whether or not the database answers.
    pub async fn look(&mut self) -> Result<()> {
        let machine = self.machine.look().await;
        self.look_at_database().await.and(machine)
    }

    async fn look_at_database(&mut self) -> Result<()> {
        // Each of these waits for a connection: where the first gets none, the others would wait in vain as long again.
        self.parts.alerts.store_waiting().await?;
        self.watch_events().await?;
        self.take_pulse().await
    }

    async fn watch_events(&mut self) -> Result<()> {
        let Parts { store, config, alerts, ambient, .. } = &self.parts;
        let span = LEASE_SPAN.max(config.pace * 4);
        if !store.hold_lease(LEASE, &self.holder, span).await? {
            self.events.forget();
            return Ok(());
        }
        self.events.look(store, alerts, ambient.now()).await
    }

    /// Brings the charts up to date with the database.
    async fn take_pulse(&mut self) -> Result<()> {
        let Parts { store, pulses, ambient, .. } = &self.parts;
        let now = ambient.now();
        let back = if self.filled { 2 } else { i64::try_from(MINUTES).unwrap_or(60) };
        let since = Time::from_seconds((now.seconds().div_euclid(60) + 1 - back) * 60);
        let failures = store.audit_minutes(EventType::AuthFailure, Severity::High, since).await?;
        let alerts = store.alert_minutes(since).await?;
        pulses.take_over(&failures, &alerts, store.count_open_alerts(None).await?);
        self.filled = true;
        if self.sessions_at.is_none_or(|at| now.since(at) >= SESSIONS || now < at) {
            let sessions = store.count_sessions().await?;
            pulses.take_sessions(sessions);
            metrics::gauge!("stoa_active_sessions").set(sessions as f64);
            self.sessions_at = Some(now);
        }
        Ok(())
    }
}
