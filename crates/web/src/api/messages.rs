//! Messages: read, and the turn itself, at once or as a stream of events.

use apps::{Answer, Ask, Brought, Options, Target};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use identity::{ConversationFind, ConversationRead, Converse, May};
use kernel::id::FileId;
use kernel::{ConversationId, Fault, PageRequest};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::problems::{OnOne, Talking};
use super::view::{EventView, List, MessageView, Usage};
use crate::Site;
use crate::body::{Json, Path, Query};
use crate::failure::Outcome;
use crate::who::Who;
use crate::{once, sse};

/// What is said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMessage {
    /// The text.
    #[schema(example = "How do I connect a model?", min_length = 1)]
    pub(super) content: String,
    /// Files of one's own (`POST /api/v1/files`) that come with the message, up to 6, in apps that take them: texts and
    /// documents are read, 60,000 characters together; images (PNG, JPEG, GIF, WebP, up to 3.75 MB) are shown to models
    /// that take them.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>)]
    file_ids: Vec<String>,
    /// A stream whose readers have gone runs on for 30 s, so that they can come back.
    #[serde(default)]
    pub(super) resumable: bool,
}

/// A turn: what was said and what was answered.
#[derive(Serialize, ToSchema)]
pub(crate) struct TurnView {
    /// The conversation.
    conversation_id: Uuid,
    /// What was said.
    user_message: MessageView,
    /// What was answered.
    message: MessageView,
    /// The model that answered.
    model: Option<String>,
    /// What it cost.
    usage: Usage,
    /// Why the answer ended.
    finish_reason: Option<&'static str>,
}

impl From<&Answer> for TurnView {
    fn from(answer: &Answer) -> TurnView {
        let message = MessageView::from(&answer.message);
        TurnView {
            conversation_id: answer.conversation_id.uuid(),
            user_message: MessageView::from(&answer.user_message),
            model: answer.message.model.clone(),
            usage: Usage::of(&answer.message),
            finish_reason: message.finish_reason,
            message,
        }
    }
}

/// Says something and gets an answer: JSON, or a stream of events when `Accept: text/event-stream`.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/messages", operation_id = "createMessage", tag = "messages", request_body = NewMessage,
    params(("id" = Uuid, Path, description = "The conversation")), responses(
    (status = 200, description = "With `Accept: text/event-stream`: the events `message`, `delta`, `citation`, `done`, `error`", body = EventView, content_type = "text/event-stream"),
    (status = 201, description = "The turn", body = TurnView),
    Talking,
))]
pub(crate) async fn create(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(new): Json<NewMessage>,
) -> Outcome<Response> {
    let id = ConversationId::parse(&id)?;
    let files = file_ids(&new.file_ids)?;
    let app = site.hall.app_of(&who.may(&site, ConversationFind)?, id).await?;
    let may = who.may(&site, Converse(app))?;
    let ask = Ask {
        target: Target::Conversation(id),
        content: new.content,
        field: "content",
        options: Options::default(),
        brought: Brought { files: Some(files), images: Vec::new() },
        resumable: new.resumable,
    };
    answered(&site, &may, ask, &headers).await
}

/// The files of a body: a malformed id is `invalid_id`.
pub(super) fn file_ids(texts: &[String]) -> Result<Vec<FileId>, Fault> {
    let id = |text: &String| {
        FileId::parse(text)
            .map_err(|fault| fault.field("file_ids", "malformed", "the id of a file is a UUID"))
    };
    texts.iter().map(id).collect()
}

/// The answer, in the form that the caller accepts.
pub(super) async fn answered(
    site: &Site,
    may: &May<Converse>,
    ask: Ask,
    headers: &HeaderMap,
) -> Outcome<Response> {
    if sse::wanted(headers) {
        let reader = Box::pin(site.hall.stream(may, ask)).await?;
        return Ok(once::streamed(reader, sse::encode));
    }
    let answer = Box::pin(site.hall.answer(may, ask)).await?;
    Ok((StatusCode::CREATED, axum::Json(TurnView::from(&answer))).into_response())
}

/// Which messages.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// How many, 1 to 100; 20 unless said.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the piece before.
    after: Option<String>,
}

/// The messages of a conversation, oldest first; with `Accept: text/event-stream` the stream of the newest turn,
/// resumed after `Last-Event-ID` or replayed.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/messages", operation_id = "listMessages", tag = "messages",
    params(("id" = Uuid, Path, description = "The conversation"), Filter), responses(
    (status = 200, description = "A piece of the list, or the stream", content((List<MessageView> = "application/json"), (EventView = "text/event-stream"))),
    OnOne,
))]
pub(crate) async fn list(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
    headers: HeaderMap,
    Query(filter): Query<Filter>,
) -> Outcome<Response> {
    let id = ConversationId::parse(&id)?;
    let may = who.may(&site, ConversationRead)?;
    if sse::wanted(&headers) {
        let last = sse::last_event(&headers);
        return Ok(match site.hall.resume(&may, id, last).await? {
            Some(reader) => sse::respond(reader, sse::encode),
            None => sse::replay(&site.hall.replay(&may, id, None, last).await?),
        });
    }
    let page = PageRequest::parse(filter.limit, filter.after.as_deref())?;
    let found = site.hall.messages(&may, id, page).await?;
    let kept = site.hall.kept_files(&may, found.items.iter().map(|said| &said.message)).await?;
    Ok(axum::Json(List::of(found, |said| MessageView::from(&said).with_kept(&kept))).into_response())
}
