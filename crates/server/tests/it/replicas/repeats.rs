//! What somebody sends again and again is known to every replica.

use serde_json::json;

use crate::world::Setup;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn near_repeats_are_counted_by_all_replicas_together() {
    let Some(setup) = Setup::replicas(3) else { return };
    let world = setup.start().await;
    let visitor = world.visitor();
    visitor.get("/").send().await;
    let say = async |text: &str| {
        let said =
            visitor.post("/api/v1/chat").json(&json!({"message": text, "app": "assistant"})).send().await;
        said.code()
    };
    let offer =
        "Only today: our wonderful watches for every wrist, write to us and ask for them with the code";
    let mut codes = Vec::new();
    for number in 0..5 {
        codes.push(say(&format!("{offer} q{number}x")).await);
    }
    assert_eq!(codes, ["", "", "", "spam", "spam"], "a replica alone has seen two of them at the most");
    assert_eq!(say("What are your opening hours on Sundays and holidays?").await, "", "another text passes");
    let other = world.visitor();
    other.get("/").send().await;
    let theirs = other.post("/api/v1/chat").json(&json!({"message": offer, "app": "assistant"})).send().await;
    assert_eq!(theirs.status, 200, "and so does another's");
}
