//! The limiter: all claims of a request are allowed together or nothing is consumed. It chooses where to count;
//! the counting itself is in `memory` and `redis`.
//!
//! With Redis, this process also keeps count of what it admitted itself. That count is part of the whole, so it can
//! refuse without asking, and it is what the fall-back goes on from: a loss of Redis opens no second window.

use std::sync::Arc;

use kernel::{Ambient, Time};

use super::claim::{Claim, Counted, Standing, Verdict};
use super::config::{Config, Rules};
use super::fallback::Link;
use super::memory::{Act, MOST_KEYS, Memory, Scale};

/// Decides how often. Cheap to clone; clones count together.
#[derive(Clone)]
pub struct Limiter(Arc<Inner>);

struct Inner {
    enabled: bool,
    rules: Rules,
    memory: Memory,
    link: Option<Arc<Link>>,
    ambient: Ambient,
}

impl Limiter {
    /// Makes the counters. With Redis it begins to connect in the background, on the tokio runtime it is called on;
    /// until then, and whenever Redis is away, this replica counts its share of the limits.
    pub fn new(config: Config, ambient: Ambient) -> Limiter {
        let link = config.redis.as_ref().filter(|_| config.enabled).map(|redis| Link::open(&redis.url));
        let replicas = if link.is_some() { config.replicas } else { 1 };
        let memory = Memory::new(replicas, MOST_KEYS);
        Limiter(Arc::new(Inner { enabled: config.enabled, rules: config.rules, memory, link, ambient }))
    }

    /// Takes one from every counter if all allow, and nothing otherwise. A scope and key may appear once.
    ///
    /// Waits for Redis at most 200 ms, and never fails: without Redis the share of this replica counts.
    pub async fn admit(&self, claims: &[Claim<'_>]) -> Verdict {
        let inner = &*self.0;
        let now = inner.ambient.now();
        if !inner.enabled || claims.iter().all(|claim| claim.rules.is_empty()) {
            return Verdict::unlimited(now);
        }
        let verdict = match &inner.link {
            None => inner.count(claims, now, Scale::Whole, Act::Admit),
            Some(link) => inner.admit_shared(link, claims, now).await,
        };
        if !verdict.allowed {
            metrics::counter!("stoa_rate_limit_exceeded_total", "scope" => verdict.scope).increment(1);
        }
        verdict
    }

    /// What is left of every rule, in the order of the claims. Consumes nothing.
    pub async fn inspect(&self, claims: &[Claim<'_>]) -> Vec<Standing> {
        let inner = &*self.0;
        let now = inner.ambient.now();
        if !inner.enabled {
            return Vec::new();
        }
        let mut standings = Vec::new();
        if let Some(link) = &inner.link {
            let each = |counted: Counted| standings.push(counted.standing(now));
            if link.judge(claims, false, each).await.is_some() {
                return standings;
            }
            standings.clear();
        }
        let scale = if inner.link.is_some() { Scale::Share } else { Scale::Whole };
        let each = |counted: Counted| standings.push(counted.standing(now));
        inner.memory.judge(claims, now.micros(), scale, Act::Inspect, each);
        standings
    }

    /// Where is counted right now: `memory` (this process alone), `redis`, or `fallback` (Redis is away).
    pub fn backend(&self) -> &'static str {
        match &self.0.link {
            None => "memory",
            Some(link) if link.is_up() => "redis",
            Some(_) => "fallback",
        }
    }

    /// The connection to Redis, where counts are shared.
    pub(crate) fn link(&self) -> Option<Arc<Link>> {
        self.0.link.clone()
    }

    /// Whether limits apply at all.
    pub fn is_enabled(&self) -> bool {
        self.0.enabled
    }

    /// The limits.
    pub fn rules(&self) -> &Rules {
        &self.0.rules
    }
}

impl Inner {
    async fn admit_shared(&self, link: &Link, claims: &[Claim<'_>], now: Time) -> Verdict {
        if link.is_up() {
            let own = self.count(claims, now, Scale::Whole, Act::Inspect);
            if !own.allowed {
                return own;
            }
            let mut binding = Binding::new(now);
            if let Some(allowed) = link.judge(claims, true, |counted| binding.add(counted)).await {
                if allowed {
                    self.memory.judge(claims, now.micros(), Scale::Whole, Act::Record, |_| ());
                }
                return binding.close(allowed);
            }
        }
        // Redis may have kept us waiting.
        let now = self.ambient.now();
        self.count(claims, now, Scale::Share, Act::Admit)
    }

    fn count(&self, claims: &[Claim<'_>], now: Time, scale: Scale, act: Act) -> Verdict {
        let mut binding = Binding::new(now);
        let allowed = self.memory.judge(claims, now.micros(), scale, act, |counted| binding.add(counted));
        binding.close(allowed)
    }
}

/// Finds the rule that binds while the counts come in.
struct Binding {
    now: Time,
    admitted: Verdict,
    refused: Option<Verdict>,
}

impl Binding {
    const fn new(now: Time) -> Binding {
        Binding { now, admitted: Verdict::unlimited(now), refused: None }
    }

    fn add(&mut self, counted: Counted) {
        if counted.allows() {
            self.admitted = self.admitted.binding(counted.admitted(self.now));
        } else {
            let refused = counted.refused(self.now);
            self.refused = Some(self.refused.map_or(refused, |before| before.binding(refused)));
        }
    }

    fn close(self, allowed: bool) -> Verdict {
        match self.refused {
            Some(refused) if !allowed => refused,
            _ => self.admitted,
        }
    }
}

#[cfg(test)]
#[path = "limiter_tests.rs"]
mod tests;
