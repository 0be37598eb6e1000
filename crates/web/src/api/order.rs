//! Conversations in order: many at once, folders, tags, and the search through what was said.

use apps::Arrangement;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use identity::{ConversationDelete, ConversationRead, ConversationWrite};
use kernel::{ConversationId, Fault, FolderId, PageRequest, Time};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::conversations::{Change, app_field};
use super::problems::{Changing, Reading};
use super::view::{ConversationView, List};
use crate::Site;
use crate::body::{Json, Path, Query};
use crate::failure::Outcome;
use crate::who::Who;

/// Tells `null` from what is not there.
pub(super) fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// A folder's id in a body or query: malformed is `invalid_id`.
pub(super) fn folder_field(field: &'static str, text: &str) -> Result<FolderId, Fault> {
    FolderId::parse(text).map_err(|fault| fault.field(field, "malformed", "the id of a folder is a UUID"))
}

fn folder(given: Option<&Option<String>>, field: &'static str) -> Result<Option<Option<FolderId>>, Fault> {
    given.map(|id| id.as_deref().map(|id| folder_field(field, id)).transpose()).transpose()
}

/// What a change of one conversation says about its order.
pub(super) fn arrangement(change: &Change) -> Result<Arrangement, Fault> {
    if change.temporary == Some(true) {
        let sentence = "a conversation is temporary from its beginning or not at all; begin a new one";
        return Err(Fault::invalid("temporary", "too_late", sentence));
    }
    Ok(Arrangement {
        pinned: change.pinned,
        archived: change.archived,
        folder: folder(change.folder_id.as_ref(), "folder_id")?,
        tags: change.tags.clone(),
        keep: change.temporary == Some(false),
        ..Arrangement::default()
    })
}

/// What is done with many conversations: something of it at the least.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bulk {
    /// The conversations, 100 at the most.
    #[schema(value_type = Vec<Uuid>, min_items = 1, max_items = 100)]
    ids: Vec<String>,
    /// `true`: they are deleted with everything in them, and nothing else may be said.
    #[serde(default)]
    delete: bool,
    /// Whether they stand above the others.
    pinned: Option<bool>,
    /// Whether they are put away.
    archived: Option<bool>,
    /// The folder they lie in; `null` takes them out.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Uuid>)]
    folder_id: Option<Option<String>>,
    /// Tags that they get.
    #[serde(default)]
    add_tags: Vec<String>,
    /// Tags that they lose.
    #[serde(default)]
    remove_tags: Vec<String>,
}

/// How many it was done with.
#[derive(Serialize, ToSchema)]
pub(crate) struct Done {
    /// Conversations.
    changed: usize,
}

/// Does the same with many conversations: with all of them, or with none.
#[utoipa::path(post, path = "/api/v1/conversations/bulk", operation_id = "changeConversations", tag = "conversations", request_body = Bulk, responses(
    (status = 200, description = "It is done with all of them", body = Done),
    Changing,
))]
pub(crate) async fn bulk(
    State(site): State<Site>,
    who: Who,
    Json(bulk): Json<Bulk>,
) -> Outcome<axum::Json<Done>> {
    let one = |id: &String| {
        ConversationId::parse(id)
            .map_err(|fault| fault.field("ids", "malformed", "the id of a conversation is a UUID"))
    };
    let ids = bulk.ids.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    let to = Arrangement {
        pinned: bulk.pinned,
        archived: bulk.archived,
        folder: folder(bulk.folder_id.as_ref(), "folder_id")?,
        add_tags: bulk.add_tags,
        remove_tags: bulk.remove_tags,
        ..Arrangement::default()
    };
    let changed = match (bulk.delete, to.is_empty()) {
        (false, _) => site.hall.arrange_many(&who.may(&site, ConversationWrite)?, &ids, to).await?,
        (true, true) => site.hall.delete_many(&who.may(&site, ConversationDelete)?, &ids).await?,
        (true, false) => {
            let sentence = "what is deleted cannot be changed as well; say one of both";
            return Err(Fault::invalid("delete", "contradiction", sentence).into());
        }
    };
    Ok(axum::Json(Done { changed }))
}

/// What is searched for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchQuery {
    /// Words, `"exact phrases"`, beginnings of words (`conf*`), and filters: `tag:`, `folder:`, `app:`, `before:` and
    /// `after:` (a day, a month or a year), `has:file`, `is:pinned`, `is:archived`, `from:me`, `from:assistant`. All of it
    /// must hold.
    #[param(max_length = 500)]
    q: String,
    /// Only in this app.
    #[param(pattern = "^[a-z][a-z0-9-]{0,31}$")]
    app: Option<String>,
    /// How many, 1 to 100; 20 unless said. There may be fewer while there is more: see `next`.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the piece before.
    after: Option<String>,
}

/// A message that was found.
#[derive(Serialize, ToSchema)]
pub(crate) struct FoundView {
    /// The conversation it belongs to.
    conversation: ConversationView,
    /// The message.
    message_id: Uuid,
    /// `user`, `assistant` or `system`.
    #[schema(example = "assistant")]
    role: &'static str,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// The piece of it around what was found: one line of plain text.
    snippet: String,
    /// Where in the snippet it was found.
    highlights: Vec<HighlightView>,
}

/// A place in a snippet.
#[derive(Serialize, ToSchema)]
pub(crate) struct HighlightView {
    /// The first character, counted from 0 in Unicode code points.
    start: usize,
    /// The one behind the last.
    end: usize,
}

impl From<apps::FoundTalk> for FoundView {
    fn from(found: apps::FoundTalk) -> FoundView {
        let places = found.snippet.places.into_iter();
        FoundView {
            conversation: found.conversation.into(),
            message_id: found.message.uuid(),
            role: found.role.as_str(),
            created_at: found.at,
            snippet: found.snippet.text,
            highlights: places.map(|place| HighlightView { start: place.start, end: place.end }).collect(),
        }
    }
}

/// Searches everything that the caller said and was told, the newest message first. What was put away is searched too;
/// temporary conversations are not.
#[utoipa::path(get, path = "/api/v1/conversations/search", operation_id = "searchConversations", tag = "conversations", params(SearchQuery), responses(
    (status = 200, description = "A piece of what was found", body = List<FoundView>),
    (status = 404, description = "There is no such app for this caller", body = super::view::ProblemView),
    Reading,
))]
pub(crate) async fn search(
    State(site): State<Site>,
    who: Who,
    Query(query): Query<SearchQuery>,
) -> Outcome<axum::Json<List<FoundView>>> {
    let may = who.may(&site, ConversationRead)?;
    let app = query.app.as_deref().map(app_field).transpose()?;
    let page = PageRequest::parse(query.limit, query.after.as_deref())?;
    let found = site.hall.search_talk(&may, &query.q, app, page).await?;
    Ok(axum::Json(List::of(found, FoundView::from)))
}

/// A folder of conversations.
#[derive(Serialize, ToSchema)]
pub(crate) struct FolderView {
    /// Its id.
    id: Uuid,
    /// The folder it lies in.
    parent_id: Option<Uuid>,
    /// Its name.
    #[schema(example = "Work")]
    name: String,
    /// How many conversations lie in it itself.
    conversation_count: u32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
}

impl From<apps::Folder> for FolderView {
    fn from(folder: apps::Folder) -> FolderView {
        FolderView {
            id: folder.id.uuid(),
            parent_id: folder.parent.map(FolderId::uuid),
            name: folder.name,
            conversation_count: folder.conversations,
            created_at: folder.created_at,
        }
    }
}

fn whole<T: ToSchema>(items: Vec<T>) -> axum::Json<List<T>> {
    axum::Json(List { items, next: None })
}

/// The caller's folders, by name: all of them at once.
#[utoipa::path(get, path = "/api/v1/folders", operation_id = "listFolders", tag = "conversations", responses(
    (status = 200, description = "The folders", body = List<FolderView>),
    Reading,
))]
pub(crate) async fn folders(State(site): State<Site>, who: Who) -> Outcome<axum::Json<List<FolderView>>> {
    let found = site.hall.folders(&who.may(&site, ConversationRead)?).await?;
    Ok(whole(found.into_iter().map(FolderView::from).collect()))
}

/// A folder to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFolder {
    /// Its name, one line without `/`.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// The folder it lies in.
    #[schema(value_type = Option<Uuid>)]
    parent_id: Option<String>,
}

/// Makes a folder.
#[utoipa::path(post, path = "/api/v1/folders", operation_id = "createFolder", tag = "conversations", request_body = NewFolder, responses(
    (status = 201, description = "The folder", body = FolderView),
    Changing,
))]
pub(crate) async fn create_folder(
    State(site): State<Site>,
    who: Who,
    Json(new): Json<NewFolder>,
) -> Outcome<Response> {
    let may = who.may(&site, ConversationWrite)?;
    let parent = new.parent_id.as_deref().map(|id| folder_field("parent_id", id)).transpose()?;
    let made = site.hall.create_folder(&may, &new.name, parent).await?;
    Ok((StatusCode::CREATED, axum::Json(FolderView::from(made))).into_response())
}

/// What replaces the old values of a folder; one of them at the least.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FolderEdit {
    /// Its name, one line without `/`.
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
    /// The folder it lies in; `null` takes it out.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Uuid>)]
    parent_id: Option<Option<String>>,
}

/// Renames a folder, or moves it into another.
#[utoipa::path(put, path = "/api/v1/folders/{id}", operation_id = "changeFolder", tag = "conversations", request_body = FolderEdit,
    params(("id" = uuid::Uuid, Path, description = "The folder")), responses(
    (status = 200, description = "The folder", body = FolderView),
    Changing,
))]
pub(crate) async fn change_folder(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
    Json(edit): Json<FolderEdit>,
) -> Outcome<axum::Json<FolderView>> {
    let may = who.may(&site, ConversationWrite)?;
    let parent = folder(edit.parent_id.as_ref(), "parent_id")?;
    let changed = site.hall.change_folder(&may, FolderId::parse(&id)?, edit.name.as_deref(), parent).await?;
    Ok(axum::Json(changed.into()))
}

/// Deletes a folder. Conversations and folders in it lie where it lay.
#[utoipa::path(delete, path = "/api/v1/folders/{id}", operation_id = "deleteFolder", tag = "conversations",
    params(("id" = uuid::Uuid, Path, description = "The folder")), responses(
    (status = 204, description = "It is gone"),
    Changing,
))]
pub(crate) async fn delete_folder(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<StatusCode> {
    let may = who.may(&site, ConversationWrite)?;
    site.hall.delete_folder(&may, FolderId::parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A tag.
#[derive(Serialize, ToSchema)]
pub(crate) struct TagView {
    /// As it was written.
    tag: String,
    /// How many conversations have it.
    conversation_count: u32,
}

/// The caller's tags, by name: all of them at once.
#[utoipa::path(get, path = "/api/v1/tags", operation_id = "listTags", tag = "conversations", responses(
    (status = 200, description = "The tags", body = List<TagView>),
    Reading,
))]
pub(crate) async fn tags(State(site): State<Site>, who: Who) -> Outcome<axum::Json<List<TagView>>> {
    let found = site.hall.tags(&who.may(&site, ConversationRead)?).await?;
    let view = |tag: apps::TagCount| TagView { tag: tag.tag, conversation_count: tag.conversations };
    Ok(whole(found.into_iter().map(view).collect()))
}
