//! Model providers behind one closed set of pieces. It owns retries, time-outs and the fallback chain.
//! It never trusts a provider: what comes back is parsed to a closed enum and nothing else passes.

mod config;

pub use config::{Config, Provider, Timeouts};
