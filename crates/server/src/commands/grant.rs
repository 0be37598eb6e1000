//! `stoa grant add|remove|list`: which account may use or manage which app.

use std::collections::HashMap;

use anyhow::anyhow;
use kernel::{AppId, EventType, Level, PageRequest, UserId};
use serde_json::json;
use store::{Grant, Store};

use super::data::{told, with_settings};
use super::paper::{Mark, Paper, print, print_json};
use super::user::{event, find};
use crate::cli;

/// Runs the command.
pub(crate) fn run(
    global: &cli::Global,
    grant: &cli::Grant,
    ambient: &kernel::Ambient,
) -> anyhow::Result<bool> {
    with_settings(global, ambient, async |store, settings| {
        match grant {
            cli::Grant::Add { email, app, level } => {
                let level = Level::parse(level).map_err(told)?;
                let app = AppId::parse(app).map_err(told)?;
                // A grant for an app that does not exist would be a promise that nobody checks.
                if !settings.catalog.iter().any(|one| one.id == app) {
                    let known: Vec<&str> = settings.catalog.iter().map(|one| one.id.as_str()).collect();
                    return Err(anyhow!("there is no app `{app}`; there are {}", known.join(", ")));
                }
                let user = find(store, email).await?;
                let changed = event(EventType::PermissionChanged, user.id).with("app", app.as_str());
                store.set_grant(user.id, &app, level, vec![changed]).await.map_err(told)?;
                print(&format!(
                    "{email} may {} {app}, on running servers within a second.\n",
                    level.as_str()
                ))?;
            }
            cli::Grant::Remove { email, app } => {
                let app = AppId::parse(app).map_err(told)?;
                let user = find(store, email).await?;
                let changed = event(EventType::PermissionChanged, user.id).with("app", app.as_str());
                store.remove_grant(user.id, &app, vec![changed]).await.map_err(told)?;
                print(&format!("{email} has no grant for {app} any more.\n"))?;
            }
            cli::Grant::List { email, json } => list(store, email.as_deref(), *json).await?,
        }
        Ok(true)
    })
}

async fn list(store: &Store, name: Option<&str>, as_json: bool) -> anyhow::Result<()> {
    let rows: Vec<(UserId, AppId, Level)> = match name {
        Some(name) => {
            let id = find(store, name).await?.id;
            store.grants(id).await.map_err(told)?.into_iter().map(|(app, level)| (id, app, level)).collect()
        }
        None => every(store).await?.into_iter().map(|one| (one.user, one.app, one.level)).collect(),
    };
    let mut addresses: HashMap<UserId, String> = HashMap::new();
    for (id, ..) in &rows {
        if !addresses.contains_key(id) {
            addresses.insert(*id, store.user(*id).await.map_err(told)?.email);
        }
    }
    let address = |id: &UserId| addresses.get(id).map_or("", String::as_str);
    if as_json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(id, app, level)| {
                json!({ "user_id": id, "email": address(id), "app": app, "level": level.as_str() })
            })
            .collect();
        return print_json(&json!(rows));
    }
    let mut paper = Paper::standard();
    for (id, app, level) in &rows {
        paper.entry(Mark::Good, address(id), &format!("may {} {app}  {id}", level.as_str()), "")?;
    }
    if rows.is_empty() {
        paper.line("There are no grants. Admins need none.")?;
    }
    Ok(())
}

async fn every(store: &Store) -> anyhow::Result<Vec<Grant>> {
    let mut page = PageRequest::first(PageRequest::MOST);
    let mut grants = Vec::new();
    loop {
        let piece = store.grants_page(page).await.map_err(told)?;
        grants.extend(piece.items);
        match piece.next {
            Some(next) => page = PageRequest::parse(Some(PageRequest::MOST), Some(&next)).map_err(told)?,
            None => return Ok(grants),
        }
    }
}
