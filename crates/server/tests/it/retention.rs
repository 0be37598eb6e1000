//! How long things are kept, over HTTP and at the command line: what goes by itself, what a legal hold keeps, what leaves
//! the house as an export, what an erasure leaves, and the database looked after beside requests.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::files::tools::{disk, gather, keeper, upload};
use crate::world::{Case, PASSWORD, Setup, World, check, eventually, everything, on_both_engines, raw};

const PATIENCE: Duration = Duration::from_secs(30);
const MARKER: &str = "the-word-is-ocelot-83b1";

/// Every byte below a folder.
fn bytes_of(folder: &Path) -> Vec<u8> {
    let mut found = Vec::new();
    gather(folder, &mut found);
    found.iter().flat_map(|path| std::fs::read(path).unwrap_or_default()).collect()
}

fn holds(bytes: &[u8], wanted: &str) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes())
}

async fn metrics(world: &World) -> String {
    let asked = world.anonymous().get("/metrics").header("authorization", "Bearer metrics-token-Rk2Vb9Xz");
    asked.send().await.text()
}

fn kept_for(setup: Setup, span: &str) -> Setup {
    let apps = format!(
        "[[apps]]\nid = \"assistant\"\nretention = \"{span}\"\n\n[[apps]]\nid = \"files\"\nretention = \"{span}\"\n"
    );
    setup.unlimited().file("stoa.toml", &apps).set("METRICS_TOKEN", "metrics-token-Rk2Vb9Xz")
}

/// What `stoa check` says, without its lines.
async fn checked(world: &World) -> String {
    world.stoa(&["check"]).await.out.split_whitespace().collect::<Vec<_>>().join(" ")
}

on_both_engines! {
    /// What is kept for two seconds is gone after that from everywhere; what another app keeps is not touched.
    async fn content_goes_when_its_time_has_come(setup) {
        let world = kept_for(setup, "2s").start().await;
        let (visitor, member) = (world.visitor(), world.member().await);
        let made = member.caller.post("/api/v1/conversations").json(&json!({"app": "workspace", "title": "stays"})).send().await;
        let stays = made.json()["id"].as_str().unwrap().to_owned();
        let ann = keeper(&world, "ann@example.org").await;
        upload(&ann, "short.txt", b"a file for two seconds").await;
        let talk = visitor.post("/api/v1/chat").json(&json!({"message": MARKER, "session_id": "s"})).header("idempotency-key", "once").send().await;
        assert_eq!(talk.status, 200, "{talk:?}");
        let id = talk.json()["conversation_id"].as_str().unwrap().to_owned();
        // Its own id stands in the audit log, which holds pseudonyms; that of the message does not.
        let message = talk.json()["message"]["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/conversations/{id}");
        eventually(PATIENCE, "the conversation is gone", async || visitor.get(&path).send().await.status == 404).await;
        eventually(PATIENCE, "the file is gone, with its bytes", async || {
            everything(&ann, "/api/v1/files?limit=5").await.is_empty() && disk(&world).is_empty()
        }).await;
        assert!(everything(&visitor, "/api/v1/conversations?limit=5").await.is_empty());
        let search = visitor.get("/api/v1/conversations?q=ocelot").send().await.json();
        assert_eq!(search["items"], json!([]));
        assert_eq!(visitor.get(&format!("{path}/messages")).send().await.status, 404);
        assert!(!visitor.get("/api/v1/me/export").send().await.text().contains("ocelot"));
        // The same key again is a new request: the old answer is not kept either.
        let again = visitor.post("/api/v1/chat").json(&json!({"message": MARKER, "session_id": "s"})).header("idempotency-key", "once").send().await;
        assert_eq!(again.status, 200, "{again:?}");
        assert_ne!(again.json()["conversation_id"], json!(id));
        assert_eq!(member.caller.get(&format!("/api/v1/conversations/{stays}")).send().await.status, 200);

        let told = world.await_audit("data.erased", |event| event["object"] == "retention").await;
        assert!(told["details"]["total"].as_u64().unwrap() > 0 && !told.to_string().contains(&id), "{told}");
        // Each replica counts what it removed itself.
        for kind in ["messages", "files"] {
            let line = format!("stoa_retention_removed_total{{kind=\"{kind}\"}}");
            let counted = async || metrics(&world).await.contains(&line);
            eventually(Duration::from_secs(5), &line, counted).await;
        }
        // Its rows are in no file of the database any more, and what was used is still known.
        if world.database_url().is_none() {
            let data = world.data();
            eventually(PATIENCE, "no page holds it", async || !holds(&bytes_of(&data), &message)).await;
        }
        let admin = world.admin().await;
        let usage = admin.caller.get("/api/v1/admin/usage?app=assistant").send().await.json();
        assert!(usage["days"][0]["requests"].as_u64().unwrap() >= 1, "{usage}");
        assert_eq!((&usage["days"][0]["name"], &usage["apps"][0]["error_rate"]), (&json!("assistant"), &json!(0.0)));
        world.verify_audit().await;
    }

    /// An app that has gone from the configuration leaves nothing behind for ever, and says how much is left.
    async fn what_a_removed_app_leaves_goes_after_it(setup) {
        let mut world = kept_for(setup, "2s").start().await;
        let member = world.member().await;
        let made = member.caller.post("/api/v1/conversations").json(&json!({"app": "workspace", "title": "left"})).send().await;
        let path = format!("/api/v1/conversations/{}", made.json()["id"].as_str().unwrap());
        let said = async |wanted: &str| checked(&world).await.contains(wanted);
        assert!(said("there is none").await);
        let file = world.folder.path().join("stoa.toml");
        let with = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{with}\n[[apps]]\nid = \"workspace\"\nremove = true\n")).unwrap();
        assert!(said("the app `workspace` is not configured any more: 1 conversation and 0 files lie in it").await);
        world.restart_with("RETENTION_REMOVED_APPS", "1h").await;
        let said = async |wanted: &str| checked(&world).await.contains(wanted);
        eventually(PATIENCE, "the end is known", async || said(", kept until 2").await).await;
        // It was a slip of the pen: with the app its content is back.
        std::fs::write(&file, &with).unwrap();
        world.restart_with("LOG_LEVEL", "INFO").await;
        let caller = member.caller.at(world.address());
        assert_eq!(caller.get(&path).send().await.status, 200);
        std::fs::write(&file, format!("{with}\n[[apps]]\nid = \"workspace\"\nremove = true\n")).unwrap();
        world.restart_with("RETENTION_REMOVED_APPS", "1s").await;
        let said = async |wanted: &str| checked(&world).await.contains(wanted);
        eventually(PATIENCE, "nothing is left", async || said("there is none").await).await;
        let told = world.await_audit("data.erased", |event| event["details"]["removed"]["workspace"].is_object()).await;
        assert!(told["details"]["total"].as_u64().unwrap() > 0, "{told}");
        world.verify_audit().await;
    }

    /// A hold keeps what its time would take, and nobody erases it, until it ends.
    async fn a_hold_keeps_until_it_ends(setup) {
        let world = kept_for(setup, "2s").start().await;
        let (admin, member) = (world.admin().await, world.member().await);
        let target = format!("user:{}", member.id);
        let add = |body: Value| admin.caller.post("/api/v1/admin/holds").json(&body);
        let held = add(json!({"target": target, "reason": "case 7"})).send().await;
        assert_eq!(held.status, 201, "{held:?}");
        let held = held.json();
        assert_eq!((&held["target"], &held["created_by"]), (&json!(target), &json!(format!("user:{}", admin.id))));
        check([
            Case::new(add(json!({"target": target, "reason": "again"})), 409).code("conflict"),
            Case::new(add(json!({"target": "nobody", "reason": "x"})), 400).code("invalid_input"),
            Case::new(add(json!({"target": "app:nowhere", "reason": "x"})), 400).code("invalid_input"),
            Case::new(add(json!({"target": target, "reason": " "})), 400).code("invalid_input"),
            Case::new(add(json!({"target": "user:019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d", "reason": "x"})), 404).code("not_found"),
        ]).await;
        let kept = world.conversation(&member.caller).await;
        world.say(&member.caller, &kept, "keep this").await;
        let free = world.visitor();
        let gone = world.conversation(&free).await;
        world.say(&free, &gone, "not this").await;
        let status = async |caller: &crate::world::Caller, id: &str| caller.get(&format!("/api/v1/conversations/{id}")).send().await.status;
        eventually(PATIENCE, "what is free goes", async || status(&free, &gone).await == 404).await;
        assert_eq!(status(&member.caller, &kept).await, 200);

        // The person is told whom to ask, admins are told why.
        let own = member.caller.delete("/api/v1/me").json(&json!({"password": PASSWORD})).send().await;
        assert_eq!((own.status, own.json()["code"].as_str().unwrap()), (409, "conflict"));
        assert!(own.text().contains("whoever runs this server") && !own.text().contains("hold"), "{}", own.text());
        let by_admin = admin.caller.delete(&format!("/api/v1/admin/users/{}", member.id)).send().await;
        assert!(by_admin.status == 409 && by_admin.text().contains("legal hold"), "{by_admin:?}");
        let command = world.stoa(&["user", "erase", &member.email, "--yes"]).await;
        assert!(!command.success() && command.complaint.contains("stoa hold remove"), "{command:?}");
        assert_eq!(member.caller.get("/api/v1/me").send().await.status, 200, "what was refused changed nothing");

        let listed = world.told(&["hold", "list", "--json"]).await.remove(0);
        assert_eq!(listed[0]["target"], json!(target));
        let page = world.browser(&admin.email).await.get("/admin/holds").send().await;
        assert!(page.status == 200 && page.text().contains("case 7") && page.text().contains(&member.email), "{page:?}");
        let app = world.stoa(&["hold", "add", "app:workspace", "--reason", "audit"]).await;
        assert!(app.success(), "{app:?}");
        assert!(world.stoa(&["hold", "remove", "app:workspace"]).await.success());
        let end = admin.caller.delete(&format!("/api/v1/admin/holds/{}", held["id"].as_str().unwrap()));
        assert_eq!(end.send().await.status, 204);
        eventually(PATIENCE, "retention resumes", async || status(&member.caller, &kept).await == 404).await;
        let erased = member.caller.delete("/api/v1/me").json(&json!({"password": PASSWORD})).send().await;
        assert_eq!(erased.status, 200, "{erased:?}");
        for (event, count) in [("hold.added", 2), ("hold.removed", 2)] {
            assert_eq!(world.audited(event).await.len(), count);
        }
    }

    /// A marker is planted wherever a person can leave one, and searched for everywhere after the erasure.
    async fn an_erasure_leaves_nothing(setup) {
        let mut world = setup.unlimited().set("LOG_TO_FILE", true).set("LOG_LEVEL", "DEBUG").start().await;
        let (ann, bob) = (world.person("ann@example.org", false).await, keeper(&world, "bob@example.org").await);
        assert!(world.stoa(&["grant", "add", "ann@example.org", "files"]).await.success());
        eventually(PATIENCE, "the grant is known", async || ann.caller.get("/api/v1/files").send().await.status == 200).await;
        let marked = |caller: &crate::world::Caller| { let caller = caller.clone(); let world = &world; async move {
            upload(&caller, &format!("{MARKER}.txt"), MARKER.as_bytes()).await;
            let talk = world.conversation(&caller).await;
            world.say(&caller, &talk, MARKER).await;
            let key = caller.post("/api/v1/keys").json(&json!({"name": MARKER})).header("idempotency-key", MARKER).send().await;
            assert_eq!(key.status, 201, "{key:?}");
            let named = caller.put("/api/v1/me").json(&json!({"name": MARKER})).send().await;
            assert_eq!(named.status, 200, "{named:?}");
            key.json()["key"].as_str().unwrap().to_owned()
        }};
        let (of_ann, _) = (marked(&ann.caller).await, marked(&bob).await);
        let by_key = world.anonymous().with("x-api-key", &of_ann);
        let said = by_key.post("/api/v1/chat").json(&json!({"message": MARKER, "app": "assistant"})).send().await;
        assert_eq!(said.status, 200, "{said:?}");
        assert_eq!(disk(&world).len(), 2, "the contents of both");

        let erased = ann.caller.delete("/api/v1/me").json(&json!({"password": PASSWORD})).send().await.json();
        assert!(erased["counts"]["files"] == 1 && erased["counts"]["api_keys"] == 1 && erased["counts"]["messages"] == 4, "{erased}");
        let receipt = format!("/api/v1/erasures/{}", erased["id"].as_str().unwrap());
        eventually(PATIENCE, "it is certain", async || {
            world.anonymous().get(&receipt).send().await.json()["scan"]["settled"] == true
        }).await;
        let receipt = world.anonymous().get(&receipt).send().await.json();
        assert_eq!((&receipt["scan"]["left"], &receipt["counts"]), (&json!({}), &erased["counts"]));
        assert_eq!(disk(&world).len(), 1, "of bob alone");

        // Nothing is found by whoever may see everything, of which bob's things are what is left.
        let admin = world.admin().await;
        for path in ["users?limit=100", "sessions?limit=100", "keys?limit=100", "usage", "alerts", "holds", &format!("users/{}", ann.id)] {
            let seen = admin.caller.get(&format!("/api/v1/admin/{path}")).send().await.text();
            assert!(!seen.contains(&ann.id) && !seen.contains("ann@example.org"), "{path}: {seen}");
        }
        assert_eq!(by_key.get("/api/v1/apps").send().await.status, 401);
        let bobs = bob.get("/api/v1/me/export").send().await.text();
        assert!(bobs.matches(MARKER).count() >= 5 && !bobs.contains(&ann.id), "others are untouched");
        let log = admin.caller.get(&format!("/api/v1/admin/audit?actor=user:{}", ann.id)).send().await;
        assert!(!log.text().contains(MARKER) && !log.text().contains("ann@"), "the log keeps a pseudonym alone");
        assert_eq!(world.process.terminate().await, Some(0));
        let stored = bytes_of(world.folder.path());
        for secret in [MARKER, "ann@example.org", &of_ann] {
            assert!(!holds(&stored, secret), "{secret} is on the disk");
        }
    }

    /// Everything in an archive, with the contents of files, at once and at the command line.
    async fn an_export_holds_the_files_too(setup) {
        let world = setup.unlimited().start().await;
        let ann = keeper(&world, "ann@example.org").await;
        let big = vec![b'z'; 1_500_000];
        upload(&ann, "big.txt", &big).await;
        let trashed = upload(&ann, "in the trash.txt", b"still mine").await;
        assert_eq!(ann.delete(&format!("/api/v1/files/{trashed}")).send().await.status, 200);
        let talk = world.conversation(&ann).await;
        world.say(&ann, &talk, MARKER).await;
        check([Case::new(ann.get("/api/v1/me/export?format=rar"), 400).code("invalid_input")]).await;
        let document = ann.get("/api/v1/me/export").send().await.json();
        assert_eq!(document["tables"]["files"].as_array().unwrap().len(), 2);
        assert!(document["tables"]["hand_offs"].as_array().unwrap().is_empty());
        let answer = ann.get("/api/v1/me/export?format=zip").send().await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/zip"));
        let out = world.folder.path().join("ann.zip");
        let told = world.stoa(&["user", "export", "ann@example.org", "--format", "zip", "--out", out.to_str().unwrap()]).await;
        assert!(told.success(), "{told:?}");
        for archive in [answer.body.to_vec(), std::fs::read(&out).unwrap()] {
            assert!(archive.starts_with(b"PK\x03\x04") && archive.len() > big.len());
            assert_eq!(archive.windows(4).filter(|window| window == b"PK\x01\x02").count(), 4, "export, two files, manifest");
            for wanted in ["still mine", "manifest.json", "in the trash.txt", MARKER, "\"whole\": true"] {
                assert!(holds(&archive, wanted), "{wanted}");
            }
            assert!(archive.windows(big.len()).any(|window| window == big), "the content as a whole");
        }
        let admin = world.admin().await;
        let id = world.told(&["user", "show", "ann@example.org", "--json"]).await[0]["id"].as_str().unwrap().to_owned();
        let by_admin = admin.caller.get(&format!("/api/v1/admin/users/{id}/export?format=zip")).send().await;
        assert!(by_admin.status == 200 && holds(&by_admin.body, "still mine"));
        assert!(world.audited("data.exported").await.len() >= 4);
    }

    /// Looked after beside requests, none of which fails; and what the doctor says of it.
    async fn the_database_is_looked_after_beside_requests(setup) {
        let world = setup.unlimited().start().await;
        let visitor = world.visitor();
        let id = world.conversation(&visitor).await;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (caller, path) = (visitor.clone(), format!("/api/v1/conversations/{id}"));
        let busy = tokio::spawn(async move {
            let mut stopped = stopped;
            let mut asked = 0;
            while stopped.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Empty) {
                let renamed = caller.put(&path).json(&json!({"title": format!("{asked}")})).send().await;
                assert_eq!(renamed.status, 200, "{renamed:?}");
                asked += 1;
            }
            asked
        });
        for task in ["reindex", "analyze", "vacuum"] {
            let told = world.stoa(&["maintain", task]).await;
            assert!(told.success(), "{told:?}");
        }
        let told = world.told(&["maintain", "--json"]).await.remove(0);
        assert_eq!(told["postponed"], false);
        stop.send(()).unwrap();
        assert!(busy.await.unwrap() > 0);
        let chores = world.told(&["maintain", "status", "--json"]).await.remove(0);
        let names: Vec<&str> = chores["chores"].as_array().unwrap().iter().map(|chore| chore["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["analyze", "reindex", "upkeep", "vacuum"]);
        let doctor = world.stoa(&["doctor"]).await;
        assert!(doctor.out.contains("upkeep"), "{doctor:?}");
    }
}

/// The doctor compares the bytes of files with the rows, both ways.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_finds_bytes_that_are_lost_and_bytes_that_are_nobodys() {
    let world = Setup::sqlite().unlimited().start().await;
    let ann = keeper(&world, "ann@example.org").await;
    upload(&ann, "one.txt", b"one").await;
    upload(&ann, "two.txt", b"two").await;
    let said = async || world.stoa(&["doctor"]).await.out;
    assert!(said().await.contains("2 contents are where the rows say"));
    let lost = disk(&world).remove(0);
    let stray = lost.with_file_name("00000000000000000000000000000000");
    std::fs::rename(&lost, &stray).unwrap();
    let found = said().await;
    assert!(found.contains("1 contents of 2 are not where the rows say"), "{found}");
    std::fs::copy(&stray, &lost).unwrap();
    let found = said().await;
    assert!(found.contains("1 contents of 3 belong to no file"), "{found}");
}

/// What has lain in the trash for its time is gone, and what has not is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trash_is_emptied_in_time() {
    let Some(setup) = Setup::postgres() else { return };
    let world = setup.unlimited().set("FILES_TRASH_DAYS", 30).start().await;
    let ann = keeper(&world, "ann@example.org").await;
    let (old, young) = (upload(&ann, "old.txt", b"old").await, upload(&ann, "young.txt", b"young").await);
    for id in [&old, &young] {
        assert_eq!(ann.delete(&format!("/api/v1/files/{id}")).send().await.status, 200);
    }
    let url = world.database_url().unwrap();
    for (id, days) in [(&old, 31), (&young, 29)] {
        let back =
            format!("UPDATE files SET trashed_at = trashed_at - {days} * 86400000000 WHERE id = '{id}'");
        assert!(raw("psql", &[&url, "--quiet", "--no-psqlrc", "--command", &back]));
    }
    let status = async |id: &str| ann.get(&format!("/api/v1/files/{id}")).send().await.status;
    eventually(PATIENCE, "the old one is gone", async || status(&old).await == 404).await;
    assert_eq!(status(&young).await, 200);
    eventually(PATIENCE, "with its bytes", async || disk(&world).len() == 1).await;
    let told = world.await_audit("file.deleted", |event| event["details"]["permanent"] == true).await;
    assert_eq!(told["actor"], "system");
}
