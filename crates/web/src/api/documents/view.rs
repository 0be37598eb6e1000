//! What the API shows of documents, passages and what was found.

use apps::{Document, Found, Passage};
use kernel::{Time, Visibility};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A document.
#[derive(Serialize, ToSchema)]
#[schema(as = Document)]
pub(crate) struct DocumentView {
    /// Its id.
    pub(super) id: Uuid,
    /// The app that answers from it.
    #[schema(example = "support")]
    pub(super) app: String,
    /// Who may see it: `everyone` who may enter the app, or its `staff`.
    pub(super) visibility: &'static str,
    /// What it is called.
    pub(super) title: String,
    /// The name it came with.
    pub(super) name: String,
    /// What it is: `pdf`, `docx`, `html`, `markdown`, `csv`, `text`; empty when it could not be read.
    #[schema(example = "pdf")]
    pub(super) kind: String,
    /// Bytes of the file.
    pub(super) bytes: u64,
    /// `indexing`, `ready` or `failed`.
    #[schema(example = "ready")]
    pub(super) status: &'static str,
    /// Why it could not be read: a sentence.
    pub(super) reason: Option<String>,
    /// What a reader should know: sentences.
    pub(super) warnings: Vec<String>,
    /// How many passages it has.
    pub(super) passages: u32,
    /// The model whose vectors it is found by, beside its words.
    pub(super) embedding: Option<String>,
    /// Who added it; shown to those who may change it.
    pub(super) added_by: Option<String>,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    pub(super) created_at: Time,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub(super) updated_at: Time,
}

impl DocumentView {
    pub(super) fn of(row: Document, sees: Visibility) -> DocumentView {
        DocumentView {
            id: row.id.uuid(),
            app: row.app.to_string(),
            visibility: row.visibility.as_str(),
            title: row.title,
            name: row.name,
            kind: row.kind,
            bytes: row.bytes,
            status: row.status.as_str(),
            reason: row.reason,
            warnings: row.warnings,
            passages: row.passages,
            embedding: row.embedding,
            added_by: (sees == Visibility::Staff).then_some(row.added_by),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// What became of one of several files.
#[derive(Serialize, ToSchema)]
#[schema(as = AddedFile)]
pub(crate) struct AddedView {
    /// The name it came with.
    pub(super) name: String,
    /// The document, unless it was refused.
    pub(super) document: Option<DocumentView>,
    /// The code of the refusal: `conflict` for what is there already.
    pub(super) code: Option<&'static str>,
    /// Why it was refused.
    pub(super) detail: Option<String>,
}

/// The document, or what became of each file when several came.
#[derive(Serialize, ToSchema)]
#[schema(as = AddedDocuments)]
#[serde(untagged)]
pub(crate) enum Answer {
    /// Of one file or text.
    One(Box<DocumentView>),
    /// Of several files, in their order.
    Several {
        /// One for each file.
        items: Vec<AddedView>,
    },
}

/// A passage of a document.
#[derive(Serialize, ToSchema)]
#[schema(as = Passage)]
pub(crate) struct PassageView {
    /// Its id: what citations name.
    id: Uuid,
    /// Its place in the document, from 0.
    position: u32,
    /// The headings above it, outermost first.
    heading_path: Vec<String>,
    /// The page it begins on, in documents that have pages.
    page: Option<u32>,
    /// Where it stands in the text of the document.
    span: SpanView,
    /// Its text.
    text: String,
}

/// A place in the text of a document, in bytes of UTF-8.
#[derive(Serialize, ToSchema)]
#[schema(as = Span)]
pub(crate) struct SpanView {
    /// The first byte.
    start: u64,
    /// The byte after the last.
    end: u64,
}

impl From<Passage> for PassageView {
    fn from(row: Passage) -> PassageView {
        PassageView {
            id: row.id.uuid(),
            position: row.position,
            heading_path: row.headings,
            page: row.page,
            span: SpanView { start: row.span.0, end: row.span.1 },
            text: row.text,
        }
    }
}

/// A passage that was found.
#[derive(Serialize, ToSchema)]
#[schema(as = Found)]
pub(crate) struct FoundView {
    /// The passage.
    pub(super) passage_id: Uuid,
    /// Its document.
    pub(super) document_id: Uuid,
    /// The title of the document.
    pub(super) title: String,
    /// The headings above the passage, outermost first.
    pub(super) heading_path: Vec<String>,
    /// The page it begins on, in documents that have pages.
    pub(super) page: Option<u32>,
    /// Where it stands in the text of the document.
    pub(super) span: SpanView,
    /// Its text, byte for byte.
    pub(super) text: String,
    /// The greater the better; comparable within one search only.
    pub(super) score: f32,
    /// How sure it is that the passage answers the question, 0 to 1.
    pub(super) confidence: f32,
    /// It is sure enough to be answered from.
    pub(super) supported: bool,
}

impl From<Found> for FoundView {
    fn from(found: Found) -> FoundView {
        FoundView {
            passage_id: found.passage_id.uuid(),
            document_id: found.document_id.uuid(),
            title: found.title,
            heading_path: found.heading_path,
            page: found.page,
            span: SpanView { start: found.span.start as u64, end: found.span.end as u64 },
            text: found.text,
            score: found.score,
            confidence: found.confidence,
            supported: found.confidence >= apps::SUPPORTED,
        }
    }
}

/// What was found.
#[derive(Serialize, ToSchema)]
#[schema(as = Search)]
pub(crate) struct SearchView {
    /// The passages, best first.
    pub(super) items: Vec<FoundView>,
}
