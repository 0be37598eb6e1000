//! A bound on the number of series: a label that by mistake holds what a caller sent must not fill the memory.
//! It owns the count of series and nothing else.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use parking_lot::RwLock;

/// Series that one metric may have. The largest honest one is requests by method, route and status.
const MAX_SERIES: usize = 2_000;

/// Counts what was refused.
const REFUSED: &str = "stoa_metrics_series_refused_total";

/// A recorder that keeps no more than a bounded number of series of each metric.
pub(super) struct Bounded<R> {
    inner: R,
    known: RwLock<Known>,
    refused: Counter,
}

#[derive(Default)]
struct Known {
    series: HashSet<Key, BuildHasherDefault<Ready>>,
    of_metric: HashMap<String, usize>,
}

/// A key of `metrics` carries a hash, a quick one with collisions; one multiplication spreads it over the table
/// (the constant is 2^64 over the golden ratio, after Knuth).
#[derive(Default)]
struct Ready(u64);

impl Hasher for Ready {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl<R: Recorder> Bounded<R> {
    /// Around a recorder that keeps everything.
    pub(super) fn new(inner: R) -> Bounded<R> {
        let metadata = Metadata::new(module_path!(), metrics::Level::INFO, None);
        let refused = inner.register_counter(&Key::from_static_name(REFUSED), &metadata);
        Bounded { inner, known: RwLock::default(), refused }
    }

    fn admits(&self, key: &Key) -> bool {
        if self.known.read().series.contains(key) {
            return true;
        }
        let mut known = self.known.write();
        if known.series.contains(key) {
            return true;
        }
        let count = known.of_metric.entry(key.name().to_owned()).or_default();
        if *count >= MAX_SERIES {
            self.refused.increment(1);
            return false;
        }
        *count += 1;
        known.series.insert(key.to_retained());
        true
    }
}

impl<R: Recorder> Recorder for Bounded<R> {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.inner.describe_counter(key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.inner.describe_gauge(key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.inner.describe_histogram(key, unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        if self.admits(key) { self.inner.register_counter(key, metadata) } else { Counter::noop() }
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        if self.admits(key) { self.inner.register_gauge(key, metadata) } else { Gauge::noop() }
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        if self.admits(key) { self.inner.register_histogram(key, metadata) } else { Histogram::noop() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_runs_wild_is_stopped_and_counted() {
        let (recorder, handle) = super::super::recorder();
        metrics::with_local_recorder(&recorder, || {
            for n in 0..MAX_SERIES + 500 {
                metrics::counter!("wild_total", "path" => format!("/{n}")).increment(1);
            }
            metrics::counter!("wild_total", "path" => "/0").increment(1);
            metrics::counter!("tame_total").increment(1);
        });
        let text = handle.render();
        assert_eq!(text.matches("wild_total{").count(), MAX_SERIES);
        assert!(text.contains("wild_total{path=\"/0\"} 2"), "a known series goes on");
        assert!(text.contains("tame_total 1"), "other metrics are not touched");
        assert!(text.contains("stoa_metrics_series_refused_total 500"));
    }
}
