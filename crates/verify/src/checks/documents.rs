//! What an app answers from: a stranger can neither add nor search; whoever may change it finds a document a moment
//! after adding it, in that app alone, and never again after it was removed.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::desk::somebody;
use crate::answer::{list_at, text_at};
use crate::deployment::{Caller, Deployment};
use crate::problem::expect_problem;
use crate::verdict::{Verdict, ensure, skip};

/// How soon a document is found.
const SOON: Duration = Duration::from_secs(3);

/// Follows a document of staff through its life, so that no customer meets it.
pub(crate) async fn life(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let (caller, app) = somebody(deployment).await?;
    let path = format!("/api/v1/apps/{app}/documents");
    let marker = &deployment.marker;
    let text = format!("# Opening hours\n\nThe counter {marker} opens at seven and closes at nineteen.\n");
    let body = json!({"title": format!("Verification {marker}"), "text": text, "visibility": "staff"});
    let stranger = client.post(&path).json(&body).send().await?;
    expect_problem(&stranger, &[401], &["unauthenticated"])?;
    let added = client.post(&path).by(&caller).json(&body).send().await?;
    if added.status == 403 {
        return Err(skip("the credential may not change the documents; it needs `manage` on the app"));
    }
    added.expect(&[201])?;
    let id = text_at(&added.json()?, "/id", &added.what)?.to_owned();
    let own = format!("{path}/{id}");
    let found = follow(deployment, &caller, &app, &id).await;
    // Whatever was found wrong, the document goes.
    let gone = client.ask(Method::DELETE, &own).by(&caller).send().await?;
    let took = found?;
    gone.expect(&[200, 202, 204])?;
    client.get(&own).by(&caller).send().await?.expect(&[404])?;
    let left = search(deployment, &caller, &app).await?;
    ensure(
        !left.iter().any(|hit| hit.to_string().contains(marker.as_str())),
        || "a removed document is still found",
    )?;
    Ok(format!("added, found after {:.1} s, quoted byte for byte, removed", took.as_secs_f64()))
}

async fn follow(deployment: &Deployment, caller: &Caller, app: &str, id: &str) -> Verdict<Duration> {
    let begun = Instant::now();
    let hit = loop {
        let hits = search(deployment, caller, app).await?;
        let hit = hits.into_iter().find(|hit| hit.get("document_id").and_then(Value::as_str) == Some(id));
        if let Some(hit) = hit {
            break hit;
        }
        ensure(begun.elapsed() < SOON, || {
            format!("a document was not found {} s after it was added", SOON.as_secs())
        })?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let passage = text_at(&hit, "/text", "the search")?;
    let words = format!("The counter {} opens at seven and closes at nineteen.", deployment.marker);
    ensure(passage.contains(&words), || "the passage that was found is not what the document says")?;
    let elsewhere = deployment.client.get(&format!("/api/v1/apps/assistant/documents/{id}"));
    let answer = elsewhere.by(caller).send().await?;
    ensure(answer.status != 200, || "the document is shown in another app")?;
    Ok(begun.elapsed())
}

async fn search(deployment: &Deployment, caller: &Caller, app: &str) -> Verdict<Vec<Value>> {
    let path = format!("/api/v1/apps/{app}/search");
    let query = json!({"query": format!("When does the counter {} open?", deployment.marker), "limit": 5});
    let answer = deployment.client.post(&path).by(caller).json(&query).send().await?;
    answer.expect(&[200])?;
    Ok(list_at(&answer.json()?, "/items", &answer.what)?.clone())
}
