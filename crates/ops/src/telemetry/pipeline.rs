//! The bounded queue between the threads that log and the one that writes. It owns who waits, for how long, and
//! what is lost when the sink stands still. It never formats.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kernel::Time;
use metrics::Counter;
use parking_lot::{Condvar, Mutex, MutexGuard};

use super::config::Level;

/// How many bytes of lines may wait.
const CAPACITY: usize = 4 * 1024 * 1024;

/// Room on top of it that only `ERROR` lines may use: they are the last to be lost.
const RESERVE: usize = 1024 * 1024;

/// A full queue is waited for this long at a time while the writer gets on…
const PATIENCE: Duration = Duration::from_millis(50);

/// …and this long altogether. After that lines are dropped at once until the writer has taken some.
const MAX_WAIT: Duration = Duration::from_millis(250);

/// How long the writer rests between two batches: at high rates it saves a system call for every line.
const REST: Duration = Duration::from_millis(1);

/// Buffers that a burst has grown past this are given back.
const KEEP_BUFFER: usize = 512 * 1024;

/// The facts of one line; its target and rows stand in [`Batch::text`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// The level.
    pub(super) level: Level,
    /// When it was logged.
    pub(super) at: Time,
    target: usize,
    rows: usize,
}

impl Head {
    /// The facts of a line that is not in a batch.
    pub(super) fn new(level: Level, at: Time) -> Head {
        Head { level, at, target: 0, rows: 0 }
    }
}

/// Lines on their way, all in one buffer.
#[derive(Default)]
pub(super) struct Batch {
    heads: Vec<Head>,
    text: String,
}

impl Batch {
    fn push(&mut self, level: Level, at: Time, target: &str, rows: &str) {
        self.heads.push(Head { level, at, target: target.len(), rows: rows.len() });
        self.text.push_str(target);
        self.text.push_str(rows);
    }

    fn clear(&mut self) {
        self.heads.clear();
        self.text.clear();
        if self.text.capacity() > KEEP_BUFFER {
            *self = Batch::default();
        }
    }

    /// Each line as its facts, target and rows.
    pub(super) fn lines(&self) -> impl Iterator<Item = (Head, &str, &str)> {
        let mut rest = self.text.as_str();
        self.heads.iter().filter_map(move |head| {
            let (target, more) = rest.split_at_checked(head.target)?;
            let (rows, more) = more.split_at_checked(head.rows)?;
            rest = more;
            Some((*head, target, rows))
        })
    }
}

#[derive(Default)]
struct State {
    waiting: Batch,
    /// Lines accepted and lines handed to the sinks, since the start.
    accepted: u64,
    written: u64,
    /// Lines dropped since the writer last said so.
    lost: u64,
    /// The writer stands still: nobody waits for it.
    stalled: bool,
    /// The writer sleeps and has to be woken.
    asleep: bool,
    closed: bool,
}

/// The queue, and the counts of what went through.
pub(super) struct Intake {
    state: Mutex<State>,
    work: Condvar,
    space: Condvar,
    done: Condvar,
    /// Rises with every line the writer finishes: the sign that it gets on.
    beat: AtomicU64,
    counts: [(AtomicU64, Counter); 4],
    lost_ever: AtomicU64,
}

impl Intake {
    /// An empty queue.
    pub(super) fn new() -> Intake {
        let counts = Level::ALL.map(|level| {
            let counter = metrics::counter!("stoa_log_events_total", "level" => level.as_str());
            // The series exists from the start, so that a rate over it is right from the first event on.
            counter.increment(0);
            (AtomicU64::new(0), counter)
        });
        Intake {
            state: Mutex::default(),
            work: Condvar::new(),
            space: Condvar::new(),
            done: Condvar::new(),
            beat: AtomicU64::new(0),
            counts,
            lost_ever: AtomicU64::new(0),
        }
    }

    /// Counts a line and queues it. When there is no room it waits a moment for a writer that gets on, and drops
    /// the line when the writer does not.
    pub(super) fn push(&self, level: Level, at: Time, target: &str, rows: &str) {
        if let Some((count, counter)) = self.counts.get(level as usize) {
            count.fetch_add(1, Ordering::Relaxed);
            counter.increment(1);
        }
        let size = target.len() + rows.len() + size_of::<Head>();
        let room = if level == Level::Error { CAPACITY + RESERVE } else { CAPACITY };
        let mut state = self.state.lock();
        let has_room = |state: &State| {
            state.waiting.text.len() + state.waiting.heads.len() * size_of::<Head>() + size <= room
        };
        if !has_room(&state) {
            self.wait_for_room(&mut state, has_room);
        }
        if state.closed || !has_room(&state) {
            state.lost += 1;
            self.lost_ever.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.waiting.push(level, at, target, rows);
        state.accepted += 1;
        if std::mem::take(&mut state.asleep) {
            drop(state);
            self.work.notify_one();
        }
    }

    fn wait_for_room(&self, state: &mut MutexGuard<'_, State>, has_room: impl Fn(&State) -> bool) {
        let begin = Instant::now();
        while !state.stalled && !state.closed && !has_room(state) {
            let beat = self.beat.load(Ordering::Relaxed);
            let timed_out = self.space.wait_for(state, PATIENCE).timed_out();
            let stands_still = timed_out && beat == self.beat.load(Ordering::Relaxed);
            if stands_still || begin.elapsed() >= MAX_WAIT {
                // Whoever takes the batch clears it again.
                state.stalled = !has_room(state);
            }
        }
    }

    /// For the writer: waits for lines and moves them into `batch`. Gives how many were dropped since the last
    /// call, or `None` when the queue is closed and empty.
    pub(super) fn take(&self, batch: &mut Batch) -> Option<u64> {
        batch.clear();
        let mut state = self.state.lock();
        if state.waiting.heads.is_empty() && !state.closed {
            self.work.wait_for(&mut state, REST);
        }
        while state.waiting.heads.is_empty() && state.lost == 0 {
            if state.closed {
                return None;
            }
            state.asleep = true;
            self.work.wait(&mut state);
            state.asleep = false;
        }
        std::mem::swap(&mut state.waiting, batch);
        state.stalled = false;
        let lost = std::mem::take(&mut state.lost);
        drop(state);
        self.space.notify_all();
        Some(lost)
    }

    /// For the writer: it has finished one more line.
    pub(super) fn beat(&self) {
        self.beat.fetch_add(1, Ordering::Relaxed);
    }

    /// For the writer: the batch has reached the sinks.
    pub(super) fn finished(&self, batch: &Batch) {
        self.state.lock().written += batch.heads.len() as u64;
        self.done.notify_all();
    }

    /// Waits until everything accepted so far has reached the sinks. `false` when that took too long.
    pub(super) fn flush(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut state = self.state.lock();
        let target = state.accepted;
        self.work.notify_one();
        while state.written < target {
            if self.done.wait_until(&mut state, deadline).timed_out() {
                return state.written >= target;
            }
        }
        true
    }

    /// No more lines; the writer ends when it has written those that wait.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.work.notify_all();
        self.space.notify_all();
    }

    /// Lines of this level since the start.
    pub(super) fn count(&self, level: Level) -> u64 {
        self.counts.get(level as usize).map_or(0, |(count, _)| count.load(Ordering::Relaxed))
    }

    /// Lines dropped since the start.
    pub(super) fn lost(&self) -> u64 {
        self.lost_ever.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_that_stands_still_costs_one_short_wait() {
        let intake = Intake::new();
        let rows = "x".repeat(1000);
        let begin = Instant::now();
        for _ in 0..20_000 {
            intake.push(Level::Info, Time::EPOCH, "t", &rows);
        }
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
        let lost = intake.lost();
        assert!(lost > 10_000);
        // Errors still find room, and the next one to look is told about the loss.
        intake.push(Level::Error, Time::EPOCH, "t", "message=e\n");
        assert_eq!(intake.lost(), lost);
        let mut batch = Batch::default();
        assert_eq!(intake.take(&mut batch), Some(lost));
        let last = batch.lines().last().unwrap();
        assert_eq!((last.0.level, last.1, last.2), (Level::Error, "t", "message=e\n"));
        assert_eq!(batch.lines().count() as u64, 20_001 - lost);
        intake.push(Level::Info, Time::EPOCH, "t", &rows);
        assert_eq!(intake.lost(), lost, "room again");
        assert_eq!(intake.count(Level::Info), 20_001);
    }

    #[test]
    fn a_closed_queue_gives_what_it_holds_and_ends() {
        let intake = Intake::new();
        intake.push(Level::Info, Time::EPOCH, "t", "message=1\n");
        intake.close();
        let mut batch = Batch::default();
        assert_eq!(intake.take(&mut batch), Some(0));
        intake.finished(&batch);
        assert!(intake.flush(Duration::ZERO));
        assert_eq!(intake.take(&mut batch), None);
    }
}
