//! The web pages over HTTP: handlers gather what a page shows and hand it to `ui`, which writes the HTML.

mod account;
mod admin;
mod app;
mod backups;
mod blocks;
pub(crate) mod carry;
mod declutter;
mod desk;
mod documents;
mod files;
mod form;
mod guest;
mod holds;
mod language;
mod learning;
mod leaving;
mod operation;
mod order;
mod person;
mod places;
mod review;
mod security;
pub(crate) mod shared;
mod sign;
mod talk;
mod teaching;
mod users;
mod watching;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Uri};
use identity::{AccountRead, AppsRead, ConversationRead, ConversationShare, Converse, FilesRead, FilesWrite};
use kernel::{AppId, AppKind, Code, ConversationId, Fault, MessageId, RequestId};
use serde::Deserialize;
use utoipa::openapi::OpenApi;

use self::guest::Guest;
use crate::Site;
use crate::body::Path;
use crate::failure::Outcome;
use crate::texts::{self, key};
use crate::ui::view::{
    AppView, ChatPage, ConversationView, ErrorPage, Frame, FrontPage, HealthView, LimitsView, ModelView,
    PersonView, ToolView, Viewer,
};
use crate::ui::{self, assets};
use crate::who::Who;

/// Conversations listed beside a transcript, before "more".
const LISTED: u32 = 50;
/// Fewest characters of a password that stands alone.
const LEAST: u32 = 15;
/// Fewest characters of a password beside a second factor.
const LEAST_WITH_SECOND: u32 = 8;
/// Messages of a transcript that one page shows.
const SHOWN: u32 = 40;
/// The same for a tutor, whose hints are gathered from them.
const SHOWN_OF_LESSONS: u32 = 100;

/// The pages of signing in, for whoever comes.
pub(crate) fn entrance(site: &Site) -> Router<Site> {
    sign::routes()
        .merge(language::routes())
        .layer(from_fn_with_state(site.clone(), guest::anyone))
        .layer(from_fn_with_state(site.clone(), guest::pages))
}

/// What is around every page of somebody: see [`guest::pages`].
pub(crate) async fn around(site: State<Site>, request: Request, next: Next) -> Response {
    guest::pages(site, request, next).await
}

/// The pages of a person.
pub(crate) fn routes(document: &OpenApi) -> Router<Site> {
    let document = Arc::new(serde_json::to_value(document).unwrap_or_default());
    Router::new()
        .route("/", get(front))
        .route("/apps/{app}", get(chat))
        .route("/apps/{app}/{conversation}", get(conversation))
        .route("/fragments/conversations/{conversation}/messages/{message}", get(fragment))
        .merge(places::routes())
        .merge(app::routes())
        .merge(learning::routes())
        .merge(teaching::routes())
        .merge(account::routes())
        .merge(carry::routes())
        .merge(admin::routes())
        .merge(files::routes())
        .merge(declutter::routes())
        .route("/docs/errors", get(errors))
        .route("/docs", get(move |site: State<Site>, who: Who| reference(site, who, document)))
}

async fn errors(State(site): State<Site>, who: Who) -> Outcome<Html<String>> {
    Ok(Html(ui::errors::page(&frame(&site, Some(&who), "/docs/errors").await, |code| {
        crate::status(code).as_u16()
    })?))
}

/// What throws files away on the pages: it counts as the API's deletions do.
pub(crate) fn file_deletions() -> Router<Site> {
    files::deletions().merge(declutter::deletions())
}

/// Styles, scripts and pictures: the same for everybody, named by their content, kept for a year.
pub(crate) fn assets() -> Router<Site> {
    Router::new()
        .route("/static/{name}", get(asset))
        .route("/favicon.ico", get(favicon))
        .route("/sw.js", get(worker))
        .route("/offline", get(offline))
}

async fn asset(uri: Uri) -> Outcome<Response> {
    let asset = assets::find(uri.path()).ok_or(Fault::new(Code::NotFound))?;
    Ok(serve(asset, "public, max-age=31536000, immutable"))
}

async fn favicon() -> Outcome<Response> {
    let asset = assets::favicon().ok_or(Fault::new(Code::NotFound))?;
    Ok(serve(asset, "public, max-age=86400"))
}

/// A browser asks for it again on every visit: what watches over the site must not outlive the site's own version.
async fn worker() -> Outcome<Response> {
    Ok(serve(assets::worker().ok_or(Fault::new(Code::NotFound))?, "no-cache"))
}

async fn offline() -> Outcome<Html<String>> {
    Ok(Html(ui::pages::offline()?))
}

fn serve(asset: &'static assets::Asset, cache: &'static str) -> Response {
    let mut response = asset.body.clone().into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

async fn front(State(site): State<Site>, who: Who) -> Outcome<Html<String>> {
    let report = site.health.report().await;
    let services = [
        ("database", report.services.database),
        ("cache", report.services.cache),
        ("vector_db", report.services.vector_db),
        ("model", report.services.model),
    ];
    let unclaimed = who.principal.is_visitor() && site.accounts.setup_open().await.unwrap_or(false);
    let page = FrontPage {
        frame: frame(&site, Some(&who), "/").await,
        unclaimed,
        model: model(&site, None),
        operator_hints: site.config.environment == "development",
        health: Some(HealthView {
            status: report.status.as_str().to_owned(),
            services: services.map(|(name, state)| (name.to_owned(), state.as_str().to_owned())).to_vec(),
        }),
        base_url: site.base_url.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    Ok(Html(ui::pages::front(&page)?))
}

async fn chat(State(site): State<Site>, who: Who, Path(app): Path<String>) -> Outcome<Response> {
    let store = AppId::parse(&app).ok().and_then(|id| site.hall.file_app(&who.principal, Some(id)).ok());
    if let Some(store) = store {
        who.may(&site, FilesRead(store))?;
        return Ok(form::onward("/files"));
    }
    let app = entered(&site, &who, &app)?;
    let page = match app.kind {
        AppKind::Tutor => learning::front(&site, &who, &app).await,
        AppKind::Chat | AppKind::Support | AppKind::Files => chat_page(&site, &who, &app, None).await,
    };
    Ok(page?.into_response())
}

async fn conversation(
    State(site): State<Site>,
    who: Who,
    Path((app, conversation)): Path<(String, String)>,
    Query(past): Query<Past>,
) -> Outcome<Html<String>> {
    let id = ConversationId::parse(&conversation)?;
    let app = entered(&site, &who, &app)?;
    chat_page(&site, &who, &app, Some((id, past.before()?))).await
}

/// Which messages of a conversation are asked for.
#[derive(Default, Deserialize)]
struct Past {
    /// Those before this one; the newest when it is left out.
    before: Option<String>,
    /// So many of them.
    most: Option<u32>,
}

impl Past {
    fn before(&self) -> Outcome<Option<MessageId>> {
        Ok(self.before.as_deref().map(MessageId::parse).transpose()?)
    }
}

/// The app with this id, when there is somebody to talk to in it and the caller may enter it.
fn entered(site: &Site, who: &Who, app: &str) -> Outcome<apps::App> {
    let app = AppId::parse(app).map_err(|_| Fault::new(Code::NotFound))?;
    who.may(site, Converse(app.clone())).map_err(|failure| match failure.0.code() {
        Code::Forbidden => {
            Fault::new(Code::Forbidden).say(key("This app is not open to your account.")).into()
        }
        _ => failure,
    })?;
    let all = site.hall.apps(&who.may(site, AppsRead)?);
    let found = all.into_iter().find(|one| one.id == app && one.kind != AppKind::Files);
    found.ok_or_else(|| Fault::new(Code::NotFound).into())
}

async fn chat_page(
    site: &Site,
    who: &Who,
    this: &apps::App,
    open: Option<(ConversationId, Option<MessageId>)>,
) -> Outcome<Html<String>> {
    let past = open.is_some_and(|(_, before)| before.is_some());
    let app = this.id.clone();
    let may = who.may(site, ConversationRead)?;
    let (ordered, listed) = order::listed(site, &may, &app, LISTED).await?;
    let frame = frame(site, Some(who), &format!("/apps/{app}")).await;
    let mut user_messages = 0;
    let mut earlier_url = None;
    let mut messages = Vec::new();
    let mut lesson = None;
    let conversation = match open {
        None => None,
        Some((id, before)) => {
            let conversation = site.hall.conversation(&may, id).await?;
            if conversation.app != app {
                return Err(Fault::new(Code::NotFound).into());
            }
            user_messages = conversation.user_messages;
            let most = if this.kind == AppKind::Tutor { SHOWN_OF_LESSONS } else { SHOWN };
            let newest = match before {
                Some(before) => site.hall.messages_before(&may, id, before, most).await?,
                None => site.hall.newest_messages(&may, id, most).await?,
            };
            earlier_url = places::earlier_url(&app, id, &newest, most);
            messages = talk::views(site, &may, &app, id, &newest).await?;
            if this.kind == AppKind::Tutor {
                lesson = learning::lesson(site, who, this, id, &newest).await?;
            }
            Some(conversation_view(conversation))
        }
    };
    let desk = talk::desk_line(site, &may, this, open.map(|(id, _)| id)).await?;
    let page = ChatPage {
        app: app_view(this, &who.principal),
        desk,
        frame,
        ordered,
        conversations: listed.items.into_iter().map(conversation_view).collect(),
        next_conversations: listed.next,
        conversation,
        messages,
        earlier_url,
        past,
        shares: site.hall.shares(this) && site.identity.may(&who.principal, ConversationShare).is_ok(),
        attaches: attaches(site, who, this),
        model: model(site, Some(this)),
        limits: LimitsView {
            max_chars: this.max_input_chars,
            max_user_messages: this.max_user_messages,
            user_messages,
        },
        lesson,
        now: site.ambient.now(),
    };
    Ok(Html(ui::pages::chat(&page)?))
}

/// Whether messages of this caller may bring files: the app takes them, and the caller may keep some.
fn attaches(site: &Site, who: &Who, app: &apps::App) -> bool {
    let store = || site.hall.file_app(&who.principal, None).ok();
    app.attachments
        && store().is_some_and(|store| site.identity.may(&who.principal, FilesWrite(store)).is_ok())
}

/// One finished message as sanitised HTML; it takes the place of the text that was streamed.
async fn fragment(
    State(site): State<Site>,
    who: Who,
    Path((conversation, message)): Path<(String, String)>,
) -> Outcome<Html<String>> {
    let may = who.may(&site, ConversationRead)?;
    let (conversation, message) = (ConversationId::parse(&conversation)?, MessageId::parse(&message)?);
    let found = site.hall.message(&may, conversation, message).await?;
    let app = site.hall.conversation(&may, conversation).await?.app;
    let views = talk::views(&site, &may, &app, conversation, &[found]).await?;
    Ok(Html(views.iter().map(ui::fragments::message).collect::<kernel::Result<String>>()?))
}

async fn reference(
    State(site): State<Site>,
    who: Who,
    document: Arc<serde_json::Value>,
) -> Outcome<Html<String>> {
    Ok(Html(ui::reference::page(&document, &frame(&site, Some(&who), "/docs").await, &site.base_url)?))
}

/// The page of a request that failed.
pub(crate) fn failure(fault: &Fault, status: u16, id: RequestId) -> String {
    ui::pages::failure(&ErrorPage {
        status,
        code: fault.code().as_str().to_owned(),
        title: fault.code().title().to_owned(),
        detail: fault.message().to_owned(),
        request_id: id.to_string(),
        sign_in: (status == 401).then(|| ui::Viewer::sign_in_url("")),
        retry_after: fault.retry().map(|span| span.as_secs().max(1)),
    })
}

/// The frame of a page; `back` is where signing in leads back to. Nobody is refused a page for want of a menu.
async fn frame(site: &Site, who: Option<&Who>, back: &str) -> Frame {
    let Some(who) = who else {
        return Frame { apps: Vec::new(), viewer: Viewer::Visitor(back.to_owned()) };
    };
    let apps = match site.identity.may(&who.principal, AppsRead) {
        Ok(may) => site.hall.apps(&may).iter().map(|app| app_view(app, &who.principal)).collect(),
        Err(_) => Vec::new(),
    };
    let viewer = match site.identity.may(&who.principal, AccountRead) {
        Ok(may) => {
            let user = site.accounts.me(&may).await.ok();
            let (name, email) = user.map(|user| (user.name, user.email)).unwrap_or_default();
            Viewer::Person(PersonView { name, email, admin: who.principal.is_admin() })
        }
        Err(_) => Viewer::Visitor(back.to_owned()),
    };
    Frame { apps, viewer }
}

/// The frame of a page of signing in.
async fn guest_frame(site: &Site, guest: &Guest) -> Frame {
    let mut frame = frame(site, guest.who.as_ref(), "").await;
    // A button to this very page would lead nowhere.
    if guest.who.is_none() {
        frame.viewer = Viewer::Unknown;
    }
    frame
}

/// What answers in this app, or in most of them.
fn model(site: &Site, app: Option<&apps::App>) -> ModelView {
    let named = app.and_then(|app| app.model.as_deref());
    match site.models.default_model() {
        Some(model) => ModelView { connected: true, label: named.map_or(model, str::to_owned) },
        None => ModelView { connected: false, label: key("Built-in answerer").to_owned() },
    }
}

/// The pages of an app that somebody may use beside its talk, for the menus.
fn tools(app: &apps::App, who: &identity::Principal) -> Vec<ToolView> {
    let tool = |path: &str, icon, name| ToolView { href: format!("/apps/{}/{path}", app.id), icon, name };
    let manages = who.managed().contains(&app.id);
    match (app.kind, manages) {
        (AppKind::Support, true) => {
            vec![tool("documents", "file", key("Documents")), tool("desk", "inbox", key("Desk"))]
        }
        (AppKind::Support, false) => vec![tool("documents", "file", key("Documents"))],
        (AppKind::Chat | AppKind::Tutor, true) => vec![tool("desk/quality", "chart", key("Quality"))],
        (AppKind::Chat | AppKind::Tutor, false) | (AppKind::Files, _) => Vec::new(),
    }
}

fn app_view(app: &apps::App, who: &identity::Principal) -> AppView {
    AppView {
        tools: tools(app, who),
        id: app.id.clone(),
        kind: app.kind,
        name: app.name.clone(),
        // The apps of a server without configuration speak the language of their reader.
        description: texts::told(&app.description).into_owned(),
    }
}

fn conversation_view(row: apps::Conversation) -> ConversationView {
    let order = ui::order::OrderView {
        pinned: row.pinned,
        archived: row.archived,
        folder: row.folder,
        tags: row.tags,
        temporary: row.temporary,
    };
    ConversationView { id: row.id, title: row.title, updated_at: row.updated_at, order }
}
