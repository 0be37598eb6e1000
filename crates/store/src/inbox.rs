//! The desk at a glance: hand-offs by who has them with how many there are of each, what customers said about answers,
//! and what came of questions day by day. Every query carries the app, or the owner of the conversation. It changes
//! nothing: hand-offs are `handoff.rs`, feedback is `feedback.rs`.

use kernel::{AppId, ConversationId, Cursor, MessageId, Page, PageRequest, Result, Subject, Time};

use crate::Store;
use crate::connection::Sql;
use crate::feedback::{self, Rating};
use crate::handoff::{HandOff, whole};
use crate::outcome::Outcome;
use crate::value::{Value, values};

/// A day in microseconds.
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// A part of the inbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InboxPart {
    /// Nobody has come yet.
    Waiting,
    /// This person has it.
    Of(Subject),
    /// Somebody has it.
    Claimed,
    /// Given back or closed.
    Over,
}

impl InboxPart {
    /// Its condition, in which `$2` is who has it; those that are open begin with the oldest.
    const fn parts(self) -> (&'static str, bool) {
        match self {
            InboxPart::Waiting => ("state = 'waiting' AND $2 = ''", true),
            InboxPart::Of(_) => ("state = 'claimed' AND claimed_by = $2", true),
            InboxPart::Claimed => ("state = 'claimed' AND $2 = ''", true),
            InboxPart::Over => ("state IN ('returned', 'closed') AND $2 = ''", false),
        }
    }
}

/// How many hand-offs there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct InboxCounts {
    /// Nobody has come yet.
    pub waiting: u64,
    /// The person who asks has them.
    pub mine: u64,
    /// Somebody has them, whoever it is.
    pub claimed: u64,
    /// Given back or closed.
    pub over: u64,
}

/// What somebody thinks of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opinion {
    /// The answer.
    pub message_id: MessageId,
    /// Whether it helped.
    pub rating: Rating,
    /// Why.
    pub comment: Option<String>,
    /// When it was said.
    pub updated_at: Time,
}

/// What came of the questions of a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DayCount {
    /// The day, counted from 1970-01-01 by UTC.
    pub day: i64,
    /// Answered from the documents.
    pub answered: u64,
    /// Without an answer in the documents.
    pub refused: u64,
}

impl Store {
    /// A part of the inbox of an app: what is open the oldest first, what is over the newest first.
    pub async fn inbox(&self, app: &AppId, part: InboxPart, page: PageRequest) -> Result<Page<HandOff>> {
        let (condition, oldest) = part.parts();
        let (at, tie) = match &page.after {
            Some(cursor) => (cursor.key, cursor.tie.clone()),
            None if oldest => (i64::MIN, String::new()),
            None => (i64::MAX, String::new()),
        };
        let order = if oldest {
            "created_at >= $3 AND (created_at > $3 OR id > $4) ORDER BY created_at, id LIMIT $5"
        } else {
            "created_at <= $3 AND (created_at < $3 OR id < $4) ORDER BY created_at DESC, id DESC LIMIT $5"
        };
        let who = match part {
            InboxPart::Of(who) => who.to_string(),
            InboxPart::Waiting | InboxPart::Claimed | InboxPart::Over => String::new(),
        };
        let values = values![app.as_str(), who, at, tie, page.limit.saturating_add(1)];
        let sql = whole(&format!("app = $1 AND {condition} AND {order}"));
        let rows = self.read("inbox.list").await?.all(sql, values).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            found.push(self.open_hand_off_row(row).await?);
        }
        let cursor = |one: &HandOff| Cursor { key: one.created_at.micros(), tie: one.id.to_string() };
        Ok(Page::cut(found, page.limit, cursor))
    }

    /// How many hand-offs of an app there are of each part; `who` is the person who asks.
    pub async fn inbox_counts(&self, app: &AppId, who: Subject) -> Result<InboxCounts> {
        let sql = "SELECT state, CAST(CASE WHEN claimed_by = $2 THEN 1 ELSE 0 END AS bigint), COUNT(*) FROM hand_offs \
                   WHERE app = $1 GROUP BY 1, 2";
        let rows = self.read("inbox.count").await?.all(sql, values![app.as_str(), who.to_string()]).await?;
        let mut counts = InboxCounts::default();
        for row in rows {
            let count = u64::try_from(row.int(2)?).unwrap_or(0);
            match (row.text(0)?.as_str(), row.int(1)?) {
                ("waiting", _) => counts.waiting += count,
                ("claimed", mine) => {
                    counts.claimed += count;
                    counts.mine += if mine == 1 { count } else { 0 };
                }
                _ => counts.over += count,
            }
        }
        Ok(counts)
    }

    /// What the owner of a conversation thinks of the answers in it.
    pub async fn opinions(&self, owner: &Subject, id: ConversationId) -> Result<Vec<Opinion>> {
        let sql = "SELECT message_id, owner, rating, comment, updated_at FROM feedback \
                   WHERE owner = $1 AND conversation_id = $2";
        self.read_opinions(sql, values![owner.to_string(), id.to_string()]).await
    }

    /// The newest words that came with a rating in an app, at most `most`.
    pub async fn remarks(&self, app: &AppId, most: u32) -> Result<Vec<Opinion>> {
        let sql = "SELECT message_id, owner, rating, comment, updated_at FROM feedback \
                   WHERE app = $1 AND comment IS NOT NULL ORDER BY updated_at DESC LIMIT $2";
        self.read_opinions(sql, values![app.as_str(), most]).await
    }

    async fn read_opinions(&self, sql: &'static str, values: Vec<Value>) -> Result<Vec<Opinion>> {
        let rows = self.read("feedback.list").await?.all(Sql::from(sql), values).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let (id, owner) = (row.text(0)?, Subject::parse(&row.text(1)?)?);
            let comment = match row.maybe_bytes(3)? {
                Some(sealed) => {
                    Some(self.opened(&owner, |key| key.open_text(feedback::place(&id), &sealed)).await?)
                }
                None => None,
            };
            found.push(Opinion {
                message_id: MessageId::parse(&id)?,
                rating: Rating::parse(&row.text(2)?)
                    .ok_or_else(|| kernel::Fault::internal("an unknown rating is stored"))?,
                comment,
                updated_at: row.time(4)?,
            });
        }
        Ok(found)
    }

    /// What came of the questions of an app since a moment, for each day on which something was asked, oldest first.
    pub async fn quality_by_day(&self, app: &AppId, since: Time) -> Result<Vec<DayCount>> {
        let sql = format!(
            "SELECT created_at / {DAY}, outcome, COUNT(*) FROM outcomes WHERE app = $1 AND created_at >= $2 \
             GROUP BY 1, 2 ORDER BY 1"
        );
        let rows = self
            .read("quality.days")
            .await?
            .all(Sql::Built(sql.into()), values![app.as_str(), since])
            .await?;
        let mut days: Vec<DayCount> = Vec::new();
        for row in rows {
            let (day, count) = (row.int(0)?, u64::try_from(row.int(2)?).unwrap_or(0));
            if days.last().is_none_or(|last| last.day != day) {
                days.push(DayCount { day, ..DayCount::default() });
            }
            let Some(last) = days.last_mut() else { continue };
            match Outcome::parse(&row.text(1)?) {
                Some(Outcome::Answered | Outcome::Quoted) => last.answered += count,
                Some(Outcome::Nothing) => last.refused += count,
                _ => {}
            }
        }
        days.retain(|day| day.answered + day.refused > 0);
        Ok(days)
    }
}
