//! The search over everything that an owner said and was told. Messages are indexed in runs, some hundred at once, by
//! their words as keyed hashes under the owner's own key; what is not indexed yet is looked through as it is. Whatever
//! the index names is opened and read before it is given out, so that a hash that two words share, or an entry that
//! outlived its message, costs time and never truth. It never knows what a word is: whoever asks brings that.

mod find;
mod known;
mod narrow;
mod part;
mod run;
mod tend;

use kernel::{AppId, ConversationId, FolderId, MessageId, Time};

use crate::conversation::Conversation;
use crate::message::Role;

pub use tend::SearchTended;

/// What is searched for. What is absent or empty admits everything.
#[derive(Clone, Default, Debug)]
pub struct TalkQuery {
    /// Words that a message must hold, as the index writes them; each in one of these forms.
    pub words: Vec<Vec<String>>,
    /// The apps that the caller may look into.
    pub apps: Vec<AppId>,
    /// In one of these folders.
    pub folders: Option<Vec<FolderId>>,
    /// With all of these tags.
    pub tags: Vec<String>,
    /// Pinned conversations alone, or the others.
    pub pinned: Option<bool>,
    /// Conversations that were put away alone, or the others.
    pub archived: Option<bool>,
    /// In this conversation.
    pub conversation: Option<ConversationId>,
    /// Written before this time.
    pub before: Option<Time>,
    /// Written at this time or after.
    pub after: Option<Time>,
    /// What this side said.
    pub from: Option<Role>,
    /// With a file.
    pub has_file: bool,
}

/// A message that was found.
#[derive(Clone, Debug)]
pub struct FoundMessage<T> {
    /// The conversation it belongs to.
    pub conversation: Conversation,
    /// The message.
    pub message: MessageId,
    /// Who said it.
    pub role: Role,
    /// When.
    pub at: Time,
    /// What was said about it by whoever read it.
    pub mark: T,
}

/// Gives the words of a text, each in the forms under which it shall be found.
pub type WordsOf<'a> = &'a (dyn Fn(&str, &mut dyn FnMut(&str)) + Send + Sync);

/// Whether a message holds a file.
pub(crate) fn has_file(details: &serde_json::Value) -> bool {
    let files = details.get("files").or_else(|| details.get("attachments"));
    files.and_then(serde_json::Value::as_array).is_some_and(|files| !files.is_empty())
}

/// The purpose of the keyed hashes of words.
const PURPOSE: &str = "search";
