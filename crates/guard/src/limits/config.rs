//! The limits and where they are counted. Values are valid already: `server::settings` made them.

use std::time::Duration;

use kernel::Secret;

/// The limits and where they are counted.
#[derive(Clone, Debug)]
pub struct Config {
    /// `false` lifts every limit; refused in production.
    pub enabled: bool,
    /// Counted here for all replicas; in this process alone when absent.
    pub redis: Option<Redis>,
    /// How many replicas share the limits; each falls back to its share when Redis is lost.
    pub replicas: u32,
    /// The limits.
    pub rules: Rules,
}

/// The Redis that counts for all replicas.
#[derive(Clone, Debug)]
pub struct Redis {
    /// The whole URL with its password (`redis://` or `rediss://`).
    pub url: Secret<String>,
}

/// At most `limit` within any span of `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// How many.
    pub limit: u32,
    /// Within this span.
    pub window: Duration,
}

/// The limits of CONTRACT section 5. All rules of a scope must allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Sign-in, per address and per account.
    pub sign_in: Vec<Rule>,
    /// Deletion of files, per user.
    pub file_delete: Vec<Rule>,
    /// Chat, per visitor.
    pub chat_visitor: Vec<Rule>,
    /// Chat of visitors, per address.
    pub chat_address: Vec<Rule>,
    /// Chat, per key or user.
    pub chat_principal: Vec<Rule>,
    /// Everything else, per address.
    pub everything: Vec<Rule>,
}
