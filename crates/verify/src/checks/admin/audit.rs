//! The audit log sees what happens: a refused credential of this run is in it within seconds, in the documented form and
//! without the credential.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{enter, own_address, text, whole};
use crate::answer::text_at;
use crate::chance;
use crate::checks::probes::is_utc_time;
use crate::deployment::Deployment;
use crate::verdict::{Verdict, ensure};

const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// Shows a wrong key and looks for the event of it.
pub(crate) async fn log(deployment: &Deployment) -> Verdict {
    let who = enter(deployment).await?;
    let health = deployment.client.get("/health").send().await?.json()?;
    // By the clock of the server, so that a wrong clock here does not matter.
    let since = text_at(&health, "/timestamp", "/health")?.to_owned();
    let wrong = format!("stoa_{}", chance::marker());
    let refused = deployment.client.get("/api/v1/apps").header("x-api-key", &wrong).send().await?;
    refused.expect(&[401])?;
    let begun = Instant::now();
    let event = loop {
        let since = url::form_urlencoded::byte_serialize(since.as_bytes()).collect::<String>();
        let path = format!("/api/v1/admin/audit?event=auth.failure&since={since}");
        let found = whole(deployment, &path).await?;
        ensure(
            !found.iter().any(|event| event.to_string().contains(&wrong)),
            || "the audit log holds a credential as it was sent",
        )?;
        let address = own_address(&who);
        if let Some(event) = found.into_iter().find(|event| text(event, "ip_address") == address) {
            break event;
        }
        let soon = deployment.options.timeout;
        ensure(begun.elapsed() < soon, || {
            format!("a refused key is not in the audit log after {} s", soon.as_secs())
        })?;
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    form(&event)?;
    Ok(format!(
        "a refused key was in the audit log after {:.1} s, whole and without the key",
        begun.elapsed().as_secs_f64()
    ))
}

/// The form of document 002.
fn form(event: &Value) -> Verdict<()> {
    ensure(
        is_utc_time(text(event, "timestamp")) && text(event, "timestamp").ends_with('Z'),
        || "an audit event has no time in UTC",
    )?;
    ensure(SEVERITIES.contains(&text(event, "severity")), || {
        format!("an audit event has the severity `{}`", text(event, "severity"))
    })?;
    for field in ["event_type", "actor", "hash"] {
        ensure(!text(event, field).is_empty(), || format!("an audit event has no `{field}`"))?;
    }
    ensure(event.get("details").is_some_and(Value::is_object), || "an audit event has no `details`")
}
