//! What one does in one's own conversation beside talking, as forms and as pieces of the page: asks for a person, says
//! what one thinks of an answer, reads what has happened. The views of messages are made here.

use std::collections::HashMap;

use apps::{Opinion, Rating};
use axum::Router;
use axum::extract::State;
use axum::response::{Html, Response};
use axum::routing::{get, post};
use identity::{ConversationRate, ConversationRead, May};
use kernel::{AppId, AppKind, ConversationId, Fault, MessageId, Result};

use super::app::serves_customers;
use super::form::{Fields, onward};
use super::person::Person;
use crate::Site;
use crate::body::Path;
use crate::failure::Outcome;
use crate::texts::key;
use crate::ui::fragments;
use crate::ui::view::{
    Beside, CitationView, DeskLine, Ending, MessageView, OpinionView, Speaker, VersionsView,
};

/// The forms of a conversation, and the piece that follows it.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/apps/{app}/{conversation}/person", post(ask_person))
        .route("/apps/{app}/{conversation}/messages/{message}/feedback", post(rate))
        .route("/fragments/conversations/{conversation}/news", get(news))
}

async fn ask_person(
    State(site): State<Site>,
    person: Person,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<Response> {
    let may = person.may(&site, ConversationRate)?;
    let asked = site.hall.ask_for_person(&may, ConversationId::parse(&id)?, None).await?;
    Ok(onward(&back(&app, asked.id, "")))
}

async fn rate(
    State(site): State<Site>,
    person: Person,
    Path((app, id, message)): Path<(String, String, String)>,
    fields: Fields,
) -> Outcome<Response> {
    let may = person.may(&site, ConversationRate)?;
    let (id, message) = (ConversationId::parse(&id)?, MessageId::parse(&message)?);
    let rating = match fields.text("rating") {
        "none" => None,
        word => {
            let unknown = || Fault::invalid("rating", "unknown", key("an answer helped or it did not"));
            Some(Rating::parse(word).ok_or_else(unknown)?)
        }
    };
    site.hall.rate(&may, id, message, rating, Some(fields.text("comment").to_owned())).await?;
    Ok(onward(&back(&app, id, &format!("#m-{message}"))))
}

/// The page of a conversation. The name of the app comes from the path and is looked at when the page is asked for.
fn back(app: &str, id: ConversationId, place: &str) -> String {
    match AppId::parse(app) {
        Ok(app) => format!("/apps/{app}/{id}{place}"),
        Err(_) => "/".to_owned(),
    }
}

/// What has happened since the message that the query names, as HTML.
async fn news(State(site): State<Site>, person: Person, Path(id): Path<String>) -> Outcome<Html<String>> {
    let may = person.may(&site, ConversationRead)?;
    let id = ConversationId::parse(&id)?;
    let after = person.asked("after");
    let after = if after.is_empty() { None } else { Some(MessageId::parse(&after)?) };
    let news = site.hall.news(&may, id, after).await?;
    let app = site.hall.conversation(&may, id).await?.app;
    let messages = views(&site, &may, &app, id, &news.messages).await?;
    Ok(Html(fragments::news(&line(&app, Some(id), news.desk), &messages)?))
}

/// Whether a person has been asked for in a conversation; `None` in apps without a desk.
pub(super) async fn desk_line(
    site: &Site,
    may: &May<ConversationRead>,
    app: &apps::App,
    open: Option<ConversationId>,
) -> Result<Option<DeskLine>> {
    if !serves_customers(app.kind) {
        return Ok(None);
    }
    let state = match open {
        Some(id) => site.hall.desk_state(may, id).await?,
        None => None,
    };
    Ok(Some(line(&app.id, open, state)))
}

fn line(app: &AppId, open: Option<ConversationId>, state: Option<apps::DeskState>) -> DeskLine {
    let action = open.map(|id| format!("/apps/{app}/{id}/person")).unwrap_or_default();
    match state {
        Some(desk) => DeskLine { state: desk.state.as_str(), by: desk.by.unwrap_or_default(), action },
        None => DeskLine { action, ..DeskLine::default() },
    }
}

/// Messages of one's own conversation, with what one thinks of the answers.
pub(super) async fn views(
    site: &Site,
    may: &May<ConversationRead>,
    app: &AppId,
    id: ConversationId,
    messages: &[apps::Message],
) -> Result<Vec<MessageView>> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let authors = site.hall.authors(messages).await;
    let tree = site.hall.tree(may, id).await?;
    let opinions = site.hall.opinions(may, id).await?;
    let kept = site.hall.kept_files(may, messages.iter()).await?;
    let opinions: HashMap<MessageId, &Opinion> = opinions.iter().map(|one| (one.message_id, one)).collect();
    let hosts = link_hosts(site, app);
    let chats = site.hall.app(app).is_ok_and(|app| app.kind == AppKind::Chat);
    let with_opinion = |row: &apps::Message| {
        let mut view = message_view(app, &authors, row);
        view.beside.own = true;
        view.beside.hosts.clone_from(&hosts);
        let helps = row.details.get("helps").and_then(serde_json::Value::as_bool) == Some(true);
        view.beside.appealable = view.ending == Ending::Blocked || helps;
        view.beside.continuable = chats && view.speaker == Speaker::Answerer && view.ending.is_early();
        for file in &mut view.beside.attached {
            file.deleted = file.id.is_some_and(|id| !kept.contains(&id));
        }
        view.beside.versions = VersionsView::of(row.id, tree.beside(row.id));
        // What a person wrote is not rated, and nothing is before it is complete.
        if view.speaker == Speaker::Answerer && view.beside.person.is_none() && view.ending != Ending::Writing
        {
            let opinion = opinions.get(&row.id);
            view.beside.opinion = Some(OpinionView {
                action: format!("/apps/{app}/{id}/messages/{}/feedback", row.id),
                rating: opinion.map_or("", |opinion| opinion.rating.as_str()),
                comment: opinion.and_then(|opinion| opinion.comment.clone()).unwrap_or_default(),
            });
        }
        view
    };
    Ok(messages.iter().map(with_opinion).collect())
}

/// Where answers of a chat may link to; `None` where that is everywhere, or where their links have been looked at in
/// another way.
pub(super) fn link_hosts(site: &Site, app: &AppId) -> Option<apps::LinkHosts> {
    site.hall.app(app).ok().filter(|app| app.kind == AppKind::Chat)?.link_hosts
}

/// A message of an app without a desk, where nobody is asked what they think of it.
pub(super) fn plain_view(app: &AppId, row: &apps::Message) -> MessageView {
    message_view(app, &HashMap::new(), row)
}

/// A message with what goes beside it; `authors` are the people of the desk who wrote some of them.
pub(super) fn message_view(
    app: &AppId,
    authors: &HashMap<MessageId, String>,
    row: &apps::Message,
) -> MessageView {
    let beside = Beside { person: authors.get(&row.id).cloned(), ..Beside::of(app, &row.details) };
    MessageView {
        id: row.id,
        speaker: if row.role == apps::Role::User { Speaker::Person } else { Speaker::Answerer },
        content: row.content.clone(),
        citations: CitationView::list(&row.citations, Some(app)),
        created_at: row.created_at,
        ending: Ending::from_finish_reason(row.finish_reason.map(apps::FinishReason::as_str)),
        model: row.model.clone(),
        beside,
    }
}
