//! "This was a mistake": what people say against a refusal.

use apps::Appealed;
use axum::extract::State;
use http::StatusCode;
use identity::{ConversationRate, Converse};
use kernel::{AppId, ConversationId, MessageId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::input::Text;
use super::problems::Changing;
use crate::Site;
use crate::body::{Json, Path};
use crate::failure::Outcome;
use crate::who::Who;

/// An appeal against the refusal of a text.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppealRequest {
    /// The text as it was refused. It is kept with the appeal, sealed, for the person who looks at it.
    #[schema(value_type = String, min_length = 1)]
    text: Text,
    /// Why it is a mistake.
    #[schema(max_length = 2_000)]
    comment: Option<String>,
}

/// An appeal against what became of an answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerAppealRequest {
    /// Why it is a mistake.
    #[schema(max_length = 2_000)]
    comment: Option<String>,
}

/// An appeal.
#[derive(Serialize, ToSchema)]
#[schema(as = Appeal)]
pub(crate) struct AppealView {
    /// Its id.
    id: Uuid,
    /// `waiting`: a person will look at it; `known`: it had been appealed before.
    state: &'static str,
}

impl AppealView {
    fn of(appealed: Appealed) -> AppealView {
        match appealed {
            Appealed::Waiting(id) => AppealView { id: id.uuid(), state: "waiting" },
            Appealed::Already(id) => AppealView { id: id.uuid(), state: "known" },
        }
    }
}

/// Says that the refusal of a text was a mistake. A refused text is stored nowhere, so it comes along. Only what the app
/// does refuse can be appealed, and twenty appeals of one caller wait at the most.
#[utoipa::path(post, path = "/api/v1/apps/{app}/appeals", operation_id = "appealRefusal", tag = "messages", request_body = AppealRequest,
    params(("app" = String, Path, description = "The app")), responses(
    (status = 202, description = "A person will look at it", body = AppealView),
    Changing,
))]
pub(crate) async fn refused(
    State(site): State<Site>,
    who: Who,
    Path(app): Path<String>,
    Json(appeal): Json<AppealRequest>,
) -> Outcome<(StatusCode, axum::Json<AppealView>)> {
    let may = who.may(&site, Converse(site.hall.known(AppId::parse(&app)?)?))?;
    let appealed = site.hall.appeal_refused(&may, appeal.text.0, appeal.comment).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(AppealView::of(appealed))))
}

/// Says that it was a mistake to withhold an answer, or to answer with words that help.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/messages/{message}/appeal", operation_id = "appealAnswer", tag = "messages", request_body = AnswerAppealRequest,
    params(("id" = Uuid, Path, description = "The conversation"), ("message" = Uuid, Path, description = "The answer")), responses(
    (status = 202, description = "A person will look at it", body = AppealView),
    Changing,
))]
pub(crate) async fn answer(
    State(site): State<Site>,
    who: Who,
    Path((id, message)): Path<(String, String)>,
    Json(appeal): Json<AnswerAppealRequest>,
) -> Outcome<(StatusCode, axum::Json<AppealView>)> {
    let may = who.may(&site, ConversationRate)?;
    let (id, message) = (ConversationId::parse(&id)?, MessageId::parse(&message)?);
    let appealed = site.hall.appeal_answer(&may, id, message, appeal.comment).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(AppealView::of(appealed))))
}
