//! Looks at what happened and keeps promises: audit, telemetry, health, the security monitor with its alerts, and the
//! post that carries alerts and mails out. It never serves a request and never decides who may do what.

pub mod alerts;
pub mod audit;
pub mod backup;
pub mod export;
pub mod health;
pub mod metrics;
pub mod monitor;
pub mod post;
pub mod pulse;
pub mod report;
pub mod retention;
pub mod shipping;
pub mod slo;
pub mod telemetry;
pub mod upkeep;
