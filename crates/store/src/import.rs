//! Whole conversations that come from elsewhere, written at once. The name that one has there is kept as a keyed tag, so that
//! the same is never written twice; it tells nothing to who reads the database.

use std::sync::Arc;

use kernel::{AppId, AuditEvent, ConversationId, MessageId, Result, Subject, Time};

use crate::Store;
use crate::conversation;
use crate::data_key::{self, SubjectKey};
use crate::message::{self, Message, Role};
use crate::turn::MESSAGES;
use crate::value::{Value, values};

/// A conversation from elsewhere.
#[derive(Clone, Debug)]
pub struct ImportedConversation {
    /// Its id here.
    pub id: ConversationId,
    /// The id under which it may be here already: that of an export of ours.
    pub own: Option<ConversationId>,
    /// Whose it is.
    pub owner: Subject,
    /// The app that it comes into.
    pub app: AppId,
    /// What it is called where it comes from, by which it is known again.
    pub source: String,
    /// Its title.
    pub title: Option<String>,
    /// What it is about.
    pub topic: Option<String>,
    /// When it began.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// The message that is said last.
    pub head: Option<MessageId>,
    /// Its messages: every parent before its children.
    pub messages: Vec<Message>,
    /// How many conversations the owner may have in this app.
    pub max_per_owner: Option<u32>,
}

const KNOWN: &str = "SELECT id FROM conversations WHERE session_tag = $1 OR (id = $2 AND owner = $3)";

impl ImportedConversation {
    /// Whether there are messages beside those that it says now.
    fn branched(&self) -> bool {
        let mut wanted = self.head;
        for message in self.messages.iter().rev() {
            if wanted != Some(message.id) {
                return true;
            }
            wanted = message.parent_id;
        }
        wanted.is_some()
    }
}

impl Store {
    /// Writes a conversation that came from elsewhere. False when it is here already. Fails with
    /// `too_many_conversations` when the owner has enough in this app.
    pub async fn import_conversation(
        &self,
        new: ImportedConversation,
        audit: Vec<AuditEvent>,
    ) -> Result<bool> {
        let purpose = format!("import\n{}\n{}\n{}", new.owner, new.app, new.source);
        let tag = self.secrets().await?.blind.tag(&purpose);
        // Most of an export that comes again is here: that is seen without writing. What counts is asked again below.
        let own = new.own.map(|own| own.to_string()).unwrap_or_default();
        let known = values![tag.as_str(), own.as_str(), new.owner.to_string()];
        if self.read("conversation.known").await?.one(KNOWN, known).await?.is_some() {
            return Ok(false);
        }
        let (id, branched) = (new.id.to_string(), new.branched());
        let said = new.messages.iter().filter(|message| message.role == Role::User).count();
        let (said, all) =
            (i64::try_from(said).unwrap_or(i64::MAX), i64::try_from(new.messages.len()).unwrap_or(i64::MAX));
        self.with_subject_key(&new.owner, |key: Arc<SubjectKey>| {
            let seal = |column, text: &Option<String>| {
                text.as_ref().map(|text| key.seal(self, conversation::place(column, &id), text.as_bytes()))
            };
            let row = values![
                id.as_str(),
                key.subject.as_str(),
                new.app.as_str(),
                tag.as_str(),
                seal("title", &new.title),
                seal("topic", &new.topic),
                new.created_at,
                new.updated_at,
                said,
                all,
                new.head.map(|head| head.to_string()),
                i64::from(branched)
            ];
            let mut rows: Vec<Value> = Vec::with_capacity(new.messages.len() * MESSAGES.width);
            for (position, one) in (1_i64..).zip(&new.messages) {
                let sealed = message::seal_message(self, &key, one, one.finish_reason);
                rows.extend(values![
                    sealed.id,
                    id.as_str(),
                    position,
                    sealed.parent,
                    sealed.role,
                    sealed.content,
                    sealed.citations,
                    sealed.created_at,
                    sealed.finish_reason,
                    sealed.model,
                    sealed.input_tokens,
                    sealed.output_tokens,
                    sealed.details,
                    None::<String>
                ]);
            }
            let (tag, own, app, most) = (tag.clone(), own.clone(), new.app.clone(), new.max_per_owner);
            let audit = audit.clone();
            self.write_sealed("conversation.import", Vec::new(), move |tx| {
                Box::pin(async move {
                    data_key::hold_one(tx, &key).await?;
                    if tx.one(KNOWN, values![tag, own, key.subject.as_str()]).await?.is_some() {
                        return Ok(false);
                    }
                    conversation::admit(tx, &key.subject, &app, most).await?;
                    tx.run(
                        "INSERT INTO conversations (id, owner, app, session_tag, title, topic, created_at, updated_at, \
                         user_messages, messages, last_message, branched) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                        row,
                    )
                    .await?;
                    MESSAGES.run(tx, rows).await?;
                    tx.events.extend(audit);
                    Ok(true)
                })
            })
        })
        .await
    }
}
