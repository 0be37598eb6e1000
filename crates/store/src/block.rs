//! Blocked networks. Every change moves the epoch of blocks in the same transaction.
//! It never matches addresses: callers hold the list in memory.

use crypto::Place;
use kernel::{AuditEvent, Code, Fault, Result, Time};

use crate::Store;
use crate::epoch::{self, Scope};
use crate::value::values;

/// A blocked network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// The network as CIDR text, normalised by the caller.
    pub net: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub created_at: Time,
    /// Until when; `None` for good.
    pub expires_at: Option<Time>,
}

const fn place(net: &str) -> Place<'_> {
    Place { table: "blocks", column: "reason", row: net }
}

impl Store {
    /// Blocks a network; a block that exists is replaced.
    pub async fn add_block(&self, block: Block, audit: Vec<AuditEvent>) -> Result<()> {
        let reason =
            self.secrets().await?.seal(place(&block.net), block.reason.as_bytes(), &self.inside.ambient);
        let row = values![block.net, reason, block.created_at, block.expires_at];
        self.write_alone("block.add", audit, move |tx| {
            Box::pin(async move {
                tx.run(
                    "INSERT INTO blocks (net, reason, created_at, expires_at) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (net) DO UPDATE SET reason = excluded.reason, created_at = excluded.created_at, \
                     expires_at = excluded.expires_at",
                    row,
                )
                .await?;
                epoch::bump(tx, Scope::Blocks).await
            })
        })
        .await
    }

    /// Lifts a block. `not_found` when there is none of exactly this network.
    pub async fn remove_block(&self, net: &str, audit: Vec<AuditEvent>) -> Result<()> {
        let row = values![net];
        self.write_alone("block.remove", audit, move |tx| {
            Box::pin(async move {
                if tx.run("DELETE FROM blocks WHERE net = $1", row).await? == 0 {
                    return Err(Fault::new(Code::NotFound).into());
                }
                epoch::bump(tx, Scope::Blocks).await
            })
        })
        .await
    }

    /// The blocks that hold at this time.
    pub async fn blocks(&self, now: Time) -> Result<Vec<Block>> {
        let sql = "SELECT net, reason, created_at, expires_at FROM blocks \
                   WHERE expires_at IS NULL OR expires_at > $1 ORDER BY net";
        let secrets = self.secrets().await?;
        let rows = self.read("block.list").await?.all(sql, values![now]).await?;
        rows.iter()
            .map(|row| {
                let net = row.text(0)?;
                let reason = secrets.open(place(&net), &row.bytes(1)?)?;
                Ok(Block {
                    reason: String::from_utf8(reason)
                        .map_err(|_| Fault::internal("a reason is not UTF-8"))?,
                    net,
                    created_at: row.time(2)?,
                    expires_at: row.maybe_time(3)?,
                })
            })
            .collect()
    }
}
