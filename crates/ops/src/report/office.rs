//! What admins ask of operation, in one place: service levels, reports, slow statements, the newest lines of the log. It
//! owns nothing but the references. Who may ask is decided before.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Ambient, Result};
use serde::Serialize;
use store::Store;

use super::{Known, Period, Report, gather};
use crate::slo::{Slo, SloReport};
use crate::telemetry::{Level, RecentLine, Telemetry};

/// Says what only the server knows, when it is asked.
pub type Ask = Arc<dyn Fn() -> Known + Send + Sync>;

/// Statements that one answer lists.
const MOST: usize = 100;

/// A statement with what it costs.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Query {
    /// The operation that runs it; of the server's own record it is unknown.
    pub operation: Option<&'static str>,
    /// Its text, with placeholders.
    pub statement: String,
    /// How often it ran.
    pub calls: u64,
    /// The mean, in milliseconds.
    pub mean_ms: f64,
    /// The longest, in milliseconds, where that is known.
    pub longest_ms: Option<f64>,
}

/// Statements, the slowest mean first.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Queries {
    /// Those of this process since its start.
    pub items: Vec<Query>,
    /// Those of `pg_stat_statements`, where the database has it: of everybody, since its last reset.
    pub server: Option<Vec<Query>>,
    /// All statements of this process.
    pub calls: u64,
    /// Their mean, in milliseconds.
    pub mean_ms: Option<f64>,
}

/// The newest lines of the log that somebody should look at.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LogTail {
    /// Lines at `ERROR` since the start of this process.
    pub errors: u64,
    /// Lines at `WARNING`.
    pub warnings: u64,
    /// Lines that no sink took.
    pub dropped: u64,
    /// The newest, masked.
    pub items: Vec<RecentLine>,
}

/// What admins ask of operation. Cheap to clone.
#[derive(Clone)]
pub struct Office {
    /// The data.
    pub store: Store,
    /// What was promised and kept.
    pub slo: Slo,
    /// What only the server knows.
    pub known: Ask,
    /// The log.
    pub telemetry: Telemetry,
    /// Time and randomness.
    pub ambient: Ambient,
}

fn millis(span: Duration) -> f64 {
    (span.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

impl Office {
    /// What was kept of what was promised.
    pub async fn slo(&self) -> Result<SloReport> {
        self.slo.report().await
    }

    /// A report, as of now.
    pub async fn report(&self, period: Period) -> Result<Report> {
        gather(&self.store, period, &(self.known)(), self.ambient.now()).await
    }

    /// Statements with a mean over `over`.
    pub async fn queries(&self, over: Duration) -> Result<Queries> {
        let (calls, total) = self.store.statement_sum();
        let costs = self.store.statement_costs().into_iter();
        let items = costs.filter(|cost| cost.mean() > over || over.is_zero()).take(MOST).map(|cost| Query {
            operation: Some(cost.operation),
            mean_ms: millis(cost.mean()),
            longest_ms: Some(millis(cost.longest)),
            calls: cost.calls,
            statement: cost.text,
        });
        let items = items.collect();
        // A record that cannot be read is no record: it needs a privilege that the user of a server should not have.
        let server = self.store.server_statements(over, 100).await.ok().flatten();
        let server = server.map(|found| {
            let query = |one: store::ServerStatement| Query {
                operation: None,
                statement: one.text,
                calls: one.calls,
                mean_ms: millis(one.mean),
                longest_ms: None,
            };
            found.into_iter().map(query).collect()
        });
        let mean_ms = (calls > 0).then(|| millis(total) / calls as f64);
        Ok(Queries { items, server, calls, mean_ms })
    }

    /// The newest lines of the log that somebody should look at.
    pub fn log(&self) -> LogTail {
        LogTail {
            errors: self.telemetry.count(Level::Error),
            warnings: self.telemetry.count(Level::Warning),
            dropped: self.telemetry.dropped(),
            items: self.telemetry.recent(),
        }
    }
}
