//! How times are spread: counts in buckets, each a tenth wider than the one before, from a tenth of a millisecond to two
//! minutes. It owns their text form, which is short because most buckets are empty. Percentiles are true to a tenth.

use std::fmt::Write as _;
use std::time::Duration;

/// The upper end of the first bucket, in milliseconds.
const FIRST: f64 = 0.1;
const GROWTH: f64 = 1.1;
const BUCKETS: usize = 150;

/// Counts of times.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Spread(Vec<u64>);

impl Default for Spread {
    fn default() -> Spread {
        Spread(vec![0; BUCKETS])
    }
}

fn bucket(took: Duration) -> usize {
    let millis = took.as_secs_f64() * 1_000.0;
    if millis <= FIRST {
        return 0;
    }
    (((millis / FIRST).ln() / GROWTH.ln()).ceil() as usize).min(BUCKETS - 1)
}

fn end(bucket: usize) -> f64 {
    FIRST * GROWTH.powi(i32::try_from(bucket).unwrap_or(i32::MAX))
}

impl Spread {
    /// Counts one.
    pub(super) fn add(&mut self, took: Duration) {
        if let Some(count) = self.0.get_mut(bucket(took)) {
            *count += 1;
        }
    }

    /// Counts all of another.
    pub(super) fn merge(&mut self, other: &Spread) {
        for (own, more) in self.0.iter_mut().zip(&other.0) {
            *own = own.saturating_add(*more);
        }
    }

    /// `12:3,13:9`: the buckets that are not empty.
    pub(super) fn write(&self) -> String {
        let mut text = String::new();
        for (bucket, count) in self.0.iter().enumerate().filter(|(_, count)| **count > 0) {
            let comma = if text.is_empty() { "" } else { "," };
            let _ = write!(text, "{comma}{bucket}:{count}");
        }
        text
    }

    /// Reads that form; what cannot be read counts nothing.
    pub(super) fn read(text: &str) -> Spread {
        let mut spread = Spread::default();
        for (bucket, count) in pairs(text) {
            if let Some(place) = usize::try_from(bucket).ok().and_then(|bucket| spread.0.get_mut(bucket)) {
                *place += count;
            }
        }
        spread
    }

    /// So many milliseconds this share of the times took at the most; `None` when nothing was counted.
    pub(super) fn percentile(&self, share: f64) -> Option<f64> {
        let all: u64 = self.0.iter().sum();
        if all == 0 {
            return None;
        }
        // Counts of a month are far below 2^52.
        let wanted = ((all as f64) * share).ceil().max(1.0);
        let mut seen = 0.0;
        for (bucket, count) in self.0.iter().enumerate() {
            let count = *count as f64;
            if seen + count >= wanted {
                let begin = bucket.checked_sub(1).map_or(0.0, end);
                let inside = begin + (end(bucket) - begin) * (wanted - seen) / count;
                return Some((inside * 100.0).round() / 100.0);
            }
            seen += count;
        }
        None
    }
}

/// `3:60,4:12` as pairs of numbers.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (u64, u64)> {
    text.split(',').filter_map(|pair| {
        let (one, other) = pair.split_once(':')?;
        Some((one.parse().ok()?, other.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_true_to_a_tenth_and_outlive_their_text() {
        let mut spread = Spread::default();
        assert_eq!((spread.percentile(0.5), spread.write().as_str()), (None, ""));
        (1..=1_000).for_each(|millis| spread.add(Duration::from_millis(millis)));
        spread.add(Duration::from_secs(9_000));
        for (share, true_value) in [(0.5, 500.0), (0.95, 950.0), (0.99, 990.0)] {
            let found = spread.percentile(share).unwrap();
            assert!((found / true_value - 1.0_f64).abs() < 0.1, "{share}: {found}");
        }
        assert_eq!(Spread::read(&spread.write()), spread);
        let mut twice = Spread::read("0:1,3:x,:,999:5,3:2");
        assert_eq!(twice.write(), "0:1,3:2");
        twice.merge(&twice.clone());
        assert_eq!(twice.write(), "0:2,3:4");
    }
}
