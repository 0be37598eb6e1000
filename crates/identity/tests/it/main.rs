//! Identity as a whole over a real store: a SQLite file of each test's own, and a clock that tests turn.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests stop the test they help"
)]

mod accounts;
mod brake;
mod keys;
mod limits;
mod races;
mod second;
mod sessions;
mod visitors;
mod world;
