//! The beginning of the audit log: events whose time is over go, the oldest first and none in between, and a sealed
//! record of the last one that went stands in their place, so that the rest still proves itself. What does not prove
//! itself is never removed: it is evidence.

use crypto::ChainKey;
use crypto::chain::GENESIS;
use kernel::{Actor, AuditEvent, EventType, Fault, Result, Time};

use crate::Store;
use crate::audit::{COLUMNS, Link};
use crate::connection::Sql;
use crate::trouble::Trouble;
use crate::tx::Tx;
use crate::value::values;

/// Events that go in one transaction.
const STEP: i64 = 2_000;

/// Where the log begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditCut {
    /// The number of the last event that was removed.
    pub seq: i64,
    /// Its hash.
    pub(crate) hash: String,
    /// When it was removed.
    pub at: Time,
    seal: String,
}

pub(crate) const CUT: &str = "SELECT seq, hash, cut_at, seal FROM audit_cut WHERE id = 1";

impl AuditCut {
    pub(crate) fn read(row: &crate::value::Row) -> Result<AuditCut, Trouble> {
        Ok(AuditCut { seq: row.int(0)?, hash: row.text(1)?, at: row.time(2)?, seal: row.text(3)? })
    }

    /// Whether the record is the one that this program wrote.
    pub(crate) fn sealed(&self, chain: &ChainKey) -> bool {
        chain.seal_cut(self.seq, &self.hash, self.at.micros()) == self.seal
    }
}

impl Store {
    /// Where the log begins; `None`: with its first event.
    pub async fn audit_cut(&self) -> Result<Option<AuditCut>> {
        let row = self.read("audit.cut").await?.one(CUT, values![]).await?;
        Ok(row.map(|row| AuditCut::read(&row)).transpose()?)
    }

    /// Removes events from before `time`, the oldest first, until one is younger or is about somebody who is held. Each
    /// step is audited. Gives how many went. An `internal` fault when the events do not prove themselves: then they stay.
    pub async fn prune_audit(&self, time: Time) -> Result<u64> {
        let mut gone = 0;
        loop {
            let oldest = "SELECT at FROM audit_events ORDER BY seq LIMIT 1";
            let row = self.read("audit.oldest").await?.one(oldest, values![]).await?;
            let oldest = row.map(|row| row.time(0)).transpose()?;
            if oldest.is_none_or(|at| at >= time) {
                return Ok(gone);
            }
            let chain = self.secrets().await?.chain.clone();
            let now = self.inside.ambient.now();
            let step = self
                .write_alone("audit.prune", Vec::new(), move |tx| {
                    Box::pin(async move { Ok(cut(tx, &chain, time, now).await?) })
                })
                .await?;
            gone += step;
            if step == 0 {
                return Ok(gone);
            }
        }
    }
}

/// The condition that an event is about somebody, or something, that is held.
const HELD: &str = "SELECT MIN(seq) FROM audit_events WHERE seq > $1 AND seq <= $2 \
     AND (actor IN (SELECT target FROM holds) OR object IN (SELECT target FROM holds))";

async fn cut(tx: &mut Tx, chain: &ChainKey, time: Time, now: Time) -> Result<u64, Fault> {
    let before = tx.one(CUT, values![]).await?.map(|row| AuditCut::read(&row)).transpose()?;
    if before.as_ref().is_some_and(|cut| !cut.sealed(chain)) {
        return Err(unproven("the record of the last cut does not carry its seal"));
    }
    let (mut seq, mut hash) = before.map_or((0, GENESIS.to_owned()), |cut| (cut.seq, cut.hash));
    let first = seq;
    let sql = Sql::Built(format!("SELECT {COLUMNS} WHERE seq > $1 ORDER BY seq LIMIT $2").into());
    let rows = tx.all(sql, values![seq, STEP]).await?;
    let until = tx.one(HELD, values![seq, seq.saturating_add(STEP)]).await?;
    let until = until.map(|row| row.maybe_int(0)).transpose()?.flatten().unwrap_or(i64::MAX);
    for row in &rows {
        let link = Link::read(row)?;
        if link.at >= time.micros() || link.seq >= until {
            break;
        }
        if link.seq != seq + 1 || link.expected(chain, &hash, link.seq)? != link.hash {
            return Err(unproven("an event that is to be removed is not the one that was written"));
        }
        (seq, hash) = (link.seq, link.hash);
    }
    if seq == first {
        return Ok(0);
    }
    let gone = tx.run("DELETE FROM audit_events WHERE seq <= $1", values![seq]).await?;
    let seal = chain.seal_cut(seq, &hash, now.micros());
    tx.run(
        "INSERT INTO audit_cut (id, seq, hash, cut_at, seal) VALUES (1, $1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET \
         seq = excluded.seq, hash = excluded.hash, cut_at = excluded.cut_at, seal = excluded.seal",
        values![seq, hash, now, seal],
    )
    .await?;
    tx.events.push(
        AuditEvent::new(EventType::DataErased, Actor::System)
            .to("audit")
            .with("reason", "retention")
            .with("events", gone)
            .with("up_to", seq)
            .with("before", time.rfc3339_seconds()),
    );
    Ok(gone)
}

fn unproven(what: &'static str) -> Fault {
    Fault::internal(what)
        .say("The audit log does not prove itself; nothing of it was removed. Run `stoa audit verify`.")
}
