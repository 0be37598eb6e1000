//! The pieces of a page that scripts fetch by themselves. The page prints the same pieces, so that an answer looks
//! the same whether it was just streamed or is read again a year later.

use askama::Template;
use kernel::Result;

use super::markdown::{self, Cites};
use super::view::{Ending, MessageView, Speaker};
use super::{Markup, fill};

#[derive(Template)]
#[template(path = "message.html")]
struct MessageTemplate<'a> {
    message: &'a MessageView,
}

/// One message of the transcript: `<article class="message …">`.
pub fn message(message: &MessageView) -> Result<String> {
    fill(&MessageTemplate { message })
}

impl MessageView {
    /// The message as an element. Used by the template of the page.
    pub(super) fn markup(&self) -> Result<Markup, askama::Error> {
        MessageTemplate { message: self }.render().map(Markup)
    }

    fn is_persons(&self) -> bool {
        self.speaker == Speaker::Person
    }

    fn is_writing(&self) -> bool {
        self.speaker == Speaker::Answerer && self.ending == Ending::Writing
    }

    fn is_builtin(&self) -> bool {
        self.model.as_deref().is_some_and(|model| model == "builtin" || model.starts_with("builtin/"))
    }

    /// The answer as sanitised HTML.
    fn prose(&self) -> Markup {
        let numbers: Vec<u32> = self.citations.iter().map(|citation| citation.number).collect();
        let anchor = self.id.to_string();
        Markup(markdown::render_cited(&self.content, Cites { anchor: &anchor, numbers: &numbers }))
    }
}
