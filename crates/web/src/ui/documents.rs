//! The pages of documents: the list with what adds to it, a document with its passages, the question before one is
//! removed. Titles, names, reasons and passages are what others wrote: they are text.

use std::ops::Range;

use askama::Template;
use kernel::Time;

use super::app::AppShell;
use super::form::FormView;
use super::frame::size;
use super::pieces::{DropZone, Empty, FilterTab};
use crate::texts::{count, filters, key, say};

/// `/apps/{app}/documents`.
#[derive(Clone, Debug, Template)]
#[template(path = "documents/list.html")]
pub(crate) struct DocumentsPage {
    pub(crate) shell: AppShell,
    /// Where files are dropped; `None` for those who may only read.
    pub(crate) zone: Option<DropZone>,
    /// The form of a text.
    pub(crate) form: FormView,
    /// The form of a text is open.
    pub(crate) writing: bool,
    pub(crate) tabs: Vec<FilterTab>,
    pub(crate) documents: Vec<DocumentView>,
    pub(crate) next: Option<String>,
    pub(crate) empty: Empty,
    /// What was asked of the documents, and what was found.
    pub(crate) search: Option<SearchView>,
    /// What became of files that came with the plain form: the name, what became of it, whether it is there.
    pub(crate) added: Vec<(String, String, bool)>,
}

/// A document in the list.
#[derive(Clone, Debug)]
pub(crate) struct DocumentView {
    pub(crate) id: String,
    pub(crate) title: String,
    /// The name of its file, where that says more than the title.
    pub(crate) name: String,
    /// `PDF`, `Markdown`; empty when it could not be read.
    pub(crate) kind: &'static str,
    pub(crate) bytes: u64,
    pub(crate) passages: u32,
    /// `ready`, `indexing` or `failed`.
    pub(crate) status: &'static str,
    /// Why it could not be read.
    pub(crate) reason: String,
    pub(crate) warnings: Vec<String>,
    pub(crate) staff: bool,
    pub(crate) at: Time,
}

impl DocumentView {
    /// The status as a word, and its colour.
    pub(crate) fn state(&self) -> (&'static str, &'static str) {
        match self.status {
            "ready" => (key("Ready"), "good"),
            "failed" => (key("Not readable"), "bad"),
            _ => (key("Being read"), "warn"),
        }
    }

    /// What it is, how large it is and how many passages it has, in one line.
    pub(crate) fn facts(&self) -> String {
        let passages = count("{count} passage|{count} passages", u64::from(self.passages)).to_string();
        [say(self.kind).to_string(), size(self.bytes), passages]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" · ")
    }
}

/// What was asked of the documents.
#[derive(Clone, Debug)]
pub(crate) struct SearchView {
    pub(crate) query: String,
    /// Why it was not looked for.
    pub(crate) problem: String,
    pub(crate) found: Vec<FoundView>,
}

impl SearchView {
    /// Whether a customer would be answered.
    pub(crate) fn is_supported(&self) -> bool {
        self.found.iter().any(|one| one.supported)
    }
}

/// A passage that was found.
#[derive(Clone, Debug)]
pub(crate) struct FoundView {
    pub(crate) title: String,
    pub(crate) headings: String,
    pub(crate) page: Option<u32>,
    pub(crate) href: String,
    /// The text in pieces; those that the question means are marked.
    pub(crate) text: Vec<(String, bool)>,
    /// In hundredths.
    pub(crate) confidence: u32,
    /// It is sure enough to be answered from.
    pub(crate) supported: bool,
}

/// `/apps/{app}/documents/{id}`.
#[derive(Clone, Debug, Template)]
#[template(path = "documents/one.html")]
pub(crate) struct DocumentPage {
    pub(crate) shell: AppShell,
    pub(crate) document: DocumentView,
    pub(crate) passages: Vec<PassageView>,
    /// Which sheet it is, counted from 1, and how many there are.
    pub(crate) sheet: (u32, u32),
    /// The person may remove it.
    pub(crate) manages: bool,
    /// A citation led here.
    pub(crate) cited: Cited,
}

/// Whether a citation led here, and whether what it quotes is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cited {
    /// None did.
    No,
    /// The place is on the page.
    Here,
    /// It has gone.
    Gone,
}

/// A passage as it is read.
#[derive(Clone, Debug)]
pub(crate) struct PassageView {
    pub(crate) id: String,
    /// The headings above it, where they differ from those of the passage before.
    pub(crate) headings: Vec<String>,
    /// Its page, where that differs from the passage before.
    pub(crate) page: Option<u32>,
    /// The text in pieces; the quoted one is marked.
    pub(crate) text: Vec<(String, bool)>,
    /// The quote begins in it.
    pub(crate) quoted: bool,
    /// A citation names it.
    pub(crate) named: bool,
}

/// The question before a document is removed.
#[derive(Clone, Debug, Template)]
#[template(path = "documents/remove.html")]
pub(crate) struct RemovePage {
    pub(crate) shell: AppShell,
    pub(crate) document: DocumentView,
}

/// A text in pieces, those in `marks` marked. Marks that lie badly are left out.
pub(crate) fn pieces(text: &str, marks: &[Range<usize>]) -> Vec<(String, bool)> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for mark in marks {
        let (Some(before), Some(marked)) = (text.get(at..mark.start), text.get(mark.clone())) else {
            continue;
        };
        if !before.is_empty() {
            pieces.push((before.to_owned(), false));
        }
        if !marked.is_empty() {
            pieces.push((marked.to_owned(), true));
        }
        at = mark.end;
    }
    if let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        pieces.push((rest.to_owned(), false));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(
        clippy::single_range_in_vec_init,
        clippy::reversed_empty_ranges,
        reason = "places as they come, the impossible ones too"
    )]
    fn texts_are_cut_into_pieces_without_loss() {
        let text = "Wi\u{e4}thin 30 days.";
        for marks in
            [vec![], vec![0..4], vec![4..10, 10..12], vec![3..9], vec![5..2], vec![90..95], vec![4..6, 1..2]]
        {
            let cut = pieces(text, &marks);
            assert_eq!(cut.iter().map(|(piece, _)| piece.as_str()).collect::<String>(), text, "{marks:?}");
        }
        assert_eq!(pieces("a b", &[2..3]), [("a ".to_owned(), false), ("b".to_owned(), true)]);
    }
}
