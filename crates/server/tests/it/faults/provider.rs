//! A provider that hangs, stalls, cuts, sends pages or without end, refuses: each gives a stable code in time, keeps
//! what was generated, shows nothing of what the provider said, and harms nothing afterwards.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::world::{Mode, Setup, eventually, text};

#[tokio::test]
async fn garbage_never_harms() {
    let setup = Setup::sqlite().unlimited().set("MODEL_FIRST_TOKEN_SECONDS", 1).set("MODEL_IDLE_SECONDS", 1);
    let world = setup.set("REQUEST_TIMEOUT_SECONDS", 3).set("MAX_CONVERSATION_LENGTH", 100).start().await;
    let key = world.key();
    for (mode, half) in [
        (Mode::Hang, ""),
        (Mode::Stall, "half"),
        (Mode::Cut, "half"),
        (Mode::Html, ""),
        (Mode::Endless, ""),
        (Mode::Refuse(400), ""),
        (Mode::Refuse(401), ""),
        (Mode::Refuse(404), ""),
        (Mode::Refuse(429), ""),
        (Mode::Refuse(500), ""),
        (Mode::Refuse(503), ""),
    ] {
        world.upstream.set(mode.clone());
        let id = world.conversation(&key).await;
        let path = format!("/api/v1/conversations/{id}/messages");
        let ask = || key.post(&path).json(&json!({"content": "hello"}));
        let began = Instant::now();
        let answer = ask().send().await;
        assert!(began.elapsed() < Duration::from_secs(5), "{mode:?}: {:?}", began.elapsed());
        let code = answer.code();
        assert!(answer.status == 503 || answer.status == 504, "{mode:?}: {answer:?}");
        assert!(code == "model_unavailable" || code == "timeout", "{mode:?}: {answer:?}");
        assert!(!answer.text().contains("upstream"), "{mode:?}: {answer:?}");
        assert!(world.messages(&key, &id).await.is_empty(), "{mode:?}: a failed answer keeps nothing");
        let began = Instant::now();
        let events = ask().header("accept", "text/event-stream").stream().await.rest().await;
        assert!(began.elapsed() < Duration::from_secs(6), "{mode:?}: {:?}", began.elapsed());
        assert_eq!(text(&events), half, "{mode:?}");
        let last = events.last().unwrap();
        assert_eq!(
            (last.name.as_str(), &last.data["finish_reason"]),
            ("error", &json!("error")),
            "{mode:?}: {last:?}"
        );
        assert!(!format!("{events:?}").contains("upstream"), "{mode:?}: {events:?}");
        let stored = world.messages(&key, &id).await;
        assert_eq!(
            (&stored[1]["content"], &stored[1]["finish_reason"]),
            (&json!(half), &json!("error")),
            "{mode:?}"
        );
        world.upstream.set(Mode::Echo);
        let again = ask().send().await;
        assert_eq!(again.status, 201, "{mode:?} lasts: {again:?}");
    }
    assert!(world.upstream.sent() < 100 * 1024 * 1024, "{} bytes were taken", world.upstream.sent());
    assert!(world.process.memory() < 300 * 1024 * 1024);
    assert!(!world.process.log().contains("upstream-marker") && !world.process.log().contains("sk-leaked"));
    world.upstream.idle().await;
}

/// A provider that is not there at all; health tells, and notices when it is back.
#[tokio::test]
async fn health_measures_the_provider() {
    let world = Setup::sqlite().unlimited().start().await;
    let model = async || world.anonymous().get("/health").send().await.json()["services"]["model"].clone();
    let ask =
        || world.key().post("/api/v1/chat").json(&json!({"message": "hello", "app": "assistant"})).send();
    world.upstream.set(Mode::Refuse(500));
    for _ in 0..5 {
        ask().await;
    }
    eventually(Duration::from_secs(2), "health tells", async || model().await != "operational").await;
    assert_eq!(world.anonymous().get("/health").send().await.status, 200, "the server itself serves");
    world.upstream.set(Mode::Echo);
    eventually(Duration::from_secs(12), "health notices", async || {
        ask().await;
        model().await == "operational"
    })
    .await;
    let gone = Setup::sqlite().set("OPENAI_BASE_URL", "http://127.0.0.1:9/v1").start().await;
    let began = Instant::now();
    let answer =
        gone.key().post("/api/v1/chat").json(&json!({"message": "hello", "app": "assistant"})).send().await;
    assert_eq!(answer.code(), "model_unavailable");
    assert!(began.elapsed() < Duration::from_secs(5) && !answer.text().contains("127.0.0.1"), "{answer:?}");
}
