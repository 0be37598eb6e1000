//! The pieces of a page that scripts fetch by themselves. The page prints the same pieces, so that an answer looks
//! the same whether it was just streamed or is read again a year later.

use askama::Template;
use kernel::Result;

use super::beside::signature;
use super::markdown::{self, Cites};
use super::view::{ClosestView, DeskLine, Ending, MessageView, Speaker};
use super::{Markup, fill};
use crate::texts::filters;

#[derive(Template)]
#[template(path = "message.html")]
struct MessageTemplate<'a> {
    message: &'a MessageView,
}

#[derive(Template)]
#[template(path = "news.html")]
struct NewsTemplate<'a> {
    desk: &'a DeskLine,
    messages: &'a [MessageView],
}

#[derive(Template)]
#[template(path = "earlier_messages.html")]
struct EarlierTemplate<'a> {
    earlier_url: Option<&'a str>,
    messages: &'a [MessageView],
}

/// Messages that stand before those on a page, and the way to those before them.
pub fn earlier(url: Option<&str>, messages: &[MessageView]) -> Result<String> {
    fill(&EarlierTemplate { earlier_url: url, messages })
}

/// What has happened in a conversation with a person of the desk: how it stands, and new messages.
pub fn news(desk: &DeskLine, messages: &[MessageView]) -> Result<String> {
    fill(&NewsTemplate { desk, messages })
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

    pub(super) fn is_persons(&self) -> bool {
        self.speaker == Speaker::Person
    }

    pub(super) fn is_writing(&self) -> bool {
        self.speaker == Speaker::Answerer && self.ending == Ending::Writing
    }

    /// The tutor's own rules spoke, not a model.
    fn is_rules(&self) -> bool {
        self.model.as_deref() == Some(tutor::NAME)
    }

    fn is_builtin(&self) -> bool {
        self.model.as_deref().is_some_and(|model| model == "builtin" || model.starts_with("builtin/"))
    }

    /// Written by the house itself rather than by a model.
    fn is_houses(&self) -> bool {
        self.model.as_deref() == Some("stoa")
    }

    /// Written by a model: asked again it may say something else.
    fn is_models(&self) -> bool {
        self.model.is_some()
            && !(self.is_rules() || self.is_builtin() || self.is_houses() || self.beside.quoted)
    }

    /// Whether its quotes can be opened in their documents.
    pub(super) fn has_places(&self) -> bool {
        self.citations.iter().any(|citation| !citation.href.is_empty())
    }

    /// The answer as sanitised HTML.
    pub(super) fn prose(&self) -> Markup {
        self.written(self.around().0)
    }

    /// What follows the list of closest passages.
    pub(super) fn rest(&self) -> Markup {
        self.written(self.around().1)
    }

    fn written(&self, text: &str) -> Markup {
        let numbers: Vec<u32> = self.citations.iter().map(|citation| citation.number).collect();
        let anchor = self.id.to_string();
        let cites = Cites {
            anchor: &anchor,
            numbers: &numbers,
            unfounded: self.beside.unfounded,
            hosts: self.beside.hosts.as_ref(),
        };
        Markup(markdown::render_cited(text, cites))
    }

    /// The text before and behind the lines that name closest passages: they are shown as links instead.
    fn around(&self) -> (&str, &str) {
        let lines: Vec<String> =
            self.beside.closest.iter().map(|place| format!("- {}", place.line)).collect();
        match self.content.split_once(&lines.join("\n")) {
            Some(around) if !lines.is_empty() => around,
            _ => (&self.content, ""),
        }
    }

    /// Where the list of closest passages stands: only where the text names them too.
    pub(super) fn closest(&self) -> &[ClosestView] {
        if self.around().0.len() < self.content.len() { &self.beside.closest } else { &[] }
    }

    /// Who of the desk wrote it, and the letters of the picture.
    pub(super) fn signature(&self) -> (String, String) {
        signature(self.beside.person.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use kernel::{MessageId, Time};

    use super::super::view::{Beside, CitationView, ClosestView, OpinionView};
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
            beside: Beside::default(),
        }
    }

    #[test]
    fn what_a_person_typed_is_shown_as_typed() {
        let html = message(&view(Speaker::Person, "**a** <b>\n[1]", Ending::Complete)).unwrap();
        assert!(html.contains("<div class=\"bubble\" dir=\"auto\">**a** &#60;b&#62;\n[1]</div>"), "{html}");
    }

    #[test]
    fn an_answer_is_sanitised_markdown_with_its_passages() {
        let cite = CitationView {
            number: 1,
            title: "<i>T</i>".to_owned(),
            source: "\"onload=x".to_owned(),
            quote: "<script>q</script>".to_owned(),
            heading_path: vec!["<i>H</i>".to_owned()],
            page: Some(3),
            href: String::new(),
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

    #[test]
    fn a_reply_of_a_person_looks_like_one() {
        let beside = Beside { person: Some("Ada <b>".to_owned()), ..Beside::default() };
        let html =
            message(&MessageView { beside, ..view(Speaker::Answerer, "Hello *you*", Ending::Complete) })
                .unwrap();
        assert!(
            html.contains("from-staff") && html.contains("Ada &#60;b&#62;") && html.contains("<em>you</em>"),
            "{html}"
        );
        assert!(!html.contains("data-opinion"), "a person is not rated");
        let nameless = Beside { person: Some(String::new()), ..Beside::default() };
        let html =
            message(&MessageView { beside: nameless, ..view(Speaker::Answerer, "x", Ending::Complete) })
                .unwrap();
        assert!(html.contains("A person"), "{html}");
    }

    #[test]
    fn closest_passages_are_links_in_their_place() {
        let place = |line: &str| ClosestView {
            line: line.to_owned(),
            href: "/apps/s/documents/1?passage=2#passage-2".to_owned(),
            page: None,
        };
        let beside = Beside { closest: vec![place("A *b* <i>"), place("C")], ..Beside::default() };
        let text = "Nothing.\n\nThe closest passages are:\n\n- A *b* <i>\n- C\n\nAsk a person.";
        let html = message(&MessageView {
            beside: beside.clone(),
            ..view(Speaker::Answerer, text, Ending::Complete)
        })
        .unwrap();
        assert_eq!(html.matches("#passage-2").count(), 2, "{html}");
        assert!(
            html.contains("A *b* &#60;i&#62;")
                && !html.contains("<i>")
                && html.contains("<p>Ask a person.</p>"),
            "{html}"
        );
        let other =
            message(&MessageView { beside, ..view(Speaker::Answerer, "Other words", Ending::Complete) })
                .unwrap();
        assert!(!other.contains("#passage-2"), "{other}");
    }

    #[test]
    fn citations_of_documents_are_footnotes_that_open_them() {
        let cite = CitationView {
            number: 1,
            title: "Returns".to_owned(),
            source: "Returns".to_owned(),
            quote: "Within <30> days.".to_owned(),
            heading_path: vec!["Returns".to_owned(), "How".to_owned()],
            page: Some(2),
            href: "/apps/s/documents/1?passage=2&quote=1-9#quote".to_owned(),
        };
        let beside = Beside {
            opinion: Some(OpinionView {
                action: "/apps/s/c/messages/m/feedback".to_owned(),
                rating: "up",
                comment: "<b>".to_owned(),
            }),
            unfounded: true,
            quoted: true,
            ..Beside::default()
        };
        let answer = MessageView {
            citations: vec![cite],
            beside,
            ..view(Speaker::Answerer, "Yes [1]. No \u{26a0} not found in the documents.", Ending::Complete)
        };
        let html = message(&answer).unwrap();
        for wanted in [
            "class=\"footnotes\"",
            "&#38;quote=1-9#quote",
            "How",
            "Page 2",
            "Within &#60;30&#62; days.",
            "class=\"unfounded\"",
            "id=\"why-",
            "aria-pressed=\"true\"",
            "Word for word",
        ] {
            assert!(html.contains(wanted), "{wanted} in {html}");
        }
        assert!(!html.contains("<b>") && !html.contains("<30>"));
    }
}
