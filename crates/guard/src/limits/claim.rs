//! What is asked of the limiter and what it answers.

use std::time::Duration;

use kernel::{Code, Fault, Time};

use super::config::Rule;

/// A counter that a request draws from: a scope, whose it is, and the rules. All rules must allow.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The name of the scope, as headers and metrics show it: lower-case letters, digits and `_`.
    pub scope: &'static str,
    /// Whose counter it is: an address key ([`crate::http::limit_key`]), a subject, a tag of an account.
    /// It is stored in Redis for the length of the window, so it should be a pseudonym.
    pub key: &'a str,
    /// The rules.
    pub rules: &'a [Rule],
}

/// The answer to the claims of one request. Of all rules it describes the one that binds: when refused, the one
/// that takes longest to allow again; when allowed, the one with the least left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Whether the request may go on. When not, nothing was consumed.
    pub allowed: bool,
    /// The limit; `u32::MAX` when nothing limits.
    pub limit: u32,
    /// How many more are allowed now.
    pub remaining: u32,
    /// When `remaining` grows next.
    pub reset_at: Time,
    /// How long to wait; zero when allowed.
    pub retry_after: Duration,
    /// The scope.
    pub scope: &'static str,
    /// The window of the limit.
    pub window: Duration,
}

impl Verdict {
    /// The verdict where nothing limits.
    pub const fn unlimited(now: Time) -> Verdict {
        Verdict {
            allowed: true,
            limit: u32::MAX,
            remaining: u32::MAX,
            reset_at: now,
            retry_after: Duration::ZERO,
            scope: "none",
            window: Duration::ZERO,
        }
    }

    /// Whether any rule applied.
    pub const fn is_limited(&self) -> bool {
        self.limit != u32::MAX
    }

    /// `rate_limited` for a refusal, with the time to wait.
    pub fn fault(&self) -> Fault {
        Fault::new(Code::RateLimited).retry_after(self.retry_after)
    }

    /// Of two verdicts on one request the one that binds.
    pub(super) fn binding(self, other: Verdict) -> Verdict {
        let other_binds = match (self.allowed, other.allowed) {
            (true, false) => true,
            (false, true) => false,
            (false, false) => other.retry_after > self.retry_after,
            (true, true) => (other.remaining, self.window) < (self.remaining, other.window),
        };
        if other_binds { other } else { self }
    }
}

/// What is left of one rule, for `whoami`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// The scope.
    pub scope: &'static str,
    /// The rule.
    pub rule: Rule,
    /// How many more are allowed now.
    pub remaining: u32,
    /// When `remaining` grows next; now when nothing is used.
    pub reset_at: Time,
}

/// What a store counted for one rule of one claim, in the order of the claims. Before consumption.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Counted {
    pub(super) scope: &'static str,
    pub(super) rule: Rule,
    /// The limit that the store applied: the rule's, or this replica's share.
    pub(super) limit: u32,
    pub(super) used: u32,
    /// How long until fewer count; zero when none counts.
    pub(super) relief: Duration,
}

impl Counted {
    pub(super) const fn allows(&self) -> bool {
        self.used < self.limit
    }

    /// The verdict if all rules of the request allow and one is taken.
    pub(super) fn admitted(&self, now: Time) -> Verdict {
        Verdict { remaining: self.left().saturating_sub(1), ..self.verdict(now, true) }
    }

    /// The verdict if this rule refuses.
    pub(super) fn refused(&self, now: Time) -> Verdict {
        Verdict { retry_after: self.relief(), ..self.verdict(now, false) }
    }

    fn verdict(&self, now: Time, allowed: bool) -> Verdict {
        Verdict {
            allowed,
            limit: self.limit,
            remaining: self.left(),
            reset_at: now + self.relief(),
            retry_after: Duration::ZERO,
            scope: self.scope,
            window: self.rule.window,
        }
    }

    const fn left(&self) -> u32 {
        self.limit.saturating_sub(self.used)
    }

    /// When nothing is used yet, what is taken now comes back after a whole window; a limit of nothing never yields.
    const fn relief(&self) -> Duration {
        if self.relief.is_zero() { self.rule.window } else { self.relief }
    }

    pub(super) fn standing(&self, now: Time) -> Standing {
        Standing { scope: self.scope, rule: self.rule, remaining: self.left(), reset_at: now + self.relief }
    }
}
