//! `GET /v1/models`: the apps that the caller may enter, as models.

use axum::Json;
use axum::extract::State;
use identity::AppsRead;
use kernel::{Code, Fault};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Site;
use crate::api::problems::CompatibleReading;
use crate::body::Path;
use crate::failure::Outcome;
use crate::who::Who;

/// A list of models.
#[derive(Serialize, ToSchema)]
pub(crate) struct Models {
    /// `list`.
    object: &'static str,
    /// The models.
    data: Vec<Model>,
}

/// A model: an app.
#[derive(Serialize, ToSchema)]
pub(crate) struct Model {
    /// The app's id.
    #[schema(example = "assistant")]
    id: String,
    /// `model`.
    object: &'static str,
    /// Not kept: 0.
    created: i64,
    /// `stoa`.
    owned_by: &'static str,
}

impl Model {
    fn of(app: &apps::App) -> Model {
        Model { id: app.id.to_string(), object: "model", created: 0, owned_by: "stoa" }
    }
}

/// The apps that the caller may enter.
#[utoipa::path(get, path = "/v1/models", operation_id = "listModels", tag = "openai", security(("key" = []), ("bearer" = [])), responses(
    (status = 200, description = "The models", body = Models),
    CompatibleReading,
))]
pub(crate) async fn list(State(site): State<Site>, who: Who) -> Outcome<Json<Models>> {
    let may = who.may(&site, AppsRead)?;
    Ok(Json(Models { object: "list", data: site.hall.apps(&may).iter().map(Model::of).collect() }))
}

/// One of them.
#[utoipa::path(get, path = "/v1/models/{model}", operation_id = "readModel", tag = "openai", security(("key" = []), ("bearer" = [])), params(("model" = String, Path, description = "The app's id")), responses(
    (status = 200, description = "The model", body = Model),
    CompatibleReading,
))]
pub(crate) async fn read(
    State(site): State<Site>,
    who: Who,
    Path(model): Path<String>,
) -> Outcome<Json<Model>> {
    let may = who.may(&site, AppsRead)?;
    let found = site.hall.apps(&may).iter().find(|app| app.id.as_str() == model).map(Model::of);
    Ok(Json(found.ok_or_else(|| Fault::new(Code::NotFound))?))
}
