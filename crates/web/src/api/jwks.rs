//! The public keys of the access tokens, where they are signed with EdDSA.

use axum::extract::State;
use http::header::CACHE_CONTROL;
use kernel::Code;
use serde_json::Value;

use crate::Site;
use crate::failure::Outcome;

/// The public keys that verify this server's access tokens (RFC 7517). There are none while a shared secret signs.
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "readJwks", tag = "auth", security(()), responses(
    (status = 200, description = "The keys", body = Object),
    (status = 404, description = "Tokens are signed with a shared secret", body = super::view::ProblemView),
))]
pub(crate) async fn read(
    State(site): State<Site>,
) -> Outcome<([(http::HeaderName, &'static str); 1], axum::Json<Value>)> {
    let keys = site.identity.jwks().ok_or(Code::NotFound)?;
    Ok(([(CACHE_CONTROL, "public, max-age=300")], axum::Json(keys)))
}
