//! Answers being written right now: what has been written so far, who reads along, and the way to stop them.
//! Readers come and go; one that comes back later starts where it left off. It never touches the database.
//!
//! Events are numbered by the bytes of text given out so far: `message` is 0, a delta has the number of bytes
//! up to its end, and what follows the text counts on from there. A number therefore means the same whether the
//! answer is still being written or was stored long ago, and a reader can go on from either.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kernel::{Code, ConversationId, Fault, MessageId, Result};
use parking_lot::Mutex;
use serde_json::Value;
use store::Message;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::standing::Standing;

/// A resumable stream whose readers have gone runs on for this long (CONTRACT section 4).
const GRACE: Duration = Duration::from_secs(30);

/// What a reader of a stream is told, in order.
#[derive(Clone, Debug)]
pub enum StreamEvent {
    /// The turn is stored: the conversation, the user's message and the answer as it begins.
    Message {
        /// The conversation.
        conversation_id: ConversationId,
        /// The user's message.
        user_message: Arc<Message>,
        /// The answer, still empty.
        message: Arc<Message>,
    },
    /// More text.
    Delta(Arc<str>),
    /// A citation of the finished text.
    Citation(Value),
    /// The answer is complete and stored.
    Done(Arc<Message>),
    /// The answer could not be completed; what was written is stored.
    Error {
        /// The stable code.
        code: Code,
        /// One sentence for the reader.
        detail: Arc<str>,
        /// The answer as far as it came.
        message: Arc<Message>,
    },
}

impl StreamEvent {
    /// Whether nothing follows.
    pub const fn is_last(&self) -> bool {
        matches!(self, StreamEvent::Done(_) | StreamEvent::Error { .. })
    }
}

/// An event with its number.
pub type Numbered = (u64, StreamEvent);

/// Events in order with their numbers.
#[derive(Default)]
pub(crate) struct Log(Vec<Numbered>);

impl Log {
    pub(crate) fn push(&mut self, event: StreamEvent) {
        let last = self.0.last().map_or(0, |(number, _)| *number);
        let number = match &event {
            StreamEvent::Message { .. } => 0,
            StreamEvent::Delta(text) => last + text.len() as u64,
            StreamEvent::Citation(_) | StreamEvent::Done(_) | StreamEvent::Error { .. } => last + 1,
        };
        self.0.push((number, event));
    }

    /// The events after number `last`; all of them when it is `None`. Where `last` falls into a text, the rest
    /// of that text.
    pub(crate) fn after(&self, last: Option<u64>) -> Vec<Numbered> {
        let Some(last) = last else { return self.0.clone() };
        let rest = self.0.iter().filter(|(number, _)| *number > last);
        rest.map(|(number, event)| (*number, cut(*number, event, last))).collect()
    }
}

/// The part of an event that lies after number `last`.
fn cut(number: u64, event: &StreamEvent, last: u64) -> StreamEvent {
    let StreamEvent::Delta(text) = event else { return event.clone() };
    let begin = number - text.len() as u64;
    let known = usize::try_from(last.saturating_sub(begin)).unwrap_or(0);
    let boundary = (0..=known.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    StreamEvent::Delta(text.get(boundary..).unwrap_or_default().into())
}

/// One answer being written.
pub(crate) struct Live {
    log: Mutex<Log>,
    /// How many events there are; readers wait for it to grow.
    length: watch::Sender<usize>,
    readers: watch::Sender<usize>,
    resumable: bool,
    /// No more events will come, even though the last one did not.
    closed: AtomicBool,
    conversation: ConversationId,
    message: MessageId,
}

impl Live {
    pub(crate) fn new(conversation: ConversationId, message: MessageId, resumable: bool) -> Arc<Live> {
        Arc::new(Live {
            log: Mutex::default(),
            length: watch::Sender::new(0),
            readers: watch::Sender::new(0),
            resumable,
            closed: AtomicBool::new(false),
            conversation,
            message,
        })
    }

    pub(crate) fn push(&self, event: StreamEvent) {
        self.log.lock().push(event);
        self.length.send_modify(|length| *length += 1);
    }

    /// Ends the stream for its readers, who may come back elsewhere.
    pub(crate) fn end(&self) {
        self.closed.store(true, Ordering::Release);
        self.length.send_modify(|_| {});
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Reads along, from the event after number `last`.
    pub(crate) fn subscribe(self: &Arc<Self>, last: Option<u64>) -> Subscription {
        self.readers.send_modify(|readers| *readers += 1);
        Subscription {
            live: Arc::clone(self),
            length: self.length.subscribe(),
            seen: 0,
            last,
            ended: false,
            standing: None,
        }
    }

    /// Returns once nobody has been reading for as long as this stream waits for readers to come back.
    pub(crate) fn abandoned(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut readers = self.readers.subscribe();
        let grace = if self.resumable { GRACE } else { Duration::ZERO };
        async move {
            loop {
                if readers.wait_for(|readers| *readers == 0).await.is_err() {
                    return;
                }
                tokio::select! {
                    biased;
                    back = readers.wait_for(|readers| *readers > 0) => if back.is_err() { return },
                    () = tokio::time::sleep(grace) => return,
                }
            }
        }
    }
}

/// A reader of a stream. Dropping it is how a reader goes away.
pub struct Subscription {
    live: Arc<Live>,
    length: watch::Receiver<usize>,
    seen: usize,
    last: Option<u64>,
    ended: bool,
    /// Of a reader who is not the one that asked: the stream goes on without them when they may not read any more.
    standing: Option<Standing>,
}

impl Subscription {
    /// The same for a reader whose right to read is watched.
    pub(crate) fn watched(mut self, standing: Standing) -> Subscription {
        self.standing = Some(standing);
        self
    }

    /// The conversation that the stream belongs to.
    pub fn conversation(&self) -> ConversationId {
        self.live.conversation
    }

    /// The answer being written.
    pub fn message(&self) -> MessageId {
        self.live.message
    }

    /// Everything that is there and has not been read; waits when there is nothing. `None` after the last event,
    /// and when the reader may not read any more.
    pub async fn next(&mut self) -> Option<Vec<Numbered>> {
        while !self.ended {
            let seen = self.seen;
            let standing = &self.standing;
            let lost = async {
                match standing {
                    Some(standing) => standing.lost().await,
                    None => std::future::pending().await,
                }
            };
            self.seen = tokio::select! {
                biased;
                () = lost => return None,
                length = self.length.wait_for(|length| *length > seen || self.live.is_closed()) => *length.ok()?,
            };
            let closed = self.live.is_closed();
            let events = self.live.log.lock().after(self.last);
            let Some((number, event)) = events.last() else {
                if closed {
                    return None;
                }
                continue;
            };
            self.last = Some(*number);
            self.ended = event.is_last();
            return Some(events);
        }
        None
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.live.readers.send_modify(|readers| *readers = readers.saturating_sub(1));
    }
}

/// The answers being written in this process, one for a conversation at the most.
#[derive(Clone, Default)]
pub(crate) struct LiveTurns(Arc<Mutex<HashMap<ConversationId, Slot>>>);

/// What occupies a conversation: an answer with or without readers.
struct Slot {
    cancel: CancellationToken,
    live: Option<Arc<Live>>,
}

impl LiveTurns {
    /// Occupies a conversation for one turn; fails with `conflict` while another is being answered.
    pub(crate) fn occupy(&self, conversation: ConversationId, cancel: CancellationToken) -> Result<Occupied> {
        let mut turns = self.0.lock();
        if turns.contains_key(&conversation) {
            return Err(busy());
        }
        turns.insert(conversation, Slot { cancel, live: None });
        Ok(Occupied { turns: self.clone(), conversation })
    }

    pub(crate) fn publish(&self, conversation: ConversationId, live: &Arc<Live>) {
        if let Some(slot) = self.0.lock().get_mut(&conversation) {
            slot.live = Some(Arc::clone(live));
        }
    }

    /// The stream of the answer that is being written in this conversation.
    pub(crate) fn find(&self, conversation: ConversationId) -> Option<Arc<Live>> {
        self.0.lock().get(&conversation).and_then(|slot| slot.live.clone())
    }

    /// Stops the answer that is being written; `false` when there is none.
    pub(crate) fn stop(&self, conversation: ConversationId) -> bool {
        let turns = self.0.lock();
        turns.get(&conversation).inspect(|slot| slot.cancel.cancel()).is_some()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().len()
    }
}

/// Another turn while an answer is being written.
pub(crate) fn busy() -> Fault {
    Fault::new(Code::Conflict).say("an answer is being written in this conversation; stop it or wait")
}

/// Holds a conversation until dropped.
pub(crate) struct Occupied {
    turns: LiveTurns,
    conversation: ConversationId,
}

impl Drop for Occupied {
    fn drop(&mut self) {
        self.turns.0.lock().remove(&self.conversation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(parts: &[&str]) -> Log {
        let mut log = Log::default();
        for part in parts {
            log.push(StreamEvent::Delta((*part).into()));
        }
        log.push(StreamEvent::Citation(Value::Null));
        log
    }

    fn text(events: &[Numbered]) -> String {
        events
            .iter()
            .filter_map(|(_, event)| match event {
                StreamEvent::Delta(text) => Some(text.as_ref()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn a_reader_that_comes_back_gets_exactly_the_rest_however_the_text_was_cut() {
        let (live, stored) = (log(&["Grü", "ße, ", "Welt"]), log(&["Grüße, Welt"]));
        for (number, _) in live.after(None) {
            let before: String = "Grüße, Welt"
                .chars()
                .scan(0, |at, c| {
                    *at += c.len_utf8() as u64;
                    (*at <= number).then_some(c)
                })
                .collect();
            for log in [&live, &stored] {
                assert_eq!(format!("{before}{}", text(&log.after(Some(number)))), "Grüße, Welt", "{number}");
            }
        }
        assert_eq!(live.after(Some(13)).len(), 1, "the citation follows the text");
        assert!(live.after(Some(14)).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_resumable_stream_waits_for_its_readers_and_another_does_not() {
        for (resumable, waits) in [(true, 30), (false, 0)] {
            let id = uuid::Uuid::nil();
            let live = Live::new(ConversationId::from_uuid(id), MessageId::from_uuid(id), resumable);
            let reader = live.subscribe(None);
            let started = tokio::time::Instant::now();
            let abandoned = tokio::spawn(live.abandoned());
            drop(reader);
            abandoned.await.unwrap();
            assert_eq!(started.elapsed().as_secs(), waits);
        }
    }

    #[test]
    fn a_conversation_takes_one_turn_at_a_time() {
        let turns = LiveTurns::default();
        let id = ConversationId::from_uuid(uuid::Uuid::nil());
        let place = turns.occupy(id, CancellationToken::new()).unwrap();
        assert_eq!(
            turns.occupy(id, CancellationToken::new()).err().map(|fault| fault.code()),
            Some(Code::Conflict)
        );
        assert!(turns.stop(id));
        drop(place);
        assert!(!turns.stop(id));
        assert!(turns.occupy(id, CancellationToken::new()).is_ok());
    }
}
