//! How much was used in a period, as the messages that are still kept show it: what was erased counts no more.
//! It never decides who may know.

use kernel::{Result, Time};

use crate::Store;
use crate::value::{Row, values};

/// How many principals are given at the most.
const MOST: u32 = 100;

/// What was used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageRow {
    /// An app, or a principal with its kind.
    pub name: String,
    /// Turns that were asked.
    pub requests: u64,
    /// Conversations that had a turn.
    pub conversations: u64,
    /// Tokens that models read.
    pub input_tokens: u64,
    /// Tokens that models wrote.
    pub output_tokens: u64,
}

/// What was used in a period.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// By app, the busiest first.
    pub apps: Vec<UsageRow>,
    /// By who asked, the busiest first; not more than 100.
    pub principals: Vec<UsageRow>,
}

/// One aggregate over the messages of a period. Ids are time-ordered, so the primary key finds the period without an
/// index on the time.
macro_rules! by {
    ($column:literal) => {
        concat!(
            "SELECT c.",
            $column,
            ", CAST(SUM(CASE WHEN m.role = 'user' THEN 1 ELSE 0 END) AS bigint) AS asked, \
             COUNT(DISTINCT c.id), CAST(SUM(COALESCE(m.input_tokens, 0)) AS bigint), \
             CAST(SUM(COALESCE(m.output_tokens, 0)) AS bigint) \
             FROM messages m JOIN conversations c ON c.id = m.conversation_id \
             WHERE m.id >= $1 AND m.id < $2 AND m.created_at >= $3 AND m.created_at < $4 GROUP BY c.",
            $column,
            " ORDER BY asked DESC, c.",
            $column,
            " LIMIT $5"
        )
    };
}

impl Store {
    /// What was used from `since` until before `until`.
    pub async fn usage(&self, since: Time, until: Time) -> Result<Usage> {
        let mut reader = self.read("usage.read").await?;
        let period = || values![bound(since, false), bound(until, true), since, until, MOST];
        let apps = reader.all(by!("app"), period()).await?;
        let principals = reader.all(by!("owner"), period()).await?;
        let read = |rows: Vec<Row>| rows.iter().map(read).collect::<Result<Vec<UsageRow>>>();
        Ok(Usage { apps: read(apps)?, principals: read(principals)? })
    }
}

fn read(row: &Row) -> Result<UsageRow> {
    let count = |place| -> Result<u64> { Ok(u64::try_from(row.int(place)?).unwrap_or(0)) };
    Ok(UsageRow {
        name: row.text(0)?,
        requests: count(1)?,
        conversations: count(2)?,
        input_tokens: count(3)?,
        output_tokens: count(4)?,
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
