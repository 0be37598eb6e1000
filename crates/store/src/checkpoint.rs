//! SQLite's write-ahead log on its way into the database file, on a connection of its own, so that no commit
//! waits for it. It never blocks a reader or the writer.

use std::time::Duration;

use crate::connection::{Address, Connection, Purpose};
use crate::trouble::Trouble;
use crate::value::values;

/// How often.
pub(crate) const PACE: Duration = Duration::from_millis(500);

/// The connection that moves the log. Opened when first needed, again after a failure.
pub(crate) struct Checkpoint {
    address: Address,
    connection: Option<Connection>,
}

impl Checkpoint {
    pub(crate) const fn new(address: Address) -> Checkpoint {
        Checkpoint { address, connection: None }
    }

    /// Moves what can be moved without waiting for anybody.
    pub(crate) async fn passive(&mut self) {
        self.run("PRAGMA wal_checkpoint(PASSIVE)").await;
    }

    /// Moves everything and empties the log: at the end, when nobody else is there.
    pub(crate) async fn truncate(&mut self) {
        self.run("PRAGMA wal_checkpoint(TRUNCATE)").await;
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
    }

    async fn run(&mut self, sql: &'static str) {
        if let Err(trouble) = self.attempt(sql).await {
            self.connection = None;
            tracing::warn!(cause = %trouble, "checkpoint failed");
        }
    }

    async fn attempt(&mut self, sql: &'static str) -> Result<(), Trouble> {
        if self.connection.is_none() {
            self.connection = Some(self.address.connect(Purpose::Write).await?);
        }
        let Some(connection) = self.connection.as_mut() else { return Ok(()) };
        connection.all(&sql.into(), values![]).await.map(drop)
    }
}
