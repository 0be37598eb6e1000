//! A file becomes a document: claimed by its content, read on a thread that may block within fixed time and memory,
//! cut, written in pieces, shown. A file that cannot be read becomes a document that failed and says why. Once begun
//! it goes on when the caller goes away. It never follows a link and never keeps the file itself.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use kernel::{Actor, AppId, AuditEvent, Code, DocumentId, EventType, Fault, PassageId, Result, Visibility};
use knowledge::Scribe;
use knowledge::extract::{Budget, Extracted, Reason, extract, tidy};
use knowledge::passage::{CHARS, passages};
use store::{ClaimedDocument, Document, DocumentStatus, NewPassage, ReadDocument};

use super::Library;

/// One file is read for this long at the most.
const DEADLINE: Duration = Duration::from_secs(60);

/// A file to be added.
#[derive(Clone, Debug)]
pub struct NewDocument {
    /// The app that is to answer from it.
    pub app: AppId,
    /// Who may see it.
    pub visibility: Visibility,
    /// The name it comes with. Of a path the last part is kept, as a label.
    pub name: String,
    /// What it is called; what it calls itself unless said.
    pub title: Option<String>,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Who adds or removes a document, for the audit log.
#[derive(Clone, Copy, Debug)]
pub struct Added {
    /// Who.
    pub by: Actor,
    /// From where.
    pub ip: Option<IpAddr>,
}

impl Added {
    pub(super) fn event(self, event_type: EventType, app: &AppId, id: DocumentId) -> AuditEvent {
        AuditEvent::new(event_type, self.by)
            .from(self.ip)
            .to(format_args!("document:{id}"))
            .with("app", app.as_str())
    }
}

/// What became of an offer.
#[derive(Clone, Debug)]
pub enum Offered {
    /// It is a document: found, or failed for a reason of its own.
    Added(Box<Document>),
    /// The app has this content already, as this document.
    Known(DocumentId),
}

/// What reading a file gave.
struct Read {
    document: Extracted,
    passages: Vec<NewPassage>,
}

impl Library {
    /// Adds a document. It is found when this returns with the status `ready`. `too_large` beyond the size of a
    /// document; `conflict` when the app has the same content, or as many documents as it may.
    pub async fn add(&self, new: NewDocument, added: Added) -> Result<Document> {
        match self.offer(new, added).await? {
            Offered::Added(document) => Ok(*document),
            Offered::Known(id) => {
                let say = format!("the app has this content already: it is the document {id}");
                Err(Fault::new(Code::Conflict).say(say))
            }
        }
    }

    /// [`Library::add`], where a content that is there already is an answer and no fault.
    pub async fn offer(&self, new: NewDocument, added: Added) -> Result<Offered> {
        let most = self.0.config.most_bytes;
        if new.bytes.len() as u64 > most {
            let say = format!("a document may have {} MiB", most >> 20);
            return Err(Fault::new(Code::TooLarge).say(say));
        }
        let library = self.clone();
        let work = async move { library.claim_and_add(new, added).await };
        self.0.tasks.spawn(work).await.map_err(Fault::internal)?
    }

    async fn claim_and_add(&self, new: NewDocument, added: Added) -> Result<Offered> {
        let (app, visibility) = (new.app.clone(), new.visibility);
        let id = DocumentId::new(&self.0.ambient);
        let name = files::name::label(&new.name);
        let title = new.title.as_deref().map(tidy).filter(|title| !title.is_empty());
        let bytes = new.bytes.len() as u64;
        let claim = store::NewDocument {
            id,
            app: app.clone(),
            visibility,
            title: title.clone().unwrap_or_else(|| name.clone()),
            name: name.clone(),
            bytes,
            digest: blake3::hash(&new.bytes).to_hex().to_string(),
            added_by: added.by.to_string(),
            most: (self.0.config.most_documents, self.0.config.most_total),
        };
        if let ClaimedDocument::Known(known) = self.0.store.claim_document(claim).await? {
            return Ok(Offered::Known(known));
        }
        let event = added.event(EventType::DocumentAdded, &app, id).with("bytes", bytes);
        match self.read(&app, name, title, new.bytes).await {
            Ok(Ok(read)) => self.write(&app, id, visibility, read, event).await?,
            Ok(Err(reason)) => {
                let event = event
                    .with("status", DocumentStatus::Failed.as_str())
                    .with("reason", reason.kind.as_str());
                self.0.store.fail_document(&app, id, &reason.sentence, vec![event]).await?;
            }
            Err(fault) => {
                self.give_up(&app, id, event).await;
                return Err(fault);
            }
        }
        self.catch_up().await;
        let document = self.0.store.document(&app, Visibility::Staff, id).await?;
        Ok(Offered::Added(Box::new(document)))
    }

    async fn write(
        &self,
        app: &AppId,
        id: DocumentId,
        visibility: Visibility,
        read: Read,
        event: AuditEvent,
    ) -> Result<()> {
        let count = u32::try_from(read.passages.len()).unwrap_or(u32::MAX);
        let event = event.with("status", DocumentStatus::Ready.as_str()).with("passages", count);
        let done = ReadDocument {
            title: read.document.title,
            kind: read.document.kind.as_str().to_owned(),
            warnings: read.document.warnings,
            passages: count,
        };
        let written = async {
            self.0.store.add_passages(app, id, visibility, read.passages).await?;
            self.0.store.finish_document(app, id, done, vec![event.clone()]).await
        };
        if let Err(fault) = written.await {
            // Removed meanwhile: whoever removed it has seen to the rest.
            if fault.code() != Code::Conflict {
                self.give_up(app, id, event).await;
            }
            return Err(fault);
        }
        Ok(())
    }

    /// The database or this process failed, not the file: the document says so when it can, and is settled later
    /// when it cannot.
    async fn give_up(&self, app: &AppId, id: DocumentId, event: AuditEvent) {
        let event = event.with("status", DocumentStatus::Failed.as_str());
        let reason = "The file could not be stored. Add it again.";
        if let Err(fault) = self.0.store.fail_document(app, id, reason, vec![event]).await {
            tracing::warn!(
                code = fault.code().as_str(),
                "a document was left half written; it will be settled"
            );
        }
    }

    /// Reads and cuts a file. The inner failure is the file's.
    async fn read(
        &self,
        app: &AppId,
        name: String,
        title: Option<String>,
        bytes: Vec<u8>,
    ) -> Result<Result<Read, Reason>> {
        let blind = self.0.store.word_key(app).await?;
        let ambient = self.0.ambient.clone();
        let most = usize::try_from(self.0.config.most_bytes).unwrap_or(usize::MAX);
        let _turn = self.0.reading.acquire().await.map_err(Fault::internal)?;
        let work = move || {
            let deadline = Instant::now().checked_add(DEADLINE);
            let mut budget = Budget { deadline, ..Budget::default() };
            // Where larger files are allowed, they may also say more.
            budget.input = budget.input.max(most);
            let mut document = extract(&bytes, &name, &budget)?;
            drop(bytes);
            if let Some(title) = title {
                document.title = title;
            }
            let mut scribe = Scribe::new(&blind);
            let found = passages(&document.text, &document.blocks, CHARS);
            let passages = (0_u32..).zip(found).map(|(position, passage)| NewPassage {
                id: PassageId::new(&ambient),
                position,
                words: scribe.card(&passage.parts(&document.title, &document.text)).encode(),
                span: (passage.span.start as u64, passage.span.end as u64),
                page: passage.page,
                text: passage.span.of(&document.text).unwrap_or_default().to_owned(),
                headings: passage.headings,
            });
            let passages = passages.collect();
            Ok(Read { passages, document })
        };
        tokio::task::spawn_blocking(work).await.map_err(Fault::internal)
    }
}
