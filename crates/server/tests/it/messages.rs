//! Turns: at once and as streams; stopped, abandoned, resumed, replayed.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::{
    Caller, Case, Event, Events, Mode, Setup, World, check, eventually, on_both_engines, text,
};

async fn stream(caller: &Caller, id: &str, body: Value) -> Events {
    let request = caller.post(&format!("/api/v1/conversations/{id}/messages")).json(&body);
    request.header("accept", "text/event-stream").stream().await
}

async fn resume(caller: &Caller, id: &str, last: Option<&str>) -> Events {
    let request =
        caller.get(&format!("/api/v1/conversations/{id}/messages")).header("accept", "text/event-stream");
    match last {
        Some(last) => request.header("last-event-id", last).stream().await,
        None => request.stream().await,
    }
}

/// The last message of a conversation once it has an end.
async fn ended(world: &World, caller: &Caller, id: &str) -> Value {
    let mut last = Value::Null;
    eventually(Duration::from_secs(5), "the answer has an end", async || {
        last = world.messages(caller, id).await.pop().unwrap_or_default();
        !last["finish_reason"].is_null()
    })
    .await;
    last
}

on_both_engines! {
    async fn a_stream_tells_the_whole_turn(setup) {
        let world = setup.start().await;
        let visitor = world.visitor();
        let id = world.conversation(&visitor).await;
        let mut events = stream(&visitor, &id, json!({"content": "Größe 語 😀"})).await;
        assert_eq!(events.headers["x-accel-buffering"], "no");
        assert!(!events.headers.contains_key("content-encoding"));
        let events = events.rest().await;
        let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
        assert_eq!((names[0], names[1], *names.last().unwrap()), ("message", "delta", "done"), "{names:?}");
        assert!(names[1..names.len() - 1].iter().all(|name| *name == "delta"), "{names:?}");
        assert_eq!(text(&events), "echo: Größe 語 😀");
        let began = &events[0].data;
        assert_eq!(began["conversation_id"], id.as_str());
        assert_eq!((&began["message"]["content"], &began["message"]["finish_reason"]), (&json!(""), &Value::Null));
        assert_eq!(began["user_message"]["content"], "Größe 語 😀");
        let done = &events.last().unwrap().data;
        assert_eq!((&done["finish_reason"], &done["model"]), (&json!("stop"), &json!("mock-model")));
        assert_eq!(done["usage"], json!({"input_tokens": 11, "output_tokens": 5}));
        assert_eq!(done["message_id"], began["message"]["id"]);
        let stored = world.messages(&visitor, &id).await;
        assert_eq!(stored[1]["content"], "echo: Größe 語 😀");
        assert_eq!(stored[1]["id"], done["message_id"]);
    }

    /// What was generated when somebody says stop is kept and marked; the provider is left at once.
    async fn a_stream_stops_when_told(setup) {
        let world = setup.start().await;
        world.upstream.set(Mode::Stall);
        let visitor = world.visitor();
        let id = world.conversation(&visitor).await;
        let mut events = stream(&visitor, &id, json!({"content": "go", "resumable": true})).await;
        events.until("delta").await;
        let other = Case::new(visitor.post(&format!("/api/v1/conversations/{id}/messages")).json(&json!({"content": "too"})), 409);
        check([other.code("conflict")]).await;
        let stop = visitor.post(&format!("/api/v1/conversations/{id}/stop"));
        assert_eq!(stop.clone().send().await.json(), json!({"stopped": true}));
        assert!(world.upstream.idle().await < Duration::from_secs(1));
        let rest = events.rest().await;
        assert_eq!(rest.last().unwrap().data["finish_reason"], "cancelled");
        let last = ended(&world, &visitor, &id).await;
        assert_eq!((&last["content"], &last["finish_reason"]), (&json!("half"), &json!("cancelled")));
        assert_eq!(stop.send().await.json(), json!({"stopped": false}));
        world.upstream.set(Mode::Echo);
        assert_eq!(world.say(&visitor, &id, "again").await["finish_reason"], "stop");
    }

    /// A client that goes away ends the work upstream within a second.
    async fn a_client_that_goes_ends_the_work(setup) {
        let world = setup.start().await;
        world.upstream.set(Mode::Stall);
        let visitor = world.visitor();
        let id = world.conversation(&visitor).await;
        let mut events = stream(&visitor, &id, json!({"content": "go"})).await;
        events.until("delta").await;
        drop(events);
        assert!(world.upstream.idle().await < Duration::from_secs(1));
        let last = ended(&world, &visitor, &id).await;
        assert_eq!((&last["content"], &last["finish_reason"]), (&json!("half"), &json!("cancelled")));
    }
}

/// The same for an answer at once: nothing is kept, and the conversation is free again.
#[tokio::test]
async fn a_client_that_goes_without_a_stream_leaves_nothing() {
    let world = Setup::sqlite().start().await;
    world.upstream.set(Mode::Hang);
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    let path = format!("/api/v1/conversations/{id}/messages");
    let asking = tokio::spawn(visitor.post(&path).json(&json!({"content": "go"})).send());
    world.upstream.busy().await;
    asking.abort();
    assert!(world.upstream.idle().await < Duration::from_secs(1));
    assert!(world.messages(&visitor, &id).await.is_empty());
    world.upstream.set(Mode::Echo);
    eventually(Duration::from_secs(2), "the conversation is free", async || {
        visitor.post(&path).json(&json!({"content": "again"})).send().await.status == 201
    })
    .await;
}

/// A reader that comes back gets exactly the rest, wherever it left off and whether or not the answer still runs.
#[tokio::test]
async fn a_resumable_stream_is_resumed_where_it_was_left() {
    let world = Setup::sqlite().start().await;
    world.upstream.set(Mode::Gated);
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    let mut first = stream(&visitor, &id, json!({"content": "go", "resumable": true})).await;
    let mut seen = first.until("delta").await;
    assert_eq!(text(&seen), "first ");
    drop(first);
    let last = seen.last().unwrap().id.clone();
    let mut second = resume(&visitor, &id, Some(&last)).await;
    let mut third = resume(&visitor, &id, None).await;
    world.upstream.release();
    let rest = second.rest().await;
    assert_eq!(text(&rest), "second", "nothing twice, nothing lost: {rest:?}");
    assert_eq!(rest.last().unwrap().name, "done");
    seen.extend(rest);
    let whole = third.rest().await;
    assert_eq!(text(&whole), "first second");
    let ids =
        |events: &[Event]| events.iter().map(|event| event.id.parse::<u64>().unwrap()).collect::<Vec<_>>();
    assert!(ids(&seen).is_sorted() && ids(&whole).is_sorted());
    // After the end it is replayed from what is stored, under the same numbers.
    for event in &whole {
        let known = text(&whole[..=whole.iter().position(|e| e == event).unwrap()]);
        let rest = resume(&visitor, &id, Some(&event.id)).await.rest().await;
        assert_eq!(known + &text(&rest), "first second", "after {}", event.id);
    }
    let replayed = resume(&visitor, &id, None).await.rest().await;
    assert_eq!((text(&replayed).as_str(), replayed.last().unwrap()), ("first second", whole.last().unwrap()));
    let path = format!("/api/v1/conversations/{id}/messages");
    let foreign = world.visitor().get(&path).header("accept", "text/event-stream");
    check([Case::new(foreign, 404).code("not_found")]).await;
}

/// A stream that waits sends a comment every ten seconds, so that proxies keep the connection.
#[tokio::test]
async fn a_silent_stream_pings() {
    let world = Setup::sqlite().start().await;
    world.upstream.set(Mode::Gated);
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    let mut events = stream(&visitor, &id, json!({"content": "go"})).await;
    events.until("delta").await;
    let began = Instant::now();
    let release = world.upstream.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(10_500)).await;
        release.release();
    });
    events.rest().await;
    assert!(events.comments >= 1 && began.elapsed() < Duration::from_secs(14));
}

/// An app that the caller may not enter, and streams of a conversation that has no turn yet.
#[tokio::test]
async fn streams_that_cannot_be() {
    let world = Setup::sqlite().start().await;
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    let path = format!("/api/v1/conversations/{id}/messages");
    let sse = |request: crate::world::Request| request.header("accept", "text/event-stream");
    check([
        Case::new(sse(visitor.get(&path)), 404).code("not_found"),
        Case::new(sse(visitor.post(&path)).json(&json!({"content": ""})), 400).code("invalid_input"),
        Case::new(sse(world.stranger().post(&path)).json(&json!({"content": "x"})), 404).code("not_found"),
    ])
    .await;
}

/// The model sees the instructions' place, the talk so far and the caps of the settings (000.06 to 000.08).
#[tokio::test]
async fn the_model_is_asked_as_configured() {
    let world = Setup::sqlite()
        .set("OPENAI_MODEL", "it-model")
        .set("OPENAI_MAX_TOKENS", 77)
        .set("OPENAI_TEMPERATURE", "0.3")
        .start()
        .await;
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    world.say(&visitor, &id, "one").await;
    world.say(&visitor, &id, "two").await;
    let asked = world.upstream.completions().pop().unwrap();
    assert!(
        asked
            .headers
            .to_lowercase()
            .contains(&format!("authorization: bearer {}", crate::world::MODEL_KEY).to_lowercase())
    );
    assert_eq!(asked.body["model"], "it-model");
    assert_eq!(asked.body["max_tokens"].as_u64().or(asked.body["max_completion_tokens"].as_u64()), Some(77));
    assert!((asked.body["temperature"].as_f64().unwrap() - 0.3).abs() < 1e-6);
    let talk: Vec<&str> = asked.body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|message| message["role"] != "system")
        .map(|message| message["content"].as_str().unwrap())
        .collect();
    assert_eq!(talk, ["one", "echo: one", "two"]);
}

/// Without a provider the built-in answerer quotes the manual, cites it, and says so when it has no answer.
#[tokio::test]
async fn the_builtin_answerer_quotes_the_manual() {
    let world = Setup::sqlite().without_model().start().await;
    let visitor = world.visitor();
    let ask = |text: &str| visitor.post("/api/v1/chat").json(&json!({"message": text}));
    let answer = ask("What is Stoa?").send().await.json();
    let citations = answer["message"]["citations"].as_array().unwrap();
    assert!(!citations.is_empty(), "{answer}");
    for citation in citations {
        assert!(
            !citation["quote"].as_str().unwrap().is_empty() && citation["source"].is_string(),
            "{citation}"
        );
    }
    let none = ask("Wie viele Zähne hat ein Walross im Winter?").send().await.json();
    assert_eq!(none["message"]["citations"], json!([]));
    assert!(!none["message"]["content"].as_str().unwrap().is_empty());
}
