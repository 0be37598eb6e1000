//! Reading along with an answer that another replica writes: its pieces are looked for in the database and given out under
//! the same numbers. However many read along here, one task looks. When the writer has gone, the answer is marked and
//! has its end. It never writes text.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use identity::{ConversationRead, May};
use kernel::{Code, ConversationId, MessageId, Result, Subject};
use parking_lot::Mutex;
use serde_json::Value;
use store::{Message, Writing};
use tracing::Instrument as _;

use crate::Hall;
use crate::live::{Live, StreamEvent, Subscription};

/// How often more text is looked for.
const PACE: Duration = Duration::from_millis(120);

/// The answers of other replicas that somebody reads along with here.
#[derive(Clone, Default)]
pub(crate) struct Followed(Arc<Mutex<HashMap<MessageId, Arc<Live>>>>);

impl Hall {
    /// Reads along with the newest answer of a conversation, from the event after number `last`, while another replica
    /// writes it; `None` when it has ended.
    pub(crate) async fn follow(
        &self,
        may: &May<ConversationRead>,
        id: ConversationId,
        last: Option<u64>,
    ) -> Result<Option<Subscription>> {
        let owner = may.owner();
        let newest = self.rooms.store.recent_messages(&owner, id, 1).await?.pop();
        let Some(message) = newest.filter(|message| message.finish_reason.is_none()) else { return Ok(None) };
        if let Some(live) = self.followed.0.lock().get(&message.id) {
            return Ok(Some(live.subscribe(last)));
        }
        let Some(asked) = message.parent_id else { return Ok(None) };
        let user = self.rooms.store.message(&owner, id, asked).await?;
        let live = Live::new(id, message.id, false);
        let reader = live.subscribe(last);
        let mut followed = self.followed.0.lock();
        if let Some(other) = followed.get(&message.id) {
            return Ok(Some(other.subscribe(last)));
        }
        followed.insert(message.id, Arc::clone(&live));
        drop(followed);
        live.push(StreamEvent::Message {
            conversation_id: id,
            user_message: Arc::new(user),
            message: Arc::new(blank(&message)),
        });
        let (hall, name) = (self.clone(), message.id);
        let look = async move {
            tokio::select! {
                biased;
                () = hall.rooms.stop.cancelled() => {}
                () = live.abandoned() => {}
                () = hall.copy(&live, owner, id, name) => {}
            }
            hall.followed.0.lock().remove(&name);
            live.end();
        };
        tokio::spawn(look.in_current_span());
        Ok(Some(reader))
    }

    /// Gives out what is stored of an answer, until it ends.
    async fn copy(&self, live: &Live, owner: Subject, id: ConversationId, name: MessageId) {
        let store = &self.rooms.store;
        let mut shown = 0;
        loop {
            let state = store.writing(&owner, id, name).await;
            if matches!(state, Ok(Writing::Lost)) {
                // Its writer is gone. Whoever finds that first marks it; what fails here is tried again.
                let _ = store.interrupt_lost().await;
                continue_after(PACE).await;
                continue;
            }
            let message = match store.message(&owner, id, name).await {
                Ok(message) => message,
                // Deleted.
                Err(fault) if fault.code() == Code::NotFound => return,
                Err(_) => {
                    continue_after(PACE).await;
                    continue;
                }
            };
            if let Some(text) = message.content.get(shown..).filter(|text| !text.is_empty()) {
                live.push(StreamEvent::Delta(text.into()));
                shown = message.content.len();
            }
            if message.finish_reason.is_some() {
                for citation in message.citations.as_array().into_iter().flatten() {
                    live.push(StreamEvent::Citation(citation.clone()));
                }
                live.push(StreamEvent::Done(Arc::new(message)));
                return;
            }
            continue_after(PACE).await;
        }
    }
}

async fn continue_after(span: Duration) {
    tokio::time::sleep(span).await;
}

/// An answer as it begins.
pub(crate) fn blank(message: &Message) -> Message {
    Message {
        content: String::new(),
        citations: Value::Array(Vec::new()),
        finish_reason: None,
        ..message.clone()
    }
}
