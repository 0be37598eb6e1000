//! Looks for content of apps that are in the configuration no more. It changes nothing.

use std::time::Duration;

use kernel::Ambient;
use ops::retention::{Removed, removed};
use store::{Database, Store};

use super::Probe;
use crate::settings::Settings;

/// A database that does not answer by then says nothing.
const PATIENCE: Duration = Duration::from_secs(10);
const NAME: &str = "content without an app";

/// What lies in apps that nobody can enter any more.
pub(crate) async fn apps(settings: &Settings, ambient: &Ambient) -> Vec<Probe> {
    if let Database::Sqlite { path } = &settings.store.database
        && !path.exists()
    {
        return Vec::new();
    }
    // A look makes no key.
    let mut sources = settings.keys.clone();
    sources.may_make = false;
    let Ok(keys) = sources.open(ambient.random()) else { return Vec::new() };
    let looked = async {
        let store = Store::open(settings.store.clone(), keys.keyring, ambient.clone()).await?;
        let found = removed(&store, &settings.retention).await;
        store.close().await;
        found
    };
    match tokio::time::timeout(PATIENCE, looked).await {
        Ok(Ok(found)) if found.is_empty() => vec![Probe::good(NAME, "there is none")],
        Ok(Ok(found)) => found.iter().map(judge).collect(),
        _ => vec![Probe::nothing(NAME, "the database has to be reached and migrated first")],
    }
}

fn judge(one: &Removed) -> Probe {
    let Removed { content, ends } = one;
    let many = |count: u64, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let until = match ends {
        Some(time) => format!("kept until {} at the latest", time.rfc3339_seconds()),
        None => "kept as its last configuration said".to_owned(),
    };
    Probe::attention(
        NAME,
        format!(
            "the app `{}` is not configured any more: {} and {} lie in it, {until}",
            content.app,
            many(content.conversations, "conversation"),
            many(content.files, "file")
        ),
        "put the app back into `[[apps]]` if its name was mistyped; RETENTION_REMOVED_APPS says how long the rest stays",
    )
}
