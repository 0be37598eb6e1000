//! A streamed answer as it is read: bytes in, pieces out, whatever the provider speaks. It owns what an event may do
//! to an answer: add text, end it, count it. Nothing else of an event passes. It never waits longer than it is told to.

use std::time::Duration;

use guard::outbound::Body;
use tokio::time::{Instant, timeout_at};

use crate::bedrock::{self, frame};
use crate::call::inside;
use crate::chat::{Completion, Finish, Finished, Piece, Usage};
use crate::failure::Failure;
use crate::openai::{self, sse};
use crate::provider::name;

/// How long the usage numbers may come after the end of the text.
const AFTERWARDS: Duration = Duration::from_secs(1);
/// Most bytes of text that an answer may have. What is longer ends there, as an answer that ran out of tokens.
pub(crate) const TEXT: usize = 1 << 20;

/// A streamed answer.
pub(crate) struct Reading {
    source: Option<Body>,
    parser: Parser,
    answer: Answer,
    end: Option<Result<Finished, Failure>>,
}

/// How the bytes of an answer become events.
pub(crate) enum Parser {
    /// Server-sent events of the OpenAI protocol.
    Events(sse::Reader),
    /// Frames of Bedrock.
    Frames(frame::Reader),
}

/// What is known about an answer so far.
pub(crate) struct Answer {
    model: String,
    input_estimate: u32,
    counts: Option<(Option<u32>, Option<u32>)>,
    finish: Option<Finish>,
    /// Nothing that matters can follow.
    closed: bool,
    /// Bytes and characters of text so far.
    bytes: usize,
    chars: usize,
    /// Text that arrived and has not been given out.
    text: String,
}

impl Reading {
    /// Reads this body. `model` and `input_estimate` stand in where the provider says nothing.
    pub(crate) fn new(source: Body, parser: Parser, model: String, input_estimate: u32) -> Reading {
        Reading { source: Some(source), parser, answer: Answer::new(model, input_estimate), end: None }
    }

    /// An answer that came whole although it was asked for as a stream.
    pub(crate) fn whole(completion: Completion) -> Reading {
        let Completion { text, finish, usage, model, quotes } = completion;
        let mut answer = Answer::new(String::new(), 0);
        answer.text = text;
        let end = Some(Ok(Finished { finish, usage, model, quotes }));
        Reading { source: None, parser: Parser::Events(sse::Reader::default()), answer, end }
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
            if !self.answer.text.is_empty() {
                return Some(Ok(Piece::Text(std::mem::take(&mut self.answer.text))));
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
        let ended = match read {
            Ok(bytes) => {
                self.parser.push(bytes.as_deref(), &mut self.answer, &mut alive)?;
                bytes.is_none()
            }
            // What came after the end of the text does not matter.
            Err(_) if self.answer.finish.is_some() => true,
            Err(failure) => return Err(failure),
        };
        if ended || self.answer.closed {
            self.end = Some(Ok(self.answer.finished()?));
        }
        Ok(alive)
    }
}

impl Parser {
    /// Takes the next bytes, or the end of them, to the answer.
    fn push(&mut self, bytes: Option<&[u8]>, answer: &mut Answer, alive: &mut bool) -> Result<(), Failure> {
        match self {
            Parser::Events(reader) => {
                let mut take = |data: &[u8]| {
                    *alive = true;
                    openai::event(data, answer)
                };
                match bytes {
                    Some(bytes) => reader.push(bytes, &mut take),
                    None => reader.finish(&mut take),
                }
            }
            Parser::Frames(reader) => match bytes {
                Some(bytes) => reader.push(bytes, &mut |frame| {
                    *alive = true;
                    bedrock::event(&frame, answer)
                }),
                // A frame that was cut off after the end of the text does not matter.
                None if answer.is_finished() => Ok(()),
                None => reader.finish(),
            },
        }
    }
}

impl Answer {
    pub(crate) fn new(model: String, input_estimate: u32) -> Answer {
        Answer {
            model,
            input_estimate,
            counts: None,
            finish: None,
            closed: false,
            bytes: 0,
            chars: 0,
            text: String::new(),
        }
    }

    /// The provider names the model that answers. Only what it says first counts.
    pub(crate) fn by(&mut self, model: &str) {
        if self.bytes == 0 && !model.is_empty() && model != self.model {
            self.model = name(model.to_owned());
        }
    }

    /// More text. After the end there is none.
    pub(crate) fn add(&mut self, more: &str) {
        if self.finish.is_some() {
            return;
        }
        let room = TEXT.saturating_sub(self.bytes);
        let fitting = more.get(..more.floor_char_boundary(room)).unwrap_or(more);
        self.text.push_str(fitting);
        self.bytes += fitting.len();
        self.chars += fitting.chars().count();
        if fitting.len() < more.len() {
            self.finish = Some(Finish::Length);
            self.closed = true;
        }
    }

    /// The text is complete. Only the first end counts.
    pub(crate) fn finish(&mut self, finish: Finish) {
        self.finish.get_or_insert(finish);
    }

    /// Tokens of what went in and of what came out, as far as they are known.
    pub(crate) fn count(&mut self, counts: (Option<u32>, Option<u32>)) {
        self.counts = Some(counts);
    }

    /// Nothing that matters can follow.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// The end, if the answer has one: a reason, or the word that nothing follows after some text.
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

/// The numbers of the provider, or estimates where it gave none that make sense.
pub(crate) fn usage(
    counts: Option<(Option<u32>, Option<u32>)>,
    input: impl FnOnce() -> u32,
    output: impl FnOnce() -> u32,
) -> Usage {
    let (given_input, given_output) = counts.unwrap_or_default();
    Usage {
        input_tokens: given_input.unwrap_or_else(input),
        output_tokens: given_output.unwrap_or_else(output),
    }
}
