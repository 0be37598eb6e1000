//! What the API shows. Output types list their fields: nothing is shown because a row happens to hold it.

use std::collections::HashSet;

use kernel::id::FileId;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use kernel::{Page, Time};

/// A list in pieces.
#[derive(Serialize, ToSchema)]
pub(crate) struct List<T: ToSchema> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// Give it back as `after` to get the next piece; `null` at the end.
    pub(crate) next: Option<String>,
}

impl<T: ToSchema> List<T> {
    pub(crate) fn of<U>(page: Page<U>, view: impl FnMut(U) -> T) -> List<T> {
        let page = page.map(view);
        List { items: page.items, next: page.next }
    }
}

/// A conversation.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConversationView {
    /// Its id.
    pub(crate) id: Uuid,
    /// The app it belongs to.
    #[schema(example = "assistant")]
    pub(crate) app: String,
    /// Its title; made from the first message unless one was given.
    pub(crate) title: Option<String>,
    /// What it is about.
    pub(crate) topic: Option<String>,
    /// How many messages it holds.
    pub(crate) message_count: u32,
    /// It stands above the others.
    pub(crate) pinned: bool,
    /// It was put away.
    pub(crate) archived: bool,
    /// Its folder.
    pub(crate) folder_id: Option<Uuid>,
    /// Its tags.
    pub(crate) tags: Vec<String>,
    /// It is in no list and no search, and is deleted an hour after its last message.
    pub(crate) temporary: bool,
    /// `waiting`: a person has been asked for; `claimed`: a person has it; else `null`.
    pub(crate) hand_off: Option<&'static str>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Time,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: Time,
}

impl From<apps::Conversation> for ConversationView {
    fn from(row: apps::Conversation) -> ConversationView {
        ConversationView {
            id: row.id.uuid(),
            app: row.app.to_string(),
            title: row.title,
            topic: row.topic,
            message_count: row.messages,
            pinned: row.pinned,
            archived: row.archived,
            folder_id: row.folder.map(kernel::FolderId::uuid),
            tags: row.tags,
            temporary: row.temporary,
            hand_off: row.hand_off.map(apps::HandOffState::as_str),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A message.
#[derive(Serialize, ToSchema)]
pub(crate) struct MessageView {
    /// Its id.
    pub(crate) id: Uuid,
    /// The message before it.
    pub(crate) parent_id: Option<Uuid>,
    /// `user`, `assistant` or `system`.
    #[schema(example = "assistant")]
    pub(crate) role: &'static str,
    /// `person` when a person of the desk wrote it, not a machine; else `null`.
    pub(crate) author: Option<&'static str>,
    /// The text, as it was typed or written.
    pub(crate) content: String,
    /// The passages that the text cites, verified by the server.
    #[schema(value_type = Vec<Object>)]
    pub(crate) citations: Vec<Value>,
    /// The files that came with it.
    pub(crate) attachments: Vec<AttachmentView>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Time,
    /// Why it ended: `stop`, `length`, `cancelled`, `interrupted`, `blocked`, `error`; `null` while it is being
    /// written.
    pub(crate) finish_reason: Option<&'static str>,
    /// The model that wrote it.
    pub(crate) model: Option<String>,
    /// The messages in its place, oldest first, itself too: other answers, other words. Empty where it stands alone.
    pub(crate) branches: Vec<Uuid>,
}

impl From<&apps::Said> for MessageView {
    fn from(said: &apps::Said) -> MessageView {
        let branches = said.beside.iter().map(|id| id.uuid()).collect();
        MessageView { branches, ..MessageView::from(&said.message) }
    }
}

impl From<&apps::Message> for MessageView {
    fn from(row: &apps::Message) -> MessageView {
        MessageView {
            id: row.id.uuid(),
            parent_id: row.parent_id.map(|id| id.uuid()),
            role: row.role.as_str(),
            author: row.details.get("author").filter(|author| *author == "person").map(|_| "person"),
            content: row.content.clone(),
            citations: row.citations.as_array().cloned().unwrap_or_default(),
            attachments: apps::attached_to(&row.details).into_iter().map(AttachmentView::from).collect(),
            created_at: row.created_at,
            finish_reason: row.finish_reason.map(apps::FinishReason::as_str),
            model: row.model.clone(),
            branches: Vec::new(),
        }
    }
}

impl MessageView {
    /// The same, with files that are gone marked as such.
    pub(crate) fn with_kept(mut self, kept: &HashSet<FileId>) -> MessageView {
        for one in &mut self.attachments {
            one.deleted = one.file_id.is_none_or(|id| !kept.contains(&FileId::from_uuid(id)));
        }
        self
    }
}

/// A file that came with a message.
#[derive(Serialize, ToSchema)]
#[schema(as = Attachment)]
pub(crate) struct AttachmentView {
    /// The file; `null` for an image that only the model was shown.
    pub(crate) file_id: Option<Uuid>,
    /// What it is called.
    pub(crate) name: String,
    /// What it is.
    #[schema(example = "text/plain")]
    pub(crate) media_type: String,
    /// Its bytes.
    pub(crate) size: u64,
    /// `text` or `image`.
    pub(crate) kind: &'static str,
    /// Of a text: how many characters the model was shown,
    pub(crate) characters_read: u64,
    /// and how many there are.
    pub(crate) characters: u64,
    /// The file is no longer kept, or in the trash.
    pub(crate) deleted: bool,
    /// In an export: what the model was shown of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) text: String,
}

impl From<apps::Attached> for AttachmentView {
    fn from(one: apps::Attached) -> AttachmentView {
        AttachmentView {
            file_id: one.file_id.map(|id| id.uuid()),
            name: one.name,
            media_type: one.media_type,
            size: one.size,
            kind: match one.kind {
                apps::AttachedKind::Text => "text",
                apps::AttachedKind::Image => "image",
            },
            characters_read: one.read,
            characters: one.characters,
            deleted: false,
            text: String::new(),
        }
    }
}

/// What an answer cost.
#[derive(Serialize, ToSchema)]
pub(crate) struct Usage {
    /// Tokens that the model read.
    pub(crate) input_tokens: u32,
    /// Tokens that the model wrote.
    pub(crate) output_tokens: u32,
}

impl Usage {
    pub(crate) fn of(message: &apps::Message) -> Usage {
        Usage {
            input_tokens: message.input_tokens.unwrap_or(0),
            output_tokens: message.output_tokens.unwrap_or(0),
        }
    }
}

/// One event of a stream, as a reader of `text/event-stream` gets it.
#[derive(Serialize, ToSchema)]
#[schema(as = StreamEvent)]
#[allow(dead_code, reason = "the shape that `sse` writes, for the OpenAPI document")]
pub(crate) struct EventView {
    /// Give it back as `Last-Event-ID` to go on from here.
    id: Option<String>,
    /// `message`, `delta`, `citation`, `done` or `error`; others may come, skip them.
    event: Option<String>,
    /// One line of JSON.
    data: String,
}

/// An error (RFC 9457, `application/problem+json`).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
#[allow(dead_code, reason = "the shape that `failure::problem` writes, for the OpenAPI document")]
pub(crate) struct ProblemView {
    /// Where the code is explained.
    #[schema(example = "/docs/errors#not_found")]
    r#type: String,
    /// A short title.
    title: String,
    /// The HTTP status.
    status: u16,
    /// One sentence.
    detail: String,
    /// The stable code; see `docs/errors.md`.
    #[schema(example = "not_found")]
    code: String,
    /// The id under which the log holds the cause.
    request_id: Uuid,
    /// The title again.
    error: String,
    /// What is wrong with the input, field by field.
    errors: Option<Vec<FieldView>>,
}

/// What is wrong with one field.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "the shape that `failure::problem` writes, for the OpenAPI document")]
pub(crate) struct FieldView {
    /// The field.
    field: String,
    /// A stable code.
    code: String,
    /// One sentence.
    detail: String,
}
