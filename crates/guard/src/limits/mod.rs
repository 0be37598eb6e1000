//! How often: sliding windows without a double burst at any edge, in memory or in Redis.

mod config;

pub use config::{Config, Redis, Rule, Rules};
