//! Files on their way in: a multipart body, read as it comes. An `Idempotency-Key` stands here for what the files are
//! and are called, not for the bytes of the body: a client that sends them again draws another boundary. The files come
//! in before the key is looked up, and what has been stored under it is not stored again.

use apps::{Once, Upload};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use identity::FilesWrite;
use kernel::{Fault, Time};
use utoipa::ToSchema;

use super::super::problems::Changing;
use super::view::UploadedView;
use super::{Place, app_of};
use crate::Site;
use crate::body::Query;
use crate::failure::Outcome;
use crate::multipart::Multipart;
use crate::once;
use crate::who::Who;

/// The longest value of a field that is no file.
const FIELD: usize = 4 * 1024;

/// The form. Fields count for the files behind them.
#[derive(ToSchema)]
#[schema(as = UploadForm)]
#[allow(dead_code, reason = "the shape that the reader below takes, for the OpenAPI document")]
pub(crate) struct Form {
    /// The folder of the files that follow, parts joined by `/`.
    folder: Option<String>,
    /// When the file that follows was changed last.
    #[schema(value_type = Option<String>, format = DateTime)]
    modified_at: Option<String>,
    /// The files, up to 20; every part with a file name is one, whatever its field is called.
    #[schema(value_type = Vec<String>, format = Binary)]
    file: Vec<u8>,
}

/// Stores files, all of them or none. They are judged by their content; one that is there already is stored once and
/// told of. The answer is the file, or all of them under `items` when several came.
#[utoipa::path(post, path = "/api/v1/files", operation_id = "uploadFiles", tag = "files", params(Place),
    request_body(content = Form, content_type = "multipart/form-data"), responses(
    (status = 201, description = "The file, or the files", body = UploadedView),
    Changing,
))]
pub(crate) async fn create(
    State(site): State<Site>,
    who: Who,
    Query(place): Query<Place>,
    request: Request,
) -> Outcome<Response> {
    let may = who.may(&site, FilesWrite(app_of(&site, &who, place.app.as_deref())?))?;
    let headers = request.headers().clone();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let form = Multipart::of(request)?;
    let announced = header(CONTENT_LENGTH.as_str()).and_then(|length| length.parse().ok());
    let mut upload = site.hall.begin_upload(&may, announced).await?;
    receive(form, &mut upload).await?;
    let Some(key) = headers.get(once::HEADER) else { return keep(&site, upload).await };
    let key = key.to_str().unwrap_or_default();
    let fingerprint = blake3::hash(upload.fingerprint().as_bytes()).to_hex();
    match site.hall.once(&who.principal, key, &fingerprint).await? {
        Once::Done(answer) => once::again(&site, &who, answer).await,
        Once::Do(claim) => {
            // In a task of its own: a caller that goes away must not leave the key claimed for ever.
            let site = site.clone();
            let work = async move {
                let response =
                    keep(&site, upload).await.unwrap_or_else(crate::failure::Failure::into_response);
                once::keep(claim, response).await
            };
            tokio::spawn(work).await.map_err(Fault::internal)?
        }
    }
}

/// Reads the form; every file goes where it is kept in the end.
async fn receive(mut form: Multipart, upload: &mut Upload) -> Result<(), Fault> {
    let (mut folder, mut modified_at) = (String::new(), None);
    while let Some(part) = form.next().await? {
        match (part.filename, part.name.as_str()) {
            (Some(name), _) => {
                upload.begin(&name, &folder, modified_at.take()).await?;
                while let Some(piece) = form.chunk().await? {
                    upload.write(&piece).await?;
                }
                upload.end().await?;
            }
            (None, "folder") => folder = form.text("folder", FIELD).await?,
            (None, "modified_at") => {
                let text = form.text("modified_at", FIELD).await?;
                let time = Time::parse_rfc3339(text.trim()).ok_or_else(|| {
                    Fault::invalid("modified_at", "malformed", "write a time like 2026-01-31T00:00:00Z")
                })?;
                modified_at = Some(time);
            }
            (None, "file" | "files") => {
                return Err(Fault::invalid("file", "missing", "the part of a file needs a `filename`"));
            }
            (None, other) => {
                let detail = "a form has `folder`, `modified_at` and files";
                return Err(Fault::invalid(other.chars().take(64).collect::<String>(), "unknown", detail));
            }
        }
    }
    Ok(())
}

async fn keep(site: &Site, upload: Upload) -> Outcome<Response> {
    let stored = upload.keep().await?;
    Ok((StatusCode::CREATED, axum::Json(UploadedView::of(site, stored))).into_response())
}
