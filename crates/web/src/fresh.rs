//! How new what is remembered of permissions is. Where several processes share a database, a request waits until the
//! epochs were looked at after it came: what another replica has said yes or no to a moment ago counts here, for the
//! next request and not only within a while. All requests of a moment share one look.
//! It never looks itself.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};

/// A request waits this long at the most; then what was known last stands.
const PATIENCE: Duration = Duration::from_millis(400);

/// The looks at the epochs.
#[derive(Debug)]
pub struct Fresh {
    shared: bool,
    away: AtomicBool,
    begun: AtomicU64,
    done: watch::Sender<u64>,
    wanted: Notify,
}

impl Fresh {
    /// `shared`: other processes write to the same database.
    pub fn new(shared: bool) -> Fresh {
        Fresh {
            shared,
            away: AtomicBool::new(false),
            begun: AtomicU64::new(0),
            done: watch::Sender::new(0),
            wanted: Notify::new(),
        }
    }

    /// Waits until somebody wants a look.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// A look begins; its number.
    pub fn begin(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// A look has ended. After one that failed nobody waits, until one succeeds.
    pub fn end(&self, look: u64, good: bool) {
        self.away.store(!good, Ordering::Relaxed);
        self.done.send_replace(look);
    }

    /// Waits for a look that began after this call.
    pub(crate) async fn wait(&self) {
        if !self.shared || self.away.load(Ordering::Relaxed) {
            return;
        }
        let mut done = self.done.subscribe();
        let next = self.begun.load(Ordering::Acquire) + 1;
        self.wanted.notify_one();
        // Either way the request goes on: with what is known now.
        let _ = tokio::time::timeout(PATIENCE, done.wait_for(|done| *done >= next)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_look_that_began_before_the_request_does_not_count() {
        let fresh = Arc::new(Fresh::new(true));
        let before = fresh.begin();
        let waiting = {
            let fresh = Arc::clone(&fresh);
            tokio::spawn(async move { fresh.wait().await })
        };
        fresh.wanted().await;
        fresh.end(before, true);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(!waiting.is_finished());
        let after = fresh.begin();
        fresh.end(after, true);
        tokio::time::timeout(Duration::from_millis(1), waiting).await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_database_that_is_away_or_ones_own() {
        let fresh = Fresh::new(true);
        let began = tokio::time::Instant::now();
        fresh.wait().await;
        assert_eq!(began.elapsed(), PATIENCE);
        fresh.end(1, false);
        fresh.wait().await;
        Fresh::new(false).wait().await;
        assert_eq!(began.elapsed(), PATIENCE);
    }
}
