//! Pieces of pages that one asks for by going somewhere: the list of pages for the command palette, and the messages of
//! a conversation before those on the page.

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Html;
use axum::routing::get;
use identity::ConversationRead;
use kernel::{AppId, Code, ConversationId, Fault};

use super::{Past, frame, talk};
use crate::Site;
use crate::body::Path;
use crate::failure::Outcome;
use crate::ui::{fragments, places};
use crate::who::Who;

/// Most messages of one piece.
const MOST: u32 = 200;

pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/fragments/places", get(list))
        .route("/fragments/conversations/{conversation}/earlier", get(earlier))
}

async fn list(State(site): State<Site>, who: Who) -> Outcome<Html<String>> {
    Ok(Html(places::list(&frame(&site, Some(&who), "/").await)?))
}

/// The messages before one, oldest first, with the way to those before them.
async fn earlier(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
    Query(past): Query<Past>,
) -> Outcome<Html<String>> {
    let may = who.may(&site, ConversationRead)?;
    let id = ConversationId::parse(&id)?;
    let before = past.before()?.ok_or(Fault::new(Code::NotFound))?;
    let most = past.most.unwrap_or(MOST).clamp(1, MOST);
    let app = site.hall.conversation(&may, id).await?.app;
    let found = site.hall.messages_before(&may, id, before, most).await?;
    let views = talk::views(&site, &may, &app, id, &found).await?;
    Ok(Html(fragments::earlier(earlier_url(&app, id, &found, most).as_deref(), &views)?))
}

/// The page with what was said before these messages; none where they are all there is.
pub(super) fn earlier_url(
    app: &AppId,
    id: ConversationId,
    messages: &[apps::Message],
    most: u32,
) -> Option<String> {
    let first =
        messages.first().filter(|first| messages.len() >= most as usize && first.parent_id.is_some())?;
    Some(format!("/apps/{app}/{id}?before={}", first.id))
}
