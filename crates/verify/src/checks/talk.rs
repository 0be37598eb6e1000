//! A turn and its messages, as the conversation checks need them.

use serde_json::{Value, json};

use crate::answer::{Answer, list_at};
use crate::deployment::{Caller, Deployment};
use crate::verdict::{Verdict, fail};

/// Says something in a conversation and waits for the whole answer.
pub(super) async fn turn(deployment: &Deployment, caller: &Caller, id: &str, text: &str) -> Verdict<Answer> {
    let path = format!("/api/v1/conversations/{id}/messages");
    let ask = deployment.client.post(&path).by(caller).json(&json!({"content": text}));
    let answer = ask.header("accept", "application/json").slow().send().await?;
    answer.expect(&[200, 201])?;
    Ok(answer)
}

/// The messages of a conversation as (role, content, finish reason), oldest first.
pub(super) async fn messages(deployment: &Deployment, caller: &Caller, id: &str) -> Verdict<Vec<Said>> {
    let path = format!("/api/v1/conversations/{id}/messages");
    let answer = deployment.client.get(&path).by(caller).send().await?;
    answer.expect(&[200])?;
    let page = answer.json()?;
    let said = list_at(&page, "/items", &answer.what)?.iter().map(|item| {
        let text = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
        Said {
            role: text("role").unwrap_or_default(),
            content: text("content").unwrap_or_default(),
            finish_reason: text("finish_reason"),
        }
    });
    Ok(said.collect())
}

/// One message that was read back.
pub(super) struct Said {
    pub(super) role: String,
    pub(super) content: String,
    pub(super) finish_reason: Option<String>,
}

/// The last thing the assistant said.
pub(super) fn last_answer(said: &[Said]) -> Verdict<&Said> {
    said.iter().rfind(|message| message.role == "assistant").ok_or_else(|| fail("no answer was kept"))
}
