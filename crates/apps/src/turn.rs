//! The one path of a message, the same for every app and every kind of credential:
//! admit → open → context → plan → model → release → close. The two verbs are [`Hall::answer`] for an answer
//! at once and [`Hall::stream`] (in `stream.rs`) for one in pieces. Nothing here is particular to a kind of app.

use std::sync::Arc;

use identity::{Converse, May};
use kernel::{AuditEvent, Code, ConversationId, EventType, Fault, MessageId, Result, Subject};
use llm::{ChatMessage, ChatRequest, Completion, Finish};
use serde_json::Value;
use store::{ConversationChange, FinishReason, Joint, Message, Opening, Role, Turn};
use tokio_util::sync::CancellationToken;

use crate::admit::{Admitted, noted};
use crate::attached::{self, Brought};
use crate::further::Seam;
use crate::live::{Occupied, busy};
use crate::plan::{Check, Plan, Voice};
use crate::title::title;
use crate::watch::Watched;
use crate::{App, Hall, kind};

/// What somebody says, and where.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The conversation.
    pub target: Target,
    /// The text.
    pub content: String,
    /// The field that the text came in, for faults that name it.
    pub field: &'static str,
    /// How to answer.
    pub options: Options,
    /// What comes with the text.
    pub brought: Brought,
    /// A stream without readers runs on for a while.
    pub resumable: bool,
}

/// The conversation that a message belongs to.
#[derive(Clone, Debug)]
pub enum Target {
    /// This one.
    Conversation(ConversationId),
    /// The one that the caller knows by a name of its own; made when there is none.
    Session(String),
    /// A new one.
    New,
    /// Beside what this conversation says already.
    Beside(ConversationId, Anew),
}

/// What stands beside something else.
#[derive(Clone, Copy, Debug)]
pub enum Anew {
    /// Another answer to this message of the user.
    Answer(MessageId),
    /// Other words in the place of this message of the user.
    Words(MessageId),
    /// The rest of this answer, which ended before it was complete.
    Further(MessageId),
}

/// How to answer.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// At most this many tokens; never more than the app allows.
    pub max_tokens: Option<u32>,
    /// Sampling temperature, 0 to 2.
    pub temperature: Option<f32>,
    /// The earlier messages as the caller tells them, in place of those stored.
    pub history: Option<Vec<ChatMessage>>,
}

/// A finished answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The conversation it belongs to.
    pub conversation_id: ConversationId,
    /// The user's message as stored.
    pub user_message: Message,
    /// The answer as stored.
    pub message: Message,
}

/// A turn that has been let in and has its place.
pub(crate) struct Opened {
    pub(crate) app: App,
    pub(crate) owner: Subject,
    pub(crate) conversation_id: ConversationId,
    pub(crate) opening: Opening,
    pub(crate) joint: Joint,
    pub(crate) user: Message,
    pub(crate) assistant: MessageId,
    /// The answer that is taken up where it stopped, in the place of a new one.
    pub(crate) taken_up: Option<Message>,
    pub(crate) earlier: Vec<Message>,
    /// The conversation exists and has no title yet.
    pub(crate) untitled: bool,
    pub(crate) admitted: Admitted,
    pub(crate) cancel: CancellationToken,
    pub(crate) _place: Occupied,
}

impl Hall {
    /// Answers at once. Both messages are stored in one transaction before this returns; when it fails or is
    /// dropped, nothing is stored and the model has been told to stop.
    pub async fn answer(&self, may: &May<Converse>, ask: Ask) -> Result<Answer> {
        if matches!(ask.target, Target::Beside(_, Anew::Further(_))) {
            return Box::pin(self.answer_further(may, ask)).await;
        }
        let opened = self.open(may, &ask).await?;
        let Plan { voice, mut check } = self.plan(may, &opened, &ask).await?;
        let completion = match voice {
            Voice::House(completion) => completion,
            Voice::Model(request) => {
                let request = ChatRequest { limit: Some(self.rooms.deadline), ..request };
                let mut completion = self.complete(request, &opened.cancel).await?;
                completion.text = check.pass(&completion.text);
                completion
            }
        };
        let message = release(&opened, &mut *check, completion, self.rooms.ambient.now());
        self.note_refused(&opened, &*check);
        let turn = opened.turn(message.clone());
        let audit = noted(may, &opened);
        // A session that another request has opened meanwhile takes the turn into its own conversation.
        let conversation_id = self.rooms.store.record_turn(turn, audit).await?;
        self.entitle(&opened).await;
        let message = Message { conversation_id, ..message };
        kind::settled(self, &opened, &message).await?;
        tracing::info!(
            app = %opened.app.id,
            conversation = %conversation_id,
            output_tokens = message.output_tokens,
            "turn answered"
        );
        Ok(Answer { conversation_id, user_message: opened.user, message })
    }

    async fn complete(&self, request: ChatRequest, cancel: &CancellationToken) -> Result<Completion> {
        // The guard tells the provider to stop when the caller goes away and this future is dropped.
        let stop = cancel.child_token();
        let _stop = stop.clone().drop_guard();
        tokio::select! {
            biased;
            completion = self.rooms.models.complete(request, stop.clone()) => completion,
            () = cancel.cancelled() => Err(Fault::new(Code::Conflict).say("the answer was stopped")),
        }
    }

    /// Finds or makes the place of the turn: the conversation, the earlier messages, the ids of the new ones.
    pub(crate) async fn open(&self, may: &May<Converse>, ask: &Ask) -> Result<Opened> {
        let rooms = &self.rooms;
        let app = rooms.catalog.get(&may.what().0)?.clone();
        if !kind::converses(app.kind) {
            return Err(Fault::invalid(
                "app",
                "wrong_kind",
                "this app holds files; there is nobody to talk to in it",
            ));
        }
        let admitted = self.admit(may, &app, ask)?;
        let owner = may.owner();
        let existing = match &ask.target {
            Target::Conversation(id) | Target::Beside(id, _) => {
                let conversation = rooms.store.conversation(&owner, *id).await?;
                (conversation.app == app.id)
                    .then_some(conversation)
                    .ok_or(Fault::new(Code::NotFound))
                    .map(Some)?
            }
            Target::Session(session) => rooms.store.conversation_by_session(&owner, &app.id, session).await?,
            Target::New => None,
        };
        // The store decides, in the transaction; this only spares the model a question that cannot be kept.
        if let (Some(conversation), Some(most)) = (&existing, app.max_user_messages)
            && conversation.user_messages >= most
            && !matches!(ask.target, Target::Beside(_, Anew::Answer(_) | Anew::Further(_)))
        {
            return Err(Code::ConversationFull.into());
        }
        let conversation_id = existing.as_ref().map_or_else(|| ConversationId::new(&rooms.ambient), |c| c.id);
        let cancel = rooms.stop.child_token();
        let place = self.live.occupy(conversation_id, cancel.clone())?;
        if existing.is_some() {
            self.alone(&owner, conversation_id).await?;
        }
        let (joint, before) = match ask.target {
            Target::Beside(_, anew) => Box::pin(self.beside(&owner, conversation_id, anew)).await?,
            Target::Conversation(_) | Target::Session(_) | Target::New => (Joint::End, None),
        };
        let most = app.context_messages;
        let attached = match (&ask.brought.files, &before) {
            // Other words in the place of a message leave its files where they are.
            (None, Some(before)) => before.details.clone(),
            _ => {
                let attached = Box::pin(self.attach(may, &app, ask)).await?;
                self.admit_attached(may, &app, &attached)?;
                attached::details(&attached)
            }
        };
        let earlier = match (&existing, &ask.options.history, joint) {
            (Some(conversation), None, Joint::End) if conversation.messages > 0 => {
                rooms.store.recent_messages(&owner, conversation.id, most).await?
            }
            (Some(conversation), None, Joint::Under(Some(parent))) => {
                rooms.store.lineage(&owner, conversation.id, parent, most).await?
            }
            (Some(conversation), None, Joint::Again) => match before.as_ref().and_then(|said| said.parent_id)
            {
                Some(parent) => rooms.store.lineage(&owner, conversation.id, parent, most).await?,
                None => Vec::new(),
            },
            _ => Vec::new(),
        };
        let said = Message {
            id: MessageId::new(&rooms.ambient),
            conversation_id,
            parent_id: match joint {
                Joint::Under(parent) => parent,
                Joint::End | Joint::Again => earlier.last().map(|message| message.id),
            },
            role: Role::User,
            content: ask.content.clone(),
            citations: Value::Array(Vec::new()),
            created_at: rooms.ambient.now(),
            finish_reason: Some(FinishReason::Stop),
            model: None,
            input_tokens: None,
            output_tokens: None,
            details: attached,
        };
        let user = before.filter(|_| joint == Joint::Again).unwrap_or(said);
        let untitled = existing.as_ref().is_some_and(|c| c.title.is_none());
        let opening = match existing {
            Some(conversation) => Opening::Existing(conversation.id),
            None => Opening::New {
                id: conversation_id,
                title: Some(title(&ask.content)),
                topic: None,
                session: match &ask.target {
                    Target::Session(session) => Some(session.clone()),
                    Target::Conversation(_) | Target::Beside(..) | Target::New => None,
                },
            },
        };
        let taken_up = match ask.target {
            Target::Beside(_, Anew::Further(answer)) => {
                Some(Box::pin(self.unfinished(&app, &owner, conversation_id, answer)).await?)
            }
            _ => None,
        };
        let assistant = taken_up.as_ref().map_or_else(|| MessageId::new(&rooms.ambient), |answer| answer.id);
        Ok(Opened {
            app,
            owner,
            conversation_id,
            opening,
            joint,
            user,
            assistant,
            taken_up,
            earlier,
            untitled,
            admitted,
            cancel,
            _place: place,
        })
    }

    /// That no answer is being written in a conversation by another replica. In SQLite there is none. The store decides,
    /// in the transaction; this only spares the model a question that cannot be kept.
    pub(crate) async fn alone(&self, owner: &Subject, id: ConversationId) -> Result<()> {
        let store = &self.rooms.store;
        if store.engine() != "sqlite" && store.is_being_written(owner, id).await? {
            return Err(busy());
        }
        Ok(())
    }

    /// Gives an untitled conversation a title made from its first message. A title is a convenience: if it cannot
    /// be stored, the turn still stands.
    pub(crate) async fn entitle(&self, opened: &Opened) {
        if !opened.untitled {
            return;
        }
        let change = ConversationChange { title: Some(title(&opened.user.content)), topic: None };
        let store = &self.rooms.store;
        let done = store.update_conversation(&opened.owner, opened.conversation_id, change, Vec::new());
        if let Err(fault) = Box::pin(done).await {
            tracing::warn!(code = fault.code().as_str(), "a title could not be stored");
        }
    }

    /// How the turn is answered: with words that help, where somebody speaks of harming themselves; else as the kind
    /// of the app decides.
    pub(crate) async fn plan(&self, may: &May<Converse>, opened: &Opened, ask: &Ask) -> Result<Plan> {
        match &opened.admitted.support {
            Some(text) => Ok(Plan::said(text)),
            None => {
                let plan = kind::plan(self, may, opened, ask).await?;
                let plan = match plan.voice {
                    Voice::Model(_) if opened.app.moderation => {
                        Plan { check: Box::new(Watched::new(plan.check, opened.app.policy)), ..plan }
                    }
                    _ => plan,
                };
                Ok(match &opened.taken_up {
                    Some(answer) => Plan { check: Box::new(Seam::new(plan.check, &answer.content)), ..plan },
                    None => plan,
                })
            }
        }
    }
}

impl Opened {
    /// The answer as it begins: no text, no reason to have finished.
    pub(crate) fn blank(&self, now: kernel::Time) -> Message {
        Message {
            id: self.assistant,
            conversation_id: self.conversation_id,
            parent_id: Some(self.user.id),
            role: Role::Assistant,
            content: String::new(),
            citations: Value::Array(Vec::new()),
            created_at: now,
            finish_reason: None,
            model: None,
            input_tokens: None,
            output_tokens: None,
            details: Value::Null,
        }
    }

    /// The rows to be written.
    pub(crate) fn turn(&self, assistant: Message) -> Turn {
        Turn {
            owner: self.owner,
            app: self.app.id.clone(),
            opening: self.opening.clone(),
            joint: self.joint,
            user: self.user.clone(),
            assistant,
            // Another answer to what has been said is no message of the user.
            max_user_messages: self.app.max_user_messages.filter(|_| self.joint != Joint::Again),
            max_conversations: self.app.most_conversations(self.owner),
        }
    }
}

/// The answer as it is stored and given out: what the check let through, verified citations, and why it ended.
fn release(opened: &Opened, check: &mut dyn Check, completion: Completion, now: kernel::Time) -> Message {
    let closing = check.close(&completion.quotes);
    Message {
        citations: Value::Array(closing.citations),
        content: completion.text + &closing.rest,
        details: closing.details,
        finish_reason: Some(closing.finish.unwrap_or(finish_reason(completion.finish))),
        model: Some(completion.model),
        input_tokens: Some(completion.usage.input_tokens),
        output_tokens: Some(completion.usage.output_tokens),
        ..opened.blank(now)
    }
}

pub(crate) const fn finish_reason(finish: Finish) -> FinishReason {
    match finish {
        Finish::Stop => FinishReason::Stop,
        Finish::Length => FinishReason::Length,
        Finish::ContentFilter => FinishReason::Blocked,
    }
}

pub(crate) fn written(may: &May<Converse>, opened: &Opened) -> AuditEvent {
    AuditEvent::new(EventType::DataWritten, opened.owner)
        .from(may.who().address())
        .to(format_args!("conversation:{}", opened.conversation_id))
        .with("app", opened.app.id.as_str())
        .with("messages", if opened.joint == Joint::Again { 1 } else { 2 })
}

/// Shared by every reader of a stream.
pub(crate) fn shared(message: &Message) -> Arc<Message> {
    Arc::new(message.clone())
}
