//! The one-call chat of CONTRACT section 4: a message and, if wanted, the caller's own name for the session.

use apps::{Ask, Brought, Options, Target};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use identity::{Converse, Principal};
use kernel::{AppId, Fault, RequestId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::conversations::app_field;
use super::problems::Talking;
use super::view::{EventView, MessageView, Usage};
use crate::Site;
use crate::body::Json;
use crate::failure::Outcome;
use crate::who::Who;
use crate::{once, sse};

/// What is said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatRequest {
    /// The text.
    #[schema(example = "How do I connect a model?", min_length = 1)]
    message: String,
    /// The caller's own name for the talk: the same name keeps the context. Names of different callers never meet.
    #[schema(example = "customer-4711", pattern = "^[!-~]{1,128}$")]
    session_id: Option<String>,
    /// The app; `support` for a key, else `assistant`.
    #[schema(example = "assistant", pattern = "^[a-z][a-z0-9-]{0,31}$")]
    app: Option<String>,
    /// Answer as a stream of events.
    #[serde(default)]
    stream: bool,
}

/// What is answered.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChatAnswer {
    /// Give it again to go on with the talk.
    session_id: String,
    /// The conversation that holds the talk.
    conversation_id: Uuid,
    /// The answer.
    message: MessageView,
    /// The model that answered.
    model: Option<String>,
    /// What it cost.
    usage: Usage,
    /// Why the answer ended.
    finish_reason: Option<&'static str>,
}

/// Says something and gets an answer.
#[utoipa::path(post, path = "/api/v1/chat", operation_id = "chat", tag = "chat", request_body = ChatRequest, responses(
    (status = 200, description = "The answer; with `stream` the events `message`, `delta`, `citation`, `done`, `error`", content((ChatAnswer = "application/json"), (EventView = "text/event-stream"))),
    Talking,
))]
pub(crate) async fn create(
    State(site): State<Site>,
    who: Who,
    Json(request): Json<ChatRequest>,
) -> Outcome<Response> {
    let app = match &request.app {
        Some(app) => app_field(app)?,
        None => usual_app(&who.principal)?,
    };
    let may = who.may(&site, Converse(site.hall.known(app)?))?;
    let session_id = match request.session_id {
        Some(name) => {
            guard::content::validate::session(&name)?;
            name
        }
        None => RequestId::new(&site.ambient).to_string(),
    };
    let ask = Ask {
        target: Target::Session(session_id.clone()),
        content: request.message,
        field: "message",
        options: Options::default(),
        brought: Brought::default(),
        resumable: false,
    };
    if request.stream {
        let reader = Box::pin(site.hall.stream(&may, ask)).await?;
        return Ok(once::streamed(reader, sse::encode));
    }
    let answer = Box::pin(site.hall.answer(&may, ask)).await?;
    let message = MessageView::from(&answer.message);
    Ok(axum::Json(ChatAnswer {
        session_id,
        conversation_id: answer.conversation_id.uuid(),
        model: answer.message.model.clone(),
        usage: Usage::of(&answer.message),
        finish_reason: message.finish_reason,
        message,
    })
    .into_response())
}

/// The app that a caller means who names none: `support` for a key, else `assistant`; a key that may enter
/// neither of them gets the first app it may enter.
fn usual_app(who: &Principal) -> Result<AppId, Fault> {
    let usual = AppId::parse(if who.is_key() { "support" } else { "assistant" })?;
    if who.apps().contains(&usual) {
        return Ok(usual);
    }
    Ok(who.apps().iter().next().cloned().unwrap_or(usual))
}
