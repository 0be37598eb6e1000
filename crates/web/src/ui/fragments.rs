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

    /// The tutor's own rules spoke, not a model.
    fn is_rules(&self) -> bool {
        self.model.as_deref() == Some(tutor::NAME)
    }

    fn is_builtin(&self) -> bool {
        self.model.as_deref().is_some_and(|model| model == "builtin" || model.starts_with("builtin/"))
    }

    /// The answer as sanitised HTML.
    pub(super) fn prose(&self) -> Markup {
        let numbers: Vec<u32> = self.citations.iter().map(|citation| citation.number).collect();
        let anchor = self.id.to_string();
        Markup(markdown::render_cited(&self.content, Cites { anchor: &anchor, numbers: &numbers }))
    }
}

#[cfg(test)]
mod tests {
    use kernel::{MessageId, Time};

    use super::super::view::CitationView;
    use super::*;

    fn view(speaker: Speaker, content: &str, ending: Ending) -> MessageView {
        MessageView {
            id: MessageId::parse("01939f2e-7c4a-7b31-9d55-0a6f2c1e8b47").unwrap(),
            speaker,
            content: content.to_owned(),
            citations: Vec::new(),
            created_at: Time::EPOCH,
            ending,
            model: None,
        }
    }

    #[test]
    fn what_a_person_typed_is_shown_as_typed() {
        let html = message(&view(Speaker::Person, "**a** <b>\n[1]", Ending::Complete)).unwrap();
        assert!(html.contains("<div class=\"bubble\">**a** &#60;b&#62;\n[1]</div>"), "{html}");
    }

    #[test]
    fn an_answer_is_sanitised_markdown_with_its_passages() {
        let cite = CitationView {
            number: 1,
            title: "<i>T</i>".to_owned(),
            source: "\"onload=x".to_owned(),
            quote: "<script>q</script>".to_owned(),
        };
        let answer = MessageView {
            citations: vec![cite],
            model: Some("<model>".to_owned()),
            ..view(Speaker::Answerer, "**yes** [1] <script>x</script>", Ending::Length)
        };
        let html = message(&answer).unwrap();
        assert!(
            html.contains("<strong>yes</strong>")
                && html.contains("href=\"#cite-01939f2e-7c4a-7b31-9d55-0a6f2c1e8b47-1\"")
        );
        assert!(html.contains("id=\"cite-01939f2e-7c4a-7b31-9d55-0a6f2c1e8b47-1\""));
        for raw in ["<script", "<i>", "<model>", "\"onload"] {
            assert!(!html.contains(raw), "{raw} in {html}");
        }
        assert!(html.contains("length limit"));
    }

    #[test]
    fn an_unfinished_answer_waits_for_its_stream() {
        let html = message(&view(Speaker::Answerer, "", Ending::Writing)).unwrap();
        assert!(html.contains("from-answerer writing") && html.contains("class=\"stream\""));
        let built_in = MessageView {
            model: Some("builtin".to_owned()),
            ..view(Speaker::Answerer, "x", Ending::Complete)
        };
        assert!(message(&built_in).unwrap().contains("Built-in answerer"));
    }
}
