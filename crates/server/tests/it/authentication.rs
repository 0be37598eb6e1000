//! Credentials: missing, malformed, wrong, expired, revoked; and what the operator does beside a running server.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Caller, Case, KEY, Mode, OTHER_KEY, Setup, World, check, eventually, on_both_engines};

const SECOND: Duration = Duration::from_secs(1);

async fn status(caller: &Caller) -> (u16, String) {
    let answer = caller.get("/api/v1/apps").send().await;
    (answer.status, answer.code())
}

/// Makes a key beside the running server; the key and its id.
async fn create(world: &World, arguments: &[&str]) -> (String, String) {
    let told = world.told(&[&["key", "create", "shop", "--json"], arguments].concat()).await.remove(0);
    (told["key"].as_str().unwrap().to_owned(), told["id"].as_str().unwrap().to_owned())
}

fn holder(world: &World, key: &str) -> Caller {
    world.anonymous().with("authorization", &format!("Bearer {key}"))
}

#[tokio::test]
async fn what_is_wrong_with_a_credential_is_for_the_log_alone() {
    let world = Setup::sqlite().start().await;
    let anonymous = world.anonymous();
    let apps = || anonymous.get("/api/v1/apps");
    let refused = |request| {
        Case::new(request, 401).code("unauthenticated").lacks("malformed").lacks("unknown").lacks("revoked")
    };
    check([
        refused(apps().header("x-api-key", "wrong")),
        refused(apps().header("x-api-key", "")),
        refused(apps().header("x-api-key", &KEY[..KEY.len() - 1])),
        refused(apps().header("x-api-key", &format!("{KEY}x"))),
        refused(apps().header("x-api-key", &KEY.to_lowercase())),
        refused(apps().header("authorization", "Basic dXNlcjpwYXNz")),
        refused(apps().header("authorization", "Bearer")),
        refused(apps().header("authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.")),
        refused(apps().header("x-api-key", KEY).header("authorization", &format!("Bearer {OTHER_KEY}"))),
        refused(apps().header("x-api-key", KEY).and_header("x-api-key", KEY)),
        Case::new(apps().header("x-api-key", KEY).header("authorization", &format!("Bearer {KEY}")), 200),
        Case::new(apps().header("authorization", &format!("bearer {KEY}")), 200),
    ])
    .await;
    let event = world.await_audit("auth.failure", |event| event["details"]["reason"] == "unknown key").await;
    assert_eq!(
        (&event["ip_address"], &event["actor"], &event["severity"]),
        (&json!("127.0.0.1"), &json!("anonymous"), &json!("high"))
    );
    let log = world.process.log();
    assert!(log.contains("malformed credential") && log.contains("unknown key"), "{log}");
    assert!(!log.contains(KEY) && !log.contains(OTHER_KEY));
}

on_both_engines! {
    /// A key of the command line works, ends and is replaced on the running server within a second.
    async fn keys_come_and_go_beside_the_running_server(setup) {
        let world = setup.start().await;
        let (key, id) = create(&world, &["--app", "assistant"]).await;
        assert!(key.starts_with("stoa_"), "{key}");
        let caller = holder(&world, &key);
        eventually(SECOND, "the key is known", async || status(&caller).await.0 == 200).await;
        let apps = caller.get("/api/v1/apps").send().await.json();
        assert_eq!(apps["items"].as_array().unwrap().len(), 1, "a key enters the apps it was made for: {apps}");
        let forbidden = caller.post("/api/v1/chat").json(&json!({"message": "a", "app": "support"}));
        check([Case::new(forbidden, 403).code("forbidden")]).await;
        world.await_audit("authz.denied", |event| event["actor"] == format!("key:{id}").as_str()).await;
        let rotated = world.told(&["key", "rotate", &id, "--json"]).await.remove(0);
        let rotated = holder(&world, rotated["key"].as_str().unwrap());
        eventually(SECOND, "the old key ends", async || status(&caller).await == (401, "unauthenticated".to_owned())).await;
        eventually(SECOND, "the new key works", async || status(&rotated).await.0 == 200).await;
        assert!(world.stoa(&["key", "revoke", &id]).await.success());
        eventually(SECOND, "the key is revoked", async || status(&rotated).await == (401, "unauthenticated".to_owned())).await;
        let listed = world.told(&["key", "list", "--json"]).await.remove(0);
        assert!(listed.to_string().contains(&id) && !listed.to_string().contains(&key));
        assert!(!listed[0]["revoked_at"].is_null());
        for event in ["key.created", "key.rotated", "key.revoked"] {
            let found = world.audited(event).await;
            assert_eq!((found.len(), &found[0]["object"], &found[0]["actor"]), (1, &json!(format!("key:{id}")), &json!("operator")));
        }
        assert!(!world.stoa(&["key", "revoke", "not-an-id"]).await.success());
        assert!(!world.stoa(&["key", "revoke", "019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d"]).await.success());
        let (brief, _) = create(&world, &["--expires", "2s"]).await;
        let brief = holder(&world, &brief);
        eventually(SECOND, "the key is known", async || status(&brief).await.0 == 200).await;
        eventually(Duration::from_secs(3), "the key expires", async || status(&brief).await == (401, "token_expired".to_owned())).await;
        world.verify_audit().await;
    }

    /// A revoked key ends the streams that it opened.
    async fn a_revoked_key_ends_its_streams(setup) {
        let world = setup.start().await;
        world.upstream.set(Mode::Stall);
        let (key, id) = create(&world, &[]).await;
        let caller = holder(&world, &key);
        eventually(SECOND, "the key is known", async || status(&caller).await.0 == 200).await;
        let mut events = caller.post("/api/v1/chat").json(&json!({"message": "go", "stream": true, "app": "assistant"})).stream().await;
        events.until("delta").await;
        assert!(world.stoa(&["key", "revoke", &id]).await.success());
        let told = std::time::Instant::now();
        let rest = events.rest().await;
        assert!(told.elapsed() < SECOND, "{:?}", told.elapsed());
        assert_eq!(rest.last().unwrap().data["finish_reason"], "cancelled");
    }

    async fn a_blocked_address_is_refused_within_a_second(setup) {
        let world = setup.set("TRUSTED_PROXIES", "127.0.0.1").start().await;
        let from = |address: &str| world.anonymous().with("x-forwarded-for", address);
        let told = world.stoa(&["block", "add", "203.0.113.0/24", "--reason", "test", "--for", "1h"]).await;
        assert!(told.success(), "{told:?}");
        eventually(SECOND, "the address is blocked", async || status(&from("203.0.113.77")).await == (403, "address_blocked".to_owned())).await;
        assert_eq!(status(&from("203.0.114.77")).await.0, 200);
        assert_eq!(from("203.0.113.77").get("/health").send().await.status, 200, "probes are not blocked");
        let listed = world.told(&["block", "list", "--json"]).await;
        assert!(listed[0].to_string().contains("203.0.113.0/24"));
        assert!(world.stoa(&["block", "remove", "203.0.113.0/24"]).await.success());
        eventually(SECOND, "the address may come in", async || status(&from("203.0.113.77")).await.0 == 200).await;
        assert!(!world.stoa(&["block", "add", "everybody"]).await.success());
        for event in ["address.blocked", "address.unblocked"] {
            assert_eq!(world.audited(event).await[0]["object"], "address:203.0.113.0/24");
        }
    }
}

/// 002.10: with authentication required, no operation of the document answers a stranger, and no page does.
#[tokio::test]
async fn nothing_answers_without_a_credential_when_one_is_required() {
    let world = Setup::sqlite()
        .set("REQUIRE_AUTHENTICATION", true)
        .set("RATE_LIMIT_EVERYTHING", "3000 per minute")
        .start()
        .await;
    let anonymous = world.anonymous();
    let document = anonymous.get("/openapi.json").send().await.json();
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let open = operation["security"]
                .as_array()
                .is_some_and(|list| list.iter().any(|entry| entry == &json!({})));
            let path =
                path.replace("{id}", "019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d").replace("{model}", "assistant");
            let answer = anonymous.request(&method.to_uppercase(), &path).json(&json!({})).send().await;
            // Neither a token of metrics nor a public key is configured.
            if path == "/metrics" || path == "/.well-known/jwks.json" {
                assert_eq!(answer.status, 404);
            } else if open {
                // Where one signs in, an empty body is what is wrong; what nobody has is not found.
                let probe = !path.starts_with("/api/") && !path.starts_with("/.well-known/");
                let answers: &[u16] = if probe { &[200] } else { &[200, 400, 404] };
                assert!(answers.contains(&answer.status), "{answer:?}");
            } else {
                assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"), "{answer:?}");
                assert!(!answer.headers.contains_key("set-cookie"), "{answer:?}");
                asked += 1;
            }
        }
    }
    assert!(asked >= 14, "only {asked} operations were asked");
    for page in ["/", "/apps/assistant", "/docs"] {
        assert_eq!(anonymous.get(page).send().await.status, 401, "{page}");
    }
    assert_eq!(status(&world.key()).await.0, 200);
    let _: Value =
        world.await_audit("auth.failure", |event| event["details"]["reason"] == "missing credential").await;
}

/// 000.03, 000.27: a cookie of another secret, and one that has expired, is nobody's; a secret that is being
/// replaced still counts.
#[tokio::test]
async fn cookies_end_with_their_secret_and_their_time() {
    let mut world = Setup::sqlite()
        .set("SESSION_SECRET", crate::world::SESSION_SECRET)
        .set("ENCRYPTION_KEY", "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=")
        .set("VISITOR_SESSION_SECONDS", 2)
        .start()
        .await;
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    let path = format!("/api/v1/conversations/{id}");
    assert_eq!(visitor.get(&path).send().await.status, 200);
    let keeper = world.visitor();
    keeper.set_cookie("stoa_visitor", &visitor.cookie("stoa_visitor").unwrap());
    eventually(Duration::from_secs(4), "the cookie expires", async || {
        let once = world.visitor();
        once.set_cookie("stoa_visitor", &keeper.cookie("stoa_visitor").unwrap());
        once.get(&path).send().await.status == 404
    })
    .await;
    world.restart_with("VISITOR_SESSION_SECONDS", "86400").await;
    let visitor = world.visitor();
    let id = world.conversation(&visitor).await;
    let path = format!("/api/v1/conversations/{id}");
    world.restart_with("SESSION_SECRET_PREVIOUS", crate::world::SESSION_SECRET).await;
    world.restart_with("SESSION_SECRET", "Kp4Wm9Xc2Rv7Tn1Lz6Hq8Jd5Gf3Sb0YaEuOiTwQx").await;
    let visitor = visitor.at(world.address());
    assert_eq!(visitor.get(&path).send().await.status, 200, "the earlier secret still opens");
    world.restart_with("SESSION_SECRET_PREVIOUS", "").await;
    assert_eq!(visitor.at(world.address()).get(&path).send().await.status, 404);
}
