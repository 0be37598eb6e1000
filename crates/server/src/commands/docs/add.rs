//! `stoa docs add`: files and folders, some at a time, with a bar at a terminal and a line for each.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use apps::{Document, DocumentStatus, Library, NewDocument, Offered};
use futures_util::StreamExt as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kernel::{AppId, Code, Visibility};
use serde_json::{Value, json};

use super::walk::{Met, walk};
use super::{OPERATOR, say, shown};
use crate::commands::data::told;
use crate::commands::paper::{Mark, Paper, print_json};

/// Files that are added at the same time.
const AT_ONCE: usize = 3;

/// What became of a file.
enum Fate {
    /// It is a document: found, or failed for a reason of its own.
    Added(Box<Document>),
    /// The app has its content already.
    Known(String),
    /// It lies in a folder and is of no kind that is read.
    Passed(String),
    /// It could not be taken.
    Refused(String),
}

impl Fate {
    fn is_failure(&self) -> bool {
        match self {
            Fate::Added(document) => document.status == DocumentStatus::Failed,
            Fate::Refused(_) => true,
            Fate::Known(_) | Fate::Passed(_) => false,
        }
    }

    fn mark(&self) -> Mark {
        match self {
            _ if self.is_failure() => Mark::Bad,
            Fate::Added(document) if !document.warnings.is_empty() => Mark::Attention,
            Fate::Added(_) => Mark::Good,
            Fate::Known(_) | Fate::Passed(_) | Fate::Refused(_) => Mark::Nothing,
        }
    }

    fn words(&self) -> String {
        match self {
            Fate::Added(document) => {
                let warnings: String =
                    document.warnings.iter().map(|warning| format!(" {warning}")).collect();
                format!("{}.{warnings}", say(document).trim_end_matches('.'))
            }
            Fate::Known(say) | Fate::Passed(say) | Fate::Refused(say) => say.clone(),
        }
    }

    fn json(&self, path: &str) -> Value {
        match self {
            Fate::Added(document) => {
                json!({ "path": path, "outcome": document.status.as_str(), "document": shown(document) })
            }
            Fate::Known(say) => json!({ "path": path, "outcome": "known", "detail": say }),
            Fate::Passed(say) => json!({ "path": path, "outcome": "skipped", "detail": say }),
            Fate::Refused(say) => json!({ "path": path, "outcome": "refused", "detail": say }),
        }
    }
}

/// Adds what lies at these paths. `false`: something could not be added.
pub(super) async fn add(
    library: &Library,
    app: &AppId,
    paths: &[PathBuf],
    visibility: Visibility,
    as_json: bool,
) -> anyhow::Result<bool> {
    let met = walk(paths);
    let bar = bar(met.len(), as_json);
    let mut paper = Paper::standard();
    let mut rows = Vec::new();
    let mut counts = [0_usize; 3];
    let mut work = futures_util::stream::iter(met)
        .map(|met| async {
            let path = met.path.display().to_string();
            (path, one(library, app, met, visibility).await)
        })
        .buffered(AT_ONCE);
    while let Some((path, fate)) = work.next().await {
        let fate = fate?;
        let kind = match &fate {
            fate if fate.is_failure() => 2,
            Fate::Added(_) => 0,
            _ => 1,
        };
        if let Some(count) = counts.get_mut(kind) {
            *count += 1;
        }
        if as_json {
            rows.push(fate.json(&path));
        } else {
            bar.suspend(|| paper.entry(fate.mark(), &format!("{path} "), &fate.words(), ""))?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let [added, passed, failed] = counts;
    if as_json {
        print_json(
            &json!({ "app": app.as_str(), "added": added, "passed": passed, "failed": failed, "files": rows }),
        )?;
    } else {
        let found = if added > 0 { "; running servers find them within a second" } else { "" };
        paper.line(&format!("{added} added, {passed} passed over, {failed} failed{found}."))?;
    }
    Ok(failed == 0)
}

async fn one(library: &Library, app: &AppId, met: Met, visibility: Visibility) -> anyhow::Result<Fate> {
    if let Some(hindrance) = met.hindrance {
        return Ok(Fate::Refused(hindrance));
    }
    let most = library.most_bytes();
    let unread = || Fate::Refused("The file cannot be opened.".to_owned());
    let Ok(about) = tokio::fs::metadata(&met.path).await else { return Ok(unread()) };
    if about.len() > most {
        return Ok(Fate::Refused(format!("The file is larger than {} MiB.", most >> 20)));
    }
    let Ok(bytes) = tokio::fs::read(&met.path).await else { return Ok(unread()) };
    let name = met.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    // A folder holds pictures and programs beside documents: they are no failures.
    if !met.named
        && let Err(reason) = knowledge::extract::recognise(&bytes, &name)
    {
        return Ok(Fate::Passed(reason.sentence));
    }
    let new = NewDocument { app: app.clone(), visibility, name, title: None, bytes };
    match library.offer(new, OPERATOR).await {
        Ok(Offered::Added(document)) => Ok(Fate::Added(document)),
        Ok(Offered::Known(id)) => Ok(Fate::Known(format!("It is there already: {id}."))),
        // The app is full, or the file grew meanwhile.
        Err(fault) if matches!(fault.code(), Code::Conflict | Code::TooLarge) => {
            Ok(Fate::Refused(fault.to_string()))
        }
        Err(fault) => Err(told(fault)),
    }
}

fn bar(count: usize, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(count as u64), ProgressDrawTarget::stderr());
    // The text is a constant: should it ever be wrong, the plain bar serves as well.
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} files, {eta} left") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
