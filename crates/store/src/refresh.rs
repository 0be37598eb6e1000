//! Refresh tokens: each is used once and gives way to the next of its family, which is a session. One that comes
//! back ends the family: either the thief or the owner holds a copy, and nobody can tell which.
//! There is no grace for honest retries: a client that refreshes twice at once signs itself out.
//! It never sees a token, only digests.

use std::net::IpAddr;

use kernel::{Fault, Result, Time};

use crate::{Session, Store};

/// What became of a refresh token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refreshed {
    /// It was used, and the new one is valid.
    Rotated(Session),
    /// It had been used before: the session, given as it was, has ended and `token.reuse` is in the audit log.
    Reused(Session),
    /// It was valid once.
    Expired,
    /// There is no such token, or its session has ended.
    Unknown,
}

impl Store {
    /// Uses the token with the digest `old` and puts the one with `new` in its place, which ends, with the session,
    /// at `expires_at`. Of any number of calls with one token one succeeds, and the others end the session.
    /// `ip` goes into the event of a reuse.
    pub async fn rotate_refresh(
        &self,
        old: &str,
        new: &str,
        expires_at: Time,
        ip: Option<IpAddr>,
    ) -> Result<Refreshed> {
        let _ = (old, new, expires_at, ip);
        Err(Fault::internal("not written yet"))
    }
}
