//! The audit log: events in one chain, each with a keyed hash over itself and the one before it.
//! Events are appended in the transaction of the change they record. It never changes or deletes an event.

use kernel::{Ambient, AuditEvent, EventId, Result, Time};
use kernel::{Cursor, Page, PageRequest};
use serde_json::Value as Json;

use crate::Store;
use crate::bulk::{Rows, Verb};
use crate::trouble::Trouble;
use crate::tx::Tx;
use crate::value::{Row, Value, values};
use crypto::ChainKey;
use crypto::chain::GENESIS;

/// An event as it is stored.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredEvent {
    /// Its number: 1, 2, 3, without gaps.
    pub seq: i64,
    /// Its id.
    pub id: EventId,
    /// When it was written.
    pub at: Time,
    /// What happened, as [`kernel::EventType`] names it (or an earlier version did).
    pub event_type: String,
    /// `low`, `medium`, `high`, `critical`.
    pub severity: String,
    /// Where the request came from.
    pub ip: Option<String>,
    /// Who did it.
    pub actor: String,
    /// What it was done to.
    pub object: Option<String>,
    /// More facts.
    pub details: Json,
    /// The keyed hash over this event and the hash of the one before.
    pub hash: String,
}

/// Which events are wanted; an absent part allows everything.
#[derive(Clone, Default, Debug)]
pub struct AuditFilter {
    /// Exactly this type.
    pub event_type: Option<String>,
    /// Exactly this severity.
    pub severity: Option<String>,
    /// Exactly this actor.
    pub actor: Option<String>,
    /// Exactly this address.
    pub ip: Option<String>,
    /// Written at this time or later.
    pub since: Option<Time>,
    /// Written before this time.
    pub until: Option<Time>,
    /// Done to exactly this.
    pub object: Option<String>,
}

/// The row as the chain sees it: texts exactly as they are stored.
pub(crate) struct Link {
    pub(crate) seq: i64,
    pub(crate) id: String,
    pub(crate) at: i64,
    pub(crate) event_type: String,
    pub(crate) severity: String,
    pub(crate) ip: Option<String>,
    pub(crate) actor: String,
    pub(crate) object: Option<String>,
    pub(crate) details: String,
    pub(crate) hash: String,
}

pub(crate) const COLUMNS: &str =
    "seq, id, at, event_type, severity, ip, actor, object, details, hash FROM audit_events";

impl Link {
    pub(crate) fn read(row: &Row) -> Result<Link, Trouble> {
        Ok(Link {
            seq: row.int(0)?,
            id: row.text(1)?,
            at: row.int(2)?,
            event_type: row.text(3)?,
            severity: row.text(4)?,
            ip: row.maybe_text(5)?,
            actor: row.text(6)?,
            object: row.maybe_text(7)?,
            details: row.text(8)?,
            hash: row.text(9)?,
        })
    }

    /// The hash that this row must have after `previous`, if its number were `seq`.
    pub(crate) fn expected(&self, chain: &ChainKey, previous: &str, seq: i64) -> Result<String, Trouble> {
        // JSON of a list: every text is quoted, so no two different rows have the same bytes.
        let parts = (
            &self.id,
            self.at,
            &self.event_type,
            &self.severity,
            &self.ip,
            &self.actor,
            &self.object,
            &self.details,
        );
        let canonical =
            serde_json::to_vec(&parts).map_err(|_| Trouble::defect("an event cannot be written down"))?;
        Ok(chain.link(if previous.is_empty() { GENESIS } else { previous }, seq, &canonical))
    }

    fn event(self) -> Result<StoredEvent, Trouble> {
        Ok(StoredEvent {
            seq: self.seq,
            id: EventId::parse(&self.id).map_err(|_| Trouble::defect("an event id is malformed"))?,
            at: Time::from_micros(self.at),
            event_type: self.event_type,
            severity: self.severity,
            ip: self.ip,
            actor: self.actor,
            object: self.object,
            details: serde_json::from_str(&self.details).unwrap_or(Json::Null),
            hash: self.hash,
        })
    }
}

const APPEND: Rows = Rows {
    verb: Verb::Insert(
        "INSERT INTO audit_events (seq, id, at, event_type, severity, ip, actor, object, details, hash)",
        "",
    ),
    width: 10,
};

/// Appends events at the end of the chain and moves its head, which stays locked until the commit.
pub(crate) async fn append(
    tx: &mut Tx,
    chain: &ChainKey,
    ambient: &Ambient,
    events: Vec<AuditEvent>,
) -> Result<(), Trouble> {
    let head = tx.engine().audit_head();
    let row = tx
        .one(head, values![])
        .await?
        .ok_or_else(|| Trouble::defect("the head of the audit log is missing"))?;
    let (mut seq, mut previous, seal) = (row.int(0)?, row.text(1)?, row.text(2)?);
    // A head that was tampered with is never sealed again: the false seal is carried on, so that the next
    // `verify_audit` still names it, while the server goes on writing.
    let sound = sealed(chain, seq, &previous, &seal);
    if !sound {
        tracing::error!(seq, "the seal of the audit log is broken: somebody changed the database");
    }
    let mut rows: Vec<Value> = Vec::with_capacity(events.len() * APPEND.width);
    for event in events {
        seq += 1;
        let details = serde_json::to_string(&event.details)
            .map_err(|_| Trouble::defect("details cannot be written"))?;
        let mut link = Link {
            seq,
            id: EventId::new(ambient).to_string(),
            at: ambient.now().micros(),
            event_type: event.event_type.as_str().to_owned(),
            severity: event.severity.as_str().to_owned(),
            ip: event.ip.map(|ip| ip.to_string()),
            actor: event.actor.to_string(),
            object: event.object,
            details,
            hash: String::new(),
        };
        link.hash = link.expected(chain, &previous, seq)?;
        previous.clone_from(&link.hash);
        rows.extend(values![
            link.seq,
            link.id,
            link.at,
            link.event_type,
            link.severity,
            link.ip,
            link.actor,
            link.object,
            link.details,
            link.hash
        ]);
    }
    APPEND.run(tx, rows).await?;
    let seal = if sound { chain.seal_head(seq, &previous) } else { seal };
    tx.run("UPDATE audit_head SET seq = $1, hash = $2, seal = $3 WHERE id = 1", values![seq, previous, seal])
        .await?;
    Ok(())
}

/// Whether a head carries its seal. A new database has an empty one.
pub(crate) fn sealed(chain: &ChainKey, seq: i64, hash: &str, seal: &str) -> bool {
    if seq == 0 && hash.is_empty() { seal.is_empty() } else { chain.seal_head(seq, hash) == seal }
}

impl Store {
    /// Writes events that belong to no change: refusals, sign-ins, reads.
    pub async fn record(&self, events: Vec<AuditEvent>) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        self.write("audit.record", events, |_| Box::pin(async { Ok(()) })).await
    }

    /// Events, newest first.
    pub async fn audit_events(&self, filter: AuditFilter, page: PageRequest) -> Result<Page<StoredEvent>> {
        let (at, seq) = match &page.after {
            Some(cursor) => (cursor.key, cursor.tie.parse().unwrap_or(0)),
            None => (i64::MAX, i64::MAX),
        };
        // An absent part of the filter compares a column with itself through COALESCE; the index on the type is
        // used whenever a type is named.
        let mut reader = self.read("audit.list").await?;
        let rest = "AND actor = COALESCE($3, actor) AND COALESCE(ip, '') = COALESCE($4, ip, '') \
                    AND COALESCE(object, '') = COALESCE($5, object, '') AND severity = COALESCE($9, severity) AND at >= $6 AND at < $7 \
                    AND (at < $1 OR (at = $1 AND seq < $2)) ORDER BY at DESC, seq DESC LIMIT $8";
        let mut values = values![
            at,
            seq,
            filter.actor,
            filter.ip,
            filter.object,
            filter.since.map_or(i64::MIN, Time::micros),
            filter.until.map_or(i64::MAX, Time::micros),
            page.limit + 1,
            filter.severity
        ];
        let (all, typed) = (texts("at <= $1", rest), texts("event_type = $10 AND at <= $1", rest));
        let rows = match filter.event_type {
            None => reader.all(all, values).await?,
            Some(event_type) => {
                values.push(event_type.into());
                reader.all(typed, values).await?
            }
        };
        let events: Result<Vec<StoredEvent>, Trouble> =
            rows.iter().map(|row| Link::read(row)?.event()).collect();
        Ok(Page::cut(events?, page.limit, |event| Cursor {
            key: event.at.micros(),
            tie: event.seq.to_string(),
        }))
    }
}

fn texts(first: &str, rest: &str) -> crate::connection::Sql {
    crate::connection::Sql::Built(format!("SELECT {COLUMNS} WHERE {first} {rest}").into())
}
