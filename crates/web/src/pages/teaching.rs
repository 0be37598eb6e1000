//! The pages of a tutor for whoever teaches: problems with everything that belongs to them, how learners come on,
//! and what was said.

use apps::{App, ProblemSheet, ProblemView, TranscriptLine};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use identity::{Learn, May, Teach};
use kernel::{AppId, Code, ConversationId, Fault, PageRequest, ProblemId};
use serde_json::Value;
use tutor::{Misconception, Transfer};

use super::account::piece;
use super::form::{Fields, onward, page, refused};
use super::learning::{desk, progress_view, tutor};
use super::person::Person;
use super::talk::plain_view;
use crate::Site;
use crate::body::Path;
use crate::failure::Outcome;
use crate::texts::{key, say};
use crate::ui::form::FormView;
use crate::ui::frame::encode;
use crate::ui::html;
use crate::ui::pieces::Empty;
use crate::ui::tutor::{
    DeletePage, EditPage, LineView, ProblemPage, ProblemRow, ProblemsPage, TranscriptPage, move_words,
};

/// Rows for misconceptions that a form has at most, and those that it has empty.
const ROWS: u32 = 20;
const SPARE: u32 = 2;

/// The pages of teachers.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/apps/{app}/problems", get(list).post(add))
        .route("/apps/{app}/problems/new", get(new))
        .route("/apps/{app}/problems/{id}", get(show))
        .route("/apps/{app}/problems/{id}/edit", get(edit).post(save))
        .route("/apps/{app}/problems/{id}/publish", post(publish))
        .route("/apps/{app}/problems/{id}/delete", get(ask_delete).post(delete))
        .route("/apps/{app}/problems/{id}/transcripts/{conversation}", get(transcript))
}

/// The tutor and the proof that the person teaches in it.
fn teacher(site: &Site, person: &Person, app: &str) -> Outcome<(App, May<Teach>)> {
    let app = tutor(site, &person.who, app)?;
    let may = person.may(site, Teach(app.id.clone()))?;
    Ok((app, may))
}

/// The problem with everything that belongs to it.
async fn problem(
    site: &Site,
    person: &Person,
    app: &App,
    id: ProblemId,
) -> Outcome<(ProblemRow, ProblemSheet)> {
    let found = site.hall.problem(&person.may(site, Learn(app.id.clone()))?, id).await?;
    let row = problem_row(&found);
    let sheet = found.sheet.ok_or(Fault::new(Code::NotFound))?;
    Ok((row, sheet))
}

fn problem_row(problem: &ProblemView) -> ProblemRow {
    ProblemRow {
        id: problem.id.to_string(),
        title: problem.title.clone(),
        level: problem.level.clone().unwrap_or_default(),
        published: problem.published,
        updated_at: problem.updated_at,
    }
}

fn done(person: &Person) -> Option<&'static str> {
    match person.asked("done").as_str() {
        "made" => Some(key("The problem is saved.")),
        "saved" => Some(key("The changes are saved. Learners who work on it go on with the new version.")),
        "published" => Some(key("Learners see this problem now.")),
        "unpublished" => Some(key("Learners do not see this problem any more. Who has begun it can go on.")),
        "deleted" => Some(key("The problem is deleted.")),
        _ => None,
    }
}

async fn list(State(site): State<Site>, person: Person, Path(app): Path<String>) -> Outcome<Response> {
    let (app, _) = teacher(&site, &person, &app)?;
    let may = person.may(&site, Learn(app.id.clone()))?;
    let found = site.hall.problems(&may, piece(&person)?).await?;
    let base = format!("/apps/{}/problems", app.id);
    let shown = ProblemsPage {
        desk: desk(&site, &person.who, &app, "/problems", done(&person)).await,
        problems: found.items.iter().map(problem_row).collect(),
        next: found.next.map(|next| format!("{base}?after={}", encode(&next))),
        empty: Empty {
            icon: "tutor",
            title: key("No problems yet").to_owned(),
            text: key("Write the first one: a statement, the answer that only the tutor knows, and hints.")
                .to_owned(),
            action: Some((format!("{base}/new"), key("New problem").to_owned())),
        },
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

/// The form with what is in it.
async fn form_page(
    site: &Site,
    person: &Person,
    app: &App,
    id: Option<ProblemId>,
    form: FormView,
    code: StatusCode,
) -> Outcome<Response> {
    let used =
        |row: &u32| ["when", "ask"].iter().any(|part| !form.value(&format!("{part}-{row}")).is_empty());
    let rows = (1..=ROWS).rev().find(used).unwrap_or(0);
    let shown = EditPage {
        desk: desk(site, &person.who, app, "/problems", None).await,
        form,
        id: id.map(|id| id.to_string()).unwrap_or_default(),
        rows: (rows + SPARE).min(ROWS),
    };
    Ok(page(code, html(&shown)?))
}

async fn new(State(site): State<Site>, person: Person, Path(app): Path<String>) -> Outcome<Response> {
    let (app, _) = teacher(&site, &person, &app)?;
    form_page(&site, &person, &app, None, FormView::new(), StatusCode::OK).await
}

async fn edit(
    State(site): State<Site>,
    person: Person,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<Response> {
    let (app, _) = teacher(&site, &person, &app)?;
    let id = ProblemId::parse(&id)?;
    let (_, sheet) = problem(&site, &person, &app, id).await?;
    form_page(&site, &person, &app, Some(id), filled(&sheet), StatusCode::OK).await
}

async fn add(
    State(site): State<Site>,
    person: Person,
    Path(app): Path<String>,
    fields: Fields,
) -> Outcome<Response> {
    let (app, may) = teacher(&site, &person, &app)?;
    match site.hall.add_problem(&may, &sheet(&fields)).await {
        Ok(made) => Ok(onward(&format!("/apps/{}/problems/{}?done=made", app.id, made.id))),
        Err(fault) => {
            let (code, form) = refused(typed(&fields), fault)?;
            form_page(&site, &person, &app, None, form, code).await
        }
    }
}

async fn save(
    State(site): State<Site>,
    person: Person,
    Path((app, id)): Path<(String, String)>,
    fields: Fields,
) -> Outcome<Response> {
    let (app, may) = teacher(&site, &person, &app)?;
    let id = ProblemId::parse(&id)?;
    // A problem that is gone, or another tutor's, is no fault of the form.
    problem(&site, &person, &app, id).await?;
    match site.hall.change_problem(&may, id, &sheet(&fields)).await {
        Ok(_) => Ok(onward(&format!("/apps/{}/problems/{id}?done=saved", app.id))),
        Err(fault) => {
            let (code, form) = refused(typed(&fields), fault)?;
            form_page(&site, &person, &app, Some(id), form, code).await
        }
    }
}

async fn publish(
    State(site): State<Site>,
    person: Person,
    Path((app, id)): Path<(String, String)>,
    fields: Fields,
) -> Outcome<Response> {
    let (app, may) = teacher(&site, &person, &app)?;
    let id = ProblemId::parse(&id)?;
    let (_, mut sheet) = problem(&site, &person, &app, id).await?;
    sheet.published = fields.text("published") == "yes";
    site.hall.change_problem(&may, id, &sheet).await?;
    let done = if sheet.published { "published" } else { "unpublished" };
    Ok(onward(&format!("/apps/{}/problems/{id}?done={done}", app.id)))
}

async fn ask_delete(
    State(site): State<Site>,
    person: Person,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<Response> {
    let (app, _) = teacher(&site, &person, &app)?;
    let (problem, _) = problem(&site, &person, &app, ProblemId::parse(&id)?).await?;
    let desk = desk(&site, &person.who, &app, "/problems", None).await;
    Ok(page(StatusCode::OK, html(&DeletePage { desk, problem })?))
}

async fn delete(
    State(site): State<Site>,
    person: Person,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<Response> {
    let (app, may) = teacher(&site, &person, &app)?;
    site.hall.remove_problem(&may, ProblemId::parse(&id)?).await?;
    Ok(onward(&format!("/apps/{}/problems?done=deleted", app.id)))
}

async fn show(
    State(site): State<Site>,
    person: Person,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<Response> {
    let (app, may) = teacher(&site, &person, &app)?;
    let id = ProblemId::parse(&id)?;
    let (problem, sheet) = problem(&site, &person, &app, id).await?;
    let after = person.asked("after");
    let found =
        site.hall.progress(&may, id, PageRequest::parse(Some(PageRequest::MOST), Some(&after))?).await?;
    let mut learners: Vec<_> = found.items.into_iter().map(progress_view).collect();
    // Those who need somebody stand first; the order among them stays: who was active last.
    learners.sort_by_key(|learner| !learner.stuck);
    let shown = ProblemPage {
        desk: desk(&site, &person.who, &app, "/problems", done(&person)).await,
        statement: sheet.statement,
        stuck: learners.iter().filter(|learner| learner.stuck).count(),
        learners,
        next: found.next.map(|next| format!("/apps/{}/problems/{id}?after={}", app.id, encode(&next))),
        empty: Empty {
            icon: "users",
            title: key("Nobody has begun yet").to_owned(),
            text: if problem.published {
                key("Learners find it on the page of the tutor; how they come on is shown here.").to_owned()
            } else {
                key("It is a draft, so learners do not see it. Publish it when it is ready.").to_owned()
            },
            action: None,
        },
        problem,
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

async fn transcript(
    State(site): State<Site>,
    person: Person,
    Path((app, id, conversation)): Path<(String, String, String)>,
) -> Outcome<Response> {
    let (app, may) = teacher(&site, &person, &app)?;
    let (id, conversation) = (ProblemId::parse(&id)?, ConversationId::parse(&conversation)?);
    let after = person.asked("after");
    let piece = PageRequest::parse(Some(PageRequest::MOST), Some(&after))?;
    let found = site.hall.transcript(&may, id, conversation, piece).await?;
    let path = format!("/apps/{}/problems/{id}/transcripts/{conversation}", app.id);
    let shown = TranscriptPage {
        desk: desk(&site, &person.who, &app, "/problems", None).await,
        progress: progress_view(found.progress),
        lines: found.lines.items.iter().map(|line| line_view(&app.id, line)).collect(),
        next: found.lines.next.map(|next| format!("{path}?after={}", encode(&next))),
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

fn line_view(app: &AppId, line: &TranscriptLine) -> LineView {
    let word = |name: &str| line.made.get(name).and_then(Value::as_str);
    let kind = word("kind").map(|kind| move_words(kind, line.made.get("hint").and_then(Value::as_u64)));
    let question =
        word("question").map(|question| say("type: {question}").with("question", question).to_string());
    let stage = word("stage").map(|stage| say("stage: {stage}").with("stage", stage).to_string());
    let labels = [kind, question, stage].into_iter().flatten().filter(|label| !label.is_empty());
    LineView { message: plain_view(app, &line.message), labels: labels.collect(), held_back: line.held_back }
}

/// The lines of a field, without empty ones.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// What the form says. Browsers end lines with two characters; one is kept.
fn sheet(fields: &Fields) -> ProblemSheet {
    let text = |name: &str| fields.text(name).replace("\r\n", "\n");
    let pair = |row: u32| {
        let (when, ask) = (text(&format!("when-{row}")), text(&format!("ask-{row}")));
        (!when.is_empty() || !ask.is_empty()).then_some(Misconception { when, ask })
    };
    let (question, answer) = (text("transfer-question"), text("transfer-answer"));
    ProblemSheet {
        title: text("title"),
        statement: text("statement"),
        answer: text("answer"),
        accepted: lines(fields.text("accepted")),
        steps: lines(fields.text("steps")),
        rubric: lines(fields.text("rubric")),
        transfer: (!question.is_empty() || !answer.is_empty()).then_some(Transfer { question, answer }),
        hints: lines(fields.text("hints")),
        misconceptions: (1..=ROWS).filter_map(pair).collect(),
        level: Some(text("level")).filter(|level| !level.is_empty()),
        published: fields.text("published") == "yes",
    }
}

/// The form as it was typed. The parts that have several fields are there under one name for what is wrong with them.
fn typed(fields: &Fields) -> FormView {
    [
        "title",
        "statement",
        "answer",
        "level",
        "accepted",
        "steps",
        "rubric",
        "hints",
        "misconceptions",
        "transfer",
    ]
    .into_iter()
    .fold(fields.view(), |form, name| if form.holds(name) { form } else { form.with(name, "") })
}

/// The form with what is stored.
fn filled(sheet: &ProblemSheet) -> FormView {
    let mut form = FormView::new()
        .with("title", &sheet.title)
        .with("statement", &sheet.statement)
        .with("level", sheet.level.as_deref().unwrap_or_default())
        .with("answer", &sheet.answer)
        .with("accepted", &sheet.accepted.join("\n"))
        .with("steps", &sheet.steps.join("\n"))
        .with("rubric", &sheet.rubric.join("\n"))
        .with("hints", &sheet.hints.join("\n"))
        .with("published", if sheet.published { "yes" } else { "no" });
    if let Some(transfer) = &sheet.transfer {
        form = form.with("transfer-question", &transfer.question).with("transfer-answer", &transfer.answer);
    }
    for (row, known) in (1..).zip(&sheet.misconceptions) {
        let row: u32 = row;
        form = form.with(&format!("when-{row}"), &known.when).with(&format!("ask-{row}"), &known.ask);
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_comes_back_from_the_form_as_it_was() {
        let sheet_before = ProblemSheet {
            title: "Cakes".into(),
            statement: "6 trays with 7 cakes each.\nHow many cakes?".into(),
            answer: "42".into(),
            accepted: vec!["42 cakes".into()],
            steps: vec!["What does a tray hold?".into(), "Multiply".into()],
            rubric: vec!["multiplication".into()],
            transfer: Some(Transfer { question: "And 5 trays?".into(), answer: "35".into() }),
            hints: vec!["Look at one tray".into()],
            misconceptions: vec![Misconception { when: "13".into(), ask: "Why add?".into() }],
            level: Some("Grade 3".into()),
            published: true,
        };
        let form = filled(&sheet_before);
        let names = [
            "title",
            "statement",
            "level",
            "answer",
            "accepted",
            "steps",
            "rubric",
            "hints",
            "published",
            "transfer-question",
            "transfer-answer",
            "when-1",
            "ask-1",
        ];
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        for name in names {
            // As browsers send it.
            body.append_pair(name, &form.value(name).replace('\n', "\r\n"));
        }
        assert!(sheet(&Fields::of_query(Some(&body.finish()))) == sheet_before);
    }

    #[test]
    fn nothing_typed_is_lost_when_it_is_refused() {
        let fields = Fields::of_query(Some("title=Cakes&hints=It+is+42&when-1=13&answer=42"));
        let fault = sheet(&fields).checked().unwrap_err();
        let (_, form) = refused(typed(&fields), fault).unwrap_or_else(|_| panic!("it belongs into the form"));
        assert!(form.error("statement").is_some(), "{form:?}");
        assert_eq!((form.value("hints"), form.value("when-1")), ("It is 42", "13"));
    }
}
