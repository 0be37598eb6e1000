//! The store as a whole: opened, watched, closed. It owns the pools, the writing task and the background work.
//! The functions on the tables stand in the files named after them.

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crypto::Keyring;
use futures_util::future::BoxFuture;
use kernel::{Ambient, AuditEvent, Fault, Result, Subject, Time};
use moka::future::Cache;
use tokio::sync::{OnceCell, watch};
use tokio::task::JoinHandle;

use crate::batch::Batcher;
use crate::checkpoint::{self, Checkpoint, Relief};
use crate::config::{Config, Pool as Sizes};
use crate::connection::{Address, Purpose};
use crate::data_key::{Refusal, SubjectKey};
use crate::dialect::{Company, Engine};
use crate::pool::{Pool, PoolState};
use crate::reader::Reader;
use crate::secret::Secrets;
use crate::statements::{self, Statements};
use crate::touch::Touched;
use crate::trouble::Trouble;
use crate::tx::Tx;
use crate::value::values;
use crate::watch::Watch;
use crate::writer::Writer;

/// How many data keys are kept in memory, and for how long.
const DATA_KEYS: u64 = 50_000;
const DATA_KEY_AGE: Duration = Duration::from_secs(600);

/// How often the uses of keys and sessions are written.
const TOUCHES: Duration = Duration::from_secs(5);

/// SQLite reads on this many connections at the most: each is a thread.
const SQLITE_READERS: u32 = 8;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) inside: Arc<Inside>,
}

pub(crate) struct Inside {
    pub(crate) engine: Engine,
    config: Config,
    pub(crate) address: Address,
    pub(crate) reads: Pool,
    pub(crate) writes: Pool,
    pub(crate) writer: Writer,
    pub(crate) keyring: Keyring,
    pub(crate) ambient: Ambient,
    /// The name of this process as a writer of answers, and of its lease.
    pub(crate) me: Arc<str>,
    /// Until when that lease need not be looked after.
    pub(crate) writing: tokio::sync::Mutex<Option<Time>>,
    pub(crate) secrets: Arc<OnceCell<Secrets>>,
    pub(crate) data_keys: Cache<Subject, Arc<SubjectKey>>,
    /// The epoch of subjects that the cache of data keys belongs to.
    pub(crate) subjects: AtomicI64,
    /// Uses that are not written yet.
    pub(crate) touched: Mutex<Touched>,
    slow: Duration,
    /// Dropped or set to true, it ends the background work.
    closing: watch::Sender<bool>,
    tending: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Connects, once, to prove that the place can be reached, and starts the writing task. Changes nothing in
    /// the database: see [`Store::migrate`] and [`Store::check_key`]. Must be called inside a Tokio runtime, with
    /// a rustls provider installed when the engine is Postgres.
    pub async fn open(config: Config, keyring: Keyring, ambient: Ambient) -> Result<Store> {
        let address = Address::prepare(&config)?;
        let engine = address.engine();
        let (statements, asked) = Statements::new(config.slow_query);
        let statements = Arc::new(statements);
        let (reads, writes) = match engine {
            Engine::Postgres => {
                let pool = Pool::new(address.clone(), Purpose::Write, config.pool.clone(), statements);
                (pool.clone(), pool)
            }
            Engine::Sqlite => {
                let readers = Sizes {
                    size: config.pool.size.clamp(1, SQLITE_READERS),
                    overflow: 0,
                    ..config.pool.clone()
                };
                let one = Sizes { size: 1, overflow: 0, ..config.pool.clone() };
                let reads = Pool::new(address.clone(), Purpose::Read, readers, Arc::clone(&statements));
                (reads, Pool::new(address.clone(), Purpose::Write, one, statements))
            }
        };
        // The writer's connection first: it makes the write-ahead log that readers need.
        writes.take(false).await?.give_back();
        let secrets = Arc::new(OnceCell::new());
        let relief = Relief::default();
        let batcher = Batcher {
            pool: writes.clone(),
            relief: relief.clone(),
            secrets: secrets.clone(),
            ambient: ambient.clone(),
            slow: config.slow_query,
        };
        let (closing, closed) = watch::channel(false);
        tokio::spawn(statements::explain(reads.clone(), asked, closed.clone()));
        let store = Store {
            inside: Arc::new(Inside {
                engine,
                address: address.clone(),
                reads: reads.clone(),
                writes: writes.clone(),
                writer: Writer::start(batcher, engine)?,
                keyring,
                me: writer_name(&ambient),
                writing: tokio::sync::Mutex::default(),
                ambient,
                secrets,
                data_keys: Cache::builder().max_capacity(DATA_KEYS).time_to_live(DATA_KEY_AGE).build(),
                subjects: AtomicI64::new(-1),
                touched: Mutex::default(),
                slow: config.slow_query,
                config,
                closing,
                tending: tokio::sync::Mutex::default(),
            }),
        };
        let checkpoint = (engine == Engine::Sqlite).then(|| Checkpoint::new(address, relief));
        let tending = tokio::spawn(tend(Arc::downgrade(&store.inside), reads, writes, checkpoint, closed));
        *store.inside.tending.lock().await = Some(tending);
        Ok(store)
    }

    /// What it was opened with.
    pub fn config(&self) -> &Config {
        &self.inside.config
    }

    /// `sqlite` or `postgres`.
    pub fn engine(&self) -> &'static str {
        self.inside.engine.as_str()
    }

    /// How long the database takes to answer the smallest question; `unavailable` after a second.
    pub async fn ping(&self) -> Result<Duration> {
        let since = Instant::now();
        let answer = async { self.read("ping").await?.one("SELECT 1", values![]).await };
        match tokio::time::timeout(Duration::from_secs(1), answer).await {
            Ok(answer) => answer.map(|_| since.elapsed()),
            Err(_) => Err(Trouble::away("the database does not answer").into()),
        }
    }

    /// A setting of the Postgres server (`max_connections`, `log_statement`), for the checks at the start; `None`
    /// on SQLite, and for a setting that the server does not know.
    pub async fn server_setting(&self, name: &str) -> Result<Option<String>> {
        match self.inside.engine {
            Engine::Sqlite => Ok(None),
            Engine::Postgres => {
                let sql = "SELECT current_setting($1, true)";
                let row = self.read("setting.read").await?.one(sql, values![name]).await?;
                Ok(row.map(|row| row.maybe_text(0)).transpose()?.flatten())
            }
        }
    }

    /// The connections, counted: of SQLite those that read. Who waited in vain is counted for all of them.
    pub fn pool_state(&self) -> PoolState {
        let state = self.inside.reads.state();
        match self.inside.engine {
            Engine::Sqlite => {
                PoolState { exhausted: state.exhausted + self.inside.writes.state().exhausted, ..state }
            }
            Engine::Postgres => state,
        }
    }

    /// Writes what is queued, empties SQLite's write-ahead log, closes the connections.
    pub async fn close(&self) {
        if let Err(fault) = self.write_touches().await {
            tracing::warn!(?fault, "the last uses of keys and sessions were not written");
        }
        self.inside.writer.close().await;
        self.inside.reads.close().await;
        self.inside.writes.close().await;
        self.inside.closing.send_replace(true);
        if let Some(tending) = self.inside.tending.lock().await.take() {
            // It ends by itself; if it had panicked there would be nothing left to wait for.
            let _ = tending.await;
        }
        if self.inside.engine == Engine::Sqlite {
            Checkpoint::new(self.inside.address.clone(), Relief::default()).truncate().await;
        }
    }

    /// Forbids the SQLite file to grow, for the tests of a full disk. Holds for the writer's present connection.
    #[doc(hidden)]
    pub async fn limit_pages(&self, pages: u32) -> Result<()> {
        let mut lease = self.inside.writes.take(false).await?;
        let sql = crate::connection::Sql::Built(format!("PRAGMA max_page_count = {pages}").into());
        lease.connection()?.all(&sql, values![]).await?;
        lease.give_back();
        Ok(())
    }

    pub(crate) fn watch(&self, operation: &'static str) -> Watch {
        Watch::start(operation, self.inside.slow)
    }

    /// A connection for the reads of one operation.
    pub(crate) async fn read(&self, operation: &'static str) -> Result<Reader> {
        Reader::open(&self.inside.reads, operation, self.inside.slow).await
    }

    /// Writes something together with its audit events.
    pub(crate) async fn write<T, F>(
        &self,
        operation: &'static str,
        events: Vec<AuditEvent>,
        work: F,
    ) -> Result<T>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, Refusal>> + Send + 'static,
        T: Send + 'static,
    {
        self.write_sealed(operation, events, work).await.map_err(final_fault)
    }

    /// [`Store::write`] for work that does not keep to the order of locks (see [`Engine::begin`]): what moves
    /// epochs, and what touches the rows of many.
    pub(crate) async fn write_alone<T, F>(
        &self,
        operation: &'static str,
        events: Vec<AuditEvent>,
        work: F,
    ) -> Result<T>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, Refusal>> + Send + 'static,
        T: Send + 'static,
    {
        self.secrets().await?;
        self.queue(operation, Company::Alone, events, work).await.map_err(final_fault)
    }

    /// [`Store::write`] for work that seals values: it may be told to seal them again.
    pub(crate) async fn write_sealed<T, F>(
        &self,
        operation: &'static str,
        events: Vec<AuditEvent>,
        work: F,
    ) -> Result<T, Refusal>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, Refusal>> + Send + 'static,
        T: Send + 'static,
    {
        // The audit log of the batch needs the store's keys; the writer itself cannot wait for them.
        self.secrets().await?;
        self.queue(operation, Company::Shared, events, work).await
    }

    /// [`Store::write_alone`] for work that seals values: it may be told to seal them again.
    pub(crate) async fn write_sealed_alone<T, F>(
        &self,
        operation: &'static str,
        events: Vec<AuditEvent>,
        work: F,
    ) -> Result<T, Refusal>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, Refusal>> + Send + 'static,
        T: Send + 'static,
    {
        self.secrets().await?;
        self.queue(operation, Company::Alone, events, work).await
    }

    /// Writes something without audit events and without the store's keys, which it may be about to make.
    pub(crate) async fn write_plain<T, F>(&self, operation: &'static str, work: F) -> Result<T>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, Refusal>> + Send + 'static,
        T: Send + 'static,
    {
        self.queue(operation, Company::Shared, Vec::new(), work).await.map_err(final_fault)
    }

    async fn queue<T, F>(
        &self,
        operation: &'static str,
        company: Company,
        events: Vec<AuditEvent>,
        work: F,
    ) -> Result<T, Refusal>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, Refusal>> + Send + 'static,
        T: Send + 'static,
    {
        let watch = self.watch(operation);
        self.inside
            .writer
            .job(operation, company, events, work)
            .await
            .inspect_err(|refusal| watch.note(refusal))
    }
}

/// A name that no other process has.
fn writer_name(ambient: &Ambient) -> Arc<str> {
    let name: String = ambient.bytes::<12>().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("writer {name}").into()
}

/// The fault of a write that cannot be repeated with another data key.
fn final_fault(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::Fault(fault) => fault,
        Refusal::StaleKey => Fault::internal("a write without sealed values met a stale data key"),
    }
}

/// The gauges of the pool.
fn show(state: PoolState) {
    for (name, count) in
        [("max", state.max), ("open", state.open), ("idle", state.idle), ("waiting", state.waiting)]
    {
        metrics::gauge!("stoa_db_pool_connections", "state" => name).set(f64::from(count));
    }
}

/// The background work, until the store is closed or dropped.
async fn tend(
    store: std::sync::Weak<Inside>,
    reads: Pool,
    writes: Pool,
    mut checkpoint: Option<Checkpoint>,
    mut closed: watch::Receiver<bool>,
) {
    let mut sweep = tokio::time::interval(reads.pace());
    let mut move_log = tokio::time::interval(checkpoint::PACE);
    let mut touches = tokio::time::interval(TOUCHES);
    loop {
        tokio::select! {
            _ = closed.changed() => return,
            _ = sweep.tick() => {
                reads.sweep();
                writes.sweep();
                show(reads.state());
            }
            _ = move_log.tick(), if checkpoint.is_some() => {
                if let Some(checkpoint) = &mut checkpoint {
                    checkpoint.passive().await;
                }
            }
            _ = touches.tick() => {
                let Some(inside) = store.upgrade() else { return };
                // A failure keeps the uses for the next time and has been logged.
                let _ = Store { inside }.write_touches().await;
            }
        }
    }
}
