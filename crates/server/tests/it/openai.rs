//! The OpenAI-compatible endpoint, as its official clients use it.

use serde_json::{Value, json};

use crate::world::{Case, KEY, Mode, Setup, check, everything, on_both_engines};

fn completion(extra: Value) -> Value {
    let mut body = json!({"model": "assistant", "messages": [{"role": "user", "content": "hello"}]});
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    body
}

on_both_engines! {
    async fn completions_are_made_and_kept(setup) {
        let world = setup.start().await;
        let bearer = world.anonymous().with("authorization", &format!("Bearer {KEY}"));
        let messages = json!([
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "echo: one"},
            {"role": "user", "content": [{"type": "text", "text": "two"}, {"type": "text", "text": "parts"}]},
        ]);
        let body = completion(json!({"messages": messages, "seed": 7, "user": "u", "tools": [], "response_format": {"type": "text"}}));
        let answer = bearer.post("/v1/chat/completions").json(&body).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let answer = answer.json();
        assert!(answer["id"].as_str().unwrap().starts_with("chatcmpl-"));
        assert_eq!((&answer["object"], &answer["model"]), (&json!("chat.completion"), &json!("assistant")));
        assert!(answer["created"].as_u64().unwrap() > 1_700_000_000);
        let choice = &answer["choices"][0];
        assert_eq!((&choice["index"], &choice["finish_reason"]), (&json!(0), &json!("stop")));
        assert_eq!(choice["message"], json!({"role": "assistant", "content": "echo: two\nparts", "refusal": null}));
        assert_eq!(answer["usage"], json!({"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}));
        let asked = world.upstream.completions().pop().unwrap();
        let roles: Vec<&str> = asked.body["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
        assert_eq!(roles[roles.len() - 4..], ["system", "user", "assistant", "user"]);
        let talks = everything(&bearer, "/api/v1/conversations?").await;
        assert_eq!(talks.len(), 1);
        let kept = world.messages(&bearer, talks[0]["id"].as_str().unwrap()).await;
        assert_eq!(kept[0]["content"], "two\nparts");
        assert_eq!(kept[1]["content"], "echo: two\nparts");
    }

    async fn completions_stream(setup) {
        let world = setup.start().await;
        let key = world.key();
        let body = completion(json!({"stream": true, "stream_options": {"include_usage": true}}));
        let pieces = key.post("/v1/chat/completions").json(&body).stream().await.rest().await;
        let (done, pieces) = pieces.split_last().unwrap();
        assert_eq!(done.data, Value::Null, "[DONE] is the last");
        let (usage, pieces) = pieces.split_last().unwrap();
        assert_eq!(usage.data["choices"], json!([]));
        assert_eq!(usage.data["usage"]["total_tokens"], 16);
        let text: String = pieces.iter().filter_map(|piece| piece.data["choices"][0]["delta"]["content"].as_str()).collect();
        assert_eq!(text, "echo: hello");
        assert_eq!(pieces[0].data["choices"][0]["delta"]["role"], "assistant");
        assert_eq!(pieces.last().unwrap().data["choices"][0]["finish_reason"], "stop");
        for piece in pieces {
            assert_eq!(piece.data["object"], "chat.completion.chunk");
            assert_eq!(piece.data["id"], pieces[0].data["id"]);
            assert!(piece.data["created"].as_u64().unwrap() > 1_700_000_000, "{piece:?}");
        }
    }
}

#[tokio::test]
async fn models_are_the_apps() {
    let world = Setup::sqlite().start().await;
    let key = world.key();
    let models = key.get("/v1/models").send().await.json();
    assert_eq!(models["object"], "list");
    let ids: Vec<&str> =
        models["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["assistant", "support"]);
    check([
        Case::new(key.get("/v1/models/support"), 200).holds("\"object\":\"model\""),
        Case::new(key.get("/v1/models/workspace"), 404).code("not_found"),
        Case::new(key.get("/v1/models/gpt-4"), 404).code("not_found"),
    ])
    .await;
}

#[tokio::test]
async fn errors_have_the_shape_that_clients_read() {
    let world = Setup::sqlite().start().await;
    let key = world.key();
    let ask = |extra: Value| key.post("/v1/chat/completions").json(&completion(extra));
    check([
        Case::new(ask(json!({"model": "gpt-4"})), 404).code("not_found"),
        Case::new(ask(json!({"model": "workspace"})), 403).code("forbidden"),
        Case::new(ask(json!({"model": "No Such"})), 404).code("not_found"),
        Case::new(ask(json!({"messages": []})), 400).code("invalid_input").holds("\"param\":\"messages\""),
        Case::new(ask(json!({"messages": [{"role": "assistant", "content": "x"}]})), 400)
            .code("invalid_input"),
        Case::new(ask(json!({"messages": [{"role": "robot", "content": "x"}]})), 400).code("invalid_input"),
        Case::new(ask(json!({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]})), 400)
            .code("invalid_input"),
        Case::new(ask(json!({"messages": "x"})), 400).code("invalid_input"),
        Case::new(ask(json!({"n": 2})), 400).code("invalid_input").holds("\"param\":\"n\""),
        Case::new(ask(json!({"max_tokens": 0})), 400).code("invalid_input"),
        Case::new(ask(json!({"max_tokens": -1})), 400).code("invalid_input"),
        Case::new(ask(json!({"temperature": 3})), 400).code("invalid_input"),
        Case::new(ask(json!({})).header("x-api-key", "wrong"), 401)
            .code("unauthenticated")
            .holds("authentication_error"),
        Case::new(key.get("/v1/chat/completions"), 405).code("method_not_allowed"),
        Case::new(key.get("/v1/nothing"), 404).code("not_found"),
        Case::new(key.post("/v1/embeddings").json(&json!({"model": "m", "input": []})), 400)
            .code("invalid_input"),
    ])
    .await;
    assert!(world.upstream.completions().is_empty());
    world.upstream.set(Mode::Refuse(500));
    check([
        Case::new(ask(json!({})), 503)
            .code("model_unavailable")
            .holds("server_error")
            .lacks("upstream-marker"),
        Case::new(ask(json!({"stream": true})), 503).code("model_unavailable").lacks("upstream-marker"),
    ])
    .await;
}

/// 000.07: a caller may ask for less than the cap and never for more.
#[tokio::test]
async fn no_caller_raises_the_cap() {
    let world = Setup::sqlite().set("OPENAI_MAX_TOKENS", 100).start().await;
    for (asked, sent) in [
        (json!({}), 100),
        (json!({"max_tokens": 40}), 40),
        (json!({"max_tokens": 4000}), 100),
        (json!({"max_completion_tokens": 4_000_000_000_u32}), 100),
    ] {
        let answer = world.key().post("/v1/chat/completions").json(&completion(asked.clone())).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let body = world.upstream.completions().pop().unwrap().body;
        assert_eq!(
            body["max_tokens"].as_u64().or(body["max_completion_tokens"].as_u64()),
            Some(sent),
            "{asked}"
        );
    }
}

#[tokio::test]
async fn embeddings_are_the_providers() {
    let world = Setup::sqlite().start().await;
    let key = world.key();
    let embed = |format: &str| {
        key.post("/v1/embeddings")
            .json(&json!({"model": "mock-embed", "input": ["a", "b"], "encoding_format": format}))
    };
    let answer = embed("float").send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    assert_eq!(answer["data"][1]["embedding"], json!([0.5, -0.25, 1.0]));
    assert_eq!((&answer["data"][1]["index"], &answer["usage"]["total_tokens"]), (&json!(1), &json!(7)));
    let packed = embed("base64").send().await.json();
    assert_eq!(packed["data"][0]["embedding"], "AAAAPwAAgL4AAAAA");
    let none = Setup::sqlite().without_model().start().await;
    let refused = none.key().post("/v1/embeddings").json(&json!({"model": "m", "input": "a"}));
    check([Case::new(refused, 503).code("unavailable")]).await;
}

/// 000.17: the judge of the apps, in the shape that programs know.
#[tokio::test]
async fn texts_are_moderated_in_this_process() {
    let world = Setup::sqlite().start().await;
    let key = world.key();
    let ask = |input: Value| key.post("/v1/moderations").json(&json!({ "input": input }));
    let answer = ask(json!("I will kill you, I know where you live")).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    assert!(answer["id"].as_str().unwrap().starts_with("modr-"));
    let result = &answer["results"][0];
    assert_eq!(
        (&result["flagged"], &result["categories"]["harassment/threatening"]),
        (&json!(true), &json!(true))
    );
    assert!(result["category_scores"]["harassment/threatening"].as_f64().unwrap() >= 0.5);
    assert_eq!(result["category_applied_input_types"]["hate"], json!(["text"]));
    for map in ["categories", "category_scores"] {
        assert_eq!(result[map].as_object().unwrap().len(), 13);
    }
    let many = ask(json!(["How do I kill a process?", "Hello"])).send().await.json();
    assert_eq!(many["results"].as_array().unwrap().iter().filter(|one| one["flagged"] == false).count(), 2);
    check([
        Case::new(ask(json!([])), 400).code("invalid_input"),
        Case::new(ask(json!(7)), 400),
        Case::new(ask(json!([{"type": "image_url", "image_url": {"url": "x"}}])), 400).code("invalid_input"),
        Case::new(ask(json!([{"type": "text", "text": "Good"}, {"type": "text", "text": "morning"}])), 200),
        Case::new(world.anonymous().post("/v1/moderations").json(&json!({"input": "a"})), 401),
    ])
    .await;
    assert!(world.upstream.asked().is_empty(), "nobody else was asked");
    assert!(!world.process.log().contains("kill you"));
}
