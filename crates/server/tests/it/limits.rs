//! How often and how much: limits of requests, of conversations, of messages, of characters.

use serde_json::json;

use crate::world::{Caller, Case, Request, Setup, check, eventually, on_both_engines, redis_url};

fn chat(caller: &Caller) -> Request {
    caller.post("/api/v1/chat").json(&json!({"message": "hello", "app": "assistant"}))
}

async fn statuses(caller: &Caller, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(chat(caller).send().await.status);
    }
    statuses
}

/// 000.09, 000.22, 000.23: exact, apart for each caller and for each kind of request, and not to be fooled.
#[tokio::test]
async fn a_visitor_has_ten_a_minute() {
    let world = Setup::sqlite().set("RATELIMIT_DEFAULT", "10 per minute").start().await;
    let visitor = world.visitor();
    for number in 0..10 {
        let answer = chat(&visitor).send().await;
        assert_eq!(answer.status, 200, "{number}: {answer:?}");
        assert_eq!(
            (answer.header("x-ratelimit-limit"), answer.header("x-ratelimit-remaining")),
            ("10", (9 - number).to_string().as_str())
        );
        assert!(
            answer.header("x-ratelimit-reset").ends_with('Z')
                && answer.header("ratelimit-policy").contains("q=10")
        );
    }
    let refused = chat(&visitor).header("x-forwarded-for", "203.0.113.99").send().await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"));
    assert_eq!(
        (&refused.json()["error"], refused.header("x-ratelimit-remaining")),
        (&json!("Rate limit exceeded"), "0")
    );
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    // Reading has another limit, another visitor another budget, a key a third.
    assert_eq!(visitor.get("/api/v1/conversations").send().await.status, 200);
    let second = world.visitor();
    assert_eq!(statuses(&second, 10).await, [200; 10]);
    assert_eq!(statuses(&world.key(), 11).await, [200; 11]);
    // A visitor without a jar is a new one each time: the address has three times as much, and no more.
    assert_eq!(statuses(&world.anonymous(), 10).await, [200; 10]);
    assert_eq!(chat(&world.anonymous()).send().await.status, 429);
    assert_eq!(chat(&world.visitor()).send().await.status, 429);
    let event = world.await_audit("ratelimit.exceeded", |event| event["details"]["scope"] == "chat").await;
    assert!(event["actor"].as_str().unwrap().starts_with("visitor:"));
    assert_eq!(world.upstream.completions().len(), 41, "a refused request reaches no model");
}

/// 000.23: behind a trusted proxy each address has its own.
#[tokio::test]
async fn addresses_are_counted_apart() {
    let world = Setup::sqlite()
        .set("RATE_LIMIT_EVERYTHING", "3 per minute")
        .set("TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await;
    let from = |address: &str| world.anonymous().with("x-forwarded-for", address).get("/api/v1/apps").send();
    for _ in 0..3 {
        assert_eq!(from("203.0.113.1").await.status, 200);
    }
    assert_eq!(from("203.0.113.1").await.status, 429);
    assert_eq!(from("203.0.113.2").await.status, 200);
    // One who owns a /64 owns all of its addresses.
    for last in 1..=3 {
        assert_eq!(from(&format!("2001:db8::{last}")).await.status, 200);
    }
    assert_eq!(from("2001:db8::4").await.status, 429);
    assert_eq!(from("2001:db8:0:1::4").await.status, 200);
}

#[tokio::test]
async fn a_key_has_its_minute_and_its_hour() {
    let world = Setup::sqlite().set("RATE_LIMIT_PER_MINUTE", 4).set("RATE_LIMIT_PER_HOUR", 6).start().await;
    assert_eq!(statuses(&world.key(), 5).await, [200, 200, 200, 200, 429]);
    assert_eq!(statuses(&world.stranger(), 4).await, [200; 4]);
    let hour = Setup::sqlite().set("RATE_LIMIT_PER_MINUTE", 10).set("RATE_LIMIT_PER_HOUR", 2).start().await;
    assert_eq!(statuses(&hour.key(), 3).await, [200, 200, 429]);
    let refused = chat(&hour.key()).send().await;
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 3_000, "the hour's window is told");
    let guess =
        |n: usize| hour.anonymous().get("/api/v1/apps").header("x-api-key", &format!("guess-{n}")).send();
    assert_eq!(guess(1).await.status, 401);
}

/// Wrong keys count against the address, so that they cannot be guessed at speed.
#[tokio::test]
async fn guessing_keys_is_limited() {
    let world = Setup::sqlite().set("RATE_LIMIT_EVERYTHING", "5 per minute").start().await;
    let guess =
        |n: usize| world.anonymous().get("/api/v1/apps").header("x-api-key", &format!("guess-{n}")).send();
    for n in 0..5 {
        assert_eq!(guess(n).await.status, 401);
    }
    assert_eq!(guess(6).await.status, 429);
}

#[tokio::test]
async fn the_window_slides() {
    let world = Setup::sqlite().set("RATELIMIT_DEFAULT", "3 per second").start().await;
    let visitor = world.visitor();
    visitor.get("/").send().await;
    assert_eq!(statuses(&visitor, 3).await, [200; 3]);
    eventually(std::time::Duration::from_secs(3), "the window is over", async || {
        chat(&visitor).send().await.status == 200
    })
    .await;
}

/// Limits that are shared by replicas, kept over a restart (000.10, 000.24).
#[tokio::test]
async fn redis_counts_for_all_replicas() {
    let Some(url) = redis_url() else { return };
    let mut world =
        Setup::sqlite().set("REDIS_URL", url).set("RATELIMIT_DEFAULT", "10 per minute").start().await;
    let visitor = world.visitor();
    visitor.get("/").send().await;
    let whoami = visitor.get("/api/v1/whoami").send().await.json();
    assert_eq!(whoami["counted_in"], "redis");
    let health = visitor.get("/health").send().await.json();
    assert_eq!(health["services"]["cache"], "operational");
    let replica = world.replica().await;
    assert_eq!(statuses(&visitor, 6).await, [200; 6]);
    assert_eq!(statuses(&visitor.at(replica.address), 5).await, [200, 200, 200, 200, 429]);
    drop(replica);
    world.crash().await;
    assert_eq!(statuses(&visitor.at(world.address()), 1).await, [429]);
}

on_both_engines! {
    /// 000.13, 000.14, 000.15: what an assistant takes, counted in characters and messages of people.
    async fn the_assistant_has_its_limits(setup) {
        let world = setup.set("MAX_CONVERSATION_LENGTH", 2).set("MAX_INPUT_LENGTH", 50).set("MAX_CONVERSATIONS_PER_SESSION", 3).unlimited().start().await;
        let visitor = world.visitor();
        let id = world.conversation(&visitor).await;
        let path = format!("/api/v1/conversations/{id}/messages");
        let say = |text: String| visitor.post(&path).json(&json!({"content": text}));
        check([
            Case::new(say("語".repeat(51)), 400).code("invalid_input").holds("too_long"),
            Case::new(say("語".repeat(50)), 201),
            Case::new(say("é😀".repeat(25)), 201),
            Case::new(say("third".to_owned()), 409).code("conversation_full"),
            Case::new(say("third".to_owned()).header("accept", "text/event-stream"), 409).code("conversation_full"),
        ]).await;
        assert_eq!(world.messages(&visitor, &id).await.len(), 4);
        assert_eq!(world.upstream.completions().len(), 2, "a full conversation costs no model");
        let create = || visitor.post("/api/v1/conversations").json(&json!({"app": "assistant"}));
        check([
            Case::new(create(), 201),
            Case::new(visitor.post("/api/v1/chat").json(&json!({"message": "new", "app": "assistant"})), 200),
            Case::new(create(), 409).code("too_many_conversations"),
            Case::new(visitor.post("/api/v1/chat").json(&json!({"message": "new", "app": "assistant"})), 409).code("too_many_conversations"),
            Case::new(visitor.delete(&format!("/api/v1/conversations/{id}")), 204),
            Case::new(create(), 201),
            Case::new(create(), 409).code("too_many_conversations"),
            Case::new(world.visitor().post("/api/v1/conversations").json(&json!({"app": "assistant"})), 201),
        ]).await;
    }

    /// The limits hold when requests come at the same moment, too.
    async fn limits_hold_under_a_race(setup) {
        let world = setup.set("MAX_CONVERSATIONS_PER_SESSION", 5).set("RATE_LIMIT_PER_MINUTE", 7).start().await;
        let visitor = world.visitor();
        visitor.get("/").send().await;
        let create = || visitor.post("/api/v1/conversations").json(&json!({"app": "assistant"})).send();
        let made = futures_util::future::join_all((0..20).map(|_| create())).await;
        assert_eq!(made.iter().filter(|answer| answer.status == 201).count(), 5);
        assert!(made.iter().all(|answer| answer.status == 201 || answer.code() == "too_many_conversations"));
        let key = world.key();
        let asked = futures_util::future::join_all((0..20).map(|_| key.post("/api/v1/chat").json(&json!({"message": "hello", "app": "assistant"})).send())).await;
        assert_eq!(asked.iter().filter(|answer| answer.status == 200).count(), 7);
        assert_eq!(asked.iter().filter(|answer| answer.status == 429).count(), 13);
    }
}
