//! What callers of this process sent lately: 64 shards of at most 448 callers with 8 hashes and 8 times each, about 12 MB
//! when full. The callers that were quiet longest are forgotten first. It never keeps a text.

use std::collections::HashMap;

use kernel::Time;
use parking_lot::Mutex;

use super::{MOMENT, NEW, REMEMBERED, SPAN, Sent, Standing, TOLD, near};

pub(super) const SHARDS: usize = 64;
/// What a hash table of 512 slots holds without growing.
pub(super) const CALLERS: usize = 448;

/// The memory.
pub(super) struct Repeats {
    shards: Vec<Mutex<Shard>>,
}

#[derive(Default)]
struct Shard {
    callers: HashMap<u64, Caller>,
}

/// What one caller sent lately.
struct Caller {
    first: Time,
    last: Time,
    told: Option<Time>,
    /// When the latest messages came, the oldest of them at `next`.
    came: [Option<Time>; REMEMBERED],
    next: usize,
    texts: [Seen; REMEMBERED],
}

/// A text and how often it came.
#[derive(Clone, Copy, Default)]
struct Seen {
    hash: u64,
    sketch: Option<u64>,
    times: u32,
    since: Time,
}

impl Default for Repeats {
    fn default() -> Repeats {
        Repeats { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl Repeats {
    /// Counts a message.
    pub(super) fn count(&self, sent: Sent, now: Time) -> Standing {
        let shard = usize::try_from(sent.caller % SHARDS as u64).unwrap_or(0);
        match self.shards.get(shard) {
            Some(shard) => shard.lock().count(sent, now),
            None => Standing { times: 1, lately: 1, new: false, told: true },
        }
    }

    pub(super) fn callers(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().callers.len()).sum()
    }
}

impl Shard {
    fn count(&mut self, sent: Sent, now: Time) -> Standing {
        if self.callers.len() >= CALLERS && !self.callers.contains_key(&sent.caller) {
            self.forget(now);
        }
        let caller = self.callers.entry(sent.caller).or_insert(Caller {
            first: now,
            last: now,
            told: None,
            came: [None; REMEMBERED],
            next: 0,
            texts: [Seen::default(); REMEMBERED],
        });
        caller.last = now;
        // This one, and those before it that are remembered.
        let lately = caller.came.iter().flatten().filter(|at| now.since(**at) < MOMENT).count();
        if let Some(place) = caller.came.get_mut(caller.next) {
            *place = Some(now);
        }
        caller.next = (caller.next + 1) % REMEMBERED;
        let mut standing = Standing {
            times: caller.times(sent, now),
            lately: u32::try_from(lately + 1).unwrap_or(u32::MAX),
            new: now.since(caller.first) < NEW,
            told: caller.told.is_some_and(|at| now.since(at) < TOLD),
        };
        if standing.hasty() && !standing.told {
            caller.told = Some(now);
        } else {
            standing.told = true;
        }
        standing
    }

    /// Forgets the callers that were quiet for the span; when there are none, half of them, the quietest.
    fn forget(&mut self, now: Time) {
        self.callers.retain(|_, caller| now.since(caller.last) < SPAN);
        if self.callers.len() >= CALLERS {
            let mut times: Vec<Time> = self.callers.values().map(|caller| caller.last).collect();
            let middle = times.len() / 2;
            let (_, median, _) = times.select_nth_unstable(middle);
            let median = *median;
            self.callers.retain(|_, caller| caller.last > median);
        }
    }
}

impl Caller {
    /// Counts a text, and what is nearly the same as it.
    fn times(&mut self, sent: Sent, now: Time) -> u32 {
        let fresh = |seen: &Seen| seen.times > 0 && now.since(seen.since) < SPAN;
        let alike = |seen: &Seen| match (seen.sketch, sent.sketch) {
            (Some(one), Some(other)) => near::is_near(one, other),
            _ => seen.hash == sent.hash,
        };
        if let Some(seen) = self.texts.iter_mut().find(|seen| fresh(seen) && alike(seen)) {
            seen.times = seen.times.saturating_add(1);
            return seen.times;
        }
        if let Some(oldest) = self.texts.iter_mut().min_by_key(|seen| seen.since) {
            *oldest = Seen { hash: sent.hash, sketch: sent.sketch, times: 1, since: now };
        }
        1
    }
}
