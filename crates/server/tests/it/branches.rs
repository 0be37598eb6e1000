//! Other answers and other words: what stands beside what was there before, and the way between them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Caller, Case, Mode, Setup, World, check, on_both_engines};

/// What the conversation says now, as `role: content` without the mock's own words.
async fn said(world: &World, caller: &Caller, id: &str) -> Vec<String> {
    let messages = world.messages(caller, id).await;
    messages.iter().map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

fn id(message: &Value) -> &str {
    message["id"].as_str().unwrap()
}

on_both_engines! {
    async fn a_conversation_branches_and_can_be_walked(setup) {
        let world = setup.start().await;
        let ann = world.visitor();
        let talk = world.conversation(&ann).await;
        let path = format!("/api/v1/conversations/{talk}");
        let first = world.say(&ann, &talk, "a").await;
        world.say(&ann, &talk, "b").await;
        assert_eq!(said(&world, &ann, &talk).await, ["a", "echo: a", "b", "echo: b"]);
        assert!(world.messages(&ann, &talk).await.iter().all(|message| message["branches"] == json!([])));

        // Another answer: the old one and what followed it stand beside it.
        world.upstream.set(Mode::Say("something else".into(), Duration::ZERO));
        let answer = id(&first["message"]);
        let again = ann.post(&format!("{path}/messages/{answer}/regenerate")).send().await;
        assert_eq!(again.status, 201, "{again:?}");
        let again = again.json();
        assert_eq!((&again["user_message"]["id"], &again["message"]["parent_id"]), (&first["user_message"]["id"], &first["user_message"]["id"]));
        assert_eq!(said(&world, &ann, &talk).await, ["a", "something else"]);
        let asked = world.upstream.asked().pop().unwrap().body;
        let heard: Vec<_> = asked["messages"].as_array().unwrap().iter().filter(|m| m["role"] != "system").cloned().collect();
        assert_eq!(heard, [json!({"role": "user", "content": "a"})], "the model hears what came before, and nothing else");
        let messages = world.messages(&ann, &talk).await;
        assert_eq!(messages[1]["branches"], json!([answer, id(&again["message"])]));
        world.upstream.set(Mode::Echo);
        world.say(&ann, &talk, "c").await;

        // Other words for the first message: a second beginning, by stream and named by what was said.
        let words = id(&first["user_message"]);
        let request = ann.put(&format!("{path}/messages/{words}")).json(&json!({"content": "A"}));
        let events = request.header("accept", "text/event-stream").stream().await.rest().await;
        assert_eq!(events.last().unwrap().name, "done");
        assert_eq!(said(&world, &ann, &talk).await, ["A", "echo: A"]);
        assert_eq!(world.messages(&ann, &talk).await[0]["parent_id"], Value::Null);

        // Back to what was there first, by its answer; then over to the other answer.
        let turned = ann.put(&path).json(&json!({"head": answer})).send().await;
        assert_eq!(turned.status, 200, "{turned:?}");
        assert_eq!(said(&world, &ann, &talk).await, ["a", "echo: a", "b", "echo: b"]);
        let turned = ann.put(&path).json(&json!({"head": id(&again["message"]), "title": "Branches"})).send().await;
        assert_eq!((turned.status, &turned.json()["title"]), (200, &json!("Branches")));
        assert_eq!(said(&world, &ann, &talk).await, ["a", "something else", "c", "echo: c"]);
        // What is said now goes on from there.
        world.say(&ann, &talk, "d").await;
        assert_eq!(said(&world, &ann, &talk).await.len(), 6);

        let export = ann.get(&format!("{path}/export")).send().await.json();
        assert_eq!(export["messages"].as_array().unwrap().len(), 11, "nothing is lost");
        assert_eq!(export["said"].as_array().unwrap().len(), 6);
        let markdown = ann.get(&format!("{path}/export?format=markdown")).send().await.text();
        assert!(markdown.contains("something else") && !markdown.contains("echo: b"), "{markdown}");
    }

    async fn what_cannot_be_said_anew_says_why(setup) {
        let world = setup.set("MAX_CONVERSATION_LENGTH", "2").start().await;
        let (ann, bob) = (world.visitor(), world.visitor());
        let talk = world.conversation(&ann).await;
        let path = format!("/api/v1/conversations/{talk}");
        let first = world.say(&ann, &talk, "a").await;
        let answered = ann.put(&format!("{path}/messages/{}", id(&first["message"]))).json(&json!({"content": "x"}));
        check([Case::new(answered, 409).code("conflict").holds("nobody asked for this message")]).await;
        let second = world.say(&ann, &talk, "b").await;
        let (asked, answer) = (id(&second["user_message"]).to_owned(), id(&second["message"]).to_owned());
        let unknown = "01890000-0000-7000-8000-000000000000";
        check([
            Case::new(bob.post(&format!("{path}/messages/{answer}/regenerate")), 404).code("not_found"),
            Case::new(bob.put(&format!("{path}/messages/{asked}")).json(&json!({"content": "x"})), 404).code("not_found"),
            Case::new(bob.put(&path).json(&json!({"head": answer})), 404).code("not_found"),
            Case::new(ann.post(&format!("{path}/messages/{unknown}/regenerate")), 404).code("not_found"),
            Case::new(ann.post(&format!("{path}/messages/x/regenerate")), 400).code("invalid_id"),
            Case::new(ann.put(&format!("{path}/messages/{asked}")).json(&json!({"content": "x"})), 409).code("conversation_full"),
            Case::new(ann.put(&format!("{path}/messages/{asked}")).json(&json!({"content": " "})), 400).code("invalid_input"),
            Case::new(ann.put(&path).json(&json!({})), 400).code("invalid_input"),
            Case::new(ann.put(&path).json(&json!({"head": "x"})), 400).code("invalid_id"),
            Case::new(ann.put(&path).json(&json!({"head": unknown})), 404).code("not_found"),
        ])
        .await;
        // Another answer is no message of the user's: a full conversation takes it. Sent twice, it is given once.
        let again = || ann.post(&format!("{path}/messages/{asked}/regenerate")).header("idempotency-key", "again-1");
        let (one, other) = (again().send().await, again().send().await);
        assert_eq!((one.status, other.status), (201, 201));
        assert_eq!(id(&one.json()["message"]), id(&other.json()["message"]));
        let conversation = ann.get(&path).send().await.json();
        assert_eq!(conversation["message_count"], 5);

        // One answer at a time, whichever way it is asked for.
        world.upstream.set(Mode::Gated);
        let request = ann.post(&format!("{path}/messages/{asked}/regenerate")).json(&json!({"resumable": true}));
        let mut events = request.header("accept", "text/event-stream").stream().await;
        events.next().await;
        let busy = ann.put(&path).json(&json!({"head": id(&first["message"])})).send().await;
        assert_eq!(busy.status, 409, "{busy:?}");
        world.upstream.release();
        assert_eq!(events.rest().await.last().unwrap().name, "done");
    }
}

/// A second turn in a branch reads what leads to it, not what was said last.
#[tokio::test]
async fn the_model_hears_the_branch_that_it_answers_in() {
    let world = Setup::sqlite().start().await;
    let ann = world.visitor();
    let talk = world.conversation(&ann).await;
    world.say(&ann, &talk, "one").await;
    let second = world.say(&ann, &talk, "two").await;
    world.say(&ann, &talk, "three").await;
    let path = format!("/api/v1/conversations/{talk}/messages/{}", id(&second["user_message"]));
    let edited = ann.put(&path).json(&json!({"content": "zwei"})).send().await;
    assert_eq!(edited.status, 201, "{edited:?}");
    let heard: Vec<String> = world.upstream.asked().pop().unwrap().body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|message| message["role"] != "system")
        .map(|message| message["content"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(heard, ["one", "echo: one", "zwei"]);
}
