//! `stoa key create|list|rotate|revoke`: API keys. A key is shown once; the database holds its digest.

use anyhow::Context as _;
use crypto::token;
use kernel::{Actor, Ambient, AppId, AuditEvent, EventType, KeyId, PageRequest, Time};
use serde_json::json;
use store::{ApiKey, NewKey, Store};

use super::data::{told, with_store};
use super::paper::{Mark, Paper, complain, print, print_json};
use super::user::find;
use crate::ages;
use crate::cli::{Global, Key};

/// Runs the command.
pub(crate) fn run(global: &Global, key: &Key, ambient: &Ambient) -> anyhow::Result<bool> {
    with_store(global, ambient, true, async |store| {
        match key {
            Key::Create { name, apps, user, scopes, per_minute, per_hour, expires, json } => {
                guard::content::validate::name(name).map_err(told)?;
                let apps =
                    apps.iter().map(|app| AppId::parse(app)).collect::<Result<Vec<_>, _>>().map_err(told)?;
                identity::Scopes::parse(scopes).map_err(told)?;
                let user = match user {
                    Some(name) => Some(find(store, name).await?.id),
                    None => None,
                };
                let secret = token::api_key(ambient.random());
                let new = NewKey {
                    id: KeyId::new(ambient),
                    user,
                    name: name.clone(),
                    digest: token::digest(secret.expose()),
                    apps,
                    scopes: scopes.clone(),
                    per_minute: *per_minute,
                    per_hour: *per_hour,
                    expires_at: expires.map(|span| ambient.now() + span),
                };
                let id = new.id;
                create(store, new).await?;
                show(id, secret.expose(), *json)?;
            }
            Key::List { json } => list(store, *json, ambient.now()).await?,
            Key::Rotate { id, json } => rotate(store, id, *json, ambient).await?,
            Key::Revoke { id } => {
                let id = key_id(id)?;
                let event =
                    AuditEvent::new(EventType::KeyRevoked, Actor::Operator).to(format_args!("key:{id}"));
                store.revoke_key(None, id, vec![event]).await.map_err(told)?;
                print(&format!("Key {id} is revoked; running servers refuse it within a second.\n"))?;
            }
        }
        Ok(true)
    })
}

/// A key of an account is bounded by that account at every use, so what is asked for here can promise no more.
async fn create(store: &Store, new: NewKey) -> anyhow::Result<()> {
    let apps: Vec<&str> = new.apps.iter().map(AppId::as_str).collect();
    let event = AuditEvent::new(EventType::KeyCreated, Actor::Operator)
        .to(format_args!("key:{}", new.id))
        .with("apps", apps)
        .with("scopes", new.scopes.clone())
        .with("user", new.user.map(|id| id.to_string()))
        .with("expires_at", new.expires_at.map(Time::rfc3339_seconds));
    store.create_key(new, vec![event]).await.map_err(told)?;
    Ok(())
}

async fn rotate(store: &Store, id: &str, json: bool, ambient: &Ambient) -> anyhow::Result<()> {
    let (id, secret) = (key_id(id)?, token::api_key(ambient.random()));
    let event = AuditEvent::new(EventType::KeyRotated, Actor::Operator).to(format_args!("key:{id}"));
    store.rotate_key(None, id, &token::digest(secret.expose()), vec![event]).await.map_err(told)?;
    show(id, secret.expose(), json)
}

/// The only time that a key is shown: the key alone on standard output, so that it can be piped.
fn show(id: KeyId, secret: &str, json: bool) -> anyhow::Result<()> {
    if json {
        return print_json(&json!({ "id": id, "key": secret }));
    }
    print(&format!("{secret}\n"))?;
    complain(&format!("Key {id}. Keep it now: it is not shown again."));
    Ok(())
}

async fn list(store: &Store, json: bool, now: Time) -> anyhow::Result<()> {
    let mut page = PageRequest::first(PageRequest::MOST);
    let mut keys: Vec<ApiKey> = Vec::new();
    loop {
        let piece = store.keys(None, page).await.map_err(told)?;
        keys.extend(piece.items);
        match piece.next {
            Some(next) => page = PageRequest::parse(Some(PageRequest::MOST), Some(&next)).map_err(told)?,
            None => break,
        }
    }
    if json {
        let rows: Vec<_> = keys
            .iter()
            .map(|key| {
                json!({
                    "id": key.id, "name": key.name, "user_id": key.user, "apps": key.apps, "scopes": key.scopes,
                    "per_minute": key.per_minute, "per_hour": key.per_hour, "created_at": key.created_at, "rotated_at": key.rotated_at,
                    "expires_at": key.expires_at, "revoked_at": key.revoked_at, "last_used_at": key.last_used_at,
                })
            })
            .collect();
        return print_json(&json!(rows));
    }
    let mut paper = Paper::standard();
    for key in &keys {
        let days = ages::of_key(key, now);
        let fresh = if days < ages::OLD { Mark::Good } else { Mark::Attention };
        let (mark, state) = match (key.revoked_at, key.expires_at) {
            (Some(at), _) => (Mark::Nothing, format!("revoked {}", at.rfc3339_seconds())),
            (None, Some(at)) if at <= now => (Mark::Nothing, format!("expired {}", at.rfc3339_seconds())),
            (None, Some(at)) => (fresh, format!("until {}", at.rfc3339_seconds())),
            (None, None) => (fresh, "no end".to_owned()),
        };
        let apps: Vec<&str> = key.apps.iter().map(AppId::as_str).collect();
        let apps = if apps.is_empty() { "every app that takes keys".to_owned() } else { apps.join(", ") };
        let used = key.last_used_at.map_or_else(|| "never".to_owned(), Time::rfc3339_seconds);
        paper.entry(
            mark,
            &key.name,
            &format!("{}  {days} days old, {state}; {apps}; last used {used}", key.id),
            "",
        )?;
    }
    if keys.is_empty() {
        paper.line("There are no keys. `stoa key create NAME` makes one.")?;
    }
    Ok(())
}

fn key_id(text: &str) -> anyhow::Result<KeyId> {
    KeyId::parse(text).context("the id of a key is a UUID, as `stoa key list` shows it")
}
