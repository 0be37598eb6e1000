//! Rows into a database, inside a transaction: every table is emptied, the rows of a snapshot come in, and what is
//! there in the end is read again and compared. It never commits.

use kernel::Result;
use tokio::sync::mpsc::Receiver;

use super::rows::{Kind, Sum, Values};
use super::{Columns, LEFT_OUT, Piece, TableSum, WrappedKey, arrange, differ, select};
use crate::connection::Sql;
use crate::dialect::Engine;
use crate::trouble::Trouble;
use crate::tx::Tx;
use crate::value::{Row, Value, values};

/// Rows in one statement at the most, values in one statement at the most (Postgres takes 65,535, SQLite 32,766), and
/// how many bytes of them are sent at once.
const ROWS: usize = 256;
const VALUES: usize = 8_192;
const BYTES: usize = 1 << 20;

/// The tables with their columns as they are in the database of this transaction.
pub(super) async fn columns(tx: &mut Tx) -> Result<Columns, Trouble> {
    let types = tx.engine().types();
    arrange(&tx.all(types, values![]).await?)
}

/// Empties the tables, those first that point at others; leaves out those that `keep` names.
pub(super) async fn empty(tx: &mut Tx, tables: &Columns, keep: &[&str]) -> Result<(), Trouble> {
    if let Some(sql) = tx.engine().defer_references() {
        tx.script(sql.to_owned()).await?;
    }
    for (table, _) in tables.iter().rev() {
        let own = table == "schema_migrations" || keep.contains(&table.as_str());
        if !own {
            tx.toil(Sql::Built(format!("DELETE FROM {table}").into()), values![]).await?;
        }
    }
    Ok(())
}

/// Takes in all pieces, leaving out the tables that `skip` names; compares what is there then with what the end of the
/// pieces says.
pub(super) async fn fill(
    tx: &mut Tx,
    tables: &Columns,
    pieces: &mut Receiver<Piece>,
    skip: &[&str],
) -> Result<Vec<TableSum>, Trouble> {
    let mut statement: Option<Statement> = None;
    let expected = loop {
        match pieces.recv().await {
            Some(Piece::Table { name, columns }) => {
                finish(tx, statement.take()).await?;
                let skipped = skip.contains(&name.as_str()) || LEFT_OUT.contains(&name.as_str());
                statement = Some(Statement::new(tables, &name, &columns, skipped)?);
            }
            Some(Piece::Rows(rows)) => {
                let statement =
                    statement.as_mut().ok_or_else(|| Trouble::defect("rows came without a table"))?;
                statement.take(tx, &rows).await?;
            }
            Some(Piece::End(sums)) => break sums,
            None => return Err(Trouble::defect("the rows broke off")),
        }
    };
    finish(tx, statement.take()).await?;
    let found = sums(tx, tables, skip).await?;
    match differ(&expected, &found, skip) {
        None => Ok(found),
        Some(say) => Err(Trouble::defect(format!("what was written is not what was read: {say}"))),
    }
}

async fn finish(tx: &mut Tx, statement: Option<Statement>) -> Result<(), Trouble> {
    match statement {
        Some(mut statement) => statement.flush(tx).await,
        None => Ok(()),
    }
}

/// The sums of all tables as the transaction sees them.
pub(super) async fn sums(tx: &mut Tx, tables: &Columns, skip: &[&str]) -> Result<Vec<TableSum>, Trouble> {
    let mut sums = Vec::with_capacity(tables.len());
    for (table, columns) in tables {
        if LEFT_OUT.contains(&table.as_str()) || skip.contains(&table.as_str()) {
            continue;
        }
        let mut sum = Sum::new(table);
        let mut written = Vec::new();
        let mut take = |row: &Row| {
            written.clear();
            for column in 0..columns.len() {
                row.encode(column, &mut written)?;
            }
            sum.add(&written);
            Ok(())
        };
        tx.look(select(table, columns), &mut take).await?;
        sums.push(TableSum { name: table.clone(), rows: sum.rows(), hash: sum.hex() });
    }
    Ok(sums)
}

/// Stores data keys.
pub(super) async fn put_keys(tx: &mut Tx, keys: &[WrappedKey]) -> Result<(), Trouble> {
    let names = ["subject", "wrapped", "created_at"].map(str::to_owned);
    let kinds = vec![Kind::Text, Kind::Bytes, Kind::Int];
    let mut statement = Statement { kinds, ..Statement::empty("data_keys", &names) };
    for key in keys {
        statement.add(values![key.subject.as_str(), key.wrapped.clone(), key.created_at], key.wrapped.len());
        if statement.is_full() {
            statement.flush(tx).await?;
        }
    }
    statement.flush(tx).await
}

/// Rows of one table on their way in.
struct Statement {
    head: String,
    kinds: Vec<Kind>,
    values: Vec<Value>,
    bytes: usize,
    skipped: bool,
}

impl Statement {
    fn empty(table: &str, columns: &[String]) -> Statement {
        Statement {
            head: format!("INSERT INTO {table} ({}) VALUES ", columns.join(", ")),
            kinds: Vec::new(),
            values: Vec::new(),
            bytes: 0,
            skipped: false,
        }
    }

    /// Names come from an authenticated file and are compared with the schema all the same, before they are part of a
    /// statement.
    fn new(tables: &Columns, name: &str, columns: &[String], skipped: bool) -> Result<Statement, Trouble> {
        if skipped {
            return Ok(Statement { skipped, ..Statement::empty("", &[]) });
        }
        let unknown = || Trouble::defect("the rows belong to a table that the schema does not have");
        let (_, known) = tables.iter().find(|(table, _)| table == name).ok_or_else(unknown)?;
        let kind = |column: &String| {
            let (_, kind) = known.iter().find(|(known, _)| known == column).ok_or_else(unknown)?;
            Kind::parse(kind)
        };
        let kinds: Vec<Kind> = columns.iter().map(kind).collect::<Result<_, _>>()?;
        if kinds.len() != known.len() {
            return Err(Trouble::defect("the rows have other columns than the schema"));
        }
        Ok(Statement { kinds, ..Statement::empty(name, columns) })
    }

    async fn take(&mut self, tx: &mut Tx, rows: &[u8]) -> Result<(), Trouble> {
        if self.skipped {
            return Ok(());
        }
        let mut values = Values(rows);
        while !values.0.is_empty() {
            let before = values.0.len();
            let mut row = Vec::with_capacity(self.kinds.len());
            for kind in &self.kinds {
                row.push(values.next(*kind)?);
            }
            self.add(row, before - values.0.len());
            if self.is_full() {
                self.flush(tx).await?;
            }
        }
        Ok(())
    }

    fn add(&mut self, row: Vec<Value>, bytes: usize) {
        self.values.extend(row);
        self.bytes += bytes;
    }

    fn is_full(&self) -> bool {
        let width = self.kinds.len().max(1);
        let rows = (VALUES / width).clamp(1, ROWS);
        self.values.len() >= rows * width || self.bytes >= BYTES
    }

    async fn flush(&mut self, tx: &mut Tx) -> Result<(), Trouble> {
        if self.values.is_empty() {
            return Ok(());
        }
        let width = self.kinds.len().max(1);
        let sql = self.text(tx.engine(), self.values.len() / width, width);
        self.bytes = 0;
        tx.toil(Sql::Built(sql.into()), std::mem::take(&mut self.values)).await.map(drop)
    }

    fn text(&self, engine: Engine, rows: usize, width: usize) -> String {
        let mut sql = self.head.clone();
        for row in 0..rows {
            sql.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..width {
                if column > 0 {
                    sql.push_str(", ");
                }
                engine.placeholder(row * width + column + 1, &mut sql);
            }
            sql.push(')');
        }
        sql
    }
}
