//! The documents of an app as people and keys meet them: each call brings the proof that it may, what is only for the
//! staff stays with the staff, and the audit log names whoever looked.

use identity::{DocumentsManage, DocumentsRead, May};
use kernel::{AppId, AuditEvent, DocumentId, EventType, Fault, Page, PageRequest, Result, Visibility};
use store::{Document, Passage};

use super::{Added, Found, Library, NewDocument, Offered, takes_documents};
use crate::Hall;

/// Longest question in characters.
const LONGEST: usize = 2_000;

/// A document to be added by somebody who may.
#[derive(Clone, Debug)]
pub struct Adder {
    /// Who may see it.
    pub visibility: Visibility,
    /// The name it comes with.
    pub name: String,
    /// What it is called; what it calls itself unless said.
    pub title: Option<String>,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Hall {
    /// The documents of the apps.
    pub fn library(&self) -> &Library {
        &self.rooms.library
    }

    /// That this app answers from documents.
    pub(super) fn shelf(&self, app: &AppId) -> Result<()> {
        if takes_documents(self.rooms.catalog.get(app)?.kind) {
            return Ok(());
        }
        let say = "apps of this kind answer from no documents";
        Err(Fault::invalid("app", "wrong_kind", say))
    }

    /// Adds a document; see [`Library::add`].
    pub async fn add_document(&self, may: &May<DocumentsManage>, new: Adder) -> Result<Document> {
        let (new, added) = self.brought(may, new)?;
        self.rooms.library.add(new, added).await
    }

    /// Offers a document; see [`Library::offer`].
    pub async fn offer_document(&self, may: &May<DocumentsManage>, new: Adder) -> Result<Offered> {
        let (new, added) = self.brought(may, new)?;
        self.rooms.library.offer(new, added).await
    }

    fn brought(&self, may: &May<DocumentsManage>, new: Adder) -> Result<(NewDocument, Added)> {
        let app = may.what().0.clone();
        self.shelf(&app)?;
        let Adder { visibility, name, title, bytes } = new;
        let added = Added { by: may.owner().into(), ip: Some(may.who().address()) };
        Ok((NewDocument { app, visibility, name, title, bytes }, added))
    }

    /// The documents that the caller may see, newest first.
    pub async fn documents(&self, may: &May<DocumentsRead>, page: PageRequest) -> Result<Page<Document>> {
        let app = &may.what().0;
        self.shelf(app)?;
        let found = self.rooms.store.documents(app, may.sees(), page).await?;
        self.looked(may, "list", found.items.len());
        Ok(found)
    }

    /// A document that the caller may see.
    pub async fn document(&self, may: &May<DocumentsRead>, id: DocumentId) -> Result<Document> {
        let app = &may.what().0;
        self.shelf(app)?;
        let found = self.rooms.store.document(app, may.sees(), id).await?;
        self.rooms.audit.note(self.look(may, "read", 1).to(format_args!("document:{id}")));
        Ok(found)
    }

    /// The passages of a document that the caller may see, in order.
    pub async fn document_passages(
        &self,
        may: &May<DocumentsRead>,
        id: DocumentId,
        page: PageRequest,
    ) -> Result<Page<Passage>> {
        let app = &may.what().0;
        self.shelf(app)?;
        // What is not there is said before anything is listed.
        self.rooms.store.document(app, may.sees(), id).await?;
        let found = self.rooms.store.document_passages(app, may.sees(), id, page).await?;
        let event = self.look(may, "passages", found.items.len()).to(format_args!("document:{id}"));
        self.rooms.audit.note(event);
        Ok(found)
    }

    /// Removes a document with everything made from it.
    pub async fn remove_document(&self, may: &May<DocumentsManage>, id: DocumentId) -> Result<()> {
        let app = &may.what().0;
        self.shelf(app)?;
        let added = Added { by: may.owner().into(), ip: Some(may.who().address()) };
        self.rooms.library.remove(app, id, added).await
    }

    /// Searches in what the caller may see; see [`Library::search`].
    pub async fn search(&self, may: &May<DocumentsRead>, query: &str, limit: usize) -> Result<Vec<Found>> {
        let app = &may.what().0;
        self.shelf(app)?;
        guard::content::validate::message("query", query, LONGEST)?;
        let found = self.rooms.library.search(app, may.sees(), query, limit).await?;
        self.looked(may, "search", found.len());
        Ok(found)
    }

    fn look(&self, may: &May<DocumentsRead>, purpose: &str, count: usize) -> AuditEvent {
        let app = &may.what().0;
        AuditEvent::new(EventType::DataRead, may.owner())
            .from(may.who().address())
            .to(format_args!("documents:{app}"))
            .with("purpose", format!("documents.{purpose}"))
            .with("app", app.as_str())
            .with("count", count)
    }

    pub(super) fn looked(&self, may: &May<DocumentsRead>, purpose: &str, count: usize) {
        self.rooms.audit.note(self.look(may, purpose, count));
    }
}

impl Library {
    /// Removes a document with everything made from it; gone from this process's searches when this returns.
    pub async fn remove(&self, app: &AppId, id: DocumentId, removed: Added) -> Result<()> {
        let event = removed.event(EventType::DocumentRemoved, app, id);
        // In a task of its own: once begun it ends, also when the caller goes away.
        let (library, app) = (self.clone(), app.clone());
        let work = async move {
            let gone = library.0.store.remove_document(&app, id, vec![event]).await;
            library.catch_up().await;
            gone
        };
        self.0.tasks.spawn(work).await.map_err(Fault::internal)?
    }
}
