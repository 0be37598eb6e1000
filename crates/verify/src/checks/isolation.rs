//! Nobody sees what belongs to somebody else, and a stranger's id looks like one that does not exist.

use reqwest::Method;
use serde_json::json;

use crate::deployment::{Caller, Deployment};
use crate::problem::expect_problem;
use crate::verdict::{Verdict, ensure};

/// Two visitors; or the key and nobody where visitors are not taken.
pub(crate) async fn two(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let (owner, app) = deployment.talker().await?;
    let stranger = match owner {
        Caller::Key => Caller::Nobody,
        _ => deployment.visitor().await?,
    };
    let id = deployment.converse(&owner, &app, &deployment.marker).await?;
    let path = format!("/api/v1/conversations/{id}");
    let (messages, export, stop) =
        (format!("{path}/messages"), format!("{path}/export?format=json"), format!("{path}/stop"));
    let attempts = [
        client.get(&path),
        client.get(&messages),
        client.get(&export),
        client.ask(Method::PUT, &path).json(&json!({"title": "taken"})),
        client.post(&messages).json(&json!({"content": "hello"})),
        client.post(&stop).json(&json!({})),
        client.ask(Method::DELETE, &path),
    ];
    let (status, code) = match stranger {
        Caller::Nobody => (401, "unauthenticated"),
        _ => (404, "not_found"),
    };
    let count = attempts.len();
    for attempt in attempts {
        let answer = attempt.by(&stranger).send().await?;
        expect_problem(&answer, &[status], &[code])?;
    }
    if status == 404 {
        let list = format!("/api/v1/conversations?q={}", deployment.marker);
        let answer = client.get(&list).by(&stranger).send().await?;
        answer.expect(&[200])?;
        ensure(!answer.text().contains(&id), || "the list of a stranger holds the conversation")?;
    }
    let own = client.get(&path).by(&owner).send().await?;
    own.expect(&[200])?;
    ensure(!own.text().contains("taken"), || "a stranger has renamed the conversation")?;
    let who = if status == 404 { "another visitor" } else { "somebody without the key" };
    Ok(format!("{who} gets {status} on {count} operations, the owner still has it"))
}
