//! The pages of a tutor for whoever learns: the problems with one's own progress, and what stands beside a
//! conversation. Nothing here asks for an answer, a hint that was not given or a misconception.

use std::collections::HashMap;

use apps::{App, Message, NewConversation, Progress};
use axum::Router;
use axum::extract::State;
use axum::response::{Html, Response};
use axum::routing::{get, post};
use http::StatusCode;
use identity::{Converse, Learn, May};
use kernel::{AppKind, Code, ConversationId, Fault, PageRequest, ProblemId};
use tutor::Stage;

use super::account::piece;
use super::form::{onward, page};
use super::person::Person;
use super::talk::plain_view;
use super::{app_view, chat_page, entered, frame, model};
use crate::Site;
use crate::body::Path;
use crate::failure::Outcome;
use crate::texts::key;
use crate::ui::html;
use crate::ui::pieces::{Empty, FilterTab};
use crate::ui::tutor::{Desk, LearnPage, LearnView, LevelView, ProgressPage, ProgressView, Standing, stage};
use crate::ui::view::LessonView;
use crate::who::Who;

/// Pieces of a hundred that the front is made of.
const PIECES: usize = 10;

/// The pages of learners.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/apps/{app}/ask", get(ask))
        .route("/apps/{app}/progress", get(progress))
        .route("/apps/{app}/problems/{id}/start", post(start))
}

/// The tutor with this id, when the caller may enter it.
pub(super) fn tutor(site: &Site, who: &Who, app: &str) -> Outcome<App> {
    let app = entered(site, who, app)?;
    if app.kind == AppKind::Tutor { Ok(app) } else { Err(Fault::new(Code::NotFound).into()) }
}

/// Whether the caller teaches here; asking leaves no trace.
fn teaches(who: &Who, app: &App) -> bool {
    who.principal.user().is_some() && who.principal.managed().contains(&app.id)
}

/// What stands around a page of the tutor.
pub(super) async fn desk(site: &Site, who: &Who, app: &App, here: &str, done: Option<&'static str>) -> Desk {
    let base = format!("/apps/{}", app.id);
    let tab = |name: &str, path: &str| FilterTab {
        name: name.to_owned(),
        href: format!("{base}{path}"),
        count: None,
        current: here == path,
    };
    let mut tabs = vec![tab(key("Problems"), ""), tab(key("My progress"), "/progress")];
    if teaches(who, app) {
        tabs.push(tab(key("Manage problems"), "/problems"));
    }
    let back = format!("{base}{here}");
    Desk {
        frame: frame(site, Some(who), &back).await,
        app: app_view(app, &who.principal),
        tabs,
        done,
        now: site.ambient.now(),
    }
}

/// The front of a tutor.
pub(super) async fn front(site: &Site, who: &Who, app: &App) -> Outcome<Html<String>> {
    let may = who.may(site, Learn(app.id.clone()))?;
    let standings = standings(site, &may).await?;
    let mut levels: Vec<LevelView> = Vec::new();
    let mut after = None;
    for _ in 0..PIECES {
        let found =
            site.hall.problems(&may, PageRequest::parse(Some(PageRequest::MOST), after.as_deref())?).await?;
        // Teachers find their drafts among the problems that they manage.
        for problem in found.items.into_iter().filter(|problem| problem.published) {
            let name = problem.level.unwrap_or_default();
            let (conversation, standing, solved) = match standings.get(&problem.id) {
                Some((conversation, standing, solved)) => (conversation.clone(), standing.clone(), *solved),
                None => (String::new(), Standing::of(None), false),
            };
            let one = LearnView {
                id: problem.id.to_string(),
                title: problem.title,
                statement: problem.statement,
                standing,
                conversation,
                solved,
            };
            match levels.iter_mut().find(|level| level.name == name) {
                Some(level) => level.problems.push(one),
                None => levels.push(LevelView { name, problems: vec![one] }),
            }
        }
        after = found.next;
        if after.is_none() {
            break;
        }
    }
    // Those without a level stand last, and within a level what was made first stands first.
    levels.sort_by_cached_key(|level| (level.name.is_empty(), level.name.to_lowercase()));
    levels.iter_mut().for_each(|level| level.problems.reverse());
    let empty = Empty {
        icon: "tutor",
        title: key("No problems yet").to_owned(),
        text: key("Whoever runs this tutor has published none. You can bring a question of your own.")
            .to_owned(),
        action: teaches(who, app)
            .then(|| (format!("/apps/{}/problems", app.id), key("Manage problems").to_owned())),
    };
    let desk = desk(site, who, app, "", None).await;
    let shown = LearnPage { desk, model: model(site, Some(app)), levels, more: after.is_some(), empty };
    Ok(Html(html(&shown)?))
}

/// For each problem the newest conversation about it, how it stands, and whether any of them was solved.
async fn standings(site: &Site, may: &May<Learn>) -> Outcome<HashMap<ProblemId, (String, Standing, bool)>> {
    let mut found: HashMap<ProblemId, (String, Standing, bool)> = HashMap::new();
    let mut after: Option<String> = None;
    for _ in 0..PIECES {
        let piece = PageRequest::parse(Some(PageRequest::MOST), after.as_deref())?;
        let progress = site.hall.own_progress(may, piece).await?;
        for one in progress.items {
            let solved = one.state.solved;
            let standing = Standing::of((one.turns > 0).then_some(&one.state));
            let known = found
                .entry(one.problem)
                .or_insert_with(|| (one.conversation.to_string(), standing.clone(), false));
            if solved && !known.2 {
                *known = (one.conversation.to_string(), standing, true);
            }
        }
        after = progress.next;
        if after.is_none() {
            break;
        }
    }
    Ok(found)
}

/// A conversation about a question that the learner brings.
async fn ask(State(site): State<Site>, who: Who, Path(app): Path<String>) -> Outcome<Html<String>> {
    let app = tutor(&site, &who, &app)?;
    chat_page(&site, &who, &app, None).await
}

/// Opens a conversation about a problem.
async fn start(
    State(site): State<Site>,
    who: Who,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<Response> {
    let app = tutor(&site, &who, &app)?;
    // To whom a draft is not there, it cannot be begun either.
    let problem = site.hall.problem(&who.may(&site, Learn(app.id.clone()))?, ProblemId::parse(&id)?).await?;
    let new = NewConversation {
        title: Some(problem.title),
        topic: None,
        problem: Some(problem.id),
        temporary: false,
    };
    let made = site.hall.create_conversation(&who.may(&site, Converse(app.id.clone()))?, new).await?;
    Ok(onward(&format!("/apps/{}/{}", app.id, made.id)))
}

async fn progress(State(site): State<Site>, person: Person, Path(app): Path<String>) -> Outcome<Response> {
    let app = tutor(&site, &person.who, &app)?;
    let may = person.may(&site, Learn(app.id.clone()))?;
    let found = site.hall.own_progress(&may, piece(&person)?).await?;
    let next =
        found.next.map(|next| format!("/apps/{}/progress?after={}", app.id, crate::ui::frame::encode(&next)));
    let own = |one: Progress| ProgressView { learner: String::new(), ..progress_view(one) };
    let shown = ProgressPage {
        rows: found.items.into_iter().map(own).collect(),
        next,
        empty: Empty {
            icon: "tutor",
            title: key("Nothing begun yet").to_owned(),
            text: key("Begin a problem, and how far you have come is shown here.").to_owned(),
            action: Some((format!("/apps/{}", app.id), key("See the problems").to_owned())),
        },
        desk: desk(&site, &person.who, &app, "/progress", None).await,
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

/// How somebody comes on, as pages show it.
pub(super) fn progress_view(one: Progress) -> ProgressView {
    let stuck = one.stuck();
    let begun = one.turns > 0;
    ProgressView {
        conversation: one.conversation.to_string(),
        problem: one.problem.to_string(),
        title: one.title,
        learner: one.learner,
        standing: Standing::of(begun.then_some(&one.state)),
        stuck,
        turns: one.turns,
        wrong_tries: one.state.wrong_tries,
        asked_for_answer: one.state.asked_for_answer,
        claims: one
            .state
            .claims
            .into_iter()
            .map(|claim| (claim.text, claim.stance == tutor::Stance::Retracted))
            .collect(),
        last_at: one.last_at,
    }
}

/// What stands beside a conversation with a tutor.
pub(super) async fn lesson(
    site: &Site,
    who: &Who,
    app: &App,
    conversation: ConversationId,
    messages: &[Message],
) -> Outcome<Option<LessonView>> {
    let may = who.may(site, Learn(app.id.clone()))?;
    let about = site.hall.own_attempt(&may, conversation).await?;
    let kept = messages.iter().rev().find_map(|message| tutor::State::read(&message.details));
    if about.is_none() && kept.is_none() {
        return Ok(None);
    }
    let state =
        kept.or_else(|| about.as_ref().map(|(_, progress)| progress.state.clone())).unwrap_or_default();
    let (words, advice) = stage(state.stage);
    let hint = |message: &&Message| {
        message.details.pointer("/move/kind").and_then(serde_json::Value::as_str) == Some("hint")
    };
    let (title, statement, level) = about
        .map(|(problem, _)| (problem.title, problem.statement, problem.level.unwrap_or_default()))
        .unwrap_or_default();
    Ok(Some(LessonView {
        title,
        statement,
        level,
        stage: words.to_owned(),
        advice: advice.to_owned(),
        solved: state.solved || state.stage == Stage::Done,
        hints: messages.iter().filter(hint).map(|hint| plain_view(&app.id, hint)).collect(),
    }))
}
