//! The apps that the server hosts, as declared in `[[apps]]`. It owns the five default apps.

use std::time::Duration;

use crate::LinkHosts;
use kernel::{AppId, AppKind, Code, Entry, Fault, Subject, UserEntry};

/// One application.
#[derive(Clone, Debug, PartialEq)]
pub struct App {
    /// Its id, part of URLs and the model name of the OpenAI-compatible endpoint.
    pub id: AppId,
    /// What it does.
    pub kind: AppKind,
    /// The name people see.
    pub name: String,
    /// One sentence for people.
    pub description: String,
    /// Who may enter.
    pub entry: Entry,
    /// The provider's model; the provider's default when absent.
    pub model: Option<String>,
    /// Instructions to the model; the kind's own when absent. Holds no secret.
    pub prompt: Option<String>,
    /// Sampling temperature; the provider's default when absent.
    pub temperature: Option<f32>,
    /// Upper bound of the tokens of an answer; the provider's default when absent.
    pub max_tokens: Option<u32>,
    /// Longest message in characters.
    pub max_input_chars: u32,
    /// Most user messages in a conversation; unbounded when absent.
    pub max_user_messages: Option<u32>,
    /// Most conversations of one visitor's session; unbounded when absent.
    pub max_conversations: Option<u32>,
    /// How many earlier messages the model is shown.
    pub context_messages: u32,
    /// Texts are moderated before a model sees them.
    pub moderation: bool,
    /// What is done about each category of harm.
    pub policy: guard::content::Policy,
    /// What somebody is told who speaks of harming themselves; the server's own words when absent.
    pub support_message: Option<String>,
    /// Hosts that answers may link to; what leads elsewhere is shown as plain text. When absent, answers may link to every
    /// host until files are in the talk, and then to none.
    pub link_hosts: Option<LinkHosts>,
    /// How long content is kept.
    pub retention: Retention,
    /// How long opinions, outcomes and questions without an answer are kept; as long as the content when absent.
    pub quality_retention: Option<Retention>,
    /// People may give out links to snapshots of their conversations.
    pub sharing: bool,
    /// Messages may bring files, which the model is shown.
    pub attachments: bool,
    /// What a tutor may do: hints, the answer, how many questions, languages.
    pub tutor: tutor::Policy,
}

/// How long content is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// Until somebody deletes it.
    Keep,
    /// This long after it was written.
    For(Duration),
}

impl App {
    /// An app of this kind with the defaults that CONTRACT section 1 gives to the kind.
    pub fn new(id: AppId, kind: AppKind) -> App {
        let entry = match kind {
            AppKind::Chat | AppKind::Files => {
                Entry { visitors: false, keys: false, users: UserEntry::Granted }
            }
            AppKind::Support => Entry { visitors: false, keys: true, users: UserEntry::Granted },
            AppKind::Tutor => Entry { visitors: false, keys: false, users: UserEntry::Everybody },
        };
        let retention = match kind {
            AppKind::Support => Retention::For(Duration::from_secs(24 * 60 * 60)),
            AppKind::Chat | AppKind::Tutor | AppKind::Files => Retention::Keep,
        };
        App {
            name: title_case(id.as_str()),
            id,
            kind,
            description: String::new(),
            entry,
            model: None,
            prompt: None,
            temperature: None,
            max_tokens: None,
            max_input_chars: 20_000,
            max_user_messages: None,
            max_conversations: None,
            context_messages: 40,
            moderation: true,
            policy: guard::content::Policy::default(),
            support_message: None,
            link_hosts: None,
            retention,
            quality_retention: None,
            sharing: matches!(kind, AppKind::Chat | AppKind::Tutor),
            attachments: kind == AppKind::Chat,
            tutor: tutor::Policy::default(),
        }
    }
}

impl Retention {
    /// How long, where there is an end.
    pub const fn span(self) -> Option<Duration> {
        match self {
            Retention::Keep => None,
            Retention::For(span) => Some(span),
        }
    }
}

impl App {
    /// How many conversations this owner may have: the bound is on a visitor's session. A key speaks for many
    /// people, and every call of the OpenAI-compatible endpoint is a conversation of its own.
    pub(crate) const fn most_conversations(&self, owner: Subject) -> Option<u32> {
        match owner {
            Subject::Visitor(_) => self.max_conversations,
            Subject::User(_) | Subject::Key(_) => None,
        }
    }
}

fn title_case(id: &str) -> String {
    let mut chars = id.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The apps by id, in the order of their declaration.
#[derive(Clone, Debug)]
pub struct Catalog {
    apps: Vec<App>,
}

impl Catalog {
    /// A catalogue of these apps; ids are unique already.
    pub fn new(apps: Vec<App>) -> Catalog {
        Catalog { apps }
    }

    /// The apps of the default configuration.
    pub fn standard() -> Result<Catalog, Fault> {
        let app = |id: &str, kind, description: &str| -> Result<App, Fault> {
            Ok(App { description: description.to_owned(), ..App::new(AppId::parse(id)?, kind) })
        };
        let mut assistant = app("assistant", AppKind::Chat, "Ask anything.")?;
        assistant.entry = Entry { visitors: true, keys: true, users: UserEntry::Everybody };
        assistant.max_input_chars = 5_000;
        assistant.max_user_messages = Some(10);
        assistant.max_conversations = Some(50);
        Ok(Catalog::new(vec![
            assistant,
            app("workspace", AppKind::Chat, "Chat for the people of the team.")?,
            app("support", AppKind::Support, "Answers customers from the documents.")?,
            app("files", AppKind::Files, "Keeps your files, and finds those that can go.")?,
            app("tutor", AppKind::Tutor, "Asks, hints, and never hands over the answer.")?,
        ]))
    }

    /// The app with this id.
    pub fn get(&self, id: &AppId) -> Result<&App, Fault> {
        self.apps.iter().find(|app| app.id == *id).ok_or_else(|| Fault::new(Code::NotFound))
    }

    /// Every app, in order.
    pub fn iter(&self) -> impl Iterator<Item = &App> {
        self.apps.iter()
    }
}
