//! The pages of the desk of customer service: the inbox, a conversation that was handed over, questions without an
//! answer, counts. What customers wrote is text, or sanitised Markdown where a model wrote it.

use askama::Template;
use kernel::Time;

use super::app::AppShell;
use super::chart::Chart;
use super::form::FormView;
use super::frame::grouped;
use super::pieces::{Empty, FilterTab};
use super::view::MessageView;
use crate::texts::{count, filters, key, say};

/// `/apps/{app}/desk`.
#[derive(Clone, Debug, Template)]
#[template(path = "desk/inbox.html")]
pub(crate) struct InboxPage {
    pub(crate) shell: AppShell,
    pub(crate) tabs: Vec<FilterTab>,
    pub(crate) rows: Vec<HandOffView>,
    pub(crate) next: Option<String>,
    pub(crate) empty: Empty,
    /// Changes when the page would look different.
    pub(crate) beat: String,
}

/// A conversation that was handed over, in a list.
#[derive(Clone, Debug)]
pub(crate) struct HandOffView {
    pub(crate) id: String,
    /// `waiting`, `claimed`, `returned` or `closed`.
    pub(crate) state: &'static str,
    /// Why the customer asked, without personal data; may be empty.
    pub(crate) reason: String,
    /// What the person is called who has it; may be empty.
    pub(crate) by: String,
    pub(crate) mine: bool,
    pub(crate) asked_at: Time,
    pub(crate) changed_at: Time,
}

impl HandOffView {
    /// The state in words, and its colour.
    pub(crate) fn standing(&self) -> (String, &'static str) {
        match (self.state, self.mine) {
            ("waiting", _) => (say("Waiting").to_string(), "warn"),
            ("claimed", true) => (say("Yours").to_string(), "accent"),
            ("claimed", false) => (self.with(key("With {name}"), key("Claimed")), ""),
            ("returned", _) => (self.with(key("Given back by {name}"), key("Given back")), ""),
            _ => (self.with(key("Closed by {name}"), key("Closed")), ""),
        }
    }

    fn with(&self, words: &str, alone: &str) -> String {
        if self.by.is_empty() {
            say(alone).to_string()
        } else {
            say(words).with("name", &self.by).to_string()
        }
    }

    /// Somebody else has it.
    pub(crate) fn is_taken(&self) -> bool {
        self.state == "claimed" && !self.mine
    }

    /// It can still be worked on.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, "waiting" | "claimed")
    }
}

/// `/apps/{app}/desk/{id}`.
#[derive(Clone, Debug, Template)]
#[template(path = "desk/hand_off.html")]
pub(crate) struct HandOffPage {
    pub(crate) shell: AppShell,
    pub(crate) hand_off: HandOffView,
    /// What it is about: a name and what was said, without personal data.
    pub(crate) summary: Vec<(String, String)>,
    pub(crate) messages: Vec<MessageView>,
    /// The form of the reply.
    pub(crate) form: FormView,
    pub(crate) beat: String,
}

/// `/apps/{app}/desk/questions`.
#[derive(Clone, Debug, Template)]
#[template(path = "desk/questions.html")]
pub(crate) struct QuestionsPage {
    pub(crate) shell: AppShell,
    pub(crate) questions: Vec<QuestionView>,
    pub(crate) empty: Empty,
}

/// A question without an answer, with those that ask nearly the same.
#[derive(Clone, Debug)]
pub(crate) struct QuestionView {
    pub(crate) id: String,
    pub(crate) question: String,
    pub(crate) count: usize,
    /// In hundredths.
    pub(crate) closest: u32,
    pub(crate) first_at: Time,
    pub(crate) last_at: Time,
    /// Where a document is added that answers it.
    pub(crate) answer: String,
    /// Where one sees what the documents say to it.
    pub(crate) search: String,
}

/// `/apps/{app}/desk/quality`.
#[derive(Clone, Debug, Template)]
#[template(path = "desk/quality.html")]
pub(crate) struct QualityPage {
    pub(crate) shell: AppShell,
    /// The spans that can be looked at.
    pub(crate) spans: Vec<FilterTab>,
    pub(crate) counts: Vec<Count>,
    pub(crate) chart: Option<Chart>,
    pub(crate) remarks: Vec<RemarkView>,
}

/// A number, and what it means.
#[derive(Clone, Debug)]
pub(crate) struct Count {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    /// How it comes about: "18 of 20 questions".
    pub(crate) of: String,
    pub(crate) meaning: &'static str,
    /// How much of the whole, in hundredths.
    pub(crate) share: Option<u32>,
}

impl Count {
    /// A part of a whole, with its share.
    pub(crate) fn share(
        name: &'static str,
        (part, whole): (u64, u64),
        unit: &str,
        meaning: &'static str,
    ) -> Count {
        let share = (part * 100 + whole / 2).checked_div(whole).and_then(|share| u32::try_from(share).ok());
        Count {
            name,
            value: share.map_or_else(|| "–".to_owned(), |share| format!("{share}\u{a0}%")),
            of: count(unit, whole).with("part", grouped(part)).to_string(),
            meaning,
            share,
        }
    }

    /// A plain number.
    pub(crate) fn plain(name: &'static str, count: u64, of: String, meaning: &'static str) -> Count {
        Count { name, value: grouped(count), of, meaning, share: None }
    }
}

/// What a customer wrote about an answer.
#[derive(Clone, Debug)]
pub(crate) struct RemarkView {
    pub(crate) up: bool,
    pub(crate) comment: String,
    pub(crate) at: Time,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_nothing_is_none() {
        assert_eq!(
            Count::share("", (0, 0), "{part} of {count} question|{part} of {count} questions", "").value,
            "–"
        );
        let count = Count::share("", (2, 3), "{part} of {count} question|{part} of {count} questions", "");
        assert_eq!(
            (count.value.as_str(), count.of.as_str(), count.share),
            ("67\u{a0}%", "2 of 3 questions", Some(67))
        );
    }
}
