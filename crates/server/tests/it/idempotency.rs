//! `Idempotency-Key`: the same key and body happen once and get the same answer; another body is a conflict.

use serde_json::json;

use crate::world::{Case, Mode, Request, Setup, check, everything, on_both_engines, text};

fn keyed(request: Request, key: &str) -> Request {
    request.header("idempotency-key", key)
}

on_both_engines! {
    async fn a_request_happens_once(setup) {
        let mut world = setup.start().await;
        let (key, stranger) = (world.key(), world.stranger());
        let create = |title: &str| key.post("/api/v1/conversations").json(&json!({"app": "assistant", "title": title}));
        let first = keyed(create("once"), "k-1").send().await;
        assert_eq!(first.status, 201);
        assert!(!first.headers.contains_key("idempotent-replayed"));
        let again = keyed(create("once"), "k-1").send().await;
        assert_eq!((again.status, again.text(), again.header("content-type")), (201, first.text(), "application/json"));
        assert_eq!(again.header("idempotent-replayed"), "true");
        let foreign = stranger.post("/api/v1/conversations").json(&json!({"app": "assistant", "title": "once"}));
        let foreign = keyed(foreign, "k-1").send().await;
        assert_ne!(foreign.json()["id"], first.json()["id"], "a key belongs to its owner");
        let id = first.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/conversations/{id}/messages");
        let say = |text: &str| key.post(&path).json(&json!({"content": text}));
        let turn = keyed(say("pay"), "k-2").send().await;
        assert_eq!(turn.status, 201);
        world.crash().await;
        let key = key.at(world.address());
        let repeated = keyed(key.post(&path).json(&json!({"content": "pay"})), "k-2").send().await;
        assert_eq!((repeated.status, repeated.text()), (201, turn.text()), "over a restart, too");
        check([
            Case::new(keyed(key.post("/api/v1/conversations").json(&json!({"app": "assistant", "title": "other"})), "k-1"), 409).code("idempotency_conflict"),
            Case::new(keyed(key.post(&path).json(&json!({"content": "pay more"})), "k-2"), 409).code("idempotency_conflict"),
            Case::new(keyed(key.post(&format!("/api/v1/conversations/{id}/stop")), "k-2"), 409).code("idempotency_conflict"),
            Case::new(keyed(key.post(&path).json(&json!({"content": "x"})), ""), 400).code("invalid_input"),
            Case::new(keyed(key.post(&path).json(&json!({"content": "x"})), &"k".repeat(256)), 400).code("invalid_input"),
            Case::new(keyed(key.post(&path).json(&json!({"content": ""})), "k-3"), 400).code("invalid_input"),
            Case::new(keyed(key.post(&path).json(&json!({"content": "better"})), "k-3"), 201),
        ]).await;
        assert_eq!(everything(&key, "/api/v1/conversations?").await.len(), 1);
        assert_eq!(world.messages(&key, &id).await.len(), 4);
        assert_eq!(world.upstream.completions().len(), 2, "a repeated request reaches no model");
    }

    /// Eight at the same moment: one is done, the others get its answer or are told to wait.
    async fn a_race_has_one_winner(setup) {
        let world = setup.unlimited().start().await;
        let key = world.key();
        let ask = || keyed(key.post("/api/v1/chat").json(&json!({"message": "hello", "session_id": "s", "app": "assistant"})), "race").send();
        let answers = futures_util::future::join_all((0..8).map(|_| ask())).await;
        for answer in &answers {
            assert!(answer.status == 200 || (answer.status == 409 && answer.code() == "conflict"), "{answer:?}");
        }
        assert_eq!(world.upstream.completions().len(), 1);
        let again = ask().await;
        assert_eq!((again.status, again.header("idempotent-replayed")), (200, "true"));
    }

    async fn a_stream_is_kept_as_what_it_wrote(setup) {
        let world = setup.start().await;
        let visitor = world.visitor();
        let id = world.conversation(&visitor).await;
        let path = format!("/api/v1/conversations/{id}/messages");
        let ask = || keyed(visitor.post(&path).json(&json!({"content": "hello"})).header("accept", "text/event-stream"), "s-1");
        let first = ask().stream().await.rest().await;
        assert_eq!(text(&first), "echo: hello");
        world.say(&visitor, &id, "between").await;
        let again = ask().stream().await;
        assert_eq!(again.headers["idempotent-replayed"], "true");
        let again = { let mut again = again; again.rest().await };
        assert_eq!(text(&again), "echo: hello");
        assert_eq!(again.last().unwrap().data["message_id"], first.last().unwrap().data["message_id"]);
        assert_eq!(world.upstream.completions().len(), 2);
        assert_eq!(world.messages(&visitor, &id).await.len(), 4);
    }
}

/// A caller that goes away in the middle does not keep the key claimed; a failure gives it back.
#[tokio::test]
async fn a_key_is_given_back() {
    let world = Setup::sqlite().start().await;
    let key = world.key();
    let ask = || {
        keyed(
            key.post("/api/v1/chat")
                .json(&json!({"message": "hello", "session_id": "s", "app": "assistant"})),
            "k",
        )
    };
    world.upstream.set(Mode::Refuse(401));
    assert_eq!(ask().send().await.code(), "model_unavailable");
    world.upstream.set(Mode::Gated);
    let asking = tokio::spawn(ask().send());
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    asking.abort();
    world.upstream.set(Mode::Echo);
    crate::world::eventually(std::time::Duration::from_secs(5), "the key is free or answered", async || {
        ask().send().await.status == 200
    })
    .await;
}
