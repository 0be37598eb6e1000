//! Answers that ended before they were complete, taken up where they stopped.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Caller, Case, Mode, Setup, check, eventually, on_both_engines, text};

/// Begins an answer and stops it after the first piece; gives the conversation and the answer.
async fn stopped(world: &crate::world::World, caller: &Caller) -> (String, Value) {
    let id = world.conversation(caller).await;
    world.upstream.set(Mode::Stall);
    let request =
        caller.post(&format!("/api/v1/conversations/{id}/messages")).json(&json!({"content": "go"}));
    let mut events = request.header("accept", "text/event-stream").stream().await;
    events.until("delta").await;
    let stop = caller.post(&format!("/api/v1/conversations/{id}/stop")).send().await;
    assert_eq!(stop.json(), json!({"stopped": true}));
    events.rest().await;
    let answer = world.messages(caller, &id).await.pop().unwrap();
    assert_eq!((&answer["content"], &answer["finish_reason"]), (&json!("half"), &json!("cancelled")));
    (id, answer)
}

on_both_engines! {
    async fn an_answer_goes_on_where_it_stopped(setup) {
        let world = setup.start().await;
        let ann = world.visitor();
        let (id, answer) = stopped(&world, &ann).await;
        let path = format!("/api/v1/conversations/{id}/messages/{}/continue", answer["id"].as_str().unwrap());

        // Stopped again on the way: all of it is kept, and it can go on once more.
        world.upstream.set(Mode::Gated);
        let mut events = ann.post(&path).json(&json!({"resumable": true})).header("accept", "text/event-stream").stream().await;
        let mut seen = events.until("delta").await;
        assert_eq!((text(&seen).as_str(), &seen[0].data["message"]["id"]), ("half", &answer["id"]), "what was there comes first");
        seen.extend(events.until("delta").await);
        let other = Case::new(ann.post(&format!("/api/v1/conversations/{id}/messages")).json(&json!({"content": "too"})), 409);
        check([other.code("conflict"), Case::new(ann.post(&path), 409).code("conflict")]).await;
        ann.post(&format!("/api/v1/conversations/{id}/stop")).send().await;
        seen.extend(events.rest().await);
        assert_eq!((text(&seen).as_str(), &seen.last().unwrap().data["finish_reason"]), ("halffirst ", &json!("cancelled")));

        // At once, without a stream.
        world.upstream.set(Mode::Say("and the rest.".into(), Duration::ZERO));
        let mut whole = Value::Null;
        eventually(Duration::from_secs(5), "the conversation is free", async || {
            let answer = ann.post(&path).send().await;
            whole = answer.json();
            answer.status == 201
        }).await;
        assert_eq!(whole["message"]["content"], "halffirst and the rest.");
        assert_eq!((&whole["user_message"]["content"], &whole["finish_reason"]), (&json!("go"), &json!("stop")));
        let stored = world.messages(&ann, &id).await;
        assert_eq!(stored.len(), 2);
        assert_eq!((&stored[1]["id"], &stored[1]["branches"]), (&answer["id"], &json!([])));
        let asked = world.upstream.asked().pop().unwrap().body;
        let heard: Vec<&str> = asked["messages"].as_array().unwrap().iter().filter(|m| m["role"] != "system").map(|m| m["content"].as_str().unwrap()).collect();
        assert_eq!(heard[..2], ["go", "halffirst "], "the model sees what it said");
        assert_eq!(heard.len(), 3);
        world.verify_audit().await;
    }
}

/// What cannot be continued, and for whom not.
#[tokio::test]
async fn only_the_last_answer_that_is_not_complete_goes_on() {
    let world = Setup::sqlite().start().await;
    let ann = world.visitor();
    let (id, answer) = stopped(&world, &ann).await;
    world.upstream.set(Mode::Echo);
    let path = |message: &Value| {
        format!("/api/v1/conversations/{id}/messages/{}/continue", message.as_str().unwrap())
    };
    check([Case::new(world.stranger().post(&path(&answer["id"])), 404).code("not_found")]).await;
    check([Case::new(ann.post(&path(&answer["parent_id"])), 409).code("conflict")]).await;
    let turn = world.say(&ann, &id, "go on").await;
    let old = Case::new(ann.post(&path(&answer["id"])), 409).code("conflict");
    let complete = Case::new(ann.post(&path(&turn["message"]["id"])), 409).code("conflict");
    check([old.holds("last answer"), complete.holds("complete")]).await;
    let stored = world.messages(&ann, &id).await;
    assert_eq!(stored[1]["content"], "half", "a refusal changes nothing");
    assert_eq!(stored[1]["finish_reason"], "cancelled");
}
