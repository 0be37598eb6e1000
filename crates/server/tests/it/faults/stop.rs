//! SIGTERM: what is in flight is finished, load balancers are told, streams are kept and marked, the exit code is 0.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::world::{Mode, Process, Setup, eventually};

#[tokio::test]
async fn requests_in_flight_are_finished() {
    let mut world = Setup::sqlite().start().await;
    world.upstream.set(Mode::Say("late".to_owned(), Duration::from_millis(700)));
    let key = world.key();
    let id = world.conversation(&key).await;
    let path = format!("/api/v1/conversations/{id}/messages");
    let asking = tokio::spawn(key.post(&path).json(&json!({"content": "hello"})).send());
    world.upstream.busy().await;
    world.process.signal(15);
    let anonymous = world.anonymous();
    eventually(Duration::from_millis(500), "load balancers are told", async || {
        let ready = anonymous.get("/ready").try_send().await;
        ready.is_ok_and(|answer| answer.status == 503 && answer.json()["draining"] == true)
    })
    .await;
    assert_eq!(anonymous.get("/live").send().await.status, 200);
    let answer = asking.await.unwrap();
    assert_eq!((answer.status, &answer.json()["message"]["content"]), (201, &json!("late")));
    assert_eq!(world.process.ended().await, Some(0));
    assert!(anonymous.get("/live").try_send().await.is_err());
    assert!(world.process.log().contains("\"stopped\""));
    world.process = Process::start(world.folder.path(), &world.with("LOG_LEVEL", "INFO")).await;
    assert_eq!(world.messages(&world.key(), &id).await.len(), 2);
    world.verify_audit().await;
}

#[tokio::test]
async fn a_server_with_nothing_to_do_stops_at_once() {
    let mut world = Setup::sqlite().start().await;
    let began = Instant::now();
    assert_eq!(world.process.terminate().await, Some(0));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let mut world = Setup::sqlite().start().await;
    world.process.signal(2);
    assert_eq!(world.process.ended().await, Some(0));
}

/// A stream that does not end by itself is cut after the grace, stored and marked.
#[tokio::test]
async fn a_stream_that_does_not_end_is_cut_and_kept() {
    let mut world = Setup::sqlite().start().await;
    world.upstream.set(Mode::Stall);
    let key = world.key();
    let id = world.conversation(&key).await;
    let request = key.post(&format!("/api/v1/conversations/{id}/messages")).json(&json!({"content": "go"}));
    let mut events = request.header("accept", "text/event-stream").stream().await;
    events.until("delta").await;
    let began = Instant::now();
    world.process.signal(15);
    let rest = events.rest().await;
    assert_eq!(rest.last().unwrap().data["finish_reason"], "interrupted");
    assert_eq!(world.process.ended().await, Some(0));
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    world.process = Process::start(world.folder.path(), &world.with("LOG_LEVEL", "INFO")).await;
    let messages = world.messages(&world.key(), &id).await;
    assert_eq!(
        (&messages[1]["content"], &messages[1]["finish_reason"]),
        (&json!("half"), &json!("interrupted"))
    );
}
