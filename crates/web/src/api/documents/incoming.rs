//! Documents on their way in: a text as JSON, or files as a form, read part by part with what is held bounded.

use apps::Adder;
use axum::extract::{FromRequest as _, Request};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use identity::DocumentsManage;
use kernel::{Fault, Visibility};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::Site;
use crate::body::Json;
use crate::failure::Outcome;
use crate::multipart::Multipart;

/// The longest value of a field that is no file.
const FIELD: usize = 4 * 1024;
/// The most files of one request…
const FILES: usize = 20;
/// …and how many times the largest document all of them may be.
const TOGETHER: u64 = 2;
/// A text as a document.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewText {
    /// What it is called, one line.
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// The text; Markdown is understood.
    #[schema(min_length = 1)]
    text: String,
    /// Who may see it: `everyone` (unless said) or `staff`.
    #[schema(example = "everyone", pattern = "^(everyone|staff)$")]
    visibility: Option<String>,
}

/// The form of files. Fields count for the files behind them.
#[derive(ToSchema)]
#[schema(as = DocumentForm)]
#[allow(dead_code, reason = "the shape that the reader below takes, for the OpenAPI document")]
pub(crate) struct Form {
    /// Who may see the files that follow: `everyone` (unless said) or `staff`.
    visibility: Option<String>,
    /// What the file that follows is called; what it calls itself unless said.
    title: Option<String>,
    /// The files, up to 20; every part with a file name is one, whatever its field is called.
    #[schema(value_type = Vec<String>, format = Binary)]
    file: Vec<u8>,
}

/// What a request brings.
pub(super) async fn receive(site: &Site, request: Request) -> Outcome<Vec<Adder>> {
    if is_form(request.headers()) { files(site, request).await } else { typed(site, request).await }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("multipart/")
}

/// A text from JSON.
async fn typed(site: &Site, request: Request) -> Outcome<Vec<Adder>> {
    let Json(new) = Json::<NewText>::from_request(request, site).await?;
    guard::content::validate::title(&new.title)?;
    if new.text.trim().is_empty() {
        return Err(Fault::invalid("text", "empty", "the text is empty").into());
    }
    let visibility = visibility(new.visibility.as_deref())?;
    // As Markdown, of which plain text is a part.
    let name = format!("{}.md", new.title.replace(['/', '\\'], " "));
    Ok(vec![Adder { visibility, name, title: Some(new.title), bytes: new.text.into_bytes() }])
}

fn visibility(word: Option<&str>) -> Result<Visibility, Fault> {
    word.map_or(Ok(Visibility::Everyone), Visibility::parse)
}

/// The files of a form.
async fn files(site: &Site, request: Request) -> Outcome<Vec<Adder>> {
    let most = site.hall.library().most_bytes();
    let mut form = Multipart::of(request)?;
    let (mut seen, mut title, mut left) = (Visibility::Everyone, None, most.saturating_mul(TOGETHER));
    let mut files: Vec<Adder> = Vec::new();
    while let Some(part) = form.next().await? {
        match (part.filename, part.name.as_str()) {
            (Some(name), _) => {
                if files.len() == FILES {
                    let say = format!("send at most {FILES} files at once");
                    return Err(Fault::invalid("file", "too_many", say).into());
                }
                let mut bytes = Vec::new();
                while let Some(piece) = form.chunk().await? {
                    let size = piece.len() as u64;
                    if bytes.len() as u64 + size > most {
                        return Err(guard::http::too_large(most).into());
                    }
                    left = left.checked_sub(size).ok_or_else(|| guard::http::too_large(most * TOGETHER))?;
                    bytes.extend_from_slice(&piece);
                }
                files.push(Adder { visibility: seen, name, title: title.take(), bytes });
            }
            (None, "visibility") => seen = visibility(Some(form.text("visibility", FIELD).await?.trim()))?,
            (None, "title") => {
                let text = form.text("title", FIELD).await?;
                guard::content::validate::title(&text)?;
                title = Some(text);
            }
            (None, "file" | "files") => {
                return Err(Fault::invalid("file", "missing", "the part of a file needs a `filename`").into());
            }
            (None, other) => {
                let name = other.chars().take(64).collect::<String>();
                return Err(
                    Fault::invalid(name, "unknown", "a form has `visibility`, `title` and files").into()
                );
            }
        }
    }
    if files.is_empty() {
        return Err(Fault::invalid("file", "missing", "there is no file in the form").into());
    }
    Ok(files)
}

/// Stands for what is to be added, not for the bytes of the body: a client that sends it again draws another boundary.
pub(super) fn fingerprint(what: &DocumentsManage, new: &[Adder]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    part(what.0.as_str().as_bytes());
    for one in new {
        part(one.visibility.as_str().as_bytes());
        part(one.name.as_bytes());
        part(one.title.as_deref().unwrap_or_default().as_bytes());
        part(&one.bytes);
    }
    hasher.finalize().to_hex().to_string()
}
