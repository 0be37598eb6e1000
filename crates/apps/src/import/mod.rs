//! Conversations from elsewhere: an export of ChatGPT or Open WebUI, or our own, read while it comes and taken in one
//! conversation at a time. What cannot be taken is told of and never costs the others; what is here already stays as it is.

mod shape;
#[cfg(test)]
mod shape_tests;
mod split;
mod tree;
mod unzip;

use std::collections::HashSet;

use identity::{ConversationImport, Converse, May};
use kernel::{AppId, AuditEvent, Code, ConversationId, EventType, Fault, Result, Subject, Time};
use parking_lot::Mutex;
use serde_json::Value;
use store::{ImportedConversation, Message, Role};

use crate::turn::title;
use crate::{App, Hall, kind};
use shape::Foreign;
use split::{Element, Splitter};
use unzip::{Piece, Unzip};

/// Conversations of one export at the most.
const CONVERSATIONS: u64 = 50_000;
/// Bytes of an export as it comes.
const BYTES: u64 = 1 << 30;
/// Conversations that are named with what is wrong with them.
const NAMED: usize = 100;
/// Imports that run at the same time in this process.
const TOGETHER: usize = 4;

/// Who is bringing something in right now.
#[derive(Default)]
pub(crate) struct Bringing(Mutex<HashSet<Subject>>);

/// What came in and what did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Conversations that were taken in.
    pub imported: u64,
    /// Those that had been here already.
    pub present: u64,
    /// Those that could not be taken.
    pub refused: u64,
    /// Messages that were taken in.
    pub messages: u64,
    /// Messages of tools and systems that were not.
    pub left_out: u64,
    /// Files that were not.
    pub files_left_out: u64,
    /// What is wrong with those that could not be taken; the first hundred of them.
    pub problems: Vec<ImportProblem>,
}

/// A conversation that could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportProblem {
    /// Which of the export it is, counted from 1.
    pub number: u64,
    /// What it is called, where that can be read.
    pub title: Option<String>,
    /// Why.
    pub detail: String,
}

/// An export on its way in. Dropped, it leaves what was taken in so far.
pub struct Import {
    hall: Hall,
    owner: Subject,
    address: AuditEvent,
    app: App,
    feed: Option<Feed>,
    bytes: u64,
    number: u64,
    report: ImportReport,
}

/// What the bytes are.
enum Feed {
    /// Not known yet.
    Fresh(Vec<u8>),
    Json(Splitter),
    Zip(Box<Unzip>, Splitter, u64),
    /// What came was read up to here; what follows cannot be.
    Damaged,
}

impl Drop for Import {
    fn drop(&mut self) {
        self.hall.bringing.0.lock().remove(&self.owner);
    }
}

impl Hall {
    /// Begins to take an export into an app. `conflict` while another of the same caller is coming in.
    pub fn begin_import(&self, may: &May<ConversationImport>, into: &May<Converse>) -> Result<Import> {
        let app = self.rooms.catalog.get(&into.what().0)?.clone();
        if !kind::converses(app.kind) {
            return Err(Fault::invalid("app", "wrong_kind", "this app holds files; nobody talks in it"));
        }
        let mut now = self.bringing.0.lock();
        if now.len() >= TOGETHER {
            return Err(
                Fault::new(Code::Unavailable).say("others are bringing conversations in; try again soon")
            );
        }
        if !now.insert(may.owner()) {
            return Err(
                Fault::new(Code::Conflict).say("another export of yours is coming in; wait for its end")
            );
        }
        drop(now);
        let address = AuditEvent::new(EventType::DataWritten, may.owner()).from(may.who().address());
        Ok(Import {
            hall: self.clone(),
            owner: may.owner(),
            address,
            app,
            feed: Some(Feed::Fresh(Vec::new())),
            bytes: 0,
            number: 0,
            report: ImportReport::default(),
        })
    }
}

impl Import {
    /// The next bytes of the export.
    pub async fn push(&mut self, bytes: Vec<u8>) -> Result<()> {
        self.bytes += bytes.len() as u64;
        if self.bytes > BYTES {
            return Err(guard::http::too_large(BYTES));
        }
        let mut feed = self.feed.take().ok_or_else(|| Fault::internal("an import went on after its end"))?;
        // Unpacking and reading take their time; others are served meanwhile.
        let any = self.number > 0;
        let work = move || feed.push(&bytes, any).map(|elements| (feed, elements));
        let (feed, elements) = tokio::task::spawn_blocking(work).await.map_err(Fault::internal)??;
        self.feed = Some(feed);
        for element in elements {
            self.take(element).await?;
        }
        Ok(())
    }

    /// The export has come.
    pub async fn finish(mut self) -> Result<ImportReport> {
        let whole = match self.feed.take() {
            Some(Feed::Json(splitter)) => splitter.is_over(),
            Some(Feed::Zip(unzip, _, entries)) if unzip.is_over() && entries == 0 => {
                return Err(Fault::invalid(
                    "file",
                    "nothing_found",
                    "there is no `conversations.json` in this archive; send the export as you got it",
                ));
            }
            Some(Feed::Zip(unzip, ..)) => unzip.is_over(),
            Some(Feed::Fresh(_) | Feed::Damaged) | None => false,
        };
        if !whole && self.number == 0 {
            return Err(not_an_export());
        }
        if !whole {
            self.number += 1;
            self.refuse(None, "the file is damaged here, or ends in the middle of this one".to_owned());
        }
        let ImportReport { imported, messages, .. } = self.report;
        tracing::info!(app = %self.app.id, imported, messages, "conversations brought in");
        Ok(std::mem::take(&mut self.report))
    }

    async fn take(&mut self, element: Element) -> Result<()> {
        self.number += 1;
        if self.number > CONVERSATIONS {
            let say = format!("an export may hold {CONVERSATIONS} conversations");
            return Err(Fault::invalid("file", "too_many", say));
        }
        let now = self.hall.rooms.ambient.now();
        let read = match element {
            Element::TooLarge => Err((None, format!("it is larger than {} MiB", split::MOST >> 20))),
            Element::TooDeep => Err((None, "it is nested too deep".to_owned())),
            Element::Whole(bytes) => {
                tokio::task::spawn_blocking(move || read(&bytes, now)).await.map_err(Fault::internal)?
            }
        };
        match read {
            Err((title, why)) => self.refuse(title, why),
            Ok(foreign) => self.keep(foreign, now).await?,
        }
        Ok(())
    }

    async fn keep(&mut self, foreign: Foreign, now: Time) -> Result<()> {
        let said = foreign.tree.messages.iter().filter(|one| one.words.role == Role::User).count();
        if let Some(most) = self.app.max_user_messages.filter(|most| said > *most as usize) {
            let why =
                format!("it holds {said} messages of a person; this app takes {most} in a conversation");
            self.refuse(foreign.title, why);
            return Ok(());
        }
        let (files, left_out, shown) = (foreign.files, foreign.left_out, foreign.title.clone());
        let new = imported(&self.hall, self.owner, &self.app.id, foreign, now);
        let count = new.messages.len();
        let event = self.address.clone();
        let event =
            event.to(format_args!("conversation:{}", new.id)).with("what", "import").with("messages", count);
        match self.hall.rooms.store.import_conversation(new, vec![event]).await {
            Ok(true) => {
                self.report.imported += 1;
                self.report.messages += count as u64;
                self.report.left_out += left_out as u64;
                self.report.files_left_out += files as u64;
            }
            Ok(false) => self.report.present += 1,
            Err(fault) if fault.code() == Code::TooManyConversations => {
                self.refuse(shown, "you have as many conversations as this app allows".to_owned());
            }
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    fn refuse(&mut self, title: Option<String>, detail: String) {
        self.report.refused += 1;
        if self.report.problems.len() < NAMED {
            self.report.problems.push(ImportProblem { number: self.number, title, detail });
        }
    }
}

fn not_an_export() -> Fault {
    Fault::invalid(
        "file",
        "not_an_export",
        "this is no export that is known here: send the ZIP or the `conversations.json` of ChatGPT, the JSON of Open \
         WebUI, or an export of this server",
    )
}

/// A conversation, or why it is none with the title that it has.
fn read(bytes: &[u8], now: Time) -> std::result::Result<Foreign, (Option<String>, String)> {
    let value: Value = serde_json::from_slice(bytes).map_err(|_| (None, "it is not JSON".to_owned()))?;
    shape::read(&value, now).map_err(|why| {
        let title = value.get("title").and_then(Value::as_str);
        (title.map(|title| title.chars().filter(|c| !c.is_control()).take(100).collect()), why)
    })
}

/// The rows of a conversation that came in.
fn imported(hall: &Hall, owner: Subject, app: &AppId, foreign: Foreign, now: Time) -> ImportedConversation {
    let ambient = &hall.rooms.ambient;
    let id = ConversationId::new(ambient);
    let own = shape::own_id(&foreign);
    let ids = shape::ids(foreign.tree.messages.len(), ambient);
    let named = |place: Option<usize>| place.and_then(|place| ids.get(place)).copied();
    let began =
        foreign.created_at.or_else(|| foreign.tree.messages.iter().filter_map(|one| one.words.at).min());
    let began = began.unwrap_or(now);
    let mut at = began;
    let head = named(foreign.tree.head);
    let first = foreign.tree.messages.iter().find(|one| one.words.role == Role::User);
    let made = first.map(|one| title(&one.words.content)).filter(|title| !title.is_empty());
    let mut messages = Vec::with_capacity(ids.len());
    for (place, id_of) in foreign.tree.messages.into_iter().zip(&ids) {
        // What has no time was said when what stands before it was.
        at = place.words.at.unwrap_or(at);
        messages.push(Message {
            id: *id_of,
            conversation_id: id,
            parent_id: named(place.parent),
            role: place.words.role,
            content: place.words.content,
            citations: place.words.citations,
            created_at: at,
            finish_reason: Some(place.words.finish),
            model: place.words.model,
            input_tokens: None,
            output_tokens: None,
            details: place.words.details,
        });
    }
    let last = messages.iter().map(|message| message.created_at).max().unwrap_or(began);
    ImportedConversation {
        id,
        own,
        owner,
        app: app.clone(),
        source: foreign.key,
        title: foreign.title.or(made),
        topic: foreign.topic,
        created_at: began,
        updated_at: foreign.updated_at.unwrap_or(last).max(began),
        head,
        messages,
        max_per_owner: hall.rooms.catalog.get(app).ok().and_then(|app| app.most_conversations(owner)),
    }
}

impl Feed {
    /// Takes more bytes; gives the conversations that have ended. Damage behind some of them costs what follows alone.
    fn push(&mut self, bytes: &[u8], any: bool) -> Result<Vec<Element>> {
        let mut out = Vec::new();
        let fine = self.read(bytes, &mut out);
        match fine {
            Err(fault) if out.is_empty() && !any => return Err(fault),
            Err(_) => *self = Feed::Damaged,
            Ok(()) => {}
        }
        Ok(out)
    }

    fn read(&mut self, bytes: &[u8], out: &mut Vec<Element>) -> Result<()> {
        if let Feed::Fresh(held) = self {
            held.extend_from_slice(bytes);
            if held.len() < 4 {
                return Ok(());
            }
            let held = std::mem::take(held);
            *self = if held.starts_with(b"PK\x03\x04") {
                Feed::Zip(Box::new(Unzip::new()), Splitter::default(), 0)
            } else {
                Feed::Json(Splitter::default())
            };
            return self.read(&held, out);
        }
        let split = |splitter: &mut Splitter, bytes: &[u8], out: &mut Vec<Element>| {
            if splitter.push(bytes, out) { Ok(()) } else { Err(not_an_export()) }
        };
        match self {
            Feed::Json(splitter) => split(splitter, bytes, out)?,
            Feed::Zip(unzip, splitter, entries) => {
                let mut pieces = Vec::new();
                // What came out before the damage counts.
                let unpacked = unzip.push(bytes, &mut pieces);
                for piece in pieces {
                    match piece {
                        Piece::Begin => (*splitter, *entries) = (Splitter::default(), *entries + 1),
                        Piece::Bytes(bytes) => split(splitter, &bytes, out)?,
                        Piece::End => {}
                    }
                }
                unpacked?;
            }
            Feed::Fresh(_) | Feed::Damaged => {}
        }
        Ok(())
    }
}
