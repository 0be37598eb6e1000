//! Answers that one replica writes, as the others see them: a turn in progress for all, followed live, continued by another
//! when the writer has died.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::{Case, Mode, Setup, check, eventually, text};

const SECOND: Duration = Duration::from_secs(1);

fn stream(request: crate::world::Request) -> crate::world::Request {
    request.header("accept", "text/event-stream")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_one_for_every_replica() {
    let Some(setup) = Setup::postgres() else { return };
    let world = setup.unlimited().start().await;
    world.upstream.set(Mode::Gated);
    let replica = world.replica().await;
    let (here, there) = (world.key(), world.key().at(replica.address));
    let id = world.conversation(&here).await;
    let path = format!("/api/v1/conversations/{id}/messages");
    let mut reader =
        stream(here.post(&path).json(&json!({"content": "go", "resumable": true}))).stream().await;
    let seen = reader.until("delta").await;
    assert_eq!(text(&seen), "first ");

    // No second turn anywhere, in whatever form, and no other way through the conversation.
    let answer = seen[0].data["message"]["id"].as_str().unwrap().to_owned();
    let busy = |request: crate::world::Request| Case::new(request, 409).code("conflict");
    for caller in [&here, &there] {
        check([
            busy(caller.post(&path).json(&json!({"content": "too"}))),
            busy(stream(caller.post(&path).json(&json!({"content": "too"})))),
            busy(caller.post(&format!("{path}/{answer}/regenerate"))),
            busy(caller.post(&format!("{path}/{answer}/continue"))),
            busy(caller.put(&format!("/api/v1/conversations/{id}")).json(&json!({"head": answer}))),
        ])
        .await;
    }
    let stored = world.messages(&there, &id).await;
    assert_eq!((stored.len(), &stored[1]["finish_reason"]), (2, &Value::Null));
    assert_eq!(stored[1]["content"], "first ", "what was shown is stored");

    // Read along over there, live: the first words come before the answer has its end.
    let mut follower = stream(there.get(&path)).stream().await;
    let mut late = stream(there.get(&path).header("last-event-id", "3")).stream().await;
    let mut followed = follower.until("delta").await;
    assert_eq!((text(&followed), &followed[0].data["message"]["id"]), ("first ".into(), &json!(answer)));
    assert_eq!(text(&late.until("delta").await), "st ");
    world.upstream.release();
    followed.extend(follower.rest().await);
    let rest = reader.rest().await;
    assert_eq!((text(&followed).as_str(), text(&late.rest().await).as_str()), ("first second", "second"));
    assert_eq!(followed.last(), rest.last(), "the end is the same everywhere");
    world.upstream.set(Mode::Echo);
    eventually(5 * SECOND, "the next turn may come, there too", async || {
        there.post(&path).json(&json!({"content": "next"})).send().await.status == 201
    })
    .await;
    world.verify_audit().await;
}

/// The writer dies: a reader at another replica gets the end as soon as the writer's lease is over, and the answer is
/// continued there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_outlives_its_writer() {
    let Some(setup) = Setup::postgres() else { return };
    let world = setup.unlimited().start().await;
    world.upstream.set(Mode::Gated);
    let mut replica = world.replica().await;
    let (here, there) = (world.key(), world.key().at(replica.address));
    let id = world.conversation(&here).await;
    let path = format!("/api/v1/conversations/{id}/messages");
    let mut writer =
        stream(there.post(&path).json(&json!({"content": "go", "resumable": true}))).stream().await;
    let seen = writer.until("delta").await;
    replica.kill().await;
    assert!(writer.next().await.is_none());
    // The page comes back to another replica, with what it saw.
    let last = &seen.last().unwrap().id;
    let began = Instant::now();
    let rest = stream(here.get(&path).header("last-event-id", last)).stream().await.rest().await;
    println!("the end came {:?} after the writer had gone", began.elapsed());
    assert_eq!(
        (text(&rest).as_str(), &rest.last().unwrap().data["finish_reason"]),
        ("", &json!("interrupted"))
    );
    let stored = world.messages(&here, &id).await;
    assert_eq!(
        (&stored[1]["content"], &stored[1]["finish_reason"]),
        (&json!("first "), &json!("interrupted"))
    );
    world.upstream.set(Mode::Say("second".into(), Duration::ZERO));
    let answer = stored[1]["id"].as_str().unwrap();
    let turn = here.post(&format!("{path}/{answer}/continue")).send().await;
    assert_eq!((turn.status, &turn.json()["message"]["content"]), (201, &json!("first second")));
}

/// A stop at another replica, of an answer that says nothing at the moment, closes the provider's connection within a
/// second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_answer_stops_when_another_replica_is_told() {
    let Some(setup) = Setup::postgres() else { return };
    let world = setup.unlimited().start().await;
    world.upstream.set(Mode::Stall);
    let replica = world.replica().await;
    let (here, there) = (world.key(), world.key().at(replica.address));
    let id = world.conversation(&here).await;
    let path = format!("/api/v1/conversations/{id}/messages");
    let mut reader =
        stream(here.post(&path).json(&json!({"content": "go", "resumable": true}))).stream().await;
    reader.until("delta").await;
    drop(reader);
    let mut follower = stream(there.get(&path)).stream().await;
    follower.until("delta").await;
    let stop = there.post(&format!("/api/v1/conversations/{id}/stop")).send().await;
    assert_eq!(stop.json(), json!({"stopped": true}));
    assert!(world.upstream.idle().await < SECOND);
    assert_eq!(follower.rest().await.last().unwrap().data["finish_reason"], "cancelled");
    let stored = world.messages(&here, &id).await;
    assert_eq!((&stored[1]["content"], &stored[1]["finish_reason"]), (&json!("half"), &json!("cancelled")));
}
