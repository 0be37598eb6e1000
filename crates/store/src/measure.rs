//! What was measured, in rollups that outlive the process: counts and times of a minute, an hour or a day. Each process
//! writes its own rows and nobody else's. It never judges a number, and no row is tied to a person.

use std::fmt::Write as _;

use kernel::{Result, Time};

use crate::Store;
use crate::connection::Sql;
use crate::trouble::Trouble;
use crate::value::{Row, values};

/// Rows that one statement writes.
const ROWS: usize = 50;

/// Rows that one look reads at the most.
const MOST: i64 = 200_000;

/// What was counted in a span of time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Measure {
    /// The process that measured.
    pub replica: String,
    /// How many seconds the span has: 60, 3,600 or 86,400.
    pub span: u32,
    /// When the span began.
    pub at: Time,
    /// What was measured, in a word.
    pub what: String,
    /// How often it happened; of a size, the bytes.
    pub calls: u64,
    /// How often it failed.
    pub failed: u64,
    /// The time of all, in microseconds.
    pub total: u64,
    /// The longest time, in microseconds.
    pub longest: u64,
    /// The spread of the times, or what else belongs to it.
    pub detail: String,
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Store {
    /// Keeps these, in place of what the same process has kept of the same spans.
    pub async fn keep_measures(&self, measures: Vec<Measure>) -> Result<()> {
        if measures.is_empty() {
            return Ok(());
        }
        let engine = self.inside.engine;
        self.write_plain("measure.keep", move |tx| {
            Box::pin(async move {
                for rows in measures.chunks(ROWS) {
                    let mut sql = String::from(
                        "INSERT INTO measures (replica, span, at, what, calls, failed, total, longest, detail) VALUES ",
                    );
                    let mut values = Vec::with_capacity(rows.len() * 9);
                    for (place, row) in rows.iter().enumerate() {
                        sql.push_str(if place == 0 { "(" } else { ", (" });
                        for column in 1..=9 {
                            if column > 1 {
                                sql.push_str(", ");
                            }
                            engine.placeholder(place * 9 + column, &mut sql);
                        }
                        sql.push(')');
                        values.extend(values![
                            row.replica.as_str(),
                            row.span,
                            row.at,
                            row.what.as_str(),
                            whole(row.calls),
                            whole(row.failed),
                            whole(row.total),
                            whole(row.longest),
                            row.detail.as_str()
                        ]);
                    }
                    let _ = write!(
                        sql,
                        " ON CONFLICT (span, at, replica, what) DO UPDATE SET calls = excluded.calls, \
                         failed = excluded.failed, total = excluded.total, longest = excluded.longest, \
                         detail = excluded.detail"
                    );
                    tx.run(Sql::Built(sql.into()), values).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// What was measured in spans of this length that began at `since` or later, the oldest first, of all processes.
    /// `what`: those whose word begins so.
    pub async fn measures(&self, span: u32, since: Time, what: &str) -> Result<Vec<Measure>> {
        let sql = "SELECT replica, span, at, what, calls, failed, total, longest, detail FROM measures \
             WHERE span = $1 AND at >= $2 AND what >= $3 AND what < $4 ORDER BY at, replica, what LIMIT $5";
        // No word of ours holds a letter that comes after this one.
        let end = format!("{what}\u{10ffff}");
        let rows = self.read("measure.read").await?.all(sql, values![span, since, what, end, MOST]).await?;
        rows.iter().map(|row| read(row).map_err(Into::into)).collect()
    }

    /// Forgets spans of this length that began before `before`.
    pub async fn prune_measures(&self, span: u32, before: Time) -> Result<()> {
        self.write_plain("measure.prune", move |tx| {
            Box::pin(async move {
                tx.run("DELETE FROM measures WHERE span = $1 AND at < $2", values![span, before]).await?;
                Ok(())
            })
        })
        .await
    }
}

fn read(row: &Row) -> Result<Measure, Trouble> {
    let count = |place| Ok::<_, Trouble>(u64::try_from(row.int(place)?).unwrap_or(0));
    Ok(Measure {
        replica: row.text(0)?,
        span: u32::try_from(row.int(1)?).unwrap_or(0),
        at: row.time(2)?,
        what: row.text(3)?,
        calls: count(4)?,
        failed: count(5)?,
        total: count(6)?,
        longest: count(7)?,
        detail: row.text(8)?,
    })
}
