//! Conversations on their way in: a form with the app and the export, read as it comes. The same export twice makes nothing
//! twice, whatever key it comes with.

use apps::{ImportProblem, ImportReport};
use axum::extract::{Request, State};
use identity::{ConversationImport, Converse};
use kernel::Fault;
use serde::Serialize;
use utoipa::ToSchema;

use super::conversations::app_field;
use super::problems::Changing;
use crate::Site;
use crate::failure::Outcome;
use crate::multipart::Multipart;
use crate::who::Who;

/// The longest value of a field that is no file.
const FIELD: usize = 100;

/// The form. The app stands before the file.
#[derive(ToSchema)]
#[schema(as = ImportForm)]
#[allow(dead_code, reason = "the shape that the reader below takes, for the OpenAPI document")]
pub(crate) struct Form {
    /// The app that the conversations come into.
    #[schema(example = "workspace")]
    app: String,
    /// The export: the ZIP or `conversations.json` of ChatGPT or Claude, the JSON of Open WebUI or LibreChat, or an export of
    /// this server.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// What came in and what did not.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportReport)]
pub(crate) struct ReportView {
    /// Conversations that were taken in.
    imported: u64,
    /// Those that had been here already, and stayed as they were.
    present: u64,
    /// Those that could not be taken.
    refused: u64,
    /// Messages that were taken in.
    messages: u64,
    /// Files that were taken in, or were here already and belong to messages now.
    files: u64,
    /// Messages of tools and systems, and hidden ones, that were not.
    left_out: u64,
    /// Files that were not.
    files_left_out: u64,
    /// What is wrong with those that could not be taken; the first hundred of them.
    problems: Vec<ProblemView>,
    /// Why the rest of the export was not read, where that is so. What is counted here is in; the same file can be sent again.
    unfinished: Option<String>,
}

/// A conversation that could not be taken.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportProblem)]
pub(crate) struct ProblemView {
    /// Which of the export it is, counted from 1.
    number: u64,
    /// What it is called, where that can be read.
    title: Option<String>,
    /// Why: `cut_off`, `not_json`, `unknown_shape`, `empty`, `bad_message`, `too_large`, `too_deep`, `too_many_messages`,
    /// `too_many_conversations`, `no_room` (for a file), `no_order` (for a folder or tag).
    code: &'static str,
    /// Why.
    detail: String,
}

impl From<ImportReport> for ReportView {
    fn from(report: ImportReport) -> ReportView {
        let problem =
            |ImportProblem { number, title, code, detail }| ProblemView { number, title, code, detail };
        ReportView {
            imported: report.imported,
            present: report.present,
            refused: report.refused,
            messages: report.messages,
            files: report.files,
            left_out: report.left_out,
            files_left_out: report.files_left_out,
            problems: report.problems.into_iter().map(problem).collect(),
            unfinished: report.unfinished,
        }
    }
}

/// Brings conversations in from an export of ChatGPT, Claude, Open WebUI, LibreChat or this server, with branches, titles and
/// times; from this server also with pins, folders, tags, feedback and, from its archives, the files of messages, which pass
/// the checks and the quota of an upload. A conversation comes in whole or not at all; what has come in stays when the rest
/// fails; what is here already is left as it is. Pins beyond the most that one may have are dropped.
#[utoipa::path(post, path = "/api/v1/conversations/import", operation_id = "importConversations", tag = "conversations",
    request_body(content = Form, content_type = "multipart/form-data"), responses(
    (status = 200, description = "What came in and what did not", body = ReportView),
    Changing,
))]
pub(crate) async fn create(
    State(site): State<Site>,
    who: Who,
    request: Request,
) -> Outcome<axum::Json<ReportView>> {
    let may = who.may(&site, ConversationImport)?;
    let mut form = Multipart::of(request)?;
    let mut app = None;
    while let Some(part) = form.next().await? {
        match (part.filename, part.name.as_str()) {
            (None, "app") => app = Some(app_field(form.text("app", FIELD).await?.trim())?),
            (Some(_), _) => {
                let app = app.ok_or_else(|| {
                    Fault::invalid("app", "missing", "name the app in front of the file, in the field `app`")
                })?;
                let into = who.may(&site, Converse(site.hall.known(app)?))?;
                let mut import = site.hall.begin_import(&may, &into)?;
                while let Some(piece) = form.chunk().await? {
                    import.push(piece.to_vec()).await?;
                }
                return Ok(axum::Json(import.finish().await?.into()));
            }
            (None, other) => {
                let name = other.chars().take(64).collect::<String>();
                return Err(Fault::invalid(name, "unknown", "a form has `app` and a file").into());
            }
        }
    }
    Err(Fault::invalid("file", "missing", "there is no file in the form").into())
}
