//! Joining and signing in, for programs: an address and a password, a refresh token, an ID token or a set-up token
//! become access and refresh tokens. No answer tells whether an account exists.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::SET_COOKIE;
use identity::{AccountWrite, Tokens};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::input::{Hidden, Text};
use super::problems::{Changing, Entrance};
use crate::Site;
use crate::body::{Json, MaybeJson};
use crate::failure::Outcome;
use crate::who::{From, Who};

/// What a program signs in with from now on.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
pub(crate) struct TokensView {
    /// Send it as `Authorization: Bearer`.
    access_token: String,
    /// Usable once, at `/api/v1/auth/refresh`. One that comes a second time ends the whole family.
    refresh_token: String,
    /// `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// How many seconds the access token lives.
    expires_in: u64,
}

impl TokensView {
    pub(crate) fn of(tokens: &Tokens) -> axum::Json<TokensView> {
        axum::Json(TokensView {
            access_token: tokens.access_token.expose().clone(),
            refresh_token: tokens.refresh_token.expose().clone(),
            token_type: "Bearer",
            expires_in: tokens.expires_in,
        })
    }
}

/// Taken note of; whether anything comes of it is told by mail alone.
#[derive(Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// `accepted`.
    #[schema(example = "accepted")]
    status: &'static str,
}

impl Accepted {
    pub(crate) fn answer() -> Response {
        (StatusCode::ACCEPTED, axum::Json(Accepted { status: "accepted" })).into_response()
    }
}

/// An account to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Registration {
    /// The address.
    #[schema(value_type = String, format = "email", min_length = 1, max_length = 254, example = "ada@example.com")]
    email: Text,
    /// At least 15 characters, of any kind.
    #[schema(value_type = String, min_length = 15, max_length = 256)]
    password: Hidden,
    /// What to call the person.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    name: Option<Text>,
    /// The token of an invitation, where one is needed.
    #[schema(value_type = Option<String>, min_length = 1)]
    invitation: Option<Hidden>,
}

/// Asks for an account. The answer is the same whatever the state of the address.
#[utoipa::path(post, path = "/api/v1/auth/register", operation_id = "register", tag = "auth", security(()), request_body = Registration, responses(
    (status = 202, description = "Accepted. Where mail is configured a link follows, else the account can sign in", body = Accepted),
    Entrance,
))]
pub(crate) async fn register(
    State(site): State<Site>,
    from: From,
    Json(new): Json<Registration>,
) -> Outcome<Response> {
    let name = new.name.map(|name| name.0).unwrap_or_default();
    let invitation = new.invitation.as_ref().map(|token| token.0.expose().as_str());
    site.accounts.register(&new.email.0, &new.password.0, &name, invitation, &from).await?;
    Ok(Accepted::answer())
}

/// An address and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    /// The address of the account.
    #[schema(value_type = String, format = "email", min_length = 1, example = "ada@example.com")]
    email: Text,
    /// The password.
    #[schema(value_type = String, min_length = 1)]
    password: Hidden,
    /// Six digits of the authenticator, or a recovery code, for an account with a second factor.
    #[schema(value_type = Option<String>, min_length = 1)]
    code: Option<Hidden>,
}

/// Signs in with a password. 401 `second_factor_required` asks for the same again with `code`.
#[utoipa::path(post, path = "/api/v1/auth/login", operation_id = "logIn", tag = "auth", security(()), request_body = Login, responses(
    (status = 200, description = "The tokens", body = TokensView),
    Entrance,
))]
pub(crate) async fn login(
    State(site): State<Site>,
    from: From,
    Json(login): Json<Login>,
) -> Outcome<axum::Json<TokensView>> {
    let code = login.code.as_ref().map(|code| code.0.expose().as_str());
    let proof = site.accounts.sign_in(&login.email.0, &login.password.0, code, &from).await?;
    Ok(TokensView::of(&site.accounts.open_tokens(proof, &from).await?))
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refresh {
    /// The refresh token of the newest answer.
    #[schema(value_type = String, min_length = 1)]
    refresh_token: Hidden,
}

/// New tokens for a refresh token, which is used up. One that has been used before ends its whole family.
#[utoipa::path(post, path = "/api/v1/auth/refresh", operation_id = "refreshTokens", tag = "auth", security(()), request_body = Refresh, responses(
    (status = 200, description = "The tokens that follow", body = TokensView),
    Entrance,
))]
pub(crate) async fn refresh(
    State(site): State<Site>,
    from: From,
    Json(shown): Json<Refresh>,
) -> Outcome<axum::Json<TokensView>> {
    Ok(TokensView::of(&site.accounts.refresh(&shown.refresh_token.0, &from).await?))
}

/// An ID token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exchange {
    /// The ID token of a configured issuer.
    #[schema(value_type = String, min_length = 1)]
    id_token: Hidden,
}

/// Tokens of this server for an ID token of a configured issuer. A new person gets an account.
#[utoipa::path(post, path = "/api/v1/auth/exchange", operation_id = "exchangeToken", tag = "auth", security(()), request_body = Exchange, responses(
    (status = 200, description = "The tokens", body = TokensView),
    Entrance,
))]
pub(crate) async fn exchange(
    State(site): State<Site>,
    from: From,
    Json(shown): Json<Exchange>,
) -> Outcome<axum::Json<TokensView>> {
    let proof = site.accounts.exchange(&shown.id_token.0, &from).await?;
    Ok(TokensView::of(&site.accounts.open_tokens(proof, &from).await?))
}

/// The first admin.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Setup {
    /// The token that the server printed when it started.
    #[schema(value_type = String, min_length = 1)]
    token: Hidden,
    /// The admin's address.
    #[schema(value_type = String, format = "email", min_length = 1, example = "ada@example.com")]
    email: Text,
    /// At least 15 characters, of any kind.
    #[schema(value_type = String, min_length = 15, max_length = 256)]
    password: Hidden,
}

/// Claims a fresh server: makes the first admin. Works once, while there is no admin.
#[utoipa::path(post, path = "/api/v1/auth/setup", operation_id = "setUp", tag = "auth", security(()), request_body = Setup, responses(
    (status = 200, description = "The tokens of the admin", body = TokensView),
    (status = 409, description = "There is an admin already", body = super::view::ProblemView),
    Entrance,
))]
pub(crate) async fn setup(
    State(site): State<Site>,
    from: From,
    Json(claim): Json<Setup>,
) -> Outcome<axum::Json<TokensView>> {
    let proof = site.accounts.claim(claim.token.0.expose(), &claim.email.0, &claim.password.0, &from).await?;
    Ok(TokensView::of(&site.accounts.open_tokens(proof, &from).await?))
}

/// What a passkey sign-in begins with.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ceremony {
    /// What `navigator.credentials` takes as `publicKey`.
    #[schema(value_type = Object)]
    options: Value,
    /// Send it back with what the authenticator answered.
    state: String,
}

impl Ceremony {
    pub(crate) fn of((options, state): (Value, String)) -> axum::Json<Ceremony> {
        axum::Json(Ceremony { options, state })
    }
}

/// Begins a sign-in with a passkey.
#[utoipa::path(post, path = "/api/v1/auth/passkey/begin", operation_id = "beginPasskeySignIn", tag = "auth", security(()), responses(
    (status = 200, description = "The options for `navigator.credentials.get`", body = Ceremony),
    Entrance,
))]
pub(crate) async fn begin_passkey(State(site): State<Site>, from: From) -> Outcome<axum::Json<Ceremony>> {
    Ok(Ceremony::of(site.accounts.begin_passkey_sign_in(&from).await?))
}

/// What the authenticator answered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assertion {
    /// The `state` of the beginning.
    #[schema(value_type = String, min_length = 1)]
    state: Text,
    /// The credential as `toJSON()` writes it.
    #[schema(value_type = Object)]
    answer: Value,
}

/// Signs in with a passkey.
#[utoipa::path(post, path = "/api/v1/auth/passkey/finish", operation_id = "finishPasskeySignIn", tag = "auth", security(()), request_body = Assertion, responses(
    (status = 200, description = "The tokens", body = TokensView),
    Entrance,
))]
pub(crate) async fn finish_passkey(
    State(site): State<Site>,
    from: From,
    Json(shown): Json<Assertion>,
) -> Outcome<axum::Json<TokensView>> {
    let proof = site.accounts.finish_passkey_sign_in(&shown.state.0, &shown.answer, &from).await?;
    Ok(TokensView::of(&site.accounts.open_tokens(proof, &from).await?))
}

/// Which session ends.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Leaving {
    /// A refresh token: its family ends. Without it the session ends that the request itself belongs to.
    #[schema(value_type = Option<String>, min_length = 1)]
    refresh_token: Option<Hidden>,
}

/// Signs out: the session of the request, or the family of the refresh token in the body. An ID token of another
/// issuer has no session, so everything that the account holds ends with it.
#[utoipa::path(post, path = "/api/v1/auth/logout", operation_id = "logOut", tag = "auth", request_body = Option<Leaving>, responses(
    (status = 204, description = "Signed out; what was signed out is refused from now on"),
    Changing,
))]
pub(crate) async fn logout(
    State(site): State<Site>,
    who: Who,
    from: From,
    MaybeJson(leaving): MaybeJson<Leaving>,
) -> Outcome<Response> {
    if let Some(token) = leaving.unwrap_or_default().refresh_token {
        site.accounts.sign_out_family(&token.0, &from).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let may = who.may(&site, AccountWrite)?;
    let cookie = site.accounts.sign_out(&may, who.peer.https).await?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

/// Signs out everywhere: every session of the account ends, this one too.
#[utoipa::path(post, path = "/api/v1/auth/logout-all", operation_id = "logOutEverywhere", tag = "auth", responses(
    (status = 204, description = "Signed out everywhere"),
    Changing,
))]
pub(crate) async fn logout_all(State(site): State<Site>, who: Who) -> Outcome<StatusCode> {
    let may = who.may(&site, AccountWrite)?;
    site.accounts.sign_out_everywhere(&may, false).await?;
    Ok(StatusCode::NO_CONTENT)
}
