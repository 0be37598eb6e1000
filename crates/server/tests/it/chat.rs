//! The one-call chat of `POST /api/v1/chat`.

use serde_json::{Value, json};

use crate::world::{Case, Setup, check, on_both_engines, text};

on_both_engines! {
    /// The same session keeps the context; the same name at another caller is another session.
    async fn a_session_keeps_the_context(setup) {
        let world = setup.start().await;
        let (key, stranger) = (world.key(), world.stranger());
        let ask = |caller: &crate::world::Caller, text: &str| {
            caller.post("/api/v1/chat").json(&json!({"message": text, "session_id": "customer-1", "app": "assistant"}))
        };
        let first = ask(&key, "one").send().await.json();
        assert_eq!(first["session_id"], "customer-1");
        assert_eq!((&first["message"]["role"], &first["finish_reason"]), (&json!("assistant"), &json!("stop")));
        for field in ["id", "content", "citations", "created_at"] {
            assert!(!first["message"][field].is_null(), "{field}: {first}");
        }
        let second = ask(&key, "two").send().await.json();
        assert_eq!(second["conversation_id"], first["conversation_id"]);
        let foreign = ask(&stranger, "three").send().await.json();
        assert_ne!(foreign["conversation_id"], first["conversation_id"]);
        let seen: Vec<Value> = world.upstream.completions().iter().map(|asked| asked.body["messages"].clone()).collect();
        let talk = |messages: &Value| messages.as_array().unwrap().iter().filter(|m| m["role"] != "system").count();
        assert_eq!(seen.iter().map(talk).collect::<Vec<_>>(), [1, 3, 1]);
        assert!(!seen[2].to_string().contains("one"), "nothing of one caller reaches another");
        assert_eq!(world.messages(&key, first["conversation_id"].as_str().unwrap()).await.len(), 4);
    }

    /// Calls at the same moment under one new name meet in one conversation.
    async fn a_session_is_made_once(setup) {
        let world = setup.unlimited().start().await;
        let key = world.key();
        let ask = |n: usize| key.post("/api/v1/chat").json(&json!({"message": format!("m{n}"), "session_id": "race", "app": "assistant"})).send();
        let answers = futures_util::future::join_all((0..8).map(ask)).await;
        let mut conversations: Vec<String> = Vec::new();
        for answer in &answers {
            match answer.status {
                200 => conversations.push(answer.json()["conversation_id"].as_str().unwrap().to_owned()),
                409 => assert_eq!(answer.code(), "conflict"),
                _ => panic!("{answer:?}"),
            }
        }
        let count = conversations.len();
        conversations.dedup();
        assert_eq!(conversations.len(), 1, "{conversations:?}");
        assert_eq!(world.messages(&key, &conversations[0]).await.len(), 2 * count);
    }
}

#[tokio::test]
async fn the_app_is_the_usual_one_unless_it_is_named() {
    let world = Setup::sqlite().start().await;
    let app_of = async |caller: &crate::world::Caller, body: Value| {
        let answer = caller.post("/api/v1/chat").json(&body).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let id = answer.json()["conversation_id"].as_str().unwrap().to_owned();
        caller.get(&format!("/api/v1/conversations/{id}")).send().await.json()["app"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(app_of(&world.key(), json!({"message": "a"})).await, "support");
    assert_eq!(app_of(&world.key(), json!({"message": "a", "app": "assistant"})).await, "assistant");
    let visitor = world.visitor();
    visitor.get("/").send().await;
    assert_eq!(app_of(&visitor, json!({"message": "a"})).await, "assistant");
    check([
        Case::new(visitor.post("/api/v1/chat").json(&json!({"message": "a", "app": "support"})), 401)
            .code("unauthenticated"),
        Case::new(world.key().post("/api/v1/chat").json(&json!({"message": "a", "app": "tutor"})), 403)
            .code("forbidden"),
    ])
    .await;
    let apps = |answer: &crate::world::Answer| {
        let items = answer.json()["items"].as_array().unwrap().clone();
        items.iter().map(|app| app["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(apps(&visitor.get("/api/v1/apps").send().await), ["assistant"]);
    assert_eq!(apps(&world.key().get("/api/v1/apps").send().await), ["assistant", "support"]);
}

#[tokio::test]
async fn chat_streams_when_asked() {
    let world = Setup::sqlite().start().await;
    let request = world
        .key()
        .post("/api/v1/chat")
        .json(&json!({"message": "hello", "stream": true, "session_id": "s", "app": "assistant"}));
    let events = request.stream().await.rest().await;
    assert_eq!(text(&events), "echo: hello");
    assert_eq!(events.last().unwrap().name, "done");
}
