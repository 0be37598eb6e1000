//! The security monitor of the running server: thresholds, receivers that come and go, replicas, and the words of the
//! log and the audit for everything that is refused.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use kernel::{Actor, Ambient, Clock, PageRequest, Random, Time};
use serde_json::{Value, json};
use sha2::Sha256;
use store::{Alert, AlertFilter, Database, Store};

use crate::world::{Case, Hook, Mode, Setup, Smtp, World, check, eventually, on_both_engines};

const SECRET: &str = "the key of the webhook's signature";
const ATTACKER: &str = "203.0.113.9";
const SOON: Duration = Duration::from_secs(15);

/// A server that looks often, behind a proxy, with a webhook.
fn watched(setup: Setup, hook: &Hook) -> Setup {
    setup
        .set("ALERT_INTERVAL_MS", 100)
        .set("TRUSTED_PROXIES", "127.0.0.1")
        .set("ALERT_WEBHOOK_URL", hook.url())
        .set("ALERT_WEBHOOK_SECRET", SECRET)
}

/// Shows a wrong key from an address, and waits until the audit log knows.
async fn fail(world: &World, address: &str, times: usize) {
    let before = failures(world).await;
    for _ in 0..times {
        let request = world.anonymous().get("/api/v1/apps").header("x-api-key", "guessed");
        assert_eq!(request.header("x-forwarded-for", address).send().await.status, 401);
    }
    eventually(SOON, "the failures are in the audit log", async || failures(world).await == before + times)
        .await;
}

async fn failures(world: &World) -> usize {
    world.audited("auth.failure").await.len()
}

/// What the webhook was told, by kind.
fn told(hook: &Hook, kind: &str) -> Vec<Value> {
    let all = hook.taken().into_iter().map(|(_, body)| serde_json::from_str::<Value>(&body).unwrap());
    all.filter(|told| told["kind"] == kind).collect()
}

/// Long enough for several looks.
async fn looks() {
    tokio::time::sleep(Duration::from_millis(600)).await;
}

struct Machine;
impl Clock for Machine {
    #[expect(clippy::disallowed_methods, reason = "beside a server that reads the clock of the machine")]
    fn now(&self) -> Time {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Time::from_micros(i64::try_from(since.as_micros()).unwrap())
    }
}
impl Random for Machine {
    fn fill(&self, bytes: &mut [u8]) {
        use std::io::Read as _;
        std::fs::File::open("/dev/urandom").unwrap().read_exact(bytes).unwrap();
    }
}

/// The database of a world on SQLite, as the admin pages reach it.
async fn database(world: &World) -> Store {
    let key = std::fs::read_to_string(world.data().join("keyring")).unwrap();
    let key = crypto::MasterKey::parse(key.lines().next().unwrap()).unwrap();
    let pool = store::Pool { size: 2, overflow: 0, wait: SOON, connect: SOON, idle: SOON, recycle: SOON };
    let database = Database::Sqlite { path: world.data().join("stoa.db") };
    let config = store::Config { database, pool, slow_query: SOON };
    let ambient = Ambient::new(Arc::new(Machine), Arc::new(Machine));
    Store::open(config, crypto::Keyring::new(key, Vec::new()), ambient).await.unwrap()
}

async fn alerts(store: &Store, kind: &str) -> Vec<Alert> {
    let filter = AlertFilter { kind: Some(kind.into()), ..AlertFilter::default() };
    store.alerts(filter, PageRequest::first(50)).await.unwrap().items
}

on_both_engines! {
    /// 001.73, 001.75: ten failures are nothing; the eleventh is one alert in the webhook, in Slack, by mail, in the log
    /// and in the audit, and what follows is none.
    async fn the_eleventh_failure_is_told_once_everywhere(setup) {
        let (hook, slack, smtp) = (Hook::start().await, Hook::start().await, Smtp::start().await);
        let world = watched(setup.unlimited(), &hook)
            .set("SLACK_WEBHOOK_URL", slack.url())
            .set("SMTP_URL", format!("smtp://ops:mail-password@{}", smtp.address))
            .set("ALERT_EMAIL", "oncall@example.org")
            .start()
            .await;
        fail(&world, ATTACKER, 10).await;
        fail(&world, "203.0.113.8", 10).await;
        looks().await;
        assert!(told(&hook, "failed_sign_ins").is_empty());
        fail(&world, ATTACKER, 1).await;
        eventually(SOON, "all are told", async || {
            !told(&hook, "failed_sign_ins").is_empty() && !slack.taken().is_empty() && smtp.told().contains("\r\n.\r\n")
        }).await;
        fail(&world, ATTACKER, 5).await;
        looks().await;
        let alerts = told(&hook, "failed_sign_ins");
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        assert_eq!(alerts[0]["details"], json!({"address": ATTACKER, "count": 11}));
        assert_eq!(alerts[0]["text"], format!("11 failed sign-ins from {ATTACKER} within an hour."));
        let mails = smtp.told();
        assert_eq!(mails.matches("Subject: Security Alert: Multiple failed login attempts").count(), 1, "{mails}");
        assert!(mails.contains("RCPT TO:<oncall@example.org>") && mails.contains(ATTACKER), "{mails}");
        let posted = slack.taken();
        let body: Value = serde_json::from_str(&posted[0].1).unwrap();
        assert!(posted.len() == 1 && body["text"].as_str().unwrap().starts_with("Security Alert: "), "{posted:?}");
        let lines = world.process.lines();
        let said: Vec<&Value> = lines.iter().filter(|line| line["message"] == "Security Alert: Multiple failed login attempts").collect();
        assert_eq!((said.len(), &said[0]["level"]), (1, &json!("ERROR")));
        assert!(!world.process.log().contains(ATTACKER), "addresses are masked in the log");
        assert!(!world.process.log().contains("mail-password") && !world.process.log().contains("oncall@"));
        let raised = world.audited("alert.raised").await;
        assert_eq!((raised.len(), &raised[0]["details"]["cause"]), (1, &json!(format!("failed_sign_ins:{ATTACKER}"))));
        world.verify_audit().await;
    }
}

/// Whoever knows the secret can tell a real alert from a made-up one.
#[tokio::test]
async fn the_signature_verifies() {
    let hook = Hook::start().await;
    let world = watched(Setup::sqlite(), &hook).start().await;
    fail(&world, ATTACKER, 11).await;
    eventually(SOON, "it is told", async || !hook.taken().is_empty()).await;
    let (head, body) = hook.taken().remove(0);
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("x-stoa-signature:")).unwrap();
    let (at, hex) = line.split_once(": t=").unwrap().1.trim().split_once(",v1=").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{at}.{body}").as_bytes());
    let expected: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, expected);
    let now = Machine.now().seconds();
    assert!((now - 60..=now).contains(&at.parse().unwrap()), "{at}");
}

/// 001.75: a receiver that is away gets it once when it is back, though the server was killed in between.
#[tokio::test]
async fn a_receiver_that_was_away_gets_it_once() {
    let hook = Hook::start().await;
    hook.status.store(503, Ordering::Relaxed);
    let mut world = watched(Setup::sqlite(), &hook).start().await;
    fail(&world, ATTACKER, 11).await;
    let tried = |line: &Value| line["message"] == "a delivery failed and is tried again";
    let line = world.process.line("a failed delivery", tried).await;
    assert_eq!((&line["level"], &line["sink"]), (&json!("WARNING"), &json!("webhook")));
    assert!(!world.process.log().contains("/hooks/T0/secret"), "the address is a secret");
    tokio::time::sleep(Duration::from_millis(200)).await;
    world.crash().await;
    assert!(told(&hook, "failed_sign_ins").is_empty());
    hook.status.store(200, Ordering::Relaxed);
    eventually(SOON, "it is told", async || !told(&hook, "failed_sign_ins").is_empty()).await;
    looks().await;
    assert_eq!(told(&hook, "failed_sign_ins").len(), 1);
    assert_eq!(world.audited("alert.raised").await.len(), 1, "the restart tells nothing twice");
}

/// Once per cause until it is acknowledged; then again, with what is new.
#[tokio::test]
async fn after_an_acknowledgement_the_next_eleven_are_a_new_alert() {
    let hook = Hook::start().await;
    let world = watched(Setup::sqlite(), &hook).start().await;
    fail(&world, ATTACKER, 11).await;
    eventually(SOON, "it is told", async || told(&hook, "failed_sign_ins").len() == 1).await;
    let store = database(&world).await;
    let open = alerts(&store, "failed_sign_ins").await.remove(0);
    store.acknowledge_alert(open.id, Actor::Operator, Vec::new()).await.unwrap();
    fail(&world, ATTACKER, 10).await;
    looks().await;
    assert_eq!(told(&hook, "failed_sign_ins").len(), 1);
    fail(&world, ATTACKER, 1).await;
    eventually(SOON, "it is told again", async || told(&hook, "failed_sign_ins").len() == 2).await;
    let ids: Vec<Value> = told(&hook, "failed_sign_ins").iter().map(|told| told["id"].clone()).collect();
    assert_ne!(ids[0], ids[1]);
    store.close().await;
}

/// Two replicas on one database tell once, and either of them when the other is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_tell_once() {
    let Some(setup) = Setup::postgres() else { return };
    let hook = Hook::start().await;
    let mut world = watched(setup, &hook).start().await;
    let replica = world.replica().await;
    fail(&world, ATTACKER, 11).await;
    eventually(SOON, "it is told", async || !told(&hook, "failed_sign_ins").is_empty()).await;
    looks().await;
    assert_eq!(told(&hook, "failed_sign_ins").len(), 1);
    // In order or not: the one that is left goes on, at the latest when the lease of the other has run out.
    assert_eq!(world.process.terminate().await, Some(0));
    for _ in 0..11 {
        let request = replica.anonymous().get("/api/v1/apps").header("x-api-key", "guessed");
        assert_eq!(request.header("x-forwarded-for", "203.0.113.7").send().await.status, 401);
    }
    eventually(SOON, "the other one tells", async || told(&hook, "failed_sign_ins").len() == 2).await;
}

/// 002.49, 003.36, 003.39: the provider is away. Answers fail, health checks fail; both are told, and that it is over.
#[tokio::test]
async fn failing_answers_and_failing_health_checks() {
    let hook = Hook::start().await;
    let world = watched(Setup::sqlite().unlimited(), &hook).set("ALERT_HEALTH_SECONDS", 1).start().await;
    let ask = async || {
        world
            .key()
            .post("/api/v1/chat")
            .json(&json!({"message": "x", "app": "assistant"}))
            .send()
            .await
            .status
    };
    for _ in 0..10 {
        assert_eq!(ask().await, 200);
    }
    looks().await;
    assert!(told(&hook, "error_rate").is_empty());
    world.upstream.set(Mode::Refuse(500));
    for _ in 0..12 {
        assert_eq!(ask().await, 503);
    }
    eventually(SOON, "the error rate is told", async || told(&hook, "error_rate").len() == 1).await;
    let rate = &told(&hook, "error_rate")[0]["details"];
    assert!(rate["failed"].as_u64().unwrap() <= 12 && rate["requests"].as_u64().unwrap() >= 20, "{rate}");
    eventually(SOON, "the health is told", async || told(&hook, "health").len() == 1).await;
    let health = told(&hook, "health").remove(0);
    assert_eq!((&health["event"], &health["details"]["checks"]), (&json!("alert.raised"), &json!(2)));
    assert_ne!(health["details"]["model"], "operational");
    world.upstream.set(Mode::Echo);
    eventually(SOON, "recovery is told", async || {
        ask().await;
        told(&hook, "health").len() == 2
    })
    .await;
    assert_eq!(told(&hook, "health")[1]["event"], "alert.recovered");
    assert_eq!(told(&hook, "health")[1]["id"], health["id"]);
}

/// 003.37: the only connection is busy, and whoever waits gets 503.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exhausted_pool_is_told() {
    let Some(setup) = Setup::postgres() else { return };
    let hook = Hook::start().await;
    let setup = watched(setup.unlimited(), &hook);
    let world =
        setup.set("DB_POOL_SIZE", 1).set("DB_MAX_OVERFLOW", 0).set("DB_POOL_TIMEOUT", 1).start().await;
    let url = world.database_url().unwrap();
    let hold = "BEGIN; LOCK TABLE conversations; SELECT pg_sleep(4); COMMIT";
    let holding = tokio::task::spawn_blocking(move || crate::world::raw("psql", &[&url, "-c", hold]));
    let key = world.key();
    eventually(SOON, "a request waits in vain", async || {
        let asked = (0..6).map(|_| key.get("/api/v1/conversations").send());
        let answers = futures_util::future::join_all(asked).await;
        answers.iter().any(|answer| answer.status == 503)
    })
    .await;
    eventually(SOON, "it is told", async || !told(&hook, "pool_exhausted").is_empty()).await;
    assert_eq!(told(&hook, "pool_exhausted")[0]["details"]["connections"], 1);
    assert!(holding.await.unwrap());
    // What could not be stored while no connection was free is stored now.
    world.await_audit("alert.raised", |event| event["details"]["kind"] == "pool_exhausted").await;
    assert_eq!(told(&hook, "pool_exhausted").len(), 1);
}

/// 003.38: limits that refuse again and again.
#[tokio::test]
async fn refusals_by_limits_are_told() {
    let hook = Hook::start().await;
    let setup = watched(Setup::sqlite(), &hook).set("ALERT_RATE_LIMIT_PER_MINUTE", 5);
    let world = setup.set("RATE_LIMIT_EVERYTHING", "3 per minute").start().await;
    let ask = async || {
        let request = world.anonymous().get("/api/v1/apps").header("x-forwarded-for", ATTACKER);
        request.send().await.status
    };
    for n in 0..8 {
        assert_eq!(ask().await, if n < 3 { 200 } else { 429 });
    }
    looks().await;
    assert!(told(&hook, "rate_limits").is_empty());
    ask().await;
    eventually(SOON, "it is told", async || told(&hook, "rate_limits").len() == 1).await;
    let details = &told(&hook, "rate_limits")[0]["details"];
    assert_eq!(details, &json!({"count": 6, "addresses": [{"address": ATTACKER, "count": 6}]}));
}

/// 003.28, 003.35, 002.54: what is refused leaves a line with a word that stays, and its event in the audit log.
#[tokio::test]
async fn refusals_have_their_lines_and_events() {
    let world = Setup::sqlite()
        .set("TRUSTED_PROXIES", "127.0.0.1")
        .set("ALLOWED_HOSTS", "chat.example.org")
        .set("MAX_REQUEST_SIZE", 2_000)
        .set("METRICS_TOKEN", "kq8Zt5Wb2Xn7Vm4Lc8Rj1Hf6Gd3Sp0YaEuT")
        .set("RATE_LIMIT_EVERYTHING", "30 per minute")
        .start()
        .await;
    let visitor = world.visitor();
    assert_eq!(visitor.get("/api/v1/apps").send().await.status, 200);
    let key = world.key();
    let new = "/api/v1/conversations";
    let body = json!({"app": "assistant"});
    check([
        Case::new(world.anonymous().get("/api/v1/apps").header("x-api-key", "guessed"), 401)
            .code("unauthenticated"),
        Case::new(world.anonymous().get("/metrics").header("authorization", "Bearer guessed"), 401)
            .code("unauthenticated"),
        Case::new(visitor.post(new).json(&body).header("origin", "https://evil.example"), 403).code("csrf"),
        Case::new(key.post(new).json(&json!({"app": "tutor"})), 403).code("forbidden"),
        Case::new(key.post(new).json(&json!({"app": "assistant", "title": "x".repeat(3_000)})), 413)
            .code("too_large"),
        Case::new(key.post(new).body("a=b").header("content-type", "text/plain"), 415)
            .code("unsupported_type"),
        Case::new(world.anonymous().get("/api/v1/apps").header("host", "evil.example"), 421)
            .code("unknown_host"),
    ])
    .await;
    eventually(SOON, "a limit refuses", async || {
        let request = world.anonymous().get("/api/v1/apps").header("x-forwarded-for", "203.0.113.1");
        request.send().await.status == 429
    })
    .await;
    let lines = [
        (401, "auth.failure"),
        (403, "security.violation"),
        (403, "authz.denied"),
        (413, "request.refused"),
        (415, "request.refused"),
        (421, "security.violation"),
        (429, "ratelimit.exceeded"),
    ];
    for (status, word) in lines {
        let wanted = |line: &Value| line["status"] == status && line["event_type"] == word;
        let line = world.process.line(&format!("{status} {word}"), wanted).await;
        assert_eq!(line["level"], "WARNING", "{line}");
        assert!(line["request_id"].is_string() && line["code"].is_string(), "{line}");
    }
    for (event, field, value) in [
        ("auth.failure", "reason", "unknown key"),
        ("auth.failure", "reason", "unknown metrics token"),
        ("security.violation", "reason", "unknown host"),
        ("security.violation", "reason", "a request with a cookie came from another site"),
        ("authz.denied", "permission", "converse"),
        ("ratelimit.exceeded", "scope", "everything"),
        ("config.changed", "after", ""),
    ] {
        world.await_audit(event, |found| value.is_empty() || found["details"][field] == value).await;
    }
}
