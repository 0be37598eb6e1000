//! The only table from faults to HTTP. A handler returns a [`Failure`]; the front writes its body at the very
//! end, when the request id and the shape that the caller expects (problem, OpenAI, page) are known.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use kernel::{Code, Fault, Kind, RequestId};
use serde_json::{Value, json};

/// A fault on its way out.
#[derive(Clone)]
pub(crate) struct Failure(pub(crate) Arc<Fault>);

/// What a handler returns.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        Failure(Arc::new(fault))
    }
}

impl From<Code> for Failure {
    fn from(code: Code) -> Failure {
        Fault::new(code).into()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status(self.0.code());
        response.extensions_mut().insert(self);
        response
    }
}

/// The HTTP status of a code.
pub const fn status(code: Code) -> StatusCode {
    match code.kind() {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Refused => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::Range => StatusCode::RANGE_NOT_SATISFIABLE,
        Kind::Misdirected => StatusCode::MISDIRECTED_REQUEST,
        Kind::Limited => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The shape in which a caller expects to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// RFC 9457.
    Problem,
    /// What the official OpenAI clients read.
    OpenAi,
    /// A page for a person.
    Page,
}

/// Writes the body of a failed answer; other answers pass unchanged.
pub(crate) fn write(mut response: Response, shape: Shape, id: RequestId) -> Response {
    let Some(Failure(fault)) = response.extensions_mut().remove::<Failure>() else { return response };
    log(&fault);
    let (content_type, body) = match shape {
        Shape::Problem => ("application/problem+json", problem(&fault, id).to_string()),
        Shape::OpenAi => ("application/json", openai(&fault).to_string()),
        Shape::Page => {
            ("text/html; charset=utf-8", crate::pages::failure(&fault, status(fault.code()).as_u16(), id))
        }
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if fault.kind() == Kind::Unauthenticated {
        let challenge = match fault.code() {
            Code::TokenExpired => "Bearer realm=\"stoa\", error=\"invalid_token\"",
            _ => "Bearer realm=\"stoa\"",
        };
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    let retry =
        fault.retry().or((fault.kind() == Kind::Unavailable).then_some(std::time::Duration::from_secs(1)));
    if let Some(span) = retry
        && !headers.contains_key(RETRY_AFTER)
    {
        headers.insert(RETRY_AFTER, HeaderValue::from(span.as_secs().max(1)));
    }
    *response.body_mut() = Body::from(body);
    response
}

/// What a log line about a failed answer is about, in words that stay the same: those of the audit log where it knows
/// the event.
fn event_type(code: Code) -> &'static str {
    match (code, code.kind()) {
        (Code::Csrf | Code::HttpsRequired | Code::AddressBlocked, _) | (_, Kind::Misdirected) => {
            "security.violation"
        }
        (_, Kind::Unauthenticated) => "auth.failure",
        (_, Kind::Forbidden) => "authz.denied",
        (_, Kind::Limited) => "ratelimit.exceeded",
        (_, Kind::Unavailable | Kind::Timeout) => "dependency.unavailable",
        (_, Kind::Internal) => "exception",
        _ => "request.refused",
    }
}

/// The cause goes to the log and nowhere else.
fn log(fault: &Fault) {
    let (code, status) = (fault.code().as_str(), status(fault.code()).as_u16());
    let event_type = event_type(fault.code());
    match (fault.kind(), fault.cause()) {
        (Kind::Internal, Some(cause)) => {
            tracing::error!(event_type, status, code, cause = %cause, "request failed")
        }
        (Kind::Internal, None) => tracing::error!(event_type, status, code, "request failed"),
        (Kind::Unavailable | Kind::Timeout, Some(cause)) => {
            tracing::warn!(event_type, status, code, cause = %cause, "request failed")
        }
        (Kind::Invalid | Kind::NotFound | Kind::Conflict | Kind::Refused, _) => {
            tracing::debug!(event_type, status, code, "request refused")
        }
        (_, Some(cause)) => tracing::warn!(event_type, status, code, cause = %cause, "request refused"),
        (_, None) => tracing::warn!(event_type, status, code, "request refused"),
    }
}

/// RFC 9457, with the title again as `error` (row 001.42).
pub(crate) fn problem(fault: &Fault, id: RequestId) -> Value {
    let code = fault.code();
    let mut problem = json!({
        "type": format!("/docs/errors#{}", code.as_str()),
        "title": code.title(),
        "status": status(code).as_u16(),
        "detail": fault.message(),
        "code": code.as_str(),
        "request_id": id,
        "error": code.title(),
    });
    if !fault.fields().is_empty() {
        let fields: Vec<Value> = fault
            .fields()
            .iter()
            .map(|field| json!({"field": field.field, "code": field.code, "detail": field.detail}))
            .collect();
        if let Some(problem) = problem.as_object_mut() {
            problem.insert("errors".to_owned(), fields.into());
        }
    }
    problem
}

/// The shape of the OpenAI API: `{"error": {"message", "type", "param", "code"}}`.
pub(crate) fn openai(fault: &Fault) -> Value {
    let kind = match fault.kind() {
        Kind::Unauthenticated => "authentication_error",
        Kind::Forbidden => "permission_error",
        Kind::Limited => "rate_limit_error",
        Kind::Unavailable | Kind::Timeout | Kind::Internal => "server_error",
        _ => "invalid_request_error",
    };
    json!({"error": {
        "message": fault.message(),
        "type": kind,
        "param": fault.fields().first().map(|field| field.field.as_ref()),
        "code": fault.code().as_str(),
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_an_error_status() {
        assert!(Code::ALL.iter().all(|code| status(*code).as_u16() >= 400));
    }

    /// 003.28, 003.35: every refusal that matters to security can be found by one word.
    #[test]
    fn refusals_have_lasting_words() {
        for (code, word) in [
            (Code::Unauthenticated, "auth.failure"),
            (Code::TokenExpired, "auth.failure"),
            (Code::Forbidden, "authz.denied"),
            (Code::Inactive, "authz.denied"),
            (Code::LockedDown, "authz.denied"),
            (Code::Csrf, "security.violation"),
            (Code::HttpsRequired, "security.violation"),
            (Code::AddressBlocked, "security.violation"),
            (Code::UnknownHost, "security.violation"),
            (Code::RateLimited, "ratelimit.exceeded"),
            (Code::TooLarge, "request.refused"),
            (Code::UnsupportedType, "request.refused"),
            (Code::Unavailable, "dependency.unavailable"),
            (Code::Internal, "exception"),
        ] {
            assert_eq!(event_type(code), word, "{code:?}");
        }
    }

    #[test]
    fn the_cause_is_nowhere_in_the_body() {
        let fault = Fault::new(Code::Internal).because("postgres://user:hunter2@db/prod");
        let id = RequestId::from_uuid(uuid::Uuid::nil());
        assert!(!problem(&fault, id).to_string().contains("hunter2"));
        assert!(!openai(&fault).to_string().contains("hunter2"));
    }
}
