//! A request with an `Idempotency-Key` happens once: the same key and body get the same answer for 24 hours.
//! It owns the rule; the rows, sealed, belong to the store.

use std::time::Duration;

use identity::Principal;
use kernel::{Code, Fault, Result};
use store::{Idempotent, StoredAnswer};

use crate::Hall;

/// How long an answer is kept for a repeated request (CONTRACT section 4).
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
const KEY_CHARS: std::ops::RangeInclusive<usize> = 1..=255;

/// What to do with a request that carries a key.
pub enum Once {
    /// It is the first: do it, and give the answer to the claim.
    Do(Claim),
    /// It was done: this was the answer.
    Done(StoredAnswer),
}

/// The right to do a request once.
pub struct Claim {
    hall: Hall,
    owner: kernel::Subject,
    key: String,
}

impl Hall {
    /// Claims a key. `fingerprint` is a hash of method, path and body: another one under the same key is
    /// `idempotency_conflict`, and a request that is still running is `conflict`.
    pub async fn once(&self, who: &Principal, key: &str, fingerprint: &str) -> Result<Once> {
        let well_formed = KEY_CHARS.contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
        if !well_formed {
            return Err(Fault::invalid(
                "Idempotency-Key",
                "malformed",
                "an idempotency key is 1 to 255 printable ASCII characters",
            ));
        }
        let expires = self.rooms.ambient.now() + KEPT;
        match self.rooms.store.begin_idempotent(&who.subject(), key, fingerprint, expires).await? {
            Idempotent::Fresh => {
                Ok(Once::Do(Claim { hall: self.clone(), owner: who.subject(), key: key.to_owned() }))
            }
            Idempotent::Done(answer) => Ok(Once::Done(answer)),
            Idempotent::Running => Err(Fault::new(Code::Conflict)
                .say("the same request is still being worked on")
                .retry_after(Duration::from_secs(1))),
            Idempotent::Conflict => Err(Fault::new(Code::IdempotencyConflict)),
        }
    }
}

impl Claim {
    /// Keeps the answer for repeats.
    pub async fn keep(self, answer: StoredAnswer) -> Result<()> {
        self.hall.rooms.store.finish_idempotent(&self.owner, &self.key, answer).await
    }

    /// Gives the key back: the request failed and may be tried again.
    pub async fn release(self) -> Result<()> {
        self.hall.rooms.store.release_idempotent(&self.owner, &self.key).await
    }
}
