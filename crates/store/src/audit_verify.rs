//! Proof that the audit log is whole: every event is recomputed from the first to the sealed head.
//! It never repairs anything.

use kernel::Result;

use crate::Store;
use crate::audit::{self, COLUMNS, Link};
use crate::audit_cut::{AuditCut, CUT};
use crate::trouble::Trouble;
use crate::value::values;
use crypto::ChainKey;

/// Events read at once.
const PAGE: i64 = 1_000;

/// What is wrong with the log, at its first fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditFault {
    /// The number of the event.
    pub seq: i64,
    /// What is wrong: one sentence.
    pub what: String,
}

/// The outcome of [`Store::verify_audit`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditVerdict {
    /// How many events were found in order.
    pub events: u64,
    /// How many older ones retention has removed, as the sealed record says.
    pub removed: u64,
    /// The first fault; `None` when the log is whole.
    pub fault: Option<AuditFault>,
}

/// How far the chain was followed.
struct Walk<'a> {
    chain: &'a ChainKey,
    previous: String,
    seq: i64,
}

impl Walk<'_> {
    /// Follows one page; gives the first fault.
    fn follow(&mut self, page: &[Link]) -> Result<Option<AuditFault>, Trouble> {
        for (place, link) in page.iter().enumerate() {
            let wanted = self.seq + 1;
            if link.seq == wanted && link.expected(self.chain, &self.previous, wanted)? == link.hash {
                self.seq = wanted;
                self.previous.clone_from(&link.hash);
                continue;
            }
            // The event that belongs here may stand elsewhere, with its own hash and another number.
            let rest = page.get(place..).unwrap_or_default();
            for other in rest {
                if other.expected(self.chain, &self.previous, wanted)? == other.hash {
                    let what = format!("reordered: the event {wanted} was moved to the place {}", other.seq);
                    return Ok(Some(AuditFault { seq: wanted, what }));
                }
            }
            let what = if link.seq == wanted {
                format!("altered: the event {wanted} is not the one that was written")
            } else {
                format!("missing: the event {wanted} was removed; the next one is {}", link.seq)
            };
            return Ok(Some(AuditFault { seq: wanted, what }));
        }
        Ok(None)
    }
}

impl Store {
    /// Recomputes the whole chain, page by page, up to the head as it was when the check began. Names the first
    /// altered, missing (at the end too) or reordered event.
    pub async fn verify_audit(&self) -> Result<AuditVerdict> {
        loop {
            let (cut, verdict) = self.walk_audit().await?;
            // What retention removed while the chain was followed is no fault: then it is followed again.
            if verdict.fault.is_none() || self.audit_cut().await? == cut {
                return Ok(verdict);
            }
        }
    }

    async fn walk_audit(&self) -> Result<(Option<AuditCut>, AuditVerdict)> {
        let chain = &self.secrets().await?.chain;
        let mut reader = self.read("audit.verify").await?;
        let head = reader.one("SELECT seq, hash, seal FROM audit_head WHERE id = 1", values![]).await?;
        let Some(head) = head else {
            let what = "missing: the head of the log was removed".to_owned();
            return Ok((
                None,
                AuditVerdict { events: 0, removed: 0, fault: Some(AuditFault { seq: 0, what }) },
            ));
        };
        let (last, hash, seal) = (head.int(0)?, head.text(1)?, head.text(2)?);
        let cut = reader.one(CUT, values![]).await?.map(|row| AuditCut::read(&row)).transpose()?;
        let used = cut.clone();
        let (from, mut walk) = match cut {
            None => (0, Walk { chain, previous: String::new(), seq: 0 }),
            Some(cut) if cut.sealed(chain) && cut.seq <= last => {
                (cut.seq, Walk { chain, previous: cut.hash, seq: cut.seq })
            }
            Some(cut) => {
                let what = "altered: the record of what retention removed does not carry its seal".to_owned();
                let fault = Some(AuditFault { seq: cut.seq, what });
                return Ok((used, AuditVerdict { events: 0, removed: 0, fault }));
            }
        };
        let removed = u64::try_from(from).unwrap_or(0);
        let counted = |seq: i64| u64::try_from(seq.saturating_sub(from)).unwrap_or(0);
        let sql = format!("SELECT {COLUMNS} WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3");
        let sql = crate::connection::Sql::Built(sql.into());
        loop {
            let rows = reader.all(sql.clone(), values![walk.seq, last, PAGE]).await?;
            if rows.is_empty() {
                break;
            }
            let page: Result<Vec<Link>, Trouble> = rows.iter().map(Link::read).collect();
            if let Some(fault) = walk.follow(&page?)? {
                let mut fault = fault;
                if walk.seq == 0 && fault.what.starts_with("missing") {
                    fault.what.push_str("; and no record says that retention did it");
                }
                return Ok((used, AuditVerdict { events: counted(walk.seq), removed, fault: Some(fault) }));
            }
        }
        let what = if !audit::sealed(chain, last, &hash, &seal) {
            Some("altered: the head of the log does not carry its seal".to_owned())
        } else if walk.seq < last {
            Some(format!("missing: the log ends at {}, the head names {last}", walk.seq))
        } else if walk.previous != hash {
            Some("altered: the last event is not the one that the head names".to_owned())
        } else {
            // What stands beyond the head was not written by this program, or in the moment since.
            self.beyond(last).await?
        };
        let fault = what.map(|what| AuditFault { seq: walk.seq.saturating_add(1).min(last.max(1)), what });
        Ok((used, AuditVerdict { events: counted(walk.seq), removed, fault }))
    }

    /// Whether events stand behind the head although the head has not moved.
    async fn beyond(&self, last: i64) -> Result<Option<String>> {
        let mut reader = self.read("audit.verify").await?;
        let sql = "SELECT (SELECT COALESCE(MAX(seq), 0) FROM audit_events), (SELECT seq FROM audit_head WHERE id = 1)";
        let Some(row) = reader.one(sql, values![]).await? else { return Ok(None) };
        let (newest, head) = (row.int(0)?, row.maybe_int(1)?.unwrap_or(last));
        Ok((newest > head).then(|| format!("altered: the head names {head}, but events go on to {newest}")))
    }
}
