//! What only an administrator can see, looked at with the token of one: settings, accounts, keys, alerts, the audit log,
//! the brake, backups. It changes nothing but what a backup adds, and shows no value of a secret.

mod accounts;
mod audit;
mod backups;
mod settings;
mod watch;

use serde_json::Value;

use crate::answer::{list_at, text_at};
use crate::deployment::{Caller, Deployment};
use crate::verdict::{Verdict, skip};

pub(super) use accounts::{keys, people};
pub(super) use audit::log;
pub(super) use backups::backups;
pub(super) use settings::settings;
pub(super) use watch::{OWN_DOING, alerts, brake};

/// The most pieces of a list that are read.
const PIECES: usize = 20;

/// Goes on for the token of an admin. Gives what the server says of its bearer.
async fn enter(deployment: &Deployment) -> Verdict<Value> {
    if deployment.options.token.is_none() {
        return Err(skip("there is no --token of an admin"));
    }
    let answer = deployment.client.get("/api/v1/whoami").by(&Caller::Account).send().await?;
    answer.expect(&[200])?;
    let who = answer.json()?;
    match who.pointer("/principal/role").and_then(Value::as_str) {
        Some("admin") => Ok(who),
        _ => Err(skip("the --token is not that of an admin")),
    }
}

/// The address that the server takes this run to come from.
fn own_address(who: &Value) -> &str {
    who.pointer("/address/ip").and_then(Value::as_str).unwrap_or_default()
}

/// Everything of a list, as far as a check wants to read. Skips where the server does not have the list.
async fn whole(deployment: &Deployment, path: &str) -> Verdict<Vec<Value>> {
    let mut items = Vec::new();
    let mut after = String::new();
    for _ in 0..PIECES {
        let sign = if path.contains('?') { '&' } else { '?' };
        let piece = format!("{path}{sign}limit=100{after}");
        let answer = deployment.client.get(&piece).by(&Caller::Account).send().await?;
        if answer.status == 404 {
            return Err(skip(format!("this server has no {path}")));
        }
        answer.expect(&[200])?;
        let page = answer.json()?;
        items.extend(list_at(&page, "/items", path)?.iter().cloned());
        match text_at(&page, "/next", path) {
            Ok(next) => after = format!("&after={}", coded(next)),
            Err(_) => break,
        }
    }
    Ok(items)
}

/// A cursor as it may stand in a query.
fn coded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A text field of an item; empty when it is not there.
fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A field of an item that is neither absent nor `null`.
fn has(item: &Value, name: &str) -> bool {
    item.get(name).is_some_and(|value| !value.is_null())
}

/// `name, name and 3 more`.
fn some<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match names.get(..5) {
        Some(first) if names.len() > 5 => format!("{} and {} more", first.join(", "), names.len() - 5),
        _ => names.join(", "),
    }
}
