//! The list of conversations beside a talk, and the way from a message that was found to the page that shows it.

use apps::{Conversation, ConversationFilter, Lying};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use identity::{ConversationRead, May};
use kernel::{AppId, Code, ConversationId, Fault, MessageId, Page, PageRequest, Result};

use super::conversation_view;
use super::form::onward;
use super::person::Person;
use crate::Site;
use crate::body::Path;
use crate::failure::Outcome;
use crate::ui::order::{FolderView, OrderedView};

/// Messages that stand below one that was looked for, so that it is not the last of its page.
const BELOW: usize = 20;

/// Messages that the newest page surely holds.
const NEWEST: usize = 50;

/// The way to a message.
pub(super) fn routes() -> Router<Site> {
    Router::new().route("/apps/{app}/{conversation}/messages/{message}", get(show))
}

/// What stands above the list, and the list itself: what is neither pinned nor in a folder.
pub(super) async fn listed(
    site: &Site,
    may: &May<ConversationRead>,
    app: &AppId,
    most: u32,
) -> Result<(OrderedView, Page<Conversation>)> {
    let here = ConversationFilter { app: Some(app.clone()), ..ConversationFilter::default() };
    let folders = site.hall.folders(may).await?;
    let pinned = ConversationFilter { pinned: Some(true), ..here.clone() };
    let pinned = site.hall.conversations(may, pinned, PageRequest::first(PageRequest::MOST)).await?;
    let loose = (!folders.is_empty()).then_some(Lying::Loose);
    let rest = ConversationFilter { pinned: Some(false), folder: loose, ..here };
    let rest = site.hall.conversations(may, rest, PageRequest::first(most)).await?;
    let ordered = OrderedView {
        pinned: pinned.items.into_iter().map(conversation_view).collect(),
        folders: FolderView::tree(&folders),
    };
    Ok((ordered, rest))
}

/// Leads to the page that shows a message. One of another branch is named behind `turn-`: the page goes over to it when a
/// person opened the address, which reading it must not do.
async fn show(
    State(site): State<Site>,
    person: Person,
    Path((app, id, message)): Path<(String, String, String)>,
) -> Outcome<Response> {
    let may = person.may(&site, ConversationRead)?;
    let app = AppId::parse(&app).map_err(|_| Fault::new(Code::NotFound))?;
    let (id, message) = (ConversationId::parse(&id)?, MessageId::parse(&message)?);
    let conversation = site.hall.conversation(&may, id).await?;
    if conversation.app != app {
        return Err(Fault::new(Code::NotFound).into());
    }
    site.hall.message(&may, id, message).await?;
    let path = site.hall.tree(&may, id).await?.way();
    let page = format!("/apps/{app}/{id}");
    let Some(place) = path.iter().position(|one| *one == message) else {
        return Ok(onward(&format!("{page}#turn-{message}")));
    };
    let before = path.get(place + BELOW).filter(|_| path.len() - place > NEWEST);
    let before = before.map(|before| format!("?before={before}")).unwrap_or_default();
    Ok(onward(&format!("{page}{before}#m-{message}")))
}
