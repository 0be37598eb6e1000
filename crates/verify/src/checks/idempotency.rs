//! The same request twice does its work once.

use serde_json::json;

use crate::answer::{list_at, text_at};
use crate::chance;
use crate::deployment::Deployment;
use crate::problem::expect_problem;
use crate::verdict::{Verdict, ensure};

/// The same key and body give the same answer once; another body is a conflict.
pub(crate) async fn once(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let (caller, app) = deployment.talker().await?;
    let (key, title) = (chance::marker(), chance::marker());
    let ask = |title: &str| {
        let body = json!({"app": app, "title": title});
        client.post("/api/v1/conversations").by(&caller).header("idempotency-key", &key).json(&body)
    };
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = ask(&title).send().await?;
        answer.expect(&[200, 201])?;
        let document = answer.json()?;
        let id = text_at(&document, "/id", &answer.what)?.to_owned();
        deployment.remember(&caller, &id);
        ids.push(id);
    }
    ensure(ids.first() == ids.last(), || "the same request twice made two conversations")?;
    let list = format!("/api/v1/conversations?q={title}");
    let answer = client.get(&list).by(&caller).send().await?;
    answer.expect(&[200])?;
    let count = list_at(&answer.json()?, "/items", &answer.what)?.len();
    ensure(count == 1, || format!("the same request twice left {count} conversations"))?;
    let other = ask("another").send().await?;
    if let Some(id) = other.json().ok().as_ref().and_then(|value| value.get("id")?.as_str()) {
        deployment.remember(&caller, id);
    }
    expect_problem(&other, &[409], &["idempotency_conflict"])?;
    Ok("the same request twice made one conversation, another body gets 409".into())
}
