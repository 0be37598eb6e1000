//! The hot path: many turns of many conversations appended by a handful of statements.
//! Conditions are read for the whole batch, decided here in order, and the rows written together; one order can
//! never spoil another. It never opens sealed values: they arrive sealed.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::{AuditEvent, Code, ConversationId, Fault, Result};
use tokio::sync::oneshot;

use crate::bulk::{self, Rows, Verb};
use crate::data_key::{self, Held, Refusal, SubjectKey};
use crate::message::Role;
use crate::piece;
use crate::share;
use crate::trouble::Trouble;
use crate::tx::Tx;
use crate::value::{Value, values};

/// A message, sealed and ready for its row.
pub(crate) struct SealedMessage {
    pub(crate) id: String,
    pub(crate) parent: Option<String>,
    pub(crate) role: &'static str,
    pub(crate) content: Vec<u8>,
    pub(crate) citations: Option<Vec<u8>>,
    pub(crate) created_at: i64,
    pub(crate) finish_reason: Option<&'static str>,
    pub(crate) model: Option<String>,
    pub(crate) input_tokens: Option<u32>,
    pub(crate) output_tokens: Option<u32>,
    pub(crate) details: Option<Vec<u8>>,
    /// The process that writes it, while it has no end.
    pub(crate) writer: Option<Arc<str>>,
}

/// The conversation of a turn.
pub(crate) enum SealedOpening {
    Existing,
    New { title: Option<Vec<u8>>, topic: Option<Vec<u8>>, session_tag: Option<String> },
}

/// A turn on its way into the database.
pub(crate) struct TurnOrder {
    pub(crate) key: Arc<SubjectKey>,
    pub(crate) app: String,
    pub(crate) conversation: ConversationId,
    pub(crate) opening: SealedOpening,
    /// What was said and the answer; the answer alone where it is given again.
    pub(crate) messages: Vec<SealedMessage>,
    /// The first message stands under its parent, whatever the last message is.
    pub(crate) beside: bool,
    pub(crate) max_user_messages: Option<u32>,
    pub(crate) max_conversations: Option<u32>,
    pub(crate) events: Vec<AuditEvent>,
    pub(crate) outcome: Result<ConversationId, Refusal>,
    pub(crate) reply: oneshot::Sender<Result<ConversationId, Refusal>>,
}

impl TurnOrder {
    /// When its first message was made.
    fn began(&self) -> i64 {
        self.messages.first().map_or(0, |message| message.created_at)
    }

    /// Whether it opens a conversation that is counted, or the only one of a session.
    pub(crate) fn counts(&self) -> bool {
        let SealedOpening::New { session_tag, .. } = &self.opening else { return false };
        session_tag.is_some() || self.max_conversations.is_some()
    }

    pub(crate) fn answer(self) {
        // The caller may have gone; what was written stays written.
        let _ = self.reply.send(self.outcome);
    }
}

/// A conversation while its turns are decided.
struct Talk {
    id: String,
    owner: String,
    app: String,
    user_messages: i64,
    messages: i64,
    last: Option<String>,
    /// There are messages beside the path to the last.
    branched: bool,
    /// An answer is being written in it.
    busy: bool,
    updated_at: i64,
    /// Not in the database yet.
    fresh: bool,
    changed: bool,
}

/// The conversations of a batch, found by id or by the tag of the session.
#[derive(Default)]
struct Talks {
    all: Vec<Talk>,
    by_id: HashMap<String, usize>,
    by_tag: HashMap<String, usize>,
    /// How many conversations an owner has in an app.
    counts: HashMap<(String, String), u32>,
}

const TALK: &str = "SELECT id, owner, app, user_messages, messages, last_message, updated_at, session_tag, branched FROM conversations WHERE id IN";
const TALK_BY_TAG: &str = "SELECT id, owner, app, user_messages, messages, last_message, updated_at, session_tag, branched FROM conversations \
     WHERE session_tag IS NOT NULL AND session_tag IN";
const COUNT: &str = "SELECT owner, app, COUNT(*) FROM conversations WHERE owner IN";

/// Answers without an end, and until when their writers are known to live.
const WRITING: &str = "SELECT m.conversation_id, l.expires_at FROM messages m JOIN leases l ON l.name = m.writer \
     WHERE m.finish_reason IS NULL AND m.conversation_id IN";

impl Talks {
    async fn load(tx: &mut Tx, orders: &[TurnOrder]) -> Result<Talks, Trouble> {
        let mut talks = Talks::default();
        // An id that was just made belongs to nothing; should it after all, its insertion fails.
        let existing = orders.iter().filter(|order| matches!(order.opening, SealedOpening::Existing));
        let ids = existing.map(|order| order.conversation.to_string()).collect();
        let locked = tx.engine().locked();
        let mut rows = bulk::find(tx, TALK, locked, ids).await?;
        let tags = orders.iter().filter_map(|order| match &order.opening {
            SealedOpening::New { session_tag, .. } => session_tag.clone(),
            SealedOpening::Existing => None,
        });
        rows.extend(bulk::find(tx, TALK_BY_TAG, locked, tags.collect()).await?);
        for row in rows {
            let id = row.text(0)?;
            if talks.by_id.contains_key(&id) {
                continue;
            }
            let tag = row.maybe_text(7)?;
            let talk = Talk {
                id,
                owner: row.text(1)?,
                app: row.text(2)?,
                user_messages: row.int(3)?,
                messages: row.int(4)?,
                last: row.maybe_text(5)?,
                branched: row.int(8)? != 0,
                busy: false,
                updated_at: row.int(6)?,
                fresh: false,
                changed: false,
            };
            talks.add(talk, tag);
        }
        talks.note_busy(tx, orders).await?;
        let counted = orders.iter().filter(|order| {
            order.max_conversations.is_some() && matches!(order.opening, SealedOpening::New { .. })
        });
        let owners = counted.map(|order| order.key.subject.clone()).collect();
        for row in bulk::find(tx, COUNT, " GROUP BY owner, app", owners).await? {
            talks.counts.insert((row.text(0)?, row.text(1)?), row.count(2)?);
        }
        Ok(talks)
    }

    /// Marks those in which an answer is being written. Asked after their rows are locked: nobody begins one meanwhile.
    async fn note_busy(&mut self, tx: &mut Tx, orders: &[TurnOrder]) -> Result<(), Trouble> {
        let now = orders.iter().flat_map(|order| &order.messages).map(|message| message.created_at).max();
        for row in bulk::find(tx, WRITING, "", self.by_id.keys().cloned().collect()).await? {
            let writes = row.maybe_int(1)? > now;
            let talk = self.by_id.get(&row.text(0)?).and_then(|place| self.all.get_mut(*place));
            talk.into_iter().for_each(|talk| talk.busy |= writes);
        }
        Ok(())
    }

    fn add(&mut self, talk: Talk, tag: Option<String>) -> usize {
        let place = self.all.len();
        self.by_id.insert(talk.id.clone(), place);
        if let Some(tag) = tag {
            self.by_tag.insert(tag, place);
        }
        self.all.push(talk);
        place
    }

    /// Where the turn goes, or why not.
    fn place(&mut self, order: &TurnOrder) -> Result<usize, Fault> {
        let owner = &order.key.subject;
        let known = match &order.opening {
            SealedOpening::Existing => {
                let place = self.by_id.get(&order.conversation.to_string()).copied();
                Some(place.ok_or(Code::NotFound)?)
            }
            SealedOpening::New { session_tag, .. } => {
                // Two first messages of one session, sent at once, share the conversation of the first.
                let tagged = session_tag.as_ref().and_then(|tag| self.by_tag.get(tag)).copied();
                if tagged.is_none() && self.by_id.contains_key(&order.conversation.to_string()) {
                    return Err(Code::Conflict.into());
                }
                tagged
            }
        };
        if let Some(place) = known {
            let talk = self.all.get(place).ok_or(Code::Internal)?;
            if talk.owner != *owner || talk.app != order.app {
                return Err(Code::NotFound.into());
            }
            if talk.busy {
                return Err(busy());
            }
            let full = order.max_user_messages.is_some_and(|most| talk.user_messages >= i64::from(most));
            return if full { Err(Code::ConversationFull.into()) } else { Ok(place) };
        }
        if order.max_user_messages == Some(0) {
            return Err(Code::ConversationFull.into());
        }
        let count = self.counts.entry((owner.clone(), order.app.clone())).or_default();
        if order.max_conversations.is_some_and(|most| *count >= most) {
            return Err(Code::TooManyConversations.into());
        }
        *count += 1;
        let tag = match &order.opening {
            SealedOpening::New { session_tag, .. } => session_tag.clone(),
            SealedOpening::Existing => None,
        };
        let talk = Talk {
            id: order.conversation.to_string(),
            owner: owner.clone(),
            app: order.app.clone(),
            user_messages: 0,
            messages: 0,
            last: None,
            branched: false,
            busy: false,
            updated_at: order.began(),
            fresh: true,
            changed: false,
        };
        Ok(self.add(talk, tag))
    }
}

/// Another turn in a conversation in which an answer is being written.
pub(crate) fn busy() -> Fault {
    Fault::new(Code::Conflict).say("an answer is being written in this conversation; stop it or wait")
}

const NEW_TALKS: Rows = Rows {
    verb: Verb::Insert(
        "INSERT INTO conversations (id, owner, app, session_tag, title, topic, created_at, updated_at, user_messages, \
         messages, last_message)",
        "",
    ),
    width: 11,
};
const CHANGED_TALKS: Rows = Rows {
    verb: Verb::Update(
        "(id, user_messages, messages, last_message, branched, updated_at)",
        " UPDATE conversations SET user_messages = v.user_messages, messages = v.messages, \
         last_message = v.last_message, branched = v.branched, updated_at = v.updated_at \
         FROM v WHERE conversations.id = v.id",
    ),
    width: 6,
};
pub(crate) const MESSAGES: Rows = Rows {
    verb: Verb::Insert(
        "INSERT INTO messages (id, conversation_id, position, parent_id, role, content, citations, created_at, \
         finish_reason, model, input_tokens, output_tokens, details, writer)",
        "",
    ),
    width: 14,
};

/// Appends the turns; the outcome of each is set. An error means that nothing of this call may be kept.
pub(crate) async fn append(tx: &mut Tx, orders: &mut [TurnOrder], held: Held) -> Result<(), Trouble> {
    let keys: Vec<Arc<SubjectKey>> = orders.iter().map(|order| order.key.clone()).collect();
    let stale = data_key::hold(tx, &keys.iter().map(Arc::as_ref).collect::<Vec<_>>(), held).await?;
    let mut talks = Talks::load(tx, orders).await?;
    let mut rows = Vec::with_capacity(orders.len() * 2 * MESSAGES.width);
    // Which order opened which new conversation.
    let mut opened: Vec<(usize, usize)> = Vec::new();
    for (number, order) in orders.iter_mut().enumerate() {
        if stale.contains(&order.key.subject) {
            order.outcome = Err(Refusal::StaleKey);
            continue;
        }
        let place = match talks.place(order) {
            Ok(place) => place,
            Err(fault) => {
                order.outcome = Err(fault.into());
                continue;
            }
        };
        let Some(talk) = talks.all.get_mut(place) else { continue };
        if talk.fresh && !talk.changed {
            opened.push((place, number));
        }
        talk.changed = true;
        for (nth, message) in order.messages.iter().enumerate() {
            talk.messages += 1;
            talk.user_messages += i64::from(message.role == Role::User.as_str());
            talk.updated_at = talk.updated_at.max(message.created_at);
            let beside = order.beside && nth == 0;
            let parent = if beside {
                message.parent.clone()
            } else {
                message.parent.clone().or_else(|| talk.last.clone())
            };
            talk.branched |= beside && parent != talk.last;
            talk.last = Some(message.id.clone());
            talk.busy |= message.finish_reason.is_none();
            rows.extend(values![
                message.id.as_str(),
                talk.id.as_str(),
                talk.messages,
                parent,
                message.role,
                message.content.clone(),
                message.citations.clone(),
                message.created_at,
                message.finish_reason,
                message.model.as_deref(),
                message.input_tokens,
                message.output_tokens,
                message.details.clone(),
                message.writer.as_deref(),
            ]);
        }
        order.outcome = ConversationId::parse(&talk.id).map_err(Refusal::Fault);
    }
    write_talks(tx, orders, &talks, &opened).await?;
    MESSAGES.run(tx, rows).await?;
    share::end_of_edited(tx, orders).await
}

async fn write_talks(
    tx: &mut Tx,
    orders: &[TurnOrder],
    talks: &Talks,
    opened: &[(usize, usize)],
) -> Result<(), Trouble> {
    let mut rows: Vec<Value> = Vec::with_capacity(opened.len() * NEW_TALKS.width);
    for (place, number) in opened {
        let (Some(talk), Some(order)) = (talks.all.get(*place), orders.get(*number)) else { continue };
        let SealedOpening::New { title, topic, session_tag } = &order.opening else { continue };
        rows.extend(values![
            talk.id.as_str(),
            talk.owner.as_str(),
            talk.app.as_str(),
            session_tag.as_deref(),
            title.clone(),
            topic.clone(),
            order.began(),
            talk.updated_at,
            talk.user_messages,
            talk.messages,
            talk.last.as_deref(),
        ]);
    }
    NEW_TALKS.run(tx, rows).await?;
    let changed = talks.all.iter().filter(|talk| talk.changed && !talk.fresh);
    let rows = changed.flat_map(|talk| {
        values![
            talk.id.as_str(),
            talk.user_messages,
            talk.messages,
            talk.last.as_deref(),
            i64::from(talk.branched),
            talk.updated_at
        ]
    });
    CHANGED_TALKS.run(tx, rows.collect()).await?;
    Ok(())
}

/// The end of a streamed message on its way into the database.
pub(crate) struct FinishOrder {
    pub(crate) key: Arc<SubjectKey>,
    pub(crate) conversation: String,
    pub(crate) message: String,
    /// Who writes it: the end of another is not taken.
    pub(crate) writer: Option<String>,
    pub(crate) content: Vec<u8>,
    pub(crate) citations: Option<Vec<u8>>,
    /// Absent: it goes on, this is what there is so far.
    pub(crate) finish_reason: Option<&'static str>,
    pub(crate) model: Option<String>,
    pub(crate) input_tokens: Option<u32>,
    pub(crate) output_tokens: Option<u32>,
    pub(crate) details: Option<Vec<u8>>,
    pub(crate) events: Vec<AuditEvent>,
    pub(crate) outcome: Result<(), Refusal>,
    pub(crate) reply: oneshot::Sender<Result<(), Refusal>>,
}

impl FinishOrder {
    pub(crate) fn answer(self) {
        // The caller may have gone; what was written stays written.
        let _ = self.reply.send(self.outcome);
    }
}

/// Whether an end may follow the one that is stored. After an interruption it only came late; after a stop from
/// another process the writer brings the text that belongs to it. What is saved on the way never follows an end.
fn may_follow(stored: &str, end: Option<&str>) -> bool {
    match stored {
        "interrupted" => end.is_some(),
        "cancelled" => end == Some("cancelled"),
        _ => false,
    }
}

const UNFINISHED: &str = "SELECT m.id, m.conversation_id, c.owner, m.finish_reason, m.writer, m.position, c.searched FROM messages m \
     JOIN conversations c ON c.id = m.conversation_id WHERE m.role = 'assistant' AND m.id IN";
const FINISHED: Rows = Rows {
    verb: Verb::Update(
        "(id, content, citations, finish_reason, model, input_tokens, output_tokens, details)",
        " UPDATE messages SET content = v.content, citations = v.citations, finish_reason = v.finish_reason, \
         model = v.model, input_tokens = v.input_tokens, output_tokens = v.output_tokens, details = v.details \
         FROM v WHERE messages.id = v.id",
    ),
    width: 8,
};

/// Ends streamed messages; the outcome of each is set. A message that is unknown or somebody else's is
/// `not_found`; one that has ended already is a `conflict`, unless this end [`may_follow`].
pub(crate) async fn finish(tx: &mut Tx, orders: &mut [FinishOrder], held: Held) -> Result<(), Trouble> {
    let keys: Vec<Arc<SubjectKey>> = orders.iter().map(|order| order.key.clone()).collect();
    let stale = data_key::hold(tx, &keys.iter().map(Arc::as_ref).collect::<Vec<_>>(), held).await?;
    let ids = orders.iter().map(|order| order.message.clone()).collect();
    let mut open = HashMap::with_capacity(orders.len());
    // What is in the index of the search already, and is written anew: that conversation is indexed again from there.
    let mut indexed: HashMap<String, (String, i64)> = HashMap::new();
    for row in bulk::find(tx, UNFINISHED, tx.engine().locked_messages(), ids).await? {
        let (id, position) = (row.text(0)?, row.int(5)?);
        if position <= row.int(6)? {
            indexed.insert(id.clone(), (row.text(1)?, position));
        }
        open.insert(id, (row.text(1)?, row.text(2)?, row.maybe_text(3)?, row.maybe_text(4)?));
    }
    let mut rows = Vec::with_capacity(orders.len() * FINISHED.width);
    let mut ended = Vec::with_capacity(orders.len());
    for order in orders.iter_mut() {
        let known = open.get_mut(&order.message);
        let owned =
            known.filter(|(talk, owner, ..)| *talk == order.conversation && *owner == order.key.subject);
        order.outcome = match owned {
            _ if stale.contains(&order.key.subject) => Err(Refusal::StaleKey),
            None => Err(Fault::new(Code::NotFound).into()),
            Some((_, _, _, Some(writer))) if order.writer.as_ref() != Some(writer) => {
                Err(Fault::new(Code::Conflict).into())
            }
            Some((_, _, Some(reason), _)) if !may_follow(reason, order.finish_reason) => {
                Err(Fault::new(Code::Conflict).into())
            }
            Some((_, _, reason, _)) => {
                ended.push(order.message.clone());
                *reason = order.finish_reason.map(str::to_owned);
                rows.extend(values![
                    order.message.as_str(),
                    order.content.clone(),
                    order.citations.clone(),
                    order.finish_reason,
                    order.model.as_deref(),
                    order.input_tokens,
                    order.output_tokens,
                    order.details.clone(),
                ]);
                Ok(())
            }
        };
    }
    FINISHED.run(tx, rows).await?;
    for order in orders.iter().filter(|order| order.outcome.is_ok()) {
        if let Some((conversation, position)) = indexed.get(&order.message) {
            let sql = "UPDATE conversations SET searched = $2 WHERE id = $1 AND searched > $2";
            tx.run(sql, values![conversation.as_str(), position - 1]).await?;
        }
    }
    piece::gathered(tx, &ended).await
}
