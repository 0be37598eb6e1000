//! Conversations in order over HTTP: pinned, put away, in folders, tagged, many at once, temporary; and the search.

use serde_json::{Value, json};

use crate::world::{Caller, Case, check, on_both_engines};

async fn list(caller: &Caller, query: &str) -> Vec<String> {
    let answer = caller.get(&format!("/api/v1/conversations?{query}")).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let items = answer.json()["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

async fn search(caller: &Caller, q: &str) -> Vec<Value> {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", q).finish();
    let answer = caller.get(&format!("/api/v1/conversations/search?{query}")).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["items"].as_array().unwrap().clone()
}

fn field(answer: &Value) -> (&str, &str) {
    let first = &answer["errors"][0];
    (first["field"].as_str().unwrap(), first["code"].as_str().unwrap())
}

on_both_engines! {
    async fn conversations_are_put_in_order(setup) {
        let world = setup.start().await;
        let (ann, bob) = (world.visitor(), world.visitor());
        let (one, two, three) = (world.conversation(&ann).await, world.conversation(&ann).await, world.conversation(&ann).await);
        let theirs = world.conversation(&bob).await;
        let folder = ann.post("/api/v1/folders").json(&json!({"name": "  Work  "})).send().await;
        assert_eq!((folder.status, &folder.json()["name"]), (201, &json!("Work")));
        let folder = folder.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/conversations/{one}");
        let changed = ann.put(&path).json(&json!({"pinned": true, "folder_id": folder, "tags": ["#Blue", "blue", "two  words"], "title": "First"})).send().await;
        assert_eq!(changed.status, 200, "{changed:?}");
        let changed = changed.json();
        assert_eq!((&changed["pinned"], &changed["folder_id"], &changed["tags"], &changed["title"]), (&json!(true), &json!(folder), &json!(["Blue", "two words"]), &json!("First")));
        assert_eq!(list(&ann, &format!("folder={folder}")).await, std::slice::from_ref(&one));
        assert_eq!(list(&ann, "tag=BLUE&pinned=true").await, std::slice::from_ref(&one));
        assert_eq!(list(&ann, "folder=none").await, [three.clone(), two.clone()]);
        assert_eq!(ann.get("/api/v1/tags").send().await.json()["items"], json!([{"tag": "Blue", "conversation_count": 1}, {"tag": "two words", "conversation_count": 1}]));

        // Many at once: with all of them or with none.
        let bulk = |body: Value| ann.post("/api/v1/conversations/bulk").json(&body).send();
        assert_eq!(bulk(json!({"ids": [two, theirs], "archived": true})).await.status, 404);
        let done = bulk(json!({"ids": [one, two], "archived": true, "add_tags": ["old"]})).await;
        assert_eq!((done.status, done.json()), (200, json!({"changed": 2})));
        assert_eq!(list(&ann, "").await, std::slice::from_ref(&three));
        assert_eq!(list(&ann, "archived=true").await.len(), 2);
        assert_eq!(field(&bulk(json!({"ids": [one], "delete": true, "archived": true})).await.json()), ("delete", "contradiction"));
        let repeated = || ann.post("/api/v1/conversations/bulk").header("idempotency-key", "gone-once").json(&json!({"ids": [two], "delete": true})).send();
        assert_eq!((repeated().await.status, repeated().await.status), (200, 200), "a repeated request counts once");
        assert_eq!(list(&ann, "archived=true").await, std::slice::from_ref(&one));

        // A folder that goes leaves what lay in it; an empty place is `null`.
        assert_eq!(ann.delete(&format!("/api/v1/folders/{folder}")).send().await.status, 204);
        let now = ann.get(&path).send().await.json();
        assert_eq!((&now["folder_id"], &now["archived"]), (&Value::Null, &json!(true)));
        check([
            Case::new(ann.put(&path).json(&json!({})), 400).code("invalid_input"),
            Case::new(ann.put(&path).json(&json!({"folder_id": "1"})), 400).code("invalid_id"),
            Case::new(ann.put(&path).json(&json!({"folder_id": folder})), 400).code("invalid_input").holds("make it first"),
            Case::new(ann.put(&path).json(&json!({"tags": ["a,b"]})), 400).code("invalid_input").holds("no commas"),
            Case::new(ann.put(&path).json(&json!({"temporary": true})), 400).code("invalid_input").holds("from its beginning"),
            Case::new(bob.put(&path).json(&json!({"pinned": true})), 404).code("not_found"),
            Case::new(ann.post("/api/v1/folders").json(&json!({"name": "a/b"})), 400).code("invalid_input").holds("no /"),
            Case::new(ann.post("/api/v1/folders").json(&json!({"name": " "})), 400).code("invalid_input"),
            Case::new(ann.get("/api/v1/conversations?folder=x"), 400).code("invalid_id"),
        ])
        .await;
        let everything = ann.get("/api/v1/me/export").send().await;
        assert!(everything.text().contains("Blue"), "an export gives tags out");
    }

    async fn everything_that_was_said_is_searched(setup) {
        let world = setup.start().await;
        let (ann, bob) = (world.visitor(), world.visitor());
        let talk = world.conversation(&ann).await;
        let said = world.say(&ann, &talk, "The “quantum” parrots\n\nwere naïve <b>today</b>").await;
        world.say(&ann, &talk, "Something else altogether").await;
        let other = world.conversation(&bob).await;
        world.say(&bob, &other, "quantum parrots are mine").await;

        let found = search(&ann, "parrot QUANTUM from:me").await;
        assert_eq!(found.len(), 1, "{found:?}");
        let hit = &found[0];
        assert_eq!((&hit["message_id"], &hit["role"], &hit["conversation"]["id"]), (&said["user_message"]["id"], &json!("user"), &json!(talk)));
        let letters: Vec<char> = hit["snippet"].as_str().unwrap().chars().collect();
        let words: Vec<String> = hit["highlights"].as_array().unwrap().iter()
            .map(|place| letters[place["start"].as_u64().unwrap() as usize..place["end"].as_u64().unwrap() as usize].iter().collect())
            .collect();
        assert_eq!(words, ["quantum", "parrots"]);
        assert!(!hit["snippet"].as_str().unwrap().contains('\n'));
        assert_eq!(search(&ann, "parrots").await.len(), 2, "what was answered too");
        assert_eq!(search(&ann, "\"something ELSE\" from:me").await.len(), 1);
        assert!(search(&ann, "\"else something\"").await.is_empty());
        assert_eq!(search(&ann, "nai* from:me").await.len(), 1);
        assert_eq!(search(&ann, "app:assistant altogether from:assistant").await.len(), 1);
        assert_eq!(search(&ann, "parrots after:2020 before:2999-12-31").await.len(), 2);
        assert!(search(&ann, "parrots before:2020").await.is_empty());

        let pinned = json!({"pinned": true, "archived": true, "tags": ["Two words"]});
        assert_eq!(ann.put(&format!("/api/v1/conversations/{talk}")).json(&pinned).send().await.status, 200);
        assert_eq!(search(&ann, "tag:\"two words\" is:pinned is:archived parrots").await.len(), 2);
        assert!(search(&ann, "tag:other parrots").await.is_empty());
        let page = ann.get("/api/v1/conversations/search?q=parrots&limit=1").send().await.json();
        let next = page["next"].as_str().unwrap();
        let rest = ann.get(&format!("/api/v1/conversations/search?q=parrots&limit=1&after={next}")).send().await.json();
        assert!(page["items"][0]["message_id"] != rest["items"][0]["message_id"] && rest["next"].is_null(), "{rest}");

        check([
            Case::new(ann.get("/api/v1/conversations/search?q=modell:x"), 400).code("invalid_input").holds("is:archived"),
            Case::new(ann.get("/api/v1/conversations/search?q=%20"), 400).code("invalid_input").holds("say what to search for"),
            Case::new(ann.get("/api/v1/conversations/search?q=before:monday"), 400).code("invalid_input").holds("takes a day"),
            Case::new(ann.get("/api/v1/conversations/search?q=folder:x"), 400).code("invalid_input").holds("no folders"),
            Case::new(ann.get("/api/v1/conversations/search?q=app:secret"), 400).code("invalid_input").holds("assistant").lacks("workspace"),
            Case::new(ann.get("/api/v1/conversations/search?q=x&app=nothing"), 404).code("not_found"),
        ])
        .await;
        // The way to the message, and nothing for others.
        let message = said["user_message"]["id"].as_str().unwrap();
        let shown = ann.get(&format!("/apps/assistant/{talk}/messages/{message}")).send().await;
        assert_eq!((shown.status, shown.header("location")), (303, format!("/apps/assistant/{talk}#m-{message}").as_str()));
        assert_eq!(bob.get(&format!("/apps/assistant/{talk}/messages/{message}")).send().await.status, 404);
        assert_eq!(ann.delete(&format!("/api/v1/conversations/{talk}")).send().await.status, 204);
        assert!(search(&ann, "parrots").await.is_empty());
    }

    async fn temporary_ones_are_found_nowhere(setup) {
        let world = setup.start().await;
        let ann = world.visitor();
        let made = ann.post("/api/v1/conversations").json(&json!({"app": "assistant", "temporary": true})).send().await;
        assert_eq!((made.status, &made.json()["temporary"]), (201, &json!(true)));
        let talk = made.json()["id"].as_str().unwrap().to_owned();
        world.say(&ann, &talk, "between us").await;
        assert!(list(&ann, "").await.is_empty());
        assert!(search(&ann, "between").await.is_empty());
        let path = format!("/api/v1/conversations/{talk}");
        assert_eq!(ann.get(&path).send().await.status, 200, "whoever has its address goes on");
        assert_eq!(ann.put(&path).json(&json!({"temporary": false})).send().await.status, 200);
        assert_eq!(list(&ann, "").await, std::slice::from_ref(&talk));
        assert_eq!(search(&ann, "between").await.len(), 2);
    }
}
