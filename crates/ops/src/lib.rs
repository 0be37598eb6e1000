//! Looks at what happened and keeps promises: audit, telemetry, health.
//! It never serves a request and never decides who may do what.

pub mod audit;
pub mod export;
pub mod health;
pub mod metrics;
pub mod telemetry;
