//! Contents on their way out: whole or in part, always as something to save. Whatever is in a file, no browser shows it
//! as a page of this server: it comes as an attachment, under a policy that runs nothing, with a type that is not
//! guessed at.

use apps::{Content, Part};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use identity::FilesRead;
use kernel::id::FileId;
use kernel::{Code, Fault};

use super::super::problems::OnOne;
use super::app_of;
use crate::Site;
use crate::body::Path;
use crate::failure::{Failure, Outcome};
use crate::front::Sandboxed;
use crate::range::{Asked, asked, is_known};
use crate::who::{Incompressible, Who};

/// The content of a file, in the trash or not: `Range`, `If-Range` and `If-None-Match` are understood.
#[utoipa::path(get, path = "/api/v1/files/{id}/content", operation_id = "readFileContent", tag = "files",
    params(
        ("id" = uuid::Uuid, Path, description = "The file"),
        ("Range" = Option<String>, Header, description = "One part: `bytes=0-99`, `bytes=100-`, `bytes=-100`"),
    ), responses(
    (status = 200, description = "The content", content_type = "application/octet-stream", body = Vec<u8>),
    (status = 206, description = "The part", content_type = "application/octet-stream", body = Vec<u8>),
    (status = 304, description = "The client has it already"),
    (status = 416, description = "The part is behind the end", body = super::super::view::ProblemView),
    OnOne,
))]
pub(crate) async fn read(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Outcome<Response> {
    let may = who.may(&site, FilesRead(app_of(&site, &who, None)?))?;
    let file = site.hall.file(&may, FileId::parse(&id)?).await?;
    // 128 bits of a hash over the content: the same for the same bytes, whatever they are called.
    let tag = format!("\"{}\"", file.digest.get(..32).unwrap_or_default());
    if is_known(&headers, &tag) {
        return Ok(dressed(StatusCode::NOT_MODIFIED.into_response(), &file, &tag));
    }
    let (status, part) = match asked(&headers, file.size, &tag) {
        Asked::Whole => (StatusCode::OK, Part::Whole),
        Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, Part::Range(range)),
        Asked::Nowhere => {
            let mut refusal = Failure::from(Code::RangeNotSatisfiable).into_response();
            put(&mut refusal, CONTENT_RANGE, &format!("bytes */{}", file.size));
            return Ok(refusal);
        }
    };
    let (length, range) = match &part {
        Part::Whole => (file.size, None),
        Part::Range(range) => {
            let last = range.end.saturating_sub(1);
            (
                range.end.saturating_sub(range.start),
                Some(format!("bytes {}-{last}/{}", range.start, file.size)),
            )
        }
    };
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        Body::from_stream(pieces(site.hall.content(&may, &file, part).await?))
    };
    let mut response = dressed((status, body).into_response(), &file, &tag);
    put(&mut response, CONTENT_LENGTH, &length.to_string());
    if let Some(range) = range {
        put(&mut response, CONTENT_RANGE, &range);
    }
    Ok(response)
}

/// Pieces as they are opened. What fails in the middle cuts the answer off: the client sees that it is not whole.
fn pieces(content: Content) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> {
    futures_util::stream::unfold(Some(content), |content| async move {
        let mut content = content?;
        match content.next().await {
            Ok(Some(piece)) => Some((Ok(Bytes::from(piece)), Some(content))),
            Ok(None) => None,
            Err(fault) => {
                log(&fault);
                Some((Err(std::io::Error::other("the content cannot be read on")), None))
            }
        }
    })
}

fn log(fault: &Fault) {
    let cause = fault.cause().map(ToString::to_string).unwrap_or_default();
    tracing::warn!(code = fault.code().as_str(), cause, "the content of a file was cut off");
}

fn dressed(mut response: Response, file: &apps::File, tag: &str) -> Response {
    put(&mut response, CONTENT_TYPE, &file.media_type);
    put(&mut response, CONTENT_DISPOSITION, &apps::attachment(&file.name));
    put(&mut response, ETAG, tag);
    put(&mut response, ACCEPT_RANGES, "bytes");
    let extensions = response.extensions_mut();
    extensions.insert(Sandboxed);
    // Compressed, its parts would be parts of something else.
    extensions.insert(Incompressible);
    response
}

fn put(response: &mut Response, name: http::HeaderName, value: &str) {
    // All of these are ASCII without controls.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
