//! What people send is judged before anything is done with it, and the refusal names the field.

use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::problem::{expect_field, expect_problem};
use crate::verdict::{Verdict, ensure};

/// Longer than any message that an app takes by default (5,000 characters), shorter than the largest body.
const LONG: usize = 1_100_000;

/// Texts and fields as they must not be.
pub(crate) async fn validation(deployment: &Deployment) -> Verdict {
    let client = &deployment.client;
    let (caller, app) = deployment.talker().await?;
    let create = |body: &Value| client.post("/api/v1/conversations").by(&caller).json(body);
    for (what, field, body) in [
        ("an app that is a number", "app", json!({"app": 7})),
        ("no app", "app", json!({"title": deployment.marker})),
        ("a title that is a list", "title", json!({"app": app, "title": ["a"]})),
        ("a title of a million characters", "title", json!({"app": app, "title": "t".repeat(LONG)})),
    ] {
        let answer = create(&body).send().await?;
        if let Some(id) = answer.json().ok().as_ref().and_then(|value| value.get("id")?.as_str()) {
            deployment.remember(&caller, id);
        }
        let problem = expect_problem(&answer, &[400, 422], &["invalid_input", "invalid_json"])
            .map_err(|stop| name(stop, what))?;
        if problem.get("code").and_then(Value::as_str) == Some("invalid_input") {
            expect_field(&problem, field, what)?;
        }
    }
    let id = deployment.converse(&caller, &app, &deployment.marker).await?;
    let path = format!("/api/v1/conversations/{id}/messages");
    let say = |text: &str| client.post(&path).by(&caller).json(&json!({"content": text}));
    for (what, text) in [
        ("a blank message", " \n\t ".to_owned()),
        ("a message of a million characters", "word ".repeat(LONG / 5)),
    ] {
        let answer = say(&text).slow().send().await?;
        let codes = ["invalid_input", "too_large", "spam", "content_blocked"];
        expect_problem(&answer, &[400, 413, 422], &codes).map_err(|stop| name(stop, what))?;
    }
    let said = client.get(&path).by(&caller).send().await?;
    said.expect(&[200])?;
    let kept = said.json()?.get("items").and_then(Value::as_array).map_or(0, Vec::len);
    ensure(kept == 0, || format!("{kept} messages that were refused have been kept"))?;
    for odd in ["limit=0", "limit=abc", "after=%F0%9F%92%A9"] {
        let answer = client.get(&format!("/api/v1/conversations?{odd}")).by(&caller).send().await?;
        expect_problem(&answer, &[400, 422], &["invalid_input", "invalid_id"])
            .map_err(|stop| name(stop, odd))?;
    }
    Ok("wrong types, missing fields, blank and endless texts, odd cursors: each refused by name, nothing kept".into())
}

/// Says which of the cases it was.
fn name(stop: crate::verdict::Stop, what: &str) -> crate::verdict::Stop {
    match stop {
        crate::verdict::Stop::Fail(mut failure) => {
            failure.saw = format!("{what}: {}", failure.saw);
            crate::verdict::Stop::Fail(failure)
        }
        skipped => skipped,
    }
}
