//! From SQLite to Postgres and back: the same rows, the same files, the same accounts.

use serde_json::json;

use super::{back_up, content};
use crate::files::tools::{Form, PNG, keeper};
use crate::world::{PASSWORD, SESSION_SECRET, Setup, World};

const MASTER: &str = "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s";

fn with_key(setup: Setup) -> Setup {
    setup.unlimited().set("ENCRYPTION_KEY", MASTER).set("SESSION_SECRET", SESSION_SECRET)
}

/// Restores a backup into the world, whose server is stopped meanwhile: it is of another installation.
async fn take_over(world: &mut World, path: &str) {
    assert_eq!(world.process.terminate().await, Some(0));
    let output = world.stoa(&["restore", path, "--yes"]).await;
    assert!(output.success(), "{output:?}");
    assert!(output.out.contains("another installation"), "{output:?}");
    world.start_again().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_sqlite_to_postgres_and_back() {
    let Some(postgres) = Setup::postgres() else { return };
    let first = with_key(Setup::sqlite()).start().await;
    let ann = keeper(&first, "ann@example.org").await;
    let picture = [PNG, &vec![9_u8; 70_000]].concat();
    let made = Form::new().file("größe.png", &picture).send(&ann).await;
    let file = format!("/api/v1/files/{}/content", made.json()["id"].as_str().unwrap());
    let key = first.key();
    let conversation = first.conversation(&key).await;
    first.say(&key, &conversation, "Guten Tag 🌊").await;
    let one = back_up(&first).await;
    assert_eq!(one["engine"], "sqlite");

    let mut second = with_key(postgres).start().await;
    take_over(&mut second, one["path"].as_str().unwrap()).await;
    let said = second.messages(&second.key(), &conversation).await;
    assert!(said.iter().any(|message| message["content"] == "Guten Tag 🌊"), "{said:?}");
    let sign_in = json!({"email": "ann@example.org", "password": PASSWORD});
    let tokens = second.anonymous().post("/api/v1/auth/login").json(&sign_in).send().await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    let read = second.bearer(&tokens.json()).get(&file).send().await;
    assert!(read.status == 200 && read.body == picture);
    second.verify_audit().await;
    let two = back_up(&second).await;
    assert_eq!(two["engine"], "postgres");

    let mut third = with_key(Setup::sqlite()).start().await;
    take_over(&mut third, two["path"].as_str().unwrap()).await;
    let three = back_up(&third).await;
    assert_eq!(content(&two), content(&three));
    // Signing in is remembered with the account; everything else is what it was at the beginning.
    let unsigned =
        |made| content(made).into_iter().enumerate().filter(|(at, _)| *at != 2).collect::<Vec<_>>();
    assert_eq!(unsigned(&one), unsigned(&three));
    let read = third.bearer(&third.sign_in("ann@example.org").await).get(&file).send().await;
    assert!(read.status == 200 && read.body == picture);
    third.verify_audit().await;
}
