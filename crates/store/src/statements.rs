//! What each statement costs: calls, time and the longest call since the start, by operation and text; and the plans of
//! those that were slow. It owns the counting and the asking for plans. It never sees a value: texts hold placeholders,
//! and plans are asked for without values.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use kernel::Result;
use tokio::sync::{mpsc, watch};

use crate::Store;
use crate::connection::Sql;
use crate::dialect::Engine;
use crate::pool::Pool;
use crate::trouble::Trouble;
use crate::value::{Value, values};

/// Texts of one operation that are told apart; what comes on top is counted with the last one.
const MOST_TEXTS: usize = 32;

/// The plan of a statement is asked for once in this time.
const PLAN_AGAIN: Duration = Duration::from_secs(600);

/// Slow statements that wait for their plan at the most.
const MOST_WAITING: usize = 8;

/// The longest text and the longest plan that is told.
const MOST_TEXT: usize = 2_000;
const MOST_PLAN: usize = 4_000;

/// A plan is given this long.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a statement has cost since the start of this process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatementCost {
    /// The operation that ran it.
    pub operation: &'static str,
    /// Its text, with placeholders; cut when it is long or made of many rows.
    pub text: String,
    /// How often it ran.
    pub calls: u64,
    /// All its time.
    pub total: Duration,
    /// Its longest time.
    pub longest: Duration,
}

impl StatementCost {
    /// The mean.
    pub fn mean(&self) -> Duration {
        let calls = u32::try_from(self.calls).unwrap_or(u32::MAX).max(1);
        self.total / calls
    }
}

/// A statement as the extension `pg_stat_statements` of Postgres knows it, of all replicas and since its last reset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerStatement {
    /// Its text, with placeholders.
    pub text: String,
    /// How often it ran.
    pub calls: u64,
    /// The mean.
    pub mean: Duration,
}

struct Entry {
    sql: Sql,
    /// How many bytes of its text it is known by.
    known_by: usize,
    calls: u64,
    total: Duration,
    longest: Duration,
    planned: Option<Instant>,
}

/// A statement whose plan is wanted.
pub(crate) struct Wanted {
    operation: &'static str,
    sql: Sql,
    values: usize,
    took: Duration,
}

/// The costs of the statements of this process.
pub(crate) struct Statements {
    slow: Duration,
    known: Mutex<HashMap<&'static str, Vec<Entry>>>,
    wanted: mpsc::Sender<Wanted>,
}

/// Where the rows of a text begin: statements of many rows differ in their number only.
const ROWS: [&str; 2] = [" VALUES ", " IN ("];

/// The part of a text by which it is known.
fn mark(text: &str) -> &str {
    let end = ROWS.into_iter().filter_map(|word| text.find(word)).min();
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

impl Entry {
    fn new(sql: &Sql) -> Entry {
        let known_by = mark(sql.as_str()).len();
        Entry {
            sql: sql.clone(),
            known_by,
            calls: 0,
            total: Duration::ZERO,
            longest: Duration::ZERO,
            planned: None,
        }
    }

    /// Whether this is about the same statement. Every statement asks it, and texts of many rows are long: nothing is
    /// sought in them.
    fn is(&self, sql: &Sql) -> bool {
        match (&self.sql, sql) {
            // A text of the source stands in one place.
            (Sql::Fixed(one), Sql::Fixed(other)) => std::ptr::eq(*one, *other) || one == other,
            (Sql::Built(one), Sql::Built(other)) if std::sync::Arc::ptr_eq(one, other) => true,
            (Sql::Built(one), Sql::Built(other)) => {
                let rest = one.get(..self.known_by).and_then(|mark| other.strip_prefix(mark));
                rest.is_some_and(|rest| rest.is_empty() || ROWS.iter().any(|word| rest.starts_with(word)))
            }
            _ => false,
        }
    }
}

/// Only these have a plan.
fn is_planned(sql: &Sql) -> bool {
    let first = sql.as_str().split_ascii_whitespace().next().unwrap_or_default();
    ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(&first)
}

fn shown(sql: &Sql) -> String {
    let (text, cut) = match sql {
        Sql::Fixed(text) => (*text, false),
        Sql::Built(text) => (mark(text), mark(text).len() < text.len()),
    };
    let mut words: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = words.floor_char_boundary(MOST_TEXT);
    let long = end < words.len();
    words.truncate(end);
    if cut || long { format!("{words} …") } else { words }
}

impl Statements {
    /// Nothing counted yet; those that take `slow` or longer are explained by whoever holds the other end.
    pub(crate) fn new(slow: Duration) -> (Statements, mpsc::Receiver<Wanted>) {
        let (wanted, asked) = mpsc::channel(MOST_WAITING);
        (Statements { slow, known: Mutex::default(), wanted }, asked)
    }

    /// Counts one run.
    pub(crate) fn note(&self, operation: &'static str, sql: &Sql, values: usize, took: Duration) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = known.entry(operation).or_default();
        let place = entries.iter().position(|entry| entry.is(sql)).unwrap_or_else(|| {
            if entries.len() < MOST_TEXTS {
                entries.push(Entry::new(sql));
            }
            entries.len().saturating_sub(1)
        });
        let Some(entry) = entries.get_mut(place) else { return };
        entry.calls += 1;
        entry.total += took;
        entry.longest = entry.longest.max(took);
        if took >= self.slow && is_planned(sql) && entry.planned.is_none_or(|at| at.elapsed() >= PLAN_AGAIN) {
            let wanted = Wanted { operation, sql: sql.clone(), values, took };
            if self.wanted.try_send(wanted).is_ok() {
                entry.planned = Some(Instant::now());
            }
        }
    }

    fn read(&self) -> Vec<StatementCost> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let costs = known.iter().flat_map(|(operation, entries)| {
            entries.iter().map(|entry| StatementCost {
                operation,
                text: shown(&entry.sql),
                calls: entry.calls,
                total: entry.total,
                longest: entry.longest,
            })
        });
        costs.collect()
    }

    /// Calls and time of everything.
    fn sum(&self) -> (u64, Duration) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let all = known.values().flatten();
        all.fold((0, Duration::ZERO), |(calls, total), entry| (calls + entry.calls, total + entry.total))
    }
}

impl Store {
    /// What each statement has cost in this process, those with the highest mean first.
    pub fn statement_costs(&self) -> Vec<StatementCost> {
        let mut costs = self.inside.reads.statements().read();
        costs.sort_by_key(|cost| std::cmp::Reverse(cost.mean()));
        costs
    }

    /// The plan of a statement with so many values, for tests: they cannot make one slow.
    #[doc(hidden)]
    pub async fn plan_of(&self, sql: &'static str, count: usize) -> Result<String> {
        let wanted = Wanted { operation: "test", sql: Sql::Fixed(sql), values: count, took: Duration::ZERO };
        Ok(plan(&self.inside.reads, &wanted).await?)
    }

    /// How many statements this process has run, and their time.
    pub fn statement_sum(&self) -> (u64, Duration) {
        self.inside.reads.statements().sum()
    }

    /// What the server says about statements with a mean over `mean`, the slowest first; `None` where it keeps no such
    /// record: SQLite, and Postgres without `pg_stat_statements`.
    pub async fn server_statements(
        &self,
        mean: Duration,
        limit: u32,
    ) -> Result<Option<Vec<ServerStatement>>> {
        if self.inside.engine == Engine::Sqlite {
            return Ok(None);
        }
        let mut reader = self.read("statements.server").await?;
        let installed = "SELECT extname::text FROM pg_extension WHERE extname = 'pg_stat_statements'";
        if reader.one(installed, values![]).await?.is_none() {
            return Ok(None);
        }
        // Utility statements may hold a password in their text, which the extension does not replace.
        let sql = "SELECT query, CAST(calls AS bigint), CAST(mean_exec_time * 1000 AS bigint) \
             FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid \
             WHERE d.datname = current_database() AND mean_exec_time * 1000 > $1 \
             AND query ~* '^\\s*(select|insert|update|delete|with)\\M' \
             ORDER BY mean_exec_time DESC LIMIT $2";
        let over = i64::try_from(mean.as_micros()).unwrap_or(i64::MAX);
        let rows = reader.all(sql, values![over, limit]).await?;
        let read = |row: &crate::value::Row| -> Result<ServerStatement, Trouble> {
            let text = row.text(0)?;
            let end = text.floor_char_boundary(MOST_TEXT);
            Ok(ServerStatement {
                text: text.get(..end).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
                calls: u64::try_from(row.int(1)?).unwrap_or(0),
                mean: Duration::from_micros(u64::try_from(row.int(2)?).unwrap_or(0)),
            })
        };
        Ok(Some(rows.iter().map(|row| read(row).map_err(Into::into)).collect::<Result<_>>()?))
    }
}

/// Asks for the plans of slow statements, one after the other, until the store is closed.
pub(crate) async fn explain(
    pool: Pool,
    mut asked: mpsc::Receiver<Wanted>,
    mut closed: watch::Receiver<bool>,
) {
    loop {
        let wanted = tokio::select! {
            _ = closed.changed() => return,
            wanted = asked.recv() => match wanted {
                Some(wanted) => wanted,
                None => return,
            },
        };
        let plan = match tokio::time::timeout(PATIENCE, plan(&pool, &wanted)).await {
            Ok(Ok(plan)) => plan,
            Ok(Err(trouble)) => format!("the database gives no plan: {trouble}"),
            Err(_) => "the database gives no plan in time".to_owned(),
        };
        let milliseconds = u64::try_from(wanted.took.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(
            event_type = "database.slow",
            operation = wanted.operation,
            milliseconds,
            statement = shown(&wanted.sql),
            plan,
            "the plan of a slow statement"
        );
    }
}

async fn plan(pool: &Pool, wanted: &Wanted) -> Result<String, Trouble> {
    let text = wanted.sql.as_str();
    let mut lease = pool.take(false).await?;
    let connection = lease.connection()?;
    let lines = match connection.engine() {
        Engine::Sqlite => {
            let explain = Sql::Built(format!("EXPLAIN QUERY PLAN {text}").into());
            let rows = connection.all(&explain, vec![Value::Int(None); wanted.values]).await?;
            let lines = rows.iter().map(|row| row.text(3)).collect::<Result<Vec<_>, _>>();
            lease.give_back();
            lines?
        }
        Engine::Postgres => {
            // Planned as for any values; with none at all, the planner would know that nothing is found. The connection
            // is not used again.
            connection.script("SET plan_cache_mode = force_generic_plan".to_owned()).await?;
            connection.script(format!("PREPARE stoa_plan AS {text}")).await?;
            let nothing = vec!["NULL"; wanted.values].join(", ");
            let arguments = if wanted.values == 0 { String::new() } else { format!("({nothing})") };
            let sql = Sql::Built(format!("EXPLAIN EXECUTE stoa_plan{arguments}").into());
            let rows = connection.all(&sql, values![]).await?;
            rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?
        }
    };
    let mut plan = lines.join("\n");
    plan.truncate(plan.floor_char_boundary(MOST_PLAN));
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 001.26: a statement of a second is slow, one of 900 ms is not.
    #[test]
    fn slow_ones_are_explained_once_and_all_are_counted() {
        let (statements, mut asked) = Statements::new(Duration::from_secs(1));
        let sql = Sql::Fixed("SELECT a FROM b WHERE c = $1");
        statements.note("b.read", &sql, 1, Duration::from_millis(900));
        assert!(asked.try_recv().is_err());
        statements.note("b.read", &sql, 1, Duration::from_millis(1_000));
        statements.note("b.read", &sql, 1, Duration::from_millis(5_000));
        let wanted = asked.try_recv().unwrap();
        assert_eq!((wanted.operation, wanted.values, wanted.took.as_millis()), ("b.read", 1, 1_000));
        assert!(asked.try_recv().is_err(), "once in ten minutes");
        for rows in 1..100 {
            let text = format!("INSERT INTO b (a) VALUES {}", vec!["(?)"; rows].join(", "));
            statements.note("b.write", &Sql::Built(text.into()), rows, Duration::from_millis(1));
        }
        let costs = statements.read();
        assert_eq!(costs.len(), 2, "{costs:?}");
        let write = costs.iter().find(|cost| cost.operation == "b.write").unwrap();
        assert_eq!((write.calls, write.text.as_str()), (99, "INSERT INTO b (a) …"));
        let read = costs.iter().find(|cost| cost.operation == "b.read").unwrap();
        assert_eq!((read.mean().as_millis(), read.longest.as_millis()), (2_300, 5_000));
        assert_eq!(statements.sum(), (102, Duration::from_millis(6_999)));
    }

    #[test]
    fn the_number_of_texts_is_bounded() {
        let (statements, _asked) = Statements::new(Duration::from_secs(1));
        for number in 0..1_000 {
            statements.note("x", &Sql::Built(format!("SELECT {number}").into()), 0, Duration::from_millis(1));
        }
        assert_eq!((statements.read().len(), statements.sum().0), (MOST_TEXTS, 1_000));
    }
}
