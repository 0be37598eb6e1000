//! An answer while it grows: what was written is stored, and only what is stored is shown. A reader therefore never saw
//! anything that a crash could take away. It never asks a model.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use kernel::{Code, Fault, Result, Subject};
use llm::{Completion, Finished, Quote};
use store::{AnswerPiece, FinishReason, FinishedMessage, Message, Store, Writing};

use crate::live::{Live, StreamEvent};
use crate::plan::Check;
use crate::turn;

/// What is written within this time is stored, and so shown, together: nobody reads faster, and a fast model costs the
/// database no more than a slow one.
const PACE: Duration = Duration::from_millis(25);

/// The wait after the database could not store a piece.
const AGAIN: Duration = Duration::from_millis(250);

/// How often the writer asks whether it is still to write, and so how soon it hears of a stop at another replica.
const LOOK: Duration = Duration::from_millis(400);

/// The answer so far, and the way of its text to the readers.
pub(crate) struct Pen {
    store: Store,
    owner: Subject,
    live: Arc<Live>,
    /// With all that was written.
    pub(crate) message: Message,
    pub(crate) check: Box<dyn Check>,
    pub(crate) quotes: Vec<Quote>,
    pub(crate) fault: Option<Fault>,
    /// The bytes of the text that are stored and shown.
    shown: usize,
    /// What is being stored: up to which byte.
    saving: Option<BoxFuture<'static, (usize, Result<()>)>>,
}

impl Pen {
    /// Goes on with this message, of which all that it says is stored and shown.
    pub(crate) fn new(
        store: Store,
        owner: Subject,
        live: Arc<Live>,
        message: Message,
        check: Box<dyn Check>,
    ) -> Pen {
        let shown = message.content.len();
        Pen { store, owner, live, message, check, quotes: Vec::new(), fault: None, shown, saving: None }
    }

    /// Writes more.
    pub(crate) fn say(&mut self, text: &str) {
        self.message.content.push_str(text);
        if self.saving.is_none() {
            self.save(Duration::ZERO);
        }
    }

    fn save(&mut self, wait: Duration) {
        let Some(text) = self.message.content.get(self.shown..).filter(|text| !text.is_empty()) else {
            return;
        };
        let until = self.message.content.len();
        let piece = AnswerPiece {
            owner: self.owner,
            conversation_id: self.message.conversation_id,
            message_id: self.message.id,
            began: self.shown,
            text: text.to_owned(),
        };
        let store = self.store.clone();
        self.saving = Some(Box::pin(async move {
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            (until, store.add_piece(piece).await)
        }));
    }

    /// Waits until what is being stored is stored, and shows it. Fails when the answer is not this process's to write any
    /// more. Never returns while there is nothing to store; nothing is lost when it is dropped.
    pub(crate) async fn stored(&mut self) -> Result<()> {
        let Some(saving) = &mut self.saving else { return std::future::pending().await };
        let (until, stored) = saving.await;
        self.saving = None;
        match stored {
            Ok(()) => {
                self.show(until);
                self.save(PACE);
                Ok(())
            }
            Err(fault) if matches!(fault.code(), Code::Conflict | Code::NotFound) => Err(fault),
            Err(fault) => {
                tracing::debug!(code = fault.code().as_str(), "a piece of an answer was not stored");
                self.save(AGAIN);
                Ok(())
            }
        }
    }

    fn show(&mut self, until: usize) {
        if let Some(text) = self.message.content.get(self.shown..until).filter(|text| !text.is_empty()) {
            self.live.push(StreamEvent::Delta(text.into()));
        }
        self.shown = until;
    }

    /// Shows the rest: all of it is stored.
    pub(crate) fn show_all(&mut self) {
        self.saving = None;
        self.show(self.message.content.len());
    }

    /// Takes back what was written and never stored: nobody saw it.
    pub(crate) fn keep_shown(&mut self) {
        self.saving = None;
        self.message.content.truncate(self.shown);
    }

    /// Keeps up this process's lease as a writer; returns when the answer has been ended by another, or deleted.
    pub(crate) fn taken(&self) -> impl Future<Output = ()> + Send + 'static {
        let (store, owner) = (self.store.clone(), self.owner);
        let (conversation, message) = (self.message.conversation_id, self.message.id);
        async move {
            loop {
                tokio::time::sleep(LOOK).await;
                // What fails here is asked again, and a save that fails says it too.
                let _ = store.keep_writing().await;
                match store.writing(&owner, conversation, message).await {
                    Ok(Writing::Over) => return,
                    Err(fault) if fault.code() == Code::NotFound => return,
                    Ok(Writing::On | Writing::Lost) | Err(_) => {}
                }
            }
        }
    }

    /// Words of the house, all at once.
    pub(crate) fn state(&mut self, said: Completion) {
        let Completion { text, finish, usage, model, quotes } = said;
        self.message.content.push_str(&text);
        self.finish(Finished { finish, usage, model, quotes });
    }

    /// The model has said all.
    pub(crate) fn finish(&mut self, done: Finished) {
        let sum = |before: Option<u32>, more: u32| Some(before.unwrap_or(0).saturating_add(more));
        self.message.finish_reason = Some(turn::finish_reason(done.finish));
        self.quotes = done.quotes;
        self.message.model = Some(done.model);
        self.message.input_tokens = sum(self.message.input_tokens, done.usage.input_tokens);
        self.message.output_tokens = sum(self.message.output_tokens, done.usage.output_tokens);
    }

    /// The model has failed.
    pub(crate) fn fail(&mut self, fault: Fault) {
        self.message.finish_reason = Some(FinishReason::Error);
        self.fault = Some(fault);
    }

    /// The answer with its end, as the store takes it.
    pub(crate) fn finished(&self) -> FinishedMessage {
        let message = &self.message;
        FinishedMessage {
            owner: self.owner,
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
}
