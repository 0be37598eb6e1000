//! What a person is to look at, as it comes in: a mark on a message that is stored, or an appeal of somebody whose text
//! was refused or whose answer was withheld. A message is pointed at and never copied; there is one row about a thing.
//! It never decides anything: `review_queue.rs` keeps what people decide.

use std::sync::Arc;

use crypto::Place;
use kernel::{AppId, AuditEvent, Code, ConversationId, Fault, MessageId, Result, ReviewId, Subject};

use crate::Store;
use crate::data_key::{self, Refusal, SubjectKey};
use crate::handoff::conversation_app;
use crate::message::words;
use crate::tx::Tx;
use crate::value::values;

words! {
    /// What is to be looked at.
    ReviewSource {
        /// What somebody wrote.
        Message = "message",
        /// What somebody was answered.
        Answer = "answer",
        /// A file that came with a message.
        File = "file",
        /// A text that was refused and is stored with the appeal alone.
        Refused = "refused",
    }
}

words! {
    /// Why it is to be looked at.
    ReviewReason {
        /// A rule of the app says so.
        Review = "review",
        /// It was refused.
        Block = "block",
        /// The rest of it was withheld.
        Withheld = "withheld",
        /// It was answered with words that help.
        Support = "support",
        /// Its writer sends more in a moment than people write.
        Burst = "burst",
    }
}

/// How much was found of a category.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weight {
    /// The category.
    pub category: String,
    /// The score, in hundredths.
    pub hundredths: u8,
}

/// Something to be looked at.
#[derive(Clone, Debug)]
pub struct NewReview {
    /// Whose it is.
    pub owner: Subject,
    /// The app.
    pub app: AppId,
    /// The message; `None` for a text that is stored nowhere.
    pub message: Option<(ConversationId, MessageId)>,
    /// What it is.
    pub source: ReviewSource,
    /// Why.
    pub reason: ReviewReason,
    /// What was found, the gravest first.
    pub findings: Vec<Weight>,
}

/// What came of an appeal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Appealed {
    /// A person will look at it.
    Waiting(ReviewId),
    /// It had been appealed before: nothing has changed.
    Already(ReviewId),
}

/// So many appeals of one owner wait at the most.
pub(crate) const MOST_APPEALS: i64 = 20;

pub(crate) const fn place<'a>(column: &'static str, id: &'a str) -> Place<'a> {
    Place { table: "reviews", column, row: id }
}

pub(crate) fn packed(findings: &[Weight]) -> String {
    findings.iter().fold("|".to_owned(), |text, one| text + &format!("{}:{}|", one.category, one.hundredths))
}

pub(crate) fn unpacked(text: &str) -> Vec<Weight> {
    let parts = text.split('|').filter_map(|part| part.rsplit_once(':'));
    parts
        .filter_map(|(category, score)| {
            Some(Weight { category: category.to_owned(), hundredths: score.parse().ok()? })
        })
        .collect()
}

impl Store {
    /// Marks a message that is stored. Marked again nothing changes. Gives whether it is new. `not_found` when its
    /// conversation has gone.
    pub async fn mark_for_review(&self, new: NewReview) -> Result<bool> {
        let now = self.inside.ambient.now();
        let id = ReviewId::new(&self.inside.ambient).to_string();
        let Some((conversation, message)) = new.message else {
            return Err(Fault::internal("only what is stored can be marked"));
        };
        let (conversation, message) = (conversation.to_string(), message.to_string());
        self.write("review.mark", Vec::new(), move |tx| {
            Box::pin(async move {
                let owner = new.owner.to_string();
                let app = conversation_app(tx, &owner, &conversation).await?;
                let made = tx
                    .run(
                        "INSERT INTO reviews (id, owner, app, conversation_id, message_id, about, source, reason, \
                         findings, created_at) VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9) \
                         ON CONFLICT (about) DO NOTHING",
                        values![
                            id,
                            owner,
                            app,
                            conversation,
                            message,
                            new.source.as_str(),
                            new.reason.as_str(),
                            packed(&new.findings),
                            now
                        ],
                    )
                    .await?;
                Ok(made > 0)
            })
        })
        .await
    }

    /// Takes an appeal: what is said against a refusal, with the refused text where that is stored nowhere. What was
    /// decided before without an appeal is open again; what was appealed before stays as it is. `conflict` when too many
    /// appeals of this owner wait.
    pub async fn appeal(
        &self,
        new: NewReview,
        text: Option<String>,
        words: Option<String>,
        audit: AuditEvent,
    ) -> Result<Appealed> {
        let id = ReviewId::new(&self.inside.ambient).to_string();
        self.with_subject_key(&new.owner, |key: Arc<SubjectKey>| {
            let entry = Entry {
                store: self.clone(),
                key,
                id: id.clone(),
                new: new.clone(),
                text: text.clone(),
                words: words.clone(),
                audit: audit.clone(),
            };
            self.write_sealed("review.appeal", Vec::new(), move |tx| Box::pin(entry.write(tx)))
        })
        .await
    }
}

/// What [`Store::appeal`] writes.
struct Entry {
    store: Store,
    key: Arc<SubjectKey>,
    id: String,
    new: NewReview,
    text: Option<String>,
    words: Option<String>,
    audit: AuditEvent,
}

impl Entry {
    async fn write(self, tx: &mut Tx) -> Result<Appealed, Refusal> {
        let Entry { store, key, id, new, text, words, audit } = self;
        // The owner's row is held: nobody else counts or appeals for this owner at the same time.
        data_key::hold_one(tx, &key).await?;
        let now = store.inside.ambient.now();
        let (about, app, conversation, message) = match (&new.message, &text) {
            (Some((conversation, message)), _) => {
                let conversation = conversation.to_string();
                let app = conversation_app(tx, &key.subject, &conversation).await?;
                (message.to_string(), app, Some(conversation), Some(message.to_string()))
            }
            (None, Some(text)) => {
                let about = key.blind("appeals").below("app", new.app.as_str()).tag(text);
                (about, new.app.as_str().to_owned(), None, None)
            }
            (None, None) => return Err(Fault::internal("an appeal against nothing").into()),
        };
        let known = "SELECT id, appealed_at FROM reviews WHERE about = $1 AND owner = $2";
        let row = tx.one(known, values![about.as_str(), key.subject.as_str()]).await?;
        if let Some(row) = &row
            && row.maybe_int(1)?.is_some()
        {
            return Ok(Appealed::Already(ReviewId::parse(&row.text(0)?)?));
        }
        let waiting =
            "SELECT COUNT(*) FROM reviews WHERE owner = $1 AND appealed_at IS NOT NULL AND decision IS NULL";
        let count = tx.one(waiting, values![key.subject.as_str()]).await?.map_or(Ok(0), |row| row.int(0))?;
        if count >= MOST_APPEALS {
            let say = "so many of your appeals wait already; come back when somebody has looked at them";
            return Err(Fault::new(Code::Conflict).say(say).into());
        }
        let id = match &row {
            Some(row) => row.text(0)?,
            None => id,
        };
        let sealed = |column: &'static str, text: &Option<String>| {
            text.as_ref().map(|text| key.seal(&store, place(column, &id), text.as_bytes()))
        };
        let words = sealed("appeal", &words);
        if row.is_some() {
            tx.run(
                "UPDATE reviews SET appealed_at = $2, appeal = $3, decision = NULL, decided_at = NULL, decided_by = NULL, \
                 note = NULL WHERE id = $1",
                values![id.as_str(), now, words],
            )
            .await?;
        } else {
            let text = sealed("text", &text);
            tx.run(
                "INSERT INTO reviews (id, owner, app, conversation_id, message_id, about, source, reason, findings, text, \
                 appeal, created_at, appealed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)",
                values![
                    id.as_str(),
                    key.subject.as_str(),
                    app,
                    conversation,
                    message,
                    about,
                    new.source.as_str(),
                    new.reason.as_str(),
                    packed(&new.findings),
                    text,
                    words,
                    now
                ],
            )
            .await?;
        }
        tx.events.push(audit.with("review", id.as_str()));
        Ok(Appealed::Waiting(ReviewId::parse(&id)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_read_back() {
        let weight = |category: &str, hundredths| Weight { category: category.to_owned(), hundredths };
        for findings in
            [vec![], vec![weight("hate", 60)], vec![weight("hate/threatening", 90), weight("hate", 5)]]
        {
            assert_eq!(unpacked(&packed(&findings)), findings);
        }
        assert!(unpacked("|x|y:z|").is_empty());
    }
}
