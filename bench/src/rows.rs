//! Two rows a turn in SQLite, durable before the answer: the least that any server which keeps conversations does.
//! Meant as a floor, so it does it well: write-ahead log, `synchronous=FULL`, one writer that commits what has
//! gathered, on a thread of its own, time-ordered ids, checkpoints on a second connection.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::clock;

/// Turns in one transaction at most.
const GROUP: usize = 256;
/// Rows a statement holds; few sizes, so that the prepared statements stay in the cache.
const SIZES: [usize; 4] = [128, 32, 8, 2];
const COLUMNS: usize = 5;

/// One row.
struct Row {
    id: String,
    conversation: String,
    role: &'static str,
    content: String,
    at: i64,
}

/// Both messages of a turn, and who waits for them.
struct Turn {
    rows: [Row; 2],
    done: oneshot::Sender<()>,
}

/// The way to the writer. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Rows {
    to: mpsc::Sender<Turn>,
}

impl Rows {
    /// Opens the file, makes the table and starts the writer.
    pub(crate) async fn open(path: &Path) -> Result<Rows> {
        let writer = connect(path)?;
        writer.execute(
            "create table if not exists message (id text primary key, conversation text not null, \
             role text not null, content text not null, at integer not null) without rowid",
            [],
        )?;
        let keeper = connect(path)?;
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(500));
                let _ = keeper.query_row("pragma wal_checkpoint(passive)", [], |_| Ok(()));
            }
        });
        let (to, from) = mpsc::channel(4096);
        std::thread::spawn(move || write(writer, from));
        Ok(Rows { to })
    }

    /// Stores both messages. Returns when they are on the disk.
    pub(crate) async fn store(&self, user: String, assistant: String) -> Result<()> {
        let (done, wait) = oneshot::channel();
        let conversation = next_id();
        let row = |role, content| Row {
            id: next_id(),
            conversation: conversation.clone(),
            role,
            content,
            at: clock::micros(),
        };
        let rows = [row("user", user), row("assistant", assistant)];
        self.to.send(Turn { rows, done }).await.map_err(|_| anyhow!("the writer has gone"))?;
        wait.await.context("the rows were not written")
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).context("cannot open the database")?;
    connection.execute_batch(
        "pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 0; \
         pragma busy_timeout = 5000",
    )?;
    Ok(connection)
}

/// Commits whatever has gathered while the last commit ran.
fn write(mut connection: Connection, mut from: mpsc::Receiver<Turn>) {
    let mut turns = Vec::with_capacity(GROUP);
    while from.blocking_recv_many(&mut turns, GROUP) > 0 {
        let (mut rows, mut waiting) = (Vec::with_capacity(turns.len() * 2), Vec::with_capacity(turns.len()));
        for turn in turns.drain(..) {
            rows.extend(turn.rows);
            waiting.push(turn.done);
        }
        match commit(&mut connection, &rows) {
            // Whoever waits no longer has gone away; the row stays.
            Ok(()) => waiting.into_iter().for_each(|done| {
                let _ = done.send(());
            }),
            Err(fault) => eprintln!("the rows were not written: {fault:#}"),
        }
    }
}

fn commit(connection: &mut Connection, rows: &[Row]) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut rest = rows;
    for size in SIZES {
        while rest.len() >= size {
            let (part, after) = rest.split_at(size);
            rest = after;
            let mut statement = transaction.prepare_cached(&insert(size))?;
            for (row, first) in part.iter().zip((1..).step_by(COLUMNS)) {
                statement.raw_bind_parameter(first, &row.id)?;
                statement.raw_bind_parameter(first + 1, &row.conversation)?;
                statement.raw_bind_parameter(first + 2, row.role)?;
                statement.raw_bind_parameter(first + 3, &row.content)?;
                statement.raw_bind_parameter(first + 4, row.at)?;
            }
            statement.raw_execute()?;
        }
    }
    Ok(transaction.commit()?)
}

fn insert(rows: usize) -> String {
    let mut sql = String::from("insert into message (id, conversation, role, content, at) values ");
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..COLUMNS {
            sql.push_str(if column == 0 { "?" } else { ", ?" });
        }
        sql.push(')');
    }
    sql
}

/// Ids that grow with time: microseconds, then a counter, in the shape of a UUID.
fn next_id() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let time = clock::micros().unsigned_abs();
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!(
        "{:08x}-{:04x}-7{:03x}-8000-{:012x}",
        (time >> 28) & 0xffff_ffff,
        (time >> 12) & 0xffff,
        time & 0xfff,
        count & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_stored_is_there_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.db");
        let rows = Rows::open(&path).await.unwrap();
        let stores = (0..300).map(|n| rows.store(format!("question {n}"), format!("answer {n}")));
        for stored in futures_util::future::join_all(stores).await {
            stored.unwrap();
        }
        let reader = Connection::open(&path).unwrap();
        let counts = "select count(*), count(distinct id) from message";
        let (count, times): (i64, i64) =
            reader.query_row(counts, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!((count, times), (600, 600));
    }

    #[test]
    fn ids_grow() {
        let (a, b) = (next_id(), next_id());
        assert!(a < b && a.len() == 36);
    }
}
