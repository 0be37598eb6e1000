//! Conversations on their way out: one as JSON, Markdown or a page that stands alone; all of them as an archive. What goes out as
//! JSON comes in again as it was.

use apps::TakeoutForm;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use identity::ConversationRead;
use kernel::{ConversationId, Fault, Time};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problems::{OnOne, Reading};
use super::view::{ConversationView, MessageView};
use crate::Site;
use crate::body::{Path, Query};
use crate::failure::Outcome;
use crate::front::Sandboxed;
use crate::pages::carry;
use crate::ui::paper;
use crate::who::Who;

/// A whole conversation.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportView {
    /// The conversation.
    conversation: ConversationView,
    /// The names of the folders that it lies in, from the outermost.
    folder: Vec<String>,
    /// Every message in the order in which they were written, with those that stand beside what the conversation
    /// says now; `parent_id` tells where.
    messages: Vec<ExportedMessage>,
    /// What the conversation says now: the ids of its messages, oldest first.
    said: Vec<uuid::Uuid>,
}

/// A message with what its owner thinks of it.
#[derive(Serialize, ToSchema)]
struct ExportedMessage {
    #[serde(flatten)]
    message: MessageView,
    /// What is thought of the answer; `null` where nothing was said.
    feedback: Option<OpinionView>,
}

/// What is thought of an answer.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportedFeedback)]
struct OpinionView {
    /// `up` or `down`.
    #[schema(example = "up")]
    rating: &'static str,
    /// Why.
    comment: Option<String>,
    /// When it was said.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
}

impl From<apps::Export> for ExportView {
    fn from(export: apps::Export) -> ExportView {
        let shown = |message: &apps::Message| {
            let mut shown = MessageView::from(message).with_kept(&export.files);
            let texts = apps::attached_to(&message.details).into_iter().map(|one| one.text);
            for (file, text) in shown.attachments.iter_mut().zip(texts) {
                file.text = text;
            }
            let thought = export.opinions.iter().find(|one| one.message_id == message.id);
            let feedback = thought.map(|one| OpinionView {
                rating: one.rating.as_str(),
                comment: one.comment.clone(),
                updated_at: one.updated_at,
            });
            ExportedMessage { message: shown, feedback }
        };
        ExportView {
            messages: export.every.iter().map(shown).collect(),
            said: export.messages.iter().map(|message| message.id.uuid()).collect(),
            folder: export.folder,
            conversation: export.conversation.into(),
        }
    }
}

/// The form of an export.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportQuery {
    /// `json` (unless said), `markdown`, or `html`: a page that stands alone.
    #[param(pattern = "^(json|markdown|html)$")]
    format: Option<String>,
}

/// A whole conversation as a file.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/export", operation_id = "exportConversation", tag = "conversations",
    params(("id" = uuid::Uuid, Path, description = "The conversation"), ExportQuery), responses(
    (status = 200, description = "The conversation, as JSON, Markdown or HTML", content((ExportView = "application/json"), (String = "text/markdown"), (String = "text/html"))),
    OnOne,
))]
pub(crate) async fn export(
    State(site): State<Site>,
    who: Who,
    Path(id): Path<String>,
    Query(query): Query<ExportQuery>,
) -> Outcome<Response> {
    let may = who.may(&site, ConversationRead)?;
    let id = ConversationId::parse(&id)?;
    let format = query.format.as_deref().unwrap_or("json");
    if !["json", "markdown", "html"].contains(&format) {
        let say = "the formats are `json`, `markdown` and `html`";
        return Err(Fault::invalid("format", "unknown", say).into());
    }
    let export = site.hall.export(&may, id).await?;
    let (ending, mut response) = match format {
        "markdown" => {
            ("md", ([(CONTENT_TYPE, "text/markdown; charset=utf-8")], export.markdown()).into_response())
        }
        "html" => {
            let page = paper::alone(&carry::sheet(&site, &export))?;
            let mut response = ([(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
            response.extensions_mut().insert(Sandboxed);
            ("html", response)
        }
        _ => ("json", axum::Json(ExportView::from(export)).into_response()),
    };
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"conversation-{id}.{ending}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// In which form everything is wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EverythingQuery {
    /// `zip`, the one there is.
    #[param(pattern = "^zip$")]
    format: Option<String>,
}

/// All of one's conversations as an archive: each as Markdown and as JSON with its branches, and the files that their
/// messages brought. It is made while it leaves. `POST /api/v1/conversations/import` takes it in again.
#[utoipa::path(get, path = "/api/v1/conversations/export", operation_id = "exportConversations", tag = "conversations", params(EverythingQuery), responses(
    (status = 200, description = "The archive", body = Vec<u8>, content_type = "application/zip"),
    Reading,
))]
pub(crate) async fn export_all(
    State(site): State<Site>,
    who: Who,
    Query(query): Query<EverythingQuery>,
) -> Outcome<Response> {
    let may = who.may(&site, ConversationRead)?;
    if query.format.is_some_and(|format| format != "zip") {
        return Err(Fault::invalid("format", "unknown", "the format is `zip`").into());
    }
    let archive = site.hall.archive(&may, |export| {
        serde_json::to_vec_pretty(&ExportView::from(export)).map_err(Fault::internal)
    });
    let mut response = super::me::export_answer(archive, TakeoutForm::Zip);
    let name = HeaderValue::from_static("attachment; filename=\"stoa-conversations.zip\"");
    response.headers_mut().insert(CONTENT_DISPOSITION, name);
    Ok(response)
}
