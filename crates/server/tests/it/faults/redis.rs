//! Redis goes away and comes back: nobody gets an error for it, and limits hold meanwhile.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::world::{RedisServer, Setup, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_without_redis() {
    let Some(mut redis) = RedisServer::start() else { return };
    let world = Setup::sqlite().set("REDIS_URL", redis.url()).set("RATE_LIMIT_PER_MINUTE", 5).start().await;
    let counted_in =
        async || world.anonymous().get("/api/v1/whoami").send().await.json()["counted_in"].clone();
    let cache = async || world.anonymous().get("/health").send().await.json()["services"]["cache"].clone();
    let chat = |caller: &crate::world::Caller| {
        let began = Instant::now();
        let asking =
            caller.post("/api/v1/chat").json(&json!({"message": "hello", "app": "assistant"})).send();
        async move {
            let status = asking.await.status;
            assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
            status
        }
    };
    assert_eq!(counted_in().await, "redis");
    assert_eq!(chat(&world.key()).await, 200);
    redis.down();
    let stranger = world.stranger();
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(chat(&stranger).await);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429, 429], "the limit holds in this process alone");
    eventually(Duration::from_secs(3), "health says so", async || cache().await == "degraded").await;
    assert_eq!(counted_in().await, "fallback");
    let warned = |line: &serde_json::Value| {
        line["level"] == "WARNING" && line["message"].as_str().unwrap().to_lowercase().contains("redis")
    };
    let lost = world.process.line("the lost Redis", warned).await;
    assert!(!lost.to_string().contains(&redis.url()));
    redis.up();
    eventually(Duration::from_secs(10), "Redis counts again", async || counted_in().await == "redis").await;
    eventually(Duration::from_secs(3), "health says so", async || cache().await == "operational").await;
    let errors = world.process.lines().into_iter().filter(|line| line["status"] == 500).count();
    assert_eq!(errors, 0);
}

/// A Redis that is not there when the server starts does not keep it from starting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_starts_without_redis() {
    let Some(mut redis) = RedisServer::start() else { return };
    redis.down();
    let world = Setup::sqlite().set("REDIS_URL", redis.url()).start().await;
    assert_eq!(world.key().get("/api/v1/apps").send().await.status, 200);
    redis.up();
    eventually(Duration::from_secs(10), "Redis counts", async || {
        world.anonymous().get("/api/v1/whoami").send().await.json()["counted_in"] == "redis"
    })
    .await;
}
