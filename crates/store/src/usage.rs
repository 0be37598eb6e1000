//! How much was used in a period: what is still kept, message by message, and what retention has removed since, in the
//! counts by day that it left. What a person deleted, and who was erased, counts no more.
//! It never decides who may know.

use kernel::{Result, Time};

use crate::Store;
use crate::connection::Sql;
use crate::value::{Row, Value, values};

/// How many principals are given at the most.
const MOST: u32 = 100;
/// How many lines of days and apps.
const DAYS: u32 = 2_000;
/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// What was used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageRow {
    /// An app, or a principal with its kind.
    pub name: String,
    /// Turns that were asked.
    pub requests: u64,
    /// Conversations that began.
    pub conversations: u64,
    /// Tokens that models read.
    pub input_tokens: u64,
    /// Tokens that models wrote.
    pub output_tokens: u64,
    /// Answers that failed or were interrupted.
    pub failed: u64,
}

/// What was used of one app on one day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageDay {
    /// The beginning of the day, in UTC.
    pub day: Time,
    /// How much; the name is the app.
    pub row: UsageRow,
}

/// What was used in a period.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// By app, the busiest first.
    pub apps: Vec<UsageRow>,
    /// By who asked, the busiest first; not more than 100.
    pub principals: Vec<UsageRow>,
    /// By day and app, the newest first.
    pub days: Vec<UsageDay>,
}

/// Of what.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UsageFilter {
    /// Of this app alone.
    pub app: Option<String>,
    /// Of this principal alone, as `user:…`.
    pub principal: Option<String>,
}

/// One aggregate over a period. Ids are time-ordered, so the primary key finds the messages of the period without an
/// index on the time. Days that retention has counted count as a whole.
fn by(columns: &str, order: &str) -> Sql {
    let sql = format!(
        "SELECT {columns}, CAST(SUM(asked) AS bigint) AS requests, CAST(SUM(begun) AS bigint), \
         CAST(SUM(read_tokens) AS bigint), CAST(SUM(written_tokens) AS bigint), CAST(SUM(failures) AS bigint) FROM (\
         SELECT c.app AS app, c.owner AS owner, m.created_at / {DAY} AS day, \
         CASE WHEN m.role = 'user' THEN 1 ELSE 0 END AS asked, CASE WHEN m.position = 1 THEN 1 ELSE 0 END AS begun, \
         COALESCE(m.input_tokens, 0) AS read_tokens, COALESCE(m.output_tokens, 0) AS written_tokens, \
         CASE WHEN m.finish_reason IN ('error', 'interrupted') THEN 1 ELSE 0 END AS failures \
         FROM messages m JOIN conversations c ON c.id = m.conversation_id \
         WHERE m.id >= $1 AND m.id < $2 AND m.created_at >= $3 AND m.created_at < $4 \
         UNION ALL SELECT app, owner, day, requests, conversations, input_tokens, output_tokens, failed \
         FROM usage_days WHERE day >= $5 AND day <= $6) u \
         WHERE app = COALESCE($7, app) AND owner = COALESCE($8, owner) GROUP BY {columns} ORDER BY {order} LIMIT $9"
    );
    Sql::Built(sql.into())
}

impl Store {
    /// What was used from `since` until before `until`.
    pub async fn usage(&self, since: Time, until: Time, filter: &UsageFilter) -> Result<Usage> {
        let mut reader = self.read("usage.read").await?;
        let first = since.micros().div_euclid(DAY);
        let last = until.micros().saturating_sub(1).div_euclid(DAY);
        let period = |most: u32| -> Vec<Value> {
            let (app, principal) = (filter.app.as_deref(), filter.principal.as_deref());
            values![bound(since, false), bound(until, true), since, until, first, last, app, principal, most]
        };
        let apps = reader.all(by("app", "requests DESC, app"), period(MOST)).await?;
        let principals = reader.all(by("owner", "requests DESC, owner"), period(MOST)).await?;
        let days = reader.all(by("app, day", "day DESC, app"), period(DAYS)).await?;
        let rows = |rows: Vec<Row>| rows.iter().map(|row| read(row, 1)).collect::<Result<Vec<UsageRow>>>();
        let day = |row: &Row| -> Result<UsageDay> {
            Ok(UsageDay { day: Time::from_micros(row.int(1)?.saturating_mul(DAY)), row: read(row, 2)? })
        };
        let days = days.iter().map(day).collect::<Result<_>>()?;
        Ok(Usage { apps: rows(apps)?, principals: rows(principals)?, days })
    }
}

/// The name stands in the first column, the counts begin at `from`.
fn read(row: &Row, from: usize) -> Result<UsageRow> {
    let count = |place| -> Result<u64> { Ok(u64::try_from(row.int(from + place)?).unwrap_or(0)) };
    Ok(UsageRow {
        name: row.text(0)?,
        requests: count(0)?,
        conversations: count(1)?,
        input_tokens: count(2)?,
        output_tokens: count(3)?,
        failed: count(4)?,
    })
}

/// Before every id that was made well before this time, or well after it: an id is made a little before or after the
/// time that stands beside it, which then decides.
fn bound(time: Time, after: bool) -> String {
    let slack = if after { 60_000 } else { -60_000 };
    let millis = time.millis().saturating_add(slack).clamp(0, (1 << 48) - 1);
    let hex = format!("{millis:012x}");
    let (high, low) = hex.split_at(8);
    format!("{high}-{low}-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_enclose_the_ids_of_their_time() {
        // 2026-11-21T01:02:03Z.
        let time = Time::from_micros(1_795_222_923_000_000);
        let id = format!("{:012x}", time.millis());
        let id = format!("{}-{}-7abc-8000-000000000000", &id[..8], &id[8..]);
        assert!(bound(time, false) < id && id < bound(time, true));
        assert!(bound(Time::from_micros(i64::MIN), false).starts_with("00000000-0000-"));
    }
}
