//! SQLite's write-ahead log on its way into the database file, on a connection of its own, so that no commit
//! waits for it. It never blocks a reader or the writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::connection::{Address, Connection, Purpose};
use crate::pool::Pool;
use crate::trouble::Trouble;
use crate::value::values;

/// How often.
pub(crate) const PACE: Duration = Duration::from_millis(500);

/// Pages in the log (of 4 KiB) from which on the writer is asked to stand still for a moment: while it writes
/// without a pause the log never comes to an end that could be begun anew.
const LONG: i64 = 16_384;

/// A word from the checkpoint to the writer: the log is long.
#[derive(Clone, Default)]
pub(crate) struct Relief(Arc<AtomicBool>);

impl Relief {
    /// Between two batches of the writer: when asked for, moves what is left of the log while nobody writes. The
    /// next write then begins it anew.
    pub(crate) async fn grant(&self, pool: &Pool) {
        if self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::Relaxed) {
            let moved = async {
                let mut lease = pool.take(false).await?;
                lease.connection()?.all(&PASSIVE.into(), values![]).await?;
                lease.give_back();
                Ok::<(), Trouble>(())
            };
            if let Err(trouble) = moved.await {
                tracing::warn!(cause = %trouble, "checkpoint failed");
            }
        }
    }
}

const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// The connection that moves the log. Opened when first needed, again after a failure.
pub(crate) struct Checkpoint {
    address: Address,
    connection: Option<Connection>,
    relief: Relief,
}

impl Checkpoint {
    pub(crate) const fn new(address: Address, relief: Relief) -> Checkpoint {
        Checkpoint { address, connection: None, relief }
    }

    /// Moves what can be moved without waiting for anybody.
    pub(crate) async fn passive(&mut self) {
        if self.run(PASSIVE).await >= LONG {
            // Once more, so that little is left for the moment in which the writer stands still.
            self.run(PASSIVE).await;
            self.relief.0.store(true, Ordering::Relaxed);
        }
    }

    /// Moves everything and empties the log: at the end, when nobody else is there.
    /// Other processes may hold it up; after a second it is left to the next one that opens the file.
    pub(crate) async fn truncate(&mut self) {
        for _ in 0..50 {
            if self.run("PRAGMA wal_checkpoint(TRUNCATE)").await == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
    }

    /// Gives how many pages the log holds; -1 when that is not known.
    async fn run(&mut self, sql: &'static str) -> i64 {
        match self.attempt(sql).await {
            Ok(pages) => pages,
            Err(trouble) => {
                self.connection = None;
                tracing::warn!(cause = %trouble, "checkpoint failed");
                -1
            }
        }
    }

    async fn attempt(&mut self, sql: &'static str) -> Result<i64, Trouble> {
        if self.connection.is_none() {
            self.connection = Some(self.address.connect(Purpose::Checkpoint).await?);
        }
        let Some(connection) = self.connection.as_mut() else { return Ok(0) };
        // One row: whether it was blocked, pages in the log, pages moved so far.
        let rows = connection.all(&sql.into(), values![]).await?;
        rows.first().map_or(Ok(0), |row| row.int(1))
    }
}
