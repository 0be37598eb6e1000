//! Time and randomness as arguments, so that a test can turn the clock and repeat a run.
//! It owns the two traits and their pair. It never implements them with the real world: the binary does.

use std::sync::Arc;

use crate::Time;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time now. Not monotonic: an operator may set the clock back.
    fn now(&self) -> Time;
}

/// Gives cryptographically secure random bytes.
pub trait Random: Send + Sync {
    /// Fills the whole buffer.
    fn fill(&self, bytes: &mut [u8]);
}

/// The clock and the randomness a service works with. Cheap to clone.
#[derive(Clone)]
pub struct Ambient {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Ambient {
    /// A pair of a clock and a source of randomness.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Ambient {
        Ambient { clock, random }
    }

    /// The time now.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// The source of randomness.
    pub fn random(&self) -> &dyn Random {
        self.random.as_ref()
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }
}
