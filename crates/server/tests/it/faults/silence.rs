//! The way to Postgres goes silent: packets are taken and nothing comes back. Health says so in half a second,
//! callers are told in two, and when the way is open again everything works.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::world::{Passage, Setup, Way, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_database_holds_nobody() {
    let Some(setup) = Setup::postgres() else { return };
    let database = setup.variable("DATABASE_URL").unwrap().to_owned();
    let way = Way::to(&database, 5432).await;
    let through = way.through(&database);
    let world = setup.unlimited().set("DATABASE_URL", through).start().await;
    let key = world.key();
    let id = world.conversation(&key).await;
    world.say(&key, &id, "before").await;
    way.set(Passage::Silent);
    for _ in 0..5 {
        let asking = (0..4).map(|_| {
            let key = key.clone();
            tokio::spawn(async move {
                let began = Instant::now();
                let answer =
                    key.post("/api/v1/chat").json(&json!({"message": "x", "app": "assistant"})).send().await;
                (answer, began.elapsed())
            })
        });
        let asking: Vec<_> = asking.collect();
        let began = Instant::now();
        let health = key.get("/health").send().await;
        assert!(began.elapsed() < Duration::from_millis(500), "health took {:?}", began.elapsed());
        assert!(health.status == 503 || health.status == 200, "{health:?}");
        for asked in asking {
            let (answer, took) = asked.await.unwrap();
            assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"), "{answer:?}");
            assert!(took < Duration::from_millis(2_500), "somebody waited {took:?}");
        }
    }
    let health = key.get("/health").send().await;
    assert_eq!((health.status, &health.json()["database"]), (503, &json!("down")));
    way.set(Passage::Open);
    let path = format!("/api/v1/conversations/{id}/messages");
    eventually(Duration::from_secs(10), "everything works again", async || {
        key.get("/health").send().await.status == 200
            && key.post(&path).json(&json!({"content": "after"})).send().await.status == 201
    })
    .await;
    world.verify_audit().await;
}
