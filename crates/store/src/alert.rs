//! Alerts: of one cause there is one open alert at a time, whatever number of replicas raise it; while it goes on its
//! count grows. The parcels and the audit event of an alert are written with it, and for a new one only.
//! It never judges what is worth an alert.

use std::time::Duration;

use crypto::Place;
use kernel::{Actor, AlertId, AuditEvent, Code, Cursor, Fault, Page, PageRequest, Result, Severity, Time};
use serde_json::{Map, Value as Json};

use crate::Store;
use crate::connection::Sql;
use crate::data_key::Refusal;
use crate::outbox::{self, NewParcel};
use crate::secret::Secrets;
use crate::tx::Tx;
use crate::value::{Row, Value, values};

/// An alert.
#[derive(Clone, PartialEq, Debug)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// What it is about: two alerts of one cause are about the same.
    pub cause: String,
    /// What sort of alert it is.
    pub kind: String,
    /// `low`, `medium`, `high`, `critical`.
    pub severity: String,
    /// Ids, addresses and counts as they were when it was raised.
    pub details: Json,
    /// How often it has happened so far.
    pub count: u64,
    /// When it was raised.
    pub raised_at: Time,
    /// When it happened last.
    pub last_at: Time,
    /// When somebody took note of it.
    pub acknowledged_at: Option<Time>,
    /// Who took note of it.
    pub acknowledged_by: Option<String>,
    /// When it ended: acknowledged, over, or quiet for long enough.
    pub closed_at: Option<Time>,
}

/// An alert to be raised.
#[derive(Clone, PartialEq, Debug)]
pub struct NewAlert {
    /// Its id, if it turns out to be a new one.
    pub id: AlertId,
    /// What it is about.
    pub cause: String,
    /// What sort of alert it is.
    pub kind: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Ids, addresses and counts.
    pub details: Map<String, Json>,
    /// How often it has happened that was not counted yet.
    pub count: u64,
    /// When it happened last.
    pub last_at: Time,
}

/// What came of raising an alert.
#[derive(Clone, PartialEq, Debug)]
pub enum Raised {
    /// There was none of this cause: it is a new one.
    New(Alert),
    /// There is one already: it was counted.
    Counted(Alert),
}

/// Which alerts are wanted; an absent part allows everything.
#[derive(Clone, Default, Debug)]
pub struct AlertFilter {
    /// Open ones, or closed ones.
    pub open: Option<bool>,
    /// Those that somebody has taken note of, or not.
    pub acknowledged: Option<bool>,
    /// Exactly this kind.
    pub kind: Option<String>,
}

const COLUMNS: &str = "SELECT id, cause, kind, severity, details, count, raised_at, last_at, acknowledged_at, \
                       acknowledged_by, closed_at FROM alerts";

const COUNT: &str = "UPDATE alerts SET count = count + $2, last_at = CASE WHEN last_at < $3 THEN $3 ELSE last_at END \
                     WHERE cause = $1 AND closed_at IS NULL";

const fn place(id: &str) -> Place<'_> {
    Place { table: "alerts", column: "details", row: id }
}

fn whole(condition: &str) -> Sql {
    Sql::Built(format!("{COLUMNS} WHERE {condition}").into())
}

fn read(secrets: &Secrets, row: &Row) -> Result<Alert> {
    let id = row.text(0)?;
    let details = serde_json::from_slice(&secrets.open(place(&id), &row.bytes(4)?)?)
        .map_err(|_| Fault::internal("the details of an alert are not JSON"))?;
    Ok(Alert {
        id: AlertId::parse(&id)?,
        cause: row.text(1)?,
        kind: row.text(2)?,
        severity: row.text(3)?,
        details,
        count: u64::try_from(row.int(5)?).unwrap_or(0),
        raised_at: row.time(6)?,
        last_at: row.time(7)?,
        acknowledged_at: row.maybe_time(8)?,
        acknowledged_by: row.maybe_text(9)?,
        closed_at: row.maybe_time(10)?,
    })
}

/// What [`Store::raise_alert`] writes.
struct Raise {
    new: NewAlert,
    now: Time,
    quiet: Duration,
    sealed: Vec<u8>,
    parcels: Vec<Value>,
    audit: Vec<AuditEvent>,
}

impl Raise {
    /// `true`: a new one.
    async fn write(self, tx: &mut Tx) -> Result<bool, Refusal> {
        let Raise { new, now, quiet, sealed, parcels, audit } = self;
        let count = i64::try_from(new.count).unwrap_or(i64::MAX);
        let open = "SELECT last_at FROM alerts WHERE cause = $1 AND closed_at IS NULL";
        if let Some(row) = tx.one(open, values![new.cause.as_str()]).await?
            && row.time(0)? + quiet < new.last_at
        {
            let sql = "UPDATE alerts SET closed_at = $2 WHERE cause = $1 AND closed_at IS NULL";
            tx.run(sql, values![new.cause.as_str(), now]).await?;
        }
        let made = tx
            .run(
                "INSERT INTO alerts (id, cause, kind, severity, details, count, raised_at, last_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
                 ON CONFLICT (cause) WHERE closed_at IS NULL DO NOTHING",
                values![
                    new.id.to_string(),
                    new.cause.as_str(),
                    new.kind,
                    new.severity.as_str(),
                    sealed,
                    count,
                    now,
                    new.last_at
                ],
            )
            .await?;
        if made == 0 {
            tx.run(COUNT, values![new.cause, count, new.last_at]).await?;
            return Ok(false);
        }
        outbox::write_parcels(tx, parcels).await?;
        // Last, when nothing can fail any more: events are not undone with a job.
        tx.events.extend(audit);
        Ok(true)
    }
}

impl Store {
    /// Raises an alert. While one of the same cause is open, and has happened within `quiet` before this, only its
    /// count grows; otherwise it is a new one, and `outgoing` and `audit` are written with it.
    pub async fn raise_alert(
        &self,
        new: NewAlert,
        quiet: Duration,
        outgoing: Vec<NewParcel>,
        audit: Vec<AuditEvent>,
    ) -> Result<Raised> {
        let secrets = self.secrets().await?;
        let cause = new.cause.clone();
        let id = new.id.to_string();
        let details = serde_json::to_vec(&new.details).map_err(Fault::internal)?;
        let raise = Raise {
            now: self.inside.ambient.now(),
            quiet,
            sealed: secrets.seal(place(&id), &details, &self.inside.ambient),
            parcels: outbox::pack(self, secrets, &outgoing),
            audit,
            new,
        };
        let (fresh, row) = self
            .write_alone("alert.raise", Vec::new(), move |tx| {
                Box::pin(async move {
                    let fresh = raise.write(tx).await?;
                    Ok((fresh, tx.one(whole("cause = $1 AND closed_at IS NULL"), values![cause]).await?))
                })
            })
            .await?;
        let row = row.ok_or_else(|| Fault::internal("an alert vanished while it was raised"))?;
        let alert = read(secrets, &row)?;
        Ok(if fresh { Raised::New(alert) } else { Raised::Counted(alert) })
    }

    /// Counts what has happened again on the open alert of a cause. `false`: there is none.
    pub async fn count_alert(&self, cause: &str, count: u64, last_at: Time) -> Result<bool> {
        let row = values![cause, i64::try_from(count).unwrap_or(i64::MAX), last_at];
        self.write_alone("alert.count", Vec::new(), move |tx| {
            Box::pin(async move { Ok(tx.run(COUNT, row).await? > 0) })
        })
        .await
    }

    /// Closes the open alert of a cause because it is over, and sends `outgoing` with it. `None`: there was none.
    pub async fn close_alert(&self, cause: &str, outgoing: Vec<NewParcel>) -> Result<Option<Alert>> {
        let secrets = self.secrets().await?;
        let parcels = outbox::pack(self, secrets, &outgoing);
        let (cause, now) = (cause.to_owned(), self.inside.ambient.now());
        let row = self
            .write_alone("alert.close", Vec::new(), move |tx| {
                Box::pin(async move {
                    let open = whole("cause = $1 AND closed_at IS NULL");
                    let Some(row) = tx.one(open, values![cause.as_str()]).await? else { return Ok(None) };
                    let sql = "UPDATE alerts SET closed_at = $2 WHERE cause = $1 AND closed_at IS NULL";
                    tx.run(sql, values![cause, now]).await?;
                    outbox::write_parcels(tx, parcels).await?;
                    Ok(Some(row))
                })
            })
            .await?;
        let closed = row.map(|row| read(secrets, &row)).transpose()?;
        Ok(closed.map(|alert| Alert { closed_at: Some(now), ..alert }))
    }

    /// Closes the open alerts of a kind that did not happen again since `before`. Gives how many.
    pub async fn close_quiet_alerts(&self, kind: &str, before: Time) -> Result<u64> {
        let row = values![kind, before];
        let quiet = "SELECT 1 FROM alerts WHERE closed_at IS NULL AND kind = $1 AND last_at < $2 LIMIT 1";
        if self.read("alert.quiet").await?.one(quiet, row.clone()).await?.is_none() {
            return Ok(0);
        }
        let now = self.inside.ambient.now();
        self.write_alone("alert.close_quiet", Vec::new(), move |tx| {
            Box::pin(async move {
                let sql =
                    "UPDATE alerts SET closed_at = $3 WHERE closed_at IS NULL AND kind = $1 AND last_at < $2";
                let row = row.into_iter().chain(values![now]).collect();
                Ok(tx.run(sql, row).await?)
            })
        })
        .await
    }

    /// Somebody takes note of an alert, which closes it: what happens after this is a new one. `not_found` for an
    /// unknown id. The second time changes nothing and is not audited.
    pub async fn acknowledge_alert(&self, id: AlertId, by: Actor, audit: Vec<AuditEvent>) -> Result<Alert> {
        let secrets = self.secrets().await?;
        let now = self.inside.ambient.now();
        let (id, by) = (id.to_string(), by.to_string());
        let row = self
            .write_alone("alert.acknowledge", Vec::new(), move |tx| {
                Box::pin(async move {
                    let sql = "UPDATE alerts SET acknowledged_at = $2, acknowledged_by = $3, \
                               closed_at = COALESCE(closed_at, $2) WHERE id = $1 AND acknowledged_at IS NULL";
                    let changed = tx.run(sql, values![id.as_str(), now, by]).await?;
                    let row = tx.one(whole("id = $1"), values![id]).await?;
                    let row = row.ok_or_else(|| Fault::new(Code::NotFound))?;
                    if changed > 0 {
                        tx.events.extend(audit);
                    }
                    Ok(row)
                })
            })
            .await?;
        read(secrets, &row)
    }

    /// The alert with this id.
    pub async fn alert(&self, id: AlertId) -> Result<Alert> {
        let row = self.read("alert.get").await?.one(whole("id = $1"), values![id.to_string()]).await?;
        read(self.secrets().await?, &row.ok_or(Code::NotFound)?)
    }

    /// The open alert of a cause.
    pub async fn open_alert(&self, cause: &str) -> Result<Option<Alert>> {
        let sql = whole("cause = $1 AND closed_at IS NULL");
        let row = self.read("alert.open").await?.one(sql, values![cause]).await?;
        let secrets = self.secrets().await?;
        row.map(|row| read(secrets, &row)).transpose()
    }

    /// When an alert of this cause was last acknowledged, if that was after `since`.
    pub async fn last_acknowledged(&self, cause: &str, since: Time) -> Result<Option<Time>> {
        let sql = "SELECT MAX(acknowledged_at) FROM alerts WHERE acknowledged_at > $2 AND cause = $1";
        let row = self.read("alert.acknowledged").await?.one(sql, values![cause, since]).await?;
        Ok(row.map(|row| row.maybe_time(0)).transpose()?.flatten())
    }

    /// How many alerts are open, of this kind or of all.
    pub async fn count_open_alerts(&self, kind: Option<&str>) -> Result<u64> {
        let sql = "SELECT COUNT(*) FROM alerts WHERE closed_at IS NULL AND kind = COALESCE($1, kind)";
        let row = self.read("alert.count").await?.one(sql, values![kind]).await?;
        Ok(row.map_or(Ok(0), |row| row.int(0))?.try_into().unwrap_or(0))
    }

    /// Alerts, newest first.
    pub async fn alerts(&self, filter: AlertFilter, page: PageRequest) -> Result<Page<Alert>> {
        let (at, id) = match page.after {
            Some(cursor) => (cursor.key, cursor.tie),
            None => (i64::MAX, String::new()),
        };
        let mut condition = String::from("(raised_at < $1 OR (raised_at = $1 AND id < $2))");
        for (wanted, column) in
            [(filter.open.map(|open| !open), "closed_at"), (filter.acknowledged, "acknowledged_at")]
        {
            match wanted {
                Some(true) => condition.push_str(&format!(" AND {column} IS NOT NULL")),
                Some(false) => condition.push_str(&format!(" AND {column} IS NULL")),
                None => {}
            }
        }
        condition.push_str(" AND kind = COALESCE($3, kind) ORDER BY raised_at DESC, id DESC LIMIT $4");
        let values = values![at, id, filter.kind, page.limit + 1];
        let secrets = self.secrets().await?;
        let rows = self.read("alert.list").await?.all(whole(&condition), values).await?;
        let alerts: Result<Vec<Alert>> = rows.iter().map(|row| read(secrets, row)).collect();
        Ok(Page::cut(alerts?, page.limit, |alert| Cursor {
            key: alert.raised_at.micros(),
            tie: alert.id.to_string(),
        }))
    }

    /// Alerts raised in each minute since `since`, for charts.
    pub async fn alert_minutes(&self, since: Time) -> Result<Vec<(Time, u64)>> {
        let sql =
            "SELECT raised_at / 60000000, COUNT(*) FROM alerts WHERE raised_at >= $1 GROUP BY 1 ORDER BY 1";
        let rows = self.read("alert.minutes").await?.all(sql, values![since]).await?;
        rows.iter().map(crate::tally::minute).collect()
    }
}
