//! The OpenAPI document: what frames the operations, and the two places where it is read.

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use utoipa::openapi::content::Content;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr};
use utoipa::{Modify, OpenApi as _};

use crate::Site;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Stoa",
        description = "One server for AI applications: chat, support, tutor. Errors are `application/problem+json` \
            with a stable `code`; lists are pieces with a cursor; every POST takes an `Idempotency-Key`. Limited \
            answers carry `X-RateLimit-*`, `RateLimit` and, with 429, `Retry-After`."
    ),
    security((), ("key" = []), ("bearer" = []), ("session" = []), ("visitor" = [])),
    tags(
        (name = "chat", description = "One call: a message and its answer"),
        (name = "conversations", description = "Talks and what belongs to them"),
        (name = "messages", description = "Turns, at once or as streams"),
        (name = "files", description = "Stored files, the trash, and what can go"),
        (name = "apps", description = "The applications"),
        (name = "desk", description = "Customer service: the inbox of people, questions without an answer, counts"),
        (name = "auth", description = "Joining, signing in and out, tokens"),
        (name = "account", description = "Who is asking, and one's own account"),
        (name = "keys", description = "One's own API keys"),
        (name = "admin", description = "Users, grants, sessions, keys, the audit log, alerts, the brake: for admins"),
        (name = "openai", description = "The OpenAI-compatible endpoint"),
        (name = "operations", description = "Health, readiness, metrics"),
    ),
    // What the refusals refer to by name.
    components(schemas(crate::api::view::ProblemView, crate::openai::wire::ErrorView)),
    modifiers(&Credentials)
)]
struct Frame;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key")));
        let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        let session = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-stoa_session")));
        let visitor = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(identity::VISITOR_COOKIE)));
        components.add_security_scheme("key", key);
        components.add_security_scheme("bearer", bearer);
        components.add_security_scheme("session", session);
        components.add_security_scheme("visitor", visitor);
    }
}

/// The document without its operations.
pub(crate) fn frame() -> OpenApi {
    Frame::openapi()
}

/// What holds for every operation: a problem is sent as `application/problem+json`, whatever the operation sends
/// otherwise.
pub(crate) fn finish(mut document: OpenApi) -> OpenApi {
    for path in document.paths.paths.values_mut() {
        let operations = [&mut path.get, &mut path.put, &mut path.post, &mut path.delete];
        for operation in operations.into_iter().flatten() {
            for response in operation.responses.responses.values_mut() {
                if let RefOr::T(response) = response
                    && let Some(content) = response
                        .content
                        .get("application/json")
                        .filter(|content| is_problem(content))
                        .cloned()
                {
                    response.content =
                        [("application/problem+json".to_owned(), content)].into_iter().collect();
                }
            }
        }
    }
    document
}

fn is_problem(content: &RefOr<Content>) -> bool {
    let RefOr::T(content) = content else { return false };
    matches!(&content.schema, Some(RefOr::Ref(schema)) if schema.ref_location.ends_with("/Problem"))
}

/// The whole document as JSON text, as `docs/openapi.json` holds it.
pub fn openapi() -> String {
    text(&crate::router::document())
}

fn text(document: &OpenApi) -> String {
    document.to_pretty_json().unwrap_or_default()
}

/// `GET /openapi.json`.
pub(crate) fn routes(document: &OpenApi) -> Router<Site> {
    let text = Bytes::from(text(document));
    let read = move || async move { ([(CONTENT_TYPE, "application/json")], text) };
    Router::new().route("/openapi.json", get(read))
}
