//! The two ways in which programs talk to the mock deployment.

use hyper::Response;
use serde_json::{Value, json};

use crate::api::message;
use crate::mock::{Asked, Body, Mock, Talk, full, json_answer, refuse};

/// An answer in the shape of OpenAI, at once or in pieces.
pub(crate) fn completions(mock: &Mock, asked: &Asked, caller: &str, body: &Value) -> Response<Body> {
    if body["model"] != "assistant" {
        return refuse(mock, asked, 404, "model_not_found", json!([]));
    }
    let Some(text) = body["messages"][0]["content"].as_str() else {
        return refuse(mock, asked, 400, "invalid_input", json!([]));
    };
    let id = mock.id();
    let said = [message(mock, "user", text, "stop"), message(mock, "assistant", "A word", "stop")];
    let talk = Talk { owner: caller.to_owned(), messages: said.to_vec(), ..Talk::default() };
    mock.state.lock().unwrap().talks.insert(id, talk);
    if body["stream"] == true {
        let chunk = |delta: Value, finish: Value| {
            let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
            format!("data: {}\n\n", json!({"object": "chat.completion.chunk", "choices": [choice]}))
        };
        let mut text = chunk(json!({"content": "A word"}), Value::Null) + &chunk(json!({}), json!("stop"));
        if !mock.has("openai-no-done") {
            text.push_str("data: [DONE]\n\n");
        }
        return Response::builder().header("content-type", "text/event-stream").body(full(text)).unwrap();
    }
    json_answer(
        200,
        &json!({"id": "c", "object": "chat.completion", "created": 1, "model": "assistant",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "A word"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}),
    )
}

/// An answer to a program, in its session.
pub(crate) fn chat(mock: &Mock, asked: &Asked, caller: &str, body: &Value) -> Response<Body> {
    let Some(text) = body["message"].as_str().filter(|text| !text.is_empty()) else {
        let errors = json!([{"field": "message", "code": "missing", "detail": "Say something"}]);
        return refuse(mock, asked, 400, "invalid_input", errors);
    };
    let session = body["session_id"].as_str().map_or_else(|| mock.id(), str::to_owned);
    let fresh = mock.id();
    let mut state = mock.state.lock().unwrap();
    let id = match state.sessions.get(&session) {
        Some(id) if !mock.has("forgets-session") => id.clone(),
        _ => fresh,
    };
    state.sessions.insert(session.clone(), id.clone());
    let talk = state.talks.entry(id.clone()).or_insert(Talk { owner: caller.to_owned(), ..Talk::default() });
    talk.messages.push(json!({"role": "user", "content": text}));
    drop(state);
    let answer = message(mock, "assistant", "Blue", "stop");
    json_answer(
        200,
        &json!({"session_id": session, "conversation_id": id, "message": answer, "model": "mock",
        "usage": {"input_tokens": 1, "output_tokens": 1}, "finish_reason": "stop"}),
    )
}
