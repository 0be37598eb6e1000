//! Small named values of the server itself, sealed: the hash of the configuration of the last start, say.
//! It never holds anything of a subject.

use crypto::Place;
use kernel::{AuditEvent, Fault, Result, Time};

use crate::Store;
use crate::trouble::Trouble;
use crate::tx::Tx;
use crate::value::values;

pub(crate) const fn place(name: &str) -> Place<'_> {
    Place { table: "state", column: "value", row: name }
}

/// Puts a sealed value in its place.
pub(crate) async fn put(tx: &mut Tx, name: &str, sealed: Vec<u8>, now: Time) -> Result<(), Trouble> {
    tx.run(
        "INSERT INTO state (name, value, updated_at) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        values![name, sealed, now],
    )
    .await?;
    Ok(())
}

impl Store {
    /// The value of this name.
    pub async fn get_state(&self, name: &str) -> Result<Option<String>> {
        let row = self
            .read("state.get")
            .await?
            .one("SELECT value FROM state WHERE name = $1", values![name])
            .await?;
        let Some(row) = row else { return Ok(None) };
        let value = self.secrets().await?.open(place(name), &row.bytes(0)?)?;
        String::from_utf8(value).map(Some).map_err(|_| Fault::internal("a value of the server is not UTF-8"))
    }

    /// Sets the value of this name.
    pub async fn set_state(&self, name: &str, value: &str, audit: Vec<AuditEvent>) -> Result<()> {
        let ambient = &self.inside.ambient;
        let sealed = self.secrets().await?.seal(place(name), value.as_bytes(), ambient);
        let (name, now) = (name.to_owned(), ambient.now());
        self.write("state.set", audit, move |tx| {
            Box::pin(async move { Ok(put(tx, &name, sealed, now).await?) })
        })
        .await
    }
}
