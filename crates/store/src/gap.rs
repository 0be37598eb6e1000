//! Questions that the documents did not answer, as their askers put them, without personal data. It never groups
//! them: the services above do.

use std::sync::Arc;

use crypto::Place;
use kernel::{AppId, AuditEvent, ConversationId, MessageId, Result, Subject, Time};

use crate::Store;
use crate::data_key::{self, SubjectKey};
use crate::handoff::conversation_app;
use crate::value::values;

/// A question without an answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Gap {
    /// The answer that said so.
    pub id: MessageId,
    /// The question, masked.
    pub question: String,
    /// How sure the search was of what came closest, 0 to 1.
    pub confidence: f32,
    /// When it was asked.
    pub created_at: Time,
}

/// A question without an answer, to be kept.
#[derive(Clone, Debug)]
pub struct NewGap {
    /// The answer that said so.
    pub id: MessageId,
    /// Whose conversation it is.
    pub owner: Subject,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The question, masked.
    pub question: String,
    /// How sure the search was of what came closest, 0 to 1.
    pub confidence: f32,
}

const fn place(id: &str) -> Place<'_> {
    Place { table: "gaps", column: "question", row: id }
}

impl Store {
    /// Keeps a question. `not_found` when the conversation has gone.
    pub async fn add_gap(&self, new: NewGap) -> Result<()> {
        let now = self.inside.ambient.now();
        let (id, conversation) = (new.id.to_string(), new.conversation_id.to_string());
        #[expect(clippy::cast_possible_truncation, reason = "0 to 1000")]
        let confidence = (new.confidence.clamp(0.0, 1.0) * 1000.0) as i64;
        self.with_subject_key(&new.owner, |key: Arc<SubjectKey>| {
            let question = key.seal(self, place(&id), new.question.as_bytes());
            let (id, conversation) = (id.clone(), conversation.clone());
            self.write_sealed("gap.add", Vec::new(), move |tx| {
                Box::pin(async move {
                    data_key::hold_one(tx, &key).await?;
                    let app = conversation_app(tx, &key.subject, &conversation).await?;
                    tx.run(
                        "INSERT INTO gaps (id, conversation_id, owner, app, question, confidence, created_at) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
                        values![id, conversation, key.subject.as_str(), app, question, confidence, now],
                    )
                    .await?;
                    Ok(())
                })
            })
        })
        .await
    }

    /// The open questions of an app, newest first, at most `most`.
    pub async fn gaps(&self, app: &AppId, most: u32) -> Result<Vec<Gap>> {
        let sql = "SELECT id, owner, question, confidence, created_at FROM gaps WHERE app = $1 AND resolved_at IS NULL \
                   ORDER BY created_at DESC, id DESC LIMIT $2";
        let rows = self.read("gap.list").await?.all(sql, values![app.as_str(), most]).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.text(0)?;
            let (owner, sealed) = (Subject::parse(&row.text(1)?)?, row.bytes(2)?);
            found.push(Gap {
                question: self.opened(&owner, |key| key.open_text(place(&id), &sealed)).await?,
                id: MessageId::parse(&id)?,
                confidence: row.int(3)? as f32 / 1000.0,
                created_at: row.time(4)?,
            });
        }
        Ok(found)
    }

    /// Marks questions of an app as answered by now; gives how many were open.
    pub async fn resolve_gaps(
        &self,
        app: &AppId,
        ids: Vec<MessageId>,
        by: Subject,
        audit: Vec<AuditEvent>,
    ) -> Result<u64> {
        let now = self.inside.ambient.now();
        let (app, by) = (app.as_str().to_owned(), by.to_string());
        self.write("gap.resolve", audit, move |tx| {
            Box::pin(async move {
                let mut count = 0;
                for id in ids {
                    let sql = "UPDATE gaps SET resolved_at = $3, resolved_by = $4 WHERE app = $1 AND id = $2 \
                               AND resolved_at IS NULL";
                    count += tx.run(sql, values![app.as_str(), id.to_string(), now, by.as_str()]).await?;
                }
                Ok(count)
            })
        })
        .await
    }
}
