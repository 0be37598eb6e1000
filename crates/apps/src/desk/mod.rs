//! The desk of customer service: customers ask for a person and say what they think of answers; people with the
//! permission take conversations over, answer in them and give them back. Whoever reads or writes somebody else's
//! conversation here is named in the audit log. It never reaches a conversation that was not handed over.

mod gaps;
mod inbox;
mod summary;

use std::time::Duration;

use guard::content::{Masker, validate};
use identity::{ConversationRate, Desk, May};
use kernel::{
    AppId, AppKind, AuditEvent, ConversationId, EventType, Fault, HandOffId, MessageId, Page, PageRequest,
    Result,
};
use serde_json::{Value, json};
use store::{
    Conversation, FinishReason, HandOff, HandOffState, Message, NewFeedback, NewHandOff, Quality, Rating,
    Role,
};

use crate::{Hall, kind};

pub use gaps::OpenQuestion;
pub use inbox::{DeskState, Inbox, InboxTab, News};

/// Longest answer of a person, and longest reason or comment of a customer, in characters.
const REPLY_CHARS: usize = 20_000;
const REMARK_CHARS: usize = 2_000;

/// A conversation that was handed over, as the person at the desk sees it.
#[derive(Clone, Debug)]
pub struct Handed {
    /// The hand-off.
    pub hand_off: HandOff,
    /// What it is about, in a few lines without personal data.
    pub summary: String,
    /// Every message, oldest first.
    pub messages: Vec<Message>,
}

impl Hall {
    /// Asks for a person in one's own conversation; asked again it changes nothing.
    pub async fn ask_for_person(
        &self,
        may: &May<ConversationRate>,
        id: ConversationId,
        reason: Option<String>,
    ) -> Result<Conversation> {
        let conversation = self.rooms.store.conversation(&may.owner(), id).await?;
        may.inside(&conversation.app)?;
        if self.rooms.catalog.get(&conversation.app)?.kind != AppKind::Support {
            let say = "there is no desk in this app; ask in an app of customer service";
            return Err(Fault::invalid("id", "wrong_kind", say));
        }
        let reason = reason.filter(|reason| !reason.trim().is_empty());
        reason.as_deref().map(|reason| validate::message("reason", reason, REMARK_CHARS)).transpose()?;
        let new = NewHandOff {
            id: HandOffId::new(&self.rooms.ambient),
            conversation_id: id,
            owner: may.owner(),
            reason,
        };
        let audit = vec![event(may, EventType::DataWritten, id).with("what", "hand_off")];
        self.rooms.store.ask_hand_off(new, audit).await?;
        tracing::info!(app = %conversation.app, conversation = %id, "a person was asked for");
        self.rooms.store.conversation(&may.owner(), id).await
    }

    /// Keeps what the owner of a conversation thinks of an answer in it; without a rating it is taken back.
    pub async fn rate(
        &self,
        may: &May<ConversationRate>,
        id: ConversationId,
        message: MessageId,
        rating: Option<Rating>,
        comment: Option<String>,
    ) -> Result<()> {
        let conversation = self.rooms.store.conversation(&may.owner(), id).await?;
        may.inside(&conversation.app)?;
        let comment = comment.filter(|comment| !comment.trim().is_empty());
        comment.as_deref().map(|text| validate::message("comment", text, REMARK_CHARS)).transpose()?;
        let new =
            NewFeedback { owner: may.owner(), conversation_id: id, message_id: message, rating, comment };
        let audit = vec![event(may, EventType::DataWritten, id).with("what", "feedback")];
        self.rooms.store.set_feedback(new, audit).await
    }

    /// The conversations handed over in this app, newest first.
    pub async fn inbox(
        &self,
        may: &May<Desk>,
        state: Option<HandOffState>,
        page: PageRequest,
    ) -> Result<Page<HandOff>> {
        let app = self.desk_of(may)?;
        self.rooms.audit.note(at_desk(may, EventType::DataRead).with("what", "inbox"));
        self.rooms.store.hand_offs(&app, state, page).await.map(|page| page.map(masked))
    }

    /// One of them with everything that was said.
    pub async fn handed(&self, may: &May<Desk>, id: HandOffId) -> Result<Handed> {
        let app = self.desk_of(may)?;
        let hand_off = self.rooms.store.hand_off(&app, id).await?;
        let read = event(may, EventType::DataRead, hand_off.conversation_id);
        let mut messages = Vec::new();
        let mut page = PageRequest::first(PageRequest::MOST);
        loop {
            let piece = self.rooms.store.messages(&hand_off.owner, hand_off.conversation_id, page).await?;
            messages.extend(piece.items);
            match piece.next {
                Some(next) => page = PageRequest::parse(Some(PageRequest::MOST), Some(&next))?,
                None => break,
            }
        }
        self.rooms.audit.note(read.with("what", "messages").with("hand_off", id.to_string()));
        let summary = summary::of(&hand_off, &messages);
        Ok(Handed { hand_off, summary, messages })
    }

    /// Takes a waiting one: of several who try, one gets it.
    pub async fn claim(&self, may: &May<Desk>, id: HandOffId) -> Result<HandOff> {
        let app = self.desk_of(may)?;
        let audit = vec![changed(may, id, "claimed")];
        let claimed = self.rooms.store.claim_hand_off(&app, id, may.owner(), audit).await?;
        tracing::info!(%app, conversation = %claimed.conversation_id, "a hand-off was claimed");
        Ok(masked(claimed))
    }

    /// Answers in the customer's conversation, as a person.
    pub async fn reply(&self, may: &May<Desk>, id: HandOffId, content: String) -> Result<Message> {
        let app = self.desk_of(may)?;
        validate::message("content", &content, REPLY_CHARS)?;
        let conversation_id = self.rooms.store.hand_off(&app, id).await?.conversation_id;
        let message = Message {
            id: MessageId::new(&self.rooms.ambient),
            conversation_id,
            parent_id: None,
            role: Role::Assistant,
            content,
            citations: Value::Array(Vec::new()),
            created_at: self.rooms.ambient.now(),
            finish_reason: Some(FinishReason::Stop),
            model: None,
            input_tokens: None,
            output_tokens: None,
            details: json!({"author": "person", "by": may.owner().to_string()}),
        };
        let audit = vec![
            event(may, EventType::DataWritten, conversation_id)
                .with("what", "reply")
                .with("hand_off", id.to_string()),
        ];
        self.rooms.store.reply_hand_off(&app, id, may.owner(), message, audit).await
    }

    /// Gives a conversation back to the machine.
    pub async fn give_back(&self, may: &May<Desk>, id: HandOffId) -> Result<HandOff> {
        self.end(may, id, HandOffState::Returned).await
    }

    /// Closes a hand-off; the machine answers what comes next.
    pub async fn close_hand_off(&self, may: &May<Desk>, id: HandOffId) -> Result<HandOff> {
        self.end(may, id, HandOffState::Closed).await
    }

    async fn end(&self, may: &May<Desk>, id: HandOffId, state: HandOffState) -> Result<HandOff> {
        let app = self.desk_of(may)?;
        let audit = vec![changed(may, id, state.as_str())];
        self.rooms.store.end_hand_off(&app, id, may.owner(), state, audit).await.map(masked)
    }

    /// The counts of this app in the latest span of this length.
    pub async fn quality(&self, may: &May<Desk>, span: Duration) -> Result<Quality> {
        let app = self.desk_of(may)?;
        let since = self.rooms.ambient.now() - span;
        self.rooms.store.quality(&app, since).await
    }

    /// The app of the desk: one in which people talk.
    fn desk_of(&self, may: &May<Desk>) -> Result<AppId> {
        let app = self.rooms.catalog.get(&may.what().0)?;
        if kind::converses(app.kind) {
            return Ok(app.id.clone());
        }
        Err(Fault::invalid("app", "wrong_kind", "this app holds files; nobody talks in it"))
    }
}

/// Without personal data in the reason: lists are read over shoulders.
fn masked(hand_off: HandOff) -> HandOff {
    let reason = hand_off.reason.as_deref().map(|reason| Masker::everything().mask(reason).into_owned());
    HandOff { reason, ..hand_off }
}

fn event<P>(may: &May<P>, what: EventType, id: ConversationId) -> AuditEvent {
    AuditEvent::new(what, may.owner()).from(may.who().address()).to(format_args!("conversation:{id}"))
}

fn at_desk(may: &May<Desk>, what: EventType) -> AuditEvent {
    AuditEvent::new(what, may.owner()).from(may.who().address()).to(format_args!("app:{}", may.what().0))
}

fn changed(may: &May<Desk>, id: HandOffId, state: &str) -> AuditEvent {
    at_desk(may, EventType::DataWritten).with("hand_off", id.to_string()).with("state", state)
}
