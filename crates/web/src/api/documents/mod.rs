//! Documents of apps over HTTP: added as files or as text, listed, read, removed, searched.

mod incoming;
mod view;

use apps::{Adder, Once};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use identity::{DocumentsManage, DocumentsRead, May};
use kernel::{AppId, DocumentId, Fault, PageRequest, Visibility};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::problems::{Changing, OnOne, Reading};
use super::view::List;
use crate::Site;
use crate::body::{Json, Path, Query};
use crate::failure::{Failure, Outcome};
use crate::once;
use crate::who::Who;
use incoming::{Form, NewText};
use view::{AddedView, Answer, DocumentView, FoundView, PassageView, SearchView};

/// Passages of a search unless it says how many.
const LIMIT: u32 = 5;

/// Which documents.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Pieces {
    /// How many, 1 to 100; 20 unless said.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the piece before.
    after: Option<String>,
}

/// The documents that the caller may see, newest first: who manages the app sees all of them, also those that could
/// not be read; everybody else those for everyone.
#[utoipa::path(get, path = "/api/v1/apps/{app}/documents", operation_id = "listDocuments", tag = "documents",
    params(("app" = String, Path, description = "The app"), Pieces), responses(
    (status = 200, description = "A piece of the list", body = List<DocumentView>),
    Reading,
))]
pub(crate) async fn list(
    State(site): State<Site>,
    who: Who,
    Path(app): Path<String>,
    Query(pieces): Query<Pieces>,
) -> Outcome<axum::Json<List<DocumentView>>> {
    let may = who.may(&site, DocumentsRead(known(&site, &app)?))?;
    let page = PageRequest::parse(pieces.limit, pieces.after.as_deref())?;
    let found = site.hall.documents(&may, page).await?;
    Ok(axum::Json(List::of(found, |row| DocumentView::of(row, may.sees()))))
}

/// Adds files, or a text. A file that cannot be read becomes a document with the status `failed` and the reason; one
/// that the app has already is refused with `conflict`. A document that is `ready` is found from now on.
#[utoipa::path(post, path = "/api/v1/apps/{app}/documents", operation_id = "addDocuments", tag = "documents",
    params(("app" = String, Path, description = "The app")),
    request_body(content((NewText = "application/json"), (Form = "multipart/form-data"))), responses(
    (status = 201, description = "The document, or what became of each of several files", body = Answer),
    Changing,
))]
pub(crate) async fn create(
    State(site): State<Site>,
    who: Who,
    Path(app): Path<String>,
    request: Request,
) -> Outcome<Response> {
    let may = who.may(&site, DocumentsManage(known(&site, &app)?))?;
    let headers = request.headers().clone();
    // What waits lies in the socket, not in memory.
    let place = site.hall.library().take().await?;
    let new = incoming::receive(&site, request).await?;
    let Some(key) = headers.get(once::HEADER) else { return add(&site, &may, new).await };
    let fingerprint = incoming::fingerprint(may.what(), &new);
    match site.hall.once(&who.principal, key.to_str().unwrap_or_default(), &fingerprint).await? {
        Once::Done(answer) => once::again(&site, &who, answer).await,
        Once::Do(claim) => {
            // In a task of its own: a caller that goes away must not leave the key claimed for ever.
            let site = site.clone();
            let work = async move {
                let _place = place;
                let response = add(&site, &may, new).await.unwrap_or_else(Failure::into_response);
                once::keep(claim, response).await
            };
            tokio::spawn(work).await.map_err(Fault::internal)?
        }
    }
}

/// One document, with how far it is.
#[utoipa::path(get, path = "/api/v1/apps/{app}/documents/{id}", operation_id = "readDocument", tag = "documents",
    params(("app" = String, Path, description = "The app"), ("id" = uuid::Uuid, Path, description = "The document")), responses(
    (status = 200, description = "The document", body = DocumentView),
    OnOne,
))]
pub(crate) async fn read(
    State(site): State<Site>,
    who: Who,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<axum::Json<DocumentView>> {
    let may = who.may(&site, DocumentsRead(known(&site, &app)?))?;
    let found = site.hall.document(&may, DocumentId::parse(&id)?).await?;
    Ok(axum::Json(DocumentView::of(found, may.sees())))
}

/// Removes a document with everything made from it: passages, words, vectors.
#[utoipa::path(delete, path = "/api/v1/apps/{app}/documents/{id}", operation_id = "removeDocument", tag = "documents",
    params(("app" = String, Path, description = "The app"), ("id" = uuid::Uuid, Path, description = "The document")), responses(
    (status = 204, description = "It is gone"),
    OnOne,
))]
pub(crate) async fn delete(
    State(site): State<Site>,
    who: Who,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<StatusCode> {
    let may = who.may(&site, DocumentsManage(known(&site, &app)?))?;
    site.hall.remove_document(&may, DocumentId::parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a document says, passage by passage.
#[utoipa::path(get, path = "/api/v1/apps/{app}/documents/{id}/passages", operation_id = "listPassages", tag = "documents",
    params(("app" = String, Path, description = "The app"), ("id" = uuid::Uuid, Path, description = "The document"), Pieces), responses(
    (status = 200, description = "A piece of the document", body = List<PassageView>),
    OnOne,
))]
pub(crate) async fn passages(
    State(site): State<Site>,
    who: Who,
    Path((app, id)): Path<(String, String)>,
    Query(pieces): Query<Pieces>,
) -> Outcome<axum::Json<List<PassageView>>> {
    let may = who.may(&site, DocumentsRead(known(&site, &app)?))?;
    let page = PageRequest::parse(pieces.limit, pieces.after.as_deref())?;
    let found = site.hall.document_passages(&may, DocumentId::parse(&id)?, page).await?;
    Ok(axum::Json(List::of(found, PassageView::from)))
}

/// A question to the documents.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    /// The question, or words.
    #[schema(min_length = 1, max_length = 2000)]
    query: String,
    /// How many passages, 1 to 50; 5 unless said.
    #[schema(minimum = 1, maximum = 50)]
    limit: Option<u32>,
}

/// Searches in the documents that the caller may see.
#[utoipa::path(post, path = "/api/v1/apps/{app}/search", operation_id = "searchDocuments", tag = "documents", request_body = Question,
    params(("app" = String, Path, description = "The app")), responses(
    (status = 200, description = "The passages, best first", body = SearchView),
    Changing,
))]
pub(crate) async fn search(
    State(site): State<Site>,
    who: Who,
    Path(app): Path<String>,
    Json(question): Json<Question>,
) -> Outcome<axum::Json<SearchView>> {
    let may = who.may(&site, DocumentsRead(known(&site, &app)?))?;
    let limit = question.limit.unwrap_or(LIMIT);
    if !(1..=50).contains(&limit) {
        return Err(Fault::invalid("limit", "out_of_range", "`limit` must be 1 to 50").into());
    }
    let found = site.hall.search(&may, &question.query, limit as usize).await?;
    Ok(axum::Json(SearchView { items: found.into_iter().map(FoundView::from).collect() }))
}

fn known(site: &Site, app: &str) -> Outcome<AppId> {
    Ok(site.hall.known(AppId::parse(app)?)?)
}

async fn add(site: &Site, may: &May<DocumentsManage>, new: Vec<Adder>) -> Outcome<Response> {
    let mut new = new;
    let answer = match new.pop() {
        Some(one) if new.is_empty() => {
            let document = site.hall.add_document(may, one).await?;
            Answer::One(Box::new(DocumentView::of(document, Visibility::Staff)))
        }
        last => {
            let mut items = Vec::new();
            for one in new.into_iter().chain(last) {
                let name = one.name.clone();
                items.push(match site.hall.add_document(may, one).await {
                    Ok(document) => {
                        let document = Some(DocumentView::of(document, Visibility::Staff));
                        AddedView { name, document, code: None, detail: None }
                    }
                    // What is wrong with one file is no reason to refuse the others.
                    Err(fault) => {
                        let (code, detail) = (Some(fault.code().as_str()), Some(fault.to_string()));
                        AddedView { name, document: None, code, detail }
                    }
                });
            }
            Answer::Several { items }
        }
    };
    Ok((StatusCode::CREATED, axum::Json(answer)).into_response())
}
