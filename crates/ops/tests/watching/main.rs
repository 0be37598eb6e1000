//! The security monitor and the post: every threshold on a turned clock, a receiver that goes away and comes back, and
//! a database that does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "what a test stumbles over must stop the test"
)]

mod carrying;
mod place;
mod receivers;
mod thresholds;
