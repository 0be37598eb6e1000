//! The whole life of a conversation: created, listed, used, read back, exported, renamed, deleted.

use reqwest::Method;
use serde_json::{Value, json};

use super::talk::{last_answer, messages, turn};
use crate::answer::{list_at, text_at};
use crate::deployment::{Caller, Deployment};
use crate::verdict::{Verdict, ensure};

/// Follows a marker through the life of a conversation.
pub(crate) async fn life(deployment: &Deployment) -> Verdict {
    let (caller, app) = deployment.talker().await?;
    let marker = format!("{}-life", deployment.marker);
    let id = deployment.converse(&caller, &app, &marker).await?;
    ensure(listed(deployment, &caller, &id).await?, || "the new conversation is not in the list")?;
    let question = format!("Say in one short sentence what you can do. ({marker})");
    let answer = turn(deployment, &caller, &id, &question).await?;
    let seconds = answer.took.as_secs_f64();
    let said = messages(deployment, &caller, &id).await?;
    ensure(
        said.iter().any(|message| message.role == "user" && message.content == question),
        || "the question was not kept as it was sent",
    )?;
    let kept = last_answer(&said)?;
    ensure(!kept.content.trim().is_empty(), || "the answer is empty")?;
    ensure(matches!(kept.finish_reason.as_deref(), Some("stop" | "length")), || {
        format!("the answer ended with {:?}", kept.finish_reason.as_deref().unwrap_or("null"))
    })?;
    exports(deployment, &caller, &id, &marker).await?;
    renames(deployment, &caller, &id).await?;
    let path = format!("/api/v1/conversations/{id}");
    let gone = deployment.client.ask(Method::DELETE, &path).by(&caller).send().await?;
    gone.expect(&[200, 202, 204])?;
    deployment.client.get(&path).by(&caller).send().await?.expect(&[404])?;
    ensure(!listed(deployment, &caller, &id).await?, || "the deleted conversation is still in the list")?;
    Ok(format!("created, listed, answered in {seconds:.1} s, read back, exported, renamed, deleted"))
}

async fn listed(deployment: &Deployment, caller: &Caller, id: &str) -> Verdict<bool> {
    let answer = deployment.client.get("/api/v1/conversations").by(caller).send().await?;
    answer.expect(&[200])?;
    let page = answer.json()?;
    let items = list_at(&page, "/items", &answer.what)?;
    Ok(items.iter().any(|item| item.get("id").and_then(Value::as_str) == Some(id)))
}

async fn exports(deployment: &Deployment, caller: &Caller, id: &str, marker: &str) -> Verdict<()> {
    for (format, media) in [("json", "application/json"), ("markdown", "text/markdown")] {
        let path = format!("/api/v1/conversations/{id}/export?format={format}");
        let answer = deployment.client.get(&path).by(caller).send().await?;
        answer.expect(&[200])?;
        ensure(answer.media_type() == media, || {
            format!("the export as {format} is `{}`", answer.media_type())
        })?;
        ensure(answer.text().contains(marker), || format!("the export as {format} lacks the message"))?;
    }
    Ok(())
}

async fn renames(deployment: &Deployment, caller: &Caller, id: &str) -> Verdict<()> {
    let path = format!("/api/v1/conversations/{id}");
    let title = format!("{} renamed", deployment.marker);
    let ask = deployment.client.ask(Method::PUT, &path).by(caller).json(&json!({"title": title}));
    ask.send().await?.expect(&[200, 204])?;
    let answer = deployment.client.get(&path).by(caller).send().await?;
    answer.expect(&[200])?;
    let document = answer.json()?;
    ensure(text_at(&document, "/title", &answer.what)? == title, || "the new title was not kept")
}
