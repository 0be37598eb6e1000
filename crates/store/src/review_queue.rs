//! The queue of what people are to look at, and what they decide. Of several who decide at once one does; whoever has
//! decided may change it. It never gives out a message: the row points at it.

use std::sync::Arc;

use kernel::{
    AppId, AuditEvent, Code, ConversationId, Cursor, Fault, MessageId, Page, PageRequest, Result, ReviewId,
    Subject, Time,
};

use crate::Store;
use crate::connection::Sql;
use crate::data_key::{self, SubjectKey};
use crate::message::words;
use crate::review::{ReviewReason, ReviewSource, Weight, place, unpacked};
use crate::value::{Row, values};

words! {
    /// What was decided.
    Decision {
        /// The rules were right.
        Upheld = "upheld",
        /// The rules were wrong.
        WronglyFlagged = "wrongly_flagged",
    }
}

/// Something to be looked at, with what was decided.
#[derive(Clone, PartialEq, Debug)]
pub struct Review {
    /// Its id.
    pub id: ReviewId,
    /// Whose it is.
    pub owner: Subject,
    /// The app.
    pub app: AppId,
    /// The message; `None` for a text that came with an appeal.
    pub message: Option<(ConversationId, MessageId)>,
    /// What it is.
    pub source: ReviewSource,
    /// Why.
    pub reason: ReviewReason,
    /// What was found, the gravest first.
    pub findings: Vec<Weight>,
    /// The refused text that came with an appeal.
    pub text: Option<String>,
    /// What is said against it.
    pub appeal: Option<String>,
    /// When it came.
    pub created_at: Time,
    /// When it was appealed.
    pub appealed_at: Option<Time>,
    /// What was decided; `None` while it is open.
    pub decision: Option<Decision>,
    /// When it was decided.
    pub decided_at: Option<Time>,
    /// Who decided, as the audit log names them.
    pub decided_by: Option<String>,
    /// What they say about it.
    pub note: Option<String>,
}

/// Which are wanted; an absent part allows everything.
#[derive(Clone, Default, Debug)]
pub struct ReviewFilter {
    /// In this app.
    pub app: Option<AppId>,
    /// With this category.
    pub category: Option<String>,
    /// Open ones, or decided ones.
    pub open: Option<bool>,
    /// Appealed ones, or others.
    pub appealed: Option<bool>,
}

const COLUMNS: &str = "SELECT id, owner, app, conversation_id, message_id, source, reason, findings, text, appeal, \
                       created_at, appealed_at, decision, decided_at, decided_by, note FROM reviews";

/// What a filter asks: `$1` and `$2` are the app and the category, `null` for any.
const WANTED: &str = "app = COALESCE($1, app) AND findings LIKE COALESCE('%|' || $2 || ':%', '%')";

fn unknown() -> Fault {
    Fault::internal("an unknown word of a review is stored")
}

impl Store {
    /// The queue, newest first.
    pub async fn reviews(&self, filter: &ReviewFilter, page: PageRequest) -> Result<Page<Review>> {
        let (before, tie) = match &page.after {
            Some(cursor) => (cursor.key, cursor.tie.clone()),
            None => (i64::MAX, String::new()),
        };
        let open = match filter.open {
            Some(true) => " AND decision IS NULL",
            Some(false) => " AND decision IS NOT NULL",
            None => "",
        };
        let appealed = match filter.appealed {
            Some(true) => " AND appealed_at IS NOT NULL",
            Some(false) => " AND appealed_at IS NULL",
            None => "",
        };
        let sql = format!(
            "{COLUMNS} WHERE {WANTED}{open}{appealed} AND created_at <= $3 AND (created_at < $3 OR id < $4) \
             ORDER BY created_at DESC, id DESC LIMIT $5"
        );
        let values = values![
            filter.app.as_ref().map(AppId::as_str),
            filter.category.as_deref(),
            before,
            tie,
            page.limit.saturating_add(1)
        ];
        let rows = self.read("review.list").await?.all(Sql::Built(sql.into()), values).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            found.push(self.open_review(row).await?);
        }
        let cursor = |one: &Review| Cursor { key: one.created_at.micros(), tie: one.id.to_string() };
        Ok(Page::cut(found, page.limit, cursor))
    }

    /// How many are open, and how many of those are appeals.
    pub async fn open_reviews(&self) -> Result<(u64, u64)> {
        let sql = "SELECT COUNT(*), COUNT(appealed_at) FROM reviews WHERE decision IS NULL";
        let row = self.read("review.count").await?.one(sql, values![]).await?;
        let count = |at| row.as_ref().map_or(Ok(0), |row| row.int(at)).map(|n| u64::try_from(n).unwrap_or(0));
        Ok((count(0)?, count(1)?))
    }

    /// One of them.
    pub async fn review(&self, id: ReviewId) -> Result<Review> {
        let sql = Sql::Built(format!("{COLUMNS} WHERE id = $1").into());
        let row = self.read("review.get").await?.one(sql, values![id.to_string()]).await?;
        self.open_review(&row.ok_or(Code::NotFound)?).await
    }

    /// Decides. Of several who try at once one does, for the others it is a `conflict`; whoever has decided may decide
    /// anew. The same decision again changes nothing and is written down once.
    pub async fn decide_review(
        &self,
        id: ReviewId,
        by: Subject,
        decision: Decision,
        note: Option<String>,
        audit: AuditEvent,
    ) -> Result<Review> {
        let known = self.review(id).await?;
        let who = by.to_string();
        if (known.decided_by.as_deref(), known.decision, &known.note) == (Some(&who), Some(decision), &note) {
            return Ok(known);
        }
        let (name, now) = (id.to_string(), self.inside.ambient.now());
        self.with_subject_key(&known.owner, |key: Arc<SubjectKey>| {
            let note = note.as_ref().map(|note| key.seal(self, place("note", &name), note.as_bytes()));
            let (name, who, audit) = (name.clone(), who.clone(), audit.clone());
            self.write_sealed("review.decide", Vec::new(), move |tx| {
                Box::pin(async move {
                    data_key::hold_one(tx, &key).await?;
                    let changed = tx
                        .run(
                            "UPDATE reviews SET decision = $3, decided_at = $4, decided_by = $2, note = $5 \
                             WHERE id = $1 AND (decision IS NULL OR decided_by = $2)",
                            values![name.as_str(), who, decision.as_str(), now, note],
                        )
                        .await?;
                    if changed == 0 {
                        let there = tx.one("SELECT id FROM reviews WHERE id = $1", values![name]).await?;
                        return Err(match there {
                            Some(_) => {
                                let say = "somebody else has decided this already; load it again to see what";
                                Fault::new(Code::Conflict).say(say)
                            }
                            None => Fault::new(Code::NotFound),
                        }
                        .into());
                    }
                    tx.events.push(audit);
                    Ok(())
                })
            })
        })
        .await?;
        self.review(id).await
    }

    async fn open_review(&self, row: &Row) -> Result<Review> {
        let (id, owner) = (row.text(0)?, Subject::parse(&row.text(1)?)?);
        let message = match (row.maybe_text(3)?, row.maybe_text(4)?) {
            (Some(conversation), Some(message)) => {
                Some((ConversationId::parse(&conversation)?, MessageId::parse(&message)?))
            }
            _ => None,
        };
        let sealed =
            [("text", row.maybe_bytes(8)?), ("appeal", row.maybe_bytes(9)?), ("note", row.maybe_bytes(15)?)];
        let mut opened = [None, None, None];
        for ((column, sealed), place_of) in sealed.into_iter().zip(&mut opened) {
            if let Some(sealed) = sealed {
                *place_of =
                    Some(self.opened(&owner, |key| key.open_text(place(column, &id), &sealed)).await?);
            }
        }
        let [text, appeal, note] = opened;
        Ok(Review {
            id: ReviewId::parse(&id)?,
            app: AppId::parse(&row.text(2)?)?,
            message,
            source: ReviewSource::parse(&row.text(5)?).ok_or_else(unknown)?,
            reason: ReviewReason::parse(&row.text(6)?).ok_or_else(unknown)?,
            findings: unpacked(&row.text(7)?),
            text,
            appeal,
            created_at: row.time(10)?,
            appealed_at: row.maybe_time(11)?,
            decision: row
                .maybe_text(12)?
                .map(|word| Decision::parse(&word).ok_or_else(unknown))
                .transpose()?,
            decided_at: row.maybe_time(13)?,
            decided_by: row.maybe_text(14)?,
            note,
            owner,
        })
    }
}
