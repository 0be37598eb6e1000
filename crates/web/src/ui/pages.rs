//! Whole pages: the front page, the page of an app, and the page for a request that failed.

use std::time::Duration;

use askama::Template;
use kernel::{AppKind, Result};

use super::icons::icon;
use super::view::{AppView, ChatPage, ConversationView, ErrorPage, Frame, FrontPage, LessonView};
use super::{Markup, fill};
use crate::texts::{filters, key};

/// The page `/`: which apps run here, what answers, and where to read on.
pub fn front(page: &FrontPage) -> Result<String> {
    fill(&FrontTemplate { page, frame: &page.frame })
}

/// The page of an app, with or without an open conversation.
pub fn chat(page: &ChatPage) -> Result<String> {
    fill(&ChatTemplate { page, frame: &page.frame })
}

/// The page that the installed app shows without a network. It names nobody.
pub fn offline() -> Result<String> {
    fill(&OfflineTemplate)
}

/// The page for a request that failed. It cannot fail itself.
pub fn failure(page: &ErrorPage) -> String {
    ErrorTemplate { page, frame: &Frame::default() }
        .render()
        .unwrap_or_else(|_| "<!doctype html><title>Error</title><p>Something went wrong.</p>".to_owned())
}

#[derive(Template)]
#[template(path = "front.html")]
struct FrontTemplate<'a> {
    page: &'a FrontPage,
    frame: &'a Frame,
}

#[derive(Template)]
#[template(path = "chat.html")]
struct ChatTemplate<'a> {
    page: &'a ChatPage,
    frame: &'a Frame,
}

#[derive(Template)]
#[template(path = "offline.html")]
struct OfflineTemplate;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorTemplate<'a> {
    page: &'a ErrorPage,
    frame: &'a Frame,
}

impl AppView {
    /// The address of the app's page.
    pub fn url(&self) -> String {
        // The file store has a page of its own.
        if self.kind == kernel::AppKind::Files {
            return "/files".to_owned();
        }
        format!("/apps/{}", self.id)
    }

    /// The icon of its kind.
    pub fn picture(&self) -> Markup {
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
const SHELVES: [(&str, u64); 4] = [
    (key("Last 24 hours"), DAY),
    (key("Last 7 days"), 7 * DAY),
    (key("Last 30 days"), 30 * DAY),
    (key("Older"), u64::MAX),
];

impl ConversationView {
    fn heading(&self) -> &str {
        self.title.as_deref().filter(|title| !title.trim().is_empty()).unwrap_or(key("New conversation"))
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

    /// Whether the open conversation goes by itself.
    fn is_temporary(&self) -> bool {
        self.page.conversation.as_ref().is_some_and(|open| open.order.temporary)
    }

    fn is_open(&self, conversation: &ConversationView) -> bool {
        self.page.conversation.as_ref().is_some_and(|open| open.id == conversation.id)
    }

    fn title(&self) -> &str {
        self.page.conversation.as_ref().map_or(self.page.app.name.as_str(), ConversationView::heading)
    }

    fn is_tutor(&self) -> bool {
        self.page.app.kind == AppKind::Tutor
    }

    /// The problem that is worked on.
    fn lesson(&self) -> Option<&LessonView> {
        self.page.lesson.as_ref().filter(|lesson| !lesson.statement.is_empty())
    }

    /// Where a conversation is begun.
    fn new_url(&self) -> String {
        let url = self.page.app.url();
        if self.is_tutor() { format!("{url}/ask") } else { url }
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
        if self.lesson().is_some() {
            return [
                key("Where do I begin?"),
                key("What is it that I have to find?"),
                key("I know what is given, but not what to do with it"),
                key("I have an idea and am not sure of it"),
            ];
        }
        match (self.page.app.kind, self.page.model.connected) {
            (AppKind::Tutor, _) => [
                key("Help me see why dividing by a fraction flips it"),
                key("I am stuck on this equation: 3x + 7 = 22"),
                key("Quiz me on what causes the seasons"),
                key("How do I know whether an argument is sound?"),
            ],
            (AppKind::Support, true) => [
                key("Where is my order?"),
                key("How do I change my delivery address?"),
                key("What does the guarantee cover?"),
                key("I was charged twice. What now?"),
            ],
            (_, false) => [
                key("How do I connect a model?"),
                key("What does stoa check look at?"),
                key("How do I back up and restore?"),
                key("What is written to the audit log?"),
            ],
            (AppKind::Chat | AppKind::Files, true) => [
                key("Explain a hard idea in simple words"),
                key("Help me write a difficult e-mail"),
                key("Compare two options in a table"),
                key("Find the mistake in this piece of code"),
            ],
        }
    }
}

impl FrontTemplate<'_> {
    /// Where one can ask something at once.
    fn first_talk(&self) -> Option<&AppView> {
        self.frame.apps.iter().find(|app| app.kind != AppKind::Files)
    }

    /// Where programs send their requests.
    fn endpoint(&self) -> String {
        format!("{}/v1", self.page.base_url)
    }

    fn first_app(&self) -> Option<&AppView> {
        self.frame.apps.first()
    }
}

impl ErrorTemplate<'_> {
    /// What the person can do about it.
    fn advice(&self) -> &'static str {
        match self.page.status {
            401 => key("Reload the page; when that does not help, sign in again."),
            403 => key("If you think that you should be let in, ask whoever runs this server."),
            404 => key("The address may be mistyped, or what was here has been deleted."),
            408 | 429 => key("Wait a moment, then try again."),
            500..=599 => key("Nothing that you did before is lost. Try again in a moment."),
            _ => key("Go back and try it another way."),
        }
    }

    /// Whether the same request may go well a little later.
    fn may_retry(&self) -> bool {
        matches!(self.page.status, 408 | 429 | 500..=599)
    }
}

#[cfg(test)]
mod tests {
    use kernel::{AppId, ConversationId, MessageId, Time};

    use super::super::assets;
    use super::super::order::{FolderView, OrderView, OrderedView};
    use super::super::view::{
        Beside, DeskLine, HealthView, LimitsView, MessageView, ModelView, PersonView, Speaker, Viewer,
    };
    use super::*;
    use crate::ui::Ending;

    const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror=alert(1)>' {{ 7*7 }}";

    fn app() -> AppView {
        AppView {
            id: AppId::parse("assistant").unwrap(),
            kind: AppKind::Chat,
            name: HOSTILE.to_owned(),
            description: HOSTILE.to_owned(),
            tools: Vec::new(),
        }
    }

    fn conversation(n: u8, age: u64) -> ConversationView {
        ConversationView {
            id: ConversationId::parse(&format!("01939f2e-7c4a-7b31-9d55-0000000000{n:02}")).unwrap(),
            title: Some(HOSTILE.to_owned()),
            updated_at: now() - Duration::from_secs(age),
            order: OrderView { tags: vec![HOSTILE.to_owned()], temporary: n == 2, ..OrderView::default() },
        }
    }

    fn frame() -> Frame {
        let person = PersonView { name: HOSTILE.to_owned(), email: HOSTILE.to_owned(), admin: true };
        Frame { apps: vec![app()], viewer: Viewer::Person(person) }
    }

    fn now() -> Time {
        Time::from_seconds(1_795_220_000)
    }

    fn talk() -> ChatPage {
        let said = |speaker| MessageView {
            id: MessageId::parse("01939f2e-7c4a-7b31-9d55-000000000001").unwrap(),
            speaker,
            content: HOSTILE.to_owned(),
            citations: Vec::new(),
            created_at: now(),
            ending: Ending::Complete,
            model: Some(HOSTILE.to_owned()),
            beside: Beside::default(),
        };
        ChatPage {
            app: app(),
            frame: frame(),
            ordered: OrderedView {
                pinned: vec![conversation(4, 60)],
                folders: vec![FolderView {
                    id: kernel::FolderId::parse("01939f2e-7c4a-7b31-9d55-000000000009").unwrap(),
                    name: HOSTILE.to_owned(),
                    depth: 1,
                    conversations: 2,
                }],
            },
            conversations: vec![conversation(1, 60), conversation(2, 3 * DAY), conversation(3, 400 * DAY)],
            next_conversations: Some(HOSTILE.to_owned()),
            conversation: Some(conversation(2, 3 * DAY)),
            messages: vec![said(Speaker::Person), said(Speaker::Answerer)],
            earlier_url: Some("/apps/assistant?before=1".to_owned()),
            past: false,
            desk: Some(DeskLine {
                state: "claimed",
                by: HOSTILE.to_owned(),
                action: "/apps/a/b/person".to_owned(),
            }),
            shares: true,
            attaches: true,
            model: ModelView { connected: true, label: HOSTILE.to_owned() },
            limits: LimitsView { max_chars: 5_000, max_user_messages: Some(10), user_messages: 12 },
            lesson: None,
            now: now(),
        }
    }

    fn start() -> FrontPage {
        FrontPage {
            frame: frame(),
            model: ModelView { connected: false, label: String::new() },
            operator_hints: true,
            unclaimed: true,
            health: Some(HealthView {
                status: HOSTILE.to_owned(),
                services: vec![(HOSTILE.to_owned(), HOSTILE.to_owned())],
            }),
            base_url: HOSTILE.to_owned(),
            version: HOSTILE.to_owned(),
        }
    }

    fn failed(status: u16) -> ErrorPage {
        ErrorPage {
            status,
            code: "not_found".to_owned(),
            title: HOSTILE.to_owned(),
            detail: HOSTILE.to_owned(),
            request_id: HOSTILE.to_owned(),
            retry_after: Some(9),
            sign_in: Some(HOSTILE.to_owned()),
        }
    }

    fn every_page() -> Vec<String> {
        let empty = ChatPage {
            conversations: Vec::new(),
            conversation: None,
            messages: Vec::new(),
            model: ModelView { connected: false, label: String::new() },
            ..talk()
        };
        let quiet = FrontPage { frame: Frame::default(), operator_hints: false, health: None, ..start() };
        vec![
            chat(&talk()).unwrap(),
            chat(&empty).unwrap(),
            front(&start()).unwrap(),
            front(&quiet).unwrap(),
            failure(&failed(404)),
            failure(&failed(429)),
        ]
    }

    #[test]
    fn every_static_address_on_a_page_exists() {
        for html in every_page() {
            let addresses: Vec<_> = html.split('"').filter(|text| text.starts_with(assets::PREFIX)).collect();
            assert!(addresses.len() > 4);
            for address in addresses {
                assert!(assets::find(address).is_some(), "{address}");
            }
        }
    }

    /// Tags are what stands between a bare `<` and the next bare `>`: text holds neither.
    fn tags(html: &str) -> impl Iterator<Item = &str> {
        html.split('<').skip(1).filter_map(|rest| rest.split('>').next())
    }

    #[test]
    fn pages_obey_the_content_security_policy_and_escape_everything() {
        for html in every_page() {
            assert!(!html.contains("<img") && !html.contains("<style") && !html.contains("javascript:"));
            for tag in tags(&html) {
                let name = tag.split([' ', '\n']).next().unwrap_or_default();
                if name == "script" {
                    assert!(tag.contains("src=\"/static/"), "<{tag}>");
                }
                // Attribute names stand outside the quoted values.
                for outside in tag.split('"').step_by(2) {
                    let handler =
                        outside.split_whitespace().any(|word| word.starts_with("on") && word.ends_with('='));
                    assert!(!handler && !outside.contains("style="), "<{tag}>");
                }
            }
        }
    }

    #[test]
    fn conversations_stand_by_their_age() {
        let page = talk();
        let template = ChatTemplate { page: &page, frame: &page.frame };
        let names: Vec<_> =
            template.shelves().iter().map(|shelf| (shelf.name, shelf.conversations.len())).collect();
        assert_eq!(names, [("Last 24 hours", 1), ("Last 7 days", 1), ("Older", 1)]);
        let html = chat(&page).unwrap();
        assert_eq!(html.matches("aria-current=\"page\"").count(), 2, "the app and the conversation");
        assert!(
            html.contains("data-messages-left=\"0\""),
            "more messages than allowed leave none, not fewer"
        );
    }

    #[test]
    fn strangers_are_not_told_how_to_run_the_server() {
        let html = front(&FrontPage { operator_hints: false, ..start() }).unwrap();
        assert!(!html.contains("OPENAI_API_KEY") && !html.contains("class=\"services\""));
        assert!(front(&start()).unwrap().contains("OPENAI_API_KEY"));
    }

    #[test]
    fn failures_offer_what_can_help() {
        assert!(failure(&failed(503)).contains("data-reload"));
        let missing = failure(&ErrorPage { retry_after: None, ..failed(404) });
        assert!(!missing.contains("data-reload") && !missing.contains("data-countdown"));
        assert!(missing.contains("not_found"));
    }
}
