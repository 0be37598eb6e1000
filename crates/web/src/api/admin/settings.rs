//! The settings that hold, with where each comes from. Secrets are fingerprints.

use axum::extract::State;
use identity::Admin;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::problems::Reading;
use super::super::view::List;
use crate::Site;
use crate::failure::Outcome;
use crate::who::Who;

/// A setting.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Setting)]
pub struct SettingView {
    /// Its name.
    #[schema(example = "server.port")]
    pub name: String,
    /// Its value; a fingerprint for a secret, `null` when it is not set.
    pub value: Option<String>,
    /// Where the value comes from.
    #[schema(example = "default")]
    pub origin: String,
    /// The value is a fingerprint.
    pub secret: bool,
    /// Somebody chose the value; otherwise it is the default, follows from another setting, or is not set.
    pub chosen: bool,
}

/// Each effective value with its origin.
#[utoipa::path(get, path = "/api/v1/admin/settings", operation_id = "listSettings", tag = "admin", responses(
    (status = 200, description = "The settings", body = List<SettingView>),
    Reading,
))]
pub(crate) async fn list(State(site): State<Site>, who: Who) -> Outcome<axum::Json<List<SettingView>>> {
    who.may(&site, Admin)?;
    Ok(axum::Json(List { items: (site.settings)(), next: None }))
}
