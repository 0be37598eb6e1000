//! The product over HTTP: every test starts the real binary on a free port, with a folder (and, where there is one,
//! a Postgres database) of its own, and speaks to it as a stranger would.
//! Postgres comes from `STOA_TEST_POSTGRES`, Redis from `STOA_TEST_REDIS`; without them those tests are skipped and
//! say so, with `REQUIRE_SERVICES=1` they fail.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::large_futures,
    reason = "what a test stumbles over must stop the test"
)]

mod accounts;
mod acme;
mod admin;
mod attacks;
mod authentication;
mod backups;
mod bedrock;
mod branches;
mod carrying;
mod chat;
mod compression;
mod content;
mod continuing;
mod conversations;
mod declutter;
mod desk;
mod documents;
mod errors;
mod faults;
mod files;
mod front;
mod idempotency;
mod keys;
mod languages;
mod limits;
mod messages;
mod naughty;
mod observatory;
mod openai;
mod operation;
mod order;
mod permissions;
mod probes;
mod production;
mod records;
mod replicas;
mod retention;
mod revocation;
mod secrets;
mod service;
mod support;
mod tls;
mod tokens;
mod tutor;
mod watching;
mod world;
