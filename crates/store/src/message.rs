//! Messages, written as turns. Contents and citations are sealed. It never writes a message outside of a turn;
//! `transcript.rs` reads.

use std::sync::Arc;

use crypto::Place;
use kernel::{AppId, AuditEvent, ConversationId, Fault, MessageId, Result, Subject, Time};
use serde_json::Value as Json;

use crate::Store;
use crate::branch::Joint;
use crate::conversation;
use crate::data_key::SubjectKey;
use crate::turn::{FinishOrder, SealedMessage, SealedOpening, TurnOrder};
use crate::value::values;
use crate::writer::Order;

/// A closed set of words, with the text that is stored.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        pub enum $name { $($(#[$word_doc])* $word,)* }

        impl $name {
            /// The word as it is stored and as answers carry it.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$word => $text,)* }
            }

            /// Reads the word; `None` for any other.
            pub fn parse(text: &str) -> Option<$name> {
                match text { $($text => Some($name::$word),)* _ => None }
            }
        }
    };
}

pub(crate) use words;

words! {
    /// Who speaks.
    Role {
        /// The person or program that asks.
        User = "user",
        /// The model.
        Assistant = "assistant",
        /// The server.
        System = "system",
    }
}

words! {
    /// Why a message ended.
    FinishReason {
        /// It was complete.
        Stop = "stop",
        /// It reached the longest length allowed.
        Length = "length",
        /// The person stopped it or went away.
        Cancelled = "cancelled",
        /// The server was interrupted.
        Interrupted = "interrupted",
        /// The content rules ended it.
        Blocked = "blocked",
        /// The model failed.
        Error = "error",
    }
}

impl FinishReason {
    /// Whether an answer that ended so may be taken up where it stopped.
    pub const fn may_go_on(self) -> bool {
        match self {
            FinishReason::Length
            | FinishReason::Cancelled
            | FinishReason::Interrupted
            | FinishReason::Error => true,
            FinishReason::Stop | FinishReason::Blocked => false,
        }
    }
}

/// One message of a conversation.
#[derive(Clone, PartialEq, Debug)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The conversation it belongs to.
    pub conversation_id: ConversationId,
    /// The message it answers. When a turn is written, `None` means the one before it.
    pub parent_id: Option<MessageId>,
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
    /// Where it comes from; `null` when nothing is cited.
    pub citations: Json,
    /// When it was made.
    pub created_at: Time,
    /// Why it ended; `None` while it is being written.
    pub finish_reason: Option<FinishReason>,
    /// The model that wrote it.
    pub model: Option<String>,
    /// Tokens that the model read.
    pub input_tokens: Option<u32>,
    /// Tokens that the model wrote.
    pub output_tokens: Option<u32>,
    /// What the kind of the app keeps with the message; `null` when nothing. Sealed like the content.
    pub details: Json,
}

/// The conversation of a turn.
#[derive(Clone, Debug)]
pub enum Opening {
    /// One that exists.
    Existing(ConversationId),
    /// A new one. If the session name has a conversation already, the turn goes there.
    New {
        /// Its id.
        id: ConversationId,
        /// A title.
        title: Option<String>,
        /// A topic.
        topic: Option<String>,
        /// The name that the client gave to its session; kept as a keyed tag only.
        session: Option<String>,
    },
}

/// What a user said and the answer to it (or the place for the answer).
#[derive(Clone, Debug)]
pub struct Turn {
    /// Whose conversation it is.
    pub owner: Subject,
    /// The app. A conversation of another app counts as not found.
    pub app: AppId,
    /// The conversation.
    pub opening: Opening,
    /// Where it goes in the conversation.
    pub joint: Joint,
    /// What was said.
    pub user: Message,
    /// The answer.
    pub assistant: Message,
    /// How many user messages a conversation may hold; one more is `conversation_full`.
    pub max_user_messages: Option<u32>,
    /// How many conversations the owner may have in this app; one more is `too_many_conversations`.
    pub max_conversations: Option<u32>,
}

/// The end of a message that was streamed, or what there is of it so far.
#[derive(Clone, Debug)]
pub struct FinishedMessage {
    /// Whose conversation it is.
    pub owner: Subject,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The message.
    pub message_id: MessageId,
    /// All of what was generated until now.
    pub content: String,
    /// Where it comes from.
    pub citations: Json,
    /// Why it ended; `None` while it goes on.
    pub finish_reason: Option<FinishReason>,
    /// The model that wrote it.
    pub model: Option<String>,
    /// Tokens that the model read.
    pub input_tokens: Option<u32>,
    /// Tokens that the model wrote.
    pub output_tokens: Option<u32>,
    /// What the kind of the app keeps with the message; `null` when nothing. Sealed like the content.
    pub details: Json,
}

pub(crate) const fn place<'a>(column: &'static str, id: &'a str) -> Place<'a> {
    Place { table: "messages", column, row: id }
}

/// Seals a value that most messages do not have: `null` and the empty list are no value.
fn seal_json(
    store: &Store,
    key: &SubjectKey,
    column: &'static str,
    id: &str,
    value: &Json,
) -> Option<Vec<u8>> {
    let nothing = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    (!nothing).then(|| key.seal(store, place(column, id), value.to_string().as_bytes()))
}

pub(crate) fn open_json(
    key: &SubjectKey,
    column: &'static str,
    id: &str,
    sealed: Option<Vec<u8>>,
) -> Result<Json> {
    let Some(sealed) = sealed else { return Ok(Json::Null) };
    serde_json::from_slice(&key.open(place(column, id), &sealed)?)
        .map_err(|_| Fault::internal("a sealed value of a message is not JSON"))
}

pub(crate) fn seal_message(
    store: &Store,
    key: &SubjectKey,
    message: &Message,
    finish: Option<FinishReason>,
) -> SealedMessage {
    let id = message.id.to_string();
    SealedMessage {
        content: key.seal(store, place("content", &id), message.content.as_bytes()),
        citations: seal_json(store, key, "citations", &id, &message.citations),
        details: seal_json(store, key, "details", &id, &message.details),
        parent: message.parent_id.map(|parent| parent.to_string()),
        role: message.role.as_str(),
        created_at: message.created_at.micros(),
        finish_reason: finish.map(FinishReason::as_str),
        model: message.model.clone(),
        input_tokens: message.input_tokens,
        output_tokens: message.output_tokens,
        writer: finish.is_none().then(|| Arc::clone(&store.inside.me)),
        id,
    }
}

impl Store {
    /// Writes a whole turn: both messages, and the conversation when it is new. Gives the conversation that it
    /// went into. Faults: `not_found`, `conversation_full`, `too_many_conversations`, `conflict` (an id is taken).
    pub async fn record_turn(&self, turn: Turn, audit: Vec<AuditEvent>) -> Result<ConversationId> {
        let finish = turn.assistant.finish_reason.or(Some(FinishReason::Stop));
        self.write_turn("turn.record", turn, finish, audit).await
    }

    /// Writes the beginning of a streamed turn: what the user said, and an empty answer that is being written.
    /// Gives and fails like [`Store::record_turn`].
    pub async fn begin_turn(&self, mut turn: Turn, audit: Vec<AuditEvent>) -> Result<ConversationId> {
        turn.assistant.content.clear();
        turn.assistant.citations = Json::Null;
        turn.assistant.details = Json::Null;
        self.keep_writing().await?;
        self.write_turn("turn.begin", turn, None, audit).await
    }

    async fn write_turn(
        &self,
        operation: &'static str,
        turn: Turn,
        finish: Option<FinishReason>,
        audit: Vec<AuditEvent>,
    ) -> Result<ConversationId> {
        let watch = self.watch(operation);
        self.secrets().await?;
        let (id, session) = match &turn.opening {
            Opening::Existing(id) => (*id, None),
            Opening::New { id, session, .. } => (*id, session.as_deref()),
        };
        let session_tag = match session {
            Some(session) => Some(self.session_tag(&turn.owner, &turn.app, session).await?),
            None => None,
        };
        let name = id.to_string();
        let written = self
            .with_subject_key(&turn.owner, |key: Arc<SubjectKey>| {
                let seal = |column, text: &Option<String>| {
                    text.as_ref()
                        .map(|text| key.seal(self, conversation::place(column, &name), text.as_bytes()))
                };
                let opening = match &turn.opening {
                    Opening::Existing(_) => SealedOpening::Existing,
                    Opening::New { title, topic, .. } => SealedOpening::New {
                        title: seal("title", title),
                        topic: seal("topic", topic),
                        session_tag: session_tag.clone(),
                    },
                };
                let user = turn.user.finish_reason.or(Some(FinishReason::Stop));
                let answer = seal_message(self, &key, &turn.assistant, finish);
                let messages = match turn.joint {
                    Joint::Again => vec![answer],
                    Joint::End | Joint::Under(_) => vec![seal_message(self, &key, &turn.user, user), answer],
                };
                let beside = turn.joint != Joint::End;
                let (app, events) = (turn.app.to_string(), audit.clone());
                let (max_user_messages, max_conversations) = (turn.max_user_messages, turn.max_conversations);
                self.inside.writer.order(move |reply| {
                    Order::Turn(Box::new(TurnOrder {
                        key,
                        app,
                        conversation: id,
                        opening,
                        messages,
                        beside,
                        max_user_messages,
                        max_conversations,
                        events,
                        outcome: Ok(id),
                        reply,
                    }))
                })
            })
            .await;
        drop(watch);
        written
    }

    /// Ends a streamed message, or saves what there is of it so far. `not_found` for a message that is unknown or somebody else's, `conflict` for one
    /// that has ended already.
    pub async fn finish_turn(&self, done: FinishedMessage, audit: Vec<AuditEvent>) -> Result<()> {
        self.finish_as(done, audit, Some(&self.inside.me)).await
    }

    /// The same in the place of its writer.
    pub(crate) async fn finish_as(
        &self,
        done: FinishedMessage,
        audit: Vec<AuditEvent>,
        writer: Option<&str>,
    ) -> Result<()> {
        let watch = self.watch("turn.finish");
        self.secrets().await?;
        let message = done.message_id.to_string();
        let written = self
            .with_subject_key(&done.owner, |key: Arc<SubjectKey>| {
                let content = key.seal(self, place("content", &message), done.content.as_bytes());
                let citations = seal_json(self, &key, "citations", &message, &done.citations);
                let details = seal_json(self, &key, "details", &message, &done.details);
                let (message, events, writer) = (message.clone(), audit.clone(), writer.map(str::to_owned));
                let (conversation, reason) =
                    (done.conversation_id.to_string(), done.finish_reason.map(FinishReason::as_str));
                let (model, input_tokens, output_tokens) =
                    (done.model.clone(), done.input_tokens, done.output_tokens);
                self.inside.writer.order(move |reply| {
                    Order::Finish(Box::new(FinishOrder {
                        key,
                        conversation,
                        message,
                        writer,
                        content,
                        citations,
                        finish_reason: reason,
                        model,
                        input_tokens,
                        output_tokens,
                        details,
                        events,
                        outcome: Ok(()),
                        reply,
                    }))
                })
            })
            .await;
        drop(watch);
        written
    }

    /// Ends what is being written in a conversation of this owner as `cancelled`, whichever process writes it: the
    /// writer finds out with its next save. Gives whether anything was.
    pub async fn cancel_unfinished(&self, owner: &Subject, id: ConversationId) -> Result<bool> {
        let (owner, id) = (owner.to_string(), id.to_string());
        self.write("message.cancel", Vec::new(), move |tx| {
            Box::pin(async move {
                let sql = "UPDATE messages SET finish_reason = 'cancelled' WHERE finish_reason IS NULL \
                           AND conversation_id = (SELECT id FROM conversations WHERE id = $1 AND owner = $2)";
                Ok(tx.run(sql, values![id, owner]).await? > 0)
            })
        })
        .await
    }
}
