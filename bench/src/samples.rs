//! Times that were measured, and what they come to. Every sample is kept: percentiles are exact.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Times in microseconds.
#[derive(Default)]
pub(crate) struct Samples(Vec<u32>);

/// What a list of times comes to, in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Samples {
    pub(crate) fn add(&mut self, span: Duration) {
        self.0.push(u32::try_from(span.as_micros()).unwrap_or(u32::MAX));
    }

    pub(crate) fn join(&mut self, other: Samples) {
        self.0.extend(other.0);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Sorts and reads off.
    pub(crate) fn spread(mut self) -> Spread {
        self.0.sort_unstable();
        let at = |part: f64| {
            // Nearest rank: the smallest sample that `part` of all samples do not exceed.
            let rank = (part * self.0.len() as f64).ceil() as usize;
            self.0.get(rank.max(1) - 1).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
        };
        Spread { p50: at(0.5), p95: at(0.95), p99: at(0.99), p999: at(0.999), max: at(1.0) }
    }
}

/// The middle one of some measurements; 0 without any.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.len() % 2, values.get(middle)) {
        (_, None) => 0.0,
        (1, Some(value)) => *value,
        (_, Some(high)) => (values.get(middle.saturating_sub(1)).unwrap_or(high) + high) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks() {
        let mut samples = Samples::default();
        (1..=100).rev().for_each(|n| samples.add(Duration::from_millis(n)));
        let spread = samples.spread();
        assert_eq!((spread.p50, spread.p95, spread.p99, spread.max), (50.0, 95.0, 99.0, 100.0));
        assert_eq!(Samples::default().spread().p99, 0.0);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![1.0, 2.0]), 1.5);
        assert_eq!(median(vec![]), 0.0);
    }
}
