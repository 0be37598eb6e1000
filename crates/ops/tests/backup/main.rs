//! Backups: whole, sealed, refused when a bit differs, brought back at once or not at all, kept as long as they must.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests stop the test they help"
)]

mod damage;
mod erasure;
mod moments;
mod place;
mod schedule;
#[path = "../../../files/src/blob/tests/stub.rs"]
mod stub;
mod upgrade;
mod whole;
