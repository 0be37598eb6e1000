//! The connection to Redis, and what is true while there is none. One task connects, and connects again after a
//! loss; nobody else waits for it. It never counts: `limiter` does that, with `redis` or `memory`.

use std::sync::{Arc, Weak};
use std::time::Duration;

use kernel::Secret;
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisError};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::claim::{Claim, Counted};
use super::redis::Judge;
use crate::outbound::install_crypto_provider;

/// How long one judgement may take before Redis counts as lost.
const ANSWER: Duration = Duration::from_millis(200);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(1);
/// Pauses between attempts; doubled from the first to the last.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(4)];
/// A connection that lasted shorter does not shorten the pause.
const STABLE: Duration = Duration::from_secs(10);

/// The link to Redis. Dropping it ends its task.
pub(crate) struct Link {
    judge: Judge,
    state: Mutex<State>,
    lost: Arc<Notify>,
}

#[derive(Default)]
struct State {
    connection: Option<MultiplexedConnection>,
    /// Grows with each connection, so that a late failure of an old one does not end the new one.
    generation: u64,
    /// The loss has been logged.
    told: bool,
}

impl Link {
    /// Begins to connect in the background. Needs a running tokio runtime; without one, or with a URL that is no
    /// Redis URL, the limiter stays on its fall-back and says so.
    pub(super) fn open(url: &Secret<String>) -> Arc<Link> {
        // `rediss://` looks for the provider of the process.
        install_crypto_provider();
        let lost = Arc::new(Notify::new());
        let link = Arc::new(Link { judge: Judge::new(), state: Mutex::default(), lost: Arc::clone(&lost) });
        match (redis::Client::open(url.expose().as_str()), tokio::runtime::Handle::try_current()) {
            (Ok(client), Ok(runtime)) => {
                runtime.spawn(keep_connected(Arc::downgrade(&link), client, lost));
            }
            // The error of a URL may hold the URL with its password: it is not shown.
            (Err(_), _) => tracing::error!("`REDIS_URL` is no Redis URL: limits are counted in this process"),
            (_, Err(_)) => {
                tracing::error!("no runtime to connect to Redis: limits are counted in this process")
            }
        }
        link
    }

    /// Whether Redis counts right now.
    pub(super) fn is_up(&self) -> bool {
        self.state.lock().connection.is_some()
    }

    /// Asks Redis. `None` when it is away, or was lost over this very question.
    pub(super) async fn judge(
        &self,
        claims: &[Claim<'_>],
        consume: bool,
        each: impl FnMut(Counted),
    ) -> Option<bool> {
        self.ask(async |connection| self.judge.judge(connection, claims, None, consume, each).await).await
    }

    /// Asks Redis something else. `None` when it is away, or was lost over this very question.
    pub(crate) async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&mut MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Option<T> {
        let (mut connection, generation) = {
            let state = self.state.lock();
            (state.connection.clone()?, state.generation)
        };
        let why = match tokio::time::timeout(ANSWER, question(&mut connection)).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => describe(&error),
            Err(_) => "no answer in time".to_owned(),
        };
        self.lose(generation, &why);
        None
    }

    fn lose(&self, generation: u64, why: &str) {
        let mut state = self.state.lock();
        if state.generation == generation && state.connection.take().is_some() {
            drop(state);
            self.tell(why);
            self.lost.notify_one();
        }
    }

    /// One line and one count for each loss, however many requests or attempts meet it.
    fn tell(&self, why: &str) {
        if !std::mem::replace(&mut self.state.lock().told, true) {
            metrics::counter!("stoa_rate_limit_fallback_total").increment(1);
            tracing::warn!(cause = why, "Redis is away: each replica counts its share of the limits");
        }
    }

    fn take_up(&self, connection: MultiplexedConnection) {
        let mut state = self.state.lock();
        state.connection = Some(connection);
        state.generation += 1;
        if std::mem::replace(&mut state.told, false) {
            drop(state);
            tracing::info!("Redis is back: it counts the limits of all replicas again");
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.lost.notify_one();
    }
}

/// The task: connect, try the script, hand over, wait for the loss, begin again.
async fn keep_connected(link: Weak<Link>, client: redis::Client, lost: Arc<Notify>) {
    let [shortest, longest] = PAUSES;
    let mut pause = shortest;
    loop {
        let attempt = connect(&client).await;
        let begun = Instant::now();
        {
            let Some(link) = link.upgrade() else { return };
            match attempt {
                Ok(mut connection) => match link.judge.judge(&mut connection, &[], None, false, |_| ()).await
                {
                    Ok(_) => link.take_up(connection),
                    Err(error) => link.tell(&describe(&error)),
                },
                Err(error) => link.tell(&describe(&error)),
            }
            if !link.is_up() {
                // Nothing was handed over, so nothing will report a loss.
                lost.notify_one();
            }
        }
        lost.notified().await;
        if begun.elapsed() >= STABLE {
            pause = shortest;
            continue;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

async fn connect(client: &redis::Client) -> Result<MultiplexedConnection, RedisError> {
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(ANSWER));
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// The error without what a server may put into it.
fn describe(error: &RedisError) -> String {
    match error.code() {
        Some(code) => format!("{} ({code})", error.category()),
        None => error.category().to_owned(),
    }
}
