//! The last lines that somebody should look at, in memory, masked: for the admin page and `stoa doctor`.

use std::collections::VecDeque;

use kernel::Time;
use parking_lot::Mutex;
use serde::Serialize;

use super::config::Level;

/// How many lines are kept, and how many bytes of each.
const KEEP: usize = 200;
const MAX_KEPT_LINE: usize = 2 * 1024;

/// A `WARNING` or `ERROR` line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecentLine {
    /// When.
    pub at: Time,
    /// `WARNING` or `ERROR`.
    pub level: &'static str,
    /// The JSON line as it was written, without its line break. Cut when it is long: then it is no whole JSON.
    pub line: String,
}

/// The ring of them.
#[derive(Default)]
pub(super) struct Recent(Mutex<VecDeque<RecentLine>>);

impl Recent {
    /// Keeps a finished line when its level asks for it.
    pub(super) fn keep(&self, at: Time, level: Level, json: &str) {
        if level < Level::Warning {
            return;
        }
        let json = json.trim_end();
        let line = json.get(..json.floor_char_boundary(MAX_KEPT_LINE)).unwrap_or(json).to_owned();
        let mut ring = self.0.lock();
        if ring.len() >= KEEP {
            ring.pop_front();
        }
        ring.push_back(RecentLine { at, level: level.as_str(), line });
    }

    /// What is kept, the newest first.
    pub(super) fn newest_first(&self) -> Vec<RecentLine> {
        self.0.lock().iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_two_hundred_that_matter() {
        let recent = Recent::default();
        for n in 0..500 {
            let level = if n % 2 == 0 { Level::Info } else { Level::Warning };
            recent.keep(Time::from_seconds(n), level, &format!("{n}{}\n", "é".repeat(2000)));
        }
        let lines = recent.newest_first();
        assert_eq!(
            (lines.len(), lines[0].at, lines[199].at),
            (200, Time::from_seconds(499), Time::from_seconds(101))
        );
        assert!(lines.iter().all(|line| line.line.len() <= MAX_KEPT_LINE && line.level == "WARNING"));
    }
}
