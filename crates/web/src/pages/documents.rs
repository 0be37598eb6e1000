//! The documents of an app as pages: who manages the app adds, removes and tries questions, everybody else reads those
//! for everyone; a citation opens a document at the sentence that it quotes.

use std::ops::Range;

use apps::{Adder, Document, DocumentStatus, Found, Offered, OpenAt, Passage};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use identity::{DocumentsManage, DocumentsRead, May};
use kernel::{Code, DocumentId, Fault, Kind, PassageId, Visibility};

use super::account::piece;
use super::app::{manages, service, shell};
use super::desk::hundredths;
use super::form::{Fields, onward, page, refused, sentence};
use super::person::Person;
use crate::Site;
use crate::api::documents::incoming;
use crate::body::Path;
use crate::failure::{Outcome, status};
use crate::texts::{key, say};
use crate::ui::beside::place_url;
use crate::ui::documents::{
    Cited, DocumentPage, DocumentView, DocumentsPage, FoundView, PassageView, RemovePage, SearchView, pieces,
};
use crate::ui::form::FormView;
use crate::ui::frame::encode;
use crate::ui::html;
use crate::ui::pieces::{DropZone, Empty, FilterTab};

/// The pages of documents.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/apps/{app}/documents", get(list).post(add))
        .route("/apps/{app}/documents/text", post(write))
        .route("/apps/{app}/documents/{id}", get(one))
        .route("/apps/{app}/documents/{id}/remove", post(remove))
}

/// Passages that a question shows.
const FOUND: usize = 5;
/// Files that the drop zone takes at once.
const AT_ONCE: u32 = 500;
/// The longest place in a document that a citation names, in bytes.
const LONGEST_QUOTE: u64 = 100_000;
/// The endings of what can be read.
const ENDINGS: [&str; 7] = [".pdf", ".docx", ".html", ".htm", ".md", ".txt", ".csv"];

/// What a page of documents shows beside the list.
#[derive(Default)]
struct Around {
    form: FormView,
    writing: bool,
    added: Vec<(String, String, bool)>,
}

async fn list(State(site): State<Site>, person: Person, Path(app): Path<String>) -> Outcome<Response> {
    let app = service(&site, &app)?;
    // A question without an answer leads here with its words as the title.
    let title = person.asked("title");
    let writing = !title.is_empty();
    let short: String = title.chars().take(200).collect();
    let form = if writing { FormView::new().with("title", &short) } else { FormView::new() };
    let around = Around { form, writing, added: Vec::new() };
    show(&site, &person, &app, around, StatusCode::OK).await
}

async fn show(
    site: &Site,
    person: &Person,
    app: &apps::App,
    around: Around,
    code: StatusCode,
) -> Outcome<Response> {
    let may = person.may(site, DocumentsRead(app.id.clone()))?;
    let manages = manages(site, person, &app.id);
    let base = format!("/apps/{}/documents", app.id);
    let asked = person.asked("state");
    let status = [DocumentStatus::Ready, DocumentStatus::Indexing, DocumentStatus::Failed]
        .into_iter()
        .find(|status| manages && status.as_str() == asked);
    let counts = site.hall.count_documents(&may).await?;
    let found = site.hall.documents_of(&may, status, piece(person)?).await?;
    let search = search(site, &may, person.asked("q")).await?;
    let mut shell = shell(site, person, app, "documents").await;
    shell.done = done(&person.asked("done"));
    let chosen = status.map(DocumentStatus::as_str).unwrap_or_default();
    let next = found.next.map(|next| format!("{base}?state={chosen}&after={}", encode(&next)));
    let shown = DocumentsPage {
        shell,
        zone: manages.then(|| zone(site, &app.id.to_string(), &base)),
        form: around.form,
        writing: around.writing,
        tabs: tabs(&base, &counts, status, manages),
        documents: found.items.into_iter().map(view).collect(),
        next,
        empty: nothing(status, manages, &base),
        search,
        added: around.added,
    };
    Ok(page(code, html(&shown)?))
}

fn done(word: &str) -> Option<String> {
    let words = match word {
        "written" => key("The text is added. Customers are answered from it from now on."),
        "kept" => key("The text is added, for the staff only."),
        "removed" => key("Removed. Nothing is answered from it any more."),
        _ => return None,
    };
    Some(words.to_owned())
}

fn zone(site: &Site, app: &str, base: &str) -> DropZone {
    DropZone {
        id: "documents",
        title: key("Add documents").to_owned(),
        action: base.to_owned(),
        send: format!("/api/v1/apps/{app}/documents"),
        field: "file",
        carried: Vec::new(),
        accept: ENDINGS.to_vec(),
        most_bytes: site.hall.library().most_bytes(),
        most_files: AT_ONCE,
        link: format!("{base}/{{id}}"),
        fresh: "list",
    }
}

fn tabs(
    base: &str,
    counts: &[(DocumentStatus, u64)],
    here: Option<DocumentStatus>,
    manages: bool,
) -> Vec<FilterTab> {
    let of = |status| counts.iter().filter(|(one, _)| *one == status).map(|(_, count)| count).sum::<u64>();
    let tab = |status: Option<DocumentStatus>, name: &str, count| FilterTab {
        name: name.to_owned(),
        href: match status {
            Some(status) => format!("{base}?state={}#list", status.as_str()),
            None => format!("{base}#list"),
        },
        count: Some(count),
        current: status == here,
    };
    let all = tab(None, key("All"), counts.iter().map(|(_, count)| count).sum());
    if !manages {
        return vec![all];
    }
    let mut tabs = vec![
        all,
        tab(Some(DocumentStatus::Ready), key("Ready"), of(DocumentStatus::Ready)),
        tab(Some(DocumentStatus::Failed), key("Not readable"), of(DocumentStatus::Failed)),
    ];
    let reading = of(DocumentStatus::Indexing);
    if reading > 0 || here == Some(DocumentStatus::Indexing) {
        tabs.push(tab(Some(DocumentStatus::Indexing), key("Being read"), reading));
    }
    tabs
}

fn nothing(status: Option<DocumentStatus>, manages: bool, base: &str) -> Empty {
    let (icon, title, text, action) = match (status, manages) {
        (None, true) => (
            "file",
            key("No documents yet"),
            key(
                "Add the texts that hold the answers: help pages, terms, manuals. Until then customers are told that there is no answer.",
            ),
            Some(("#documents".to_owned(), key("Choose files").to_owned())),
        ),
        (None, false) => ("file", key("No documents yet"), key("Nothing is open to everyone here."), None),
        (Some(DocumentStatus::Failed), _) => (
            "check",
            key("Every file could be read"),
            key("What cannot be read is listed here with the reason."),
            None,
        ),
        (Some(_), _) => (
            "file",
            key("None of them"),
            key("No document is this far."),
            Some((base.to_owned(), key("Show all").to_owned())),
        ),
    };
    Empty { icon, title: title.to_owned(), text: text.to_owned(), action }
}

fn view(row: Document) -> DocumentView {
    let stem = row.name.rsplit_once('.').map_or(row.name.as_str(), |(stem, _)| stem);
    // A text that was written here is named after its title.
    let told = row.title == stem || row.title == row.name;
    DocumentView {
        id: row.id.to_string(),
        kind: kind(&row.kind),
        name: if told { String::new() } else { row.name.clone() },
        bytes: row.bytes,
        passages: row.passages,
        status: row.status.as_str(),
        reason: row.reason.as_deref().map(sentence).unwrap_or_default(),
        warnings: row.warnings.iter().map(|warning| sentence(warning)).collect(),
        staff: row.visibility == Visibility::Staff,
        at: row.created_at,
        title: if row.title.is_empty() { row.name } else { row.title },
    }
}

/// What a document is, as people call it.
fn kind(word: &str) -> &'static str {
    match word {
        "pdf" => "PDF",
        "docx" => "Word",
        "html" => "HTML",
        "markdown" => "Markdown",
        "csv" => "CSV",
        "text" => key("Text"),
        _ => "",
    }
}

async fn search(site: &Site, may: &May<DocumentsRead>, query: String) -> Outcome<Option<SearchView>> {
    if query.is_empty() {
        return Ok(None);
    }
    let (problem, found) = match site.hall.search(may, &query, FOUND).await {
        Ok(found) => (String::new(), found),
        Err(fault) if matches!(fault.code(), Code::InvalidInput | Code::Unavailable) => {
            let words = fault.fields().first().map_or(fault.message(), |field| &field.detail);
            (sentence(words), Vec::new())
        }
        Err(fault) => return Err(fault.into()),
    };
    let found = found.into_iter().map(|found| found_view(may, &query, found)).collect();
    Ok(Some(SearchView { query, problem, found }))
}

fn found_view(may: &May<DocumentsRead>, query: &str, found: Found) -> FoundView {
    let headings: Vec<&str> =
        found.heading_path.iter().map(String::as_str).filter(|heading| *heading != found.title).collect();
    FoundView {
        href: place_url(&may.what().0, found.document_id.uuid(), found.passage_id.uuid(), None),
        headings: headings.join(" › "),
        page: found.page,
        text: pieces(&found.text, &apps::meant(query, &found.text)),
        confidence: hundredths(found.confidence),
        supported: found.confidence >= apps::SUPPORTED,
        title: found.title,
    }
}

/// Files of the plain form: what became of each is said on the page.
async fn add(
    State(site): State<Site>,
    person: Person,
    Path(app): Path<String>,
    request: Request,
) -> Outcome<Response> {
    let app = service(&site, &app)?;
    let may = person.may(&site, DocumentsManage(app.id.clone()))?;
    let _place = site.hall.library().take().await?;
    let new = match incoming::files(&site, request).await {
        Ok(new) => new,
        Err(failure) => {
            let fault = &failure.0;
            if !matches!(fault.kind(), Kind::Invalid | Kind::Refused | Kind::TooLarge | Kind::Unsupported) {
                return Err(failure);
            }
            let words = sentence(fault.fields().first().map_or(fault.message(), |field| &field.detail));
            let code = status(fault.code());
            let added = vec![(say("Nothing was added.").to_string(), words, false)];
            return show(&site, &person, &app, Around { added, ..Around::default() }, code).await;
        }
    };
    let mut added = Vec::new();
    let mut code = StatusCode::CREATED;
    // A browser sends an empty part where no file was chosen.
    for one in new.into_iter().filter(|one| !(one.name.is_empty() && one.bytes.is_empty())) {
        let name = one.name.clone();
        let (words, there) = match site.hall.offer_document(&may, one).await {
            Ok(Offered::Known(_)) => (say("is here already.").to_string(), true),
            Ok(Offered::Added(row)) if row.status == DocumentStatus::Failed => {
                (row.reason.as_deref().map(sentence).unwrap_or_default(), false)
            }
            Ok(Offered::Added(row)) => {
                (say("is added: {facts}.").with("facts", view(*row).facts()).to_string(), true)
            }
            Err(fault) if matches!(fault.code(), Code::Conflict | Code::TooLarge | Code::InvalidInput) => {
                (sentence(fault.message()), false)
            }
            Err(fault) => return Err(fault.into()),
        };
        added.push((name, words, there));
    }
    if added.is_empty() {
        code = StatusCode::BAD_REQUEST;
        added.push((
            say("Nothing was added.").to_string(),
            say("Choose at least one file.").to_string(),
            false,
        ));
    }
    show(&site, &person, &app, Around { added, ..Around::default() }, code).await
}

/// A text that was written or pasted.
async fn write(
    State(site): State<Site>,
    person: Person,
    Path(app): Path<String>,
    fields: Fields,
) -> Outcome<Response> {
    let app = service(&site, &app)?;
    let may = person.may(&site, DocumentsManage(app.id.clone()))?;
    let outcome = match typed(&fields) {
        Ok(new) => site.hall.offer_document(&may, new).await,
        Err(fault) => Err(fault),
    };
    let (code, form) = match outcome {
        Ok(Offered::Known(_)) => {
            (StatusCode::CONFLICT, fields.view().wrong("text", key("This very text is here already.")))
        }
        Ok(Offered::Added(row)) if row.status == DocumentStatus::Failed => {
            let words = row.reason.as_deref().map(sentence).unwrap_or_default();
            (StatusCode::UNPROCESSABLE_ENTITY, fields.view().wrong("text", &words))
        }
        Ok(Offered::Added(row)) => {
            let done = if row.visibility == Visibility::Staff { "kept" } else { "written" };
            return Ok(onward(&format!("/apps/{}/documents?done={done}", app.id)));
        }
        Err(fault) => refused(fields.view(), fault)?,
    };
    show(&site, &person, &app, Around { form, writing: true, added: Vec::new() }, code).await
}

fn typed(fields: &Fields) -> Result<Adder, Fault> {
    let visibility = match fields.text("visibility") {
        "" => Visibility::Everyone,
        word => Visibility::parse(word)?,
    };
    incoming::text(fields.text("title").to_owned(), fields.text("text").to_owned(), visibility)
}

async fn one(
    State(site): State<Site>,
    person: Person,
    Path((app, id)): Path<(String, String)>,
) -> Outcome<Response> {
    let app = service(&site, &app)?;
    let may = person.may(&site, DocumentsRead(app.id.clone()))?;
    let id = DocumentId::parse(&id)?;
    let named = PassageId::parse(&person.asked("passage")).ok();
    let quote = quote(&person.asked("quote"));
    let at = match named {
        Some(passage) => OpenAt::Passage(passage),
        None => OpenAt::Sheet(person.asked("part").parse::<u32>().unwrap_or(1).saturating_sub(1)),
    };
    let opened = site.hall.open_document(&may, id, at).await?;
    let passages = passages(&opened.passages, named, quote.as_ref());
    let here = passages.iter().any(|one| if quote.is_some() { one.quoted } else { one.named });
    let cited = match (named, here) {
        (None, _) => Cited::No,
        (Some(_), true) => Cited::Here,
        (Some(_), false) => Cited::Gone,
    };
    let shown = DocumentPage {
        shell: shell(&site, &person, &app, "documents").await,
        document: view(opened.document),
        passages,
        sheet: (opened.sheet + 1, opened.sheets),
        manages: manages(&site, &person, &app.id),
        cited,
    };
    Ok(page(StatusCode::OK, html(&shown)?))
}

/// A place in the text of a document: `start-end`, in bytes.
fn quote(text: &str) -> Option<Range<u64>> {
    let (start, end) = text.split_once('-')?;
    let quote = start.parse::<u64>().ok()?..end.parse::<u64>().ok()?;
    (quote.start < quote.end && quote.end - quote.start <= LONGEST_QUOTE).then_some(quote)
}

fn passages(rows: &[Passage], named: Option<PassageId>, quote: Option<&Range<u64>>) -> Vec<PassageView> {
    let mut seen: (&[String], Option<u32>) = (&[], None);
    let mut begun = false;
    rows.iter()
        .map(|row| {
            let mark = quote.and_then(|quote| part(row, quote));
            let text = pieces(&row.text, mark.as_slice());
            let marked = text.iter().any(|(_, marked)| *marked);
            let quoted = marked && !begun;
            begun |= marked;
            // The title stands above all of them.
            let above = row.headings.iter().filter(|heading| **heading != row.title);
            let headings =
                if seen.0 == row.headings.as_slice() { Vec::new() } else { above.cloned().collect() };
            let page = row.page.filter(|_| seen.1 != row.page);
            seen = (&row.headings, row.page);
            PassageView { id: row.id.to_string(), headings, page, text, quoted, named: Some(row.id) == named }
        })
        .collect()
}

/// The part of a quote that stands in this passage, in bytes of it.
fn part(row: &Passage, quote: &Range<u64>) -> Option<Range<usize>> {
    let (start, end) = (quote.start.max(row.span.0), quote.end.min(row.span.1));
    let place = |byte: u64| usize::try_from(byte.checked_sub(row.span.0)?).ok();
    let range = place(start)?..place(end)?;
    (start < end && row.text.get(range.clone()).is_some()).then_some(range)
}

async fn remove(
    State(site): State<Site>,
    person: Person,
    Path((app, id)): Path<(String, String)>,
    fields: Fields,
) -> Outcome<Response> {
    let app = service(&site, &app)?;
    let may = person.may(&site, DocumentsManage(app.id.clone()))?;
    let id = DocumentId::parse(&id)?;
    if fields.text("sure") != "yes" {
        let read = person.may(&site, DocumentsRead(app.id.clone()))?;
        let document = view(site.hall.document(&read, id).await?);
        let shell = shell(&site, &person, &app, "documents").await;
        return Ok(page(StatusCode::OK, html(&RemovePage { shell, document })?));
    }
    site.hall.remove_document(&may, id).await?;
    Ok(onward(&format!("/apps/{}/documents?done=removed", app.id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(start: u64, text: &str) -> Passage {
        Passage {
            id: PassageId::from_uuid(uuid::Uuid::from_u128(u128::from(start))),
            document: DocumentId::from_uuid(uuid::Uuid::nil()),
            title: String::new(),
            position: 0,
            headings: vec!["Returns".to_owned()],
            span: (start, start + text.len() as u64),
            page: Some(1),
            text: text.to_owned(),
        }
    }

    #[test]
    fn places_are_read_from_whatever_comes() {
        assert_eq!(quote("3-9"), Some(3..9));
        for bad in ["", "9-3", "3-3", "-", "a-b", "-1-4", "0-18446744073709551615", "1-2-3"] {
            assert_eq!(quote(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_quote_is_marked_where_it_stands_and_once_as_the_place() {
        let rows = [passage(0, "First. Zw\u{f6}lf days."), passage(20, "Second.")];
        let shown = passages(&rows, Some(rows[0].id), Some(&(7..12)));
        assert!(shown[0].quoted && shown[0].named && !shown[1].quoted);
        assert!(shown[0].text.contains(&("Zw\u{f6}l".to_owned(), true)), "{:?}", shown[0].text);
        assert_eq!((shown[0].headings.len(), shown[1].headings.len(), shown[1].page), (1, 0, None));
        let both = passages(&rows, None, Some(&(7..24)));
        assert!(both[0].quoted && !both[1].quoted && both[1].text[0].1, "it goes on in the next passage");
        // In the middle of a letter, and behind the end.
        for bad in [7..10, 900..950] {
            assert!(passages(&rows, None, Some(&bad)).iter().all(|one| !one.quoted));
        }
    }
}
