//! Small named values of the server itself, sealed: the hash of the configuration of the last start, say.
//! It never holds anything of a subject.

use crypto::Place;
use kernel::{AuditEvent, Fault, Result};

use crate::Store;
use crate::value::values;

const fn place(name: &str) -> Place<'_> {
    Place { table: "state", column: "value", row: name }
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
        let row = values![name, sealed, ambient.now()];
        self.write("state.set", audit, move |tx| {
            Box::pin(async move {
                tx.run(
                    "INSERT INTO state (name, value, updated_at) VALUES ($1, $2, $3) \
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
                    row,
                )
                .await?;
                Ok(())
            })
        })
        .await
    }
}
