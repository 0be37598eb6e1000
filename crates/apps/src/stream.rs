//! An answer in pieces. The turn is stored before the first event is given out; a task of its own then drives
//! the model, so that readers may come and go. Each piece is stored before it is given out (`pen.rs`), and so is the
//! end, whatever the reason for it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use identity::{ConversationRead, Converse, May, Principal};
use kernel::{Code, ConversationId, Fault, MessageId, Result};
use llm::{Completion, Piece};
use serde_json::Value;
use store::{FinishReason, FinishedMessage, Message};
use tracing::Instrument as _;

use crate::admit;
use crate::follow::blank;
use crate::live::{Live, Log, Numbered, StreamEvent, Subscription};
use crate::pen::Pen;
use crate::plan::{Plan, Voice};
use crate::standing::Standing;
use crate::turn::{self, Opened};
use crate::{Ask, Hall, kind};

/// How often somebody who waits for an answer that another replica writes looks for its end.
const WAITING: Duration = Duration::from_millis(250);

/// Tries to store the end of an answer while the database is away, and the wait between two.
const CLOSE_TRIES: u32 = 20;
const CLOSE_WAIT: Duration = Duration::from_millis(500);
/// The wait after those, when the readers have been told.
const CLOSE_LATE: Duration = Duration::from_secs(5);

impl Hall {
    /// Begins to answer in pieces. The model is asked while the turn is being stored; if it cannot be stored,
    /// the model is told to stop and nothing is given out.
    pub async fn stream(&self, may: &May<Converse>, ask: Ask) -> Result<Subscription> {
        let opened = self.open(may, &ask).await?;
        let Plan { voice, check } = self.plan(may, &opened, &ask).await?;
        let begun = match &opened.taken_up {
            Some(answer) => Message { finish_reason: None, ..answer.clone() },
            None => opened.blank(self.rooms.ambient.now()),
        };
        let asked = opened.cancel.child_token();
        let give_up = asked.clone().drop_guard();
        let models = self.rooms.models.clone();
        let until = asked.clone();
        let speaker = match voice {
            Voice::House(completion) => Speaker::House(completion),
            Voice::Model(request) => Speaker::Model(tokio::spawn(
                async move { models.stream(request, until).await }.in_current_span(),
            )),
        };
        let audit = admit::noted(may, &opened);
        let store = &self.rooms.store;
        let conversation_id = match &opened.taken_up {
            Some(answer) => {
                store.take_up(&opened.owner, answer.conversation_id, answer.id, audit).await?;
                answer.conversation_id
            }
            // A session that another request has opened meanwhile takes the turn into its own conversation.
            None => store.begin_turn(opened.turn(begun.clone()), audit).await?,
        };
        let begun = Message { conversation_id, ..begun };
        give_up.disarm();
        self.entitle(&opened).await;
        self.mark_admitted(&opened, conversation_id).await;
        let live = Live::new(conversation_id, opened.assistant, ask.resumable);
        let reader = live.subscribe(None);
        self.live.publish(opened.conversation_id, &live);
        live.push(StreamEvent::Message {
            conversation_id,
            user_message: turn::shared(&opened.user),
            message: Arc::new(blank(&begun)),
        });
        if !begun.content.is_empty() {
            live.push(StreamEvent::Delta(begun.content.as_str().into()));
        }
        let hall = self.clone();
        let who = may.who().clone();
        let mut pen = Pen::new(store.clone(), opened.owner, Arc::clone(&live), begun, check);
        let driven = async move {
            match speaker {
                Speaker::House(completion) => pen.state(completion),
                Speaker::Model(pieces) => hall.write(&live, &who, &opened, pieces, &mut pen).await,
            }
            asked.cancel();
            hall.close(&live, opened, pen).await;
        };
        // The lines about an answer carry the id of the request that asked for it.
        self.rooms.tasks.spawn(driven.in_current_span());
        Ok(reader)
    }

    /// Reads along with the answer that is being written in a conversation, here or at another replica, from the event
    /// after number `last`; `None` when none is.
    pub async fn resume(
        &self,
        may: &May<ConversationRead>,
        id: ConversationId,
        last: Option<u64>,
    ) -> Result<Option<Subscription>> {
        let app = self.conversation(may, id).await?.app;
        let standing = || Standing::watch(&self.rooms.identity, may.who(), &app);
        let reader = match self.live.find(id) {
            Some(live) => Some(live.subscribe(last)),
            None => self.follow(may, id, last).await?,
        };
        Ok(reader.map(|reader| reader.watched(standing())))
    }

    /// The events of a stored answer, from the event after number `last`: of the newest answer, or of the one
    /// that is named. Fails with `not_found` when there is none.
    pub async fn replay(
        &self,
        may: &May<ConversationRead>,
        id: ConversationId,
        answer: Option<MessageId>,
        last: Option<u64>,
    ) -> Result<Vec<Numbered>> {
        self.conversation(may, id).await?;
        let store = &self.rooms.store;
        let message = self.written(may, id, answer).await?;
        let asked = message.parent_id.ok_or(Fault::new(Code::NotFound))?;
        let user = store.message(&may.owner(), id, asked).await?;
        let mut log = Log::default();
        log.push(StreamEvent::Message {
            conversation_id: id,
            user_message: Arc::new(user),
            message: Arc::new(blank(&message)),
        });
        if !message.content.is_empty() {
            log.push(StreamEvent::Delta(message.content.as_str().into()));
        }
        for citation in message.citations.as_array().into_iter().flatten() {
            log.push(StreamEvent::Citation(citation.clone()));
        }
        log.push(StreamEvent::Done(Arc::new(message)));
        Ok(log.after(last))
    }

    /// A stored answer with its end. One that another replica is still writing is waited for.
    async fn written(
        &self,
        may: &May<ConversationRead>,
        id: ConversationId,
        answer: Option<MessageId>,
    ) -> Result<Message> {
        let until = tokio::time::Instant::now() + self.rooms.deadline;
        loop {
            let message = match answer {
                Some(answer) => self.rooms.store.message(&may.owner(), id, answer).await?,
                None => {
                    let newest = self.rooms.store.recent_messages(&may.owner(), id, 1).await?;
                    newest.into_iter().next().ok_or(Fault::new(Code::NotFound))?
                }
            };
            if message.finish_reason.is_some() {
                return Ok(message);
            }
            if tokio::time::Instant::now() >= until {
                // Readers that come back by themselves do so after a 503; a 409 would be final to them.
                return Err(Fault::new(Code::Unavailable)
                    .say("the answer is still being written by another server; try again")
                    .retry_after(Duration::from_secs(1)));
            }
            tokio::time::sleep(WAITING).await;
        }
    }

    /// The pieces of the model, until it ends, is stopped, nobody reads any more, or the reader's credential
    /// no longer stands.
    async fn write(&self, live: &Arc<Live>, who: &Principal, opened: &Opened, pieces: Asked, pen: &mut Pen) {
        let standing = Standing::watch(&self.rooms.identity, who, &opened.app.id);
        let (abandoned, taken) = (live.abandoned(), pen.taken());
        let told = async {
            tokio::select! {
                () = opened.cancel.cancelled() => {}
                () = abandoned => {}
                () = standing.lost() => {}
                () = taken => {}
            }
        };
        tokio::pin!(told);
        // In this order: being told to stop ends the model's stream too, and that end is no failure of the model.
        let started = tokio::select! {
            biased;
            () = &mut told => return self.cut(pen),
            started = pieces => started,
        };
        let mut pieces = match started {
            Ok(Ok(pieces)) => pieces,
            Ok(Err(fault)) => return pen.fail(fault),
            Err(panic) => return pen.fail(Fault::internal(panic)),
        };
        loop {
            let piece = tokio::select! {
                biased;
                () = &mut told => return self.cut(pen),
                // Stopped, or its conversation deleted, at another replica.
                stored = pen.stored() => match stored {
                    Ok(()) => continue,
                    Err(_) => return self.cut(pen),
                },
                piece = pieces.next() => piece,
            };
            match piece {
                Some(Ok(Piece::Text(text))) => {
                    let passed = pen.check.pass(&text);
                    pen.say(&passed);
                    if !pen.check.refused().is_empty() || pen.check.leaked() {
                        pen.message.finish_reason = Some(FinishReason::Blocked);
                        return;
                    }
                }
                Some(Ok(Piece::Done(finished))) => return pen.finish(finished),
                Some(Err(fault)) => return pen.fail(fault),
                None => {
                    return pen
                        .fail(Fault::new(Code::ModelUnavailable).because("the stream ended without an end"));
                }
            }
        }
    }

    /// Stopped before the end, by somebody or because the server stops.
    fn cut(&self, pen: &mut Pen) {
        let stopping = self.rooms.stop.is_cancelled();
        pen.message.finish_reason =
            Some(if stopping { FinishReason::Interrupted } else { FinishReason::Cancelled });
    }

    /// Stores what was written, then tells the readers that it has ended.
    async fn close(&self, live: &Live, opened: Opened, mut pen: Pen) {
        let closing = pen.check.close(&pen.quotes);
        self.note_refused(&opened, &*pen.check);
        pen.message.content.push_str(&closing.rest);
        let ended = pen.message.finish_reason.unwrap_or(FinishReason::Stop);
        pen.message.finish_reason = match ended {
            FinishReason::Stop | FinishReason::Length | FinishReason::Blocked => {
                closing.finish.or(Some(ended))
            }
            // What was cut off stays cut off, whatever the check says of the part that came.
            FinishReason::Cancelled | FinishReason::Interrupted | FinishReason::Error => Some(ended),
        };
        pen.message.details = closing.details;
        pen.message.citations = Value::Array(closing.citations.clone());
        let finished = pen.finished();
        let store = &self.rooms.store;
        let mut stored = store.finish_turn(finished.clone(), Vec::new()).await;
        for _ in 0..CLOSE_TRIES {
            match &stored {
                Err(fault) if fault.code() == Code::Unavailable => tokio::time::sleep(CLOSE_WAIT).await,
                _ => break,
            }
            stored = store.finish_turn(finished.clone(), Vec::new()).await;
        }
        let mut late = false;
        let fault = match stored {
            Ok(()) => {
                pen.show_all();
                self.mark_answer(&opened, &pen.message, &*pen.check).await;
                kind::settled(self, &opened, &pen.message).await.err().or(pen.fault.take())
            }
            Err(fault) => {
                pen.keep_shown();
                // Deleted, or ended by another replica, while it was being written: there is nothing to store.
                let gone = matches!(fault.code(), Code::NotFound | Code::Conflict);
                late = fault.code() == Code::Unavailable;
                if gone { pen.fault.take() } else { Some(fault) }
            }
        };
        let message = &pen.message;
        tracing::info!(
            app = %opened.app.id,
            conversation = %opened.conversation_id,
            finish_reason = message.finish_reason.map(FinishReason::as_str),
            output_tokens = message.output_tokens,
            "stream ended"
        );
        for citation in closing.citations {
            live.push(StreamEvent::Citation(citation));
        }
        let message = Arc::new(message.clone());
        live.push(match fault {
            None => StreamEvent::Done(message),
            Some(fault) => {
                tracing::warn!(code = fault.code().as_str(), cause = ?fault.cause().map(ToString::to_string), "stream failed");
                StreamEvent::Error { code: fault.code(), detail: fault.message().into(), message }
            }
        });
        if late {
            self.close_late(opened, finished).await;
        }
    }

    /// The database was away for longer than the readers were kept waiting: the end is stored when it is back. Until then
    /// the conversation is occupied. When the server stops before that, the next start marks the answer.
    async fn close_late(&self, _opened: Opened, finished: FinishedMessage) {
        loop {
            tokio::select! {
                () = self.rooms.stop.cancelled() => return,
                () = tokio::time::sleep(CLOSE_LATE) => {}
            }
            match self.rooms.store.finish_turn(finished.clone(), Vec::new()).await {
                Err(fault) if fault.code() == Code::Unavailable => {}
                _ => return,
            }
        }
    }
}

/// Who speaks in this stream.
enum Speaker {
    House(Completion),
    Model(Asked),
}

/// The model's stream, being opened while the turn is stored.
type Asked = tokio::task::JoinHandle<Result<llm::Pieces>>;
