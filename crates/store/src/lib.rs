//! The only SQL: rows in, rows out, on SQLite and Postgres from one text.
//! Every query carries the owner. It never decides who may do what: callers bring a proof to the services above.

mod config;

pub use config::{Config, Database, Pool, PostgresTls};
