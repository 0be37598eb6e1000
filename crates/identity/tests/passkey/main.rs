//! Passkeys against an authenticator in software: what is right passes, and each thing that is wrong is refused for
//! its own reason. It uses the public surface of the room alone.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests stop the test they help"
)]

mod authenticator;
mod hostile;
mod registration;
mod sign_in;
mod world;
