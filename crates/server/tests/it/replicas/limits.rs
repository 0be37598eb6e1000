//! Three replicas behind one address that remembers nobody: limits are exact, jobs are done once, who is signed out is
//! out everywhere.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::world::{Hook, PASSWORD, Setup, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_replicas_are_one_server() {
    let Some(setup) = Setup::replicas(3) else { return };
    let hook = Hook::start().await;
    let setup = setup.set("RATE_LIMIT_PER_MINUTE", 20).set("RATE_LIMIT_SIGN_IN", "40 per minute");
    let setup = setup.set("ALERT_WEBHOOK_URL", hook.url()).set("ALERT_INTERVAL_MS", 100);
    let world = setup.start().await;

    let asking = (0..60).map(|number| {
        let body = json!({"message": "hello", "app": "assistant", "session_id": format!("s{number}")});
        world.key().post("/api/v1/chat").json(&body).send()
    });
    let answers = join_all(asking).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(200), count(429)), (20, 40), "the limit is one for all replicas, and exact");
    let left = |answer: &crate::world::Answer| answer.header("x-ratelimit-remaining").parse::<u32>().unwrap();
    let mut counted: Vec<u32> = answers.iter().filter(|answer| answer.status == 200).map(left).collect();
    counted.sort_unstable();
    assert_eq!(counted, (0..20).collect::<Vec<_>>(), "each was told what was left");

    // What all of them see is told once.
    let wrong = json!({"email": "nobody@example.org", "password": "wrong and long enough"});
    let failing = (0..12).map(|_| world.anonymous().post("/api/v1/auth/login").json(&wrong).send());
    assert!(join_all(failing).await.iter().all(|answer| answer.status == 401));
    let told = || hook.taken().iter().filter(|(_, body)| body.contains("failed_sign_ins")).count();
    eventually(Duration::from_secs(30), "the alert is sent", async || told() > 0).await;

    // Sessions are remembered by each replica and ended on all of them at once.
    let person = world.person("member@example.org", false).await;
    let me = async || {
        let asked = join_all((0..9).map(|_| person.caller.get("/api/v1/me").send())).await;
        asked.iter().map(|answer| answer.status).collect::<Vec<_>>()
    };
    assert_eq!(me().await, [200; 9]);
    let body = json!({"refresh_token": person.tokens["refresh_token"]});
    assert_eq!(person.caller.post("/api/v1/auth/logout").json(&body).send().await.status, 204);
    eventually(Duration::from_secs(1), "out on all of them", async || me().await == [401; 9]).await;
    let again = json!({"email": "member@example.org", "password": PASSWORD});
    assert_eq!(world.anonymous().post("/api/v1/auth/login").json(&again).send().await.status, 200);

    // One raised alert, one parcel, after many more looks of three monitors.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(told(), 1, "{:?}", hook.taken());
    let raised = world.audited("alert.raised").await;
    assert_eq!(raised.iter().filter(|event| event.to_string().contains("failed_sign_ins")).count(), 1);
    world.verify_audit().await;
}
