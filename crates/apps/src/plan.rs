//! How a turn is answered: who speaks, and what every answer passes on its way out. A plan is made by the kind of the
//! app when the place of the turn is open; `turn.rs` and `stream.rs` carry it out, the same for every kind.
//! It never asks a model and never stores anything.

use guard::content::Finding;
use llm::{ChatRequest, Completion, Finish, Passage, Quote, Usage};
use serde_json::Value;
use store::FinishReason;

use crate::cite;

/// How a turn is answered.
pub(crate) struct Plan {
    /// Who speaks.
    pub(crate) voice: Voice,
    /// What the answer passes.
    pub(crate) check: Box<dyn Check>,
}

/// Who speaks.
pub(crate) enum Voice {
    /// The house itself: these words are the answer, no model is asked. They pass no check, but what they cite and
    /// what is kept with them come from it.
    House(Completion),
    /// A model, or the built-in answerer when there is none.
    Model(ChatRequest),
}

/// What an answer passes on its way out, whole or in pieces.
pub(crate) trait Check: Send + Sync {
    /// Takes more of the model's text and gives what of all that came so far may be shown now. It may hold back the
    /// end until it is sure of it; what has been given out cannot be taken back.
    fn pass(&mut self, text: &str) -> String;

    /// What was said and shown before, where an answer is taken up again: the text goes on behind it.
    fn seen(&mut self, before: &str) {
        self.pass(before);
    }

    /// The end of the text, or where it was cut off. `quotes` is what the model says it quoted.
    fn close(&mut self, quotes: &[Quote]) -> Closing;

    /// What the content rules block in the answer. When there is something, the model need not go on.
    fn refused(&self) -> &[Finding] {
        &[]
    }

    /// What a person should look at in the whole answer, once it is closed.
    fn marked(&self) -> &[Finding] {
        &[]
    }

    /// Whether the instructions of the model came out. When they have, the model need not go on.
    fn leaked(&self) -> bool {
        false
    }
}

/// The end of an answer.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    /// What was held back and may be shown.
    pub(crate) rest: String,
    /// What the answer cites, verified.
    pub(crate) citations: Vec<Value>,
    /// What is kept with the message; `null` for nothing.
    pub(crate) details: Value,
    /// Why the answer ended, where that is another reason than the model's.
    pub(crate) finish: Option<FinishReason>,
}

impl Plan {
    /// Words that help somebody who is in danger, in the place of an answer.
    pub(crate) fn help(text: &str) -> Plan {
        Plan { voice: Voice::House(said(text)), check: Box::new(Help) }
    }
}

/// Words of the house.
pub(crate) fn said(text: &str) -> Completion {
    Completion {
        text: text.to_owned(),
        finish: Finish::Stop,
        usage: Usage { input_tokens: 0, output_tokens: 0 },
        model: "stoa".to_owned(),
        quotes: Vec::new(),
    }
}

/// Goes with words that help: they say of themselves what they are.
struct Help;

impl Check for Help {
    fn pass(&mut self, text: &str) -> String {
        text.to_owned()
    }

    fn close(&mut self, _: &[Quote]) -> Closing {
        Closing { details: serde_json::json!({"helps": true}), ..Closing::default() }
    }
}

/// Lets everything through, and cites the passages that the marks in it name.
#[derive(Debug, Default)]
pub(crate) struct Open {
    passages: Vec<Passage>,
    text: String,
}

impl Open {
    /// For an answer that may cite these passages.
    pub(crate) fn new(passages: Vec<Passage>) -> Open {
        Open { passages, text: String::new() }
    }
}

impl Check for Open {
    fn pass(&mut self, text: &str) -> String {
        // Without passages nothing can be cited, and the text need not be kept a second time.
        if !self.passages.is_empty() {
            self.text.push_str(text);
        }
        text.to_owned()
    }

    fn close(&mut self, quotes: &[Quote]) -> Closing {
        Closing { citations: cite::citations(&self.text, &self.passages, quotes), ..Closing::default() }
    }
}
