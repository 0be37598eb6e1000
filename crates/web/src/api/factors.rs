//! One's own second factor: an authenticator with recovery codes, and passkeys. What is shown here is shown once.

use axum::extract::State;
use http::StatusCode;
use identity::{AccountRead, AccountWrite, Passkey, RecoveryCodes};
use kernel::{PasskeyId, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::auth::Ceremony;
use super::input::{Hidden, Text};
use super::problems::{Changing, Reading};
use super::view::List;
use crate::Site;
use crate::body::{Json, MaybeJson, Path};
use crate::failure::Outcome;
use crate::who::Who;

/// The password of the account.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proof {
    /// The password; not needed within 15 minutes after signing in.
    #[schema(value_type = Option<String>, min_length = 1)]
    password: Option<Hidden>,
}

/// The password of the account, in any case.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SureProof {
    /// The password.
    #[schema(value_type = String, min_length = 1)]
    password: Hidden,
}

/// An authenticator to be enrolled.
#[derive(Serialize, ToSchema)]
#[schema(as = Enrolment)]
pub(crate) struct EnrolmentView {
    /// The secret in base32, to type in.
    secret: String,
    /// The `otpauth:` address.
    otpauth: String,
    /// The address as a picture to scan.
    svg: String,
}

/// Codes that work once each, in place of the authenticator.
#[derive(Serialize, ToSchema)]
#[schema(as = RecoveryCodes)]
pub(crate) struct RecoveryView {
    /// The codes. They are not shown again.
    recovery_codes: Vec<String>,
}

impl RecoveryView {
    fn of(codes: &RecoveryCodes) -> axum::Json<RecoveryView> {
        axum::Json(RecoveryView {
            recovery_codes: codes.0.iter().map(|code| code.expose().clone()).collect(),
        })
    }
}

/// Begins to enrol an authenticator. It counts once a code of it has been confirmed.
#[utoipa::path(post, path = "/api/v1/me/totp", operation_id = "beginTotp", tag = "account", request_body = Option<Proof>, responses(
    (status = 200, description = "What to put into the authenticator", body = EnrolmentView),
    Changing,
))]
pub(crate) async fn begin_totp(
    State(site): State<Site>,
    who: Who,
    MaybeJson(proof): MaybeJson<Proof>,
) -> Outcome<axum::Json<EnrolmentView>> {
    let may = who.may(&site, AccountWrite)?;
    let password = proof.unwrap_or_default().password;
    let enrolment = site.accounts.begin_totp(&may, password.as_ref().map(|p| &p.0)).await?;
    Ok(axum::Json(EnrolmentView {
        secret: enrolment.secret.expose().clone(),
        svg: enrolment.picture.expose().clone(),
        otpauth: enrolment.address.expose().clone(),
    }))
}

/// A code of the authenticator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    /// Six digits.
    #[schema(value_type = String, min_length = 6, example = "123456")]
    code: Hidden,
}

/// Confirms the authenticator with its first code. From then on a code is asked for at every sign-in.
#[utoipa::path(put, path = "/api/v1/me/totp", operation_id = "confirmTotp", tag = "account", request_body = Confirmation, responses(
    (status = 200, description = "The recovery codes", body = RecoveryView),
    Changing,
))]
pub(crate) async fn confirm_totp(
    State(site): State<Site>,
    who: Who,
    Json(shown): Json<Confirmation>,
) -> Outcome<axum::Json<RecoveryView>> {
    let may = who.may(&site, AccountWrite)?;
    Ok(RecoveryView::of(&site.accounts.confirm_totp(&may, shown.code.0.expose()).await?))
}

/// Removes the authenticator and its recovery codes.
#[utoipa::path(delete, path = "/api/v1/me/totp", operation_id = "removeTotp", tag = "account", request_body = SureProof, responses(
    (status = 204, description = "It is gone"),
    Changing,
))]
pub(crate) async fn remove_totp(
    State(site): State<Site>,
    who: Who,
    Json(proof): Json<SureProof>,
) -> Outcome<StatusCode> {
    site.accounts.remove_totp(&who.may(&site, AccountWrite)?, &proof.password.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes new recovery codes; the old ones end.
#[utoipa::path(post, path = "/api/v1/me/totp/recovery-codes", operation_id = "renewRecoveryCodes", tag = "account", request_body = SureProof, responses(
    (status = 200, description = "The recovery codes", body = RecoveryView),
    Changing,
))]
pub(crate) async fn renew_recovery(
    State(site): State<Site>,
    who: Who,
    Json(proof): Json<SureProof>,
) -> Outcome<axum::Json<RecoveryView>> {
    let may = who.may(&site, AccountWrite)?;
    Ok(RecoveryView::of(&site.accounts.regenerate_recovery(&may, &proof.password.0).await?))
}

/// A passkey.
#[derive(Serialize, ToSchema)]
#[schema(as = Passkey)]
pub(crate) struct PasskeyView {
    /// Its id.
    id: Uuid,
    /// What its owner calls it.
    name: String,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When it was last used.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Time>,
}

impl PasskeyView {
    fn of(passkey: Passkey) -> PasskeyView {
        PasskeyView {
            id: passkey.id.uuid(),
            name: passkey.name,
            created_at: passkey.created_at,
            last_used_at: passkey.last_used_at,
        }
    }
}

/// One's own passkeys.
#[utoipa::path(get, path = "/api/v1/me/passkeys", operation_id = "listPasskeys", tag = "account", responses(
    (status = 200, description = "The passkeys", body = List<PasskeyView>),
    Reading,
))]
pub(crate) async fn passkeys(State(site): State<Site>, who: Who) -> Outcome<axum::Json<List<PasskeyView>>> {
    let found = site.accounts.passkeys(&who.may(&site, AccountRead)?).await?;
    Ok(axum::Json(List { items: found.into_iter().map(PasskeyView::of).collect(), next: None }))
}

/// Begins to add a passkey.
#[utoipa::path(post, path = "/api/v1/me/passkeys/begin", operation_id = "beginPasskey", tag = "account", request_body = Option<Proof>, responses(
    (status = 200, description = "The options for `navigator.credentials.create`", body = Ceremony),
    Changing,
))]
pub(crate) async fn begin_passkey(
    State(site): State<Site>,
    who: Who,
    MaybeJson(proof): MaybeJson<Proof>,
) -> Outcome<axum::Json<Ceremony>> {
    let may = who.may(&site, AccountWrite)?;
    let password = proof.unwrap_or_default().password;
    Ok(Ceremony::of(site.accounts.begin_passkey(&may, password.as_ref().map(|p| &p.0)).await?))
}

/// What the authenticator made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attestation {
    /// The `state` of the beginning.
    #[schema(value_type = String, min_length = 1)]
    state: Text,
    /// The credential as `toJSON()` writes it.
    #[schema(value_type = Object)]
    answer: Value,
    /// What to call it.
    #[schema(value_type = String, min_length = 1, max_length = 100, example = "Laptop")]
    name: Text,
}

/// Adds the passkey.
#[utoipa::path(post, path = "/api/v1/me/passkeys/finish", operation_id = "finishPasskey", tag = "account", request_body = Attestation, responses(
    (status = 201, description = "The passkey", body = PasskeyView),
    Changing,
))]
pub(crate) async fn finish_passkey(
    State(site): State<Site>,
    who: Who,
    Json(shown): Json<Attestation>,
) -> Outcome<(StatusCode, axum::Json<PasskeyView>)> {
    let may = who.may(&site, AccountWrite)?;
    let made = site.accounts.finish_passkey(&may, &shown.state.0, &shown.answer, &shown.name.0).await?;
    Ok((StatusCode::CREATED, axum::Json(PasskeyView::of(made))))
}

/// Removes a passkey.
#[utoipa::path(delete, path = "/api/v1/me/passkeys/{id}", operation_id = "removePasskey", tag = "account", request_body = Option<Proof>,
    params(("id" = Uuid, Path, description = "The passkey")), responses(
    (status = 204, description = "It is gone"),
    Changing,
))]
pub(crate) async fn remove_passkey(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
    MaybeJson(proof): MaybeJson<Proof>,
) -> Outcome<StatusCode> {
    let may = who.may(&site, AccountWrite)?;
    let password = proof.unwrap_or_default().password;
    let id = PasskeyId::parse(&id)?;
    site.accounts.remove_passkey(&may, id, password.as_ref().map(|p| &p.0)).await?;
    Ok(StatusCode::NO_CONTENT)
}
