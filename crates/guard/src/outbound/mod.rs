//! The only HTTP client of the server, and the rules about where it may speak to.

mod address;
pub mod aws;
mod client;
mod failure;
mod request;
mod response;

pub use address::is_public;
pub use client::{Client, Outbound, install_crypto_provider};
pub use failure::{Failure, Rule, Step};
pub use request::{Bounds, Request};
pub use response::{Body, Response};
