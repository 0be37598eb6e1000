//! Counts over the audit log, for the security monitor and for charts. Each looks at a bounded number of rows, so
//! that an attacker who fills the log cannot make the watching itself a burden.
//! It never judges a number.

use kernel::{EventType, Result, Severity, Time};

use crate::Store;
use crate::connection::Sql;
use crate::trouble::Trouble;
use crate::value::{Row, values};

/// The newest events of a type that one count looks at. More than this in a window is an attack that every
/// threshold has long passed.
const MOST_EVENTS: i64 = 20_000;

/// The largest groups that one count gives.
const MOST_GROUPS: i64 = 100;

/// What events are grouped by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// All together.
    Everything,
    /// The address that the request came from.
    Address,
    /// The account that the details name.
    Account,
    /// Who did it.
    Actor,
}

/// Which events are counted.
#[derive(Clone, Debug)]
pub struct TallyQuery {
    /// Of this type.
    pub event_type: EventType,
    /// Of exactly this severity, when one is named.
    pub severity: Option<Severity>,
    /// Written after this moment.
    pub since: Time,
    /// In these groups.
    pub by: By,
    /// This group alone.
    pub only: Option<String>,
    /// Groups with more events than this.
    pub more_than: u64,
}

/// A group of events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tally {
    /// The address, account or actor; empty for everything.
    pub group: String,
    /// How many events.
    pub count: u64,
    /// From how many different addresses.
    pub addresses: u64,
    /// When the last one was written.
    pub last_at: Time,
}

impl Store {
    /// Counts events; the largest groups first.
    pub async fn tally(&self, query: TallyQuery) -> Result<Vec<Tally>> {
        let group = match query.by {
            By::Everything => "''",
            By::Address => "ip",
            By::Account => self.inside.engine.account_in_details(),
            By::Actor => "actor",
        };
        let sql = format!(
            "SELECT grp, COUNT(*), COUNT(DISTINCT ip), MAX(at) FROM ( \
                 SELECT {group} AS grp, ip, at FROM audit_events \
                 WHERE event_type = $1 AND at > $2 AND severity = COALESCE($3, severity) \
                 AND {group} IS NOT NULL AND ($5 = '' OR {group} = $5) \
                 ORDER BY at DESC LIMIT $4 \
             ) AS found GROUP BY grp HAVING COUNT(*) > $6 \
             ORDER BY 2 DESC, 1 LIMIT $7"
        );
        let values = values![
            query.event_type.as_str(),
            query.since,
            query.severity.map(Severity::as_str),
            MOST_EVENTS,
            query.only.unwrap_or_default(),
            i64::try_from(query.more_than).unwrap_or(i64::MAX),
            MOST_GROUPS
        ];
        let rows = self.read("audit.tally").await?.all(Sql::Built(sql.into()), values).await?;
        let tally = |row: &Row| -> Result<Tally, Trouble> {
            Ok(Tally {
                group: row.text(0)?,
                count: number(row, 1)?,
                addresses: number(row, 2)?,
                last_at: row.time(3)?,
            })
        };
        rows.iter().map(|row| tally(row).map_err(Into::into)).collect()
    }

    /// How many events of a type and severity were written in each minute since `since`, for charts.
    pub async fn audit_minutes(
        &self,
        event_type: EventType,
        severity: Severity,
        since: Time,
    ) -> Result<Vec<(Time, u64)>> {
        let sql = "SELECT at / 60000000, COUNT(*) FROM ( \
                       SELECT at FROM audit_events WHERE event_type = $1 AND at >= $2 AND severity = $3 \
                       ORDER BY at DESC LIMIT $4 \
                   ) AS found GROUP BY 1 ORDER BY 1";
        let values = values![event_type.as_str(), since, severity.as_str(), MOST_EVENTS];
        let rows = self.read("audit.minutes").await?.all(sql, values).await?;
        rows.iter().map(minute).collect()
    }
}

fn number(row: &Row, column: usize) -> Result<u64, Trouble> {
    u64::try_from(row.int(column)?).map_err(|_| Trouble::defect("a count is negative"))
}

/// A row of minute (since the epoch) and count.
pub(crate) fn minute(row: &Row) -> Result<(Time, u64)> {
    Ok((Time::from_seconds(row.int(0)?.saturating_mul(60)), number(row, 1)?))
}
