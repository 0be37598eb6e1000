//! Conversations: made, listed, read, renamed, deleted, stopped.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use identity::{ConversationDelete, ConversationRead, ConversationStop, ConversationWrite, Converse};
use kernel::{AppId, ConversationId, Fault, MessageId, PageRequest, ProblemId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problems::{Changing, OnOne, Reading};
use super::view::{ConversationView, List};
use crate::Site;
use crate::body::{Json, Path, Query};
use crate::failure::Outcome;
use crate::who::Who;

/// A conversation to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConversation {
    /// The app it belongs to.
    #[schema(example = "assistant", pattern = "^[a-z][a-z0-9-]{0,31}$")]
    app: String,
    /// Its title, one line; made from the first message when absent.
    #[schema(min_length = 1, max_length = 200)]
    title: Option<String>,
    /// What it is about, in one line.
    #[schema(min_length = 1, max_length = 500)]
    topic: Option<String>,
    /// The problem of the tutor that it works on.
    #[schema(value_type = Option<uuid::Uuid>)]
    problem_id: Option<String>,
    /// `true`: it is in no list and no search, and is deleted an hour after its last message.
    #[serde(default)]
    temporary: bool,
}

/// Makes an empty conversation.
#[utoipa::path(post, path = "/api/v1/conversations", operation_id = "createConversation", tag = "conversations", request_body = NewConversation, responses(
    (status = 201, description = "The conversation", body = ConversationView),
    Changing,
))]
pub(crate) async fn create(
    State(site): State<Site>,
    who: Who,
    Json(new): Json<NewConversation>,
) -> Outcome<Response> {
    let may = who.may(&site, Converse(site.hall.known(app_field(&new.app)?)?))?;
    let problem = new.problem_id.as_deref().map(problem_field).transpose()?;
    let new = apps::NewConversation { title: new.title, topic: new.topic, problem, temporary: new.temporary };
    let made = site.hall.create_conversation(&may, new).await?;
    Ok((StatusCode::CREATED, axum::Json(ConversationView::from(made))).into_response())
}

/// Which conversations.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only those of this app.
    #[param(pattern = "^[a-z][a-z0-9-]{0,31}$")]
    app: Option<String>,
    /// Only those whose title holds this text. What was said in them is searched by `/conversations/search`.
    q: Option<String>,
    /// Only those in this folder itself; `none`: in no folder.
    #[param(value_type = Option<String>)]
    folder: Option<String>,
    /// Only those with this tag.
    tag: Option<String>,
    /// `true`: those that were put away; they are left out else.
    archived: Option<bool>,
    /// `true`: pinned ones only; `false`: the others.
    pinned: Option<bool>,
    /// How many, 1 to 100; 20 unless said.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the piece before.
    after: Option<String>,
}

/// The caller's conversations, newest first.
#[utoipa::path(get, path = "/api/v1/conversations", operation_id = "listConversations", tag = "conversations", params(Filter), responses(
    (status = 200, description = "A piece of the list", body = List<ConversationView>),
    (status = 404, description = "There is no such app for this caller", body = super::view::ProblemView),
    Reading,
))]
pub(crate) async fn list(
    State(site): State<Site>,
    who: Who,
    Query(filter): Query<Filter>,
) -> Outcome<axum::Json<List<ConversationView>>> {
    let may = who.may(&site, ConversationRead)?;
    let app = filter.app.as_deref().map(app_field).transpose()?;
    let page = PageRequest::parse(filter.limit, filter.after.as_deref())?;
    let folder = match filter.folder.as_deref() {
        None => None,
        Some("none") => Some(apps::Lying::Loose),
        Some(id) => Some(apps::Lying::In(super::order::folder_field("folder", id)?)),
    };
    let (archived, pinned) = (filter.archived.unwrap_or(false), filter.pinned);
    let wanted = apps::ConversationFilter { app, q: filter.q, archived, pinned, folder, tag: filter.tag };
    let found = site.hall.conversations(&may, wanted, page).await?;
    Ok(axum::Json(List::of(found, ConversationView::from)))
}

/// One conversation.
#[utoipa::path(get, path = "/api/v1/conversations/{id}", operation_id = "readConversation", tag = "conversations",
    params(("id" = uuid::Uuid, Path, description = "The conversation")), responses(
    (status = 200, description = "The conversation", body = ConversationView),
    OnOne,
))]
pub(crate) async fn read(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<axum::Json<ConversationView>> {
    let may = who.may(&site, ConversationRead)?;
    let found = site.hall.conversation(&may, ConversationId::parse(&id)?).await?;
    Ok(axum::Json(ConversationView::from(found)))
}

/// What replaces the old values; one of them at the least.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// The new title, one line.
    #[schema(min_length = 1, max_length = 200)]
    pub(super) title: Option<String>,
    /// A message: the conversation goes over to the talk that leads through it, to the end of the newest.
    #[schema(value_type = Option<uuid::Uuid>)]
    head: Option<String>,
    /// Whether it stands above the others.
    pub(super) pinned: Option<bool>,
    /// Whether it is put away: out of the list, still found.
    pub(super) archived: Option<bool>,
    /// The folder it lies in; `null` takes it out.
    #[serde(default, deserialize_with = "super::order::given")]
    #[schema(value_type = Option<uuid::Uuid>)]
    pub(super) folder_id: Option<Option<String>>,
    /// All its tags; an empty list takes them away.
    #[schema(max_items = 20)]
    pub(super) tags: Option<Vec<String>>,
    /// `false`: a temporary conversation is kept.
    pub(super) temporary: Option<bool>,
}

/// Renames a conversation, puts it in order, or goes over to another of its branches.
#[utoipa::path(put, path = "/api/v1/conversations/{id}", operation_id = "renameConversation", tag = "conversations", request_body = Change,
    params(("id" = uuid::Uuid, Path, description = "The conversation")), responses(
    (status = 200, description = "The conversation", body = ConversationView),
    Changing,
))]
pub(crate) async fn rename(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
    Json(change): Json<Change>,
) -> Outcome<axum::Json<ConversationView>> {
    let may = who.may(&site, ConversationWrite)?;
    let head = change.head.as_deref().map(head_field).transpose()?;
    let order = super::order::arrangement(&change)?;
    let change = apps::ConversationEdit { title: change.title, head, order };
    let changed = site.hall.change(&may, ConversationId::parse(&id)?, change).await?;
    Ok(axum::Json(ConversationView::from(changed)))
}

/// Deletes a conversation with everything in it.
#[utoipa::path(delete, path = "/api/v1/conversations/{id}", operation_id = "deleteConversation", tag = "conversations",
    params(("id" = uuid::Uuid, Path, description = "The conversation")), responses(
    (status = 204, description = "It is gone"),
    OnOne,
))]
pub(crate) async fn delete(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<StatusCode> {
    let may = who.may(&site, ConversationDelete)?;
    site.hall.delete(&may, ConversationId::parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether there was something to stop.
#[derive(Serialize, ToSchema)]
pub(crate) struct Stopped {
    /// An answer was being written and has been told to stop.
    stopped: bool,
}

/// Stops the answer that is being written.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/stop", operation_id = "stopAnswer", tag = "messages",
    params(("id" = uuid::Uuid, Path, description = "The conversation")), responses(
    (status = 200, description = "Whether there was something to stop", body = Stopped),
    OnOne,
))]
pub(crate) async fn stop(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<axum::Json<Stopped>> {
    let may = who.may(&site, ConversationStop)?;
    let stopped = site.hall.stop(&may, ConversationId::parse(&id)?).await?;
    Ok(axum::Json(Stopped { stopped }))
}

/// A message's id in a body: malformed is `invalid_id`.
fn head_field(text: &str) -> Result<MessageId, Fault> {
    MessageId::parse(text).map_err(|fault| fault.field("head", "malformed", "the id of a message is a UUID"))
}

/// A problem's id in a body: malformed is `invalid_id`.
fn problem_field(text: &str) -> Result<ProblemId, Fault> {
    ProblemId::parse(text)
        .map_err(|fault| fault.field("problem_id", "malformed", "the id of a problem is a UUID"))
}

/// An app id in a body or query: malformed is `invalid_id`.
pub(crate) fn app_field(text: &str) -> Result<AppId, Fault> {
    AppId::parse(text)
        .map_err(|fault| fault.field("app", "malformed", "an app id is a plain word like `assistant`"))
}
