//! The pages of the file store: one's files, the trash, and the ways between them. Every change leads on with a GET
//! that says what was done and, where that is possible, takes it back.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use identity::{FilesDelete, FilesRead, FilesWrite};
use kernel::id::{BatchId, FileId};
use kernel::{AppId, Code, Fault, Kind, PageRequest, Time};

use super::form::{Fields, onward, page, sentence};
use super::frame;
use super::person::Person;
use crate::Site;
use crate::body::Path;
use crate::failure::{Outcome, status};
use crate::multipart::Multipart;
use crate::texts::{count, key, say};
use crate::ui::files::{Around, FileLine, FilesPage, Notice, Room, SurePage, TrashPage, kind};
use crate::ui::frame::{encode, size};
use crate::ui::html;
use crate::ui::pieces::{DropZone, Empty, FilterTab};

/// Files that one page lists.
const LISTED: u32 = 50;
/// Files that one plain form brings; the same as the API's.
const AT_ONCE: u32 = 20;
/// The longest value of a field that is no file.
const FIELD: usize = 4 * 1024;

/// The pages of the file store.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/files", get(list).post(upload))
        .route("/files/trash", get(trash))
        .route("/files/{id}/restore", post(restore))
        .route("/files/batches/{id}/restore", post(restore_batch))
}

/// What throws files away.
pub(super) fn deletions() -> Router<Site> {
    Router::new()
        .route("/files/delete", post(delete))
        .route("/files/destroy", post(destroy))
        .route("/files/trash/empty", post(empty_trash))
}

/// The file store that the person enters.
pub(super) fn store(site: &Site, person: &Person) -> Outcome<AppId> {
    Ok(site.hall.file_app(&person.who.principal, None)?)
}

/// Which of the pages is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    /// The files.
    Files,
    /// The trash.
    Trash,
    /// What can go.
    Declutter,
    /// A question in between: no tabs lead away from it.
    None,
}

/// What stands on every page, and what the person has.
pub(super) async fn around(site: &Site, person: &Person, tab: Tab) -> Outcome<(Around, apps::Usage)> {
    let app = store(site, person)?;
    let usage = site.hall.file_usage(&person.may(site, FilesRead(app.clone()))?).await?;
    let one = |name: &str, href: &str, count, this| FilterTab {
        name: name.to_owned(),
        href: href.to_owned(),
        count,
        current: this == tab,
    };
    let tabs = match tab {
        Tab::None => Vec::new(),
        _ => vec![
            one(key("Files"), "/files", Some(usage.has.files), Tab::Files),
            one(key("Trash"), "/files/trash", Some(usage.has.trashed), Tab::Trash),
            one(key("What can go"), "/files/declutter", None, Tab::Declutter),
        ],
    };
    let principal = &person.who.principal;
    let around = Around {
        frame: frame(site, Some(&person.who), "/files").await,
        tabs,
        done: notice(person),
        failed: None,
        writes: site.identity.may(principal, FilesWrite(app.clone())).is_ok(),
        deletes: site.identity.may(principal, FilesDelete(app)).is_ok(),
    };
    Ok((around, usage))
}

/// What the query of a redirect says was done. Numbers and ids are all that is taken from it.
fn notice(person: &Person) -> Option<Notice> {
    let number: u64 = person.asked("n").parse().unwrap_or_default();
    let files = |words| count(words, number);
    let plain = |text: String| Some(Notice { text, undo: String::new(), fields: Vec::new() });
    match person.asked("done").as_str() {
        "stored" => plain(match person.asked("same").parse().unwrap_or(0_u64) {
            0 => files("{count} file is stored.|{count} files are stored.").to_string(),
            1 if number == 1 => {
                say("1 file is stored. Its content was there already and takes no more room.").to_string()
            }
            same => files("{count} file is stored. What was there already takes no more room: {same}.|{count} files are stored. What was there already takes no more room: {same}.")
                .with("same", same)
                .to_string(),
        }),
        "trashed" => {
            let batch = BatchId::parse(&person.asked("batch")).ok();
            Some(Notice {
                text: files("{count} file is in the trash.|{count} files are in the trash.").to_string(),
                undo: batch.map(|batch| format!("/files/batches/{batch}/restore")).unwrap_or_default(),
                fields: Vec::new(),
            })
        }
        "restored" => plain(
            files("{count} file is back where it was before.|{count} files are back where they were before.").to_string(),
        ),
        "destroyed" => plain(
            files("{count} file is gone for good; {size} of room is free.|{count} files are gone for good; {size} of room is free.")
                .with("size", size(person.asked("freed").parse().unwrap_or(0)))
                .to_string(),
        ),
        "more" => plain(
            files("{count} file is gone for good, and there are more. Empty the trash again.|{count} files are gone for good, and there are more. Empty the trash again.")
                .to_string(),
        ),
        "ignored" => {
            let fields: Vec<(&'static str, String)> = person
                .asked("ids")
                .split('.')
                .filter_map(|id| FileId::parse(id).ok())
                .map(|id| ("id", id.to_string()))
                .collect();
            let undo = if fields.len() > 1 { "/files/declutter/ignore" } else { "" };
            let fields = if undo.is_empty() {
                Vec::new()
            } else {
                [fields, vec![("undo", "yes".to_owned())]].concat()
            };
            Some(Notice {
                text: say("Noted: these belong beside each other, and are not suggested again.").to_string(),
                undo: undo.to_owned(),
                fields,
            })
        }
        "unignored" => plain(say("Taken back: they may be suggested again.").to_string()),
        _ => None,
    }
}

/// A refusal that is told on the page the person came from; anything else goes on its way.
pub(super) fn told(fault: Fault) -> Outcome<(StatusCode, String)> {
    let known = matches!(fault.kind(), Kind::Invalid | Kind::Refused | Kind::Conflict | Kind::Limited)
        || matches!(fault.code(), Code::TooLarge | Code::UnsupportedType | Code::QuotaExceeded);
    if !known || matches!(fault.code(), Code::NotFound | Code::Csrf | Code::HttpsRequired) {
        return Err(fault.into());
    }
    let words =
        fault.fields().first().map_or_else(|| fault.message().to_owned(), |field| field.detail.to_string());
    Ok((status(fault.code()), sentence(&words)))
}

/// A file as a line of a list.
pub(super) fn line(file: apps::File, trash: std::time::Duration) -> FileLine {
    FileLine {
        id: file.id.to_string(),
        kind: kind(&file.media_type),
        bytes: file.size,
        at: file.trashed_at.unwrap_or(file.created_at),
        goes: file.trashed_at.map(|at| at + trash),
        batch: None,
        name: file.name,
        folder: file.folder,
    }
}

/// The ids that a form ticks; a folder's come with commas between.
pub(super) fn ticked(fields: &Fields, name: &str) -> Result<Vec<FileId>, Fault> {
    let words = fields.all(name).into_iter().flat_map(|value| value.split(','));
    words.filter(|word| !word.is_empty()).map(FileId::parse).collect()
}

async fn list(State(site): State<Site>, person: Person) -> Outcome<Response> {
    show(&site, &person, None, StatusCode::OK).await
}

async fn show(site: &Site, person: &Person, failed: Option<String>, code: StatusCode) -> Outcome<Response> {
    let (mut around, usage) = around(site, person, Tab::Files).await?;
    around.failed = failed;
    let may = person.may(site, FilesRead(store(site, person)?))?;
    let (q, after) = (person.asked("q"), person.asked("after"));
    let wanted = Some(q.clone()).filter(|q| !q.is_empty());
    let request = PageRequest::parse(Some(LISTED), Some(after.as_str()))?;
    let found = site.hall.files(&may, false, wanted, request).await?;
    let next = found.next.map(|next| format!("/files?after={}&q={}", encode(&next), encode(&q)));
    let empty = if !q.is_empty() {
        Empty {
            icon: "search",
            title: key("No file has that in its name").to_owned(),
            text: key("Names are searched, not what is in the files.").to_owned(),
            action: Some(("/files".to_owned(), key("All files").to_owned())),
        }
    } else {
        Empty {
            icon: "files",
            title: if after.is_empty() { key("No files yet") } else { key("Nothing further") }.to_owned(),
            text:
                key("What you store here is yours alone, sealed where it lies, and kept once however often you have it.")
                    .to_owned(),
            action: around.writes.then(|| ("#files".to_owned(), key("Choose files").to_owned())),
        }
    };
    let shown = FilesPage {
        zone: zone(&usage),
        room: Room {
            logical: usage.has.bytes,
            physical: usage.has.stored_bytes,
            trashed: usage.has.trashed_bytes,
            quota: usage.quota,
        },
        files: found.items.into_iter().map(|file| line(file, usage.trash)).collect(),
        later: !after.is_empty(),
        around,
        q,
        empty,
        next,
    };
    Ok(page(code, html(&shown)?))
}

fn zone(usage: &apps::Usage) -> DropZone {
    DropZone {
        id: "files",
        title: key("Add files").to_owned(),
        action: "/files".to_owned(),
        send: "/api/v1/files".to_owned(),
        field: "file",
        // Filled in for each file by the script.
        carried: vec![("folder".to_owned(), String::new()), ("modified_at".to_owned(), String::new())],
        accept: Vec::new(),
        most_bytes: usage.most,
        most_files: 500,
        link: "/api/v1/files/{id}/content".to_owned(),
        fresh: "tabs quota list",
    }
}

/// Files from a plain form, for whoever has no scripts.
async fn upload(State(site): State<Site>, person: Person, request: Request) -> Outcome<Response> {
    let may = person.may(&site, FilesWrite(store(&site, &person)?))?;
    let announced =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let form = Multipart::of(request)?;
    let stored = async {
        let mut upload = site.hall.begin_upload(&may, announced).await?;
        receive(form, &mut upload).await?;
        if upload.is_empty() {
            return Err(Fault::invalid(
                "file",
                "missing",
                format!("choose at least one file, and at most {AT_ONCE}"),
            ));
        }
        upload.keep().await
    };
    match Box::pin(stored).await {
        Ok(stored) => {
            let same = stored.iter().filter(|one| !one.twins.is_empty()).count();
            Ok(onward(&format!("/files?done=stored&n={}&same={same}", stored.len())))
        }
        Err(fault) => {
            let (code, words) = told(fault)?;
            show(&site, &person, Some(format!("{words} {}", say("Nothing was stored."))), code).await
        }
    }
}

async fn receive(mut form: Multipart, upload: &mut apps::Upload) -> Result<(), Fault> {
    let (mut folder, mut changed) = (String::new(), None);
    while let Some(part) = form.next().await? {
        match (part.filename, part.name.as_str()) {
            // A field of files without one is sent as one without a name.
            (Some(name), _) if name.is_empty() => while form.chunk().await?.is_some() {},
            (Some(name), _) => {
                upload.begin(&name, &folder, changed.take()).await?;
                while let Some(piece) = form.chunk().await? {
                    upload.write(&piece).await?;
                }
                upload.end().await?;
            }
            (None, "folder") => folder = form.text("folder", FIELD).await?,
            (None, "modified_at") => {
                changed = Time::parse_rfc3339(form.text("modified_at", FIELD).await?.trim())
            }
            // What else a form of ours holds is none of a file's business.
            (None, _) => while form.chunk().await?.is_some() {},
        }
    }
    Ok(())
}

async fn trash(State(site): State<Site>, person: Person) -> Outcome<Response> {
    show_trash(&site, &person, None, StatusCode::OK).await
}

async fn show_trash(
    site: &Site,
    person: &Person,
    failed: Option<String>,
    code: StatusCode,
) -> Outcome<Response> {
    let (mut around, usage) = around(site, person, Tab::Trash).await?;
    around.failed = failed;
    let may = person.may(site, FilesRead(store(site, person)?))?;
    let request = PageRequest::parse(Some(LISTED), Some(person.asked("after").as_str()))?;
    let found = site.hall.files(&may, true, None, request).await?;
    let shown = TrashPage {
        around,
        files: together(found.items, usage.trash),
        empty: Empty {
            icon: "trash",
            title: key("The trash is empty").to_owned(),
            text: key("What you throw away waits here before it goes for good.").to_owned(),
            action: None,
        },
        next: found.next.map(|next| format!("/files/trash?after={}", encode(&next))),
        all: (usage.has.trashed, usage.has.trashed_bytes),
        days: usage.trash.as_secs() / 86_400,
    };
    Ok(page(code, html(&shown)?))
}

/// The lines of the trash; the first of each batch can bring back all of it.
fn together(files: Vec<apps::File>, trash: std::time::Duration) -> Vec<FileLine> {
    let batches: Vec<Option<BatchId>> = files.iter().map(|file| file.batch).collect();
    let lines = files.into_iter().enumerate().map(|(at, file)| {
        let batch = file.batch.filter(|_| !batches.iter().take(at).any(|earlier| *earlier == file.batch));
        let several = batches.iter().filter(|one| one.is_some() && **one == batch).count();
        let batch = batch.filter(|_| several > 1).map(|batch| (batch.to_string(), several));
        FileLine { batch, ..line(file, trash) }
    });
    lines.collect()
}

async fn restore(State(site): State<Site>, person: Person, Path(id): Path<String>) -> Outcome<Response> {
    let may = person.may(&site, FilesWrite(store(&site, &person)?))?;
    match site.hall.restore_file(&may, FileId::parse(&id)?).await {
        Ok(_) => Ok(onward("/files/trash?done=restored&n=1")),
        Err(fault) => {
            let (code, words) = told(fault)?;
            show_trash(&site, &person, Some(words), code).await
        }
    }
}

async fn restore_batch(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
) -> Outcome<Response> {
    let may = person.may(&site, FilesWrite(store(&site, &person)?))?;
    match site.hall.restore_batch(&may, BatchId::parse(&id)?).await {
        Ok(files) => Ok(onward(&format!("/files?done=restored&n={}", files.len()))),
        Err(fault) => {
            let (code, words) = told(fault)?;
            show_trash(&site, &person, Some(words), code).await
        }
    }
}

async fn delete(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    let may = person.may(&site, FilesDelete(store(&site, &person)?))?;
    let removed = match ticked(&fields, "id") {
        Ok(ids) => site.hall.delete_files(&may, &ids, false).await,
        Err(fault) => Err(fault),
    };
    match removed {
        Ok(apps::Removed::Trashed(batch, files)) => {
            let moved = files.iter().filter(|file| !file.already).count();
            Ok(onward(&format!("/files?done=trashed&n={moved}&batch={batch}")))
        }
        Ok(apps::Removed::Destroyed(_)) => Ok(onward("/files")),
        Err(fault) => {
            let (code, words) = told(fault)?;
            show(&site, &person, Some(words), code).await
        }
    }
}

/// What goes for good is asked for twice: by the dialog of the page, or by a page of its own.
async fn destroy(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    let may = person.may(&site, FilesDelete(store(&site, &person)?))?;
    let ids = match ticked(&fields, "id") {
        Ok(ids) if ids.is_empty() => Err(Fault::invalid("id", "missing", key("tick at least one file"))),
        other => other,
    };
    let ids = match ids {
        Ok(ids) => ids,
        Err(fault) => {
            let (code, words) = told(fault)?;
            return show_trash(&site, &person, Some(words), code).await;
        }
    };
    if fields.text("sure") != "yes" {
        let shown = SurePage {
            around: around(&site, &person, Tab::None).await?.0,
            title: count("Delete {count} file for ever?|Delete {count} files for ever?", ids.len() as u64)
                .to_string(),
            text: key("Nobody can bring them back.").to_owned(),
            action: "/files/destroy",
            ids: ids.iter().map(ToString::to_string).collect(),
            label: key("Delete for ever"),
        };
        return Ok(page(StatusCode::OK, html(&shown)?));
    }
    match site.hall.delete_files(&may, &ids, true).await {
        Ok(apps::Removed::Destroyed(gone)) => {
            let freed: u64 = gone.iter().filter(|file| file.blob.is_some()).map(|file| file.size).sum();
            Ok(onward(&format!("/files/trash?done=destroyed&n={}&freed={freed}", gone.len())))
        }
        Ok(apps::Removed::Trashed(..)) => Ok(onward("/files/trash")),
        Err(fault) => {
            let (code, words) = told(fault)?;
            show_trash(&site, &person, Some(words), code).await
        }
    }
}

async fn empty_trash(State(site): State<Site>, person: Person, fields: Fields) -> Outcome<Response> {
    let may = person.may(&site, FilesDelete(store(&site, &person)?))?;
    if fields.text("sure") != "yes" {
        let (around, usage) = around(&site, &person, Tab::None).await?;
        let (files, bytes) = (usage.has.trashed, usage.has.trashed_bytes);
        let shown = SurePage {
            around,
            title: key("Empty the trash?").to_owned(),
            text: count("{count} file goes for good, {size} together. Nobody can bring it back.|{count} files go for good, {size} together. Nobody can bring them back.", files).with("size", size(bytes)).to_string(),
            action: "/files/trash/empty",
            ids: Vec::new(),
            label: key("Delete for ever"),
        };
        return Ok(page(StatusCode::OK, html(&shown)?));
    }
    let apps::Emptied { files, freed, more, .. } = site.hall.empty_trash(&may).await?;
    let done = if more { "more" } else { "destroyed" };
    Ok(onward(&format!("/files/trash?done={done}&n={files}&freed={freed}")))
}
