//! A streamed answer as it is read: events in, pieces out. It owns what an event may do to an answer: add text,
//! end it, count it. Nothing else of an event passes. It never waits longer than it is told to.

use std::time::Duration;

use guard::outbound::Body;
use tokio::time::{Instant, timeout_at};

use super::call::inside;
use super::sse::Reader;
use super::wire::{Counts, Event};
use super::{TEXT, name, reason, usage};
use crate::chat::{Completion, Finish, Finished, Piece};
use crate::failure::Failure;

/// How long the usage numbers may come after the end of the text.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// A streamed answer.
pub(crate) struct Reading {
    source: Option<Body>,
    reader: Reader,
    answer: Gathered,
    /// Text that arrived and has not been given out.
    text: String,
    end: Option<Result<Finished, Failure>>,
}

/// What is known about an answer so far.
struct Gathered {
    model: String,
    input_estimate: u32,
    counts: Option<Counts>,
    finish: Option<Finish>,
    /// `[DONE]` came.
    closed: bool,
    /// Bytes and characters of text so far.
    bytes: usize,
    chars: usize,
}

impl Reading {
    /// Reads this body. `model` and `input_estimate` stand in where the provider says nothing.
    pub(crate) fn new(source: Body, model: String, input_estimate: u32) -> Reading {
        let answer =
            Gathered { model, input_estimate, counts: None, finish: None, closed: false, bytes: 0, chars: 0 };
        Reading { source: Some(source), reader: Reader::default(), answer, text: String::new(), end: None }
    }

    /// An answer that came whole although it was asked for as a stream.
    pub(crate) fn whole(completion: Completion) -> Reading {
        let Completion { text, finish, usage, model, quotes } = completion;
        let answer = Gathered {
            model: String::new(),
            input_estimate: 0,
            counts: None,
            finish: None,
            closed: true,
            bytes: 0,
            chars: 0,
        };
        let end = Some(Ok(Finished { finish, usage, model, quotes }));
        Reading { source: None, reader: Reader::default(), answer, text, end }
    }

    /// The next piece; `None` after the end. Waits for a sign of life no longer than `patience` (the failure names
    /// `step`) and never beyond `deadline`. Comments are no sign of life.
    pub(crate) async fn next(
        &mut self,
        patience: Duration,
        step: &'static str,
        deadline: Instant,
    ) -> Option<Result<Piece, Failure>> {
        let mut until = self.until(patience);
        loop {
            if !self.text.is_empty() {
                return Some(Ok(Piece::Text(std::mem::take(&mut self.text))));
            }
            if let Some(end) = self.end.take() {
                self.source = None;
                return Some(end.map(Piece::Done));
            }
            let source = self.source.as_mut()?;
            let read = match timeout_at(until.min(deadline), source.chunk()).await {
                Ok(read) => read.map_err(inside),
                // The text is complete; only the numbers are missing.
                Err(_) if self.answer.finish.is_some() => Ok(None),
                Err(_) if deadline <= until => Err(Failure::Slow("total")),
                Err(_) => Err(Failure::Slow(step)),
            };
            match self.take(read) {
                Ok(false) => {}
                Ok(true) => until = self.until(patience),
                // Text that came before the failure is given out before it.
                Err(failure) => self.end = Some(Err(failure)),
            }
        }
    }

    fn until(&self, patience: Duration) -> Instant {
        Instant::now() + if self.answer.finish.is_some() { AFTERWARDS.min(patience) } else { patience }
    }

    /// Takes what was read; says whether it held an event.
    fn take(&mut self, read: Result<Option<bytes::Bytes>, Failure>) -> Result<bool, Failure> {
        let mut alive = false;
        let (answer, text) = (&mut self.answer, &mut self.text);
        let mut take = |data: &[u8]| {
            alive = true;
            answer.event(data, text)
        };
        let ended = match read {
            Ok(Some(bytes)) => {
                self.reader.push(&bytes, &mut take)?;
                false
            }
            Ok(None) => {
                self.reader.finish(&mut take)?;
                true
            }
            // What came after the end of the text does not matter.
            Err(_) if answer.finish.is_some() => true,
            Err(failure) => return Err(failure),
        };
        if ended || self.answer.closed {
            self.end = Some(Ok(self.answer.finished()?));
        }
        Ok(alive)
    }
}

impl Gathered {
    /// One event of the stream.
    fn event(&mut self, data: &[u8], text: &mut String) -> Result<(), Failure> {
        if self.closed || data.is_empty() {
            return Ok(());
        }
        if data.trim_ascii() == b"[DONE]" {
            self.closed = true;
            return Ok(());
        }
        let event: Event<'_> = serde_json::from_slice(data)
            .map_err(|_| Failure::Garbage("an event is not of the expected form"))?;
        if event.error.is_some() {
            return Err(Failure::Garbage("the provider reports an error inside of the stream"));
        }
        if let Some(model) = event.model
            && self.bytes == 0
            && !model.0.is_empty()
            && model.0 != self.model
        {
            self.model = name(model.0.into_owned());
        }
        self.counts = event.usage.or(self.counts);
        // Only one choice was asked for.
        for choice in event.choices.into_iter().flatten().filter(|choice| choice.index == 0) {
            let more = choice.delta.and_then(|delta| delta.content.or(delta.refusal));
            if let Some(more) = more
                && self.finish.is_none()
            {
                self.add(&more.0, text);
            }
            if let Some(why) = choice.finish_reason
                && self.finish.is_none()
            {
                self.finish = Some(reason(Some(why))?);
            }
        }
        Ok(())
    }

    fn add(&mut self, more: &str, text: &mut String) {
        let room = TEXT.saturating_sub(self.bytes);
        let fitting = more.get(..more.floor_char_boundary(room)).unwrap_or(more);
        text.push_str(fitting);
        self.bytes += fitting.len();
        self.chars += fitting.chars().count();
        if fitting.len() < more.len() {
            self.finish = Some(Finish::Length);
            self.closed = true;
        }
    }

    /// The end, if the answer has one: a reason, or `[DONE]` after some text.
    fn finished(&mut self) -> Result<Finished, Failure> {
        let finish = match self.finish {
            Some(finish) => finish,
            None if self.closed && self.bytes > 0 => Finish::Stop,
            None => return Err(Failure::Garbage("the stream ended before the answer did")),
        };
        let output = u32::try_from(self.chars.div_ceil(4)).unwrap_or(u32::MAX);
        Ok(Finished {
            finish,
            usage: usage(self.counts, || self.input_estimate, || output),
            model: std::mem::take(&mut self.model),
            quotes: Vec::new(),
        })
    }
}
