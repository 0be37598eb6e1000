//! Every function of the store on both engines, from one macro; then the faults.
//! Postgres comes from `STOA_TEST_POSTGRES`; without it those tests are skipped, with `REQUIRE_SERVICES=1` they fail.
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

mod accounts;
mod audit;
mod conversations;
mod crash;
mod desk;
mod documents;
mod erasures;
mod files;
mod measuring;
mod migrating;
mod order;
mod outage;
mod people;
mod problems;
mod proofs;
mod retention;
mod reviews;
mod rights;
mod schema;
mod search;
mod secrecy;
mod server;
mod sessions;
mod shares;
mod snapshots;
mod subjects;
mod tables;
mod tickets;
mod usage;
mod watching;
mod world;
