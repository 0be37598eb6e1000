//! The endpoint that OpenAI's clients use: models, an answer, a stream, and errors in their shape.

use serde_json::{Value, json};

use crate::answer::{count_at, list_at, text_at};
use crate::deployment::{Caller, Deployment};
use crate::problem::expect_openai_error;
use crate::verdict::{Verdict, ensure, fail, skip};

const COMPLETIONS: &str = "/v1/chat/completions";

/// Everything a client does in its first minute.
pub(crate) async fn compatible(deployment: &Deployment) -> Verdict {
    let caller = deployment.integrator().await?;
    let listed = deployment.client.get("/v1/models").by(&caller).send().await?;
    if matches!((listed.status, &caller), (401 | 403, Caller::Visitor(_))) {
        return Err(skip("it needs --api-key here"));
    }
    listed.expect(&[200])?;
    let models = listed.json()?;
    ensure(text_at(&models, "/object", &listed.what)? == "list", || "the models are not a `list`")?;
    let ids = list_at(&models, "/data", &listed.what)?.iter().filter_map(|model| model.get("id")?.as_str());
    let ids = ids.collect::<Vec<_>>();
    let Some(model) = ids.iter().find(|id| **id == "assistant").or_else(|| ids.first()) else {
        return Err(skip("the caller may use no model"));
    };
    let before = deployment.newest(&caller).await?;
    let verdict = talk(deployment, &caller, model).await;
    // Whatever happened, what was made here must not stay.
    deployment.adopt(&caller, &before).await?;
    let deltas = verdict?;
    Ok(format!("{} models; `{model}` answered, and streamed {deltas} chunks", ids.len()))
}

async fn talk(deployment: &Deployment, caller: &Caller, model: &str) -> Verdict<usize> {
    complete(deployment, caller, model).await?;
    let deltas = stream(deployment, caller, model).await?;
    let unknown = json!({"model": "verify-unknown", "messages": [{"role": "user", "content": "hello"}]});
    let refused = deployment.client.post(COMPLETIONS).by(caller).json(&unknown).send().await?;
    expect_openai_error(&refused, &[404])?;
    let empty = json!({"model": model, "messages": "none"});
    let refused = deployment.client.post(COMPLETIONS).by(caller).json(&empty).send().await?;
    expect_openai_error(&refused, &[400, 422])?;
    Ok(deltas)
}

async fn complete(deployment: &Deployment, caller: &Caller, model: &str) -> Verdict<()> {
    let text = format!("Name one fruit. ({}-openai)", deployment.marker);
    let body = json!({"model": model, "messages": [{"role": "user", "content": text}]});
    let answer = deployment.client.post(COMPLETIONS).by(caller).json(&body).slow().send().await?;
    answer.expect(&[200])?;
    let document = answer.json()?;
    let what = answer.what.as_str();
    ensure(
        text_at(&document, "/object", what)? == "chat.completion",
        || "`object` is not `chat.completion`",
    )?;
    for field in ["/id", "/model", "/choices/0/finish_reason"] {
        text_at(&document, field, what)?;
    }
    ensure(text_at(&document, "/choices/0/message/role", what)? == "assistant", || "the role is wrong")?;
    ensure(!text_at(&document, "/choices/0/message/content", what)?.is_empty(), || "the answer is empty")?;
    for field in ["/created", "/usage/prompt_tokens", "/usage/completion_tokens", "/usage/total_tokens"] {
        count_at(&document, field, what)?;
    }
    Ok(())
}

/// Gives how many chunks held text.
async fn stream(deployment: &Deployment, caller: &Caller, model: &str) -> Verdict<usize> {
    let text = format!("Name one vegetable. ({}-openai-stream)", deployment.marker);
    let body = json!({"model": model, "stream": true, "messages": [{"role": "user", "content": text}]});
    let ask = deployment.client.post(COMPLETIONS).by(caller).json(&body).slow();
    let mut live = match ask.open().await? {
        Ok(live) => live,
        Err(answer) => return Err(fail(format!("{} as a stream gave {}", answer.what, answer.summary()))),
    };
    live.expect_events()?;
    let (mut deltas, mut finished, mut done) = (0, false, false);
    while let Some(event) = live.next().await? {
        ensure(!done, || "the stream goes on after [DONE]")?;
        if event.data == "[DONE]" {
            done = true;
            continue;
        }
        let chunk = serde_json::from_str::<Value>(&event.data).map_err(|_| fail("a chunk is no JSON"))?;
        ensure(
            text_at(&chunk, "/object", "a chunk")? == "chat.completion.chunk",
            || "a chunk is no `chat.completion.chunk`",
        )?;
        let text = chunk.pointer("/choices/0/delta/content").and_then(Value::as_str).unwrap_or_default();
        deltas += usize::from(!text.is_empty());
        finished |= chunk.pointer("/choices/0/finish_reason").is_some_and(Value::is_string);
    }
    ensure(deltas > 0, || "the stream held no text")?;
    ensure(finished, || "no chunk of the stream has a `finish_reason`")?;
    ensure(done, || "the stream ended without [DONE]")?;
    Ok(deltas)
}
