//! What a process measures of itself: failing requests, its connections to the database, its health, its disk.
//! It owns those thresholds.

use std::path::Path;
use std::time::Duration;

use kernel::{Result, Time};

use super::Parts;
use super::latch::Latch;
use crate::alerts::Kind;
use crate::health::Status;

/// More failing requests than this, in percent, raise an alert, if there were enough requests to say so.
const ERROR_PERCENT: u64 = 5;
const ENOUGH_REQUESTS: u64 = 20;
/// The window of the error rate: it must be good for as long before it is over.
const ERROR_WINDOW: Duration = Duration::from_secs(300);

/// All connections in use with callers waiting for this long is as bad as a caller that waited in vain.
const POOL_FULL: Duration = Duration::from_secs(30);
const POOL_CALM: Duration = Duration::from_secs(60);

/// Health checks in a row that raise an alert.
const HEALTH_CHECKS: u32 = 2;

/// Less free space than this raises an alert, whatever the percentage.
const DISK_BYTES: u64 = 1 << 30;
const DISK_CALM: Duration = Duration::from_secs(600);
/// A disk that does not answer for this long says nothing about its space.
const DISK_PATIENCE: Duration = Duration::from_secs(2);

/// Watches this process.
pub(super) struct Machine {
    parts: Parts,
    errors: Latch,
    pool: Latch,
    health: Latch,
    disk: Latch,
    backup: Latch,
    /// Callers that had waited in vain by the last look.
    exhausted: u64,
    /// Since when all connections are in use.
    full: Option<Time>,
    checked: Option<Time>,
    unhealthy: u32,
    healthy: u32,
}

impl Machine {
    pub(super) fn new(parts: Parts) -> Machine {
        let latch = |kind, calm| Latch::new(kind, &parts.replica, calm);
        Machine {
            errors: latch(Kind::ErrorRate, ERROR_WINDOW),
            pool: latch(Kind::PoolExhausted, POOL_CALM),
            health: latch(Kind::Health, Duration::ZERO),
            disk: latch(Kind::Disk, DISK_CALM),
            backup: latch(Kind::BackupOverdue, Duration::ZERO),
            exhausted: parts.store.pool_state().exhausted,
            full: None,
            checked: None,
            unhealthy: 0,
            healthy: 0,
            parts,
        }
    }

    /// Looks at everything once. What cannot be told does not keep the rest from being looked at.
    pub(super) async fn look(&mut self) -> Result<()> {
        let now = self.parts.ambient.now();
        let health = self.look_at_health(now).await;
        let pool = self.look_at_pool(now).await;
        let errors = self.look_at_errors(now).await;
        let disk = self.look_at_disk(now).await;
        let backup = self.look_at_backup(now).await;
        health.and(pool).and(errors).and(disk).and(backup)
    }

    async fn look_at_errors(&mut self, now: Time) -> Result<()> {
        let (requests, failed) = self.parts.pulses.recent();
        let bad = requests >= ENOUGH_REQUESTS && failed * 100 > requests * ERROR_PERCENT;
        let finding = bad.then(|| {
            let finding = self.errors.finding(now).with("requests", requests).with("failed", failed);
            crate::alerts::Finding { count: failed, ..finding }
        });
        self.errors.note(finding, &self.parts.store, &self.parts.alerts, now).await
    }

    async fn look_at_pool(&mut self, now: Time) -> Result<()> {
        let state = self.parts.store.pool_state();
        let refused = state.exhausted.saturating_sub(self.exhausted);
        self.exhausted = state.exhausted;
        let all_in_use = state.open.saturating_sub(state.idle) >= state.max && state.waiting > 0;
        self.full = all_in_use.then(|| self.full.unwrap_or(now));
        let bad = refused > 0 || self.full.is_some_and(|since| now.since(since) >= POOL_FULL);
        let finding =
            bad.then(|| self.pool.finding(now).with("connections", state.max).with("refused", refused));
        self.pool.note(finding, &self.parts.store, &self.parts.alerts, now).await
    }

    async fn look_at_health(&mut self, now: Time) -> Result<()> {
        let due = self.checked.is_none_or(|at| now.since(at) >= self.parts.config.health || now < at);
        if !due {
            return Ok(());
        }
        self.checked = Some(now);
        let report = self.parts.health.report().await;
        if report.status == Status::Healthy {
            self.unhealthy = 0;
            self.healthy = self.healthy.saturating_add(1);
            // One good check in between is no recovery.
            if self.healthy < HEALTH_CHECKS {
                return Ok(());
            }
        } else {
            self.healthy = 0;
            self.unhealthy = self.unhealthy.saturating_add(1);
            tracing::warn!(
                status = report.status.as_str(),
                in_a_row = self.unhealthy,
                "a health check failed"
            );
            if self.unhealthy < HEALTH_CHECKS {
                return Ok(());
            }
        }
        let services = report.services;
        let finding = (self.unhealthy >= HEALTH_CHECKS).then(|| {
            self.health
                .finding(now)
                .with("checks", self.unhealthy)
                .with("status", report.status.as_str())
                .with("database", services.database.as_str())
                .with("vector_db", services.vector_db.as_str())
                .with("cache", services.cache.as_str())
                .with("model", services.model.as_str())
                .with("parts", report.faulty())
        });
        self.health.note(finding, &self.parts.store, &self.parts.alerts, now).await
    }

    async fn look_at_disk(&mut self, now: Time) -> Result<()> {
        let percent = self.parts.config.disk_percent;
        if percent == 0 {
            return Ok(());
        }
        let folder = self.parts.config.data_dir.clone();
        let asked = tokio::task::spawn_blocking(move || space(&folder));
        let Ok(Ok(Some(space))) = tokio::time::timeout(DISK_PATIENCE, asked).await else { return Ok(()) };
        let finding = space.is_short(percent).then(|| {
            let finding = self.disk.finding(now).with("free_mib", space.free >> 20);
            finding.with("free_percent", space.percent())
        });
        self.disk.note(finding, &self.parts.store, &self.parts.alerts, now).await
    }

    async fn look_at_backup(&mut self, now: Time) -> Result<()> {
        let Some(overdue) = &self.parts.overdue else { return Ok(()) };
        let finding = overdue().map(|age| self.backup.finding(now).with("hours", age.as_secs() / 3_600));
        self.backup.note(finding, &self.parts.store, &self.parts.alerts, now).await
    }
}

/// The space of a disk as an ordinary user has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Space {
    pub(super) free: u64,
    pub(super) all: u64,
}

impl Space {
    fn percent(self) -> u64 {
        // In 128 bits: a pebibyte times a hundred is more than 64 hold.
        u64::try_from(u128::from(self.free) * 100 / u128::from(self.all.max(1))).unwrap_or(100)
    }

    pub(super) fn is_short(self, percent: u64) -> bool {
        self.free < DISK_BYTES || u128::from(self.free) * 100 < u128::from(self.all) * u128::from(percent)
    }
}

/// The free bytes of the disk with this folder, and all that an ordinary user may fill.
pub fn free(folder: &Path) -> Option<(u64, u64)> {
    space(folder).map(|space| (space.free, space.all))
}

/// The space of the disk with this folder, or with the nearest one above it that exists.
fn space(folder: &Path) -> Option<Space> {
    let found = folder.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let found = if found.as_os_str().is_empty() { Path::new(".") } else { found };
    let about = rustix::fs::statvfs(found).ok()?;
    // Blocks that only root may fill are in neither number.
    let used = about.f_blocks.saturating_sub(about.f_bfree);
    let block = about.f_frsize;
    let free = about.f_bavail.saturating_mul(block);
    Some(Space { free, all: used.saturating_mul(block).saturating_add(free) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_short_below_a_tenth_or_a_gibibyte() {
        let space = |free: u64, all: u64| Space { free, all };
        assert!(!space(100 << 30, 1_000 << 30).is_short(10));
        assert!(space((100 << 30) - 1, 1_000 << 30).is_short(10));
        assert!(space((1 << 30) - 1, 2 << 30).is_short(10) && !space(1 << 30, 2 << 30).is_short(10));
        assert!(space(0, 0).is_short(10) && !space(u64::MAX, u64::MAX).is_short(10));
        assert_eq!((space(1, 3).percent(), space(u64::MAX, u64::MAX).percent()), (33, 100));
    }

    #[test]
    fn the_space_of_a_folder_that_will_be_made_is_that_of_the_one_above() {
        let folder = tempfile::tempdir().unwrap();
        let here = space(folder.path()).unwrap();
        let there = space(&folder.path().join("not/yet")).unwrap();
        assert!(here.all > 0 && here.free <= here.all && there.all.abs_diff(here.all) < here.all / 2);
        assert!(space(Path::new("data")).is_some());
    }
}
