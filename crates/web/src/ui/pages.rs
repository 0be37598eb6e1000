//! Whole pages: the front page, the page of an app, and the page for a request that failed.

use std::time::Duration;

use askama::Template;
use kernel::{AppKind, Result};

use super::icons::icon;
use super::view::{AppView, ChatPage, ConversationView, Ending, ErrorPage, FrontPage};
use super::{Markup, fill};

/// The page `/`: which apps run here, what answers, and where to read on.
pub fn front(page: &FrontPage) -> Result<String> {
    fill(&FrontTemplate { page, apps: &page.apps })
}

/// The page of an app, with or without an open conversation.
pub fn chat(page: &ChatPage) -> Result<String> {
    fill(&ChatTemplate { page, apps: &page.apps })
}

/// The page for a request that failed. It cannot fail itself.
pub fn failure(page: &ErrorPage) -> String {
    ErrorTemplate { page, apps: &[] }
        .render()
        .unwrap_or_else(|_| "<!doctype html><title>Error</title><p>Something went wrong.</p>".to_owned())
}

#[derive(Template)]
#[template(path = "front.html")]
struct FrontTemplate<'a> {
    page: &'a FrontPage,
    apps: &'a [AppView],
}

#[derive(Template)]
#[template(path = "chat.html")]
struct ChatTemplate<'a> {
    page: &'a ChatPage,
    apps: &'a [AppView],
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorTemplate<'a> {
    page: &'a ErrorPage,
    apps: &'a [AppView],
}

impl AppView {
    /// The address of the app's page.
    pub(super) fn url(&self) -> String {
        format!("/apps/{}", self.id)
    }

    /// The icon of its kind.
    pub(super) fn picture(&self) -> Markup {
        icon(self.kind.as_str())
    }
}

/// Conversations of about the same age.
struct Shelf<'a> {
    name: &'static str,
    conversations: Vec<&'a ConversationView>,
}

const DAY: u64 = 24 * 60 * 60;

/// The list by age. Ages are the same in every time zone, which "today" is not.
const SHELVES: [(&str, u64); 4] =
    [("Last 24 hours", DAY), ("Last 7 days", 7 * DAY), ("Last 30 days", 30 * DAY), ("Older", u64::MAX)];

impl ConversationView {
    fn heading(&self) -> &str {
        self.title.as_deref().filter(|title| !title.trim().is_empty()).unwrap_or("New conversation")
    }
}

impl ChatTemplate<'_> {
    fn shelves(&self) -> Vec<Shelf<'_>> {
        let mut rest = self.page.conversations.as_slice();
        let mut shelves = Vec::new();
        for (name, youngest) in SHELVES {
            let split = rest.partition_point(|conversation| {
                self.page.now.since(conversation.updated_at) < Duration::from_secs(youngest)
            });
            let (here, older) = rest.split_at_checked(split).unwrap_or((rest, &[]));
            if !here.is_empty() {
                shelves.push(Shelf { name, conversations: here.iter().collect() });
            }
            rest = older;
        }
        shelves
    }

    fn is_open(&self, conversation: &ConversationView) -> bool {
        self.page.conversation.as_ref().is_some_and(|open| open.id == conversation.id)
    }

    fn title(&self) -> &str {
        self.page.conversation.as_ref().map_or(self.page.app.name.as_str(), ConversationView::heading)
    }

    fn is_writing(&self) -> bool {
        self.page.messages.last().is_some_and(|last| last.ending == Ending::Writing)
    }

    /// How many messages the person may still send here; empty when there is no limit.
    fn messages_left(&self) -> String {
        let limits = &self.page.limits;
        limits
            .max_user_messages
            .map_or_else(String::new, |most| most.saturating_sub(limits.user_messages).to_string())
    }

    /// Questions for an empty page. The built-in answerer knows this server's manual and nothing else.
    fn suggestions(&self) -> [&'static str; 4] {
        match (self.page.app.kind, self.page.model.connected) {
            (AppKind::Tutor, _) => [
                "Help me see why dividing by a fraction flips it",
                "I am stuck on this equation: 3x + 7 = 22",
                "Quiz me on what causes the seasons",
                "How do I know whether an argument is sound?",
            ],
            (AppKind::Support, true) => [
                "Where is my order?",
                "How do I change my delivery address?",
                "What does the guarantee cover?",
                "I was charged twice. What now?",
            ],
            (_, false) => [
                "How do I connect a model?",
                "What does stoa check look at?",
                "How do I back up and restore?",
                "What is written to the audit log?",
            ],
            (AppKind::Chat | AppKind::Files, true) => [
                "Explain a hard idea in simple words",
                "Help me write a difficult e-mail",
                "Compare two options in a table",
                "Find the mistake in this piece of code",
            ],
        }
    }
}

impl FrontTemplate<'_> {
    fn first_app(&self) -> Option<&AppView> {
        self.apps.first()
    }
}

impl ErrorTemplate<'_> {
    /// What the person can do about it.
    fn advice(&self) -> &'static str {
        match self.page.status {
            401 => "Reload the page; when that does not help, sign in again.",
            403 => "If you think that you should be let in, ask whoever runs this server.",
            404 => "The address may be mistyped, or what was here has been deleted.",
            408 | 429 => "Wait a moment, then try again.",
            500..=599 => "Nothing that you did before is lost. Try again in a moment.",
            _ => "Go back and try it another way.",
        }
    }

    /// The title of a status that people know by its number gets the number beside it.
    fn may_retry(&self) -> bool {
        matches!(self.page.status, 408 | 429 | 500..=599)
    }
}
