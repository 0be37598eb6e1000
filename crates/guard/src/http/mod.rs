//! Decisions about a request that need no credential: peer, host, scheme, origin, headers, body size.
//! Pure functions over headers and a typed configuration; the HTTP server itself belongs to `web`.

mod config;

pub use config::{BodyLimits, Config, Cors};
