//! Which apps hold content, whether the configuration knows them or not. It never says whose it is.

use kernel::{AppId, Result};

use crate::Store;
use crate::value::values;

/// What lies in an app.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppContent {
    /// The app.
    pub app: AppId,
    /// Its conversations.
    pub conversations: u64,
    /// Its files, those in the trash too.
    pub files: u64,
}

/// The next app after this one in each table that retention sweeps: one step in an index each.
const NEXT: [&str; 6] = [
    "SELECT min(app) FROM conversations WHERE app > $1",
    "SELECT min(app) FROM files WHERE app > $1",
    "SELECT min(app) FROM feedback WHERE app > $1",
    "SELECT min(app) FROM outcomes WHERE app > $1",
    "SELECT min(app) FROM gaps WHERE app > $1",
    "SELECT min(app) FROM reviews WHERE app > $1",
];

impl Store {
    /// Every app that holds content, in order. It costs a few steps in indexes, however much there is.
    pub async fn apps_with_content(&self) -> Result<Vec<AppId>> {
        let mut reader = self.read("app.content").await?;
        let mut found = Vec::new();
        for sql in NEXT {
            let mut last = String::new();
            while let Some(row) = reader.one(sql, values![last.as_str()]).await? {
                let Some(app) = row.maybe_text(0)? else { break };
                found.push(AppId::parse(&app)?);
                last = app;
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// How much lies in an app. It counts rows: for a command, not for a request.
    pub async fn app_content(&self, app: &AppId) -> Result<AppContent> {
        let mut reader = self.read("app.count").await?;
        let mut counts = [0_u64; 2];
        let counted = [
            "SELECT count(*) FROM conversations WHERE app = $1",
            "SELECT count(*) FROM files WHERE app = $1",
        ];
        for (count, sql) in counts.iter_mut().zip(counted) {
            if let Some(row) = reader.one(sql, values![app.as_str()]).await? {
                *count = u64::try_from(row.int(0)?).unwrap_or(0);
            }
        }
        let [conversations, files] = counts;
        Ok(AppContent { app: app.clone(), conversations, files })
    }
}
