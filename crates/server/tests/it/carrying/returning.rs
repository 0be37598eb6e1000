//! What leaves comes back as it was: random conversations with everything that belongs to them, taken away and brought in as
//! somebody else, and imports that break off.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use super::bringing::bring;
use crate::files::tools::{disk, keepers, upload};
use crate::world::{Caller, Setup, eventually, everything, on_both_engines, setting};

/// Conversations of one round.
const COUNT: usize = 14;

/// An id of the form that ids have.
fn id(random: &mut StdRng) -> String {
    let (a, b): (u64, u64) = (random.random(), random.random());
    format!(
        "{:08x}-{:04x}-7{:03x}-8{:03x}-{:012x}",
        a >> 32,
        a & 0xffff,
        b & 0xfff,
        b >> 52,
        b >> 12 & 0xffff_ffff_ffff
    )
}

fn pick<'a, T>(random: &mut StdRng, from: &'a [T]) -> &'a T {
    &from[random.random_range(0..from.len())]
}

/// Text as people and attackers write it; never empty.
fn text(random: &mut StdRng) -> String {
    let pieces = [
        "a",
        "Word ",
        "\n",
        "**b**",
        "<script>",
        "\u{202e}x",
        "🧑‍🚀",
        "é",
        "e\u{301}",
        "\"",
        "\\",
        "\u{feff}",
        "العربية ",
        "[1]",
        "`",
    ];
    let text: String = (0..random.random_range(1..30)).map(|_| *pick(random, &pieces)).collect();
    format!("x{text}x")
}

fn time(random: &mut StdRng) -> String {
    let (second, micro) = (random.random_range(0..60), random.random_range(0..1_000_000));
    format!(
        "2024-{:02}-0{}T1{}:07:{second:02}.{micro:06}Z",
        random.random_range(1..13),
        random.random_range(1..10),
        random.random_range(0..10)
    )
}

/// A conversation as this server exports it, whatever may be in one.
fn conversation(random: &mut StdRng, files: &[String]) -> Value {
    let count = random.random_range(0..16_usize);
    let ids: Vec<String> = (0..count).map(|_| id(random)).collect();
    let mut messages: Vec<Value> = Vec::new();
    for (at, id) in ids.iter().enumerate() {
        let parent = random.random_range(0..=at).checked_sub(1_usize).map(|place| ids[place].clone());
        let asks = parent.is_none() || random.random_bool(0.4);
        let mut message = json!({"id": id, "parent_id": parent, "created_at": time(random), "citations": [], "attachments": [],
            "role": if asks { "user" } else { "assistant" }, "content": text(random), "finish_reason": "stop", "model": null, "feedback": null});
        if asks {
            let brought = (0..random.random_range(0..3)).map(|_| {
                let file = random.random_range(0..files.len() + 1);
                let text = text(random);
                let length = text.chars().count();
                json!({"file_id": files.get(file), "name": format!("file {file}.txt"), "media_type": "text/plain", "kind": "text", "size": 7,
                    "text": text, "characters_read": length, "characters": length + 5, "deleted": files.get(file).is_none()})
            });
            message["attachments"] = json!(brought.collect::<Vec<_>>());
        } else {
            message["model"] = json!(pick(random, &[Some("model-a"), Some("model b"), None]));
            message["finish_reason"] =
                json!(pick(random, &["stop", "length", "cancelled", "error", "blocked", "interrupted"]));
            if message["finish_reason"] != "stop" && random.random_bool(0.3) {
                message["content"] = json!("");
            }
            if random.random_bool(0.3) {
                message["citations"] = json!([{"number": 1, "title": text(random), "source": "a.md", "quote": text(random),
                    "heading_path": ["a", "b"], "start": 3, "end": 9, "page": null, "document_id": null}]);
            }
            if random.random_bool(0.4) {
                let comment = pick(random, &[None, Some("because")]);
                message["feedback"] = json!({"rating": pick(random, &["up", "down"]), "comment": comment, "updated_at": time(random)});
            }
        }
        messages.push(message);
    }
    let mut said = Vec::new();
    let mut next = (count > 0).then(|| pick(random, &ids).clone());
    while let Some(id) = next {
        let message = messages.iter().find(|one| one["id"] == json!(id)).unwrap();
        next = message["parent_id"].as_str().map(str::to_owned);
        said.insert(0, id);
    }
    let began = "2023-05-06T07:08:09.101112Z";
    let tags = &["one", "Two", "tag 3", "ä"][..random.random_range(0..5)];
    let folder = &["Work", "Clients", "North", "Deep"][..random.random_range(0..5)];
    json!({
        "conversation": {"id": id(random), "title": random.random_bool(0.8).then(|| format!("Title {}", random.random_range(0..99))),
            "topic": random.random_bool(0.2).then(|| "t".repeat(300)), "pinned": random.random_bool(0.3), "archived": random.random_bool(0.3),
            "tags": tags, "created_at": began, "updated_at": "2025-01-01T00:00:00.000001Z"},
        "folder": folder,
        "messages": messages, "said": said,
    })
}

/// What of an export must come back: ids become places, files what they hold.
async fn shape(caller: &Caller, export: &Value) -> Value {
    let messages = export["messages"].as_array().unwrap();
    let place = |id: &Value| messages.iter().position(|one| one["id"] == *id);
    let mut shown = Vec::new();
    for one in messages {
        let mut files = Vec::new();
        for file in one["attachments"].as_array().unwrap() {
            let content = match file["file_id"].as_str() {
                Some(id) => caller.get(&format!("/api/v1/files/{id}/content")).send().await.text(),
                None => "gone".to_owned(),
            };
            let known =
                ["name", "media_type", "kind", "size", "text", "characters_read", "characters", "deleted"];
            files.push(json!([content, known.map(|name| &file[name])]));
        }
        let known = ["role", "content", "created_at", "finish_reason", "model", "citations", "feedback"];
        shown.push(json!([place(&one["parent_id"]), files, known.map(|name| &one[name])]));
    }
    let known = ["title", "topic", "pinned", "archived", "tags", "created_at", "updated_at"];
    let said: Vec<_> = export["said"].as_array().unwrap().iter().map(place).collect();
    json!([known.map(|name| &export["conversation"][name]), export["folder"], shown, said])
}

/// Everything that somebody has, as shapes in an order of their own.
async fn all(caller: &Caller) -> Vec<String> {
    let mut shapes = Vec::new();
    for archived in ["false", "true"] {
        for talk in everything(caller, &format!("/api/v1/conversations?limit=100&archived={archived}")).await
        {
            let path = format!("/api/v1/conversations/{}/export", talk["id"].as_str().unwrap());
            let export = caller.get(&path).send().await;
            assert_eq!(export.status, 200, "{export:?}");
            shapes.push(shape(caller, &export.json()).await.to_string());
        }
    }
    shapes.sort();
    shapes
}

async fn folders(caller: &Caller) -> BTreeSet<String> {
    let found = everything(caller, "/api/v1/folders?").await;
    let names: BTreeMap<&str, &Value> = found.iter().map(|one| (one["id"].as_str().unwrap(), one)).collect();
    let path = |one: &Value| {
        let mut path = vec![one["name"].as_str().unwrap().to_owned()];
        let mut next = one["parent_id"].as_str();
        while let Some(id) = next {
            path.insert(0, names[id]["name"].as_str().unwrap().to_owned());
            next = names[id]["parent_id"].as_str();
        }
        path.join("/")
    };
    let paths: BTreeSet<String> = found.iter().map(path).collect();
    assert_eq!(paths.len(), found.len(), "no folder is there twice");
    paths
}

on_both_engines! {
    async fn what_leaves_comes_back_as_it_was(setup) {
        let seed = setting("STOA_TEST_SEED").and_then(|text| text.parse().ok()).unwrap_or_else(rand::random::<u64>);
        println!("STOA_TEST_SEED={seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let world = setup.unlimited().set("MAX_CONVERSATION_LENGTH", "100").start().await;
        let [ann, bob] = keepers(&world).await;
        let mut files = Vec::new();
        for number in 0..3 {
            files.push(upload(&ann, &format!("file {number}.txt"), format!("content {number}").as_bytes()).await);
        }
        let made: Vec<Value> = (0..COUNT).map(|_| conversation(&mut random, &files)).collect();
        let came = bring(&ann, "assistant", Value::from(made.clone()).to_string().as_bytes()).await;
        assert_eq!((came.status, &came.json()["imported"]), (200, &json!(COUNT)), "{came:?}");
        let mut wanted = Vec::new();
        for one in &made {
            wanted.push(shape(&ann, one).await.to_string());
        }
        wanted.sort();
        assert_eq!(all(&ann).await, wanted, "what was read is what was said");

        let archive = ann.get("/api/v1/conversations/export?format=zip").send().await.body;
        let came = bring(&bob, "assistant", &archive).await.json();
        assert_eq!((&came["imported"], &came["refused"], &came["files_left_out"]), (&json!(COUNT), &json!(0), &json!(0)), "{came}");
        assert_eq!(all(&bob).await, wanted, "seed {seed}");
        assert_eq!(folders(&bob).await, folders(&ann).await);
        let kept = everything(&bob, "/api/v1/files?").await.len();
        assert!(kept <= 3, "a file that two messages brought is one file: {kept}");
        assert!(kept == 0 || disk(&world).len() == 3 + kept, "sealed for each owner");
        // Nothing comes twice, neither from the same file nor from what came of it.
        let theirs = bob.get("/api/v1/conversations/export?format=zip").send().await.body;
        for archive in [&archive, &theirs] {
            let again = bring(&bob, "assistant", archive).await.json();
            assert_eq!((&again["imported"], &again["present"]), (&json!(0), &json!(COUNT)), "{again}");
        }
        assert_eq!((all(&bob).await, everything(&bob, "/api/v1/files?").await.len()), (wanted, kept));
        // One alone as JSON keeps what its files said; the bytes are not in it.
        let one = made.iter().find(|one| one["messages"].to_string().contains("\"file_id\":\"")).unwrap();
        let carol = world.person("carol@example.org", false).await.caller;
        let came = bring(&carol, "assistant", one.to_string().as_bytes()).await.json();
        assert!(came["imported"] == 1 && came["files_left_out"].as_u64() > Some(0), "{came}");
        let talk = everything(&carol, "/api/v1/conversations/search?q=x*").await;
        println!("{} found", talk.len());
    }

    async fn what_has_no_room_is_told_and_leaves_nothing(setup) {
        let world = setup.unlimited().set("FILES_QUOTA", "1MiB").start().await;
        let [ann, bob] = keepers(&world).await;
        let large = upload(&ann, "large.txt", &vec![b'a'; 700_000]).await;
        let small = upload(&ann, "small.txt", b"small").await;
        let name_of = |word: &str| id(&mut StdRng::seed_from_u64(word.len() as u64));
        let talk = |id: &str, files: &[&str]| {
            let attached: Vec<Value> = files.iter().map(|id| json!({"file_id": id, "name": "n.txt", "kind": "text"})).collect();
            json!({"conversation": {"id": name_of(id), "title": id}, "messages": [{"id": "a", "role": "user", "content": "q", "attachments": attached}], "said": ["a"]})
        };
        let list = json!([talk("one", &[&small]), talk("second", &[&small, &large]), talk("three", &[])]);
        assert_eq!(bring(&ann, "assistant", list.to_string().as_bytes()).await.json()["imported"], 3);
        let archive = ann.get("/api/v1/conversations/export?format=zip").send().await.body;
        upload(&bob, "own.txt", &vec![b'b'; 600_000]).await;
        let before = disk(&world).len();
        let came = bring(&bob, "assistant", &archive).await.json();
        assert_eq!((&came["imported"], &came["refused"], &came["unfinished"]), (&json!(2), &json!(1), &Value::Null), "{came}");
        assert_eq!((&came["problems"][0]["title"], &came["problems"][0]["code"]), (&json!("second"), &json!("no_room")));
        assert_eq!((everything(&bob, "/api/v1/files?").await.len(), disk(&world).len()), (2, before + 1));
        // Once there is room, the same file brings the rest.
        let own = everything(&bob, "/api/v1/files?").await.into_iter().find(|file| file["name"] == "own.txt").unwrap();
        let path = format!("/api/v1/files/{}?permanent=true", own["id"].as_str().unwrap());
        assert_eq!(bob.delete(&path).send().await.status, 204);
        let came = bring(&bob, "assistant", &archive).await.json();
        assert_eq!((&came["imported"], &came["present"], &came["files"]), (&json!(1), &json!(2), &json!(2)), "{came}");
        assert_eq!(everything(&bob, "/api/v1/files?").await.len(), 2, "the small one is known again");
        assert_eq!(all(&bob).await.len(), 3);

        // Cut anywhere, whole conversations are taken, and what is missing is told.
        let carol = world.person("carol@example.org", false).await.caller;
        let came = bring(&carol, "assistant", &archive[..archive.len() / 2]).await;
        let report = came.json();
        let taken = report["imported"].as_u64().unwrap();
        assert!(came.status == 200 && report["problems"][0]["code"] == "cut_off" && taken < 3, "{report}");
        assert_eq!(all(&carol).await.len() as u64, taken);
    }
}

#[tokio::test]
async fn an_import_that_is_killed_leaves_whole_conversations() {
    let mut world = Setup::alone().unlimited().set("MAX_CONVERSATION_LENGTH", "100").start().await;
    let ann = world.person("ann@example.org", false).await.caller;
    let mut random = StdRng::seed_from_u64(7);
    let made: Vec<Value> = (0..300).map(|_| conversation(&mut random, &[])).collect();
    let export = Value::from(made.clone()).to_string().into_bytes();
    let sender = ann.clone();
    let sent = export.clone();
    let sending = tokio::spawn(async move {
        let form = crate::files::tools::Form::new().field("app", "assistant").file("export", &sent);
        let request =
            sender.post("/api/v1/conversations/import").header("content-type", &form.content_type());
        request.body(form.body()).try_send().await
    });
    let some = async || {
        assert!(!sending.is_finished(), "it was over before it could be killed");
        everything(&ann, "/api/v1/conversations?limit=100").await.len() > 20
    };
    eventually(Duration::from_secs(30), "some have come in", some).await;
    world.crash().await;
    let _ = sending.await.unwrap();
    let ann = ann.at(world.address());
    let mut wanted = BTreeSet::new();
    for one in &made {
        wanted.insert(shape(&ann, one).await.to_string());
    }
    let found = all(&ann).await;
    println!("{} of 300 were in when it was killed", found.len());
    assert!(found.iter().all(|one| wanted.contains(one)), "what is there is whole");
    let again = bring(&ann, "assistant", &export).await.json();
    assert_eq!((&again["present"], &again["refused"]), (&json!(found.len()), &json!(0)), "{again}");
    assert_eq!(all(&ann).await.len(), 300);
    world.verify_audit().await;
}
