//! What was decided, as a file to train the judge with: one JSON object a line, `label`, `categories` and `text`. It is
//! read piece by piece, so that it never holds more than a piece, and it gives out nothing that is still open.

use identity::{Admin, May};
use kernel::{EventType, PageRequest, Result};
use serde_json::json;
use store::{Decision, ReviewFilter};

use super::event;
use crate::Hall;

/// An export under way.
pub struct ReviewExport {
    hall: Hall,
    may: May<Admin>,
    next: Option<PageRequest>,
}

impl Hall {
    /// Begins to write the decisions into a file. That they leave is written down.
    pub fn export_reviews(&self, may: &May<Admin>) -> ReviewExport {
        self.rooms.audit.note(event(may, EventType::DataExported).with("what", "reviews"));
        ReviewExport {
            hall: self.clone(),
            may: may.clone(),
            next: Some(PageRequest::first(PageRequest::MOST)),
        }
    }
}

impl ReviewExport {
    /// Who asked for it: whoever is no admin any more gets no more of it.
    pub const fn may(&self) -> &May<Admin> {
        &self.may
    }

    /// The next lines; `None` after the last.
    pub async fn piece(&mut self) -> Result<Option<String>> {
        let Some(page) = self.next.take() else { return Ok(None) };
        let filter = ReviewFilter { open: Some(false), ..ReviewFilter::default() };
        let found = self.hall.rooms.store.reviews(&filter, page).await?;
        let mut lines = String::new();
        for review in &found.items {
            let text = self.hall.words_of(review).await?;
            let Some(decision) = review.decision.filter(|_| !text.is_empty()) else { continue };
            let label = match decision {
                Decision::Upheld => "rightly_flagged",
                Decision::WronglyFlagged => "wrongly_flagged",
            };
            let categories: Vec<&str> = review.findings.iter().map(|one| one.category.as_str()).collect();
            let line = json!({
                "label": label,
                "categories": categories,
                "text": text,
                "app": review.app.as_str(),
                "source": review.source.as_str(),
            });
            lines.push_str(&line.to_string());
            lines.push('\n');
        }
        if let Some(next) = &found.next {
            self.next = Some(PageRequest::parse(Some(PageRequest::MOST), Some(next))?);
        }
        Ok(Some(lines))
    }
}
