//! Several servers on one Postgres: what one of them is told counts at the others.

mod faults;
mod limits;
mod repeats;
mod restarts;
mod sockets;
mod streams;

use std::time::Duration;

use serde_json::json;

use crate::world::{Case, Mode, Setup, check, eventually, text};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_tell_the_same() {
    let Some(setup) = Setup::postgres() else { return };
    let world = setup.set("TRUSTED_PROXIES", "127.0.0.1").start().await;
    let replica = world.replica().await;
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    let there = visitor.at(replica.address);
    let path = format!("/api/v1/conversations/{id}/messages");
    let said = there
        .post(&path)
        .header("origin", &format!("http://{}", replica.address))
        .json(&json!({"content": "there"}));
    assert_eq!(said.send().await.status, 201, "the cookie of one is a cookie of the other");
    world.say(&visitor, &id, "here").await;
    let contents: Vec<String> =
        world.messages(&there, &id).await.iter().map(|m| m["content"].as_str().unwrap().to_owned()).collect();
    assert_eq!(contents, ["there", "echo: there", "here", "echo: here"]);
    let key = world.key();
    let ask = |caller: &crate::world::Caller| {
        caller
            .post("/api/v1/chat")
            .json(&json!({"message": "once", "app": "assistant"}))
            .header("idempotency-key", "k")
            .send()
    };
    let first = ask(&key).await;
    let again = ask(&key.at(replica.address)).await;
    assert_eq!((first.status, first.text()), (200, again.text()), "a key is used once in the whole house");
    let made = world.told(&["key", "create", "shop", "--json"]).await.remove(0);
    let holder = world.anonymous().with("x-api-key", made["key"].as_str().unwrap());
    let status = async |caller: &crate::world::Caller| caller.get("/api/v1/apps").send().await.status;
    for caller in [&holder, &holder.at(replica.address)] {
        eventually(SECOND, "the key is known", async || status(caller).await == 200).await;
    }
    assert!(world.stoa(&["key", "revoke", made["id"].as_str().unwrap()]).await.success());
    for caller in [&holder, &holder.at(replica.address)] {
        eventually(SECOND, "the key is revoked", async || status(caller).await == 401).await;
    }
    world.verify_audit().await;
}

/// A reader that comes back to another replica gets the whole answer once it is there, and no end before that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_replayed_by_the_other_replica() {
    let Some(setup) = Setup::postgres() else { return };
    let world = setup.start().await;
    world.upstream.set(Mode::Gated);
    let replica = world.replica().await;
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    let path = format!("/api/v1/conversations/{id}/messages");
    let request = visitor.post(&path).json(&json!({"content": "go"})).header("accept", "text/event-stream");
    let mut here = request.stream().await;
    let seen = here.until("delta").await;
    let there = visitor.at(replica.address).get(&path).header("accept", "text/event-stream");
    let last = seen.last().unwrap().id.clone();
    let reading =
        tokio::spawn(async move { there.header("last-event-id", &last).stream().await.rest().await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!reading.is_finished(), "an answer that is being written has no end");
    world.upstream.release();
    let rest = reading.await.unwrap();
    assert_eq!(text(&seen) + &text(&rest), "first second");
    assert_eq!(rest.last().unwrap().data["finish_reason"], "stop");
    assert_eq!(text(&here.rest().await), "second");
}

/// Two servers that write at the same moment keep one audit chain and one order of messages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_write_one_chain() {
    let Some(setup) = Setup::postgres() else { return };
    let world = setup.unlimited().start().await;
    let replica = world.replica().await;
    let key = world.key();
    let addresses = [world.address(), replica.address];
    let turns = (0..40).map(|n: usize| {
        let body =
            json!({"message": format!("m{n}"), "session_id": format!("s{}", n % 4), "app": "assistant"});
        let request = key.at(addresses[n % 2]).post("/api/v1/chat").json(&body);
        async move { (n, request.send().await) }
    });
    let mut done = 0;
    for (n, answer) in futures_util::future::join_all(turns).await {
        match answer.status {
            200 => done += 1,
            409 => assert!(["conflict", "conversation_full"].contains(&answer.code().as_str()), "{answer:?}"),
            _ => panic!("{n}: {answer:?}"),
        }
    }
    assert!(done >= 4, "{done}");
    let talks = crate::world::everything(&key, "/api/v1/conversations?limit=100").await;
    assert_eq!(talks.len(), 4, "one conversation a session: {talks:?}");
    let mut kept = 0;
    for talk in &talks {
        let messages = world.messages(&key, talk["id"].as_str().unwrap()).await;
        for pair in messages.chunks(2) {
            assert_eq!(
                pair[1]["content"],
                format!("echo: {}", pair[0]["content"].as_str().unwrap()),
                "a turn stays together"
            );
        }
        kept += messages.len();
    }
    assert_eq!(kept, 2 * done);
    world.verify_audit().await;
    check([Case::new(key.get("/health"), 200)]).await;
}

/// A stop that reaches another replica than the one that writes ends the answer there within a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_stops_when_the_other_replica_is_told() {
    let Some(setup) = Setup::postgres() else { return };
    let world = setup.set("TRUSTED_PROXIES", "127.0.0.1").start().await;
    world.upstream.set(Mode::Gated);
    let replica = world.replica().await;
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    let path = format!("/api/v1/conversations/{id}/messages");
    let request = visitor.post(&path).json(&json!({"content": "go"})).header("accept", "text/event-stream");
    let mut here = request.stream().await;
    here.until("delta").await;
    let there = visitor.at(replica.address);
    let stop = there
        .post(&format!("/api/v1/conversations/{id}/stop"))
        .header("origin", &format!("http://{}", replica.address));
    assert_eq!(stop.send().await.json(), json!({"stopped": true}));
    let rest = tokio::time::timeout(2 * SECOND, here.rest()).await.expect("the stream ends by itself");
    assert_eq!(rest.last().unwrap().data["finish_reason"], "cancelled");
    let stored = world.messages(&there, &id).await;
    let answer = stored.last().unwrap();
    assert_eq!((&answer["content"], &answer["finish_reason"]), (&json!("first "), &json!("cancelled")));
}
