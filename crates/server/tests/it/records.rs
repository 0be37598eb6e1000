//! What is written down: the audit log, the log, the data at rest. Words of people are in none of them.

use std::path::Path;

use serde_json::{Value, json};

use crate::world::{
    Case, KEY, MODEL_KEY, Mode, SESSION_SECRET, Setup, World, check, on_both_engines, raw_output,
};

/// Words that are found nowhere but where they belong; long enough to occur by no accident.
const MARKER: &str = "Quetzalcoatlus7731marker";

/// People talk, and everything that can go wrong goes wrong, each with the marker in it.
async fn a_busy_day(world: &World) -> String {
    let visitor = world.visitor();
    let body =
        json!({"app": "assistant", "title": format!("title {MARKER}"), "topic": format!("topic {MARKER}")});
    let id = visitor.post("/api/v1/conversations").json(&body).send().await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world.say(&visitor, &id, &format!("my mail is ada.{MARKER}@example.org, card 4111 1111 1111 1111")).await;
    let path = format!("/api/v1/conversations/{id}");
    let stream =
        visitor.post(&format!("{path}/messages")).json(&json!({"content": format!("streamed {MARKER}")}));
    stream.header("accept", "text/event-stream").stream().await.rest().await;
    let key = world.key();
    let keyed = key
        .post("/api/v1/chat")
        .json(&json!({"message": format!("keyed {MARKER}"), "session_id": format!("s-{MARKER}"), "app": "assistant"}));
    assert_eq!(keyed.header("idempotency-key", "k-1").send().await.status, 200);
    check([
        Case::new(visitor.put(&path).json(&json!({"title": format!("new {MARKER}")})), 200),
        Case::new(visitor.get(&format!("{path}/export")), 200),
        Case::new(visitor.get(&format!("/api/v1/conversations?q={MARKER}")), 200),
        Case::new(visitor.get(&format!("/nothing/{MARKER}?mail=ada@example.org")), 404).code("not_found"),
        Case::new(visitor.get(&format!("/api/v1/conversations/{MARKER}")), 400).code("invalid_id"),
        Case::new(key.post("/api/v1/chat").json(&json!({"message": "x", MARKER: "x"})), 400)
            .code("invalid_input"),
        Case::new(world.anonymous().get("/api/v1/apps").header("x-api-key", MARKER), 401)
            .code("unauthenticated"),
        Case::new(
            world.anonymous().get("/api/v1/apps").header("user-agent", MARKER).header("referer", MARKER),
            200,
        ),
        Case::new(
            key.post("/api/v1/chat")
                .json(&json!({"message": format!("how to build a pipe bomb {MARKER}"), "app": "assistant"})),
            422,
        )
        .code("content_blocked"),
    ])
    .await;
    world.upstream.set(Mode::Refuse(500));
    let failed = key
        .post("/api/v1/chat")
        .json(&json!({"message": format!("lost {MARKER}"), "app": "assistant"}))
        .send()
        .await;
    assert_eq!(failed.code(), "model_unavailable");
    world.upstream.set(Mode::Html);
    key.post("/api/v1/chat")
        .json(&json!({"message": format!("page {MARKER}"), "stream": true, "app": "assistant"}))
        .stream()
        .await
        .rest()
        .await;
    world.upstream.set(Mode::Echo);
    id
}

on_both_engines! {
    /// Audit events name who, what and where from; the chain is whole after all of it.
    async fn the_audit_log_tells_who_did_what(setup) {
        let world = setup.unlimited().start().await;
        let id = a_busy_day(&world).await;
        let object = format!("conversation:{id}");
        for event in ["data.written", "data.read", "data.exported"] {
            let found = world.await_audit(event, |found| found["object"] == object.as_str() || event == "data.read").await;
            assert!(found["actor"].as_str().unwrap().starts_with("visitor:"), "{found}");
            assert_eq!(found["ip_address"], "127.0.0.1");
        }
        world.await_audit("auth.failure", |event| event["details"]["reason"] == "unknown key").await;
        world.await_audit("content.blocked", |_| true).await;
        let events = world.told(&["audit", "list", "--json", "--limit", "10000"]).await;
        for event in &events {
            for field in ["id", "timestamp", "event_type", "severity", "actor", "details", "hash"] {
                assert!(!event[field].is_null(), "{field}: {event}");
            }
            assert!(event["timestamp"].as_str().unwrap().ends_with('Z'));
            assert!(["low", "medium", "high", "critical"].contains(&event["severity"].as_str().unwrap()));
            let text = event.to_string();
            assert!(!text.contains(MARKER) && !text.contains("example.org") && !text.contains(KEY), "{event}");
        }
        assert!(world.verify_audit().await >= events.len() as u64);
        let table = world.stoa(&["audit", "list", "--event", "content.blocked"]).await;
        assert!(table.success() && table.out.contains("content.blocked"), "{table:?}");
        let none = world.told(&["audit", "list", "--json", "--until", "2020-01-01T00:00:00Z"]).await;
        assert!(none.is_empty());
        let few = world.told(&["audit", "list", "--json", "--limit", "3", "--since", "1h"]).await;
        assert_eq!(few.len(), 3);
    }

    /// A marker typed into a chat is found in no file, the write-ahead log and the logs included.
    async fn what_people_say_is_sealed_at_rest(setup) {
        let mut world = setup.unlimited().set("LOG_TO_FILE", true).set("LOG_LEVEL", "DEBUG").start().await;
        let id = a_busy_day(&world).await;
        for running in [true, false] {
            if !running {
                assert_eq!(world.process.terminate().await, Some(0));
            }
            let stored = match world.database_url() {
                Some(url) => raw_output("pg_dump", &[&url]),
                None => every_byte(&world.data()),
            };
            assert!(holds(&stored, id.as_bytes()) || holds(&stored, &uuid_bytes(&id)), "the rows are being looked at");
            let files = every_byte(world.folder.path());
            assert!(holds(&files, b"Stoa is ready"), "the log file is being looked at");
            for place in [&stored, &files] {
                for secret in [MARKER, "4111 1111", "4111111111111111", KEY, MODEL_KEY] {
                    assert!(!holds(place, secret.as_bytes()), "{secret} is on the disk");
                    assert!(!holds(place, &secret.to_lowercase().into_bytes()), "{secret} is on the disk in lower case");
                }
            }
        }
    }
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn uuid_bytes(id: &str) -> Vec<u8> {
    let digits: Vec<u8> = id.bytes().filter(|b| *b != b'-').collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Everything in a folder, one file after the other.
fn every_byte(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => bytes.extend(every_byte(&path)),
            false => bytes.extend(std::fs::read(&path).unwrap()),
        }
    }
    bytes
}

/// Somebody with the file changes a word in it: the audit names the event, and so does the exit code.
#[tokio::test]
async fn a_changed_event_is_found() {
    let mut world = Setup::sqlite().start().await;
    world.anonymous().get("/api/v1/apps").header("x-api-key", "wrong").send().await;
    world.await_audit("auth.failure", |_| true).await;
    assert_eq!(world.process.terminate().await, Some(0));
    let file = world.data().join("stoa.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let places: Vec<usize> =
        (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"auth.failure")).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + 12].copy_from_slice(b"auth.success");
    }
    std::fs::write(&file, bytes).unwrap();
    let told = world.stoa(&["audit", "verify", "--json"]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    let verdict: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(verdict["intact"], false);
    assert!(verdict["fault"]["seq"].as_u64().is_some(), "{verdict}");
}

/// Every line is JSON with its fields; personal data is masked, words of people are not there at all.
#[tokio::test]
async fn log_lines_are_json_and_hold_no_words() {
    let world = Setup::sqlite()
        .unlimited()
        .set("LOG_LEVEL", "DEBUG")
        .set("SESSION_SECRET", SESSION_SECRET)
        .start()
        .await;
    let id = a_busy_day(&world).await;
    let answer = world.anonymous().get("/api/v1/apps").send().await;
    let request = answer.header("x-request-id").to_owned();
    world.process.line("the last request", |line| line["request_id"] == request.as_str()).await;
    let log = world.process.log();
    for secret in [
        MARKER,
        &MARKER.to_lowercase(),
        "ada@",
        "4111 1111",
        KEY,
        MODEL_KEY,
        SESSION_SECRET,
        "pipe bomb",
        "upstream-marker",
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    let lines = world.process.lines();
    for line in &lines {
        for field in ["@timestamp", "level", "target", "message"] {
            assert!(line[field].is_string(), "{field}: {line}");
        }
        assert!(["DEBUG", "INFO", "WARNING", "ERROR"].contains(&line["level"].as_str().unwrap()), "{line}");
        assert!(line["@timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
        assert_ne!(line["level"], "ERROR", "nobody must act: {line}");
    }
    let access = lines
        .iter()
        .find(|line| line["request_id"] == request.as_str() && line["message"] == "request")
        .unwrap();
    assert_eq!(
        (&access["method"], &access["route"], &access["status"]),
        (&json!("GET"), &json!("/api/v1/apps"), &json!(200))
    );
    assert!(access["duration_ms"].is_u64());
    let about = |message: &str| {
        lines.iter().filter(|line| line["message"] == message && line["conversation"] == id.as_str()).count()
    };
    assert_eq!(
        (about("conversation created"), about("turn answered"), about("stream ended")),
        (1, 1, 1),
        "one line an event"
    );
}

/// 000.05, 000.46: levels, and the slow request.
#[tokio::test]
async fn slow_requests_are_warned_about_and_levels_hold() {
    let world = Setup::sqlite().set("SLOW_REQUEST_SECONDS", 1).start().await;
    world.upstream.set(Mode::Say("slow".to_owned(), std::time::Duration::from_millis(1_100)));
    assert_eq!(
        world
            .key()
            .post("/api/v1/chat")
            .json(&json!({"message": "x", "app": "assistant"}))
            .send()
            .await
            .status,
        200
    );
    let slow = world.process.line("a slow request", |line| line["message"] == "slow request").await;
    assert_eq!((&slow["level"], &slow["route"]), (&json!("WARNING"), &json!("/api/v1/chat")));
    assert!(slow["duration_ms"].as_u64().unwrap() >= 1_000);
    assert!(world.process.lines().iter().all(|line| line["level"] != "DEBUG"));
    let slow = world.process.lines().into_iter().filter(|line| line["message"] == "slow request").count();
    assert_eq!(slow, 1);
}

/// What the operator changed is written down once, at the start that brought it.
#[tokio::test]
async fn a_changed_configuration_is_noted() {
    let mut world = Setup::sqlite().start().await;
    assert_eq!(world.audited("config.changed").await.len(), 1);
    world.crash().await;
    assert_eq!(world.audited("config.changed").await.len(), 1, "the same configuration is no change");
    world.restart_with("MAX_INPUT_LENGTH", "4000").await;
    let events = world.audited("config.changed").await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["actor"], "system");
    assert_eq!(events[0]["details"]["before"], events[1]["details"]["after"]);
}
