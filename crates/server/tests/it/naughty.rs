//! Strings that break software go in and come out byte for byte, as messages and as titles.

use serde_json::json;

use crate::world::{Setup, on_both_engines, shared_data};

fn strings() -> Option<Vec<String>> {
    let file = shared_data("naughty-strings")?.join("blns.json");
    Some(serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap())
}

on_both_engines! {
    async fn every_string_comes_back(setup) {
        let Some(strings) = strings() else { return };
        assert_eq!(strings.len(), 515);
        let world = setup.unlimited().set("MAX_CONVERSATION_LENGTH", 1000).start().await;
        let key = world.key();
        let id = world.conversation(&key).await;
        let path = format!("/api/v1/conversations/{id}");
        let (mut refused, mut titles) = (Vec::new(), 0);
        let mut kept = Vec::new();
        for string in &strings {
            let said = key.post(&format!("{path}/messages")).json(&json!({"content": string})).send().await;
            match said.status {
                201 => {
                    assert_eq!(said.json()["user_message"]["content"], string.as_str());
                    assert_eq!(said.json()["message"]["content"], format!("echo: {string}"));
                    kept.push(string.clone());
                }
                400 | 422 => refused.push((string.clone(), said.code())),
                _ => panic!("{string:?}: {said:?}"),
            }
            let titled = key.put(&path).json(&json!({"title": string})).send().await;
            match titled.status {
                200 => {
                    titles += 1;
                    assert_eq!(titled.json()["title"], string.as_str());
                    assert_eq!(key.get(&path).send().await.json()["title"], string.as_str());
                }
                400 => assert_eq!(titled.code(), "invalid_input"),
                _ => panic!("{string:?}: {titled:?}"),
            }
        }
        let stored = world.messages(&key, &id).await;
        let said: Vec<&str> = stored.iter().filter(|m| m["role"] == "user").map(|m| m["content"].as_str().unwrap()).collect();
        assert_eq!(said, kept);
        let export = key.get(&format!("{path}/export")).send().await.json();
        assert_eq!(export["messages"].as_array().unwrap().len(), 2 * kept.len());
        let page = key.get(&format!("/apps/assistant/{id}")).header("accept", "text/html").send().await;
        assert_eq!(page.status, 200, "{page:?}");
        for never in ["<script>alert", "onerror=\"", "javascript:alert", "<img src=x"] {
            assert!(!page.text().contains(never), "the page holds {never}");
        }
        println!("{} kept, {titles} as titles, refused: {refused:?}", kept.len());
        // Empty and blank texts; nothing else.
        for (string, code) in &refused {
            assert!(code == "invalid_input" && string.trim().is_empty(), "{string:?}: {code}");
        }
        assert!(refused.len() <= 12, "{} are refused: {refused:?}", refused.len());
        assert!(titles >= 480, "{titles}");
    }
}

/// The same in the places where callers put their own words: searches, session ids, idempotency keys, cursors, ids.
#[tokio::test]
async fn no_string_breaks_the_server_anywhere() {
    let Some(strings) = strings() else { return };
    let world = Setup::sqlite().unlimited().start().await;
    let key = world.key();
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    for string in strings.iter().step_by(3) {
        let text = encoded(string);
        for request in [
            key.get(&format!("/api/v1/conversations?q={text}")),
            key.get(&format!("/api/v1/conversations?after={text}&limit={text}")),
            key.get(&format!("/api/v1/conversations/{text}")),
            key.get(&format!("/apps/{text}")),
            key.get(&format!("/v1/models/{text}")),
            key.post("/api/v1/chat").json(&json!({"message": "hello", "session_id": string})),
            key.post("/v1/chat/completions")
                .json(&json!({"model": string, "messages": [{"role": string, "content": string}]})),
        ] {
            let answer = request.send().await;
            assert!(answer.status < 500, "{string:?}: {answer:?}");
        }
    }
    let errors = world.process.lines().into_iter().filter(|line| line["level"] == "ERROR").count();
    assert_eq!(errors, 0, "{}", world.process.log());
}
