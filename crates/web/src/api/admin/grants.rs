//! Grants: which account may use or manage which app.

use axum::extract::State;
use http::StatusCode;
use identity::Admin;
use kernel::{AppId, Level, UserId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::conversations::app_field;
use super::super::input::Text;
use super::super::me::EntryView;
use super::super::problems::{Changing, OnOne};
use super::super::view::List;
use crate::Site;
use crate::body::{Json, Path};
use crate::failure::Outcome;
use crate::who::Who;

fn view((app, level): (AppId, Level)) -> EntryView {
    EntryView { app: app.to_string(), level: level.as_str() }
}

/// The grants of an account. An admin holds every grant without a row.
#[utoipa::path(get, path = "/api/v1/admin/users/{id}/grants", operation_id = "listGrants", tag = "admin",
    params(("id" = Uuid, Path, description = "The account")), responses(
    (status = 200, description = "The grants", body = List<EntryView>),
    OnOne,
))]
pub(crate) async fn list(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<axum::Json<List<EntryView>>> {
    let may = who.may(&site, Admin)?;
    let found = site.administration.grants(&may, UserId::parse(&id)?).await?;
    Ok(axum::Json(List { items: found.into_iter().map(view).collect(), next: None }))
}

/// What a grant allows.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantRequest {
    /// `use`, or `manage` to change the app's knowledge too.
    #[schema(value_type = String, pattern = "^(use|manage)$", example = "use")]
    level: Text,
}

/// Grants an app to an account, or changes the grant.
#[utoipa::path(put, path = "/api/v1/admin/users/{id}/grants/{app}", operation_id = "setGrant", tag = "admin", request_body = GrantRequest,
    params(("id" = Uuid, Path, description = "The account"), ("app" = String, Path, description = "The app")), responses(
    (status = 200, description = "The grant", body = EntryView),
    Changing,
))]
pub(crate) async fn set(
    State(site): State<Site>,
    who: Who,
    Path((id, app)): Path<(String, String)>,
    Json(grant): Json<GrantRequest>,
) -> Outcome<axum::Json<EntryView>> {
    let may = who.may(&site, Admin)?;
    let (id, level) = (UserId::parse(&id)?, Level::parse(&grant.level.0)?);
    // A grant for an app that does not exist would be a promise that nobody checks.
    let app = site.hall.known(app_field(&app)?)?;
    site.administration.set_grant(&may, id, &app, level).await?;
    Ok(axum::Json(view((app, level))))
}

/// Takes a grant away. It ends at once, open streams included.
#[utoipa::path(delete, path = "/api/v1/admin/users/{id}/grants/{app}", operation_id = "removeGrant", tag = "admin",
    params(("id" = Uuid, Path, description = "The account"), ("app" = String, Path, description = "The app")), responses(
    (status = 204, description = "The account has no such grant any more"),
    OnOne,
))]
pub(crate) async fn remove(
    State(site): State<Site>,
    who: Who,
    Path((id, app)): Path<(String, String)>,
) -> Outcome<StatusCode> {
    let may = who.may(&site, Admin)?;
    site.administration.remove_grant(&may, UserId::parse(&id)?, &app_field(&app)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
