//! What load balancers and monitoring ask: `/live`, `/ready`, `/health`, `/metrics`. No credential, no limit.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use guard::http::Peer;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use kernel::{Actor, AuditEvent, Code, EventType, Severity};
use ops::health::Ready;
use serde_json::{Value, json};

use crate::Site;
use crate::failure::{Failure, Outcome};

/// The process runs.
#[utoipa::path(get, path = "/live", operation_id = "live", tag = "operations", security(()), responses((status = 200, description = "The process runs", body = Object)))]
pub(crate) async fn live() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

/// The server can take requests: the database answers and the server is not stopping.
#[utoipa::path(get, path = "/ready", operation_id = "ready", tag = "operations", security(()), responses(
    (status = 200, description = "Ready", body = Object),
    (status = 503, description = "Not ready: no database, migrating or draining", body = Object),
))]
pub(crate) async fn ready(State(site): State<Site>) -> Response {
    let report = site.health.ready().await;
    let status = if report.status == Ready::Ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report)).into_response()
}

/// What was measured on the running server.
#[utoipa::path(get, path = "/health", operation_id = "health", tag = "operations", security(()), responses(
    (status = 200, description = "Healthy or degraded", body = Object),
    (status = 503, description = "Unhealthy", body = Object),
))]
pub(crate) async fn health(State(site): State<Site>) -> Response {
    let report = site.health.report().await;
    let status = if report.serves() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report)).into_response()
}

/// The metrics as Prometheus text, for who holds the token; without a token configured there is no such page.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "operations", security(("bearer" = [])), responses(
    (status = 200, description = "Prometheus text", body = String, content_type = "text/plain"),
    (status = 401, description = "Not the token", body = crate::api::view::ProblemView),
    (status = 404, description = "No token is configured", body = crate::api::view::ProblemView),
))]
pub(crate) async fn metrics(
    State(site): State<Site>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Outcome<Response> {
    let token = site.metrics_token.load();
    let Some(token) = token.as_deref() else { return Err(Failure::from(Code::NotFound)) };
    let shown = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|v| v.strip_prefix("Bearer "));
    // Digests are compared, so that the time taken tells nothing about the token.
    let same = |text: &str| blake3::hash(text.as_bytes()) == blake3::hash(token.expose().as_bytes());
    if !shown.is_some_and(same) {
        // Whoever guesses at the token is an attacker like any other.
        let event = AuditEvent::new(EventType::AuthFailure, Actor::Anonymous).from(peer.ip);
        let (reason, severity) = match shown {
            Some(_) => ("unknown metrics token", Severity::High),
            None => ("missing credential", Severity::Low),
        };
        site.audit.note(AuditEvent { severity, ..event.with("reason", reason) });
        return Err(Failure::from(Code::Unauthenticated));
    }
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], (site.metrics)()).into_response())
}
