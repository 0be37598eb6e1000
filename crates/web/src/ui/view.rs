//! What the pages show, as plain values. It owns the shapes only: nothing here reads, decides or formats HTML.

use kernel::{AppId, AppKind, ConversationId, MessageId, Time};
use serde_json::Value;

pub use super::beside::{AttachedView, Beside, ClosestView, DeskLine, OpinionView, VersionsView};
use super::beside::{href, page_of};
pub use super::frame::{Frame, PersonView, Viewer};
use crate::texts::key;

/// An app that the person may enter.
#[derive(Clone, Debug, PartialEq)]
pub struct AppView {
    /// Its id, part of the page's address.
    pub id: AppId,
    /// What it does; decides its picture and the questions that an empty page suggests.
    pub kind: AppKind,
    /// The name people see.
    pub name: String,
    /// One sentence; may be empty.
    pub description: String,
    /// What else the person may do there than talk.
    pub tools: Vec<ToolView>,
}

/// A page of an app beside its front page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolView {
    /// Its address.
    pub href: String,
    /// Its icon.
    pub icon: &'static str,
    /// What it is called.
    pub name: &'static str,
}

/// A conversation in the list beside the transcript.
#[derive(Clone, Debug, PartialEq)]
pub struct ConversationView {
    /// Its id.
    pub id: ConversationId,
    /// Its title; "New conversation" is shown when there is none.
    pub title: Option<String>,
    /// When something was last said in it; the list is grouped by its age.
    pub updated_at: Time,
    /// Where it stands among the others.
    pub order: crate::ui::order::OrderView,
}

/// Who said a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The person: shown as plain text, exactly as typed.
    Person,
    /// The model or the built-in answerer: shown as sanitised Markdown.
    Answerer,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is being written: the page connects to its stream.
    Writing,
    /// It is complete.
    Complete,
    /// The limit of tokens cut it.
    Length,
    /// The person stopped it.
    Cancelled,
    /// The server or the provider went away while it was written.
    Interrupted,
    /// The content rules ended it.
    Blocked,
    /// It failed.
    Failed,
}

impl Ending {
    /// Reads the API's `finish_reason`: `None` is an answer that is still being written.
    pub fn from_finish_reason(reason: Option<&str>) -> Ending {
        match reason {
            None => Ending::Writing,
            Some("length") => Ending::Length,
            Some("cancelled") => Ending::Cancelled,
            Some("interrupted") => Ending::Interrupted,
            Some("blocked") => Ending::Blocked,
            Some("error") => Ending::Failed,
            Some(_) => Ending::Complete,
        }
    }

    /// Whether more could have come.
    pub const fn is_early(self) -> bool {
        matches!(self, Ending::Length | Ending::Cancelled | Ending::Interrupted | Ending::Failed)
    }

    /// One sentence under an answer that did not end by itself.
    pub fn note(self) -> Option<&'static str> {
        match self {
            Ending::Writing | Ending::Complete => None,
            Ending::Length => Some(key("The answer reached its length limit.")),
            Ending::Cancelled => Some(key("You stopped this answer.")),
            Ending::Interrupted => Some(key("This answer was interrupted. What had arrived was kept.")),
            Ending::Blocked => Some(key("The content rules of this app ended the answer.")),
            Ending::Failed => Some(key("Something went wrong while this was being written.")),
        }
    }
}

/// A message of the transcript.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageView {
    /// Its id.
    pub id: MessageId,
    /// Who said it.
    pub speaker: Speaker,
    /// The text as stored: typed by the person, or Markdown from the answerer. Untrusted either way.
    pub content: String,
    /// The passages that the answer quotes.
    pub citations: Vec<CitationView>,
    /// When it was said.
    pub created_at: Time,
    /// How it ended; messages of the person are complete.
    pub ending: Ending,
    /// What wrote it, shown small under the answer.
    pub model: Option<String>,
    /// What goes with it beyond its words.
    pub beside: Beside,
}

/// A passage that an answer quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CitationView {
    /// The number that the text carries in brackets: `[1]`.
    pub number: u32,
    /// What the document is called.
    pub title: String,
    /// Where in it: a file, a chapter, an address. May be empty. Shown as text, never as a link.
    pub source: String,
    /// The quoted passage.
    pub quote: String,
    /// The headings above it, outermost first.
    pub heading_path: Vec<String>,
    /// Its page, in documents that have pages.
    pub page: Option<u32>,
    /// The address of the quote in its document; empty where there is none to open.
    pub href: String,
}

impl CitationView {
    /// Most citations of one message that are shown.
    pub const MOST: usize = 50;

    /// Reads the API's `citations`: a list of `{"number", "title", "source", "quote"}`, those of documents with their
    /// places. Entries without a number count from 1; anything else that is missing is empty; what is not a list gives
    /// none. `app` is whose documents are quoted.
    pub fn list(citations: &Value, app: Option<&AppId>) -> Vec<CitationView> {
        let entries = citations.as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |entry: &Value, names: &[&str]| {
            names.iter().find_map(|name| entry.get(name)?.as_str()).unwrap_or_default().to_owned()
        };
        (1..)
            .zip(entries.iter().take(CitationView::MOST))
            .map(|(place, entry)| CitationView {
                number: entry
                    .get("number")
                    .and_then(Value::as_u64)
                    .and_then(|n| n.try_into().ok())
                    .unwrap_or(place),
                title: text(entry, &["title"]),
                source: text(entry, &["source", "heading_path"]),
                quote: text(entry, &["quote", "text"]),
                heading_path: headings(entry),
                page: page_of(entry),
                href: href(app, entry),
            })
            .collect()
    }
}

fn headings(entry: &Value) -> Vec<String> {
    let path = entry.get("heading_path").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    path.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelView {
    /// A model provider is configured; otherwise the built-in answerer serves and the page says so.
    pub connected: bool,
    /// The model's name as people should see it.
    pub label: String,
}

/// What the person may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitsView {
    /// Longest message in characters (Unicode scalar values).
    pub max_chars: u32,
    /// Most messages of the person in one conversation.
    pub max_user_messages: Option<u32>,
    /// How many this conversation holds already.
    pub user_messages: u32,
}

/// The page of one app: its conversations and one of them.
#[derive(Clone, Debug)]
pub struct ChatPage {
    /// The app.
    pub app: AppView,
    /// Every app that the person may enter, this one too, and who it is.
    pub frame: Frame,
    /// The person's folders, and the conversations of this app that stand above the list.
    pub ordered: crate::ui::order::OrderedView,
    /// The person's conversations in this app that are neither pinned nor in a folder, newest first.
    pub conversations: Vec<ConversationView>,
    /// The cursor of the rest of that list, for `GET /api/v1/conversations?after=`.
    pub next_conversations: Option<String>,
    /// The open conversation; the page invites to begin one when there is none.
    pub conversation: Option<ConversationView>,
    /// Its messages, oldest first.
    pub messages: Vec<MessageView>,
    /// The address of a page with the messages before these, when there are any.
    pub earlier_url: Option<String>,
    /// The messages are not the newest ones: a page to read on without scripts.
    pub past: bool,
    /// Whether a person has been asked for; `None` where nobody can be.
    pub desk: Option<DeskLine>,
    /// Whether the person may give out links to conversations of this app.
    pub shares: bool,
    /// Whether the person's messages may bring files.
    pub attaches: bool,
    /// What answers here.
    pub model: ModelView,
    /// What may be sent.
    pub limits: LimitsView,
    /// What is learned, and how far the learner has come; a tutor's conversations alone have it.
    pub lesson: Option<LessonView>,
    /// When the page is made.
    pub now: Time,
}

/// What a learner works on, and how far they have come. It holds nothing that the learner has not been given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LessonView {
    /// What the problem is called; empty for a question that the learner brought.
    pub title: String,
    /// What the learner is given; empty for a question that they brought.
    pub statement: String,
    /// For whom it is; may be empty.
    pub level: String,
    /// Where the dialogue stands, in words.
    pub stage: String,
    /// What that asks of the learner.
    pub advice: String,
    /// The learner has found the answer.
    pub solved: bool,
    /// The tutor's messages that were hints, the first first; as they were said.
    pub hints: Vec<MessageView>,
}

/// What `/health` found, for the front page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthView {
    /// `healthy`, `degraded` or `unhealthy`.
    pub status: String,
    /// Each service with its state: `operational`, `degraded`, `down` or `not_configured`.
    pub services: Vec<(String, String)>,
}

/// The page `/`.
#[derive(Clone, Debug)]
pub struct FrontPage {
    /// The apps that this person may enter, and who it is.
    pub frame: Frame,
    /// What answers.
    pub model: ModelView,
    /// Show the operator how to connect a model and which services run. Strangers in production need neither.
    pub operator_hints: bool,
    /// Nobody runs the server yet: the page says how to claim it.
    pub unclaimed: bool,
    /// What was measured; left out when the page is made without asking.
    pub health: Option<HealthView>,
    /// The server's own address without a slash at the end, for the commands shown.
    pub base_url: String,
    /// The version of the server.
    pub version: String,
}

/// A page for a request that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPage {
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// A short title.
    pub title: String,
    /// One sentence for the person; never a cause, path or stack.
    pub detail: String,
    /// What an operator finds in the log.
    pub request_id: String,
    /// How long to wait, in seconds, when the request may be repeated.
    pub retry_after: Option<u64>,
    /// Where signing in would help: the address of that page.
    pub sign_in: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn citations_are_read_from_whatever_is_stored() {
        let citations = CitationView::list(
            &json!([
                {"number": 3, "title": "Operations", "source": "operations.md", "quote": "Back up daily."},
                {"title": "Second"},
                17,
                {"number": -4, "quote": null, "text": "kept"},
            ]),
            None,
        );
        assert_eq!(citations.iter().map(|c| c.number).collect::<Vec<_>>(), [3, 2, 3, 4]);
        assert_eq!(citations[0].quote, "Back up daily.");
        assert_eq!(citations[2].title, "");
        assert_eq!(citations[3].quote, "kept");
        for nothing in [json!(null), json!({}), json!("x"), json!([])] {
            assert!(CitationView::list(&nothing, None).is_empty());
        }
        assert_eq!(CitationView::list(&json!(vec![json!({}); 1000]), None).len(), CitationView::MOST);
    }

    #[test]
    fn only_a_missing_reason_means_writing() {
        assert_eq!(Ending::from_finish_reason(None), Ending::Writing);
        assert_eq!(Ending::from_finish_reason(Some("stop")), Ending::Complete);
        assert_eq!(Ending::from_finish_reason(Some("something new")), Ending::Complete);
        assert!(Ending::Interrupted.note().is_some());
    }
}
