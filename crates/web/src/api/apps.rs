//! The apps that the caller may enter.

use axum::Json;
use axum::extract::State;
use identity::AppsRead;
use serde::Serialize;
use utoipa::ToSchema;

use super::problems::Reading;
use super::view::List;
use crate::Site;
use crate::failure::Outcome;
use crate::who::Who;

/// An app.
#[derive(Serialize, ToSchema)]
pub(crate) struct AppView {
    /// Its id.
    #[schema(example = "assistant")]
    id: String,
    /// `chat`, `support`, `tutor` or `files`.
    kind: &'static str,
    /// Its name.
    name: String,
    /// One sentence about it.
    description: String,
    /// Longest message in characters.
    max_input_chars: u32,
    /// Most user messages in a conversation.
    max_user_messages: Option<u32>,
    /// Most conversations of one caller.
    max_conversations: Option<u32>,
}

impl From<apps::App> for AppView {
    fn from(app: apps::App) -> AppView {
        AppView {
            id: app.id.to_string(),
            kind: app.kind.as_str(),
            name: app.name,
            description: app.description,
            max_input_chars: app.max_input_chars,
            max_user_messages: app.max_user_messages,
            max_conversations: app.max_conversations,
        }
    }
}

/// The apps that the caller may enter.
#[utoipa::path(get, path = "/api/v1/apps", operation_id = "listApps", tag = "apps", responses(
    (status = 200, description = "The apps", body = List<AppView>),
    Reading,
))]
pub(crate) async fn list(State(site): State<Site>, who: Who) -> Outcome<Json<List<AppView>>> {
    let may = who.may(&site, AppsRead)?;
    Ok(Json(List { items: site.hall.apps(&may).into_iter().map(AppView::from).collect(), next: None }))
}
