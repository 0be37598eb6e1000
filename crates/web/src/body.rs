//! Bodies, queries and paths as typed values, with errors that name the field. Limits count what arrives after
//! decompression, before anything is parsed.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use guard::http::{admit_length, too_large};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use kernel::{Code, Fault};
use serde::de::DeserializeOwned;

use crate::Site;
use crate::failure::{Failure, Outcome};

/// How long a body may take to arrive. A slower client holds a connection, never a worker.
const ARRIVAL: Duration = Duration::from_secs(30);

/// A JSON body. Unknown fields are refused where the type says so.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Site> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, site: &Site) -> Outcome<Json<T>> {
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(is_json) {
            return Err(not_json());
        }
        let bytes = read(request, site.front.body_limits().json).await?;
        Ok(Json(parse(&bytes)?))
    }
}

/// A JSON body that may be left out.
pub(crate) struct MaybeJson<T>(pub(crate) Option<T>);

impl<T: DeserializeOwned> FromRequest<Site> for MaybeJson<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, site: &Site) -> Outcome<MaybeJson<T>> {
        if request.headers().contains_key(CONTENT_TYPE) {
            let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let json = content_type.is_some_and(is_json);
            let bytes = read(request, site.front.body_limits().json).await?;
            return match (bytes.is_empty(), json) {
                (true, _) => Ok(MaybeJson(None)),
                (false, true) => Ok(MaybeJson(Some(parse(&bytes)?))),
                (false, false) => Err(not_json()),
            };
        }
        let bytes = read(request, site.front.body_limits().json).await?;
        if bytes.is_empty() { Ok(MaybeJson(None)) } else { Err(not_json()) }
    }
}

fn not_json() -> Failure {
    Fault::new(Code::UnsupportedType).say("send `Content-Type: application/json`").into()
}

/// In the extensions of a request: its body may hold this many bytes and no more.
#[derive(Clone, Copy)]
pub(crate) struct Most(pub(crate) u64);

/// The whole body, or `too_large`.
pub(crate) async fn read(request: Request, limit: u64) -> Outcome<Bytes> {
    let limit = request.extensions().get::<Most>().map_or(limit, |most| most.0.min(limit));
    admit_length(request.headers(), limit)?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let body: Limited<Body> = Limited::new(request.into_body(), most);
    match tokio::time::timeout(ARRIVAL, body.collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large(limit).into()),
        Ok(Err(_)) => {
            Err(Fault::new(Code::InvalidJson).say("the body broke off or could not be decompressed").into())
        }
        Err(_) => Err(Fault::new(Code::Timeout).say("the body did not arrive in time").into()),
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        || (essence.len() > 5 && essence.to_ascii_lowercase().ends_with("+json"))
}

/// Parses JSON; the fault names the field that is wrong, never its value.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    // serde would take a list for the fields in their order, which no document promises.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Fault::invalid("body", "wrong_type", "`body` must be an object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        field_fault(&path, error.into_inner())
    })?;
    reader.end().map_err(|_| Fault::new(Code::InvalidJson).say("something follows the JSON value"))?;
    Ok(value)
}

fn field_fault(path: &str, error: serde_json::Error) -> Fault {
    if !error.is_data() {
        return Fault::new(Code::InvalidJson).say(format!(
            "not valid JSON at line {} column {}",
            error.line(),
            error.column()
        ));
    }
    // serde's messages name fields between backticks, and may quote a value: only the names are used.
    let text = error.to_string();
    let named = || text.split('`').nth(1).unwrap_or_default().to_owned();
    let inside = |name: String| if path == "." { name } else { format!("{path}.{name}") };
    if text.starts_with("missing field") {
        let name = inside(named());
        return Fault::invalid(name.clone(), "missing", format!("`{name}` is required"));
    }
    if text.starts_with("unknown field") {
        // The path already ends with the unknown name.
        let name = named();
        return Fault::invalid(name.clone(), "unknown", format!("there is no field `{name}` here"));
    }
    let expected = text
        .rsplit_once("expected ")
        .map_or("another type", |(_, rest)| rest.split(" at line").next().unwrap_or(rest));
    let field = if path == "." { "body".to_owned() } else { path.to_owned() };
    Fault::invalid(field.clone(), "wrong_type", format!("`{field}` must be {expected}"))
}

/// A query string as a typed value.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Site> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Site) -> Outcome<Query<T>> {
        let axum::extract::Query(query) = axum::extract::Query::try_from_uri(&parts.uri)
            .map_err(|_| Fault::invalid("query", "malformed", "a query parameter is unknown or malformed"))?;
        Ok(Query(query))
    }
}

/// The parts of a path. One that is no text is malformed like any other.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Site> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Outcome<Path<T>> {
        match axum::extract::Path::from_request_parts(parts, site).await {
            Ok(axum::extract::Path(path)) => Ok(Path(path)),
            Err(_) => Err(Fault::new(Code::InvalidId).say("a part of the path is no text").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(rename = "message")]
        _message: String,
        #[serde(rename = "options")]
        _options: Option<Inner>,
    }

    #[derive(Deserialize, Debug)]
    struct Inner {
        #[serde(rename = "size")]
        _size: u8,
    }

    fn fault(text: &str) -> (Code, String, String) {
        let fault = parse::<Body>(text.as_bytes()).unwrap_err();
        let field = fault.fields().first();
        (
            fault.code(),
            field.map(|f| f.field.to_string()).unwrap_or_default(),
            field.map(|f| f.code.to_owned()).unwrap_or_default(),
        )
    }

    #[test]
    fn the_wrong_field_is_named() {
        let row = |code, field: &str, what: &str| (code, field.to_owned(), what.to_owned());
        assert_eq!(fault("{}"), row(Code::InvalidInput, "message", "missing"));
        assert_eq!(fault(r#"{"message":"a","colour":1}"#), row(Code::InvalidInput, "colour", "unknown"));
        assert_eq!(fault(r#"{"message":5}"#), row(Code::InvalidInput, "message", "wrong_type"));
        assert_eq!(
            fault(r#"{"message":"a","options":{"size":900}}"#),
            row(Code::InvalidInput, "options.size", "wrong_type")
        );
        assert_eq!(
            fault(r#"{"message":"a","options":{}}"#),
            row(Code::InvalidInput, "options.size", "missing")
        );
        assert_eq!(fault(r#"["a",null]"#), row(Code::InvalidInput, "body", "wrong_type"));
        for broken in ["", "{", "nonsense", r#"{"message":"a"} x"#] {
            assert_eq!(fault(broken).0, Code::InvalidJson, "{broken}");
        }
    }

    #[test]
    fn values_are_never_repeated() {
        let fault = parse::<Body>(br#"{"message":"a","options":"secret-value"}"#).unwrap_err();
        assert!(!format!("{fault:?}").contains("secret-value"));
    }
}
