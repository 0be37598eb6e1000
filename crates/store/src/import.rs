//! Whole conversations that come from elsewhere, written at once: with their place in the order of things and what is thought
//! of their answers. The name that one has there is kept as a keyed tag, so that the same is never written twice; it tells
//! nothing to who reads the database.

use std::sync::Arc;

use kernel::{AppId, AuditEvent, ConversationId, MessageId, Result, Subject, Time};

use crate::Store;
use crate::conversation;
use crate::data_key::{self, Refusal, SubjectKey};
use crate::inbox::Opinion;
use crate::message::{self, Message, Role};
use crate::turn::MESSAGES;
use crate::tx::Tx;
use crate::value::{Value, values};
use crate::{feedback, folder, order};

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
    /// Where it stands among the others.
    pub order: ImportedOrder,
    /// What its owner thinks of its answers.
    pub opinions: Vec<Opinion>,
    /// How many conversations the owner may have in this app.
    pub max_per_owner: Option<u32>,
}

/// Where a conversation from elsewhere stands among the others.
#[derive(Clone, Debug, Default)]
pub struct ImportedOrder {
    /// It stands above the others, as long as there is room for one more.
    pub pinned: bool,
    /// It was put away.
    pub archived: bool,
    /// The names of the folders that it lies in, from the outermost. Those that are missing are made.
    pub folder: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
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
    /// Whether a conversation from elsewhere is here already.
    pub async fn knows_conversation(
        &self,
        owner: &Subject,
        app: &AppId,
        source: &str,
        own: Option<ConversationId>,
    ) -> Result<bool> {
        let tag = self.source_tag(owner, app, source).await?;
        let known = values![tag, own.map(|own| own.to_string()).unwrap_or_default(), owner.to_string()];
        Ok(self.read("conversation.known").await?.one(KNOWN, known).await?.is_some())
    }

    async fn source_tag(&self, owner: &Subject, app: &AppId, source: &str) -> Result<String> {
        Ok(self.secrets().await?.blind.tag(&format!("import\n{owner}\n{app}\n{source}")))
    }

    /// Writes a conversation that came from elsewhere. False when it is here already. Fails with
    /// `too_many_conversations` when the owner has enough in this app.
    pub async fn import_conversation(
        &self,
        new: ImportedConversation,
        audit: Vec<AuditEvent>,
    ) -> Result<bool> {
        // Most of an export that comes again is here: that is seen without writing. What counts is asked again below.
        if self.knows_conversation(&new.owner, &new.app, &new.source, new.own).await? {
            return Ok(false);
        }
        let tag = self.source_tag(&new.owner, &new.app, &new.source).await?;
        let own = new.own.map(|own| own.to_string()).unwrap_or_default();
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
            let opinions = opinions(self, &key, &new);
            let (audit, order, store, id) = (audit.clone(), new.order.clone(), self.clone(), id.clone());
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
                    for row in opinions {
                        tx.run(feedback::INSERT, row).await?;
                    }
                    arrange(tx, &store, &key, &id, &order).await?;
                    tx.events.extend(audit);
                    Ok(true)
                })
            })
        })
        .await
    }
}

/// The rows of what is thought of the answers.
fn opinions(store: &Store, key: &SubjectKey, new: &ImportedConversation) -> Vec<Vec<Value>> {
    let row = |one: &Opinion| {
        let id = one.message_id.to_string();
        let comment = one.comment.as_ref().map(|text| key.seal(store, feedback::place(&id), text.as_bytes()));
        values![
            id,
            new.id.to_string(),
            key.subject.as_str(),
            new.app.as_str(),
            one.rating.as_str(),
            comment,
            one.updated_at
        ]
    };
    new.opinions.iter().map(row).collect()
}

/// Puts it where it stood. The owner's data key is locked, so nobody else counts or makes folders at the same time.
async fn arrange(
    tx: &mut Tx,
    store: &Store,
    key: &SubjectKey,
    id: &str,
    to: &ImportedOrder,
) -> Result<(), Refusal> {
    if !to.tags.is_empty() {
        order::tag(tx, store, key, id, &to.tags).await?;
        order::within_tags(tx, &key.subject).await?;
    }
    let folder = folder::find_or_make(tx, store, key, &to.folder).await?;
    let now = store.inside.ambient.now().micros();
    let pinned = to.pinned && order::pinned(tx, &key.subject).await? < Store::MOST_PINNED;
    let flag = |on: bool| on.then_some(now);
    let sql = "UPDATE conversations SET pinned_at = $3, archived_at = $4, folder_id = $5 WHERE owner = $1 AND id = $2";
    let row = values![key.subject.as_str(), id, flag(pinned), flag(to.archived), folder];
    tx.run(sql, row).await?;
    Ok(())
}
