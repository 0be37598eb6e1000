//! The real clock and the real randomness; everything else takes them as arguments.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use kernel::{Ambient, Clock, Random, Time};
use rand::Rng as _;

/// The clock and the randomness of this machine.
pub(crate) fn ambient() -> Ambient {
    Ambient::new(Arc::new(SystemClock), Arc::new(OsRandom))
}

struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A ChaCha generator in each thread, seeded and reseeded by the operating system: sealing a value takes a nonce,
/// and a system call for each would cost more than the sealing.
struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
