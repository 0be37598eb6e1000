//! The last hour of this server in steps of a minute, for the charts of the admin pages, and the last five minutes in
//! steps of ten seconds, for the monitor. It owns the rings, which have a fixed size. It never keeps a path, an address
//! or anything else about a single request.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Ambient, Time};
use parking_lot::Mutex;
use serde::Serialize;

/// How many minutes are kept.
pub const MINUTES: usize = 60;

/// The steps of the short ring: together the window of the error rate.
const STEP: i64 = 10;
const STEPS: usize = 30;

/// Latencies are counted in buckets, each a quarter wider than the one before: 1 ms to a little over two minutes.
const BUCKETS: usize = 54;
const GROWTH: f64 = 1.25;

/// The life signs of this server. Cheap to clone.
#[derive(Clone)]
pub struct Pulses(Arc<Inner>);

struct Inner {
    ambient: Ambient,
    rings: Mutex<Rings>,
}

struct Rings {
    minutes: Vec<Slot>,
    steps: [Step; STEPS],
    sessions: u64,
    open_alerts: u64,
}

/// A minute as it is counted. `at` is its number since the epoch; a slot with another number is an old one.
#[derive(Clone)]
struct Slot {
    at: i64,
    requests: u64,
    refused: u64,
    failed: u64,
    sign_in_failures: u64,
    sessions: u64,
    alerts: u64,
    latency: [u32; BUCKETS],
}

#[derive(Clone, Copy, Default)]
struct Step {
    at: i64,
    requests: u64,
    failed: u64,
}

/// The last hour.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Pulse {
    /// When it was read.
    pub at: Time,
    /// Sessions that are signed in now, on all replicas.
    pub sessions: u64,
    /// Alerts that are open now.
    pub open_alerts: u64,
    /// The last 60 minutes, the oldest first; the last one is not over yet.
    pub minutes: Vec<Minute>,
}

/// One minute. Requests and latencies are those of this process; the rest is of all replicas.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Minute {
    /// When it began.
    pub at: Time,
    /// Requests answered, probes and metrics left out.
    pub requests: u64,
    /// Of these, answered with 4xx.
    pub refused: u64,
    /// Of these, answered with 5xx.
    pub failed: u64,
    /// Half of the requests took at most this many milliseconds; 0 without requests.
    pub p50_ms: f64,
    /// 95 of 100 requests took at most this many milliseconds; 0 without requests.
    pub p95_ms: f64,
    /// Sign-ins and credentials that failed with a wrong secret.
    pub sign_in_failures: u64,
    /// The most sessions that were signed in.
    pub sessions: u64,
    /// Alerts that were raised.
    pub alerts: u64,
}

impl Slot {
    const fn new(at: i64) -> Slot {
        Slot {
            at,
            requests: 0,
            refused: 0,
            failed: 0,
            sign_in_failures: 0,
            sessions: 0,
            alerts: 0,
            latency: [0; BUCKETS],
        }
    }

    fn minute(&self) -> Minute {
        Minute {
            at: Time::from_seconds(self.at.saturating_mul(60)),
            requests: self.requests,
            refused: self.refused,
            failed: self.failed,
            p50_ms: self.percentile(0.5),
            p95_ms: self.percentile(0.95),
            sign_in_failures: self.sign_in_failures,
            sessions: self.sessions,
            alerts: self.alerts,
        }
    }

    /// The upper end of the bucket that holds this share of the requests.
    fn percentile(&self, share: f64) -> f64 {
        let all: u64 = self.latency.iter().map(|count| u64::from(*count)).sum();
        if all == 0 {
            return 0.0;
        }
        // Counts of one minute are far below 2^52.
        let wanted = ((all as f64) * share).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.latency.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= wanted {
                let bound = GROWTH.powi(i32::try_from(bucket).unwrap_or(i32::MAX));
                return (bound * 10.0).round() / 10.0;
            }
        }
        0.0
    }
}

fn bucket(took: Duration) -> usize {
    let millis = took.as_secs_f64() * 1_000.0;
    if millis <= 1.0 {
        return 0;
    }
    (millis.ln() / GROWTH.ln()).ceil() as usize
}

/// The place of a number in a ring of this length.
fn place(at: i64, length: usize) -> usize {
    usize::try_from(at.rem_euclid(i64::try_from(length).unwrap_or(1))).unwrap_or(0)
}

impl Rings {
    /// The slot of a minute, emptied when it still holds an older one; `None` for a minute that has left the ring.
    fn slot(&mut self, at: i64, now: i64) -> Option<&mut Slot> {
        let kept = i64::try_from(MINUTES).unwrap_or(i64::MAX);
        if at > now || at <= now - kept {
            return None;
        }
        let slot = self.minutes.get_mut(place(at, MINUTES))?;
        if slot.at != at {
            *slot = Slot::new(at);
        }
        Some(slot)
    }
}

impl Pulses {
    /// Empty rings.
    pub fn new(ambient: Ambient) -> Pulses {
        let rings = Rings {
            minutes: vec![Slot::new(-1); MINUTES],
            steps: [Step::default(); STEPS],
            sessions: 0,
            open_alerts: 0,
        };
        Pulses(Arc::new(Inner { ambient, rings: Mutex::new(rings) }))
    }

    /// Counts an answered request.
    pub fn answered(&self, status: u16, took: Duration) {
        let seconds = self.0.ambient.now().seconds();
        let minute = seconds.div_euclid(60);
        let (refused, failed) = (u64::from((400..500).contains(&status)), u64::from(status >= 500));
        let mut rings = self.0.rings.lock();
        if let Some(slot) = rings.slot(minute, minute) {
            slot.requests += 1;
            slot.refused += refused;
            slot.failed += failed;
            if let Some(count) = slot.latency.get_mut(bucket(took).min(BUCKETS - 1)) {
                *count = count.saturating_add(1);
            }
        }
        let at = seconds.div_euclid(STEP);
        if let Some(step) = rings.steps.get_mut(place(at, STEPS)) {
            if step.at != at {
                *step = Step { at, ..Step::default() };
            }
            step.requests += 1;
            step.failed += failed;
        }
    }

    /// Requests of the last five minutes, and how many of them failed.
    pub(crate) fn recent(&self) -> (u64, u64) {
        let now = self.0.ambient.now().seconds().div_euclid(STEP);
        let oldest = now - i64::try_from(STEPS).unwrap_or(0);
        let rings = self.0.rings.lock();
        let window = rings.steps.iter().filter(|step| step.at > oldest && step.at <= now);
        window.fold((0, 0), |(requests, failed), step| (requests + step.requests, failed + step.failed))
    }

    /// Takes over what the database says: sign-in failures and alerts of whole minutes.
    pub(crate) fn take_over(&self, failures: &[(Time, u64)], alerts: &[(Time, u64)], open_alerts: u64) {
        let now = self.0.ambient.now().seconds().div_euclid(60);
        let mut rings = self.0.rings.lock();
        rings.open_alerts = open_alerts;
        for (at, count) in failures {
            if let Some(slot) = rings.slot(at.seconds().div_euclid(60), now) {
                slot.sign_in_failures = *count;
            }
        }
        for (at, count) in alerts {
            if let Some(slot) = rings.slot(at.seconds().div_euclid(60), now) {
                slot.alerts = *count;
            }
        }
    }

    /// Takes over how many sessions are signed in.
    pub(crate) fn take_sessions(&self, sessions: u64) {
        let now = self.0.ambient.now().seconds().div_euclid(60);
        let mut rings = self.0.rings.lock();
        rings.sessions = sessions;
        if let Some(slot) = rings.slot(now, now) {
            slot.sessions = slot.sessions.max(sessions);
        }
    }

    /// The last hour.
    pub fn read(&self) -> Pulse {
        let at = self.0.ambient.now();
        let now = at.seconds().div_euclid(60);
        let rings = self.0.rings.lock();
        let kept = i64::try_from(MINUTES).unwrap_or(0);
        let minutes = (now - kept + 1..=now).map(|minute| match rings.minutes.get(place(minute, MINUTES)) {
            Some(slot) if slot.at == minute => slot.minute(),
            _ => Slot::new(minute).minute(),
        });
        Pulse { at, sessions: rings.sessions, open_alerts: rings.open_alerts, minutes: minutes.collect() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use kernel::{Clock, Random};

    use super::*;

    struct Turning(AtomicI64);
    impl Clock for Turning {
        fn now(&self) -> Time {
            Time::from_seconds(self.0.load(Ordering::Relaxed))
        }
    }
    struct Sevens;
    impl Random for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn pulses() -> (Pulses, Arc<Turning>) {
        let clock = Arc::new(Turning(AtomicI64::new(1_795_222_920)));
        (Pulses::new(Ambient::new(clock.clone(), Arc::new(Sevens))), clock)
    }

    #[test]
    fn an_hour_is_kept_and_no_more() {
        let (pulses, clock) = pulses();
        assert_eq!((pulses.read().minutes.len(), pulses.read().minutes[59].requests), (60, 0));
        for minute in 0..100_i64 {
            for _ in 0..=minute {
                pulses.answered(200, Duration::from_millis(3));
            }
            pulses.answered(404, Duration::from_millis(3));
            pulses.answered(503, Duration::from_secs(9_000));
            clock.0.fetch_add(60, Ordering::Relaxed);
        }
        let pulse = pulses.read();
        assert_eq!(pulse.minutes.len(), MINUTES);
        assert!(pulse.minutes.windows(2).all(|pair| pair[1].at.since(pair[0].at).as_secs() == 60));
        let last = pulse.minutes[58];
        assert_eq!((last.requests, last.refused, last.failed), (102, 1, 1));
        assert_eq!((pulse.minutes[0].requests, pulse.minutes[59].requests), (44, 0));
        clock.0.fetch_add(3_600, Ordering::Relaxed);
        assert!(pulses.read().minutes.iter().all(|minute| minute.requests == 0));
        clock.0.fetch_add(-30_000, Ordering::Relaxed);
        pulses.answered(200, Duration::ZERO);
        assert_eq!(pulses.read().minutes[59].requests, 1, "a clock that was set back does not matter");
    }

    #[test]
    fn percentiles_are_true_to_a_quarter() {
        let (pulses, _) = pulses();
        for millis in 1..=100 {
            pulses.answered(200, Duration::from_millis(millis));
        }
        let minute = pulses.read().minutes[59];
        assert!((50.0..=62.5).contains(&minute.p50_ms), "{minute:?}");
        assert!((95.0..=119.0).contains(&minute.p95_ms), "{minute:?}");
    }

    #[test]
    fn the_window_of_the_error_rate_slides() {
        let (pulses, clock) = pulses();
        for second in 0..310 {
            pulses.answered(if second < 10 { 500 } else { 200 }, Duration::ZERO);
            assert_eq!(pulses.recent().1, if second < 300 { second.min(9) + 1 } else { 0 });
            clock.0.fetch_add(1, Ordering::Relaxed);
        }
        assert!(pulses.recent().0 <= 300);
        clock.0.fetch_add(301, Ordering::Relaxed);
        assert_eq!(pulses.recent(), (0, 0));
    }

    #[test]
    fn what_the_database_says_is_taken_over() {
        let (pulses, clock) = pulses();
        let now = Time::from_seconds(clock.0.load(Ordering::Relaxed));
        let earlier = now - Duration::from_secs(600);
        let long_ago = now - Duration::from_secs(7_200);
        pulses.take_over(&[(now, 3), (earlier, 11), (long_ago, 99)], &[(earlier, 1)], 2);
        pulses.take_over(&[(now, 4)], &[], 2);
        pulses.take_sessions(7);
        let pulse = pulses.read();
        let total: u64 = pulse.minutes.iter().map(|minute| minute.sign_in_failures).sum();
        assert_eq!((total, pulse.minutes[49].alerts, pulse.minutes[59].sign_in_failures), (15, 1, 4));
        assert_eq!((pulse.sessions, pulse.open_alerts, pulse.minutes[59].sessions), (7, 2, 7));
    }
}
