//! How long operations take: a measurement for each, a log line for the slow ones.
//! It never sees a statement or a value, only the name of the operation.

use std::time::{Duration, Instant};

use kernel::{Fault, Kind};

use crate::data_key::Refusal;
use crate::trouble::{Sort, Trouble};

/// Measures one operation from its making to its end.
pub(crate) struct Watch {
    operation: &'static str,
    since: Instant,
    slow: Duration,
    /// A part of the trace of the request, where one is kept.
    span: tracing::Span,
}

impl Watch {
    pub(crate) fn start(operation: &'static str, slow: Duration) -> Watch {
        let span = tracing::info_span!(target: "trace", "store", db.operation.name = operation, outcome = tracing::field::Empty);
        Watch { operation, since: Instant::now(), slow, span }
    }

    /// The name of the operation.
    pub(crate) const fn operation(&self) -> &'static str {
        self.operation
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// The failure of this operation as callers get it, with a line in the log.
    pub(crate) fn fault(&self, trouble: Trouble) -> Fault {
        if trouble.sort != Sort::Taken {
            self.span.record("outcome", "failed");
        }
        let trouble = trouble.during(self.operation);
        match trouble.sort {
            Sort::Taken => {}
            Sort::Away | Sort::Busy => {
                tracing::warn!(event_type = "database.unavailable", operation = self.operation, cause = %trouble, "database unavailable")
            }
            Sort::Defect => {
                tracing::error!(event_type = "database.error", operation = self.operation, cause = %trouble, "database error")
            }
        }
        trouble.into()
    }

    /// A line in the log for a write that failed through a defect. What the database refused for all of a batch
    /// has been logged there.
    pub(crate) fn note(&self, refusal: &Refusal) {
        if let Refusal::Fault(fault) = refusal
            && fault.kind() == Kind::Internal
        {
            tracing::error!(event_type = "database.error", operation = self.operation, cause = ?fault, "database error");
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let elapsed = self.since.elapsed();
        metrics::histogram!("stoa_db_query_duration_seconds", "operation" => self.operation)
            .record(elapsed.as_secs_f64());
        if elapsed >= self.slow {
            let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(operation = self.operation, milliseconds, "slow query");
        }
    }
}
