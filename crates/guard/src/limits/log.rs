//! When the admissions of one counter happened: an exact sliding window in little memory. No locks, no clock.
//!
//! Up to [`EXACT`] admissions are kept one by one. Above that, every `group` admissions share one entry that bears
//! the time of the last of them, so an entry leaves the window when its last admission does. That errs on the
//! strict side alone: at most `group - 1` admissions that have left already are still counted, which is less than
//! 2 % of the limit, and never is one too many admitted.

use std::collections::VecDeque;
use std::time::Duration;

use super::config::Rule;

/// Limits up to this are counted one by one.
pub(super) const EXACT: u32 = 128;

/// How many admissions share an entry, so that the loss stays under 2 %.
pub(super) const fn group(limit: u32) -> u32 {
    if limit <= EXACT { 1 } else { limit / 50 }
}

/// The admissions of one counter under one rule. Times are microseconds.
#[derive(Debug)]
pub(super) struct Log {
    window: i64,
    limit: u32,
    group: u32,
    /// How many admissions the newest entry holds; all others hold `group`.
    newest: u32,
    ends: VecDeque<i64>,
}

impl Log {
    /// An empty log. `limit` only decides how finely is counted.
    pub(super) fn new(rule: Rule, limit: u32) -> Log {
        Log { window: micros(rule.window), limit, group: group(limit), newest: 0, ends: VecDeque::new() }
    }

    /// Whether the log was made for this rule.
    pub(super) fn fits(&self, rule: Rule, limit: u32) -> bool {
        self.window == micros(rule.window) && self.limit == limit
    }

    /// Forgets what has left the window. Gives how many admissions count, and how long until fewer do (zero when
    /// none does).
    pub(super) fn read(&mut self, now: i64) -> (u32, Duration) {
        self.settle(now);
        let horizon = now.saturating_sub(self.window);
        while self.ends.front().is_some_and(|end| *end <= horizon) {
            self.ends.pop_front();
        }
        let relief = self.ends.front().map_or(0, |end| end.saturating_add(self.window).saturating_sub(now));
        (self.used(), Duration::from_micros(u64::try_from(relief).unwrap_or(0)))
    }

    /// Writes one admission. Call [`Log::read`] with the same time first. Holds `most` and forgets the oldest
    /// beyond that, which only happens when another store admitted by another clock.
    pub(super) fn push(&mut self, now: i64, most: u32) {
        if self.used() >= most.max(1) {
            self.ends.pop_front();
        }
        if self.newest < self.group
            && let Some(end) = self.ends.back_mut()
        {
            *end = now;
            self.newest += 1;
        } else {
            self.ends.push_back(now);
            self.newest = 1;
        }
    }

    /// How many admissions are counted, without forgetting any.
    fn used(&self) -> u32 {
        let full = u32::try_from(self.ends.len().saturating_sub(1)).unwrap_or(u32::MAX);
        if self.ends.is_empty() { 0 } else { full.saturating_mul(self.group).saturating_add(self.newest) }
    }

    /// Which part of the limit is used, in 255ths.
    pub(super) fn strain(&self) -> u8 {
        let part = u64::from(self.used()) * 255 / u64::from(self.limit.max(1));
        u8::try_from(part).unwrap_or(u8::MAX)
    }

    /// Whether nothing counts any more.
    pub(super) fn is_over(&self, now: i64) -> bool {
        self.ends.back().is_none_or(|end| *end <= now.saturating_sub(self.window))
    }

    /// An operator may set the clock back. What then lies in the future happened now at the latest: it is counted
    /// for one window more at the most, instead of until the clock has caught up.
    fn settle(&mut self, now: i64) {
        for end in self.ends.iter_mut().rev() {
            if *end <= now {
                break;
            }
            *end = now;
        }
    }
}

pub(super) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(limit: u32) -> Log {
        Log::new(Rule { limit, window: Duration::from_micros(100) }, limit)
    }

    #[test]
    fn groups_stay_under_two_percent() {
        for limit in 1..20_000 {
            let lost = group(limit) - 1;
            assert!(u64::from(lost) * 50 < u64::from(limit), "{limit}");
        }
    }

    #[test]
    fn an_admission_leaves_after_exactly_one_window() {
        let mut log = log(3);
        for now in [0, 10, 20] {
            log.read(now);
            log.push(now, 3);
        }
        assert_eq!(log.read(99), (3, Duration::from_micros(1)));
        assert_eq!(log.read(100), (2, Duration::from_micros(10)));
        assert!(!log.is_over(119));
        assert!(log.is_over(120));
        assert_eq!(log.read(120), (0, Duration::ZERO));
    }

    #[test]
    fn large_limits_take_few_entries() {
        let mut log = log(10_000);
        for now in 0..10_000 {
            log.push(now / 200, 10_000);
        }
        assert_eq!(log.used(), 10_000);
        assert!(log.ends.len() <= 51);
        log.push(50, 10_000);
        assert!(log.used() <= 10_000);
    }

    #[test]
    fn a_clock_set_back_costs_one_window() {
        let mut log = log(2);
        log.push(1_000_000, 2);
        log.push(1_000_001, 2);
        assert_eq!(log.read(50).0, 2);
        assert_eq!(log.read(149).0, 2);
        assert_eq!(log.read(150).0, 0);
    }
}
