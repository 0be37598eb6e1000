//! Documents of apps over HTTP and at the command line: their life, their formats, the hostile among them, who sees
//! which, and that they are found by every process at once and leave nothing behind.

mod files;
mod meaning;

use std::time::Duration;

use serde_json::{Value, json};

use self::files::{docx, form, pdf};
use crate::world::{Answer, Caller, Case, Setup, World, check, eventually, on_both_engines};

const DOCUMENTS: &str = "/api/v1/apps/support/documents";
const SEARCH: &str = "/api/v1/apps/support/search";
/// Nobody else writes this.
const MARKER: &str = "quokkafjordzebra";

async fn add(caller: &Caller, title: &str, body: &str) -> Answer {
    caller.post(DOCUMENTS).json(&json!({"title": title, "text": body})).send().await
}

async fn upload(caller: &Caller, files: &[(&str, &[u8])]) -> Answer {
    let (kind, body) = form(&[], files);
    caller.post(DOCUMENTS).header("content-type", &kind).body(body).send().await
}

async fn find(caller: &Caller, query: &str) -> Vec<Value> {
    let answer = caller.post(SEARCH).json(&json!({"query": query})).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["items"].as_array().unwrap().clone()
}

fn id_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["id"].as_str().unwrap().to_owned()
}

on_both_engines! {
    async fn a_document_lives_and_ends(setup) {
        let world = setup.unlimited().without_model().start().await;
        let key = world.key();
        let text = format!("# Returns\n\nA {MARKER} may be returned within 30 days.\n\n## Costs\n\nIt costs nothing.\n");
        let added = add(&key, "Returns of goods", &text).await;
        let id = id_of(&added);
        let document = added.json();
        assert_eq!((&document["status"], &document["kind"], &document["passages"]), (&json!("ready"), &json!("markdown"), &json!(1)), "{document}");
        assert_eq!((&document["title"], &document["visibility"]), (&json!("Returns of goods"), &json!("everyone")));
        // What was added is found at once, and quoted byte for byte.
        let found = find(&key, &format!("When may I return a {MARKER}?")).await;
        assert_eq!((found.len(), &found[0]["document_id"]), (1, &json!(id)), "{found:?}");
        let sentence = format!("A {MARKER} may be returned within 30 days.");
        assert!(found[0]["text"].as_str().unwrap().contains(&sentence) && found[0]["supported"] == true, "{found:?}");
        assert!(find(&key, "What is the weather like on Mars?").await.iter().all(|one| one["supported"] == false));
        let one = format!("{DOCUMENTS}/{id}");
        assert_eq!(key.get(&one).send().await.json()["id"], json!(id));
        let passages = key.get(&format!("{one}/passages")).send().await.json();
        assert_eq!(passages["items"][0]["id"], found[0]["passage_id"]);
        assert_eq!(passages["items"][0]["text"], found[0]["text"]);
        let listed = key.get(DOCUMENTS).send().await.json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        // The same again is told where it is.
        let again = add(&key, "Another title", &text).await;
        assert_eq!((again.status, again.code().as_str()), (409, "conflict"));
        assert!(again.text().contains(&id), "{again:?}");
        assert_eq!(key.delete(&one).send().await.status, 204);
        assert!(find(&key, MARKER).await.is_empty());
        check([
            Case::new(key.get(&one), 404).code("not_found"),
            Case::new(key.get(&format!("{one}/passages")), 404).code("not_found"),
            Case::new(key.delete(&one), 404).code("not_found"),
        ]).await;
        let anew = id_of(&add(&key, "Returns", &text).await);
        assert_ne!(anew, id);
        assert_eq!(find(&key, MARKER).await.len(), 1);
        let by = |event: &Value, object: String| event["object"] == object.as_str() && event["actor"].as_str().unwrap().starts_with("key:");
        world.await_audit("document.added", |event| by(event, format!("document:{id}"))).await;
        world.await_audit("document.removed", |event| by(event, format!("document:{id}"))).await;
        for purpose in ["documents.list", "documents.search", "documents.read", "documents.passages"] {
            world.await_audit("data.read", |event| event["details"]["purpose"] == purpose).await;
        }
        assert!(!format!("{:?}", world.audited("data.read").await).contains(MARKER), "what was asked is written nowhere");
        world.verify_audit().await;
    }

    async fn every_format_is_read_and_what_is_broken_fails_alone(setup) {
        let world = setup.unlimited().without_model().start().await;
        let key = world.key();
        let bomb = files::bomb();
        let loops = files::looping_pdf();
        let word = docx("The wombat clause applies.");
        let sheet = pdf("The numbat clause applies.");
        let (cut_word, cut_sheet) = (&word[..word.len() / 2], &sheet[..40]);
        let given: Vec<(&str, &[u8])> = vec![
            ("terms.docx", &word), ("terms.pdf", &sheet), ("page.html", b"<h1>Rules</h1><p>The bilby clause applies.</p>"),
            ("note.md", b"# Note\n\nThe dugong clause applies."), ("note.txt", b"The echidna clause applies."),
            ("rows.csv", b"animal,clause\nplatypus,applies\n"),
            ("bomb.docx", &bomb), ("loop.pdf", &loops), ("cut.docx", cut_word), ("cut.pdf", cut_sheet),
            ("empty.txt", b""), ("noise.bin", &[0x89, 0xff, 0x00, 0x01, 0xfe, 0x00, 0x03]),
        ];
        let answer = upload(&key, &given).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let items = answer.json()["items"].as_array().unwrap().clone();
        let kinds: Vec<&str> = items[..6].iter().map(|item| item["document"]["kind"].as_str().unwrap_or("?")).collect();
        assert_eq!(kinds, ["docx", "pdf", "html", "markdown", "text", "csv"], "{items:?}");
        for item in &items[6..] {
            let document = &item["document"];
            assert_eq!((&document["status"], &document["passages"]), (&json!("failed"), &json!(0)), "{item}");
            assert!(document["reason"].as_str().unwrap().ends_with('.'), "{item}");
        }
        for (animal, name) in [("wombat", "terms.docx"), ("numbat", "terms.pdf"), ("bilby", "page.html"), ("dugong", "note.md"), ("echidna", "note.txt"), ("platypus", "rows.csv")] {
            let found = find(&key, &format!("Which clause says {animal}?")).await;
            let item = items.iter().find(|item| item["name"] == name).unwrap();
            assert_eq!(found[0]["document_id"], item["document"]["id"], "{animal}");
        }
        // One that failed makes room for the same again, and can be removed.
        let again = upload(&key, &[("noise.bin", &[0x89, 0xff, 0x00, 0x01, 0xfe, 0x00, 0x03])]).await;
        assert_eq!(again.json()["status"], "failed");
        let id = id_of(&again);
        assert_eq!(key.delete(&format!("{DOCUMENTS}/{id}")).send().await.status, 204);
        assert_eq!(world.anonymous().get("/ready").send().await.status, 200);
    }

    async fn each_sees_what_is_meant_for_them(setup) {
        let world = setup.unlimited().without_model().start().await;
        let (key, member) = (world.key(), world.member().await);
        assert!(world.stoa(&["grant", "add", &member.email, "support"]).await.success());
        let enters = async || member.caller.get(DOCUMENTS).send().await.status == 200;
        eventually(Duration::from_secs(2), "the grant is known", enters).await;
        let open = id_of(&add(&key, "Open", &format!("The {MARKER} is open to everyone.")).await);
        let staff = json!({"title": "Closed", "text": format!("The {MARKER} code of the staff is 7755."), "visibility": "staff"});
        let closed = id_of(&key.post(DOCUMENTS).json(&staff).send().await);
        let ids = |items: &[Value], field: &str| items.iter().map(|item| item[field].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        let both = find(&key, MARKER).await;
        assert_eq!(both.len(), 2);
        assert_eq!(ids(&find(&member.caller, &format!("{MARKER} code of the staff")).await, "document_id"), [open.as_str()]);
        let listed = member.caller.get(DOCUMENTS).send().await.json();
        assert_eq!(ids(listed["items"].as_array().unwrap(), "id"), [open.as_str()]);
        assert_eq!(listed["items"][0]["added_by"], Value::Null);
        // A customer's answer never comes from what is for the staff.
        let asked = json!({"message": format!("What is the {MARKER} code of the staff?"), "app": "support", "session_id": "s"});
        let said = key.post("/api/v1/chat").json(&asked).send().await;
        assert!(said.status == 200 && !said.text().contains("7755"), "{said:?}");
        let one = |app: &str, id: &str| format!("/api/v1/apps/{app}/documents/{id}");
        check([
            Case::new(member.caller.get(&one("support", &closed)), 404).code("not_found"),
            Case::new(member.caller.get(&format!("{}/passages", one("support", &closed))), 404).code("not_found"),
            Case::new(member.caller.delete(&one("support", &open)), 403).code("forbidden"),
            Case::new(member.caller.post(DOCUMENTS).json(&staff), 403).code("forbidden"),
            // Through another app's door it is not there.
            Case::new(key.get(&one("assistant", &open)), 404).code("not_found"),
            Case::new(key.delete(&one("assistant", &open)), 404).code("not_found"),
            Case::new(key.get(&one("nothing", &open)), 404).code("not_found"),
            Case::new(world.visitor().get(DOCUMENTS), 401).code("unauthenticated"),
            Case::new(world.visitor().get(&one("assistant", &open)), 404).code("not_found"),
        ]).await;
        let elsewhere = key.post("/api/v1/apps/assistant/search").json(&json!({"query": MARKER})).send().await;
        assert_eq!(elsewhere.json()["items"], json!([]));
        // A key without the scope sees what customers see, and changes nothing.
        let made = world.stoa(&["key", "create", "shop", "--app", "support", "--scope", "read"]).await;
        let secret = text_of_key(&made.out);
        let reader = world.anonymous().with("x-api-key", &secret);
        eventually(Duration::from_secs(2), "the key is known", async || reader.get(DOCUMENTS).send().await.status == 200).await;
        assert_eq!(ids(&find(&reader, MARKER).await, "document_id"), [open]);
        assert_eq!(reader.post(DOCUMENTS).json(&staff).send().await.status, 403);
    }

    async fn another_process_adds_and_removes(setup) {
        let world = setup.unlimited().without_model().start().await;
        let key = world.key();
        assert!(find(&key, MARKER).await.is_empty());
        let folder = world.folder.path().join("handbook");
        std::fs::create_dir_all(folder.join("deep")).unwrap();
        std::fs::write(folder.join("deep/one.md"), format!("# One\n\nThe {MARKER} lives here.\n")).unwrap();
        std::fs::write(folder.join("two.txt"), "Something else altogether.").unwrap();
        std::fs::write(folder.join("photo.png"), [0x89, b'P', b'N', b'G', 0, 1, 2, 3]).unwrap();
        let path = folder.display().to_string();
        let added = world.stoa(&["docs", "add", "support", &path, "--json"]).await;
        assert!(added.success(), "{added:?}");
        let report: Value = serde_json::from_str(&added.out).unwrap();
        assert_eq!((&report["added"], &report["passed"], &report["failed"]), (&json!(2), &json!(1), &json!(0)), "{report}");
        let known = async || !find(&key, MARKER).await.is_empty();
        eventually(Duration::from_secs(1), "the server finds it", known).await;
        let id = find(&key, MARKER).await[0]["document_id"].as_str().unwrap().to_owned();
        // A second time is no failure; what was named and cannot be read is one.
        assert!(world.stoa(&["docs", "add", "support", &path]).await.success());
        let broken = world.stoa(&["docs", "add", "support", &folder.join("photo.png").display().to_string()]).await;
        assert!(!broken.success() && broken.out.contains('✗'), "{broken:?}");
        let listed = world.stoa(&["docs", "list", "support"]).await;
        assert!(listed.out.contains(&id) && listed.out.contains("failed"), "{listed:?}");
        let found = world.stoa(&["docs", "search", "support", "Where", "does", "the", MARKER, "live?"]).await;
        assert!(found.out.contains("lives here"), "{found:?}");
        let refused = world.stoa(&["docs", "add", "files", &path]).await;
        assert!(!refused.success() && refused.complaint.contains("support"), "{refused:?}");
        assert!(world.stoa(&["docs", "remove", "support", &id]).await.success());
        let gone = async || find(&key, MARKER).await.is_empty();
        eventually(Duration::from_secs(1), "the server forgets it", gone).await;
        world.await_audit("document.added", |event| event["actor"] == "operator").await;
        // A second server of the same data finds and forgets as fast.
        let other = world.replica().await;
        let there = key.at(other.address);
        eventually(Duration::from_secs(3), "the other one has read all", async || {
            there.post(SEARCH).json(&json!({"query": "altogether"})).send().await.json()["items"] != json!([])
        }).await;
        let fresh = id_of(&add(&there, "Fresh", &format!("A fresh {MARKER}.")).await);
        eventually(Duration::from_secs(1), "both find it", async || !find(&key, MARKER).await.is_empty()).await;
        assert_eq!(key.delete(&format!("{DOCUMENTS}/{fresh}")).send().await.status, 204);
        eventually(Duration::from_secs(1), "both forget it", async || find(&there, MARKER).await.is_empty()).await;
    }

    async fn a_restart_keeps_documents(setup) {
        let mut world = setup.unlimited().without_model().start().await;
        let key = world.key();
        let id = id_of(&add(&key, "Kept", &format!("The {MARKER} is kept.")).await);
        world.crash().await;
        let key = world.key();
        assert_eq!(find(&key, MARKER).await[0]["document_id"], json!(id));
        let health = world.anonymous().get("/health").send().await.json();
        assert_eq!(health["services"]["vector_db"], "operational");
    }
}

fn text_of_key(out: &str) -> String {
    let key = out.split_whitespace().find(|word| word.starts_with("stoa_")).unwrap();
    key.to_owned()
}

/// Neither the words nor the hashes of words of a document are in the files of the database, and nothing of it when it
/// was removed.
#[tokio::test]
async fn the_files_of_the_database_hold_no_word() {
    let world = Setup::sqlite().unlimited().without_model().start().await;
    let key = world.key();
    let text = format!("# Chapter {MARKER}\n\nThe {MARKER} is a secret of the house.\n");
    let (kind, body) = form(&[], &[(&format!("{MARKER}.md"), text.as_bytes())]);
    let added = key.post(DOCUMENTS).header("content-type", &kind).body(body).send().await;
    let id = id_of(&added);
    assert_eq!(find(&key, MARKER).await.len(), 1);
    assert_eq!(holders(&world, MARKER), Vec::<String>::new());
    assert_eq!(key.delete(&format!("{DOCUMENTS}/{id}")).send().await.status, 204);
    let left = world.stoa(&["docs", "list", "support", "--json"]).await;
    assert_eq!(left.out.trim(), "[]");
}

/// The files below the data folder that hold these bytes.
fn holders(world: &World, marker: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![world.data()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read(&path)
                .unwrap()
                .windows(marker.len())
                .any(|part| part == marker.as_bytes())
            {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

/// Bodies as no honest client sends them: each costs one answer and nothing else.
#[tokio::test]
async fn strange_bodies_are_refused_with_a_reason() {
    let world = Setup::sqlite().unlimited().without_model().set("MAX_DOCUMENT_SIZE", "1").start().await;
    let key = world.key();
    let send = |kind: &str, body: Vec<u8>| key.post(DOCUMENTS).header("content-type", kind).body(body);
    let part = |head: &str, body: &str| format!("--b\r\n{head}\r\n\r\n{body}\r\n").into_bytes();
    let with_end = |mut body: Vec<u8>| {
        body.extend_from_slice(b"--b--\r\n");
        body
    };
    let form_kind = "multipart/form-data; boundary=b";
    let file = "content-disposition: form-data; name=file; filename=a.txt";
    let many: Vec<u8> = (0..30).flat_map(|n| part(file, &format!("text {n}"))).collect();
    check([
        Case::new(send("multipart/form-data", b"x".to_vec()), 415).code("unsupported_type"),
        Case::new(send("multipart/form-data; boundary=", b"x".to_vec()), 415).code("unsupported_type"),
        Case::new(send(form_kind, Vec::new()), 400).code("invalid_input"),
        Case::new(send(form_kind, b"--b--\r\n".to_vec()), 400).code("invalid_input"),
        Case::new(send(form_kind, part(file, "cut off")[..60].to_vec()), 400).code("invalid_input"),
        Case::new(send(form_kind, with_end(part("content-disposition: form-data; name=file", "x"))), 400)
            .code("invalid_input"),
        Case::new(send(form_kind, with_end(part("content-disposition: form-data", "x"))), 400)
            .code("invalid_input"),
        Case::new(send(form_kind, with_end(part("content-disposition: form-data; name=colour", "red"))), 400)
            .code("invalid_input"),
        Case::new(
            send(form_kind, with_end(part("content-disposition: form-data; name=visibility", "all"))),
            400,
        )
        .code("invalid_input"),
        Case::new(send(form_kind, with_end(many)), 400).code("invalid_input"),
        Case::new(send(form_kind, with_end(part(file, &"x".repeat(1_100_000)))), 413).code("too_large"),
        Case::new(send("text/plain", b"hello".to_vec()), 415).code("unsupported_type"),
        Case::new(send("application/json", br#"{"title": "a\u0000b", "text": "x"}"#.to_vec()), 400)
            .code("invalid_input"),
        Case::new(send("application/json", br#"{"title": "a", "text": ""}"#.to_vec()), 400)
            .code("invalid_input"),
        Case::new(
            send("application/json", br#"{"title": "a", "text": "x", "visibility": "nobody"}"#.to_vec()),
            400,
        )
        .code("invalid_input"),
        Case::new(key.post(SEARCH).json(&json!({"query": ""})), 400).code("invalid_input"),
        Case::new(key.post(SEARCH).json(&json!({"query": "x", "limit": 51})), 400).code("invalid_input"),
        Case::new(key.post(SEARCH).json(&json!({"query": "x".repeat(2_001)})), 400).code("invalid_input"),
        Case::new(key.get(&format!("{DOCUMENTS}/not-an-id")), 400).code("invalid_id"),
        Case::new(key.get("/api/v1/apps/files/documents"), 403).code("forbidden"),
    ])
    .await;
    assert_eq!(key.get(DOCUMENTS).send().await.json()["items"], json!([]), "nothing of it was kept");
    // A name is a label: no path, no marks that turn the writing round.
    let evil = "content-disposition: form-data; name=file; filename=\"..\\..\\etc\\pa\u{202e}sswd.txt\"";
    let named = send(form_kind, with_end(part(evil, "Some text."))).send().await;
    assert_eq!(named.json()["name"], "passwd.txt", "{named:?}");
    for query in ["'; DROP TABLE documents; --", "\u{202e}\u{0000}x", "(((((((", "%%%", "\u{1F9E8}"] {
        let status = key.post(SEARCH).json(&json!({"query": query})).send().await.status;
        assert!(matches!(status, 200 | 400), "{query}: {status}");
    }
}

/// The same key and the same files give the same answer once, whatever the boundary.
#[tokio::test]
async fn adding_happens_once() {
    let world = Setup::sqlite().unlimited().without_model().start().await;
    let key = world.key();
    let send = |boundary: &'static str, text: &str| {
        let body = format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=file; filename=a.md\r\n\r\n{text}\r\n--{boundary}--\r\n"
        );
        let kind = format!("multipart/form-data; boundary={boundary}");
        key.post(DOCUMENTS).header("content-type", &kind).header("idempotency-key", "once").body(body)
    };
    let first = send("one", "Some text.").send().await;
    let second = send("two", "Some text.").send().await;
    assert_eq!((first.status, first.json()), (201, second.json()), "{second:?}");
    assert_eq!(second.header("idempotent-replayed"), "true");
    let other = send("three", "Other text.").send().await;
    assert_eq!((other.status, other.code().as_str()), (409, "idempotency_conflict"));
}

/// A folder for the index that cannot be written stops the start, in every profile.
#[tokio::test]
async fn a_folder_that_cannot_be_written_stops_the_start() {
    let (folder, mut variables, _upstream) = Setup::sqlite().prepare().await;
    variables.insert("CHROMA_PERSIST_DIRECTORY".to_owned(), "/proc/nowhere".to_owned());
    let output = crate::world::run(folder.path(), &variables, &["serve"]).await;
    assert!(!output.success() && output.complaint.contains("CHROMA_PERSIST_DIRECTORY"), "{output:?}");
    variables
        .insert("CHROMA_PERSIST_DIRECTORY".to_owned(), folder.path().join("chroma").display().to_string());
    let output = crate::world::run(folder.path(), &variables, &["docs", "list", "support"]).await;
    assert!(!output.complaint.contains("CHROMA_PERSIST_DIRECTORY"), "{output:?}");
}

/// Many at once: everyone gets an answer, and the same content is there once.
#[tokio::test]
async fn a_crowd_adds_at_once() {
    let world = Setup::sqlite().unlimited().without_model().start().await;
    let key = world.key();
    let texts: Vec<String> = (0..12).map(|n| format!("The crowd says number {}.", n % 6)).collect();
    let adds = texts.iter().map(|text| add(&key, "Crowd", text));
    let statuses: Vec<u16> =
        futures_util::future::join_all(adds).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 6, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 6, "{statuses:?}");
    assert_eq!(find(&key, "crowd").await.len(), 5);
}
