//! The product as strangers use it: a person with a browser, programs with the official OpenAI packages, a machine
//! that reads the OpenAPI document. Each of them meets the real binary; only the model provider is ours.
//! It never looks inside the server and reaches nothing but loopback and the package registries.
//!
//! What a test needs and does not find is printed as a skip; with `REQUIRE_SERVICES=1` it is a failure.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests stop the run they judge, start processes and read what the machine offers"
)]

mod browser;
mod clients;
#[allow(dead_code, reason = "shared with the tests of the product, which use the rest")]
#[path = "../it/world/issuer.rs"]
mod issuer;
mod place;
#[allow(dead_code, reason = "shared with the tests of alerts, which use the rest")]
#[path = "../../../ops/tests/watching/receivers.rs"]
mod receivers;
mod server;
mod upstream;
