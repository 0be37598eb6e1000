//! A passage that was found, with how sure it is that it answers. It never holds more than the asker may see.

use kernel::{DocumentId, PassageId};
use knowledge::Span;

/// From this confidence on a passage is taken to answer the question: nine of ten questions that the documents do
/// answer reach it.
pub const SUPPORTED: f32 = 0.5;

/// A passage that was found.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// The passage.
    pub passage_id: PassageId,
    /// Its document.
    pub document_id: DocumentId,
    /// The title of the document.
    pub title: String,
    /// The headings above the passage, outermost first.
    pub heading_path: Vec<String>,
    /// The page it begins on, in documents that have pages.
    pub page: Option<u32>,
    /// Where it stands in the text of the document, in bytes.
    pub span: Span,
    /// Its text, byte for byte: what is quoted from it is a part of this.
    pub text: String,
    /// The score of the ranking; comparable within one search only.
    pub score: f32,
    /// How sure it is that the passage supports an answer to the question, 0 to 1; see [`SUPPORTED`].
    pub confidence: f32,
}
