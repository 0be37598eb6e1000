//! The desk of customer service: the inbox of conversations that were handed over, questions without an answer, counts.

use std::time::Duration;

use apps::{HandOff, HandOffState, Handed, OpenQuestion, Quality};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use identity::Desk;
use kernel::{AppId, Fault, HandOffId, MessageId, PageRequest, Time};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::problems::{Changing, OnOne};
use super::view::{List, MessageView};
use crate::Site;
use crate::body::{Json, Path, Query};
use crate::failure::Outcome;
use crate::who::Who;

/// A conversation that was handed over.
#[derive(Serialize, ToSchema)]
#[schema(as = HandOff)]
pub(crate) struct HandOffView {
    /// Its id.
    id: Uuid,
    /// The conversation.
    conversation_id: Uuid,
    /// `waiting`, `claimed`, `returned` or `closed`.
    #[schema(example = "waiting")]
    state: &'static str,
    /// Why the customer asked, with personal data masked.
    reason: Option<String>,
    /// Who has, or had, it: `user:…`.
    claimed_by: Option<String>,
    /// Whether the caller has it.
    mine: bool,
    /// When the customer asked.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When somebody took it.
    #[schema(value_type = Option<String>, format = DateTime)]
    claimed_at: Option<Time>,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
}

impl HandOffView {
    fn of(who: &Who, row: HandOff) -> HandOffView {
        HandOffView {
            id: row.id.uuid(),
            conversation_id: row.conversation_id.uuid(),
            state: row.state.as_str(),
            reason: row.reason,
            mine: row.claimed_by.as_deref() == Some(who.principal.subject().to_string().as_str()),
            claimed_by: row.claimed_by,
            created_at: row.created_at,
            claimed_at: row.claimed_at,
            updated_at: row.updated_at,
        }
    }
}

/// One of them with everything that was said.
#[derive(Serialize, ToSchema)]
#[schema(as = HandedConversation)]
pub(crate) struct HandedView {
    /// The hand-off.
    hand_off: HandOffView,
    /// What it is about, in a few lines with personal data masked.
    summary: String,
    /// Every message, oldest first.
    messages: Vec<MessageView>,
}

impl HandedView {
    fn of(who: &Who, handed: Handed) -> HandedView {
        HandedView {
            hand_off: HandOffView::of(who, handed.hand_off),
            summary: handed.summary,
            messages: handed.messages.iter().map(MessageView::from).collect(),
        }
    }
}

/// Which of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InboxFilter {
    /// `waiting`, `claimed`, `returned` or `closed`; all unless said.
    #[param(pattern = "^(waiting|claimed|returned|closed)$")]
    state: Option<String>,
    /// How many, 1 to 100; 20 unless said.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the piece before.
    after: Option<String>,
}

fn desk(site: &Site, app: &str) -> Result<Desk, Fault> {
    Ok(Desk(site.hall.known(AppId::parse(app)?)?))
}

/// The conversations handed over in an app, newest first. Needs `manage` in the app.
#[utoipa::path(get, path = "/api/v1/apps/{app}/inbox", operation_id = "listInbox", tag = "desk",
    params(("app" = String, Path, description = "The app"), InboxFilter), responses(
    (status = 200, description = "A piece of the list", body = List<HandOffView>),
    OnOne,
))]
pub(crate) async fn inbox(
    State(site): State<Site>,
    who: Who,
    Path(app): Path<String>,
    Query(filter): Query<InboxFilter>,
) -> Outcome<axum::Json<List<HandOffView>>> {
    let may = who.may(&site, desk(&site, &app)?)?;
    let page = PageRequest::parse(filter.limit, filter.after.as_deref())?;
    let unknown =
        || Fault::invalid("state", "unknown", "a state is `waiting`, `claimed`, `returned` or `closed`");
    let state = filter.state.map(|word| HandOffState::parse(&word).ok_or_else(unknown)).transpose()?;
    let found = site.hall.inbox(&may, state, page).await?;
    Ok(axum::Json(List::of(found, |row| HandOffView::of(&who, row))))
}

/// One of them with everything that was said. The reading is named in the audit log.
#[utoipa::path(get, path = "/api/v1/apps/{app}/inbox/{id}", operation_id = "readHandOff", tag = "desk",
    params(("app" = String, Path, description = "The app"), ("id" = Uuid, Path, description = "The hand-off")), responses(
    (status = 200, description = "The conversation", body = HandedView),
    OnOne,
))]
pub(crate) async fn read(
    State(site): State<Site>,
    who: Who,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<axum::Json<HandedView>> {
    let may = who.may(&site, desk(&site, &app)?)?;
    let handed = site.hall.handed(&may, HandOffId::parse(&id)?).await?;
    Ok(axum::Json(HandedView::of(&who, handed)))
}

/// Takes a waiting conversation. Of several who try at once one gets it; for the others it is a `conflict`.
#[utoipa::path(post, path = "/api/v1/apps/{app}/inbox/{id}/claim", operation_id = "claimHandOff", tag = "desk",
    params(("app" = String, Path, description = "The app"), ("id" = Uuid, Path, description = "The hand-off")), responses(
    (status = 200, description = "It is the caller's", body = HandOffView),
    OnOne,
))]
pub(crate) async fn claim(
    State(site): State<Site>,
    who: Who,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<axum::Json<HandOffView>> {
    let may = who.may(&site, desk(&site, &app)?)?;
    let claimed = site.hall.claim(&may, HandOffId::parse(&id)?).await?;
    Ok(axum::Json(HandOffView::of(&who, claimed)))
}

/// What the person says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reply {
    /// The text; the customer reads it in the conversation, as from a person.
    #[schema(min_length = 1, max_length = 20_000)]
    content: String,
}

/// Answers in the customer's conversation. Only who has it may.
#[utoipa::path(post, path = "/api/v1/apps/{app}/inbox/{id}/reply", operation_id = "replyToCustomer", tag = "desk", request_body = Reply,
    params(("app" = String, Path, description = "The app"), ("id" = Uuid, Path, description = "The hand-off")), responses(
    (status = 201, description = "The message as the customer sees it", body = MessageView),
    Changing,
))]
pub(crate) async fn reply(
    State(site): State<Site>,
    who: Who,
    Path((app, id)): Path<(String, String)>,
    Json(reply): Json<Reply>,
) -> Outcome<Response> {
    let may = who.may(&site, desk(&site, &app)?)?;
    let message = site.hall.reply(&may, HandOffId::parse(&id)?, reply.content).await?;
    Ok((StatusCode::CREATED, axum::Json(MessageView::from(&message))).into_response())
}

/// Gives a conversation back to the machine.
#[utoipa::path(post, path = "/api/v1/apps/{app}/inbox/{id}/return", operation_id = "returnHandOff", tag = "desk",
    params(("app" = String, Path, description = "The app"), ("id" = Uuid, Path, description = "The hand-off")), responses(
    (status = 200, description = "It is given back", body = HandOffView),
    OnOne,
))]
pub(crate) async fn give_back(
    State(site): State<Site>,
    who: Who,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<axum::Json<HandOffView>> {
    let may = who.may(&site, desk(&site, &app)?)?;
    let ended = site.hall.give_back(&may, HandOffId::parse(&id)?).await?;
    Ok(axum::Json(HandOffView::of(&who, ended)))
}

/// Closes a hand-off; one that waits may be closed by anybody of the desk.
#[utoipa::path(post, path = "/api/v1/apps/{app}/inbox/{id}/close", operation_id = "closeHandOff", tag = "desk",
    params(("app" = String, Path, description = "The app"), ("id" = Uuid, Path, description = "The hand-off")), responses(
    (status = 200, description = "It is closed", body = HandOffView),
    OnOne,
))]
pub(crate) async fn close(
    State(site): State<Site>,
    who: Who,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<axum::Json<HandOffView>> {
    let may = who.may(&site, desk(&site, &app)?)?;
    let ended = site.hall.close_hand_off(&may, HandOffId::parse(&id)?).await?;
    Ok(axum::Json(HandOffView::of(&who, ended)))
}

/// A question without an answer, with those that ask nearly the same.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenQuestion)]
pub(crate) struct QuestionView {
    /// The newest of them, by which all are resolved.
    id: Uuid,
    /// The question as it was put last, with personal data masked.
    question: String,
    /// How often it was asked.
    count: usize,
    /// How near the documents come to it, 0 to 1.
    closest: f32,
    /// When it was asked first.
    #[schema(value_type = String, format = DateTime)]
    first_at: Time,
    /// When it was asked last.
    #[schema(value_type = String, format = DateTime)]
    last_at: Time,
}

impl From<OpenQuestion> for QuestionView {
    fn from(row: OpenQuestion) -> QuestionView {
        QuestionView {
            id: row.id.uuid(),
            question: row.question,
            count: row.count,
            closest: row.closest,
            first_at: row.first_at,
            last_at: row.last_at,
        }
    }
}

/// The questions that the documents of an app did not answer, newest first.
#[utoipa::path(get, path = "/api/v1/apps/{app}/gaps", operation_id = "listGaps", tag = "desk",
    params(("app" = String, Path, description = "The app")), responses(
    (status = 200, description = "The questions; `next` is always `null`", body = List<QuestionView>),
    OnOne,
))]
pub(crate) async fn gaps(
    State(site): State<Site>,
    who: Who,
    Path(app): Path<String>,
) -> Outcome<axum::Json<List<QuestionView>>> {
    let may = who.may(&site, desk(&site, &app)?)?;
    let found = site.hall.open_questions(&may).await?;
    Ok(axum::Json(List { items: found.into_iter().map(QuestionView::from).collect(), next: None }))
}

/// How many were resolved.
#[derive(Serialize, ToSchema)]
pub(crate) struct Resolved {
    /// The question and those that ask nearly the same.
    resolved: u64,
}

/// Marks a question, and those that ask nearly the same, as answered by now.
#[utoipa::path(post, path = "/api/v1/apps/{app}/gaps/{id}/resolve", operation_id = "resolveGap", tag = "desk",
    params(("app" = String, Path, description = "The app"), ("id" = Uuid, Path, description = "The question")), responses(
    (status = 200, description = "How many were resolved", body = Resolved),
    OnOne,
))]
pub(crate) async fn resolve(
    State(site): State<Site>,
    who: Who,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<axum::Json<Resolved>> {
    let may = who.may(&site, desk(&site, &app)?)?;
    Ok(axum::Json(Resolved { resolved: site.hall.resolve(&may, MessageId::parse(&id)?).await? }))
}

/// The span of time.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Span {
    /// So many days back, 1 to 366; 30 unless said.
    #[param(minimum = 1, maximum = 366)]
    days: Option<u32>,
}

/// How good customer service is, in counts and shares of them. A share of nothing is `null`.
#[derive(Serialize, ToSchema)]
#[schema(as = Quality)]
pub(crate) struct QualityView {
    /// So many days back.
    days: u32,
    /// Questions: turns that ask for something the documents may hold. Greetings and requests for a person do not count.
    questions: u64,
    /// Questions that were answered from the documents.
    answered: u64,
    /// Questions that the documents hold no answer to.
    refused: u64,
    /// Answer rate: answered of all questions.
    answer_rate: Option<f64>,
    /// Conversations with at least one turn.
    conversations: u64,
    /// Conversations in which a person was asked for.
    handed_off: u64,
    /// Containment: conversations without a person, of all conversations. Says nothing about whether it helped.
    containment: Option<f64>,
    /// Conversations whose last question was answered from the documents, in which no person was asked for and no answer
    /// was rated down.
    resolved: u64,
    /// Resolution: resolved of all conversations.
    resolution: Option<f64>,
    /// Answers rated up.
    up: u64,
    /// Answers rated down.
    down: u64,
}

impl QualityView {
    fn of(days: u32, row: Quality) -> QualityView {
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        QualityView {
            days,
            questions: row.questions,
            answered: row.answered,
            refused: row.refused,
            answer_rate: share(row.answered, row.questions),
            conversations: row.conversations,
            handed_off: row.handed_off,
            containment: share(row.conversations.saturating_sub(row.handed_off), row.conversations),
            resolved: row.resolved,
            resolution: share(row.resolved, row.conversations),
            up: row.up,
            down: row.down,
        }
    }
}

/// How good the answers of an app are.
#[utoipa::path(get, path = "/api/v1/apps/{app}/quality", operation_id = "readQuality", tag = "desk",
    params(("app" = String, Path, description = "The app"), Span), responses(
    (status = 200, description = "The counts", body = QualityView),
    OnOne,
))]
pub(crate) async fn quality(
    State(site): State<Site>,
    who: Who,
    Path(app): Path<String>,
    Query(span): Query<Span>,
) -> Outcome<axum::Json<QualityView>> {
    let may = who.may(&site, desk(&site, &app)?)?;
    let days = span.days.unwrap_or(30);
    if !(1..=366).contains(&days) {
        return Err(Fault::invalid("days", "out_of_range", "`days` is 1 to 366").into());
    }
    let quality = site.hall.quality(&may, Duration::from_secs(u64::from(days) * 24 * 60 * 60)).await?;
    Ok(axum::Json(QualityView::of(days, quality)))
}
