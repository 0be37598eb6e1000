//! Conversations on their way out and in, as pages: one as a document for the printer, and the page of the account where
//! links are ended, everything is taken away and what comes from elsewhere is brought in.

use axum::Router;
use axum::extract::State;
use axum::response::{Html, Response};
use axum::routing::{get, post};
use http::StatusCode;
use identity::{AppsRead, ConversationRead, ConversationShare};
use kernel::{AppId, AppKind, Code, ConversationId, Fault, ShareId};

use super::account::{done, piece};
use super::form::{onward, page};
use super::person::Person;
use super::{app_view, talk};
use crate::Site;
use crate::body::Path;
use crate::failure::Outcome;
use crate::texts::key;
use crate::ui::carry::{CarryPage, ShareView};
use crate::ui::html;
use crate::ui::paper::{self, Paper};

/// What is carried, as pages.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/apps/{app}/{conversation}/print", get(print))
        .route("/account/conversations", get(overview))
        .route("/account/shares/{id}/end", post(end_share))
}

async fn print(
    State(site): State<Site>,
    person: Person,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<Html<String>> {
    let (app, id) =
        (AppId::parse(&app).map_err(|_| Fault::new(Code::NotFound))?, ConversationId::parse(&id)?);
    let may = person.may(&site, ConversationRead)?;
    let export = site.hall.export(&may, id).await?;
    if export.conversation.app != app {
        return Err(Code::NotFound.into());
    }
    let back = format!("/apps/{app}/{id}");
    Ok(Html(paper::print(&sheet(&site, &export), &back)?))
}

/// A conversation of one's own as a document.
pub(crate) fn sheet(site: &Site, export: &apps::Export) -> Paper {
    let app = &export.conversation.app;
    let hosts = talk::link_hosts(site, app);
    let shown = |message: &apps::Message| {
        let mut view = talk::plain_view(app, message);
        view.beside.hosts.clone_from(&hosts);
        view
    };
    Paper {
        title: export.conversation.title.clone().unwrap_or_else(|| key("Conversation").to_owned()),
        app: site.hall.app(app).map_or_else(|_| app.to_string(), |app| app.name),
        asker: key("You"),
        taken_at: site.ambient.now(),
        messages: export.messages.iter().map(shown).collect(),
    }
}

async fn overview(State(site): State<Site>, person: Person) -> Outcome<Response> {
    let may = person.may(&site, ConversationShare)?;
    let mut shell = person.shell(&site, "/account/conversations").await?;
    shell.done = done(&person.asked("done"));
    let found = site.hall.shared_by(&may, piece(&person)?).await?;
    let apps = site.hall.apps(&person.may(&site, AppsRead)?);
    let into = apps.iter().filter(|app| app.kind == AppKind::Chat);
    let shown = CarryPage {
        shell,
        into: into.map(|app| app_view(app, &person.who.principal)).collect(),
        shares: found.items.into_iter().map(ShareView::from).collect(),
        next: found.next,
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

async fn end_share(State(site): State<Site>, person: Person, Path(id): Path<String>) -> Outcome<Response> {
    site.hall.end_share(&person.may(&site, ConversationShare)?, ShareId::parse(&id)?).await?;
    Ok(onward("/account/conversations?done=unshared"))
}
