//! Legal holds: what must be kept whatever its time.

use axum::extract::State;
use http::StatusCode;
use identity::{Admin, Hold};
use kernel::{HoldId, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::input::Text;
use super::super::problems::{Changing, OnOne, Reading};
use super::super::view::List;
use crate::Site;
use crate::body::{Json, Path};
use crate::failure::Outcome;
use crate::who::Who;

/// Something that must be kept.
#[derive(Serialize, ToSchema)]
#[schema(as = Hold)]
pub(crate) struct HoldView {
    /// Its id.
    id: Uuid,
    /// What is kept: `user:`, `visitor:` or `key:` and an id, or `app:` and the id of an app.
    #[schema(example = "user:019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d")]
    target: String,
    /// Why.
    reason: String,
    /// Who placed it, as the audit log names them.
    created_by: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
}

impl HoldView {
    fn of(hold: Hold) -> HoldView {
        let Hold { id, target, reason, created_by, created_at } = hold;
        HoldView { id: id.uuid(), target: target.to_string(), reason, created_by, created_at }
    }
}

/// The legal holds, the newest first.
#[utoipa::path(get, path = "/api/v1/admin/holds", operation_id = "listHolds", tag = "admin", responses(
    (status = 200, description = "The holds", body = List<HoldView>),
    Reading,
))]
pub(crate) async fn list(State(site): State<Site>, who: Who) -> Outcome<axum::Json<List<HoldView>>> {
    let found = site.administration.holds(&who.may(&site, Admin)?).await?;
    Ok(axum::Json(List { items: found.into_iter().map(HoldView::of).collect(), next: None }))
}

/// Something to be kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldRequest {
    /// What: `user:`, `visitor:` or `key:` and an id, or `app:` and the id of an app.
    #[schema(value_type = String, min_length = 5, example = "user:019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d")]
    target: Text,
    /// Why, for the list: a case number, say.
    #[schema(value_type = String, min_length = 1, max_length = 500)]
    reason: Text,
}

/// Places a legal hold: retention passes by what it protects, and nobody can erase it, until the hold ends.
#[utoipa::path(post, path = "/api/v1/admin/holds", operation_id = "addHold", tag = "admin", request_body = HoldRequest, responses(
    (status = 201, description = "It is kept from now on", body = HoldView),
    Changing,
))]
pub(crate) async fn add(
    State(site): State<Site>,
    who: Who,
    Json(wanted): Json<HoldRequest>,
) -> Outcome<(StatusCode, axum::Json<HoldView>)> {
    let may = who.may(&site, Admin)?;
    let made = site.administration.add_hold(&may, &wanted.target.0, &wanted.reason.0).await?;
    Ok((StatusCode::CREATED, axum::Json(HoldView::of(made))))
}

/// Ends a legal hold: retention goes on.
#[utoipa::path(delete, path = "/api/v1/admin/holds/{id}", operation_id = "removeHold", tag = "admin",
    params(("id" = Uuid, Path, description = "The hold")), responses(
    (status = 204, description = "It has ended"),
    OnOne,
))]
pub(crate) async fn remove(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
) -> Outcome<StatusCode> {
    let may = who.may(&site, Admin)?;
    site.administration.remove_hold(&may, HoldId::parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
