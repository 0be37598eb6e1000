//! Telemetry that leaves: traces, metrics and log lines to an OTLP collector, errors and kept traces to Sentry. It owns
//! the queues, which are bounded, and their carrying: a sink that is away costs its own telemetry, counted, and never a
//! request. What is in it is judged in `trace` and `sentry`, and everything passes the mask before.

mod config;
mod otlp;
mod proto;
mod queue;
mod sender;
mod sentry;
pub(crate) mod trace;

use std::sync::Arc;

use guard::outbound::Outbound;
use kernel::{Ambient, Time};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use config::{Config, Dsn, Otlp, new_relic};

use crate::metrics::Metrics;
use crate::telemetry::{Level, Mask};
use queue::Queue;
use trace::{Ended, Whole};

/// How much may wait: spans, lines, reports.
const SPANS: usize = 8_192;
const LINES: usize = 8_192;
const REPORTS: usize = 256;

/// A finished line of the log, masked.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) at: Time,
    pub(crate) level: Level,
    pub(crate) json: String,
}

/// What is on its way out. Cheap to clone.
#[derive(Clone)]
pub struct Shipping(Arc<Inner>);

struct Inner {
    config: Config,
    mask: Mask,
    ambient: Ambient,
    began: Time,
    spans: Queue<Ended>,
    lines: Queue<Line>,
    errors: Queue<Line>,
    wholes: Queue<Whole>,
}

impl Shipping {
    /// Shipping to these sinks; `None` when there is none. Nothing leaves before [`Shipping::start`].
    pub(crate) fn new(config: Config, mask: Mask, ambient: Ambient) -> Option<Shipping> {
        if config.otlp.is_none() && config.sentry.is_none() {
            return None;
        }
        for sink in ["otlp_traces", "otlp_metrics", "otlp_logs", "sentry"] {
            // The series exists from the start, so that a rate over it is right from the first loss on.
            metrics::counter!("stoa_telemetry_dropped_total", "sink" => sink).increment(0);
        }
        let began = ambient.now();
        Some(Shipping(Arc::new(Inner {
            config,
            mask,
            ambient,
            began,
            spans: Queue::new("otlp_traces", SPANS),
            lines: Queue::new("otlp_logs", LINES),
            errors: Queue::new("sentry", REPORTS),
            wholes: Queue::new("sentry", REPORTS),
        })))
    }

    /// Whether requests are traced.
    pub(crate) fn traces(&self) -> bool {
        self.ships_spans() || self.reports_traces()
    }

    fn ships_spans(&self) -> bool {
        self.0.config.otlp.as_ref().is_some_and(|otlp| otlp.traces)
    }

    /// Whether kept traces are reported as a whole.
    fn reports_traces(&self) -> bool {
        self.0.config.sentry.is_some()
    }

    fn sample(&self) -> f64 {
        self.0.config.sample
    }

    fn ship_span(&self, span: Ended) {
        if self.ships_spans() {
            self.0.spans.push(span);
        }
    }

    fn report_trace(&self, whole: Whole) {
        self.0.wholes.push(whole);
    }

    /// A line was written: it goes to the collector, and to Sentry when somebody has to look at it.
    pub(crate) fn line(&self, at: Time, level: Level, target: &str, json: &str) {
        if self.0.config.otlp.as_ref().is_some_and(|otlp| otlp.logs) {
            self.0.lines.push(Line { at, level, json: json.trim_end().to_owned() });
        }
        // A failed request is told once, by the line that knows its route.
        let told = match target {
            "web::front" => level >= Level::Warning && json.contains("\"status\":5"),
            "web::failure" => false,
            _ => level == Level::Error,
        };
        if told && self.0.config.sentry.is_some() {
            self.0.errors.push(Line { at, level, json: json.trim_end().to_owned() });
        }
    }

    /// What was thrown away since the start, of everything.
    pub fn dropped(&self) -> u64 {
        let Inner { spans, lines, errors, wholes, .. } = &*self.0;
        spans.dropped() + lines.dropped() + errors.dropped() + wholes.dropped()
    }

    /// Whether requests to model providers carry the id of their trace.
    pub fn propagates(&self) -> bool {
        self.0.config.propagate && self.traces()
    }

    /// Begins to carry; ends after `stop`, with a last try.
    pub(crate) fn start(
        &self,
        outbound: &Outbound,
        replica: &str,
        metrics: &Metrics,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) {
        sender::start(self, outbound.operator(), replica, metrics, tasks, stop);
    }
}

#[cfg(test)]
mod tests;
