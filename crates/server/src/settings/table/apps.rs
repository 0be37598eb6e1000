//! The fields of `[[apps]]`.

use std::path::PathBuf;

use super::{Default, Group, settings};
use crate::settings::form;

/// The apps.
pub(crate) static APPS: Group = Group {
    name: "apps",
    about: "An app of your own, or a change to one of the default apps `assistant`, `workspace`, `support`, `files` and `tutor`.",
    fields: APP_FIELDS,
    example: "id = \"handbook\"\nkind = \"chat\"\nname = \"Handbook\"\nusers = \"everybody\"\nmax_input_chars = 8000",
};

settings! { @fields APP_FIELDS;
    /// The id: 1 to 32 of `a-z`, `0-9` and `-`, beginning with a letter. One of a default app changes that app.
    APP_ID: String = form::text("an app id"), "id", [], Default::None;
    /// `true` removes the default app with this id.
    APP_REMOVE: bool = form::flag(), "remove", [], Default::None;
    /// What the app does: `chat`, `support` or `tutor`. A new app needs it.
    APP_KIND: kernel::AppKind = form::app_kind(), "kind", [], Default::None;
    /// The name people see.
    APP_NAME: String = form::text("text"), "name", [], Default::None;
    /// One sentence for people.
    APP_DESCRIPTION: String = form::text("text"), "description", [], Default::None;
    /// Anonymous visitors may enter.
    APP_VISITORS: bool = form::flag(), "visitors", [], Default::None;
    /// API keys may enter.
    APP_KEYS: bool = form::flag(), "keys", [], Default::None;
    /// Which accounts may enter: `nobody`, `granted` or `everybody`.
    APP_USERS: kernel::UserEntry = form::user_entry(), "users", [], Default::None;
    /// The provider's model; the provider's default when absent.
    APP_MODEL: String = form::text("a model name"), "model", [], Default::None;
    /// Instructions to the model.
    APP_PROMPT: String = form::prose(), "prompt", [], Default::None;
    /// A file that holds the instructions to the model.
    APP_PROMPT_FILE: PathBuf = form::path(), "prompt_file", [], Default::None;
    /// Sampling temperature.
    APP_TEMPERATURE: f32 = form::decimal::<2>(), "temperature", [], Default::None;
    /// The most tokens of an answer.
    APP_MAX_TOKENS: u64 = form::whole::<1, 1_000_000>(), "max_tokens", [], Default::None;
    /// The longest message in characters.
    APP_MAX_INPUT: u64 = form::whole::<1, 1_000_000>(), "max_input_chars", [], Default::None;
    /// The most messages that a person may write in one conversation; 0 for no bound.
    APP_MAX_USER_MESSAGES: u64 = form::whole::<0, 1_000_000>(), "max_user_messages", [], Default::None;
    /// The most conversations of one owner; 0 for no bound.
    APP_MAX_CONVERSATIONS: u64 = form::whole::<0, 1_000_000>(), "max_conversations", [], Default::None;
    /// How many earlier messages the model is shown.
    APP_CONTEXT: u64 = form::whole::<0, 10_000>(), "context_messages", [], Default::None;
    /// Texts are moderated before a model sees them.
    APP_MODERATION: bool = form::flag(), "moderation", [], Default::None;
    /// What is done about each category of harm: a list of `category=action`. Categories are those of `/v1/moderations`, `all` for every one; actions are `allow`, `warn`, `review`, `block` and, for `self-harm`, `support`. Without a rule a plain find is blocked, of self-harm answered with help, and a likely one is put up for review.
    APP_POLICY: Vec<String> = form::policy(), "moderation_policy", [], Default::None;
    /// What somebody is told who speaks of harming themselves, with the numbers to call where the people of this app live.
    APP_SUPPORT_MESSAGE: String = form::prose(), "support_message", [], Default::None;
    /// A `chat` app: hosts that answers may link to, such as `example.com`, `*.example.com` for every name below it, or `*` for every host. Links and images that lead elsewhere become plain text, so that no answer can carry what was said away behind its words. Unless said, every host is open until files are in the talk, whose words are not those of who asks; then none is.
    APP_LINK_HOSTS: Vec<String> = form::link_hosts(), "link_hosts", [], Default::None;
    /// People with an account may give out links to snapshots of their conversations, which whoever has the link may read. `chat` and `tutor` apps have it in development and staging; in production it is off until it is said here. Nobody has it where `REQUIRE_AUTHENTICATION` is `true`.
    APP_SHARING: bool = form::flag(), "sharing", [], Default::None;
    /// Messages may bring files: text, which is written into the question, and images for models that take them. A `chat` app has it unless said; other apps have not.
    APP_ATTACHMENTS: bool = form::flag(), "attachments", [], Default::None;
    /// A tutor: the highest rung of the hints, 0 to 4.
    APP_HINTS: u64 = form::whole::<0, 4>(), "hints", [], Default::None;
    /// A tutor: after this many wrong tries the answer is handed over to who asks for it; 0 never hands it over.
    APP_REVEAL_AFTER: u64 = form::whole::<0, 1_000>(), "reveal_after", [], Default::None;
    /// A tutor: after this many questions it asks for a summary; 0 for no bound.
    APP_MAX_QUESTIONS: u64 = form::whole::<0, 1_000_000>(), "max_questions", [], Default::None;
    /// A tutor: the languages it may speak by itself, `en` and `de`; the first where the learner's is none of them.
    APP_LANGUAGES: Vec<String> = form::names(), "languages", [], Default::None;
    /// How long content (conversations, messages, hand-offs, files) is kept after it was written: a span such as `24h`, `30d` or `90s`, or `keep`, which keeps it until somebody deletes it. `support` apps keep it for 24 hours unless said, all others keep it.
    APP_RETENTION: Option<std::time::Duration> = form::kept(), "retention", [], Default::None;
    /// How long opinions, outcomes and questions without an answer are kept: a span, or `keep`. As long as the content unless said.
    APP_RETENTION_QUALITY: Option<std::time::Duration> = form::kept(), "retention_quality", [], Default::None;
    /// The same as `retention` in hours; 0 keeps content until somebody deletes it.
    APP_RETENTION_HOURS: u64 = form::whole::<0, 876_000>(), "retention_hours", [], Default::None;
}
