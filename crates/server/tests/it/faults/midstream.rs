//! Restarts in mid-stream, as often as `STOA_RESTARTS` says: killed, or asked to stop, with answers being written that two
//! readers follow. What a reader saw is the beginning of what is stored; who comes back with `Last-Event-ID` gets exactly
//! the rest; the answer has its end, and can be continued.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Caller, Event, Events, Mode, Setup, World, eventually, setting, text};

/// What a reader has seen when the connection ended: the events, and whether the last of them was the end.
struct Seen {
    conversation: String,
    events: Vec<Event>,
}

impl Seen {
    fn over(&self) -> bool {
        self.events.last().is_some_and(|event| event.name == "done")
    }
}

async fn begin(world: &World, caller: &Caller) -> (String, Events) {
    let id = world.conversation(caller).await;
    let request = caller.post(&format!("/api/v1/conversations/{id}/messages"));
    let events = request.json(&json!({"content": "go", "resumable": true}));
    (id, events.header("accept", "text/event-stream").stream().await)
}

async fn come_back(caller: &Caller, id: &str, last: Option<&str>) -> Events {
    let path = format!("/api/v1/conversations/{id}/messages");
    let request = caller.get(&path).header("accept", "text/event-stream");
    match last {
        Some(last) => request.header("last-event-id", last).stream().await,
        None => request.stream().await,
    }
}

/// What the restarts came to.
#[derive(Default)]
struct Count {
    readers: usize,
    cut: usize,
    bytes: usize,
}

/// One restart with some answers being written; `kill` or a request to stop.
async fn restart(world: &mut World, after: Duration, kill: bool, count: &mut Count) {
    let key = world.key();
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let (conversation, events) = begin(world, &key).await;
        let second = come_back(&key, &conversation, None).await;
        for mut reader in [events, second] {
            let conversation = conversation.clone();
            readers.spawn(async move { Seen { conversation, events: reader.rest().await } });
        }
    }
    tokio::time::sleep(after).await;
    if kill {
        world.process.kill().await;
    } else {
        assert_eq!(world.process.terminate().await, Some(0));
    }
    world.start_again().await;
    let key = world.key();
    while let Some(seen) = readers.join_next().await {
        let seen = seen.unwrap();
        let shown = text(&seen.events);
        let last = seen.events.last().map(|event| event.id.clone());
        assert!(kill || seen.over(), "who stops in order says so: {:?}", seen.events.last());
        // Whoever comes back gets the rest; a second one, who has seen nothing, gets all.
        let rest = come_back(&key, &seen.conversation, last.as_deref()).await.rest().await;
        let whole = come_back(&key, &seen.conversation, None).await.rest().await;
        let stored = world.messages(&key, &seen.conversation).await.pop().unwrap();
        let content = stored["content"].as_str().unwrap();
        assert_eq!(shown.clone() + &text(&rest), content, "seen and the rest are what is stored");
        assert_eq!(text(&whole), content);
        let end = whole.last().unwrap();
        assert_eq!((end.name.as_str(), &end.data["finish_reason"]), ("done", &stored["finish_reason"]));
        if seen.over() {
            assert_eq!(shown, content, "nothing follows an end");
        }
        assert!(["interrupted", "stop"].contains(&stored["finish_reason"].as_str().unwrap()), "{stored}");
        count.readers += 1;
        count.cut += usize::from(stored["finish_reason"] == "interrupted");
        count.bytes += content.len();
    }
}

/// The restarts of one engine: most are kills; some that are asked for find answers that end in time, a few do not.
async fn restarts(setup: Setup, times: usize) {
    let mut world = setup.unlimited().set("MAX_CONVERSATIONS_PER_SESSION", 1_000_000).start().await;
    let (mut count, mut kills, mut asked) = (Count::default(), 0, 0);
    for number in 0..times {
        let (kill, long) = (number % 4 != 1, number % 32 == 1);
        let pieces = if kill {
            2_000
        } else if long {
            200_000
        } else {
            120
        };
        world.upstream.set(Mode::Pieces(pieces, Duration::from_millis(2)));
        // At another moment each time: before the first word, between two, while one is stored.
        let after = Duration::from_millis(number as u64 * 53 % 211);
        restart(&mut world, after, kill, &mut count).await;
        if kill { kills += 1 } else { asked += 1 }
    }
    println!(
        "{times} restarts in mid-stream ({kills} by kill -9, {asked} by SIGTERM): {} transcripts identical, {} of them of \
         interrupted answers, {} bytes",
        count.readers, count.cut, count.bytes
    );
    assert!(count.readers == 6 * times && count.cut > 0 && count.bytes > 0);
    world.verify_audit().await;
}

/// `STOA_RESTARTS=100 cargo xtask test -- -E 'test(nothing_that_was_seen_is_lost)' --no-capture`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_seen_is_lost() {
    let times = setting("STOA_RESTARTS").map_or(4, |text| text.parse().unwrap());
    restarts(Setup::sqlite(), times).await;
}

/// The same where other replicas could have lived on: the end comes when the writer has not been heard of for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_seen_is_lost_by_replicas() {
    let Some(setup) = Setup::postgres() else { return };
    let times: usize = setting("STOA_RESTARTS").map_or(4, |text| text.parse().unwrap());
    restarts(setup, (times / 4).max(1)).await;
}

/// An answer that a crash cut off is taken up where it stopped, once, and becomes one message.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_cut_off_is_continued() {
    let mut world = Setup::sqlite().unlimited().start().await;
    world.upstream.set(Mode::Stall);
    let key = world.key();
    let (id, mut events) = begin(&world, &key).await;
    let seen = events.until("delta").await;
    world.crash().await;
    let key = world.key();
    let answer = world.messages(&key, &id).await.pop().unwrap();
    assert_eq!((&answer["content"], &answer["finish_reason"]), (&json!(text(&seen)), &json!("interrupted")));
    world.upstream.set(Mode::Say(" and the other half".into(), Duration::ZERO));
    let path = format!("/api/v1/conversations/{id}/messages/{}/continue", answer["id"].as_str().unwrap());
    let rest = key.post(&path).header("accept", "text/event-stream").stream().await.rest().await;
    assert_eq!(text(&rest), "half and the other half");
    let stored = world.messages(&key, &id).await;
    assert_eq!(stored.len(), 2, "it is one message: {stored:?}");
    assert_eq!((&stored[1]["id"], &stored[1]["finish_reason"]), (&answer["id"], &json!("stop")));
    assert_eq!(stored[1]["content"], "half and the other half");
    let mut ready = Value::Null;
    eventually(Duration::from_secs(5), "the conversation is free", async || {
        ready = key.post(&path).send().await.json();
        ready["code"] == "conflict"
    })
    .await;
    assert!(ready["detail"].as_str().unwrap().contains("before it was complete"), "{ready}");
}
