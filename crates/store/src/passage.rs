//! Passages of documents: their text sealed, their words as the index writes them, their vectors. They are written
//! and deleted in pieces, so that a large document keeps nobody else from writing. Whoever reads one names the app
//! and what the asker may see. It never ranks.

use crypto::Place;
use kernel::{AppId, Code, Cursor, DocumentId, Fault, Page, PageRequest, PassageId, Result, Visibility};

use crate::Store;
use crate::bulk::{Rows, Verb};
use crate::connection::Sql;
use crate::document::{PIECE, admitted, still_indexing};
use crate::epoch::{self, Scope};
use crate::secret::Secrets;
use crate::value::{Row, Value, values};

/// A passage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passage {
    /// Its id.
    pub id: PassageId,
    /// Its document.
    pub document: DocumentId,
    /// The title of its document.
    pub title: String,
    /// Its place among the passages of the document, from 0.
    pub position: u32,
    /// The headings above it, outermost first.
    pub headings: Vec<String>,
    /// Where it stands in the text of the document, in bytes.
    pub span: (u64, u64),
    /// The page it begins on.
    pub page: Option<u32>,
    /// Its text.
    pub text: String,
}

/// A passage to be written.
#[derive(Clone, Debug)]
pub struct NewPassage {
    /// Its id.
    pub id: PassageId,
    /// Its place.
    pub position: u32,
    /// The headings above it.
    pub headings: Vec<String>,
    /// Where it stands in the text of the document.
    pub span: (u64, u64),
    /// The page it begins on.
    pub page: Option<u32>,
    /// Its text.
    pub text: String,
    /// Its words, as the index writes them.
    pub words: Vec<u8>,
}

/// A passage as the index reads it.
#[derive(Clone, PartialEq, Debug)]
pub struct IndexedPassage {
    /// Its id.
    pub id: PassageId,
    /// Its words, as the index wrote them.
    pub words: Vec<u8>,
    /// Its vector, when it was asked for and is known.
    pub vector: Option<Vec<f32>>,
}

const INSERT: Rows = Rows {
    verb: Verb::Insert(
        "INSERT INTO passages (id, document_id, app, visibility, position, headings, start_byte, end_byte, page, \
         text, words)",
        "",
    ),
    width: 11,
};

const VECTORS: Rows = Rows {
    verb: Verb::Update(
        "(id, vector)",
        " UPDATE passages SET vector = v.vector FROM v WHERE passages.id = v.id",
    ),
    width: 2,
};

const COLUMNS: &str = "SELECT p.id, p.document_id, p.position, p.headings, p.start_byte, p.end_byte, p.page, p.text, \
                       d.title FROM passages p JOIN documents d ON d.id = p.document_id \
                       WHERE d.status = 'ready' AND p.app = $1 AND d.app = $1";

const fn place<'a>(column: &'static str, id: &'a str) -> Place<'a> {
    Place { table: "passages", column, row: id }
}

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| Fault::internal("a sealed text is not UTF-8"))
}

fn read(secrets: &Secrets, row: &Row) -> Result<Passage> {
    let (id, document) = (row.text(0)?, row.text(1)?);
    let titled = Place { table: "documents", column: "title", row: &document };
    let headings = serde_json::from_slice(&secrets.open(place("headings", &id), &row.bytes(3)?)?)
        .map_err(|_| Fault::internal("the headings of a passage are not JSON"))?;
    let byte = |index| -> Result<u64> { Ok(u64::try_from(row.int(index)?).unwrap_or(0)) };
    Ok(Passage {
        document: DocumentId::parse(&document)?,
        position: row.count(2)?,
        headings,
        span: (byte(4)?, byte(5)?),
        page: row.maybe_count(6)?,
        text: text(secrets.open(place("text", &id), &row.bytes(7)?)?)?,
        title: text(secrets.open(titled, &row.bytes(8)?)?)?,
        id: PassageId::parse(&id)?,
    })
}

/// The numbers of a vector as they are stored.
fn pack(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn unpack(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect()
}

impl Store {
    /// Writes the next passages of a document that is being read. `conflict` when it was removed meanwhile.
    pub async fn add_passages(
        &self,
        app: &AppId,
        document: DocumentId,
        visibility: Visibility,
        passages: Vec<NewPassage>,
    ) -> Result<()> {
        let secrets = self.secrets().await?;
        let ambient = &self.inside.ambient;
        let (app, document) = (app.as_str().to_owned(), document.to_string());
        let mut passages = passages.into_iter();
        loop {
            let mut rows = Vec::new();
            for passage in passages.by_ref().take(PIECE) {
                let id = passage.id.to_string();
                let headings = serde_json::to_vec(&passage.headings).map_err(Fault::internal)?;
                let whole = |byte: u64| i64::try_from(byte).unwrap_or(i64::MAX);
                rows.extend(values![
                    id.as_str(),
                    document.as_str(),
                    app.as_str(),
                    visibility.as_str(),
                    passage.position,
                    secrets.seal(place("headings", &id), &headings, ambient),
                    whole(passage.span.0),
                    whole(passage.span.1),
                    passage.page,
                    secrets.seal(place("text", &id), passage.text.as_bytes(), ambient),
                    secrets.seal(place("words", &id), &passage.words, ambient)
                ]);
            }
            if rows.is_empty() {
                return Ok(());
            }
            let (app, document, now) = (app.clone(), document.clone(), ambient.now());
            self.write("passage.add", Vec::new(), move |tx| {
                Box::pin(async move {
                    still_indexing(tx, &app, &document, now).await?;
                    INSERT.run(tx, rows).await?;
                    Ok(())
                })
            })
            .await?;
        }
    }

    /// Deletes the passages of a document, in pieces.
    pub(crate) async fn drop_passages(&self, app: &AppId, document: DocumentId) -> Result<()> {
        let piece = i64::try_from(PIECE).unwrap_or(i64::MAX);
        loop {
            let row = values![app.as_str(), document.to_string(), piece];
            let gone = self
                .write("passage.drop", Vec::new(), move |tx| {
                    Box::pin(async move {
                        let sql = "DELETE FROM passages WHERE id IN (SELECT id FROM passages \
                                   WHERE app = $1 AND document_id = $2 ORDER BY position LIMIT $3)";
                        Ok(tx.run(sql, row).await?)
                    })
                })
                .await?;
            if gone < PIECE as u64 {
                return Ok(());
            }
        }
    }

    /// Passages of this app that the asker may see, by their ids; those that are gone are left out. In no order.
    pub async fn passages(&self, app: &AppId, sees: Visibility, ids: &[PassageId]) -> Result<Vec<Passage>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // Few different numbers of ids make few different statements.
        let room = ids.len().next_power_of_two();
        let marks: Vec<String> = (2..room + 2).map(|number| format!("${number}")).collect();
        let (admitted, marks) = (admitted(sees), marks.join(", "));
        let sql = Sql::Built(format!("{COLUMNS} AND p.{admitted} AND p.id IN ({marks})").into());
        let padded = ids.iter().chain(ids.last().into_iter().cycle()).take(room);
        let mut values = values![app.as_str()];
        values.extend(padded.map(|id| Value::from(id.to_string())));
        let rows = self.read("passage.get").await?.all(sql, values).await?;
        let secrets = self.secrets().await?;
        rows.iter().map(|row| read(secrets, row)).collect()
    }

    /// The passages of a document of this app that the asker may see, in order. Of a document that is not there, or
    /// that nothing can be found in yet, there are none.
    pub async fn document_passages(
        &self,
        app: &AppId,
        sees: Visibility,
        document: DocumentId,
        page: PageRequest,
    ) -> Result<Page<Passage>> {
        let after = page.after.map_or(-1, |cursor| cursor.key);
        let admitted = admitted(sees);
        let sql = Sql::Built(
            format!("{COLUMNS} AND p.{admitted} AND p.document_id = $2 AND p.position > $3 ORDER BY p.position LIMIT $4")
                .into(),
        );
        let values = values![app.as_str(), document.to_string(), after, page.limit.saturating_add(1)];
        let rows = self.read("passage.list").await?.all(sql, values).await?;
        let secrets = self.secrets().await?;
        let passages: Result<Vec<Passage>> = rows.iter().map(|row| read(secrets, row)).collect();
        Ok(Page::cut(passages?, page.limit, |passage| Cursor {
            key: i64::from(passage.position),
            tie: passage.id.to_string(),
        }))
    }

    /// The next passages of a document for the index: those behind `after`, at most [`Store::INDEX_PIECE`], with
    /// their vectors when `vectors` is said.
    pub async fn indexed_passages(
        &self,
        document: DocumentId,
        after: Option<u32>,
        vectors: bool,
    ) -> Result<Vec<(u32, IndexedPassage)>> {
        let sql = if vectors {
            "SELECT id, position, words, vector FROM passages WHERE document_id = $1 AND position > $2 \
             ORDER BY position LIMIT $3"
        } else {
            "SELECT id, position, words FROM passages WHERE document_id = $1 AND position > $2 \
             ORDER BY position LIMIT $3"
        };
        let values = values![document.to_string(), after.map_or(-1, i64::from), Self::INDEX_PIECE];
        let rows = self.read("passage.index").await?.all(sql, values).await?;
        let secrets = self.secrets().await?;
        let indexed = |row: &Row| -> Result<(u32, IndexedPassage)> {
            let id = row.text(0)?;
            let vector = match vectors {
                true => row
                    .maybe_bytes(3)?
                    .map(|sealed| secrets.open(place("vector", &id), &sealed))
                    .transpose()?,
                false => None,
            };
            let passage = IndexedPassage {
                words: secrets.open(place("words", &id), &row.bytes(2)?)?,
                vector: vector.map(|bytes| unpack(&bytes)),
                id: PassageId::parse(&id)?,
            };
            Ok((row.count(1)?, passage))
        };
        rows.iter().map(indexed).collect()
    }

    /// Passages that are read for the index at once.
    pub const INDEX_PIECE: u32 = 1_000;

    /// A document that can be found and has no vectors of this model, the oldest first, with its app and who may see
    /// it: embedding comes after.
    pub async fn unembedded_document(&self, model: &str) -> Result<Option<(AppId, DocumentId)>> {
        let sql = "SELECT app, id FROM documents WHERE status = 'ready' AND COALESCE(embedding, '') <> $1 \
                   ORDER BY created_at, id LIMIT 1";
        let row = self.read("document.unembedded").await?.one(sql, values![model]).await?;
        row.map(|row| Ok((AppId::parse(&row.text(0)?)?, DocumentId::parse(&row.text(1)?)?))).transpose()
    }

    /// How many documents can be found by words and not yet by meaning.
    pub async fn count_unembedded(&self, model: &str) -> Result<u64> {
        let sql = "SELECT COUNT(*) FROM documents WHERE status = 'ready' AND COALESCE(embedding, '') <> $1";
        let row = self.read("document.lag").await?.one(sql, values![model]).await?;
        Ok(row.map_or(Ok(0), |row| row.int(0))?.try_into().unwrap_or(0))
    }

    /// Keeps the vectors of passages. They are used when [`Store::finish_embedding`] has said that all are there.
    pub async fn set_vectors(&self, vectors: Vec<(PassageId, Vec<f32>)>) -> Result<()> {
        let secrets = self.secrets().await?;
        for piece in vectors.chunks(PIECE) {
            let mut rows = Vec::new();
            for (id, vector) in piece {
                let id = id.to_string();
                let sealed = secrets.seal(place("vector", &id), &pack(vector), &self.inside.ambient);
                rows.extend(values![id, sealed]);
            }
            self.write("passage.vectors", Vec::new(), move |tx| {
                Box::pin(async move {
                    VECTORS.run(tx, rows).await?;
                    Ok(())
                })
            })
            .await?;
        }
        Ok(())
    }

    /// Says that no vector counts any more: they are all to be made again.
    pub async fn forget_embeddings(&self) -> Result<()> {
        self.write_alone("document.forget", Vec::new(), move |tx| {
            Box::pin(async move {
                let sql = "UPDATE documents SET embedding = NULL WHERE embedding IS NOT NULL";
                tx.run(sql, values![]).await?;
                epoch::bump(tx, Scope::Documents).await
            })
        })
        .await
    }

    /// Says that all passages of a document have vectors of this model. `not_found` when it is gone.
    pub async fn finish_embedding(&self, app: &AppId, document: DocumentId, model: &str) -> Result<()> {
        let row = values![app.as_str(), document.to_string(), model, self.inside.ambient.now()];
        self.write_alone("document.embedded", Vec::new(), move |tx| {
            Box::pin(async move {
                let sql = "UPDATE documents SET embedding = $3, updated_at = $4 \
                           WHERE app = $1 AND id = $2 AND status = 'ready'";
                if tx.run(sql, row).await? == 0 {
                    return Err(Fault::new(Code::NotFound).into());
                }
                epoch::bump(tx, Scope::Documents).await
            })
        })
        .await
    }
}
