//! Conversations: made, listed in pieces, read, renamed, deleted, exported, and seen by their owner alone.

use serde_json::json;

use crate::world::{Case, check, everything, on_both_engines};

on_both_engines! {
    /// 000.63: what was said is there in order, after a restart too.
    async fn a_conversation_lives(setup) {
        let mut world = setup.start().await;
        let visitor = world.visitor();
        let made = visitor.post("/api/v1/conversations").json(&json!({"app": "assistant", "title": "Ärger", "topic": "T"})).send().await;
        assert_eq!(made.status, 201);
        let made = made.json();
        assert_eq!((&made["app"], &made["title"], &made["topic"]), (&json!("assistant"), &json!("Ärger"), &json!("T")));
        assert_eq!(made["message_count"], 0);
        let id = made["id"].as_str().unwrap();
        let turn = world.say(&visitor, id, "first <b>question</b>").await;
        assert_eq!(turn["message"]["content"], "echo: first <b>question</b>");
        assert_eq!(turn["message"]["parent_id"], turn["user_message"]["id"]);
        assert_eq!(turn["usage"], json!({"input_tokens": 11, "output_tokens": 5}));
        assert_eq!((&turn["model"], &turn["finish_reason"]), (&json!("mock-model"), &json!("stop")));
        world.say(&visitor, id, "second").await;
        world.crash().await;
        let visitor = visitor.at(world.address());
        let contents: Vec<String> = world.messages(&visitor, id).await.iter()
            .map(|message| format!("{}: {}", message["role"].as_str().unwrap(), message["content"].as_str().unwrap()))
            .collect();
        assert_eq!(contents, [
            "user: first <b>question</b>", "assistant: echo: first <b>question</b>",
            "user: second", "assistant: echo: second",
        ]);
        let path = format!("/api/v1/conversations/{id}");
        let read = visitor.get(&path).send().await.json();
        assert_eq!((&read["message_count"], &read["title"]), (&json!(4), &json!("Ärger")));
        let renamed = visitor.put(&path).json(&json!({"title": "New 名"})).send().await;
        assert_eq!((renamed.status, &renamed.json()["title"]), (200, &json!("New 名")));
        let export = visitor.get(&format!("{path}/export")).send().await;
        assert_eq!(export.json()["messages"].as_array().unwrap().len(), 4);
        assert!(export.header("content-disposition").starts_with("attachment"));
        let markdown = visitor.get(&format!("{path}/export?format=markdown")).send().await;
        assert!(markdown.header("content-type").starts_with("text/markdown"));
        assert!(markdown.text().starts_with("# New 名\n") && markdown.text().contains("echo: second"));
        assert_eq!(visitor.delete(&path).send().await.status, 204);
        check([
            Case::new(visitor.get(&path), 404).code("not_found"),
            Case::new(visitor.delete(&path), 404).code("not_found"),
            Case::new(visitor.get(&format!("{path}/messages")), 404).code("not_found"),
            Case::new(visitor.get("/api/v1/conversations"), 200).lacks(id),
        ]).await;
    }

    /// Lists come newest first, in pieces that neither repeat nor lose anything while the list grows.
    async fn lists_come_in_pieces(setup) {
        let world = setup.unlimited().start().await;
        let key = world.key();
        let mut made = Vec::new();
        for number in 0..25 {
            let body = json!({"app": "assistant", "title": format!("Title {number}{}", if number % 5 == 0 { " FÜNF" } else { "" })});
            made.push(key.post("/api/v1/conversations").json(&body).send().await.json()["id"].clone());
        }
        made.reverse();
        let ids = |items: &[serde_json::Value]| items.iter().map(|item| item["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&everything(&key, "/api/v1/conversations?limit=4").await), made);
        let first = key.get("/api/v1/conversations?limit=10").send().await.json();
        world.conversation(&key).await;
        let after = first["next"].as_str().unwrap();
        let second = key.get(&format!("/api/v1/conversations?limit=100&after={after}")).send().await.json();
        assert_eq!([ids(first["items"].as_array().unwrap()), ids(second["items"].as_array().unwrap())].concat(), made);
        assert_eq!(everything(&key, "/api/v1/conversations?limit=2&q=fünf").await.len(), 5);
        assert_eq!(everything(&key, "/api/v1/conversations?q=%25").await.len(), 0, "a sign of the pattern language is text");
        assert_eq!(everything(&key, "/api/v1/conversations?app=assistant").await.len(), 26);
        let other = everything(&world.stranger(), "/api/v1/conversations?").await;
        assert!(other.is_empty());
        check([
            Case::new(key.get("/api/v1/conversations?limit=0"), 400).code("invalid_input").holds("limit"),
            Case::new(key.get("/api/v1/conversations?limit=101"), 400).code("invalid_input"),
            Case::new(key.get("/api/v1/conversations?limit=x"), 400).code("invalid_input"),
            Case::new(key.get("/api/v1/conversations?after=nonsense"), 400).code("invalid_input"),
            Case::new(key.get("/api/v1/conversations?colour=red"), 400).code("invalid_input"),
            Case::new(key.get("/api/v1/conversations?app=No%20App"), 400).code("invalid_id"),
        ]).await;
    }
}
