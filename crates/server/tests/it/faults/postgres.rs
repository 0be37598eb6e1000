//! Postgres goes away under load and comes back: callers are told within two seconds, and nothing has to be restarted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::world::{Caller, PostgresServer, Setup, eventually};

/// Asks until told to stop; gives the conversations of the turns that were acknowledged, and the worst wait.
async fn load(caller: Caller, stop: Arc<AtomicBool>) -> (Vec<(String, String)>, Duration) {
    let (mut kept, mut worst) = (Vec::new(), Duration::ZERO);
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        let answer =
            caller.post("/api/v1/chat").json(&json!({"message": "hello", "app": "assistant"})).send().await;
        worst = worst.max(began.elapsed());
        match answer.status {
            200 => {
                let turn = answer.json();
                let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
                kept.push((text(&turn["conversation_id"]), text(&turn["message"]["id"])));
            }
            503 => {
                assert_eq!(answer.code(), "unavailable", "{answer:?}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            _ => panic!("{answer:?}"),
        }
    }
    (kept, worst)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_outlives_its_database() {
    let Some(server) = PostgresServer::start() else { return };
    let setup = Setup::sqlite().unlimited().set("DATABASE_URL", server.url());
    let world = setup.set("MAX_CONVERSATIONS_PER_SESSION", 1_000_000).start().await;
    let key = world.key();
    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        callers.spawn(load(key.clone(), Arc::clone(&stop)));
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    for _ in 0..2 {
        let down = tokio::task::block_in_place(|| {
            server.down();
            Instant::now()
        });
        eventually(Duration::from_secs(2), "health says so", async || {
            key.get("/health").send().await.status == 503
        })
        .await;
        while down.elapsed() < Duration::from_millis(1_500) {
            let began = Instant::now();
            let health = key.get("/health").send().await;
            assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
            assert_eq!((health.status, &health.json()["status"]), (503, &json!("unhealthy")));
            let began = Instant::now();
            let answer = key.get("/api/v1/conversations").send().await;
            assert!(
                answer.status == 503 && began.elapsed() < Duration::from_secs(2),
                "{:?} {answer:?}",
                began.elapsed()
            );
            assert_eq!(key.get("/ready").send().await.status, 503);
            assert_eq!(key.get("/live").send().await.status, 200);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::task::block_in_place(|| server.up());
        eventually(Duration::from_secs(5), "everything works again", async || {
            let chat =
                key.post("/api/v1/chat").json(&json!({"message": "back", "app": "assistant"})).send().await;
            chat.status == 200 && key.get("/ready").send().await.status == 200
        })
        .await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    stop.store(true, Ordering::Relaxed);
    let mut kept = Vec::new();
    while let Some(caller) = callers.join_next().await {
        let (turns, worst) = caller.unwrap();
        assert!(worst < Duration::from_secs(3), "somebody waited {worst:?}");
        kept.extend(turns);
    }
    assert!(kept.len() > 20, "{}", kept.len());
    for (conversation, message) in &kept {
        let stored = world.messages(&key, conversation).await;
        assert!(
            stored.iter().any(|one| one["id"] == message.as_str()),
            "{message} was acknowledged and is gone"
        );
    }
    world.verify_audit().await;
}
