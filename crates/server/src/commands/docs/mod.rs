//! `stoa docs add|list|remove|search`: what apps answer from, on the data directly; running servers follow within a
//! second.

mod add;
mod walk;

use anyhow::anyhow;
use apps::{Added, Document, DocumentStatus, Library, LibraryParts, takes_documents};
use guard::outbound::Outbound;
use guard::outbound::aws::Aws;
use kernel::{Actor, Ambient, AppId, DocumentId, PageRequest, Visibility};
use llm::Models;
use serde_json::{Value, json};
use store::Store;
use tokio_util::task::TaskTracker;

use super::data::{told, with_settings};
use super::paper::{Mark, Paper, print, print_json};
use crate::cli;
use crate::settings::Settings;

/// The operator, for the audit log.
const OPERATOR: Added = Added { by: Actor::Operator, ip: None };

/// Characters of a passage that the list of a search shows.
const SHOWN: usize = 300;

/// Runs the command. `false`: something could not be added.
pub(crate) fn run(global: &cli::Global, wanted: &cli::Docs, ambient: &Ambient) -> anyhow::Result<bool> {
    with_settings(global, ambient, async |store, settings| {
        let library = library(store, settings, ambient)?;
        match wanted {
            cli::Docs::Add { app, paths, visibility, json } => {
                let app = shelf(settings, app)?;
                let visibility = Visibility::parse(visibility).map_err(told)?;
                return add::add(&library, &app, paths, visibility, *json).await;
            }
            cli::Docs::List { app, json } => list(store, &shelf(settings, app)?, *json).await?,
            cli::Docs::Remove { app, ids } => {
                let app = shelf(settings, app)?;
                for id in ids {
                    let id = DocumentId::parse(id).map_err(told)?;
                    library.remove(&app, id, OPERATOR).await.map_err(told)?;
                    print(&format!("The document {id} is gone from {app}.\n"))?;
                }
            }
            cli::Docs::Search { app, query, limit, visibility, json } => {
                let app = shelf(settings, app)?;
                let sees = Visibility::parse(visibility).map_err(told)?;
                search(&library, &app, &query.join(" "), usize::from(*limit), sees, *json).await?;
            }
        }
        Ok(true)
    })
}

fn library(store: &Store, settings: &Settings, ambient: &Ambient) -> anyhow::Result<Library> {
    let outbound = Outbound::new(settings.models.timeouts.connect).map_err(told)?;
    let aws = Aws::new(settings.aws.clone(), outbound.operator().clone(), ambient.clone());
    let models = Models::new(settings.models.clone(), outbound, aws, ambient.clone());
    Ok(Library::new(LibraryParts {
        config: settings.library.clone(),
        store: store.clone(),
        models,
        ambient: ambient.clone(),
        tasks: TaskTracker::new(),
        holder: format!("command {}", std::process::id()),
    }))
}

/// The app with this id, when it answers from documents.
fn shelf(settings: &Settings, app: &str) -> anyhow::Result<AppId> {
    let id = AppId::parse(app).map_err(told)?;
    let takers = || settings.catalog.iter().filter(|one| takes_documents(one.kind));
    if takers().any(|one| one.id == id) {
        return Ok(id);
    }
    let known: Vec<&str> = takers().map(|one| one.id.as_str()).collect();
    Err(anyhow!("`{app}` is no app that answers from documents; there are {}", known.join(", ")))
}

/// A document as JSON.
fn shown(document: &Document) -> Value {
    json!({
        "id": document.id.to_string(),
        "app": document.app.as_str(),
        "visibility": document.visibility.as_str(),
        "title": document.title,
        "name": document.name,
        "kind": document.kind,
        "bytes": document.bytes,
        "status": document.status.as_str(),
        "reason": document.reason,
        "warnings": document.warnings,
        "passages": document.passages,
        "embedding": document.embedding,
        "added_by": document.added_by,
        "created_at": document.created_at.rfc3339(),
    })
}

async fn list(store: &Store, app: &AppId, as_json: bool) -> anyhow::Result<()> {
    let mut page = PageRequest::first(PageRequest::MOST);
    let mut documents = Vec::new();
    loop {
        let piece = store.documents(app, Visibility::Staff, page).await.map_err(told)?;
        documents.extend(piece.items);
        match piece.next {
            Some(next) => page = PageRequest::parse(Some(PageRequest::MOST), Some(&next)).map_err(told)?,
            None => break,
        }
    }
    if as_json {
        return print_json(&json!(documents.iter().map(shown).collect::<Vec<_>>()));
    }
    let mut paper = Paper::standard();
    for document in &documents {
        let mark = match document.status {
            DocumentStatus::Ready => Mark::Good,
            DocumentStatus::Failed => Mark::Bad,
            DocumentStatus::Indexing => Mark::Nothing,
        };
        let say = format!("{}  {}", document.id, say(document));
        paper.entry(mark, &document.title, &say, "")?;
    }
    if documents.is_empty() {
        paper.line(&format!("{app} has no documents; `stoa docs add {app} PATH` adds some."))?;
    }
    Ok(())
}

/// How a document stands, in words.
fn say(document: &Document) -> String {
    let staff = if document.visibility == Visibility::Staff { ", for the staff" } else { "" };
    match (document.status, &document.reason) {
        (DocumentStatus::Failed, Some(reason)) => format!("failed: {reason}"),
        (DocumentStatus::Failed, None) => "failed".to_owned(),
        (DocumentStatus::Indexing, _) => "is being read".to_owned(),
        (DocumentStatus::Ready, _) => {
            let (count, kind) = (document.passages, &document.kind);
            let passages = if count == 1 { "passage" } else { "passages" };
            format!("{kind}, {count} {passages}{staff}")
        }
    }
}

async fn search(
    library: &Library,
    app: &AppId,
    query: &str,
    limit: usize,
    sees: Visibility,
    as_json: bool,
) -> anyhow::Result<()> {
    library.refresh().await.map_err(told)?;
    let found = library.search(app, sees, query, limit).await.map_err(told)?;
    if as_json {
        let rows = found.iter().map(|one| {
            json!({
                "document_id": one.document_id.to_string(),
                "passage_id": one.passage_id.to_string(),
                "title": one.title,
                "heading_path": one.heading_path,
                "page": one.page,
                "text": one.text,
                "score": one.score,
                "confidence": one.confidence,
            })
        });
        return print_json(&json!(rows.collect::<Vec<_>>()));
    }
    let mut paper = Paper::standard();
    for one in &found {
        let sure = one.confidence >= apps::SUPPORTED;
        let mark = if sure { Mark::Good } else { Mark::Nothing };
        let page = one.page.map_or(String::new(), |page| format!(", page {page}"));
        let path = one.heading_path.join(" > ");
        paper.entry(mark, &one.title, &format!("{path}{page} (confidence {:.2})", one.confidence), "")?;
        let text: String =
            one.text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect();
        paper.line(&format!("    {text}"))?;
    }
    if found.is_empty() {
        paper.line("Nothing in the documents has words of this question.")?;
    }
    Ok(())
}
