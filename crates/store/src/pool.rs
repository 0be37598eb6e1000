//! The connections of one process: how many there are, who waits for one, when one is thrown away.
//!
//! It is our own and not sqlx's because two promises need it: a database that is away is reported at once while
//! an exhausted pool is waited for, and no statement pays for a ping. A dead connection is found by using it: a
//! read is then repeated once on a fresh connection (`Reader`), a transaction is begun once more (`batch.rs`).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::config::Pool as Sizes;
use crate::connection::{Address, Connection, PATIENCE, Purpose};
use crate::statements::Statements;
use crate::trouble::Trouble;

/// After a failed attempt to connect, everybody else fails at once for this long instead of trying too.
const BREATHER: Duration = Duration::from_millis(250);

/// Connections beyond the configured size are kept this long after a burst: closing them at once would mean
/// opening them again for the next request.
const OVERFLOW_REST: Duration = Duration::from_secs(5);

/// The connections, counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PoolState {
    /// The most that may be open.
    pub max: u32,
    /// Those that are open.
    pub open: u32,
    /// Those of them that wait for work.
    pub idle: u32,
    /// Callers that wait for a connection.
    pub waiting: u32,
    /// Callers that waited in vain since the start.
    pub exhausted: u64,
}

struct Resting {
    connection: Connection,
    born: Instant,
    since: Instant,
}

struct Inside {
    address: Address,
    purpose: Purpose,
    sizes: Sizes,
    max: u32,
    /// One permit for each connection that may be in use.
    permits: Arc<Semaphore>,
    resting: Mutex<VecDeque<Resting>>,
    /// The time of the last failed attempt to connect, until one succeeds.
    failed: Mutex<Option<Instant>>,
    waiting: AtomicU64,
    exhausted: AtomicU64,
    statements: Arc<Statements>,
}

/// A set of connections of one kind. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Inside>);

/// A lock whose holder panicked holds valid data all the same: each section is a single step.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// A pool of at most `sizes.size + sizes.overflow` connections. Opens none yet.
    pub(crate) fn new(address: Address, purpose: Purpose, sizes: Sizes, statements: Arc<Statements>) -> Pool {
        let max = sizes.size.saturating_add(sizes.overflow).max(1);
        Pool(Arc::new(Inside {
            address,
            purpose,
            sizes,
            max,
            permits: Arc::new(Semaphore::new(usize::try_from(max).unwrap_or(1).min(Semaphore::MAX_PERMITS))),
            resting: Mutex::default(),
            failed: Mutex::default(),
            waiting: AtomicU64::new(0),
            exhausted: AtomicU64::new(0),
            statements,
        }))
    }

    /// Where the costs of statements are counted.
    pub(crate) fn statements(&self) -> &Statements {
        &self.0.statements
    }

    /// Takes a connection: a resting one, or a new one when `fresh` or none rests.
    /// Waits `sizes.wait` while all are in use; fails at once while the database cannot be reached.
    pub(crate) async fn take(&self, fresh: bool) -> Result<Lease, Trouble> {
        let permit = self.permit().await?;
        if !fresh && let Some((connection, born)) = self.rested() {
            return Ok(Lease {
                pool: self.clone(),
                permit: Some(permit),
                connection: Some(connection),
                born,
                reused: true,
            });
        }
        if self.is_down() {
            return Err(Trouble::away("the database cannot be reached"));
        }
        // Rare and large: what waits for a resting connection need not be as large as what opens one.
        let connection = Box::pin(self.connect()).await?;
        let born = Instant::now();
        Ok(Lease {
            pool: self.clone(),
            permit: Some(permit),
            connection: Some(connection),
            born,
            reused: false,
        })
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, Trouble> {
        let permits = self.0.permits.clone();
        if let Ok(permit) = permits.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let _waiting = Waiting::count(&self.0.waiting);
        let deadline = Instant::now() + self.0.sizes.wait;
        let mut queue = std::pin::pin!(permits.acquire_owned());
        loop {
            let step = deadline.min(Instant::now() + BREATHER);
            match tokio::time::timeout_at(step, &mut queue).await {
                Ok(Ok(permit)) => return Ok(permit),
                Ok(Err(_)) => return Err(Trouble::away("the store is closed")),
                Err(_) if self.is_down() => return Err(Trouble::away("the database cannot be reached")),
                Err(_) if Instant::now() >= deadline => {
                    self.0.exhausted.fetch_add(1, Ordering::Relaxed);
                    return Err(Trouble::busy("all connections are in use"));
                }
                Err(_) => {}
            }
        }
    }

    fn rested(&self) -> Option<(Connection, Instant)> {
        let mut resting = locked(&self.0.resting);
        // The one used last is the most likely to be alive; the others grow old and are closed.
        while let Some(rested) = resting.pop_back() {
            if rested.born.elapsed() < self.0.sizes.recycle {
                return Some((rested.connection, rested.born));
            }
            dismiss(rested.connection);
        }
        None
    }

    async fn connect(&self) -> Result<Connection, Trouble> {
        let limit = self.0.sizes.connect.min(PATIENCE);
        let answer = match tokio::time::timeout(limit, self.0.address.connect(self.0.purpose)).await {
            Ok(answer) => answer,
            Err(_) => Err(Trouble::silent()),
        };
        *locked(&self.0.failed) = answer.is_err().then(Instant::now);
        answer
    }

    fn is_down(&self) -> bool {
        locked(&self.0.failed).is_some_and(|at| at.elapsed() < BREATHER)
    }

    /// Closes what has rested too long or is too old. Called about once a second.
    pub(crate) fn sweep(&self) {
        let mut resting = locked(&self.0.resting);
        let size = usize::try_from(self.0.sizes.size.max(1)).unwrap_or(1);
        let mut surplus = resting.len().saturating_sub(size);
        let mut kept = VecDeque::with_capacity(resting.len());
        for rested in resting.drain(..) {
            let still = rested.since.elapsed();
            let over = surplus > 0 && still >= OVERFLOW_REST.min(self.0.sizes.idle);
            if over || still >= self.0.sizes.idle || rested.born.elapsed() >= self.0.sizes.recycle {
                surplus = surplus.saturating_sub(1);
                dismiss(rested.connection);
            } else {
                kept.push_back(rested);
            }
        }
        *resting = kept;
    }

    /// Learns that a connection was lost: those that rest led to the same server and are thrown away. When the
    /// server was silent, nobody else waits for it either until the pause is over.
    pub(crate) fn lost(&self, trouble: &Trouble) {
        locked(&self.0.resting).clear();
        if trouble.silent {
            *locked(&self.0.failed) = Some(Instant::now());
        }
    }

    pub(crate) fn state(&self) -> PoolState {
        let idle = u32::try_from(locked(&self.0.resting).len()).unwrap_or(u32::MAX);
        let free = u32::try_from(self.0.permits.available_permits()).unwrap_or(u32::MAX);
        let waiting = u32::try_from(self.0.waiting.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        PoolState {
            max: self.0.max,
            open: self.0.max.saturating_sub(free).saturating_add(idle),
            idle,
            waiting,
            exhausted: self.0.exhausted.load(Ordering::Relaxed),
        }
    }

    /// How often [`Pool::sweep`] should run, so that no connection outlives its time by much.
    pub(crate) fn pace(&self) -> Duration {
        (self.0.sizes.recycle / 4).clamp(Duration::from_millis(100), Duration::from_secs(1))
    }

    /// Ends: no more connections are given, the resting ones are closed.
    pub(crate) async fn close(&self) {
        self.0.permits.close();
        let resting: Vec<Resting> = locked(&self.0.resting).drain(..).collect();
        for rested in resting {
            rested.connection.close().await;
        }
    }
}

/// Closes a connection in the background, outside of any runtime by simply letting go of it.
fn dismiss(connection: Connection) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(connection.close());
    }
}

struct Waiting<'a>(&'a AtomicU64);

impl<'a> Waiting<'a> {
    fn count(counter: &'a AtomicU64) -> Waiting<'a> {
        counter.fetch_add(1, Ordering::Relaxed);
        Waiting(counter)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection on loan. It goes back into the pool only through [`Lease::give_back`]: dropped in any other way,
/// in the middle of a statement say, it is thrown away.
pub(crate) struct Lease {
    pool: Pool,
    permit: Option<OwnedSemaphorePermit>,
    connection: Option<Connection>,
    born: Instant,
    /// It had rested before and may have died meanwhile.
    pub(crate) reused: bool,
}

impl Lease {
    /// The connection.
    pub(crate) fn connection(&mut self) -> Result<&mut Connection, Trouble> {
        self.connection.as_mut().ok_or_else(|| Trouble::defect("the connection was given back already"))
    }

    /// Returns the connection in good order.
    pub(crate) fn give_back(mut self) {
        let Some(connection) = self.connection.take() else { return };
        let inside = &self.pool.0;
        let mut resting = locked(&inside.resting);
        if self.born.elapsed() < inside.sizes.recycle && !inside.permits.is_closed() {
            resting.push_back(Resting { connection, born: self.born, since: Instant::now() });
        } else {
            dismiss(connection);
        }
        drop(resting);
        // Only now may the next one look for a resting connection.
        self.permit.take();
    }
}
