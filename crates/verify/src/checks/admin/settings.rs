//! The settings that hold, as the running server tells them: what the documents ask of production, and no secret in
//! the clear. `stoa check` asks the same on the server; here the answer is that of the process that serves.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{enter, has, text, whole};
use crate::deployment::Deployment;
use crate::verdict::{Verdict, ensure, fail};

/// Setting, what it must be in production, and the line of the documents that says so.
const WANTED: [(&str, &str, &str); 6] = [
    ("debug", "false", "no debug mode"),
    ("logs.mask", "true", "personal data is masked in logs"),
    ("limits.enabled", "true", "limits are on"),
    ("http.enforce_https", "true", "HTTPS is enforced"),
    ("encryption.enabled", "true", "data is encrypted at rest"),
    ("identity.secure_cookies", "true", "cookies travel over HTTPS alone"),
];
/// Settings in minutes that must not be above a day.
const AT_MOST_A_DAY: [&str; 2] = ["identity.session_minutes", "identity.access_token_minutes"];

struct Held(BTreeMap<String, (String, bool)>);

impl Held {
    fn value(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |(value, _)| value.as_str())
    }

    fn chosen(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|(_, chosen)| *chosen)
    }
}

/// Reads them and judges them.
pub(crate) async fn settings(deployment: &Deployment) -> Verdict {
    enter(deployment).await?;
    let items = whole(deployment, "/api/v1/admin/settings").await?;
    let mut held = BTreeMap::new();
    for item in &items {
        let (name, value) = (text(item, "name"), text(item, "value"));
        if item.get("secret").and_then(Value::as_bool) == Some(true) && has(item, "value") {
            ensure(is_fingerprint(value), || format!("the setting {name} shows a secret"))?;
        }
        // A password in an address (database, Redis, mail) is a secret too.
        ensure(!shows_password(value), || format!("the setting {name} shows a password"))?;
        let chosen = item.get("chosen").and_then(Value::as_bool) == Some(true);
        held.insert(name.to_owned(), (value.to_owned(), chosen));
    }
    let held = Held(held);
    let environment = held.value("environment");
    let told = deployment.environment().await;
    ensure(environment == told, || format!("the settings say {environment}, /health says {told}"))?;
    let faults = faults(&held);
    let count = items.len();
    if environment == "production" {
        return match faults.as_slice() {
            [] => Ok(format!("{count} settings, none against the rules of production, no secret shown")),
            all => Err(fail(all.join(", "))),
        };
    }
    Ok(match faults.len() {
        0 => format!("{count} settings of {environment}, no secret shown"),
        some => {
            format!("{count} settings of {environment}, no secret shown; {some} would not do in production")
        }
    })
}

fn faults(held: &Held) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, wanted, rule) in WANTED {
        if held.value(name) != wanted {
            faults.push(format!("{name} is `{}` ({rule})", held.value(name)));
        }
    }
    if matches!(held.value("logs.level"), "DEBUG" | "TRACE") {
        faults.push(format!("logs.level is {}", held.value("logs.level")));
    }
    for origin in held.value("http.cors_origins").split(',').map(str::trim).filter(|one| !one.is_empty()) {
        if origin.contains('*') || !origin.starts_with("https://") {
            faults.push(format!("http.cors_origins holds `{origin}`"));
        }
    }
    for name in AT_MOST_A_DAY {
        if held.value(name).parse::<u64>().is_ok_and(|minutes| minutes > 1_440) {
            faults.push(format!("{name} is {} minutes, more than a day", held.value(name)));
        }
    }
    if !held.value("server.public_url").starts_with("https://") {
        faults.push("server.public_url is not https://".to_owned());
    }
    let replicas = held.value("server.replicas").parse::<u64>().unwrap_or(1);
    if replicas > 1 && !held.chosen("redis.url") {
        faults.push(format!("{replicas} replicas count limits apart: redis.url is not set"));
    }
    let sinks = ["alerts.webhook_url", "alerts.slack_webhook_url", "alerts.email"];
    if !sinks.iter().any(|name| held.chosen(name)) {
        faults.push(
            "nobody hears of an alert: set ALERT_WEBHOOK_URL, SLACK_WEBHOOK_URL or ALERT_EMAIL".to_owned(),
        );
    }
    faults
}

/// `blake3:0123abcd… (43 characters)`, or several of them.
fn is_fingerprint(value: &str) -> bool {
    value.contains("… (")
}

/// `scheme://user:password@host` with a password that is not masked.
fn shows_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((user, _)) = authority.rsplit_once('@') else { return false };
    user.split_once(':').is_some_and(|(_, password)| {
        !password.is_empty() && password.chars().any(|c| c.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_addresses_are_seen() {
        assert!(shows_password("postgresql://stoa:hunter2@db/stoa"));
        for harmless in
            ["postgresql://stoa:***@db/stoa", "redis://redis:6379", "https://x/a@b:c", "a:b@c", ""]
        {
            assert!(!shows_password(harmless), "{harmless}");
        }
    }
}
