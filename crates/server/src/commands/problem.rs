//! `stoa problem add|list|show|remove`: what the tutor teaches, from a file or one by one.

use std::path::Path;

use anyhow::anyhow;
use apps::ProblemSheet;
use kernel::{Actor, Ambient, AppId, AppKind, AuditEvent, EventType, PageRequest, ProblemId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Store, StoredProblem};

use super::data::{told, with_settings};
use super::paper::{Mark, Paper, print, print_json};
use crate::cli;
use crate::settings::Settings;

/// A file of problems.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Book {
    problems: Vec<ProblemSheet>,
}

/// Runs the command.
pub(crate) fn run(global: &cli::Global, wanted: &cli::Problem, ambient: &Ambient) -> anyhow::Result<bool> {
    with_settings(global, ambient, async |store, settings| {
        match wanted {
            cli::Problem::Add { app, file, publish } => {
                add(store, &tutor(settings, app)?, file, *publish, ambient).await?;
            }
            cli::Problem::List { app, json } => list(store, &tutor(settings, app)?, *json).await?,
            cli::Problem::Show { app, id, json } => show(store, &tutor(settings, app)?, id, *json).await?,
            cli::Problem::Remove { app, id } => {
                let app = tutor(settings, app)?;
                let id = ProblemId::parse(id).map_err(told)?;
                store
                    .remove_problem(&app, id, vec![event(EventType::DataErased, &app, id)])
                    .await
                    .map_err(told)?;
                print(&format!("The problem {id} is gone from {app}.\n"))?;
            }
        }
        Ok(true)
    })
}

/// The tutor with this id.
fn tutor(settings: &Settings, app: &str) -> anyhow::Result<AppId> {
    let id = AppId::parse(app).map_err(told)?;
    let tutors = || settings.catalog.iter().filter(|one| one.kind == AppKind::Tutor);
    if tutors().any(|one| one.id == id) {
        return Ok(id);
    }
    let known: Vec<&str> = tutors().map(|one| one.id.as_str()).collect();
    Err(anyhow!("`{app}` is no tutor; there are {}", known.join(", ")))
}

fn event(what: EventType, app: &AppId, id: ProblemId) -> AuditEvent {
    AuditEvent::new(what, Actor::Operator).to(format_args!("problem:{id}")).with("app", app.as_str())
}

async fn add(
    store: &Store,
    app: &AppId,
    file: &Path,
    publish: bool,
    ambient: &Ambient,
) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| anyhow!("{} cannot be read: {error}", file.display()))?;
    let json = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    let book: Book = if json {
        serde_json::from_str(&text).map_err(|error| anyhow!("{}: {error}", file.display()))?
    } else {
        toml::from_str(&text).map_err(|error| anyhow!("{}: {}", file.display(), error.message()))?
    };
    // All are looked at before the first is added: half a book would be added twice by the next try.
    let mut checked = Vec::with_capacity(book.problems.len());
    for (number, mut sheet) in (1..).zip(book.problems) {
        sheet.published |= publish;
        let title = sheet.title.clone();
        let new = sheet
            .checked()
            .map_err(|fault| anyhow!("problem {number} of {}: {}", file.display(), told(fault)))?;
        checked.push((title, new));
    }
    let mut paper = Paper::standard();
    let count = checked.len();
    for (title, new) in checked {
        let id = ProblemId::new(ambient);
        let state = if new.published { "published" } else { "draft" };
        store.add_problem(id, app, new, vec![event(EventType::DataWritten, app, id)]).await.map_err(told)?;
        paper.entry(Mark::Good, &title, &format!("{id}  {state}"), "")?;
    }
    paper.line(&format!("{count} added to {app}."))?;
    Ok(())
}

async fn every(store: &Store, app: &AppId) -> anyhow::Result<Vec<StoredProblem>> {
    let mut page = PageRequest::first(PageRequest::MOST);
    let mut all = Vec::new();
    loop {
        let piece = store.problems(app, true, page).await.map_err(told)?;
        all.extend(piece.items);
        match piece.next {
            Some(next) => page = PageRequest::parse(Some(PageRequest::MOST), Some(&next)).map_err(told)?,
            None => return Ok(all),
        }
    }
}

async fn list(store: &Store, app: &AppId, as_json: bool) -> anyhow::Result<()> {
    let problems = every(store, app).await?;
    let title = |problem: &StoredProblem| {
        problem.content.get("title").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    let state = |problem: &StoredProblem| if problem.published { "published" } else { "draft" };
    if as_json {
        let rows: Vec<_> = problems
            .iter()
            .map(|problem| json!({"id": problem.id, "title": title(problem), "level": problem.level, "visibility": state(problem)}))
            .collect();
        return print_json(&json!(rows));
    }
    let mut paper = Paper::standard();
    for problem in &problems {
        let level = problem.level.as_deref().map(|level| format!("  {level}")).unwrap_or_default();
        paper.entry(
            Mark::Good,
            &title(problem),
            &format!("{}  {}{level}", problem.id, state(problem)),
            "",
        )?;
    }
    if problems.is_empty() {
        paper.line(&format!("{app} has no problems. Add some with `stoa problem add {app} FILE`."))?;
    }
    Ok(())
}

async fn show(store: &Store, app: &AppId, id: &str, as_json: bool) -> anyhow::Result<()> {
    let stored = store.problem(app, ProblemId::parse(id).map_err(told)?).await.map_err(told)?;
    let book = Book { problems: vec![ProblemSheet::stored(stored).map_err(told)?] };
    if as_json {
        return print_json(&json!(book));
    }
    print(&toml::to_string_pretty(&book)?)?;
    Ok(())
}
