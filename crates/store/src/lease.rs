//! Leases: a job that one replica at a time does. A lease ends by itself when its holder has died.
//! It never decides what the job is.

use std::time::Duration;

use kernel::Result;

use crate::Store;
use crate::value::values;

impl Store {
    /// Whether `holder` has the lease now: takes it when it is free or over, and keeps it for `span` from now.
    /// Asking is cheap while somebody else holds it, and while more than half of one's own time is left.
    pub async fn hold_lease(&self, name: &str, holder: &str, span: Duration) -> Result<bool> {
        let now = self.inside.ambient.now();
        let sql = "SELECT holder, expires_at FROM leases WHERE name = $1";
        if let Some(row) = self.read("lease.read").await?.one(sql, values![name]).await? {
            let (other, expires) = (row.text(0)? != holder, row.time(1)?);
            if other && expires > now {
                return Ok(false);
            }
            if !other && expires > now + span / 2 {
                return Ok(true);
            }
        }
        let row = values![name, holder, now + span, now];
        self.write_alone("lease.hold", Vec::new(), move |tx| {
            Box::pin(async move {
                let taken = tx
                    .run(
                        "INSERT INTO leases (name, holder, expires_at) VALUES ($1, $2, $3) \
                         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at \
                         WHERE leases.holder = excluded.holder OR leases.expires_at <= $4",
                        row,
                    )
                    .await?;
                Ok(taken == 1)
            })
        })
        .await
    }

    /// Who has the lease now.
    pub async fn lease_holder(&self, name: &str) -> Result<Option<String>> {
        let sql = "SELECT holder FROM leases WHERE name = $1 AND expires_at > $2";
        let now = self.inside.ambient.now();
        let row = self.read("lease.look").await?.one(sql, values![name, now]).await?;
        row.map(|row| Ok(row.text(0)?)).transpose()
    }

    /// Whether anybody has the lease now.
    pub async fn is_leased(&self, name: &str) -> Result<bool> {
        Ok(self.lease_holder(name).await?.is_some())
    }

    /// Gives the lease up, so that another replica need not wait for its end. Nothing happens when another has it.
    pub async fn drop_lease(&self, name: &str, holder: &str) -> Result<()> {
        let row = values![name, holder];
        self.write_alone("lease.drop", Vec::new(), move |tx| {
            Box::pin(async move {
                tx.run("DELETE FROM leases WHERE name = $1 AND holder = $2", row).await?;
                Ok(())
            })
        })
        .await
    }
}
