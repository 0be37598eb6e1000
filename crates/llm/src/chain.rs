//! Which provider is asked next: the first that is not left alone, once more after a failure that may pass, then
//! the one behind it. It owns the order, the one retry and the records of health. It never reads an answer.

use std::time::Duration;

use kernel::{Ambient, Fault};

use crate::failure::Failure;
use crate::provider::Provider;

/// The tries of one request.
pub(crate) struct Attempts<'a> {
    providers: &'a [Provider],
    ambient: &'a Ambient,
    /// The provider that is asked now.
    at: usize,
    retried: bool,
    last: Option<Failure>,
}

impl<'a> Attempts<'a> {
    /// Tries over these providers, in order.
    pub(crate) fn new(providers: &'a [Provider], ambient: &'a Ambient) -> Attempts<'a> {
        Attempts { providers, ambient, at: 0, retried: false, last: None }
    }

    /// The provider to ask now; `None` when there is none left.
    pub(crate) fn next(&mut self) -> Option<&'a Provider> {
        loop {
            let provider = self.providers.get(self.at)?;
            match provider.health.admit() {
                Ok(()) => return Some(provider),
                Err(wait) => {
                    self.last.get_or_insert(Failure::Resting(wait));
                    self.advance();
                }
            }
        }
    }

    /// The app's model is known to the first provider alone; the others answer with their own.
    pub(crate) fn model<'m>(&self, asked: Option<&'m str>) -> Option<&'m str> {
        asked.filter(|_| self.at == 0)
    }

    /// The index of the provider that is asked now.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// How many providers may still be asked, the present one included: 1 or more.
    pub(crate) fn left(&self) -> u32 {
        u32::try_from(self.providers.len().saturating_sub(self.at)).unwrap_or(u32::MAX).max(1)
    }

    /// Notes that the present provider failed. Waits when it is worth a second try, else goes on to the next.
    pub(crate) async fn failed(&mut self, failure: Failure) {
        let Some(provider) = self.providers.get(self.at) else { return };
        failure.log(&provider.name);
        if failure.counts() {
            provider.health.failed(failure.rest());
        }
        let pause = failure.pause().filter(|_| !self.retried);
        self.last = Some(failure);
        match pause {
            Some(pause) => {
                self.retried = true;
                tokio::time::sleep(jittered(pause, self.ambient)).await;
            }
            None => self.advance(),
        }
    }

    /// What the caller is told when nobody answered.
    pub(crate) fn fault(self) -> Fault {
        self.last.unwrap_or(Failure::Garbage("no provider was asked")).fault()
    }

    fn advance(&mut self) {
        self.at += 1;
        self.retried = false;
    }
}

/// Between one and one and a half times the pause, so that many callers do not come back at once and nobody comes
/// back sooner than asked.
fn jittered(pause: Duration, ambient: &Ambient) -> Duration {
    let [byte] = ambient.bytes::<1>();
    pause + pause.mul_f64(f64::from(byte) / 510.0)
}
