//! Health that was measured: the report of `/health` and `/ready`. It owns how parts make a whole and how long a
//! measurement may take. It never decides the HTTP status and never copies a setting into the report.

mod parts;
mod probe;
mod report;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kernel::Ambient;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

pub use parts::{Check, Found, Look, Part, Parts, Telling};
use probe::Measured;
pub use probe::{Probe, Probes};
pub use report::{BackupReport, HealthReport, Ready, ReadyReport, Security, Services, State, Status};

/// A measurement is good for this long.
const FRESH: Duration = Duration::from_secs(1);

/// A part that has not answered by then is down.
const PATIENCE: Duration = Duration::from_millis(400);

/// A caller waits this long for the measurement of another, which itself ends after [`PATIENCE`].
const MAX_WAIT: Duration = Duration::from_millis(450);

/// The health of this process. Cheap to clone.
#[derive(Clone)]
pub struct Health(Arc<Inner>);

struct Inner {
    version: &'static str,
    environment: String,
    probes: Probes,
    parts: Parts,
    ambient: Ambient,
    seen: Mutex<Seen>,
    migrating: AtomicBool,
    draining: AtomicBool,
    worn: AtomicBool,
    backups: OnceLock<Ask>,
}

/// Says what is known of backups.
pub type Ask = Box<dyn Fn() -> BackupReport + Send + Sync>;

#[derive(Default)]
struct Seen {
    last: Option<(Instant, Measured)>,
    running: Option<watch::Receiver<()>>,
}

impl Health {
    /// A health that asks these probes. `version` and `environment` go into the report as they are.
    pub fn new(version: &'static str, environment: &str, probes: Probes, ambient: Ambient) -> Health {
        Health(Arc::new(Inner {
            version,
            environment: environment.to_owned(),
            probes,
            parts: Parts::default(),
            ambient,
            seen: Mutex::default(),
            migrating: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            worn: AtomicBool::new(false),
            backups: OnceLock::new(),
        }))
    }

    /// The report for `/health`: at most a second old, and there within half a second whatever hangs.
    pub async fn report(&self) -> HealthReport {
        let measured = self.measured().await;
        let parts = &self.0.parts;
        let report = HealthReport::new(measured, self.0.ambient.now(), self.0.version, &self.0.environment);
        let report = HealthReport { backup: self.0.backups.get().map(|ask| ask()), ..report };
        let report = report.with(parts.checks(), parts.faulty());
        if self.0.worn.load(Ordering::Relaxed) { report.worn() } else { report }
    }

    /// The parts that are looked at for themselves.
    pub fn parts(&self) -> &Parts {
        &self.0.parts
    }

    /// The report for `/ready`: whether a balancer should send requests here.
    pub async fn ready(&self) -> ReadyReport {
        let database = self.measured().await.database;
        let migrating = self.0.migrating.load(Ordering::Relaxed);
        let draining = self.0.draining.load(Ordering::Relaxed);
        let good = database != State::Down && !migrating && !draining;
        let status = if good { Ready::Ready } else { Ready::NotReady };
        ReadyReport { status, database, version: self.0.version, migrating, draining }
    }

    /// From now on reports say what is known of backups.
    pub fn show_backups(&self, ask: Ask) {
        // Whoever comes second knows the same.
        let _ = self.0.backups.set(ask);
    }

    /// Migrations are running, or have ended.
    pub fn set_migrating(&self, on: bool) {
        self.0.migrating.store(on, Ordering::Relaxed);
    }

    /// The server itself is about to fail its callers: its certificate ends within days, or is missing.
    pub fn set_worn(&self, on: bool) {
        self.0.worn.store(on, Ordering::Relaxed);
    }

    /// The server is stopping and takes no new work.
    pub fn set_draining(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// The last measurement when it is fresh, else a new one, which all callers of the moment share. It runs on
    /// its own, so that a caller that goes away does not make the next one wait twice.
    async fn measured(&self) -> Measured {
        let mut running = {
            let mut seen = self.0.seen.lock();
            if let Some((at, measured)) = &seen.last
                && at.elapsed() < FRESH
            {
                return *measured;
            }
            seen.running.get_or_insert_with(|| self.measure()).clone()
        };
        // Both ends of the wait lead to the same place: what was measured last, if that was just now.
        let _ = timeout(MAX_WAIT, running.changed()).await;
        match self.0.seen.lock().last {
            Some((at, measured)) if at.elapsed() < FRESH => measured,
            _ => Measured::NOTHING,
        }
    }

    fn measure(&self) -> watch::Receiver<()> {
        let (done, running) = watch::channel(());
        let ended = Ended(self.0.clone(), done);
        tokio::spawn(async move {
            let measured = ended.0.probes.measure(PATIENCE).await;
            ended.0.seen.lock().last = Some((Instant::now(), measured));
        });
        running
    }
}

/// Wakes those who wait and lets the next measurement begin, also when a probe has panicked.
struct Ended(Arc<Inner>, watch::Sender<()>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.seen.lock().running = None;
        let _ = self.1.send(());
    }
}

#[cfg(test)]
mod tests;
