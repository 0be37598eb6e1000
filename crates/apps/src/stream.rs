//! An answer in pieces. The turn is stored before the first event is given out; a task of its own then drives
//! the model, so that readers may come and go; what was written when it ends, for whatever reason, is stored
//! before the last event is given out.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use identity::{ConversationRead, Converse, May, Principal};
use kernel::{Code, ConversationId, Fault, MessageId, Result};
use llm::{Completion, Finished, Piece, Quote};
use serde_json::Value;
use store::{FinishReason, FinishedMessage, Message};
use tracing::Instrument as _;

use crate::admit;
use crate::live::{Live, Log, Numbered, StreamEvent, Subscription};
use crate::plan::{Check, Plan, Voice};
use crate::standing::Standing;
use crate::turn::{self, Opened};
use crate::{Ask, Hall, kind};

/// How often somebody who waits for an answer that another replica writes looks for its end.
const WAITING: Duration = Duration::from_millis(250);

/// How often the text so far is saved while it is being written, and so how soon a stop at another replica is seen.
const SAVING: Duration = Duration::from_millis(750);

/// Tries to store the end of an answer while the database is away, and the wait between two.
const CLOSE_TRIES: u32 = 20;
const CLOSE_WAIT: Duration = Duration::from_millis(500);

impl Hall {
    /// Begins to answer in pieces. The model is asked while the turn is being stored; if it cannot be stored,
    /// the model is told to stop and nothing is given out.
    pub async fn stream(&self, may: &May<Converse>, ask: Ask) -> Result<Subscription> {
        let opened = self.open(may, &ask).await?;
        let Plan { voice, check } = self.plan(may, &opened, &ask).await?;
        let blank = opened.blank(self.rooms.ambient.now());
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
        let conversation_id = self.rooms.store.begin_turn(opened.turn(blank.clone()), audit).await?;
        // A session that another request has opened meanwhile takes the turn into its own conversation.
        let blank = Message { conversation_id, ..blank };
        give_up.disarm();
        self.entitle(&opened).await;
        let live = Live::new(conversation_id, opened.assistant, ask.resumable);
        let reader = live.subscribe(None);
        self.live.publish(opened.conversation_id, &live);
        live.push(StreamEvent::Message {
            conversation_id,
            user_message: turn::shared(&opened.user),
            message: turn::shared(&blank),
        });
        let hall = self.clone();
        let who = may.who().clone();
        let driven = async move {
            let mut written = Written { message: blank, check, quotes: Vec::new(), fault: None };
            match speaker {
                Speaker::House(completion) => written.state(completion, &live),
                Speaker::Model(pieces) => hall.write(&live, &who, &opened, pieces, &mut written).await,
            }
            asked.cancel();
            hall.close(&live, &opened, written).await;
        };
        // The lines about an answer carry the id of the request that asked for it.
        self.rooms.tasks.spawn(driven.in_current_span());
        Ok(reader)
    }

    /// Reads along with the answer that is being written in a conversation, from the event after number `last`;
    /// `None` when none is.
    pub async fn resume(
        &self,
        may: &May<ConversationRead>,
        id: ConversationId,
        last: Option<u64>,
    ) -> Result<Option<Subscription>> {
        let app = self.conversation(may, id).await?.app;
        let standing = || Standing::watch(&self.rooms.identity, may.who(), &app);
        Ok(self.live.find(id).map(|live| live.subscribe(last).watched(standing())))
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
        let blank = Message {
            content: String::new(),
            citations: Value::Array(Vec::new()),
            finish_reason: None,
            ..message.clone()
        };
        log.push(StreamEvent::Message {
            conversation_id: id,
            user_message: Arc::new(user),
            message: Arc::new(blank),
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
    async fn write(
        &self,
        live: &Arc<Live>,
        who: &Principal,
        opened: &Opened,
        pieces: Asked,
        written: &mut Written,
    ) {
        let abandoned = live.abandoned();
        tokio::pin!(abandoned);
        let standing = Standing::watch(&self.rooms.identity, who, &opened.app.id);
        let mut saving = tokio::time::interval_at(tokio::time::Instant::now() + SAVING, SAVING);
        // In this order: being told to stop ends the model's stream too, and that end is no failure of the model.
        let started = tokio::select! {
            biased;
            () = opened.cancel.cancelled() => return self.cut(written),
            () = &mut abandoned => return self.cut(written),
            () = standing.lost() => return self.cut(written),
            started = pieces => started,
        };
        let mut pieces = match started {
            Ok(Ok(pieces)) => pieces,
            Ok(Err(fault)) => return written.fail(fault),
            Err(panic) => return written.fail(Fault::internal(panic)),
        };
        loop {
            let piece = tokio::select! {
                biased;
                () = opened.cancel.cancelled() => return self.cut(written),
                () = &mut abandoned => return self.cut(written),
                () = standing.lost() => return self.cut(written),
                _ = saving.tick() => {
                    self.save(opened, written);
                    continue;
                }
                piece = pieces.next() => piece,
            };
            match piece {
                Some(Ok(Piece::Text(text))) => {
                    let shown = written.check.pass(&text);
                    written.say(&shown, live);
                    if !written.check.refused().is_empty() {
                        written.message.finish_reason = Some(FinishReason::Blocked);
                        return;
                    }
                }
                Some(Ok(Piece::Done(finished))) => return written.finish(finished),
                Some(Err(fault)) => return written.fail(fault),
                None => {
                    return written
                        .fail(Fault::new(Code::ModelUnavailable).because("the stream ended without an end"));
                }
            }
        }
    }

    /// Saves what there is so far, so that a crash keeps it. The stream does not wait for it, and a save that fails is
    /// made up for by the next. One that is refused says that the answer was stopped, or its conversation deleted,
    /// at another replica: then the model is told to stop here.
    fn save(&self, opened: &Opened, written: &Written) {
        let so_far = finished(opened, &written.message);
        let (store, cancel) = (self.rooms.store.clone(), opened.cancel.clone());
        self.rooms.tasks.spawn(async move {
            match store.finish_turn(so_far, Vec::new()).await {
                Ok(()) => {}
                Err(fault) if matches!(fault.code(), Code::Conflict | Code::NotFound) => cancel.cancel(),
                Err(fault) => {
                    tracing::debug!(code = fault.code().as_str(), "the answer so far was not saved")
                }
            }
        });
    }

    /// Stopped before the end, by somebody or because the server stops.
    fn cut(&self, written: &mut Written) {
        let stopping = self.rooms.stop.is_cancelled();
        written.message.finish_reason =
            Some(if stopping { FinishReason::Interrupted } else { FinishReason::Cancelled });
    }

    /// Stores what was written, then tells the readers that it has ended.
    async fn close(&self, live: &Live, opened: &Opened, mut written: Written) {
        let closing = written.check.close(&written.quotes);
        self.note_refused(opened, &*written.check);
        written.say(&closing.rest, live);
        let message = &mut written.message;
        let ended = message.finish_reason.unwrap_or(FinishReason::Stop);
        message.finish_reason = match ended {
            FinishReason::Stop | FinishReason::Length | FinishReason::Blocked => {
                closing.finish.or(Some(ended))
            }
            // What was cut off stays cut off, whatever the check says of the part that came.
            FinishReason::Cancelled | FinishReason::Interrupted | FinishReason::Error => Some(ended),
        };
        message.details = closing.details;
        let citations = closing.citations;
        message.citations = Value::Array(citations.clone());
        let finished = finished(opened, message);
        let mut stored = self.rooms.store.finish_turn(finished.clone(), Vec::new()).await;
        for _ in 0..CLOSE_TRIES {
            match &stored {
                Err(fault) if fault.code() == Code::Unavailable => tokio::time::sleep(CLOSE_WAIT).await,
                _ => break,
            }
            stored = self.rooms.store.finish_turn(finished.clone(), Vec::new()).await;
        }
        // Deleted, or ended by another replica, while it was being written: there is nothing to store.
        let fault = match stored {
            Ok(()) => kind::settled(self, opened, message).await.err().or(written.fault),
            Err(fault) if !matches!(fault.code(), Code::NotFound | Code::Conflict) => Some(fault),
            Err(_) => written.fault,
        };
        tracing::info!(
            app = %opened.app.id,
            conversation = %opened.conversation_id,
            finish_reason = message.finish_reason.map(FinishReason::as_str),
            output_tokens = message.output_tokens,
            "stream ended"
        );
        for citation in citations {
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
    }
}

/// An answer, finished or so far, as the store takes it.
fn finished(opened: &Opened, message: &Message) -> FinishedMessage {
    FinishedMessage {
        owner: opened.owner,
        conversation_id: message.conversation_id,
        message_id: message.id,
        content: message.content.clone(),
        citations: message.citations.clone(),
        finish_reason: message.finish_reason,
        model: message.model.clone(),
        input_tokens: message.input_tokens,
        output_tokens: message.output_tokens,
        details: message.details.clone(),
    }
}

/// Who speaks in this stream.
enum Speaker {
    House(Completion),
    Model(Asked),
}

/// The model's stream, being opened while the turn is stored.
type Asked = tokio::task::JoinHandle<Result<llm::Pieces>>;

/// The answer so far.
struct Written {
    message: Message,
    check: Box<dyn Check>,
    quotes: Vec<Quote>,
    fault: Option<Fault>,
}

impl Written {
    fn say(&mut self, text: &str, live: &Live) {
        if text.is_empty() {
            return;
        }
        self.message.content.push_str(text);
        live.push(StreamEvent::Delta(text.into()));
    }

    /// Words of the house, all at once.
    fn state(&mut self, said: Completion, live: &Live) {
        let Completion { text, finish, usage, model, quotes } = said;
        self.say(&text, live);
        self.finish(Finished { finish, usage, model, quotes });
    }

    fn finish(&mut self, done: Finished) {
        self.message.finish_reason = Some(turn::finish_reason(done.finish));
        self.quotes = done.quotes;
        self.message.model = Some(done.model);
        self.message.input_tokens = Some(done.usage.input_tokens);
        self.message.output_tokens = Some(done.usage.output_tokens);
    }

    fn fail(&mut self, fault: Fault) {
        self.message.finish_reason = Some(FinishReason::Error);
        self.fault = Some(fault);
    }
}
