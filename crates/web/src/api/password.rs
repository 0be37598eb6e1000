//! Passwords that were forgotten, and addresses that are verified: both by a link in a mail. The answers tell nothing
//! about accounts.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::auth::Accepted;
use super::input::{Hidden, Text};
use super::problems::Entrance;
use crate::Site;
use crate::body::Json;
use crate::failure::Outcome;
use crate::who::From;

/// An address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forgotten {
    /// The address of the account.
    #[schema(value_type = String, format = "email", min_length = 1, example = "ada@example.com")]
    email: Text,
}

/// Asks for a link by which a new password can be set. The answer is the same whatever the state of the address.
#[utoipa::path(post, path = "/api/v1/auth/password/forgot", operation_id = "forgotPassword", tag = "auth", security(()), request_body = Forgotten, responses(
    (status = 202, description = "Accepted. A mail follows if there is such an account and mail is configured", body = Accepted),
    Entrance,
))]
pub(crate) async fn forgot(
    State(site): State<Site>,
    from: From,
    Json(forgotten): Json<Forgotten>,
) -> Outcome<Response> {
    site.accounts.forgot(&forgotten.email.0, &from).await?;
    Ok(Accepted::answer())
}

/// A new password, and the right to set it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reset {
    /// The token of the link: usable once, for 30 minutes.
    #[schema(value_type = String, min_length = 1)]
    token: Hidden,
    /// The new password.
    #[schema(value_type = String, min_length = 8, max_length = 256)]
    password: Hidden,
}

/// Sets a new password with the token of a mail. Every session of the account ends.
#[utoipa::path(post, path = "/api/v1/auth/password/reset", operation_id = "resetPassword", tag = "auth", security(()), request_body = Reset, responses(
    (status = 204, description = "The password is set"),
    Entrance,
))]
pub(crate) async fn reset(
    State(site): State<Site>,
    from: From,
    Json(reset): Json<Reset>,
) -> Outcome<StatusCode> {
    site.accounts.reset(reset.token.0.expose(), &reset.password.0, &from).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The right to verify an address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verification {
    /// The token of the link.
    #[schema(value_type = String, min_length = 1)]
    token: Hidden,
}

/// Verifies the address of an account with the token of a mail.
#[utoipa::path(post, path = "/api/v1/auth/verify", operation_id = "verifyEmail", tag = "auth", security(()), request_body = Verification, responses(
    (status = 204, description = "The address is verified"),
    Entrance,
))]
pub(crate) async fn verify(
    State(site): State<Site>,
    from: From,
    Json(shown): Json<Verification>,
) -> Outcome<StatusCode> {
    site.accounts.verify(shown.token.0.expose(), &from).await?;
    Ok(StatusCode::NO_CONTENT)
}
