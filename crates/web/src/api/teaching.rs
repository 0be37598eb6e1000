//! Problems of a tutor app, and how learners come on with them. Learners get statements and their own progress;
//! references, everybody's progress and transcripts are for those who manage the app.

use apps::{ProblemSheet, Progress, TranscriptLine};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use identity::{Learn, Teach};
use kernel::{AppId, ConversationId, Fault, ProblemId, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::conversations::app_field;
use super::problems::{Changing, OnOne};
use super::sessions::Piece;
use super::view::{List, MessageView};
use crate::Site;
use crate::body::{Json, Path, Query};
use crate::failure::Outcome;
use crate::who::Who;

/// The question that shows whether the idea has been understood.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferBody {
    /// The question; it ends with a question mark and does not hold its answer.
    question: String,
    /// Its answer.
    answer: String,
}

/// A wrong idea to expect.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MisconceptionBody {
    /// The wrong answer, or words, that show it.
    when: String,
    /// What to ask then; it does not give the answer away.
    ask: String,
}

/// A problem to be made, or what replaces one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProblemBody {
    /// What it is called, one line.
    #[schema(min_length = 1, max_length = 200, example = "Cakes")]
    title: String,
    /// What the learner is given.
    #[schema(min_length = 1, max_length = 10_000, example = "6 trays with 7 cakes each. How many cakes?")]
    statement: String,
    /// The final answer: a number, with a unit or not, a fraction, an equation `x = 4`, words or code.
    #[schema(min_length = 1, max_length = 2_000, example = "42")]
    answer: String,
    /// Other answers that are as right; at most 20.
    #[serde(default)]
    accepted: Vec<String>,
    /// The way there, a step each; at most 50.
    #[serde(default)]
    steps: Vec<String>,
    /// What a good summary mentions; at most 20.
    #[serde(default)]
    rubric: Vec<String>,
    /// The question that shows whether the idea has been understood.
    #[serde(default)]
    transfer: Option<TransferBody>,
    /// Hints, the faintest first; at most 20, and none gives the answer away.
    #[serde(default)]
    hints: Vec<String>,
    /// Wrong ideas to expect; at most 20.
    #[serde(default)]
    misconceptions: Vec<MisconceptionBody>,
    /// For whom it is, one line.
    #[serde(default)]
    level: Option<String>,
    /// `draft` (unless said) or `published`: learners see published problems alone.
    #[serde(default)]
    #[schema(pattern = "^(draft|published)$")]
    visibility: Option<String>,
}

impl ProblemBody {
    fn sheet(self) -> Result<ProblemSheet, Fault> {
        let published = match self.visibility.as_deref() {
            None | Some("draft") => false,
            Some("published") => true,
            Some(_) => {
                return Err(Fault::invalid("visibility", "unknown", "a problem is `draft` or `published`"));
            }
        };
        Ok(ProblemSheet {
            title: self.title,
            statement: self.statement,
            answer: self.answer,
            accepted: self.accepted,
            steps: self.steps,
            rubric: self.rubric,
            transfer: self.transfer.map(|it| tutor::Transfer { question: it.question, answer: it.answer }),
            hints: self.hints,
            misconceptions: self
                .misconceptions
                .into_iter()
                .map(|it| tutor::Misconception { when: it.when, ask: it.ask })
                .collect(),
            level: self.level,
            published,
        })
    }
}

/// A problem. What stands behind `level` is there for those who manage the app alone.
#[derive(Serialize, ToSchema)]
#[schema(as = TutorProblem)]
pub(crate) struct ProblemView {
    /// Its id.
    id: Uuid,
    /// What it is called.
    title: String,
    /// What the learner is given.
    statement: String,
    /// For whom it is.
    level: Option<String>,
    /// `draft` or `published`.
    visibility: &'static str,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
    /// The final answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// Other answers that are as right.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<Vec<String>>,
    /// The way there.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<String>>,
    /// What a good summary mentions.
    #[serde(skip_serializing_if = "Option::is_none")]
    rubric: Option<Vec<String>>,
    /// The transfer question with its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<TransferBody>,
    /// Hints.
    #[serde(skip_serializing_if = "Option::is_none")]
    hints: Option<Vec<String>>,
    /// Wrong ideas to expect.
    #[serde(skip_serializing_if = "Option::is_none")]
    misconceptions: Option<Vec<MisconceptionBody>>,
}

impl From<apps::ProblemView> for ProblemView {
    fn from(problem: apps::ProblemView) -> ProblemView {
        let mut view = ProblemView {
            id: problem.id.uuid(),
            title: problem.title,
            statement: problem.statement,
            level: problem.level,
            visibility: if problem.published { "published" } else { "draft" },
            created_at: problem.created_at,
            updated_at: problem.updated_at,
            answer: None,
            accepted: None,
            steps: None,
            rubric: None,
            transfer: None,
            hints: None,
            misconceptions: None,
        };
        if let Some(sheet) = problem.sheet {
            let misconceptions = sheet.misconceptions.into_iter();
            view.answer = Some(sheet.answer);
            view.accepted = Some(sheet.accepted);
            view.steps = Some(sheet.steps);
            view.rubric = Some(sheet.rubric);
            view.transfer =
                sheet.transfer.map(|it| TransferBody { question: it.question, answer: it.answer });
            view.hints = Some(sheet.hints);
            view.misconceptions =
                Some(misconceptions.map(|it| MisconceptionBody { when: it.when, ask: it.ask }).collect());
        }
        view
    }
}

/// How somebody comes on with a problem.
#[derive(Serialize, ToSchema)]
#[schema(as = TutorProgress)]
pub(crate) struct ProgressView {
    /// The conversation.
    conversation_id: Uuid,
    /// The problem.
    problem_id: Uuid,
    /// What the problem is called.
    title: String,
    /// Who: a name or address where the learner has one, else a pseudonym.
    learner: String,
    /// `elicit`, `probe`, `challenge`, `hint`, `check`, `summarise` or `done`.
    #[schema(example = "probe")]
    stage: &'static str,
    /// The rung of the hints, 0 to 4; `null` before the first.
    hint_level: Option<u8>,
    /// The learner found the answer.
    solved: bool,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    solved_at: Option<Time>,
    /// The learner seems to need somebody.
    stuck: bool,
    /// From 0 to 100, as the rules estimate it.
    mastery: u32,
    /// Turns of the learner.
    turns: u32,
    /// Wrong answers.
    wrong_tries: u32,
    /// How often the answer was asked for.
    asked_for_answer: u32,
    /// The points of the rubric that the summary covered, and of how many.
    rubric_covered: Option<[u32; 2]>,
    /// What the learner claims, in their own words.
    claims: Vec<String>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    started_at: Time,
    /// When something was said last.
    #[schema(value_type = String, format = DateTime)]
    last_at: Time,
}

impl From<Progress> for ProgressView {
    fn from(progress: Progress) -> ProgressView {
        ProgressView {
            conversation_id: progress.conversation.uuid(),
            problem_id: progress.problem.uuid(),
            stuck: progress.stuck(),
            solved_at: progress.solved_at(),
            title: progress.title,
            learner: progress.learner,
            stage: progress.state.stage.as_str(),
            hint_level: progress.state.hint_level,
            solved: progress.state.solved,
            mastery: progress.state.mastery,
            turns: progress.turns,
            wrong_tries: progress.state.wrong_tries,
            asked_for_answer: progress.state.asked_for_answer,
            rubric_covered: progress.state.coverage.map(|(covered, all)| [covered, all]),
            claims: progress.state.claims.into_iter().map(|claim| claim.text).collect(),
            started_at: progress.started_at,
            last_at: progress.last_at,
        }
    }
}

/// A message with the move that it made.
#[derive(Serialize, ToSchema)]
pub(crate) struct LineView {
    /// The message.
    message: MessageView,
    /// The tutor's move: `kind`, `question` (its type), `stage`, `hint`, `target`; `null` for a learner's message.
    #[schema(value_type = Option<Object>)]
    r#move: Value,
    /// Something that the model said was held back.
    held_back: bool,
}

impl From<TranscriptLine> for LineView {
    fn from(line: TranscriptLine) -> LineView {
        LineView { message: MessageView::from(&line.message), r#move: line.made, held_back: line.held_back }
    }
}

/// What a learner and the tutor said.
#[derive(Serialize, ToSchema)]
pub(crate) struct TranscriptView {
    /// How the learner comes on.
    progress: ProgressView,
    /// The messages, oldest first.
    items: Vec<LineView>,
    /// Give it back as `after` to get the next piece; `null` at the end.
    next: Option<String>,
}

fn learn(site: &Site, app: &str) -> Result<Learn, Fault> {
    Ok(Learn(known(site, app)?))
}

fn teach(site: &Site, app: &str) -> Result<Teach, Fault> {
    Ok(Teach(known(site, app)?))
}

fn known(site: &Site, app: &str) -> Result<AppId, Fault> {
    site.hall.known(app_field(app)?)
}

/// The problems of a tutor, newest first.
#[utoipa::path(get, path = "/api/v1/apps/{app}/problems", operation_id = "listProblems", tag = "tutor",
    params(("app" = String, Path, description = "The app"), Piece), responses(
    (status = 200, description = "A piece of the list", body = List<ProblemView>),
    OnOne,
))]
pub(crate) async fn list(
    State(site): State<Site>,
    who: Who,
    Path(app): Path<String>,
    Query(piece): Query<Piece>,
) -> Outcome<axum::Json<List<ProblemView>>> {
    let may = who.may(&site, learn(&site, &app)?)?;
    Ok(axum::Json(List::of(site.hall.problems(&may, piece.page()?).await?, ProblemView::from)))
}

/// Makes a problem.
#[utoipa::path(post, path = "/api/v1/apps/{app}/problems", operation_id = "createProblem", tag = "tutor", request_body = ProblemBody,
    params(("app" = String, Path, description = "The app")), responses(
    (status = 201, description = "The problem", body = ProblemView),
    Changing,
))]
pub(crate) async fn create(
    State(site): State<Site>,
    who: Who,
    Path(app): Path<String>,
    Json(body): Json<ProblemBody>,
) -> Outcome<Response> {
    let may = who.may(&site, teach(&site, &app)?)?;
    let made = site.hall.add_problem(&may, &body.sheet()?).await?;
    Ok((StatusCode::CREATED, axum::Json(ProblemView::from(made))).into_response())
}

/// One problem.
#[utoipa::path(get, path = "/api/v1/apps/{app}/problems/{id}", operation_id = "readProblem", tag = "tutor",
    params(("app" = String, Path, description = "The app"), ("id" = Uuid, Path, description = "The problem")), responses(
    (status = 200, description = "The problem", body = ProblemView),
    OnOne,
))]
pub(crate) async fn read(
    State(site): State<Site>,
    who: Who,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<axum::Json<ProblemView>> {
    let may = who.may(&site, learn(&site, &app)?)?;
    Ok(axum::Json(site.hall.problem(&may, ProblemId::parse(&id)?).await?.into()))
}

/// Replaces a problem.
#[utoipa::path(put, path = "/api/v1/apps/{app}/problems/{id}", operation_id = "replaceProblem", tag = "tutor", request_body = ProblemBody,
    params(("app" = String, Path, description = "The app"), ("id" = Uuid, Path, description = "The problem")), responses(
    (status = 200, description = "The problem", body = ProblemView),
    Changing,
))]
pub(crate) async fn replace(
    State(site): State<Site>,
    who: Who,
    Path((app, id)): Path<(String, String)>,
    Json(body): Json<ProblemBody>,
) -> Outcome<axum::Json<ProblemView>> {
    let may = who.may(&site, teach(&site, &app)?)?;
    let changed = site.hall.change_problem(&may, ProblemId::parse(&id)?, &body.sheet()?).await?;
    Ok(axum::Json(changed.into()))
}

/// Removes a problem. Conversations about it stay with their learners.
#[utoipa::path(delete, path = "/api/v1/apps/{app}/problems/{id}", operation_id = "deleteProblem", tag = "tutor",
    params(("app" = String, Path, description = "The app"), ("id" = Uuid, Path, description = "The problem")), responses(
    (status = 204, description = "It is gone"),
    OnOne,
))]
pub(crate) async fn delete(
    State(site): State<Site>,
    who: Who,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<StatusCode> {
    let may = who.may(&site, teach(&site, &app)?)?;
    site.hall.remove_problem(&may, ProblemId::parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How everybody comes on with a problem, newest first.
#[utoipa::path(get, path = "/api/v1/apps/{app}/problems/{id}/progress", operation_id = "listProgress", tag = "tutor",
    params(("app" = String, Path, description = "The app"), ("id" = Uuid, Path, description = "The problem"), Piece), responses(
    (status = 200, description = "A piece of the list", body = List<ProgressView>),
    OnOne,
))]
pub(crate) async fn progress(
    State(site): State<Site>,
    who: Who,
    Path((app, id)): Path<(String, String)>,
    Query(piece): Query<Piece>,
) -> Outcome<axum::Json<List<ProgressView>>> {
    let may = who.may(&site, teach(&site, &app)?)?;
    let found = site.hall.progress(&may, ProblemId::parse(&id)?, piece.page()?).await?;
    Ok(axum::Json(List::of(found, ProgressView::from)))
}

/// The caller's own progress in a tutor, newest first.
#[utoipa::path(get, path = "/api/v1/apps/{app}/progress", operation_id = "listMyProgress", tag = "tutor",
    params(("app" = String, Path, description = "The app"), Piece), responses(
    (status = 200, description = "A piece of the list", body = List<ProgressView>),
    OnOne,
))]
pub(crate) async fn own_progress(
    State(site): State<Site>,
    who: Who,
    Path(app): Path<String>,
    Query(piece): Query<Piece>,
) -> Outcome<axum::Json<List<ProgressView>>> {
    let may = who.may(&site, learn(&site, &app)?)?;
    Ok(axum::Json(List::of(site.hall.own_progress(&may, piece.page()?).await?, ProgressView::from)))
}

/// What was said in a conversation about a problem, with the moves. Reading it is written down.
#[utoipa::path(get, path = "/api/v1/apps/{app}/problems/{id}/transcripts/{conversation}", operation_id = "readTranscript", tag = "tutor",
    params(("app" = String, Path, description = "The app"), ("id" = Uuid, Path, description = "The problem"),
        ("conversation" = Uuid, Path, description = "A conversation about it"), Piece), responses(
    (status = 200, description = "A piece of the transcript", body = TranscriptView),
    OnOne,
))]
pub(crate) async fn transcript(
    State(site): State<Site>,
    who: Who,
    Path((app, id, conversation)): Path<(String, String, String)>,
    Query(piece): Query<Piece>,
) -> Outcome<axum::Json<TranscriptView>> {
    let may = who.may(&site, teach(&site, &app)?)?;
    let (id, conversation) = (ProblemId::parse(&id)?, ConversationId::parse(&conversation)?);
    let found = site.hall.transcript(&may, id, conversation, piece.page()?).await?;
    let lines = List::of(found.lines, LineView::from);
    Ok(axum::Json(TranscriptView { progress: found.progress.into(), items: lines.items, next: lines.next }))
}
