//! Decisions about a request that need no credential: peer, host, scheme, origin, headers, body size.
//! Pure functions over headers and a typed configuration; the HTTP server itself belongs to `web`.

mod blocks;
mod body;
mod config;
mod cors;
mod csrf;
mod front;
mod headers;
mod host;
mod origin;
mod peer;
mod scheme;

pub use blocks::AddressBlocks;
pub use body::{admit_length, too_large};
pub use config::{BodyLimits, Config, Cors};
pub use cors::{Crossing, Headers};
pub use front::{Front, is_probe};
pub use headers::{secure, security_headers};
pub use host::{Asked, Host};
pub use peer::{Peer, limit_key};
pub use scheme::{CREDENTIAL_COOKIES, Exposed, Scheme};
