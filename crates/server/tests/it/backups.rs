//! Backups as operators and admins have them: made beside a live server, tried out, restored under it, carried from one
//! engine to the other, on a full disk, without a terminal, and killed in the middle.

mod kills;
mod moving;

use std::time::Duration;

use serde_json::{Value, json};

use crate::files::tools::{Form, PNG, disk, keeper};
use crate::world::{World, eventually, everything, on_both_engines};

/// What `stoa backup create --json` says.
pub async fn back_up(world: &World) -> Value {
    world.told(&["backup", "create", "--json"]).await.remove(0)
}

/// The sum of a table in what a backup says.
pub fn sum(made: &Value, table: &str) -> String {
    let tables = made["tables"].as_array().unwrap();
    let found = tables.iter().find(|one| one["name"] == table).unwrap();
    format!("{} {}", found["rows"], found["hash"])
}

/// The tables of what people wrote, in a backup.
pub fn content(made: &Value) -> Vec<String> {
    let tables = [
        "conversations",
        "messages",
        "users",
        "grants",
        "documents",
        "passages",
        "files",
        "blobs",
        "problems",
    ];
    tables.iter().map(|table| sum(made, table)).collect()
}

on_both_engines! {
    async fn a_backup_is_made_beside_a_live_server_and_brought_back_under_it(setup) {
        let world = setup.unlimited().set("BACKUP_SCHEDULE", "0 2 1 1 *").start().await;
        let admin = world.admin().await;
        let ann = keeper(&world, "ann@example.org").await;
        let picture = [PNG, &vec![7_u8; 200_000]].concat();
        let made = Form::new().file("sea.png", &picture).send(&ann).await;
        assert_eq!(made.status, 201, "{made:?}");
        let file = format!("/api/v1/files/{}/content", made.json()["id"].as_str().unwrap());
        let key = world.key();
        let conversation = world.conversation(&key).await;
        world.say(&key, &conversation, "before the backup").await;
        let tide = json!({"title": "Tides", "text": "The harbour gate opens two hours before high water."});
        let documents = "/api/v1/apps/support/documents";
        assert_eq!(admin.caller.post(documents).json(&tide).send().await.status, 201);
        let searched = async || {
            let body = json!({"query": "harbour gate high water", "limit": 3});
            let found = admin.caller.post("/api/v1/apps/support/search").json(&body).send().await;
            found.status == 200 && found.text().contains("two hours")
        };
        eventually(Duration::from_secs(20), "the document is found", searched).await;

        // Others write meanwhile.
        let writer = tokio::spawn({
            let key = key.clone();
            async move {
                for number in 0..20 {
                    let body = json!({"message": format!("meanwhile {number}"), "app": "assistant"});
                    assert_eq!(key.post("/api/v1/chat").json(&body).send().await.status, 200);
                }
            }
        });
        let output = world.stoa(&["backup", "create"]).await;
        assert!(output.success(), "{output:?}");
        for said in ["Starting database backup…", "Backup completed successfully", "size", "duration", "sha256:"] {
            assert!(output.out.contains(said), "{said}: {output:?}");
        }
        writer.await.unwrap();
        let listed = world.told(&["backup", "list", "--json"]).await.remove(0);
        let name = listed[0]["name"].as_str().unwrap().to_owned();
        let verified = world.told(&["backup", "verify", &name, "--json"]).await.remove(0);
        assert_eq!((&verified["passed"], &verified["files"]), (&json!(true), &json!(1)));

        // An admin sees it, makes one more and tries it out.
        let path = "/api/v1/admin/backups";
        let again = admin.caller.post(path).send().await;
        assert_eq!(again.status, 201, "{again:?}");
        let again = again.json()["name"].as_str().unwrap().to_owned();
        let tried = admin.caller.post(&format!("{path}/{again}/verify")).send().await;
        assert_eq!((tried.status, &tried.json()["status"]), (200, &json!("verified")), "{tried:?}");
        let list = admin.caller.get(path).send().await.json();
        assert_eq!((list["items"].as_array().unwrap().len(), &list["status"]), (2, &json!("current")));
        assert!(admin.caller.post(&format!("{path}/..%2f..%2fetc%2fpasswd/verify")).send().await.status >= 400);
        let shown = async || {
            let health = world.anonymous().get("/health").send().await.json();
            health["backup"]["age_seconds"].is_u64() && health["backup"]["drill"] == "current"
        };
        eventually(Duration::from_secs(25), "health shows its age", shown).await;

        // Much changes.
        world.say(&key, &conversation, "after the backup").await;
        let before = world.messages(&key, &conversation).await.len();
        assert_eq!(ann.delete(file.trim_end_matches("/content")).send().await.status, 200);
        for answer in ["y\n", "\n", "no\n", "YES\n", "yes please\n", " yes\n", ""] {
            let output = world.stoa_with(&["restore", &name], answer).await;
            assert_eq!(output.code, Some(1), "{answer:?}: {output:?}");
            assert!(output.out.contains("This will overwrite the current database!") && output.out.contains("Recovery cancelled"), "{output:?}");
        }
        assert_eq!(world.messages(&key, &conversation).await.len(), before);
        let output = world.stoa_with(&["restore", &name], "yes\n").await;
        assert!(output.success(), "{output:?}");
        for said in ["Verify the application", "Check user access", "Update changed secrets"] {
            assert!(output.out.contains(said), "{said}: {output:?}");
        }
        let back = async || world.messages(&key, &conversation).await.len() == 2;
        eventually(Duration::from_secs(3), "the running server has taken it up", back).await;
        let ended = async || ann.get("/api/v1/files").send().await.status == 401;
        eventually(Duration::from_secs(3), "sessions and tokens have ended", ended).await;
        let tokens = world.sign_in("ann@example.org").await;
        let ann = world.bearer(&tokens);
        let read = ann.get(&file).send().await;
        assert!(read.status == 200 && read.body == picture);
        assert_eq!(everything(&ann, "/api/v1/files?limit=5").await.len(), 1);
        let tokens = world.sign_in(&admin.email).await;
        let admin = world.bearer(&tokens);
        let found = admin.post("/api/v1/apps/support/search").json(&json!({"query": "harbour gate", "limit": 3})).send().await;
        assert!(found.text().contains("two hours"), "{found:?}");
        assert_eq!(disk(&world).len(), 1);
        world.verify_audit().await;
        assert_eq!(world.audited("backup.restored").await.len(), 1);
        // The server goes on writing.
        world.say(&key, &conversation, "and on").await;
    }
}

on_both_engines! {
    /// Between a backup and the moment something is made and something is deleted: both are as they were at the moment.
    async fn a_moment_knows_what_was_deleted_before_it(setup) {
        let world = setup.unlimited().set("BACKUP_SCHEDULE", "0 2 1 1 *").start().await;
        let (key, ann) = (world.key(), keeper(&world, "ann@example.org").await);
        let file = async |name: &str| {
            let made = Form::new().file(name, name.as_bytes()).send(&ann).await.json();
            format!("/api/v1/files/{}", made["id"].as_str().unwrap())
        };
        let (gone, kept) = (world.conversation(&key).await, world.conversation(&key).await);
        for conversation in [&gone, &kept] {
            world.say(&key, conversation, "before the backup").await;
        }
        let (destroyed, trashed, late) = (file("one.txt").await, file("two.txt").await, file("three.txt").await);
        back_up(&world).await;
        assert_eq!(key.delete(&format!("/api/v1/conversations/{gone}")).send().await.status, 204);
        assert_eq!(ann.delete(&format!("{destroyed}?permanent=true")).send().await.status, 204);
        assert_eq!(ann.delete(&trashed).send().await.status, 200);
        world.say(&key, &kept, "after the backup").await;
        // Deletions stand in the log when it has been written.
        world.await_audit("data.erased", |event| event["object"] == format!("conversation:{gone}")).await;
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let at = world.anonymous().get("/health").send().await.json()["timestamp"].as_str().unwrap().to_owned();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(ann.delete(&format!("{late}?permanent=true")).send().await.status, 204);
        assert_eq!(key.delete(&format!("/api/v1/conversations/{kept}")).send().await.status, 204);
        let output = world.stoa(&["restore", "--at", &at, "--yes"]).await;
        assert!(output.success(), "{output:?}");
        let status = async |path: &str| key.get(path).send().await.status;
        let back = async || status(&format!("/api/v1/conversations/{kept}")).await == 200;
        eventually(Duration::from_secs(5), "what was deleted later is back", back).await;
        // What was said after the backup went with the deletion: nothing holds it any more.
        assert_eq!(world.messages(&key, &kept).await.len(), 2);
        assert_eq!(status(&format!("/api/v1/conversations/{gone}")).await, 404, "it was deleted before the moment");
        let ann = world.bearer(&world.sign_in("ann@example.org").await);
        let files = async |query: &str| {
            let found = everything(&ann, &format!("/api/v1/files?limit=5{query}")).await;
            found.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!((files("").await, files("&trashed=true").await), (vec!["three.txt".to_owned()], vec!["two.txt".to_owned()]));
        assert_eq!(ann.get(&format!("{late}/content")).send().await.body, "three.txt".as_bytes());
        assert_eq!(ann.get(&destroyed).send().await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_wrongly_changes_nothing() {
    let world = crate::world::Setup::sqlite().start().await;
    let output = world.stoa(&["restore"]).await;
    assert_eq!(output.code, Some(1));
    assert!(output.complaint.contains("Usage: stoa restore ARTEFACT"), "{output:?}");
    for arguments in [
        vec!["restore", "stoa_20200101_000000.stoa", "--yes"],
        vec!["restore", "/etc/hostname", "--yes"],
        vec!["restore", "--at", "yesterday", "--yes"],
        vec!["backup", "verify"],
        vec!["rollback", "--yes"],
    ] {
        let output = world.stoa(&arguments).await;
        assert_eq!(output.code, Some(1), "{arguments:?}: {output:?}");
        assert!(output.complaint.starts_with("stoa: "), "{arguments:?}: {output:?}");
    }
    // A moment without any backup: what is there now is taken back.
    let key = world.key();
    let conversation = world.conversation(&key).await;
    world.say(&key, &conversation, "A").await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let at = world.anonymous().get("/health").send().await.json()["timestamp"].as_str().unwrap().to_owned();
    tokio::time::sleep(Duration::from_millis(100)).await;
    world.say(&key, &conversation, "B").await;
    let output = world.stoa(&["restore", "--at", &at, "--yes"]).await;
    assert!(output.success(), "{output:?}");
    let texts = async || {
        let messages = world.messages(&key, &conversation).await;
        messages
            .iter()
            .filter_map(|message| message["content"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let back = async || {
        let texts = texts().await;
        texts.iter().any(|text| text == "A") && texts.iter().all(|text| text != "B")
    };
    eventually(Duration::from_secs(3), "A is there and B is not", back).await;
}
