//! How often: sliding windows without a double burst at any edge, in memory or in Redis.

mod claim;
mod config;
mod fallback;
mod grammar;
mod headers;
mod limiter;
mod log;
mod memory;
mod redis;

pub use claim::{Claim, Standing, Verdict};
pub use config::{Config, Redis, Rule, Rules};
pub use grammar::{NoLimit, parse};
pub use limiter::Limiter;

pub(crate) use fallback::Link;

#[cfg(test)]
mod property_tests;
