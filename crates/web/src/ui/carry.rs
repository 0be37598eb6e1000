//! `/account/conversations`: the links that are given out, everything as an archive, and what comes from elsewhere.

use askama::Template;
use kernel::Time;

use super::shell::Shell;
use super::view::AppView;
use crate::texts::filters;

/// The page.
#[derive(Clone, Debug, Template)]
#[template(path = "account/conversations.html")]
pub(crate) struct CarryPage {
    pub(crate) shell: Shell,
    /// The apps that conversations can be brought into.
    pub(crate) into: Vec<AppView>,
    pub(crate) shares: Vec<ShareView>,
    pub(crate) next: Option<String>,
}

/// A link that is given out.
#[derive(Clone, Debug)]
pub(crate) struct ShareView {
    pub(crate) id: String,
    /// The page of the conversation.
    pub(crate) href: String,
    pub(crate) title: String,
    pub(crate) locked: bool,
    pub(crate) masked: bool,
    pub(crate) messages: u32,
    pub(crate) created_at: Time,
    pub(crate) expires_at: Time,
    pub(crate) opened_at: Option<Time>,
}

impl From<apps::Share> for ShareView {
    fn from(share: apps::Share) -> ShareView {
        ShareView {
            id: share.id.to_string(),
            href: format!("/apps/{}/{}", share.app, share.conversation_id),
            title: share.title.unwrap_or_else(|| "Conversation".to_owned()),
            locked: share.locked,
            masked: share.masked,
            messages: share.messages,
            created_at: share.created_at,
            expires_at: share.expires_at,
            opened_at: share.opened_at,
        }
    }
}
