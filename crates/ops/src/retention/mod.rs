//! Keeps the promise of how long things are kept: one replica at a time removes what is older, in small batches, tells
//! the audit log, and makes certain that erasures have left nothing. It never decides how long: that is the operator's.

mod plan;
mod removed;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kernel::{Ambient, Result};
use store::Store;
use tokio_util::sync::CancellationToken;

pub use plan::{AppRule, Config};
pub use removed::{Removed, removed};

/// The lease of the replica that removes for all, and for how long it is held.
const LEASE: &str = "retention";
const SPAN: Duration = Duration::from_secs(60);

/// Batches of one kind in one round; the next round goes on.
const BATCHES: usize = 200;
/// The audit log is told at most this often, and loses its oldest events at most this often: each is an event itself.
const TELL: Duration = Duration::from_secs(10 * 60);
const CUT: Duration = Duration::from_secs(24 * 60 * 60);
/// How often the tables are looked through for apps that are not configured any more.
const LOOK: Duration = Duration::from_secs(60 * 60);
/// Erasures that are made certain in one round.
const ERASURES: u32 = 100;

/// Removes what its time took.
#[derive(Clone)]
pub struct Retention {
    /// How long what is kept.
    pub config: Config,
    /// Where it is kept.
    pub store: Store,
    /// Time and randomness.
    pub ambient: Ambient,
}

impl Retention {
    /// One round, whoever holds the lease. Gives how many rows went from each table. With `look` apps that are not
    /// configured any more are looked for in the tables too.
    pub async fn round(&self, look: bool) -> Result<BTreeMap<&'static str, u64>> {
        let mut removed = BTreeMap::new();
        let now = self.ambient.now();
        let gone = removed::rules(&self.store, &self.config, now, look).await?;
        for order in self.config.orders(now).into_iter().chain(plan::orders(&gone, now)) {
            for _ in 0..BATCHES {
                let swept = self.store.sweep(&order).await?;
                for (table, count) in swept.counts {
                    *removed.entry(table).or_default() += count;
                    metrics::counter!("stoa_retention_removed_total", "kind" => table).increment(count);
                }
                if !swept.more {
                    break;
                }
            }
        }
        let before = self.ambient.now() - self.config.audit;
        count(&mut removed, "alerts", self.store.prune_alerts(before).await?);
        count(&mut removed, "audit_events", self.cut(before).await?);
        if !removed.is_empty() {
            // Until then the rows are still in the log of SQLite.
            self.store.flush_log().await?;
        }
        let told = self.store.tell_sweeps(TELL).await?;
        if !told.is_empty() {
            let rows: u64 = told.values().flat_map(BTreeMap::values).sum();
            let removed = serde_json::to_string(&told).unwrap_or_default();
            tracing::info!(rows, removed, "retention removed what is kept no longer");
        }
        self.store.settle_erasures(ERASURES).await?;
        Ok(removed)
    }

    /// Cuts the audit log, once a day.
    async fn cut(&self, before: kernel::Time) -> Result<u64> {
        let last = self.store.audit_cut().await?;
        let now = self.ambient.now();
        if last.is_some_and(|cut| cut.at <= now && now.since(cut.at) < CUT) {
            return Ok(0);
        }
        match self.store.prune_audit(before).await {
            Ok(gone) => Ok(gone),
            // A log that does not prove itself must not keep everything else.
            Err(fault) => {
                tracing::error!(cause = ?fault, "the audit log was not cut");
                Ok(0)
            }
        }
    }

    /// Round after round, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let holder: String = self.ambient.bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
        let pace = self.config.pace();
        let mut looked: Option<Instant> = None;
        loop {
            tokio::select! {
                () = tokio::time::sleep(pace) => {}
                () = stop.cancelled() => break,
            }
            let round = async {
                if self.store.hold_lease(LEASE, &holder, SPAN).await? {
                    let look = looked.is_none_or(|at| at.elapsed() >= LOOK);
                    self.round(look).await?;
                    if look {
                        looked = Some(Instant::now());
                    }
                }
                Ok::<(), kernel::Fault>(())
            };
            if let Err(fault) = round.await {
                let cause = fault.cause().map(ToString::to_string).unwrap_or_default();
                tracing::warn!(
                    code = fault.code().as_str(),
                    cause,
                    "retention waits: it goes on where it stopped"
                );
            }
        }
        if let Err(fault) = self.store.drop_lease(LEASE, &holder).await {
            tracing::warn!(code = fault.code().as_str(), "the lease of retention ends by itself");
        }
    }
}

fn count(removed: &mut BTreeMap<&'static str, u64>, table: &'static str, count: u64) {
    if count > 0 {
        *removed.entry(table).or_default() += count;
        metrics::counter!("stoa_retention_removed_total", "kind" => table).increment(count);
    }
}
