//! What people think of answers: one word and perhaps a comment for each message of their own conversations.
//! It never rates a message of somebody else.

use std::sync::Arc;

use crypto::Place;
use kernel::{AuditEvent, Code, ConversationId, Fault, MessageId, Result, Subject};

use crate::Store;
use crate::data_key::{self, SubjectKey};
use crate::handoff::conversation_app;
use crate::message::words;
use crate::value::values;

words! {
    /// What somebody thinks of an answer.
    Rating {
        /// It helped.
        Up = "up",
        /// It did not.
        Down = "down",
    }
}

/// Feedback to be kept.
#[derive(Clone, Debug)]
pub struct NewFeedback {
    /// Whose conversation it is.
    pub owner: Subject,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The answer.
    pub message_id: MessageId,
    /// What is thought of it; `None` takes the feedback back.
    pub rating: Option<Rating>,
    /// Why.
    pub comment: Option<String>,
}

pub(crate) const fn place(id: &str) -> Place<'_> {
    Place { table: "feedback", column: "comment", row: id }
}

/// Message, conversation, owner, app, rating, comment, time.
pub(crate) const INSERT: &str = "INSERT INTO feedback (message_id, conversation_id, owner, app, rating, comment, created_at, updated_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (message_id) DO UPDATE SET \
     rating = excluded.rating, comment = excluded.comment, updated_at = excluded.updated_at";

impl Store {
    /// Keeps what the owner thinks of an answer, in the place of what was thought before. `not_found` when it is no
    /// answer in a conversation of this owner.
    pub async fn set_feedback(&self, new: NewFeedback, audit: Vec<AuditEvent>) -> Result<()> {
        let now = self.inside.ambient.now();
        let (id, conversation) = (new.message_id.to_string(), new.conversation_id.to_string());
        let rating = new.rating.map(Rating::as_str);
        self.with_subject_key(&new.owner, |key: Arc<SubjectKey>| {
            let comment = new.comment.as_ref().map(|text| key.seal(self, place(&id), text.as_bytes()));
            let (id, conversation) = (id.clone(), conversation.clone());
            self.write_sealed("feedback.set", audit.clone(), move |tx| {
                Box::pin(async move {
                    data_key::hold_one(tx, &key).await?;
                    let app = conversation_app(tx, &key.subject, &conversation).await?;
                    let known = "SELECT id FROM messages WHERE id = $1 AND conversation_id = $2 AND role = 'assistant'";
                    if tx.one(known, values![id.as_str(), conversation.as_str()]).await?.is_none() {
                        return Err(Fault::new(Code::NotFound).into());
                    }
                    let Some(rating) = rating else {
                        tx.run("DELETE FROM feedback WHERE message_id = $1", values![id]).await?;
                        return Ok(());
                    };
                    let row = values![id, conversation, key.subject.as_str(), app, rating, comment, now];
                    tx.run(INSERT, row).await?;
                    Ok(())
                })
            })
        })
        .await
    }
}
