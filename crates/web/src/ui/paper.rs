//! A conversation as a document: to be printed, to be shown to others, to be kept as a file that stands alone. The three
//! hold the same article without a button or a script.

use askama::Template;
use kernel::{Result, Time};

use super::form::FormView;
use super::view::{CitationView, MessageView, Speaker};
use super::{Markup, assets, fill, frame};
use crate::texts::{filters, told};

/// A conversation as a document.
#[derive(Clone, Debug)]
pub(crate) struct Paper {
    /// What it is called.
    pub(crate) title: String,
    /// The name of the app.
    pub(crate) app: String,
    /// What the one who asks is called.
    pub(crate) asker: &'static str,
    /// When it was taken.
    pub(crate) taken_at: Time,
    /// Its messages, oldest first.
    pub(crate) messages: Vec<MessageView>,
}

/// For the printer.
#[derive(Template)]
#[template(path = "paper/print.html")]
struct PrintPage<'a> {
    paper: &'a Paper,
    back: &'a str,
}

/// A file that stands alone.
#[derive(Template)]
#[template(path = "paper/alone.html")]
struct AlonePage<'a> {
    paper: &'a Paper,
}

/// For whoever has the link.
#[derive(Template)]
#[template(path = "paper/shared.html")]
struct SharedPage<'a> {
    paper: &'a Paper,
    masked: bool,
    until: Option<Time>,
}

/// Asks for the password of a link.
#[derive(Template)]
#[template(path = "paper/locked.html")]
struct LockedPage<'a> {
    form: &'a FormView,
}

/// The page that is printed; `back` leads to the conversation.
pub(crate) fn print(paper: &Paper, back: &str) -> Result<String> {
    fill(&PrintPage { paper, back })
}

/// The file that stands alone.
pub(crate) fn alone(paper: &Paper) -> Result<String> {
    fill(&AlonePage { paper })
}

/// The page of a link.
pub(crate) fn shared(paper: &Paper, masked: bool, until: Option<Time>) -> Result<String> {
    fill(&SharedPage { paper, masked, until })
}

/// The page that asks for the password of a link.
pub(crate) fn locked(form: &FormView) -> Result<String> {
    fill(&LockedPage { form })
}

impl SharedPage<'_> {
    fn ends(&self) -> Option<Markup> {
        self.until.map(frame::day)
    }
}

impl Paper {
    /// Who says a message.
    fn speaker(&self, message: &MessageView) -> String {
        match (message.speaker, &message.beside.person) {
            (Speaker::Person, _) => told(self.asker).into_owned(),
            (Speaker::Answerer, Some(_)) => message.signature().0,
            (Speaker::Answerer, None) => self.app.clone(),
        }
    }

    fn taken(&self) -> Markup {
        frame::moment(self.taken_at)
    }

    fn said(&self, message: &MessageView) -> Markup {
        frame::moment(message.created_at)
    }

    /// Where a quote stands, in words.
    fn place(&self, citation: &CitationView) -> String {
        let mut parts: Vec<&str> = citation.heading_path.iter().map(String::as_str).collect();
        parts.retain(|part| *part != citation.title);
        if parts.is_empty() && citation.source != citation.title {
            parts.push(&citation.source);
        }
        parts.join(" › ")
    }

    /// The styles that a file of its own needs.
    fn style(&self) -> Markup {
        Markup(["app.css", "paper.css"].map(assets::text).concat())
    }
}
