//! A transaction that writes: the connection of one batch, with savepoints for its jobs.
//! It never commits what a failed statement has left behind: after a failure only a rollback goes on.

use std::time::Duration;

use kernel::AuditEvent;
use tokio::time::Instant;

use crate::connection::Sql;
use crate::dialect::{Company, Engine};
use crate::pool::{Lease, Pool};
use crate::trouble::{Sort, Trouble};
use crate::value::{Row, Value, values};

/// How long the writer waits for another process to finish writing to the same SQLite file.
const QUEUE: Duration = Duration::from_secs(5);

/// The steps in which it asks again: short, because a busy server leaves only short gaps.
const STEP: Duration = Duration::from_millis(1);

/// A transaction under way. Dropped before its commit, it leaves nothing: the connection is thrown away.
pub(crate) struct Tx {
    pool: Pool,
    lease: Lease,
    engine: Engine,
    /// A statement failed since the last savepoint.
    failed: bool,
    /// The connection itself is gone.
    lost: bool,
    /// What the audit log will say about this transaction. A job that learns what to say only while it runs adds
    /// to it; when the job is undone, so is that.
    pub(crate) events: Vec<AuditEvent>,
    /// How many of them were there at the last mark.
    marked: usize,
    /// What is being done, for the counting of statements.
    pub(crate) operation: &'static str,
}

impl Tx {
    /// Begins. A connection that died while it rested is replaced once.
    pub(crate) async fn begin(pool: &Pool, company: Company) -> Result<Tx, Trouble> {
        let since = Instant::now();
        let mut fresh = false;
        loop {
            let mut lease = pool.take(fresh).await?;
            let engine = lease.connection()?.engine();
            let reused = lease.reused;
            let begun = lease.connection()?.begin(engine.begin(company)).await;
            match begun {
                Ok(()) => {
                    let pool = pool.clone();
                    return Ok(Tx {
                        pool,
                        lease,
                        engine,
                        failed: false,
                        lost: false,
                        events: Vec::new(),
                        marked: 0,
                        operation: "write",
                    });
                }
                Err(trouble)
                    if trouble.sort == Sort::Busy && engine == Engine::Sqlite && since.elapsed() < QUEUE =>
                {
                    lease.give_back();
                    tokio::time::sleep(STEP).await;
                }
                Err(trouble)
                    if trouble.sort == Sort::Away && reused && !fresh && since.elapsed() < QUEUE / 16 =>
                {
                    pool.lost(&trouble);
                    fresh = true;
                }
                Err(trouble) => {
                    if trouble.sort == Sort::Away {
                        pool.lost(&trouble);
                    }
                    return Err(trouble);
                }
            }
        }
    }

    pub(crate) const fn engine(&self) -> Engine {
        self.engine
    }

    /// The connection is gone: nothing more can be done in this transaction.
    pub(crate) const fn lost(&self) -> bool {
        self.lost
    }

    /// A statement failed and nobody rolled back yet.
    pub(crate) const fn failed(&self) -> bool {
        self.failed
    }

    fn note<T>(&mut self, answer: Result<T, Trouble>) -> Result<T, Trouble> {
        if let Err(trouble) = &answer {
            self.failed = true;
            if trouble.sort == Sort::Away {
                self.lost = true;
                self.pool.lost(trouble);
            }
        }
        answer
    }

    /// Runs a statement; gives the number of rows that it changed.
    pub(crate) async fn run(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<u64, Trouble> {
        let (sql, count, since) = (sql.into(), values.len(), Instant::now());
        let answer = self.lease.connection()?.run(&sql, values).await;
        self.pool.statements().note(self.operation, &sql, count, since.elapsed());
        self.note(answer)
    }

    /// All rows of a query.
    pub(crate) async fn all(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Vec<Row>, Trouble> {
        let (sql, count, since) = (sql.into(), values.len(), Instant::now());
        let answer = self.lease.connection()?.all(&sql, values).await;
        self.pool.statements().note(self.operation, &sql, count, since.elapsed());
        self.note(answer)
    }

    /// The only row of a query, or none.
    pub(crate) async fn one(
        &mut self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> Result<Option<Row>, Trouble> {
        Ok(self.all(sql, values).await?.into_iter().next())
    }

    /// Runs a text of several statements without values.
    pub(crate) async fn script(&mut self, text: String) -> Result<(), Trouble> {
        let answer = self.lease.connection()?.script(text).await;
        self.note(answer)
    }

    /// Runs a statement that may take its time; gives the number of rows that it changed.
    pub(crate) async fn toil(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<u64, Trouble> {
        let answer = self.lease.connection()?.toil(&sql.into(), values).await;
        self.note(answer)
    }

    /// Looks at every row of a query without values.
    pub(crate) async fn look(
        &mut self,
        sql: impl Into<Sql>,
        take: &mut (dyn FnMut(&Row) -> Result<(), Trouble> + Send),
    ) -> Result<(), Trouble> {
        let mut take = |row: &Row| take(row).map(|()| None::<()>);
        let answer = self.lease.connection()?.each(&sql.into(), &mut take, None).await;
        self.note(answer)
    }

    /// Marks the place to which a failing job is rolled back.
    pub(crate) async fn mark(&mut self) -> Result<(), Trouble> {
        self.marked = self.events.len();
        self.run("SAVEPOINT job", values![]).await.map(drop)
    }

    /// Keeps what was done since the mark.
    pub(crate) async fn keep(&mut self) -> Result<(), Trouble> {
        self.run("RELEASE SAVEPOINT job", values![]).await.map(drop)
    }

    /// Undoes what was done since the mark.
    pub(crate) async fn undo(&mut self) -> Result<(), Trouble> {
        self.run("ROLLBACK TO SAVEPOINT job", values![]).await?;
        self.run("RELEASE SAVEPOINT job", values![]).await?;
        self.events.truncate(self.marked);
        self.failed = false;
        Ok(())
    }

    /// Commits and gives the connection back.
    pub(crate) async fn commit(mut self) -> Result<(), Trouble> {
        if self.failed {
            return Err(Trouble::defect("a failed transaction was to be committed"));
        }
        self.run("COMMIT", values![]).await?;
        self.lease.give_back();
        Ok(())
    }

    /// Undoes everything and gives the connection back.
    pub(crate) async fn rollback(mut self) {
        if !self.lost && self.run("ROLLBACK", values![]).await.is_ok() {
            self.lease.give_back();
        }
    }
}
