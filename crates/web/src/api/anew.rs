//! What is asked or answered anew: another answer, other words, the rest of an answer. What was said before stays.

use apps::{Anew, Ask, Brought, Options, Target};
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use identity::{ConversationFind, Converse, May};
use kernel::{ConversationId, MessageId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::messages::{TurnView, answered, file_ids};
use super::problems::Talking;
use super::view::EventView;
use crate::Site;
use crate::body::{Json, MaybeJson, Path};
use crate::failure::Outcome;
use crate::who::Who;

/// How another answer is wanted.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Again {
    /// A stream whose readers have gone runs on for 30 s, so that they can come back.
    #[serde(default)]
    resumable: bool,
}

/// What is said instead.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OtherWords {
    /// The text.
    #[schema(example = "How do I connect a model of my own?", min_length = 1)]
    content: String,
    /// The files that come with it; those that the message had unless said.
    #[schema(value_type = Option<Vec<Uuid>>)]
    file_ids: Option<Vec<String>>,
    /// A stream whose readers have gone runs on for 30 s, so that they can come back.
    #[serde(default)]
    resumable: bool,
}

/// Gives another answer: JSON, or a stream of events when `Accept: text/event-stream`. The message is an answer, or what
/// was said. The answers stand beside each other; the conversation goes on from the new one.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/messages/{message}/regenerate", operation_id = "regenerateMessage", tag = "messages",
    request_body = inline(Option<Again>),
    params(("id" = Uuid, Path, description = "The conversation"), ("message" = Uuid, Path, description = "The message")), responses(
    (status = 200, description = "With `Accept: text/event-stream`: the events `message`, `delta`, `citation`, `done`, `error`", body = EventView, content_type = "text/event-stream"),
    (status = 201, description = "The turn", body = TurnView),
    Talking,
))]
pub(crate) async fn regenerate(
    State(site): State<Site>,
    who: Who,
    Path((id, message)): Path<(String, String)>,
    headers: HeaderMap,
    MaybeJson(again): MaybeJson<Again>,
) -> Outcome<Response> {
    let (id, message) = (ConversationId::parse(&id)?, MessageId::parse(&message)?);
    let may = talking(&site, &who, id).await?;
    let resumable = again.unwrap_or_default().resumable;
    let ask = site.hall.again(&may, id, message, resumable).await?;
    answered(&site, &may, ask, &headers).await
}

/// Takes up an answer that ended with `length`, `cancelled`, `interrupted` or `error` where it stopped: it becomes one
/// message. Only the last answer of a conversation, of a chat. JSON, or a stream of events when
/// `Accept: text/event-stream`; the stream tells the whole answer, what was there before first.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/messages/{message}/continue", operation_id = "continueMessage", tag = "messages",
    request_body = inline(Option<Again>),
    params(("id" = Uuid, Path, description = "The conversation"), ("message" = Uuid, Path, description = "The answer")), responses(
    (status = 200, description = "With `Accept: text/event-stream`: the events `message`, `delta`, `citation`, `done`, `error`", body = EventView, content_type = "text/event-stream"),
    (status = 201, description = "The turn, with the whole answer", body = TurnView),
    Talking,
))]
pub(crate) async fn go_on(
    State(site): State<Site>,
    who: Who,
    Path((id, message)): Path<(String, String)>,
    headers: HeaderMap,
    MaybeJson(again): MaybeJson<Again>,
) -> Outcome<Response> {
    let (id, message) = (ConversationId::parse(&id)?, MessageId::parse(&message)?);
    let may = talking(&site, &who, id).await?;
    let ask = site.hall.further(&may, id, message, again.unwrap_or_default().resumable).await?;
    answered(&site, &may, ask, &headers).await
}

/// Says something else in the place of a message of one's own, and gets an answer: a new branch. JSON, or a stream of
/// events when `Accept: text/event-stream`.
#[utoipa::path(put, path = "/api/v1/conversations/{id}/messages/{message}", operation_id = "editMessage", tag = "messages", request_body = OtherWords,
    params(("id" = Uuid, Path, description = "The conversation"), ("message" = Uuid, Path, description = "The message of the user")), responses(
    (status = 200, description = "With `Accept: text/event-stream`: the events `message`, `delta`, `citation`, `done`, `error`", body = EventView, content_type = "text/event-stream"),
    (status = 201, description = "The turn", body = TurnView),
    Talking,
))]
pub(crate) async fn edit(
    State(site): State<Site>,
    who: Who,
    Path((id, message)): Path<(String, String)>,
    headers: HeaderMap,
    Json(words): Json<OtherWords>,
) -> Outcome<Response> {
    let (id, message) = (ConversationId::parse(&id)?, MessageId::parse(&message)?);
    let may = talking(&site, &who, id).await?;
    let ask = Ask {
        target: Target::Beside(id, Anew::Words(message)),
        content: words.content,
        field: "content",
        options: Options::default(),
        brought: Brought { files: words.file_ids.as_deref().map(file_ids).transpose()?, images: Vec::new() },
        resumable: words.resumable,
    };
    answered(&site, &may, ask, &headers).await
}

async fn talking(site: &Site, who: &Who, id: ConversationId) -> Outcome<May<Converse>> {
    let app = site.hall.app_of(&who.may(site, ConversationFind)?, id).await?;
    who.may(site, Converse(app))
}
