//! Proof that nothing is left of who was erased: the registry is asked again, table by table, and the bytes of files are
//! waited for. What another process wrote in the moment of the erasure is erased again. Nobody is told that it is
//! certain before that has been looked for.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{Fault, Result, Time};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::connection::Sql;
use crate::erasure::{self, Erased};
use crate::registry::Rule;
use crate::tables::TABLES;
use crate::value::values;

/// After this long no process knows the subject any more: all ask for revocations four times a second.
const CERTAIN: Duration = Duration::from_secs(5);

/// What the bytes of files are called among the tables.
const BYTES: &str = "bytes";

/// A look at what is left.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Scan {
    /// When.
    pub at: Time,
    /// What was still there: rows of each table, and contents whose bytes are being removed. Empty when nothing is left.
    pub left: BTreeMap<String, u64>,
    /// It was looked for late enough that nothing can have come in between: this is the last word.
    pub settled: bool,
}

impl Store {
    /// What is left of who was erased, by table. Every query goes through an index.
    pub async fn left_over(&self, erased: &Erased) -> Result<BTreeMap<String, u64>> {
        let subjects = erased.subjects()?;
        let mut reader = self.read("erasure.scan").await?;
        let mut left = BTreeMap::new();
        for table in TABLES {
            let Rule::Subject { condition, erase: true, .. } = table.rule else { continue };
            let sql = Sql::Built(format!("SELECT COUNT(*) FROM {} WHERE {condition}", table.name).into());
            for subject in &subjects {
                let row = reader.one(sql.clone(), values![subject.to_string()]).await?;
                let count = row.map_or(Ok(0), |row| row.count(0))?;
                if count > 0 {
                    *left.entry(table.name.to_owned()).or_default() += u64::from(count);
                }
            }
        }
        let sql = "SELECT COUNT(*) FROM blob_removals WHERE erasure = $1";
        let row = reader.one(sql, values![erased.id.to_string()]).await?;
        let bytes = row.map_or(Ok(0), |row| row.count(0))?;
        if bytes > 0 {
            left.insert(BYTES.to_owned(), u64::from(bytes));
        }
        Ok(left)
    }

    /// Looks at what is left, writes it onto the receipt and gives that.
    pub(crate) async fn scan_erasure(&self, mut erased: Erased) -> Result<Erased> {
        let left = self.left_over(&erased).await?;
        let at = self.inside.ambient.now();
        let settled = left.is_empty() && at.since(erased.erased_at) >= CERTAIN;
        let text = serde_json::to_string(&left).map_err(Fault::internal)?;
        let row = values![erased.id.to_string(), at, text, settled.then_some(at)];
        self.write("erasure.scanned", Vec::new(), move |tx| {
            Box::pin(async move {
                let sql =
                    "UPDATE erasures SET scanned_at = $2, left_over = $3, settled_at = $4 WHERE id = $1";
                tx.run(sql, row).await?;
                Ok(())
            })
        })
        .await?;
        erased.scan = Some(Scan { at, left, settled });
        Ok(erased)
    }

    /// How many erasures of more than an hour before this time are not certain yet.
    pub async fn unsettled_erasures(&self, now: Time) -> Result<u64> {
        let sql = "SELECT COUNT(*) FROM erasures WHERE settled_at IS NULL AND erased_at <= $1";
        let row =
            self.read("erasure.waiting").await?.one(sql, values![now - Duration::from_secs(3_600)]).await?;
        Ok(row.map_or(Ok(0), |row| row.count(0).map(u64::from))?)
    }

    /// Looks again at erasures that are not certain yet, `limit` of them; erases again what came in between. Gives those
    /// that have become certain.
    pub async fn settle_erasures(&self, limit: u32) -> Result<Vec<Erased>> {
        let before = self.inside.ambient.now() - CERTAIN;
        let sql = erasure::select("WHERE settled_at IS NULL AND erased_at <= $1 ORDER BY erased_at LIMIT $2");
        let rows = self.read("erasure.unsettled").await?.all(sql, values![before, limit]).await?;
        let mut settled = Vec::new();
        for row in &rows {
            let mut erased = self.scan_erasure(erasure::read(row)?).await?;
            let again = erased.scan.as_ref().is_some_and(|scan| scan.left.keys().any(|table| table != BYTES));
            if again {
                let rows = self.repeat_erasure(&erased).await?;
                tracing::warn!(rows, "what was written in the moment of an erasure was erased too");
                erased = self.scan_erasure(erased).await?;
            }
            if erased.scan.as_ref().is_some_and(|scan| scan.settled) {
                settled.push(erased);
            }
        }
        Ok(settled)
    }
}
