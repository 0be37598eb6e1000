//! Something that is read from an issuer and kept for as long as the issuer says: one reading at a time, however many
//! ask; old values through an outage, for a while; nothing after that. It knows nothing of keys.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use kernel::{Ambient, Time};
use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

/// How long what an issuer publishes is kept, whatever it says itself.
pub(crate) const SHORTEST: Duration = Duration::from_secs(60);
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// How long it is kept when the issuer says nothing.
pub(crate) const UNSAID: Duration = Duration::from_secs(10 * 60);
/// How long an old value serves after its time when no new one can be read. Then the door closes.
pub(crate) const GRACE: Duration = Duration::from_secs(10 * 60);
/// A value that lacks what is asked for is read again this often and no more: else anybody could make us ask.
pub(crate) const UNKNOWN: Duration = Duration::from_secs(30);
/// After a failure nobody tries again for this long.
pub(crate) const RETRY: Duration = Duration::from_secs(5);

/// Why there is nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lack {
    /// The issuer has no such thing.
    Unknown,
    /// The issuer cannot be asked, and what was known is too old.
    Away,
}

/// A new value and how long the issuer wants it kept; or what went wrong, for the log.
pub(crate) type Reading<T> = Result<(T, Duration), String>;

type Load<T> = Box<dyn Fn() -> BoxFuture<'static, Reading<T>> + Send + Sync>;

/// A value that is read when it is needed.
pub(crate) struct Cached<T> {
    /// What it is, for the log.
    what: String,
    load: Load<T>,
    ambient: Ambient,
    state: Mutex<State<T>>,
    /// Held while somebody reads.
    gate: Arc<tokio::sync::Mutex<()>>,
}

struct State<T> {
    known: Option<Known<T>>,
    asked_at: Option<Time>,
    failed: bool,
    /// Counts the readings that have ended.
    readings: u64,
}

struct Known<T> {
    value: Arc<T>,
    since: Time,
    fresh_until: Time,
}

enum Step<R> {
    Done(Result<R, Lack>),
    /// Ask the issuer; meanwhile others may use what is known.
    Ask {
        meanwhile: Option<R>,
        readings: u64,
    },
}

impl<T: Send + Sync + 'static> Cached<T> {
    pub(crate) fn new(
        what: String,
        ambient: Ambient,
        load: impl Fn() -> BoxFuture<'static, Reading<T>> + Send + Sync + 'static,
    ) -> Arc<Cached<T>> {
        let state = State { known: None, asked_at: None, failed: false, readings: 0 };
        Arc::new(Cached {
            what,
            load: Box::new(load),
            ambient,
            state: Mutex::new(state),
            gate: Arc::default(),
        })
    }

    /// What `pick` finds in the value, which is read first when it is absent, old, or lacks it.
    pub(crate) async fn find<R>(self: &Arc<Self>, pick: impl Fn(&T) -> Option<R>) -> Result<R, Lack> {
        let (meanwhile, readings) = match self.look(&pick, true) {
            Step::Done(result) => return result,
            Step::Ask { meanwhile, readings } => (meanwhile, readings),
        };
        let gate = Arc::clone(&self.gate);
        let place = match meanwhile {
            // Somebody reads already, and there is something to go on with.
            Some(found) => match gate.try_lock_owned() {
                Ok(place) => place,
                Err(_) => return Ok(found),
            },
            None => gate.lock_owned().await,
        };
        if self.state.lock().readings == readings {
            // A task of its own: who asked may go away, and the others still want the answer.
            let _ = tokio::spawn(Arc::clone(self).read(place)).await;
        } else {
            drop(place);
        }
        match self.look(&pick, false) {
            Step::Done(result) => result,
            Step::Ask { meanwhile, .. } => meanwhile.ok_or(Lack::Away),
        }
    }

    fn look<R>(&self, pick: &impl Fn(&T) -> Option<R>, may_ask: bool) -> Step<R> {
        let now = self.ambient.now();
        let state = self.state.lock();
        // A clock that was set back must not hold anybody off.
        let asked = |span: Duration| state.asked_at.is_some_and(|at| at <= now && now < at + span);
        let ask = |meanwhile| Step::Ask { meanwhile, readings: state.readings };
        let Some(known) = &state.known else {
            let ask_now = may_ask && !(state.failed && asked(RETRY));
            return if ask_now { ask(None) } else { Step::Done(Err(Lack::Away)) };
        };
        let fresh = known.since <= now && now < known.fresh_until;
        let found = pick(&known.value).filter(|_| now < known.fresh_until + GRACE);
        match found {
            Some(found) if fresh => Step::Done(Ok(found)),
            None if fresh && may_ask && !asked(UNKNOWN) => ask(None),
            None if fresh => Step::Done(Err(Lack::Unknown)),
            found if may_ask && !(state.failed && asked(RETRY)) => ask(found),
            found => Step::Done(found.ok_or(Lack::Away)),
        }
    }

    async fn read(self: Arc<Self>, place: OwnedMutexGuard<()>) {
        let now = self.ambient.now();
        self.state.lock().asked_at = Some(now);
        let reading = (self.load)().await;
        let now = self.ambient.now();
        let mut state = self.state.lock();
        state.readings = state.readings.wrapping_add(1);
        match reading {
            Ok((value, span)) => {
                let fresh_until = now + span.clamp(SHORTEST, LONGEST);
                state.known = Some(Known { value: Arc::new(value), since: now, fresh_until });
                state.failed = false;
            }
            Err(why) => {
                state.failed = true;
                tracing::warn!(what = self.what, why, "an issuer could not be asked");
            }
        }
        drop(state);
        drop(place);
    }
}
