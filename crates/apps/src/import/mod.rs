//! Conversations from elsewhere: an export of ChatGPT, Claude, Open WebUI or LibreChat, or our own, read while it comes and
//! taken in one conversation at a time, with the files behind it where there are some. One is taken whole or not at all; what
//! cannot be taken is told of and never costs the others; what is here already stays as it is.

mod feed;
mod rows;
mod shape;
mod split;
mod tree;
mod unzip;
mod waiting;

use std::collections::HashSet;

use identity::{ConversationImport, Converse, FilesWrite, May};
use kernel::{AuditEvent, Code, EventType, Fault, Result, Subject};
use parking_lot::Mutex;
use store::Role;

use crate::{App, Hall, kind};
use feed::{Came, Feed};
use shape::{Foreign, Refused};
use split::Element;
use waiting::Waiting;

/// Conversations of one export at the most.
const CONVERSATIONS: u64 = 50_000;
/// Bytes of the conversations of an export.
const BYTES: u64 = 1 << 30;
/// Bytes of an export as it comes, with its files: quotas bound what is kept of these.
const ALL_BYTES: u64 = 16 << 30;
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
    /// Files that were taken in.
    pub files: u64,
    /// Messages of tools and systems that were not.
    pub left_out: u64,
    /// Files that were not.
    pub files_left_out: u64,
    /// What is wrong with those that could not be taken; the first hundred of them.
    pub problems: Vec<ImportProblem>,
    /// Why nothing was taken of what stands behind these in the export, where that is so.
    pub unfinished: Option<String>,
}

/// A conversation that could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportProblem {
    /// Which of the export it is, counted from 1.
    pub number: u64,
    /// What it is called, where that can be read.
    pub title: Option<String>,
    /// Why, for programs.
    pub code: &'static str,
    /// Why.
    pub detail: String,
}

/// An export on its way in. Dropped, it leaves what was taken in so far: whole conversations.
pub struct Import {
    hall: Hall,
    owner: Subject,
    keeper: Subject,
    files: Option<May<FilesWrite>>,
    address: AuditEvent,
    app: App,
    feed: Option<Feed>,
    waiting: Option<Waiting>,
    bytes: u64,
    talk_bytes: u64,
    number: u64,
    report: ImportReport,
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
            keeper: may.who().keeper(),
            files: self.shelf_of(may, &app),
            address,
            app,
            feed: Some(Feed::Fresh(Vec::new())),
            waiting: None,
            bytes: 0,
            talk_bytes: 0,
            number: 0,
            report: ImportReport::default(),
        })
    }

    /// Where the files of messages go, for whoever may keep some and in an app that takes them.
    fn shelf_of(&self, may: &May<ConversationImport>, app: &App) -> Option<May<FilesWrite>> {
        let files = self.file_app(may.who(), None).ok()?;
        let open = app.attachments && may.who().apps().contains(&files);
        open.then(|| self.rooms.identity.may(may.who(), FilesWrite(files)).ok())?
    }
}

impl Import {
    /// The next bytes of the export. A fault behind conversations that were taken ends the import, and the report tells of it.
    pub async fn push(&mut self, bytes: Vec<u8>) -> Result<()> {
        if self.report.unfinished.is_some() {
            return Ok(());
        }
        match self.read(bytes).await {
            Err(fault) if self.number > 0 => {
                let cause = fault.cause().map(ToString::to_string).unwrap_or_default();
                tracing::warn!(code = fault.code().as_str(), cause, "an import was broken off");
                self.waiting = None;
                let field = fault.fields().first().map(|field| field.detail.to_string());
                self.report.unfinished = Some(field.unwrap_or_else(|| fault.message().to_owned()));
                Ok(())
            }
            other => other,
        }
    }

    async fn read(&mut self, bytes: Vec<u8>) -> Result<()> {
        self.bytes += bytes.len() as u64;
        if self.bytes > ALL_BYTES {
            return Err(guard::http::too_large(ALL_BYTES));
        }
        let mut feed = self.feed.take().ok_or_else(|| Fault::internal("an import went on after its end"))?;
        // Unpacking and reading take their time; others are served meanwhile.
        let any = self.number > 0;
        let work = move || {
            let came = feed.push(&bytes, any);
            (feed, came)
        };
        let (feed, came) = tokio::task::spawn_blocking(work).await.map_err(Fault::internal)?;
        self.feed = Some(feed);
        for came in came? {
            match (came, &mut self.waiting) {
                (Came::Talk(element), _) => self.take(element).await?,
                (Came::File(id), Some(waiting)) => waiting.file(id).await?,
                (Came::Bytes(bytes), Some(waiting)) => waiting.bytes(&bytes).await?,
                (Came::End, Some(waiting)) => {
                    waiting.end().await?;
                    if waiting.is_whole() {
                        self.settle().await?;
                    }
                }
                // A file of a conversation that is here already or was refused.
                (Came::File(_) | Came::Bytes(_) | Came::End, None) => {}
            }
        }
        Ok(())
    }

    /// The export has come.
    pub async fn finish(mut self) -> Result<ImportReport> {
        let whole = match &self.feed {
            Some(feed) => feed.is_over()?,
            None => false,
        };
        if self.report.unfinished.is_none() {
            if !whole && self.number == 0 {
                return Err(feed::not_an_export());
            }
            if whole {
                self.settle().await?;
            } else {
                // Either one that waits for its files is cut off, or the one behind the last.
                let title = match self.waiting.take() {
                    Some(waiting) => waiting.foreign.title,
                    None => {
                        self.number += 1;
                        None
                    }
                };
                let say = "the file is damaged here, or ends in the middle of this one";
                self.refuse(title, Refused::new("cut_off", say));
            }
        }
        let ImportReport { imported, messages, .. } = self.report;
        tracing::info!(app = %self.app.id, imported, messages, "conversations brought in");
        Ok(std::mem::take(&mut self.report))
    }

    async fn take(&mut self, element: Element) -> Result<()> {
        self.settle().await?;
        if self.number == CONVERSATIONS {
            let say = format!("an export may hold {CONVERSATIONS} conversations");
            return Err(Fault::invalid("file", "too_many", say));
        }
        self.number += 1;
        let now = self.hall.rooms.ambient.now();
        let read = match element {
            Element::TooLarge => {
                let say = format!("it is larger than {} MiB", split::MOST >> 20);
                Err((None, Refused::new("too_large", say)))
            }
            Element::TooDeep => Err((None, Refused::new("too_deep", "it is nested too deep"))),
            Element::Whole(bytes) => {
                self.talk_bytes += bytes.len() as u64;
                if self.talk_bytes > BYTES {
                    return Err(guard::http::too_large(BYTES));
                }
                let work = move || shape::parse(&bytes, now);
                tokio::task::spawn_blocking(work).await.map_err(Fault::internal)?
            }
        };
        match read {
            Err((title, why)) => self.refuse(title, why),
            Ok(foreign) => self.admit(foreign).await?,
        }
        Ok(())
    }

    /// Looks whether a conversation can be taken; one whose files follow waits for them.
    async fn admit(&mut self, mut foreign: Foreign) -> Result<()> {
        let said = foreign.tree.messages.iter().filter(|one| one.words.role == Role::User).count();
        if let Some(most) = self.app.max_user_messages.filter(|most| said > *most as usize) {
            let why =
                format!("it holds {said} messages of a person; this app takes {most} in a conversation");
            self.refuse(foreign.title, Refused::new("too_many_messages", why));
            return Ok(());
        }
        let (store, own) = (&self.hall.rooms.store, rows::own_id(&foreign));
        if store.knows_conversation(&self.owner, &self.app.id, &foreign.key, own).await? {
            self.report.present += 1;
            return Ok(());
        }
        if !self.app.attachments {
            waiting::refuse_files(&mut foreign);
        }
        let follow = self.feed.as_ref().is_some_and(Feed::brings_files);
        let names = if follow { waiting::named(&foreign) } else { Default::default() };
        match &self.files {
            Some(may) if !names.is_empty() => {
                self.waiting = Some(Waiting::begin(&self.hall, may, foreign, names).await?);
                Ok(())
            }
            _ => {
                waiting::without_files(&self.hall, self.keeper, &mut foreign).await?;
                self.keep(foreign, 0).await
            }
        }
    }

    /// Keeps the conversation that waits, with the files that have come.
    async fn settle(&mut self) -> Result<()> {
        let Some(waiting) = self.waiting.take() else { return Ok(()) };
        match waiting.settle().await? {
            (foreign, Ok(files)) => self.keep(foreign, files).await,
            (foreign, Err(why)) => {
                self.refuse(foreign.title, why);
                Ok(())
            }
        }
    }

    async fn keep(&mut self, foreign: Foreign, files: u64) -> Result<()> {
        let (files_left_out, left_out, shown) = (foreign.files, foreign.left_out, foreign.title.clone());
        let now = self.hall.rooms.ambient.now();
        let new = rows::of(&self.hall, self.owner, &self.app.id, foreign, now);
        let count = new.messages.len();
        let event = self.address.clone();
        let event =
            event.to(format_args!("conversation:{}", new.id)).with("what", "import").with("messages", count);
        match self.hall.rooms.store.import_conversation(new, vec![event]).await {
            Ok(true) => {
                self.report.imported += 1;
                self.report.messages += count as u64;
                self.report.files += files;
                self.report.left_out += left_out as u64;
                self.report.files_left_out += files_left_out as u64;
            }
            Ok(false) => self.report.present += 1,
            Err(fault) => match waiting::of_the_talk(&fault) {
                Some(why) => self.refuse(shown, why),
                None => return Err(fault),
            },
        }
        Ok(())
    }

    fn refuse(&mut self, title: Option<String>, Refused { code, detail }: Refused) {
        self.report.refused += 1;
        if self.report.problems.len() < NAMED {
            self.report.problems.push(ImportProblem { number: self.number, title, code, detail });
        }
    }
}
