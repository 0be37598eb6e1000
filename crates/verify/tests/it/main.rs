//! `verify` against a small server that keeps every promise, and against the same server with one promise broken.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test may stop at the first surprise"
)]

mod accounts;
mod api;
mod document;
mod documents;
mod faults;
mod files;
mod lists;
mod mock;
mod pages;
mod staff;
mod talks;
mod tls;
mod whole;
