//! Documents as people read them: lists by how far they are, a document in sheets of passages that open at a place, and
//! which words of a passage a question means. What the asker may not see is not looked at.

use std::collections::HashSet;
use std::ops::Range;

use identity::{DocumentsRead, May};
use kernel::{Cursor, DocumentId, Page, PageRequest, PassageId, Result};
use knowledge::Language;
use store::{Document, DocumentStatus, Passage};

use crate::Hall;

/// Passages on one sheet of a document.
const SHEET: u32 = 40;

/// Where a document is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenAt {
    /// At this sheet, counted from 0.
    Sheet(u32),
    /// At the sheet with this passage; at the first when it is gone.
    Passage(PassageId),
}

/// A document that is open.
#[derive(Clone, Debug)]
pub struct OpenDocument {
    /// The document.
    pub document: Document,
    /// The passages of the sheet, in order.
    pub passages: Vec<Passage>,
    /// Which sheet it is, counted from 0.
    pub sheet: u32,
    /// How many there are.
    pub sheets: u32,
}

impl Hall {
    /// The documents that the caller may see and that are this far, newest first.
    pub async fn documents_of(
        &self,
        may: &May<DocumentsRead>,
        status: Option<DocumentStatus>,
        page: PageRequest,
    ) -> Result<Page<Document>> {
        let app = &may.what().0;
        self.shelf(app)?;
        let found = self.rooms.store.documents_of(app, may.sees(), status, page).await?;
        self.looked(may, "list", found.items.len());
        Ok(found)
    }

    /// How many documents that the caller may see are how far.
    pub async fn count_documents(&self, may: &May<DocumentsRead>) -> Result<Vec<(DocumentStatus, u64)>> {
        let app = &may.what().0;
        self.shelf(app)?;
        self.rooms.store.count_documents(app, may.sees()).await
    }

    /// Opens a document that the caller may see.
    pub async fn open_document(
        &self,
        may: &May<DocumentsRead>,
        id: DocumentId,
        at: OpenAt,
    ) -> Result<OpenDocument> {
        let (app, sees, store) = (&may.what().0, may.sees(), &self.rooms.store);
        let document = self.document(may, id).await?;
        let sheets = document.passages.div_ceil(SHEET).max(1);
        let sheet = match at {
            OpenAt::Sheet(sheet) => sheet.min(sheets - 1),
            OpenAt::Passage(passage) => {
                let found = store.passages(app, sees, &[passage]).await?;
                found.iter().find(|one| one.document == id).map_or(0, |one| one.position / SHEET)
            }
        };
        let before = i64::from(sheet) * i64::from(SHEET) - 1;
        let page = PageRequest {
            after: Some(Cursor { key: before, tie: String::new() }),
            ..PageRequest::first(SHEET)
        };
        let passages = store.document_passages(app, sees, id, page).await?.items;
        Ok(OpenDocument { document, passages, sheet, sheets })
    }
}

/// The words of `text` that a question means, as ranges of bytes in order: those with the same stems.
pub fn meant(question: &str, text: &str) -> Vec<Range<usize>> {
    let language = Language::of(question);
    let wanted: HashSet<String> = language.content(question).into_iter().collect();
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (c.is_alphanumeric(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                start = None;
                let word = text.get(from..at).unwrap_or_default();
                if language.content(word).iter().any(|stem| wanted.contains(stem)) {
                    found.push(from..at);
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_the_same_stems_are_meant() {
        let text = "Returning a blender: blenders go back within 30 days. The parcel is paid for.";
        let words = |question: &str| -> Vec<&str> {
            meant(question, text).into_iter().map(|range| &text[range]).collect()
        };
        assert_eq!(
            words("How do I return a blender in 30 days?"),
            ["Returning", "blender", "blenders", "30", "days"]
        );
        assert!(words("").is_empty() && words("is the for").is_empty());
        assert!(
            meant("ä", "\u{1f600} ä\u{301}")
                .iter()
                .all(|range| "\u{1f600} ä\u{301}".get(range.clone()).is_some())
        );
    }
}
