//! What the server does by itself now and then: when it last did, and what came of it. Numbers and words of this program,
//! unsealed, so that whoever looks without the keys can read them.

use std::time::Duration;

use kernel::{Result, Time};

use crate::Store;
use crate::trouble::Trouble;
use crate::tx::Tx;
use crate::value::values;

/// A chore that was done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chore {
    /// Which.
    pub name: String,
    /// When it was last done.
    pub done_at: Time,
    /// How long it took.
    pub took: Duration,
    /// What came of it: numbers.
    pub outcome: String,
}

/// Notes that a chore was done.
pub(crate) async fn put(
    tx: &mut Tx,
    name: &str,
    at: Time,
    took: Duration,
    outcome: &str,
) -> Result<(), Trouble> {
    let took = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
    tx.run(
        "INSERT INTO chores (name, done_at, took_ms, outcome) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE SET \
         done_at = excluded.done_at, took_ms = excluded.took_ms, outcome = excluded.outcome",
        values![name, at, took, outcome],
    )
    .await?;
    Ok(())
}

impl Store {
    /// Notes that a chore was done now. `outcome` holds numbers and words of this program.
    pub async fn note_chore(&self, name: &str, took: Duration, outcome: &str) -> Result<()> {
        let (name, outcome, now) = (name.to_owned(), outcome.to_owned(), self.inside.ambient.now());
        self.write("chore.note", Vec::new(), move |tx| {
            Box::pin(async move { Ok(put(tx, &name, now, took, &outcome).await?) })
        })
        .await
    }

    /// Every chore that was ever done, by name.
    pub async fn chores(&self) -> Result<Vec<Chore>> {
        let sql = "SELECT name, done_at, took_ms, outcome FROM chores ORDER BY name";
        let rows = self.read("chore.list").await?.all(sql, values![]).await?;
        let millis = |number: i64| Duration::from_millis(u64::try_from(number).unwrap_or(0));
        rows.iter()
            .map(|row| {
                Ok(Chore {
                    name: row.text(0)?,
                    done_at: row.time(1)?,
                    took: millis(row.int(2)?),
                    outcome: row.text(3)?,
                })
            })
            .collect()
    }

    /// When this chore was last done.
    pub async fn chore(&self, name: &str) -> Result<Option<Chore>> {
        Ok(self.chores().await?.into_iter().find(|chore| chore.name == name))
    }
}
