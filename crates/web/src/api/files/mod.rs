//! Stored files: listed, read, thrown away, taken back. Uploads and contents, which are streams, stand beside.

pub(crate) mod content;
pub(crate) mod declutter;
pub(crate) mod upload;
mod view;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use identity::{FilesDelete, FilesRead, FilesWrite};
use kernel::id::{BatchId, FileId};
use kernel::{Fault, PageRequest};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use self::view::{FileView, FilesView, UsageView};
use super::conversations::app_field;
use super::problems::{Changing, OnOne};
use super::view::List;
use crate::Site;
use crate::body::{Json, Path, Query};
use crate::failure::Outcome;
use crate::who::Who;

/// Which file store.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Place {
    /// The app; the first file store that the caller may enter unless said.
    #[param(pattern = "^[a-z][a-z0-9-]{0,31}$")]
    app: Option<String>,
}

/// The app that is meant.
fn app_of(site: &Site, who: &Who, named: Option<&str>) -> Result<kernel::AppId, Fault> {
    site.hall.file_app(&who.principal, named.map(app_field).transpose()?)
}

/// Which files.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// The app; the first file store that the caller may enter unless said.
    #[param(pattern = "^[a-z][a-z0-9-]{0,31}$")]
    app: Option<String>,
    /// `true`: those in the trash. Those that are not, unless said.
    #[serde(default)]
    trashed: bool,
    /// Only those whose name holds this text.
    q: Option<String>,
    /// How many, 1 to 100; 20 unless said.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the piece before.
    after: Option<String>,
}

/// One's own files, the newest first; those in the trash as they came there, the last one first.
#[utoipa::path(get, path = "/api/v1/files", operation_id = "listFiles", tag = "files", params(Filter), responses(
    (status = 200, description = "A piece of the list", body = List<FileView>),
    OnOne,
))]
pub(crate) async fn list(
    State(site): State<Site>,
    who: Who,
    Query(filter): Query<Filter>,
) -> Outcome<axum::Json<List<FileView>>> {
    let may = who.may(&site, FilesRead(app_of(&site, &who, filter.app.as_deref())?))?;
    let page = PageRequest::parse(filter.limit, filter.after.as_deref())?;
    let found = site.hall.files(&may, filter.trashed, filter.q, page).await?;
    Ok(axum::Json(List::of(found, |file| FileView::of(&site, file))))
}

/// One file.
#[utoipa::path(get, path = "/api/v1/files/{id}", operation_id = "readFile", tag = "files",
    params(("id" = Uuid, Path, description = "The file")), responses(
    (status = 200, description = "The file", body = FileView),
    OnOne,
))]
pub(crate) async fn read(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<axum::Json<FileView>> {
    let may = who.may(&site, FilesRead(app_of(&site, &who, None)?))?;
    let file = site.hall.file(&may, FileId::parse(&id)?).await?;
    Ok(axum::Json(FileView::of(&site, file)))
}

/// How much one has and may have.
#[utoipa::path(get, path = "/api/v1/files/usage", operation_id = "readFileUsage", tag = "files", params(Place), responses(
    (status = 200, description = "What there is and what there may be", body = UsageView),
    OnOne,
))]
pub(crate) async fn usage(
    State(site): State<Site>,
    who: Who,
    Query(place): Query<Place>,
) -> Outcome<axum::Json<UsageView>> {
    let may = who.may(&site, FilesRead(app_of(&site, &who, place.app.as_deref())?))?;
    Ok(axum::Json(UsageView::of(site.hall.file_usage(&may).await?)))
}

/// How a file goes.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Way {
    /// `true`: for good, with its bytes when no other file has them. To the trash unless said.
    #[serde(default)]
    permanent: bool,
}

/// Moves a file to the trash, or destroys it.
#[utoipa::path(delete, path = "/api/v1/files/{id}", operation_id = "deleteFile", tag = "files",
    params(("id" = Uuid, Path, description = "The file"), Way), responses(
    (status = 200, description = "It is in the trash", body = FileView),
    (status = 204, description = "It is gone for good"),
    OnOne,
))]
pub(crate) async fn delete(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
    Query(way): Query<Way>,
) -> Outcome<Response> {
    let app = app_of(&site, &who, None)?;
    let may = who.may(&site, FilesDelete(app.clone()))?;
    let id = FileId::parse(&id)?;
    site.hall.delete_files(&may, &[id], way.permanent).await?;
    if way.permanent {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let file = site.hall.trashed_file(&may, id).await?;
    Ok(axum::Json(FileView::of(&site, file)).into_response())
}

/// Files that go together.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deletion {
    /// The files, at most 1,000.
    #[schema(value_type = Vec<Uuid>, min_items = 1, max_items = 1000)]
    file_ids: Vec<String>,
    /// `true`: for good. To the trash unless said.
    #[serde(default)]
    permanent: bool,
}

/// What went.
#[derive(Serialize, ToSchema)]
#[schema(as = FilesDeleted)]
pub(crate) struct DeletedView {
    /// Under this id all of them come back; `null` when they are gone for good.
    pub(super) batch_id: Option<Uuid>,
    /// How many went now; those that were in the trash already are not counted.
    pub(super) deleted: usize,
    /// The bytes that are free now: of contents that no file has any more. Nothing while they are in the trash.
    pub(super) freed_bytes: u64,
}

impl DeletedView {
    pub(super) fn of(removed: apps::Removed) -> DeletedView {
        match removed {
            apps::Removed::Trashed(batch, files) => DeletedView {
                batch_id: Some(batch.uuid()),
                deleted: files.iter().filter(|file| !file.already).count(),
                freed_bytes: 0,
            },
            apps::Removed::Destroyed(files) => DeletedView {
                batch_id: None,
                deleted: files.len(),
                freed_bytes: files.iter().filter(|file| file.blob.is_some()).map(|file| file.size).sum(),
            },
        }
    }
}

/// The ids of files in a body.
pub(super) fn ids(words: &[String]) -> Result<Vec<FileId>, Fault> {
    words.iter().map(|word| FileId::parse(word)).collect()
}

/// Throws files away, all of them or none. One operation, however many they are.
#[utoipa::path(post, path = "/api/v1/files/delete", operation_id = "deleteFiles", tag = "files", request_body = Deletion, responses(
    (status = 200, description = "They are in the trash, or gone", body = DeletedView),
    Changing,
))]
pub(crate) async fn delete_many(
    State(site): State<Site>,
    who: Who,
    Json(deletion): Json<Deletion>,
) -> Outcome<axum::Json<DeletedView>> {
    let may = who.may(&site, FilesDelete(app_of(&site, &who, None)?))?;
    let removed = site.hall.delete_files(&may, &ids(&deletion.file_ids)?, deletion.permanent).await?;
    Ok(axum::Json(DeletedView::of(removed)))
}

/// What an emptying took away.
#[derive(Serialize, ToSchema)]
#[schema(as = TrashEmptied)]
pub(crate) struct EmptiedView {
    /// How many files went.
    deleted: u64,
    /// Their sizes together.
    bytes: u64,
    /// The bytes that are free now.
    freed_bytes: u64,
    /// There is more than one request takes away: ask again.
    more: bool,
}

/// Destroys everything in the trash.
#[utoipa::path(delete, path = "/api/v1/files/trash", operation_id = "emptyTrash", tag = "files", params(Place), responses(
    (status = 200, description = "What went", body = EmptiedView),
    OnOne,
))]
pub(crate) async fn empty(
    State(site): State<Site>,
    who: Who,
    Query(place): Query<Place>,
) -> Outcome<axum::Json<EmptiedView>> {
    let may = who.may(&site, FilesDelete(app_of(&site, &who, place.app.as_deref())?))?;
    let apps::Emptied { files, bytes, freed, more } = site.hall.empty_trash(&may).await?;
    Ok(axum::Json(EmptiedView { deleted: files, bytes, freed_bytes: freed, more }))
}

/// Takes a file out of the trash.
#[utoipa::path(post, path = "/api/v1/files/{id}/restore", operation_id = "restoreFile", tag = "files",
    params(("id" = Uuid, Path, description = "The file")), responses(
    (status = 200, description = "The file", body = FileView),
    OnOne,
))]
pub(crate) async fn restore(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<axum::Json<FileView>> {
    let may = who.may(&site, FilesWrite(app_of(&site, &who, None)?))?;
    let file = site.hall.restore_file(&may, FileId::parse(&id)?).await?;
    Ok(axum::Json(FileView::of(&site, file)))
}

/// Takes out of the trash everything that went there together: undo.
#[utoipa::path(post, path = "/api/v1/files/batches/{id}/restore", operation_id = "restoreFileBatch", tag = "files",
    params(("id" = Uuid, Path, description = "The batch")), responses(
    (status = 200, description = "The files", body = FilesView),
    OnOne,
))]
pub(crate) async fn restore_batch(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<axum::Json<FilesView>> {
    let may = who.may(&site, FilesWrite(app_of(&site, &who, None)?))?;
    let files = site.hall.restore_batch(&may, BatchId::parse(&id)?).await?;
    let items = files.into_iter().map(|file| FileView::of(&site, file)).collect();
    Ok(axum::Json(FilesView { items }))
}
