//! What waits to be shipped: a bounded queue that throws away what finds no room, and counts it.
//! It never makes anybody wait.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// The queue of one sink.
pub(super) struct Queue<T> {
    sink: &'static str,
    most: usize,
    waiting: Mutex<VecDeque<T>>,
    full: Notify,
    dropped: AtomicU64,
}

impl<T> Queue<T> {
    /// An empty queue for at most `most`.
    pub(super) fn new(sink: &'static str, most: usize) -> Queue<T> {
        Queue { sink, most, waiting: Mutex::default(), full: Notify::new(), dropped: AtomicU64::new(0) }
    }

    /// Puts something in, or throws it away when there is no room.
    pub(super) fn push(&self, item: T) {
        let mut waiting = self.waiting.lock();
        if waiting.len() >= self.most {
            drop(waiting);
            self.lost(1);
            return;
        }
        waiting.push_back(item);
        let pressing = waiting.len() == self.most / 2;
        drop(waiting);
        if pressing {
            self.full.notify_one();
        }
    }

    /// Takes the oldest out, `most` at the most.
    pub(super) fn take(&self, most: usize) -> Vec<T> {
        let mut waiting = self.waiting.lock();
        let count = most.min(waiting.len());
        waiting.drain(..count).collect()
    }

    /// Counts what will never arrive.
    pub(super) fn lost(&self, count: u64) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
        metrics::counter!("stoa_telemetry_dropped_total", "sink" => self.sink).increment(count);
    }

    /// Until the queue is half full.
    pub(super) async fn pressing(&self) {
        self.full.notified().await;
    }

    /// What was thrown away since the start.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted_and_the_oldest_goes_first() {
        let queue = Queue::new("test", 3);
        (0..5).for_each(|n| queue.push(n));
        assert_eq!(
            (queue.dropped(), queue.take(2), queue.take(9), queue.take(1)),
            (2, vec![0, 1], vec![2], vec![])
        );
    }
}
