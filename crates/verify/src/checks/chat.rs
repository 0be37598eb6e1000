//! `POST /api/v1/chat`: one call, one answer, and a session that keeps the context.

use serde_json::{Value, json};

use crate::answer::{Answer, count_at, text_at};
use crate::deployment::{Caller, Deployment};
use crate::verdict::{Verdict, ensure};

/// Two calls with one session are one conversation.
pub(crate) async fn context(deployment: &Deployment) -> Verdict {
    let caller = deployment.integrator().await?;
    let first = format!("Answer with one word: what is the colour of the sky? ({}-chat)", deployment.marker);
    let answer = ask(deployment, &caller, json!({"message": first})).await?;
    let document = shape(deployment, &caller, &answer)?;
    let session = text_at(&document, "/session_id", &answer.what)?;
    let second = json!({"message": "And the colour of grass, in one word?", "session_id": session});
    let again = ask(deployment, &caller, second).await?;
    let next = shape(deployment, &caller, &again)?;
    for field in ["session_id", "conversation_id"] {
        ensure(document.get(field) == next.get(field), || {
            format!("two calls with one session have different `{field}`")
        })?;
    }
    let model = document.get("model").and_then(Value::as_str).unwrap_or("no model");
    let who = if matches!(caller, Caller::Key) { "the key" } else { "a visitor" };
    Ok(format!("{who} had two answers in one session from {model}, {:.1} s", answer.took.as_secs_f64()))
}

async fn ask(deployment: &Deployment, caller: &Caller, body: Value) -> Verdict<Answer> {
    let answer = deployment.client.post("/api/v1/chat").by(caller).json(&body).slow().send().await?;
    answer.expect(&[200])?;
    Ok(answer)
}

/// The document of the contract, field by field.
fn shape(deployment: &Deployment, caller: &Caller, answer: &Answer) -> Verdict<Value> {
    let document = answer.json()?;
    let what = answer.what.as_str();
    deployment.remember(caller, text_at(&document, "/conversation_id", what)?);
    for field in ["/session_id", "/message/id", "/message/created_at", "/model", "/finish_reason"] {
        text_at(&document, field, what)?;
    }
    ensure(
        text_at(&document, "/message/role", what)? == "assistant",
        || "the answer is not the assistant's",
    )?;
    ensure(!text_at(&document, "/message/content", what)?.is_empty(), || "the answer is empty")?;
    ensure(document.pointer("/message/citations").is_some_and(Value::is_array), || {
        format!("{what} has no usable `message.citations`")
    })?;
    for field in ["/usage/input_tokens", "/usage/output_tokens"] {
        count_at(&document, field, what)?;
    }
    Ok(document)
}
