//! Counters in the memory of this process: sharded, bounded, exact. It never waits for anything but short locks.
//!
//! A key is held as a 128-bit keyed hash: entries have one size, hostile keys cannot be made to collide, and no
//! address or account is held in memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use super::claim::{Claim, Counted};
use super::config::Rule;
use super::log::Log;

const SHARDS: usize = 64;

/// How many keys are held at the most, in all shards together. A key under the rules of a visitor takes some
/// 250 bytes when used once and 1.3 KiB when used up.
///
/// When hostile callers bring more, the counters that restrain least are forgotten first (see [`Shard::evict`]):
/// whoever is near a limit stays counted, and newcomers are still served.
pub(super) const MOST_KEYS: usize = 128 * 1024;

/// A shard looks for counters that are over when it has grown to this, and then whenever it has doubled.
const FIRST_SWEEP: usize = 256;

/// What a call does to the counters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Act {
    /// Take one from every counter when all allow.
    Admit,
    /// Only look.
    Inspect,
    /// Take one from every counter: Redis has admitted the request.
    Record,
}

/// Which limit counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scale {
    /// The whole limit.
    Whole,
    /// This replica's share of it, one at the least.
    Share,
}

/// The counters of a process.
#[derive(Debug)]
pub(super) struct Memory {
    shards: Vec<Mutex<Shard>>,
    hashers: [RandomState; 2],
    replicas: u32,
    most: usize,
}

impl Memory {
    /// Empty counters for one of `replicas` processes, holding `most_keys` keys.
    pub(super) fn new(replicas: u32, most_keys: usize) -> Memory {
        Memory {
            shards: std::iter::repeat_with(Mutex::default).take(SHARDS).collect(),
            // The randomness of the standard library: it shows in no result, it only keeps keys from colliding.
            hashers: [RandomState::new(), RandomState::new()],
            replicas: replicas.max(1),
            most: (most_keys / SHARDS).max(1),
        }
    }

    /// Judges all claims at one moment, in microseconds, under the locks of all their shards. Each rule's count
    /// from before is handed to `each`; the answer is whether all rules allowed.
    pub(super) fn judge(
        &self,
        claims: &[Claim<'_>],
        now: i64,
        scale: Scale,
        act: Act,
        mut each: impl FnMut(Counted),
    ) -> bool {
        let keys: Vec<u128> = claims.iter().map(|claim| self.hash(claim)).collect();
        let mut held = self.lock(&keys);
        let mut allowed = true;
        for (claim, key) in claims.iter().zip(&keys) {
            let mut logs = held.shard(*key).and_then(|shard| shard.counters.get_mut(key));
            for (index, rule) in claim.rules.iter().enumerate() {
                let share = self.share(rule.limit);
                let log =
                    logs.as_mut().and_then(|logs| logs.get_mut(index)).filter(|log| log.fits(*rule, share));
                let (used, relief) = log.map_or((0, Duration::ZERO), |log| log.read(now));
                let limit = if scale == Scale::Share { share } else { rule.limit };
                let counted = Counted { scope: claim.scope, rule: *rule, limit, used, relief };
                allowed &= counted.allows();
                each(counted);
            }
        }
        if act == Act::Record || (act == Act::Admit && allowed) {
            for (claim, key) in claims.iter().zip(&keys) {
                if let Some(shard) = held.shard(*key) {
                    shard.take(*key, claim.rules, now, self.most, |limit| self.share(limit));
                }
            }
        }
        allowed
    }

    fn share(&self, limit: u32) -> u32 {
        // A limit of nothing stays nothing.
        (limit / self.replicas).max(limit.min(1))
    }

    fn hash(&self, claim: &Claim<'_>) -> u128 {
        let [high, low] = &self.hashers;
        let half = |hasher: &RandomState| u128::from(hasher.hash_one((claim.scope, claim.key)));
        (half(high) << 64) | half(low)
    }

    /// Locks the shards of these keys in ascending order, so that no two requests wait for each other.
    fn lock(&self, keys: &[u128]) -> Held<'_> {
        let mut wanted: Vec<usize> = keys.iter().map(|key| shard_of(*key)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        Held(wanted.into_iter().filter_map(|index| Some((index, self.shards.get(index)?.lock()))).collect())
    }

    /// How many keys are held.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().counters.len()).sum()
    }
}

/// The highest bits choose the shard; the map inside of it goes by the lowest.
fn shard_of(key: u128) -> usize {
    usize::try_from(key >> 64).unwrap_or(0) >> (usize::BITS - SHARDS.ilog2())
}

struct Held<'a>(Vec<(usize, MutexGuard<'a, Shard>)>);

impl Held<'_> {
    fn shard(&mut self, key: u128) -> Option<&mut Shard> {
        let wanted = shard_of(key);
        self.0.iter_mut().find(|(index, _)| *index == wanted).map(|(_, guard)| &mut **guard)
    }
}

/// One log for each rule of a claim, in the order of the rules.
type Counter = Box<[Log]>;

#[derive(Debug)]
struct Shard {
    counters: HashMap<u128, Counter, BuildHasherDefault<Hashed>>,
    sweep_at: usize,
}

impl Default for Shard {
    fn default() -> Shard {
        Shard { counters: HashMap::default(), sweep_at: FIRST_SWEEP }
    }
}

impl Shard {
    /// Writes one admission for every rule.
    fn take(&mut self, key: u128, rules: &[Rule], now: i64, most: usize, share: impl Fn(u32) -> u32) {
        if !self.counters.contains_key(&key) && self.counters.len() >= self.sweep_at.min(most) {
            self.sweep(now, most);
        }
        let fresh = || rules.iter().map(|rule| Log::new(*rule, share(rule.limit))).collect();
        let logs = self.counters.entry(key).or_insert_with(fresh);
        if logs.len() != rules.len() {
            *logs = fresh();
        }
        for (log, rule) in logs.iter_mut().zip(rules) {
            if !log.fits(*rule, share(rule.limit)) {
                *log = Log::new(*rule, share(rule.limit));
            }
            log.read(now);
            log.push(now, rule.limit);
        }
    }

    /// Forgets the counters that are over, and more when that leaves too many.
    fn sweep(&mut self, now: i64, most: usize) {
        self.counters.retain(|_, logs| !logs.iter().all(|log| log.is_over(now)));
        if self.counters.len() >= most {
            self.evict(most / 8 + 1);
        }
        let left = self.counters.len();
        if self.counters.capacity() / 4 > left.max(FIRST_SWEEP) {
            self.counters.shrink_to(left * 2);
        }
        self.sweep_at = (left * 2).max(FIRST_SWEEP);
    }

    /// Forgets `number` counters, those that have used the smallest part of their limits first. A flood of new
    /// keys thus forgets other new keys, and never frees the caller who is at a limit.
    fn evict(&mut self, number: usize) {
        let strain = |logs: &Counter| logs.iter().map(Log::strain).max().unwrap_or(0);
        let mut strains: Vec<u8> = self.counters.values().map(strain).collect();
        strains.sort_unstable();
        let bound = strains.get(number.saturating_sub(1)).copied().unwrap_or(u8::MAX);
        // Of those that are equal at the bound, as many as are needed.
        let mut equal = number.saturating_sub(strains.partition_point(|strain| *strain < bound));
        self.counters.retain(|_, logs| match strain(logs).cmp(&bound) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal if equal > 0 => {
                equal -= 1;
                false
            }
            _ => true,
        });
        metrics::counter!("stoa_rate_limit_evicted_total").increment(number as u64);
    }
}

/// The keys are hashes already: their lowest bits serve as they are.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only `write_u128` is called for the keys; this keeps the type honest for anything else.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = u64::try_from(key & u128::from(u64::MAX)).unwrap_or(0);
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
