//! Statements over many rows: one statement for up to 256 of them, because each statement is a way to the engine and
//! back. The numbers of rows are few, so that few different texts exist and the engines keep them prepared; what a batch
//! has less is filled up with rows of nothing, which the texts leave out.
//! It never knows tables: the texts around the rows are given.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::connection::Sql;
use crate::dialect::Engine;
use crate::trouble::Trouble;
use crate::tx::Tx;
use crate::value::{Row, Value};

/// Rows in one statement at the most.
const MOST: usize = 256;

/// A statement over rows of `width` values. The first value of a row is never null: such a row is filling.
pub(crate) struct Rows {
    pub(crate) verb: Verb,
    pub(crate) width: usize,
}

/// What is done with the rows.
pub(crate) enum Verb {
    /// `INSERT INTO table (columns)`, and what follows the rows.
    Insert(&'static str, &'static str),
    /// An `UPDATE … FROM v` with a condition on `v.id`; the text names the columns of `v`, the rows come before it.
    Update(&'static str, &'static str),
}

type Texts = HashMap<(Engine, &'static str, usize), Arc<str>>;
static TEXTS: LazyLock<Mutex<Texts>> = LazyLock::new(Mutex::default);

/// The text that belongs to this engine, head and number; made once.
fn kept(engine: Engine, head: &'static str, number: usize, make: impl FnOnce() -> String) -> Sql {
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    Sql::Built(texts.entry((engine, head, number)).or_insert_with(|| make().into()).clone())
}

impl Rows {
    fn text(&self, engine: Engine, rows: usize) -> Sql {
        let (head, before, after, tail) = match self.verb {
            Verb::Insert(head, tail) => {
                (head, " SELECT * FROM (VALUES", ") AS v WHERE column1 IS NOT NULL", tail)
            }
            Verb::Update(columns, tail) => (columns, " AS (VALUES", ")", tail),
        };
        kept(engine, head, rows, || {
            let mut text = String::with_capacity(head.len() + rows * (self.width * 5 + 4) + 64 + tail.len());
            if matches!(self.verb, Verb::Update(..)) {
                text.push_str("WITH v ");
            }
            text.push_str(head);
            text.push_str(before);
            for row in 0..rows {
                text.push_str(if row == 0 { " (" } else { ", (" });
                for column in 0..self.width {
                    if column > 0 {
                        text.push_str(", ");
                    }
                    engine.placeholder(row * self.width + column + 1, &mut text);
                }
                text.push(')');
            }
            text.push_str(after);
            text.push_str(tail);
            text
        })
    }

    /// Runs the statement over all values, which are whole rows one after the other.
    pub(crate) async fn run(&self, tx: &mut Tx, mut values: Vec<Value>) -> Result<u64, Trouble> {
        if !values.len().is_multiple_of(self.width) {
            return Err(Trouble::defect("rows of the wrong width"));
        }
        let mut changed = 0;
        while !values.is_empty() {
            let rest = values.split_off(values.len().min(MOST * self.width));
            let rows = room(values.len() / self.width);
            let filling = rows * self.width - values.len();
            let nothing: Vec<Value> = values.iter().take(self.width).map(Value::nothing).collect();
            values.extend(nothing.into_iter().cycle().take(filling));
            changed += tx.run(self.text(tx.engine(), rows), values).await?;
            values = rest;
        }
        Ok(changed)
    }
}

/// The number of rows that the statement for `rows` of them has: 1, 2, 3, 4, 6, 8, 12, 16, 24 and so on.
fn room(rows: usize) -> usize {
    let power = rows.next_power_of_two();
    let between = power / 4 * 3;
    if between >= rows && between > 0 { between } else { power }
}

/// The rows of `head IN (keys) tail`. Keys are made unique and sorted, so that two processes lock in one order.
pub(crate) async fn find(
    tx: &mut Tx,
    head: &'static str,
    tail: &'static str,
    mut keys: Vec<String>,
) -> Result<Vec<Row>, Trouble> {
    keys.sort_unstable();
    keys.dedup();
    let mut found = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(MOST) {
        let Some(last) = chunk.last() else { continue };
        let room = chunk.len().next_power_of_two();
        // Asking for the last one several times gives it once.
        let padded = chunk.iter().chain(std::iter::repeat_n(last, room - chunk.len()));
        let values = padded.map(|key| Value::Text(Some(key.clone()))).collect();
        found.extend(tx.all(list(tx.engine(), head, tail, room), values).await?);
    }
    Ok(found)
}

/// `head ($1, $2, …) tail`. A head goes with one tail on an engine.
fn list(engine: Engine, head: &'static str, tail: &'static str, width: usize) -> Sql {
    kept(engine, head, width, || {
        let mut text = String::from(head);
        text.push_str(" (");
        for column in 0..width {
            if column > 0 {
                text.push_str(", ");
            }
            engine.placeholder(column + 1, &mut text);
        }
        text.push(')');
        text.push_str(tail);
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_complete_for_both_engines() {
        let text = |rows: &Rows, engine, n| match rows.text(engine, n) {
            Sql::Built(text) => text.to_string(),
            Sql::Fixed(text) => text.to_owned(),
        };
        let insert =
            Rows { verb: Verb::Insert("INSERT INTO t (a, b)", " ON CONFLICT (a) DO NOTHING"), width: 2 };
        assert_eq!(
            text(&insert, Engine::Postgres, 2),
            "INSERT INTO t (a, b) SELECT * FROM (VALUES ($1, $2), ($3, $4)) AS v WHERE column1 IS NOT NULL \
             ON CONFLICT (a) DO NOTHING"
        );
        let update = Rows {
            verb: Verb::Update("(id, b)", " UPDATE t SET b = v.b FROM v WHERE t.id = v.id"),
            width: 2,
        };
        assert_eq!(
            text(&update, Engine::Sqlite, 1),
            "WITH v (id, b) AS (VALUES (?, ?)) UPDATE t SET b = v.b FROM v WHERE t.id = v.id"
        );
    }

    #[test]
    fn few_numbers_of_rows_and_little_filling() {
        assert_eq!(
            [1, 2, 3, 4, 5, 7, 9, 13, 33, 49, 200, 256].map(room),
            [1, 2, 3, 4, 6, 8, 12, 16, 48, 64, 256, 256]
        );
        assert!((1..=MOST).all(|rows| room(rows) >= rows && room(rows) <= rows * 3 / 2 + 1));
    }
}
