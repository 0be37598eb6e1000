//! What the database keeps for somebody who helps: which migrations are applied, and the newest lines of the log that the
//! server has put there. It makes no key and changes nothing.

use std::time::Duration;

use crypto::{Keyring, MasterKey};
use kernel::Ambient;
use serde_json::{Value, json};
use store::{Database, Store};

use crate::jobs::RECENT;
use crate::settings::Settings;

const PATIENCE: Duration = Duration::from_secs(10);

/// The migrations, and the lines, as far as they can be read.
pub(crate) async fn history(settings: &Settings, ambient: &Ambient) -> (Vec<Value>, Vec<String>) {
    if let Database::Sqlite { path } = &settings.store.database
        && !path.exists()
    {
        return (Vec::new(), Vec::new());
    }
    // The key opens the lines; without it the migrations can be read all the same.
    let mut sources = settings.keys.clone();
    sources.may_make = false;
    let own = sources.open(ambient.random()).ok().map(|keys| keys.keyring);
    let known = own.is_some();
    let keyring = own.unwrap_or_else(|| Keyring::new(MasterKey::generate(ambient.random()), Vec::new()));
    let open = Store::open(settings.store.clone(), keyring, ambient.clone());
    let Ok(Ok(store)) = tokio::time::timeout(PATIENCE, open).await else { return (Vec::new(), Vec::new()) };
    let steps = store.migrations().await.unwrap_or_default();
    let steps = steps
        .into_iter()
        .map(|step| json!({ "version": step.version, "name": step.name, "applied_at": step.applied_at }));
    let steps: Vec<Value> = steps.collect();
    let lines =
        if known && store.check_key().await.is_ok() { store.get_state(RECENT).await } else { Ok(None) };
    let lines = lines.ok().flatten().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    store.close().await;
    (steps, lines)
}
