//! One connection to SQLite. The writer's statements run on the writer's own thread, one after the other without a way
//! to another thread and back; those of everybody else run beside the runtime, which never waits for a disk.
//! It never decides which connection is used when: that is the pool's. docs/decisions/0022.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{OpenFlags, Statement, ToSql};
use tokio::sync::mpsc;

use crate::connection::{Purpose, Sql, Take, hand_on};
use crate::trouble::Trouble;
use crate::value::{Row, Value};

/// Statements that a connection keeps prepared.
const PREPARED: usize = 256;

/// Rows and bytes that go from thread to thread together, where all rows of a table are read.
const ROWS: usize = 256;
const BYTES: usize = 256 * 1024;

/// What every connection is told. The log of a commit holds every touched page whole, and a turn touches a dozen: half the
/// usual page size halves what a small commit writes; it counts for new files alone, as `auto_vacuum` does, which lets
/// free pages be given back in small steps (`upkeep.rs`). An answer follows its commit, so a commit must survive a power
/// cut. Deleted content is overwritten, and nothing spills into files beside the database. Checkpoints run on a
/// connection of their own (`checkpoint.rs`), so that no commit waits for one; a log that had grown is cut back when it
/// is begun anew.
const SETTINGS: &str = "PRAGMA page_size = 2048; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; \
     PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -8192";

/// How long a statement waits for another process that writes. The writer waits by itself, in shorter steps than SQLite's.
const BUSY: Duration = Duration::from_secs(2);
const BUSY_WRITER: Duration = Duration::from_millis(5);

/// Where the statements of a connection run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// On the thread that asks.
    Here,
    /// On a thread for work that waits.
    Aside,
}

/// An open connection.
pub(crate) struct Sqlite {
    /// Absent while another thread has it; for good when nobody waited for what that thread did.
    connection: Option<Box<rusqlite::Connection>>,
    place: Place,
}

impl Sqlite {
    /// Opens a file that exists.
    pub(crate) async fn open(file: &Path, purpose: Purpose) -> Result<Sqlite, Trouble> {
        let file = file.to_owned();
        let place = match purpose {
            Purpose::Write => Place::Here,
            Purpose::Read | Purpose::Checkpoint => Place::Aside,
        };
        let open = move || {
            // Each connection is used by one thread at a time.
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = rusqlite::Connection::open_with_flags(file, flags)?;
            connection.busy_timeout(BUSY)?;
            connection.set_prepared_statement_cache_capacity(PREPARED);
            connection.execute_batch(SETTINGS)?;
            match purpose {
                Purpose::Read => connection.execute_batch("PRAGMA query_only = ON")?,
                Purpose::Write => connection.busy_timeout(BUSY_WRITER)?,
                Purpose::Checkpoint => {}
            }
            Ok(Box::new(connection))
        };
        let connection = tokio::task::spawn_blocking(open).await.map_err(ended)?;
        connection.map(|connection| Sqlite { connection: Some(connection), place })
    }

    /// Runs a statement; gives the number of rows that it changed.
    pub(crate) async fn run(&mut self, sql: &Sql, values: Vec<Value>) -> Result<u64, Trouble> {
        let sql = sql.clone();
        self.work(move |connection| run(connection, sql.as_str(), &values)).await
    }

    /// Runs a statement that may take its time, never on the thread that asks.
    pub(crate) async fn toil(&mut self, sql: &Sql, values: Vec<Value>) -> Result<u64, Trouble> {
        let sql = sql.clone();
        self.aside(move |connection| run(connection, sql.as_str(), &values)).await
    }

    /// Runs a text of several statements without values, never on the thread that asks.
    pub(crate) async fn script(&mut self, text: String) -> Result<(), Trouble> {
        self.aside(move |connection| Ok(connection.execute_batch(&text)?)).await
    }

    /// Runs a query; gives all rows.
    pub(crate) async fn all(&mut self, sql: &Sql, values: Vec<Value>) -> Result<Vec<Row>, Trouble> {
        let sql = sql.clone();
        self.work(move |connection| {
            let mut found = Vec::new();
            let mut take = |row| {
                found.push(row);
                Ok(())
            };
            each(connection, sql.as_str(), &values, &mut take)?;
            Ok(found)
        })
        .await
    }

    /// Runs a query without values over any number of rows; few of them are in memory at a time.
    pub(crate) async fn each<T: Send>(
        &mut self,
        sql: &Sql,
        take: Take<'_, T>,
        out: Option<&mpsc::Sender<T>>,
    ) -> Result<(), Trouble> {
        let sql = sql.clone();
        let (sender, receiver) = mpsc::channel::<Vec<Row>>(1);
        let read = self.aside(move |connection| {
            let (mut rows, mut bytes) = (Vec::new(), 0);
            let gone = |_| Trouble::busy("nobody takes the rows any more");
            let mut take = |row: Row| {
                bytes += row.size();
                rows.push(row);
                if rows.len() < ROWS && bytes < BYTES {
                    return Ok(());
                }
                bytes = 0;
                sender.blocking_send(std::mem::take(&mut rows)).map_err(gone)
            };
            each(connection, sql.as_str(), &[], &mut take)?;
            sender.blocking_send(rows).map_err(gone)
        });
        let taken = async move {
            // Let go of at the first failure, so that the reading ends too.
            let mut receiver = receiver;
            while let Some(rows) = receiver.recv().await {
                for row in &rows {
                    hand_on(row, take, out).await?;
                }
            }
            Ok(())
        };
        let (read, taken) = tokio::join!(read, taken);
        taken.and(read)
    }

    /// Closes the file.
    pub(crate) async fn close(mut self) {
        if let Some(connection) = self.connection.take() {
            // The last one to leave moves the log, which takes a while. That it could not be closed changes nothing.
            let _ = tokio::task::spawn_blocking(move || drop(connection)).await;
        }
    }

    async fn work<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        match (self.place, &self.connection) {
            (Place::Here, Some(connection)) => work(connection),
            _ => self.aside(work).await,
        }
    }

    async fn aside<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let connection =
            self.connection.take().ok_or_else(|| Trouble::away("the connection is not there any more"))?;
        let done = move || {
            let outcome = work(&connection);
            (connection, outcome)
        };
        let (connection, outcome) = tokio::task::spawn_blocking(done).await.map_err(ended)?;
        self.connection = Some(connection);
        outcome
    }
}

fn ended(_: tokio::task::JoinError) -> Trouble {
    Trouble::away("the work on the database was ended")
}

fn run(connection: &rusqlite::Connection, sql: &str, values: &[Value]) -> Result<u64, Trouble> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, values)?;
    let mut rows = statement.raw_query();
    while rows.next()?.is_some() {}
    Ok(connection.changes())
}

fn each(
    connection: &rusqlite::Connection,
    sql: &str,
    values: &[Value],
    take: &mut dyn FnMut(Row) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, values)?;
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let value = |column| row.get_ref(column).map_err(Trouble::from).and_then(read);
        take(Row::new((0..columns).map(value).collect::<Result<_, _>>()?))?;
    }
    Ok(())
}

/// Gives a statement its values: `$7` is the seventh wherever it stands, a `?` is the one in its turn.
fn bind(statement: &mut Statement<'_>, values: &[Value]) -> Result<(), Trouble> {
    for index in 1..=statement.parameter_count() {
        let number = match statement.parameter_name(index) {
            Some(name) => name.get(1..).and_then(|number| number.parse().ok()).unwrap_or(0),
            None => index,
        };
        let value = number.checked_sub(1).and_then(|place| values.get(place));
        let value = value.ok_or_else(|| Trouble::defect("a statement has more placeholders than values"))?;
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(())
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Value::Int(Some(number)) => ValueRef::Integer(*number),
            Value::Bytes(Some(bytes)) => ValueRef::Blob(bytes),
            Value::Text(None) | Value::Int(None) | Value::Bytes(None) => ValueRef::Null,
        }))
    }
}

/// A value as it is stored. What is absent has no type here.
fn read(value: ValueRef<'_>) -> Result<Value, Trouble> {
    Ok(match value {
        ValueRef::Null => Value::Text(None),
        ValueRef::Integer(number) => Value::Int(Some(number)),
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text).map_err(|_| Trouble::defect("a text is not UTF-8"))?;
            Value::Text(Some(text.to_owned()))
        }
        ValueRef::Blob(bytes) => Value::Bytes(Some(bytes.to_vec())),
        ValueRef::Real(_) => return Err(Trouble::defect("a column is a floating point number")),
    })
}
