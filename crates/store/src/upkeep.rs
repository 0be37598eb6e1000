//! The database looked after: statistics, free pages given back, indexes built anew, SQLite's log emptied. Everything is
//! done in steps beside which requests go on. It never decides when.

use std::time::Duration;

use kernel::Result;

use crate::Store;
use crate::connection::{Connection, Purpose, Sql};
use crate::data_key::Refusal;
use crate::dialect::Engine;
use crate::migrate::FREQUENT;
use crate::tables::TABLES;
use crate::trouble::Trouble;
use crate::value::values;

/// How large the database is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Size {
    /// Bytes of the file, or of the tables and indexes on Postgres.
    pub bytes: u64,
    /// Bytes of it that hold nothing (SQLite).
    pub free: u64,
    /// Free pages can be given back in steps. An older SQLite file cannot until it was vacuumed as a whole.
    pub stepwise: bool,
}

/// What a vacuum has brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Vacuumed {
    /// The size before.
    pub before: Size,
    /// The size after.
    pub after: Size,
    /// It was not done: the file has to be rewritten as a whole, which takes longer than requests may wait.
    pub postponed: bool,
}

/// Pages that are given back in one transaction: some milliseconds.
const STEP: u32 = 256;
/// An old file up to this size is rewritten as a whole while requests wait: less than a second.
const SMALL: u64 = 64 * 1024 * 1024;
/// How long a lock is waited for on Postgres.
const UNHURRIED: &str = "SET statement_timeout = 0; SET lock_timeout = '30s'";

impl Store {
    /// How large the database is, and how much of it is empty.
    pub async fn size(&self) -> Result<Size> {
        let mut reader = self.read("upkeep.size").await?;
        match self.inside.engine {
            Engine::Postgres => {
                let sql = "SELECT CAST(SUM(pg_total_relation_size(c.oid)) AS bigint) FROM pg_class c \
                           JOIN pg_namespace n ON n.oid = c.relnamespace \
                           WHERE n.nspname = current_schema() AND c.relkind = 'r'";
                let row = reader.one(sql, values![]).await?;
                let bytes = row.map(|row| row.maybe_int(0)).transpose()?.flatten().unwrap_or(0);
                Ok(Size { bytes: u64::try_from(bytes).unwrap_or(0), free: 0, stepwise: true })
            }
            Engine::Sqlite => {
                let mut numbers = [0_u64; 4];
                for (place, sql) in numbers.iter_mut().zip([
                    "PRAGMA page_size",
                    "PRAGMA page_count",
                    "PRAGMA freelist_count",
                    "PRAGMA auto_vacuum",
                ]) {
                    let row = reader.one(sql, values![]).await?;
                    *place = u64::try_from(row.map_or(Ok(0), |row| row.int(0))?).unwrap_or(0);
                }
                let [page, pages, free, mode] = numbers;
                Ok(Size { bytes: page * pages, free: page * free, stepwise: mode == 2 })
            }
        }
    }

    /// Counts anew how values are spread, so that queries take the best way.
    pub async fn analyze(&self) -> Result<()> {
        match self.inside.engine {
            Engine::Postgres => {
                self.apart(TABLES.iter().map(|table| format!("ANALYZE {}", table.name))).await
            }
            Engine::Sqlite => {
                self.write_alone("upkeep.analyze", Vec::new(), |tx| {
                    Box::pin(async move {
                        // A sample is enough, and takes milliseconds however large a table is.
                        tx.all("PRAGMA analysis_limit = 1000", values![]).await?;
                        tx.all("ANALYZE", values![]).await?;
                        Ok(())
                    })
                })
                .await
            }
        }
    }

    /// Gives free pages back, in small steps. An older SQLite file is rewritten as a whole when it is small, or when
    /// `whole` says so: requests that write wait for that.
    pub async fn vacuum(&self, whole: bool) -> Result<Vacuumed> {
        let before = self.size().await?;
        match self.inside.engine {
            Engine::Postgres => {
                self.apart(TABLES.iter().map(|table| format!("VACUUM (ANALYZE) {}", table.name))).await?;
            }
            Engine::Sqlite if before.stepwise && !whole => self.give_back(before).await?,
            Engine::Sqlite if whole || before.bytes - before.free.min(before.bytes) <= SMALL => {
                self.rewrite().await?
            }
            Engine::Sqlite => return Ok(Vacuumed { before, after: before, postponed: true }),
        }
        self.flush_log().await?;
        Ok(Vacuumed { before, after: self.size().await?, postponed: false })
    }

    /// Builds the indexes of the frequent queries anew, one at a time, while requests go on. Gives how many.
    pub async fn reindex(&self) -> Result<u32> {
        match self.inside.engine {
            Engine::Postgres => {
                self.apart(FREQUENT.iter().map(|index| format!("REINDEX INDEX CONCURRENTLY {index}")))
                    .await?;
            }
            Engine::Sqlite => {
                for index in FREQUENT {
                    let sql = Sql::Built(format!("REINDEX {index}").into());
                    self.write_alone("upkeep.reindex", Vec::new(), move |tx| {
                        Box::pin(async move { Ok(tx.all(sql, values![]).await.map(drop)?) })
                    })
                    .await?;
                }
            }
        }
        Ok(u32::try_from(FREQUENT.len()).unwrap_or(u32::MAX))
    }

    /// Empties SQLite's write-ahead log into the file, so that nothing of what was removed stays in it. Gives whether it
    /// is empty; readers and writers of the moment may be in the way, and are not waited for long.
    pub async fn flush_log(&self) -> Result<bool> {
        if self.inside.engine == Engine::Postgres {
            return Ok(true);
        }
        let watch = self.watch("upkeep.log");
        let flushed = async {
            let mut connection = self.inside.address.connect(Purpose::Checkpoint).await?;
            // Whoever waits in here keeps writers waiting: short and often.
            connection.all(&"PRAGMA busy_timeout = 20".into(), values![]).await?;
            let mut empty = false;
            for _ in 0..100 {
                // One row: whether somebody was in the way, pages in the log, pages moved.
                let rows = connection.all(&"PRAGMA wal_checkpoint(TRUNCATE)".into(), values![]).await?;
                empty = rows.first().map_or(Ok(1), |row| row.int(0))? == 0;
                if empty {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            connection.close().await;
            Ok::<bool, Trouble>(empty)
        };
        flushed.await.map_err(|trouble| watch.fault(trouble))
    }

    async fn give_back(&self, before: Size) -> Result<()> {
        let mut free = before.free;
        while free > 0 {
            let sql = Sql::Built(format!("PRAGMA incremental_vacuum({STEP})").into());
            self.write_alone("upkeep.vacuum", Vec::new(), move |tx| {
                Box::pin(async move { Ok::<(), Refusal>(tx.all(sql, values![]).await.map(drop)?) })
            })
            .await?;
            let now = self.size().await?.free;
            if now >= free {
                break;
            }
            free = now;
        }
        Ok(())
    }

    /// Rewrites a SQLite file as a whole, on the connection that writes.
    async fn rewrite(&self) -> Result<()> {
        let watch = self.watch("upkeep.rewrite");
        let done = async {
            let mut lease = self.inside.writes.take(false).await?;
            lease.connection()?.script("PRAGMA auto_vacuum = INCREMENTAL; VACUUM".to_owned()).await?;
            lease.give_back();
            Ok::<(), Trouble>(())
        };
        done.await.map_err(|trouble| watch.fault(trouble))
    }

    /// Runs statements one by one, outside of every transaction, on a connection of their own.
    async fn apart(&self, statements: impl Iterator<Item = String> + Send) -> Result<()> {
        let watch = self.watch("upkeep.apart");
        let done = async {
            let mut connection: Connection = self.inside.address.connect(Purpose::Write).await?;
            connection.script(UNHURRIED.to_owned()).await?;
            for statement in statements {
                connection.script(statement).await?;
            }
            connection.close().await;
            Ok::<(), Trouble>(())
        };
        done.await.map_err(|trouble| watch.fault(trouble))
    }
}
