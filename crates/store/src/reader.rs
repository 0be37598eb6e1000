//! Reading: a connection on loan for the statements of one operation, outside of any transaction.
//! It never writes; on SQLite the connection itself refuses to.

use std::time::{Duration, Instant};

use kernel::Result;

use crate::connection::Sql;
use crate::dialect::Engine;
use crate::pool::{Lease, Pool};
use crate::trouble::{Sort, Trouble};
use crate::value::{Row, Value};
use crate::watch::Watch;

/// A connection that died while it rested fails at once; what fails later failed for another reason.
const STALE: Duration = Duration::from_millis(300);

/// The connection of one operation.
pub(crate) struct Reader {
    pool: Pool,
    lease: Option<Lease>,
    watch: Watch,
    /// A statement is under way: dropped now, the connection is not fit for reuse.
    busy: bool,
}

impl Reader {
    /// Takes a connection for the operation of this name.
    pub(crate) async fn open(pool: &Pool, operation: &'static str, slow: Duration) -> Result<Reader> {
        let watch = Watch::start(operation, slow);
        match pool.take(false).await {
            Ok(lease) => Ok(Reader { pool: pool.clone(), lease: Some(lease), watch, busy: false }),
            Err(trouble) => Err(watch.fault(trouble)),
        }
    }

    /// All rows of a query.
    pub(crate) async fn all(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Vec<Row>> {
        let sql = sql.into();
        let again = self.lease.as_ref().is_some_and(|lease| lease.reused).then(|| values.clone());
        let answer = match (self.attempt(&sql, values).await, again) {
            // Reading twice is harmless, so a connection that had died in the pool costs nobody an error.
            (Err(trouble), Some(values)) if trouble.sort == Sort::Away && self.watch.elapsed() < STALE => {
                match self.pool.take(true).await {
                    Ok(lease) => {
                        self.lease = Some(lease);
                        self.attempt(&sql, values).await
                    }
                    Err(trouble) => Err(trouble),
                }
            }
            (answer, _) => answer,
        };
        answer.map_err(|trouble| self.watch.fault(trouble))
    }

    /// The only row of a query, or none.
    pub(crate) async fn one(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Option<Row>> {
        Ok(self.all(sql, values).await?.into_iter().next())
    }

    async fn attempt(&mut self, sql: &Sql, values: Vec<Value>) -> Result<Vec<Row>, Trouble> {
        let Some(lease) = self.lease.as_mut() else {
            return Err(Trouble::away("no connection"));
        };
        self.busy = true;
        let connection = lease.connection()?;
        let local = connection.engine() == Engine::Sqlite;
        let (count, since) = (values.len(), Instant::now());
        let answer = connection.all(sql, values).await;
        self.busy = false;
        self.pool.statements().note(self.watch.operation(), sql, count, since.elapsed());
        if let Err(trouble) = &answer
            && trouble.sort == Sort::Away
        {
            self.lease = None;
            if !local {
                self.pool.lost(trouble);
            }
        }
        answer
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take()
            && !self.busy
        {
            lease.give_back();
        }
    }
}
