//! What apps answer from: documents are added, listed, read, removed and searched here, by people, by keys, by the
//! operator's commands and by the kinds of apps. It never decides what is said with what was found.

mod found;

use kernel::{AppId, Result, Visibility};

pub use found::{Found, SUPPORTED};

/// The documents of all apps. Cheap to clone.
#[derive(Clone, Default)]
pub struct Library {}

impl Library {
    /// The passages of the app's documents that answer `query` best, the best first, at most `limit`. `sees` is what
    /// the asker may see: [`Visibility::Everyone`] finds in documents for everyone alone, [`Visibility::Staff`] in all.
    pub async fn search(
        &self,
        _app: &AppId,
        _sees: Visibility,
        _query: &str,
        _limit: usize,
    ) -> Result<Vec<Found>> {
        Ok(Vec::new())
    }
}
