//! One of three replicas is frozen, cut from Redis, cut from Postgres: the others go on, it says so itself, and it comes
//! back by itself. Nothing is lost and nothing doubled.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::world::{Caller, Passage, Process, Setup, Way, World, eventually, everything};

const WAIT: Duration = Duration::from_secs(30);

/// Three replicas; the ways of the last one to Postgres and Redis are its own.
async fn three(setup: Setup) -> (World, Process, Process, Way, Way) {
    let (database, redis) =
        (setup.variable("DATABASE_URL").unwrap().to_owned(), setup.variable("REDIS_URL").unwrap().to_owned());
    let (to_database, to_redis) = (Way::to(&database, 5432).await, Way::to(&redis, 6379).await);
    let world = setup.set("REPLICAS", 3).set("ALERT_INTERVAL_MS", 100).set("ALERT_HEALTH_SECONDS", 1);
    let world = world.set("TRUSTED_PROXIES", "127.0.0.1").start().await;
    let second = world.replica().await;
    let mut variables = world.with("DATABASE_URL", &to_database.through(&database));
    variables.insert("REDIS_URL".to_owned(), to_redis.through(&redis));
    let third = Process::one(world.folder.path(), &variables).await;
    (world, second, third, to_database, to_redis)
}

async fn chat(caller: &Caller, session: &str) -> u16 {
    let body = json!({"message": "hello", "app": "assistant", "session_id": session});
    caller.post("/api/v1/chat").json(&body).send().await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_is_cut_from_redis_and_then_from_postgres() {
    let Some(setup) = Setup::replicas(1) else { return };
    let (world, second, third, to_database, to_redis) = three(setup.set("RATE_LIMIT_PER_MINUTE", 30)).await;
    let key = world.key();
    let (here, there) = (key.at(second.address), key.at(third.address));
    let counted =
        async |caller: &Caller| caller.get("/api/v1/whoami").send().await.json()["counted_in"].clone();
    assert_eq!(counted(&there).await, "redis");

    to_redis.set(Passage::Cut);
    eventually(WAIT, "it counts alone", async || counted(&there).await == "fallback").await;
    assert_eq!(counted(&here).await, "redis", "the others are not concerned");
    let alone = join_all((0..20).map(|number| {
        let there = there.clone();
        async move { chat(&there, &format!("alone{number}")).await }
    }));
    let alone = alone.await;
    assert_eq!(alone.iter().filter(|status| **status == 200).count(), 10, "its share of three: {alone:?}");
    assert!(alone.iter().all(|status| [200, 429].contains(status)));
    let cache =
        async |caller: &Caller| caller.get("/health").send().await.json()["services"]["cache"].clone();
    eventually(WAIT, "health says so", async || cache(&there).await == "degraded").await;
    assert_eq!(cache(&here).await, "operational");
    assert_eq!(there.get("/ready").send().await.status, 200, "it serves all the same");
    eventually(WAIT, "an alert", async || {
        world.audited("alert.raised").await.iter().any(|event| event.to_string().contains("health"))
    })
    .await;
    to_redis.set(Passage::Open);
    eventually(WAIT, "it counts with the others again", async || counted(&there).await == "redis").await;

    to_database.set(Passage::Cut);
    eventually(WAIT, "readiness says no", async || there.get("/ready").send().await.status == 503).await;
    let other = world.stranger();
    let refused = other.at(third.address).get("/api/v1/conversations").send().await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "unavailable"));
    assert!(!refused.header("retry-after").is_empty(), "{refused:?}");
    for caller in [other.clone(), other.at(second.address)] {
        assert_eq!(caller.get("/ready").send().await.status, 200);
        assert_eq!(chat(&caller, "while one is cut").await, 200);
    }
    assert_eq!(there.get("/live").send().await.status, 200);
    to_database.set(Passage::Open);
    eventually(WAIT, "it is ready again", async || there.get("/ready").send().await.status == 200).await;
    let back = async || chat(&other.at(third.address), "back").await == 200;
    eventually(WAIT, "it works again", back).await;
    // Each acknowledged turn is there once.
    let talks = everything(&key, "/api/v1/conversations?limit=100").await;
    assert_eq!(talks.len(), 10, "{talks:?}");
    world.verify_audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_replica_thaws_and_knows() {
    let Some(setup) = Setup::replicas(1) else { return };
    let (world, second, third, ..) = three(setup.unlimited()).await;
    let made = world.told(&["key", "create", "shop", "--json"]).await.remove(0);
    let (id, secret) = (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned());
    let holder = world.anonymous().with("x-api-key", &secret);
    for at in [world.address(), second.address, third.address] {
        eventually(WAIT, "the key is known", async || chat(&holder.at(at), "before").await == 200).await;
    }
    third.signal(19);
    for number in 0..10 {
        let at = if number % 2 == 0 { world.address() } else { second.address };
        assert_eq!(chat(&holder.at(at), &format!("frozen{number}")).await, 200, "the others go on");
    }
    assert!(world.stoa(&["key", "revoke", &id]).await.success());
    let waiting = {
        let there = holder.at(third.address);
        tokio::spawn(async move { chat(&there, "late").await })
    };
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!waiting.is_finished());
    third.signal(18);
    let late = waiting.await.unwrap();
    println!("a revoked key at the moment of thawing: {late}");
    let out = async || chat(&holder.at(third.address), "after").await == 401;
    eventually(Duration::from_secs(1), "it knows within a second", out).await;
    eventually(WAIT, "it is ready", async || third.anonymous().get("/ready").send().await.status == 200)
        .await;
    world.verify_audit().await;
}
