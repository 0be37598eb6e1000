//! What customers say about the service: whether an answer helped, and that they want a person.

use apps::Rating;
use axum::extract::State;
use http::StatusCode;
use identity::ConversationRate;
use kernel::{ConversationId, Fault, MessageId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::problems::Changing;
use super::view::ConversationView;
use crate::Site;
use crate::body::{Json, Path};
use crate::failure::Outcome;
use crate::who::Who;

/// What is thought of an answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Feedback {
    /// `up` or `down`; `null` takes it back.
    #[schema(example = "up", pattern = "^(up|down)$")]
    rating: Option<String>,
    /// Why.
    #[schema(max_length = 2_000)]
    comment: Option<String>,
}

/// Says what one thinks of an answer in one's own conversation, in the place of what one said before.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/messages/{message}/feedback", operation_id = "rateAnswer", tag = "messages", request_body = Feedback,
    params(("id" = Uuid, Path, description = "The conversation"), ("message" = Uuid, Path, description = "The answer")), responses(
    (status = 204, description = "It is kept"),
    Changing,
))]
pub(crate) async fn rate(
    State(site): State<Site>,
    who: Who,
    Path((id, message)): Path<(String, String)>,
    Json(feedback): Json<Feedback>,
) -> Outcome<StatusCode> {
    let may = who.may(&site, ConversationRate)?;
    let unknown = || Fault::invalid("rating", "unknown", "a rating is `up`, `down` or `null`");
    let rating = feedback.rating.map(|word| Rating::parse(&word).ok_or_else(unknown)).transpose()?;
    let (id, message) = (ConversationId::parse(&id)?, MessageId::parse(&message)?);
    site.hall.rate(&may, id, message, rating, feedback.comment).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The wish for a person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    /// Why.
    #[schema(max_length = 2_000)]
    reason: Option<String>,
}

/// Asks for a person in one's own conversation with customer service. Asked again it changes nothing.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/hand-off", operation_id = "askForPerson", tag = "conversations", request_body = Wish,
    params(("id" = Uuid, Path, description = "The conversation")), responses(
    (status = 200, description = "The conversation, with `hand_off`", body = ConversationView),
    Changing,
))]
pub(crate) async fn hand_off(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
    Json(wish): Json<Wish>,
) -> Outcome<axum::Json<ConversationView>> {
    let may = who.may(&site, ConversationRate)?;
    let asked = site.hall.ask_for_person(&may, ConversationId::parse(&id)?, wish.reason).await?;
    Ok(axum::Json(ConversationView::from(asked)))
}
