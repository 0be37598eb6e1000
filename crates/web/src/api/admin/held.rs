//! What callers hold: sessions and keys, of everybody. An admin sees where they are and ends them.

use axum::extract::State;
use http::StatusCode;
use identity::Admin;
use kernel::{KeyId, PageRequest, SessionId, UserId};
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::keys::KeyView;
use super::super::problems::{OnOne, Reading};
use super::super::sessions::SessionView;
use super::super::view::List;
use crate::Site;
use crate::body::{Path, Query};
use crate::failure::Outcome;
use crate::who::Who;

/// Whose.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Whose {
    /// Only those of this account.
    #[param(format = Uuid)]
    user: Option<String>,
    /// How many, 1 to 100; 20 unless said.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the piece before.
    after: Option<String>,
}

impl Whose {
    fn read(&self) -> Result<(Option<UserId>, PageRequest), kernel::Fault> {
        let user = self.user.as_deref().map(UserId::parse).transpose()?;
        Ok((user, PageRequest::parse(self.limit, self.after.as_deref())?))
    }
}

/// Every session, newest first.
#[utoipa::path(get, path = "/api/v1/admin/sessions", operation_id = "listSessions", tag = "admin", params(Whose), responses(
    (status = 200, description = "A piece of the list", body = List<SessionView>),
    Reading,
))]
pub(crate) async fn sessions(
    State(site): State<Site>,
    who: Who,
    Query(whose): Query<Whose>,
) -> Outcome<axum::Json<List<SessionView>>> {
    let may = who.may(&site, Admin)?;
    let (user, page) = whose.read()?;
    let found = site.administration.sessions(&may, user, page).await?;
    Ok(axum::Json(List::of(found, |session| SessionView::of(session, &who))))
}

/// Ends a session.
#[utoipa::path(delete, path = "/api/v1/admin/sessions/{id}", operation_id = "endSession", tag = "admin",
    params(("id" = Uuid, Path, description = "The session")), responses(
    (status = 204, description = "It has ended"),
    OnOne,
))]
pub(crate) async fn end_session(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<StatusCode> {
    let may = who.may(&site, Admin)?;
    site.administration.end_session(&may, SessionId::parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every key.
#[utoipa::path(get, path = "/api/v1/admin/keys", operation_id = "listAllKeys", tag = "admin", params(Whose), responses(
    (status = 200, description = "A piece of the list", body = List<KeyView>),
    Reading,
))]
pub(crate) async fn keys(
    State(site): State<Site>,
    who: Who,
    Query(whose): Query<Whose>,
) -> Outcome<axum::Json<List<KeyView>>> {
    let may = who.may(&site, Admin)?;
    let (user, page) = whose.read()?;
    let found = site.administration.keys(&may, user, page).await?;
    Ok(axum::Json(List::of(found, KeyView::of)))
}

/// Ends a key for good, whoever made it.
#[utoipa::path(delete, path = "/api/v1/admin/keys/{id}", operation_id = "revokeAnyKey", tag = "admin",
    params(("id" = Uuid, Path, description = "The key")), responses(
    (status = 204, description = "It has ended"),
    OnOne,
))]
pub(crate) async fn revoke_key(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<StatusCode> {
    let may = who.may(&site, Admin)?;
    site.administration.revoke_key(&may, KeyId::parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
