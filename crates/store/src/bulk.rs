//! Statements over many rows. The numbers of rows are powers of two, so that few different texts exist and
//! the engines keep them prepared.
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

/// A statement over rows of `width` values: `head`, then `(…), (…)`, then `tail`.
pub(crate) struct Rows {
    pub(crate) head: &'static str,
    pub(crate) width: usize,
    pub(crate) tail: &'static str,
}

type Texts = HashMap<(Engine, &'static str, &'static str, usize), Arc<str>>;
static TEXTS: LazyLock<Mutex<Texts>> = LazyLock::new(Mutex::default);

impl Rows {
    fn text(&self, engine: Engine, rows: usize) -> Sql {
        let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
        let text = texts.entry((engine, self.head, self.tail, rows)).or_insert_with(|| {
            let mut text =
                String::with_capacity(self.head.len() + rows * (self.width * 5 + 4) + self.tail.len());
            text.push_str(self.head);
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
            text.push_str(self.tail);
            text.into()
        });
        Sql::Built(text.clone())
    }

    /// Runs the statement over all values, which are whole rows one after the other.
    pub(crate) async fn run(&self, tx: &mut Tx, mut values: Vec<Value>) -> Result<u64, Trouble> {
        let mut changed = 0;
        while !values.is_empty() {
            let rows = values.len() / self.width;
            if rows == 0 {
                return Err(Trouble::defect("rows of the wrong width"));
            }
            let rows = previous_power(rows.min(MOST));
            let rest = values.split_off(rows * self.width);
            changed += tx.run(self.text(tx.engine(), rows), values).await?;
            values = rest;
        }
        Ok(changed)
    }
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
        // One "row" of all the keys is exactly the list that IN wants.
        let text = Rows { head, width: room, tail }.text_of_one(tx.engine());
        found.extend(tx.all(text, values).await?);
    }
    Ok(found)
}

impl Rows {
    fn text_of_one(&self, engine: Engine) -> Sql {
        let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
        let text = texts.entry((engine, self.head, self.tail, self.width)).or_insert_with(|| {
            let mut text = String::from(self.head);
            text.push_str(" (");
            for column in 0..self.width {
                if column > 0 {
                    text.push_str(", ");
                }
                engine.placeholder(column + 1, &mut text);
            }
            text.push(')');
            text.push_str(self.tail);
            text.into()
        });
        Sql::Built(text.clone())
    }
}

/// The largest power of two that is not above `number`, which is at least 1.
const fn previous_power(number: usize) -> usize {
    1 << number.ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_complete_for_both_engines() {
        let rows = Rows { head: "INSERT INTO t (a, b) VALUES", width: 2, tail: "" };
        let text = |engine, n| match rows.text(engine, n) {
            Sql::Built(text) => text.to_string(),
            Sql::Fixed(text) => text.to_owned(),
        };
        assert_eq!(text(Engine::Postgres, 2), "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)");
        assert_eq!(text(Engine::Sqlite, 2), "INSERT INTO t (a, b) VALUES (?, ?), (?, ?)");
        assert_eq!([1, 2, 3, 63, 64].map(previous_power), [1, 2, 2, 32, 64]);
    }
}
