//! Documents of apps: claimed by their content before they are read, shown when all their passages are written, gone
//! when their last passage is. Every query carries the app and what the asker may see. Titles, names and reasons are
//! sealed with the store's own key. It never reads a file; passages are `passage.rs`.

use crypto::{Blind, Place};
use kernel::{
    AppId, AuditEvent, Code, Cursor, DocumentId, Fault, Page, PageRequest, Result, Time, Visibility,
};

use crate::Store;
use crate::connection::Sql;
use crate::data_key::Refusal;
use crate::epoch::{self, Scope};
use crate::secret::Secrets;
use crate::tx::Tx;
use crate::value::{Row, values};

/// Passages that are written or deleted in one transaction: few enough that nobody else waits for long.
pub(crate) const PIECE: usize = 400;

/// How far a document is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DocumentStatus {
    /// It is being read.
    Indexing,
    /// It is found.
    Ready,
    /// It could not be read.
    Failed,
}

impl DocumentStatus {
    /// The status as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            DocumentStatus::Indexing => "indexing",
            DocumentStatus::Ready => "ready",
            DocumentStatus::Failed => "failed",
        }
    }

    fn parse(word: &str) -> Result<DocumentStatus> {
        [DocumentStatus::Indexing, DocumentStatus::Ready, DocumentStatus::Failed]
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or_else(|| Fault::internal("a document has no known status"))
    }
}

/// A document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// Its id.
    pub id: DocumentId,
    /// The app that answers from it.
    pub app: AppId,
    /// Who may see it.
    pub visibility: Visibility,
    /// What it is called.
    pub title: String,
    /// The name it came with: a label, never a path.
    pub name: String,
    /// What it is: `pdf`, `docx`, …; empty while it is not known.
    pub kind: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// How far it is.
    pub status: DocumentStatus,
    /// Why it could not be read: a sentence.
    pub reason: Option<String>,
    /// What a reader should know: sentences.
    pub warnings: Vec<String>,
    /// How many passages it has.
    pub passages: u32,
    /// The embedding model whose vectors all its passages have.
    pub embedding: Option<String>,
    /// Who added it: `user:…`, `key:…`, `operator`.
    pub added_by: String,
    /// When it was added.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// A document to be claimed.
#[derive(Clone, Debug)]
pub struct NewDocument {
    /// Its id.
    pub id: DocumentId,
    /// The app.
    pub app: AppId,
    /// Who may see it.
    pub visibility: Visibility,
    /// What it is called until it is read.
    pub title: String,
    /// The name it came with.
    pub name: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// A hash of the content, of any form.
    pub digest: String,
    /// Who adds it.
    pub added_by: String,
    /// The most documents of the app, and the most bytes of all of them together.
    pub most: (u64, u64),
}

/// Whether a content may be added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClaimedDocument {
    /// It is new: read it.
    Fresh,
    /// The app has it already, or is reading it.
    Known(DocumentId),
}

/// What is known of a document when it has been read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadDocument {
    /// What it calls itself.
    pub title: String,
    /// What it is.
    pub kind: String,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// How many passages were written.
    pub passages: u32,
}

/// A document that can be found, as an index needs to know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShelvedDocument {
    /// Its id.
    pub id: DocumentId,
    /// The app.
    pub app: AppId,
    /// Who may see it.
    pub visibility: Visibility,
    /// How many passages it has.
    pub passages: u32,
    /// The embedding model whose vectors all its passages have.
    pub embedding: Option<String>,
}

const COLUMNS: &str = "SELECT id, app, visibility, title, name, kind, bytes, status, reason, warnings, passages, \
                       embedding, added_by, created_at, updated_at FROM documents";

const fn place<'a>(column: &'static str, id: &'a str) -> Place<'a> {
    Place { table: "documents", column, row: id }
}

fn whole(condition: &str) -> Sql {
    Sql::Built(format!("{COLUMNS} WHERE status <> 'removing' AND {condition}").into())
}

/// What a condition on `visibility` admits: everything to the staff.
pub(crate) const fn admitted(sees: Visibility) -> &'static str {
    match sees {
        Visibility::Everyone => "visibility = 'everyone'",
        Visibility::Staff => "visibility IN ('everyone', 'staff')",
    }
}

fn visible(row: &Row, index: usize) -> Result<Visibility> {
    Visibility::parse(&row.text(index)?).map_err(|_| Fault::internal("a document is for nobody known"))
}

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| Fault::internal("a sealed text is not UTF-8"))
}

fn read(secrets: &Secrets, row: &Row) -> Result<Document> {
    let id = row.text(0)?;
    let open = |column, sealed: &[u8]| secrets.open(place(column, &id), sealed);
    let reason = row.maybe_bytes(8)?.map(|sealed| text(open("reason", &sealed)?)).transpose()?;
    let warnings = match row.maybe_bytes(9)? {
        Some(sealed) => serde_json::from_slice(&open("warnings", &sealed)?)
            .map_err(|_| Fault::internal("the warnings of a document are not JSON"))?,
        None => Vec::new(),
    };
    Ok(Document {
        id: DocumentId::parse(&id)?,
        app: AppId::parse(&row.text(1)?)?,
        visibility: visible(row, 2)?,
        title: text(open("title", &row.bytes(3)?)?)?,
        name: text(open("name", &row.bytes(4)?)?)?,
        kind: row.text(5)?,
        bytes: u64::try_from(row.int(6)?).unwrap_or(0),
        status: DocumentStatus::parse(&row.text(7)?)?,
        reason,
        warnings,
        passages: row.count(10)?,
        embedding: row.maybe_text(11)?,
        added_by: row.text(12)?,
        created_at: row.time(13)?,
        updated_at: row.time(14)?,
    })
}

/// That the document is still being read: another process may have given it up.
pub(crate) async fn still_indexing(tx: &mut Tx, app: &str, id: &str, now: Time) -> Result<(), Refusal> {
    let sql = "UPDATE documents SET updated_at = $3 WHERE app = $1 AND id = $2 AND status = 'indexing'";
    match tx.run(sql, values![app, id, now]).await? {
        1 => Ok(()),
        _ => Err(Fault::new(Code::Conflict).say("the document was removed while it was being read").into()),
    }
}

impl Store {
    /// The key under which an app's words are hashed.
    pub async fn word_key(&self, app: &AppId) -> Result<Blind> {
        Ok(self.secrets().await?.blind.below("words of documents", app.as_str()))
    }

    /// Claims a content for an app before it is read. One that failed earlier makes room. `conflict` when the app has
    /// as many documents, or as many bytes of them, as it may.
    pub async fn claim_document(&self, new: NewDocument) -> Result<ClaimedDocument> {
        let secrets = self.secrets().await?;
        let (id, app) = (new.id.to_string(), new.app.as_str().to_owned());
        let seal =
            |column, plain: &str| secrets.seal(place(column, &id), plain.as_bytes(), &self.inside.ambient);
        let content = secrets.blind.below("content of documents", &app).tag(&new.digest);
        let now = self.inside.ambient.now();
        let bytes = i64::try_from(new.bytes).unwrap_or(i64::MAX);
        let row = values![
            id.as_str(),
            app.as_str(),
            new.visibility.as_str(),
            content.as_str(),
            seal("title", &new.title),
            seal("name", &new.name),
            bytes,
            new.added_by,
            now
        ];
        let known = values![app.as_str(), content];
        let (most, most_bytes) = new.most;
        self.write_alone("document.claim", Vec::new(), move |tx| {
            Box::pin(async move {
                let sql = "SELECT id, status FROM documents WHERE app = $1 AND content = $2";
                if let Some(row) = tx.one(sql, known).await? {
                    let earlier = row.text(0)?;
                    if row.text(1)? != "failed" {
                        return Ok(ClaimedDocument::Known(DocumentId::parse(&earlier)?));
                    }
                    tx.run("DELETE FROM passages WHERE document_id = $1", values![earlier.as_str()]).await?;
                    tx.run("DELETE FROM documents WHERE id = $1", values![earlier]).await?;
                }
                let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(bytes), 0) AS bigint) FROM documents \
                           WHERE app = $1 AND status <> 'removing'";
                if let Some(row) = tx.one(sql, values![app]).await? {
                    admit(row.int(0)?, row.int(1)?.saturating_add(bytes), most, most_bytes)?;
                }
                tx.run(
                    "INSERT INTO documents (id, app, visibility, content, title, name, kind, bytes, status, \
                     passages, added_by, created_at, updated_at) \
                     VALUES ($1, $2, $3, $4, $5, $6, '', $7, 'indexing', 0, $8, $9, $9)",
                    row,
                )
                .await?;
                Ok(ClaimedDocument::Fresh)
            })
        })
        .await
    }

    /// Shows a document whose passages are all written. `conflict` when it was removed meanwhile.
    pub async fn finish_document(
        &self,
        app: &AppId,
        id: DocumentId,
        read: ReadDocument,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let secrets = self.secrets().await?;
        let (app, id, now) = (app.as_str().to_owned(), id.to_string(), self.inside.ambient.now());
        let warnings = serde_json::to_vec(&read.warnings).map_err(Fault::internal)?;
        let seal = |column, plain: &[u8]| secrets.seal(place(column, &id), plain, &self.inside.ambient);
        let row = values![
            app.as_str(),
            id.as_str(),
            seal("title", read.title.as_bytes()),
            read.kind,
            seal("warnings", &warnings),
            read.passages,
            now
        ];
        self.write_alone("document.finish", audit, move |tx| {
            Box::pin(async move {
                still_indexing(tx, &app, &id, now).await?;
                let sql = "UPDATE documents SET status = 'ready', title = $3, kind = $4, warnings = $5, \
                           passages = $6, updated_at = $7 WHERE app = $1 AND id = $2";
                tx.run(sql, row).await?;
                epoch::bump(tx, Scope::Documents).await
            })
        })
        .await
    }

    /// Says why a document could not be read, and deletes what was written of it.
    pub async fn fail_document(
        &self,
        app: &AppId,
        id: DocumentId,
        reason: &str,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let secrets = self.secrets().await?;
        let (name, now) = (id.to_string(), self.inside.ambient.now());
        let sealed = secrets.seal(place("reason", &name), reason.as_bytes(), &self.inside.ambient);
        let row = values![app.as_str(), name.as_str(), sealed, now];
        let place = (app.as_str().to_owned(), name);
        self.write_alone("document.fail", audit, move |tx| {
            Box::pin(async move {
                still_indexing(tx, &place.0, &place.1, now).await?;
                let sql = "UPDATE documents SET status = 'failed', reason = $3, passages = 0, updated_at = $4 \
                           WHERE app = $1 AND id = $2";
                tx.run(sql, row).await?;
                Ok(())
            })
        })
        .await?;
        // Nobody writes any more; should the process die here, whoever claims the content next finds the rest.
        self.drop_passages(app, id).await
    }

    /// Removes a document with everything made from it. From the first moment nobody sees it any more; its passages
    /// go in pieces, and are gone when this returns. `not_found` for an unknown one, and for another app's.
    pub async fn remove_document(&self, app: &AppId, id: DocumentId, audit: Vec<AuditEvent>) -> Result<()> {
        let row = values![app.as_str(), id.to_string(), self.inside.ambient.now()];
        self.write_alone("document.remove", audit, move |tx| {
            Box::pin(async move {
                // The content may be added again at once.
                let sql = "UPDATE documents SET status = 'removing', content = id, updated_at = $3 \
                           WHERE app = $1 AND id = $2 AND status <> 'removing'";
                if tx.run(sql, row).await? == 0 {
                    return Err(Fault::new(Code::NotFound).into());
                }
                epoch::bump(tx, Scope::Documents).await
            })
        })
        .await?;
        self.finish_removal(app, id).await
    }

    async fn finish_removal(&self, app: &AppId, id: DocumentId) -> Result<()> {
        self.drop_passages(app, id).await?;
        let row = values![app.as_str(), id.to_string()];
        self.write("document.gone", Vec::new(), move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM documents WHERE app = $1 AND id = $2 AND status = 'removing'";
                tx.run(sql, row).await?;
                Ok(())
            })
        })
        .await
    }

    /// Ends what a process left behind when it died: documents that nobody has written to since `before`. Removals
    /// are finished; what was being read has failed for `reason`. Gives how many it met.
    pub async fn settle_documents(&self, before: Time, reason: &str) -> Result<u64> {
        let sql = "SELECT id, app, status FROM documents \
                   WHERE status IN ('indexing', 'removing') AND updated_at < $1 LIMIT 100";
        let rows = self.read("document.left").await?.all(sql, values![before]).await?;
        let mut count = 0;
        for row in rows {
            let (id, app) = (DocumentId::parse(&row.text(0)?)?, AppId::parse(&row.text(1)?)?);
            let done = match row.text(2)?.as_str() {
                "removing" => self.finish_removal(&app, id).await,
                _ => self.fail_document(&app, id, reason, Vec::new()).await,
            };
            // Another process may have been quicker.
            if let Err(fault) = done
                && fault.code() != Code::Conflict
            {
                return Err(fault);
            }
            count += 1;
        }
        Ok(count)
    }

    /// A document of this app that the asker may see: of the staff's those of the staff, and for everyone else only
    /// what can be found.
    pub async fn document(&self, app: &AppId, sees: Visibility, id: DocumentId) -> Result<Document> {
        let sql = whole(&format!("app = $1 AND id = $2 AND {}{}", admitted(sees), shown(sees)));
        let row = self.read("document.get").await?.one(sql, values![app.as_str(), id.to_string()]).await?;
        read(self.secrets().await?, &row.ok_or(Code::NotFound)?)
    }

    /// The documents of an app that the asker may see, newest first.
    pub async fn documents(
        &self,
        app: &AppId,
        sees: Visibility,
        page: PageRequest,
    ) -> Result<Page<Document>> {
        self.documents_of(app, sees, None, page).await
    }

    /// Those of them that are this far.
    pub async fn documents_of(
        &self,
        app: &AppId,
        sees: Visibility,
        status: Option<DocumentStatus>,
        page: PageRequest,
    ) -> Result<Page<Document>> {
        let (at, id) = match page.after {
            Some(cursor) => (cursor.key, cursor.tie),
            None => (i64::MAX, String::new()),
        };
        let sql = whole(&format!(
            "app = $1 AND {}{} AND created_at <= $2 AND (created_at < $2 OR id < $3) \
             AND status = COALESCE($5, status) ORDER BY created_at DESC, id DESC LIMIT $4",
            admitted(sees),
            shown(sees)
        ));
        let status = status.map(DocumentStatus::as_str);
        let values = values![app.as_str(), at, id, page.limit.saturating_add(1), status];
        let rows = self.read("document.list").await?.all(sql, values).await?;
        let secrets = self.secrets().await?;
        let documents: Result<Vec<Document>> = rows.iter().map(|row| read(secrets, row)).collect();
        Ok(Page::cut(documents?, page.limit, |document| Cursor {
            key: document.created_at.micros(),
            tie: document.id.to_string(),
        }))
    }

    /// How many documents of an app that the asker may see are how far.
    pub async fn count_documents(&self, app: &AppId, sees: Visibility) -> Result<Vec<(DocumentStatus, u64)>> {
        let sql = format!(
            "SELECT status, COUNT(*) FROM documents WHERE status <> 'removing' AND app = $1 AND {}{} GROUP BY status",
            admitted(sees),
            shown(sees)
        );
        let rows =
            self.read("document.count").await?.all(Sql::Built(sql.into()), values![app.as_str()]).await?;
        let count = |row: &Row| -> Result<_> {
            Ok((DocumentStatus::parse(&row.text(0)?)?, u64::try_from(row.int(1)?).unwrap_or(0)))
        };
        rows.iter().map(count).collect()
    }

    /// Every document that can be found, of all apps: what an index compares itself with.
    pub async fn shelved_documents(&self) -> Result<Vec<ShelvedDocument>> {
        let sql = "SELECT id, app, visibility, passages, embedding FROM documents WHERE status = 'ready' ORDER BY id";
        let rows = self.read("document.shelved").await?.all(sql, values![]).await?;
        let shelved = |row: &Row| {
            Ok(ShelvedDocument {
                id: DocumentId::parse(&row.text(0)?)?,
                app: AppId::parse(&row.text(1)?)?,
                visibility: visible(row, 2)?,
                passages: row.count(3)?,
                embedding: row.maybe_text(4)?,
            })
        };
        rows.iter().map(shelved).collect()
    }
}

/// Who does not manage the app sees what can be found and nothing else.
const fn shown(sees: Visibility) -> &'static str {
    match sees {
        Visibility::Everyone => " AND status = 'ready'",
        Visibility::Staff => "",
    }
}

fn admit(documents: i64, bytes: i64, most: u64, most_bytes: u64) -> Result<(), Fault> {
    if u64::try_from(documents).unwrap_or(0) >= most {
        let say = format!("the app has {documents} documents, as many as it may; remove some first");
        return Err(Fault::new(Code::Conflict).say(say));
    }
    if u64::try_from(bytes).unwrap_or(0) > most_bytes {
        let say =
            format!("the documents of the app may have {} MiB together; remove some first", most_bytes >> 20);
        return Err(Fault::new(Code::Conflict).say(say));
    }
    Ok(())
}
