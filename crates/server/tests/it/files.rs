//! The file store over HTTP: what is stored, read, thrown away and taken back; what is refused; and what lies on the
//! disk of all that.

mod declutter;
mod hostile;
mod limits;
mod pages;
pub mod tools;

use std::time::Duration;

use serde_json::{Value, json};

use self::tools::{Form, PNG, disk, keeper, keepers, upload};
use crate::world::{PASSWORD, eventually, everything, on_both_engines};

on_both_engines! {
    async fn a_file_lives_in_the_store_the_trash_and_nowhere(setup) {
        let world = setup.start().await;
        let ann = keeper(&world, "ann@example.org").await;
        let content = [PNG, &vec![7_u8; 300_000]].concat();
        let form = Form::new().field("folder", "Photos/2026").field("modified_at", "2026-01-31T10:00:00Z").file("sea.png", &content);
        let made = form.send(&ann).await;
        assert_eq!(made.status, 201, "{made:?}");
        let file = made.json();
        assert_eq!((&file["name"], &file["folder"], &file["media_type"], &file["size"]), (&json!("sea.png"), &json!("Photos/2026"), &json!("image/png"), &json!(content.len())));
        assert_eq!((&file["app"], &file["modified_at"], &file["trashed_at"], &file["duplicate_of"]), (&json!("files"), &json!("2026-01-31T10:00:00.000000Z"), &Value::Null, &json!([])));
        let path = format!("/api/v1/files/{}", file["id"].as_str().unwrap());
        assert_eq!(ann.get(&path).send().await.json()["name"], "sea.png");

        let whole = ann.get(&format!("{path}/content")).send().await;
        assert!(whole.status == 200 && whole.body == content);
        assert_eq!(whole.header("content-type"), "image/png");
        assert_eq!(whole.header("content-disposition"), "attachment; filename=\"sea.png\"; filename*=UTF-8''sea.png");
        assert_eq!(whole.header("content-security-policy"), "sandbox; default-src 'none'; frame-ancestors 'none'");
        assert_eq!((whole.header("accept-ranges"), whole.header("content-length")), ("bytes", content.len().to_string().as_str()));
        let tag = whole.header("etag").to_owned();
        let head = ann.request("HEAD", &format!("{path}/content")).send().await;
        assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, content.len().to_string().as_str(), 0));
        let known = ann.get(&format!("{path}/content")).header("if-none-match", &tag).send().await;
        assert_eq!((known.status, known.body.len()), (304, 0));

        let trashed = ann.delete(&path).send().await;
        assert_eq!(trashed.status, 200, "{trashed:?}");
        assert!(trashed.json()["trashed_at"].is_string() && trashed.json()["expires_at"].is_string());
        assert!(everything(&ann, "/api/v1/files?limit=5").await.is_empty());
        assert_eq!(everything(&ann, "/api/v1/files?trashed=true").await.len(), 1);
        assert_eq!(ann.get(&format!("{path}/content")).send().await.status, 200, "what is in the trash can be looked at");
        let restored = ann.post(&format!("{path}/restore")).send().await;
        assert_eq!((restored.status, &restored.json()["trashed_at"]), (200, &Value::Null));
        assert_eq!(disk(&world).len(), 1);
        assert_eq!(ann.delete(&format!("{path}?permanent=true")).send().await.status, 204);
        for gone in [path.clone(), format!("{path}/content")] {
            assert_eq!(ann.get(&gone).send().await.status, 404);
        }
        assert_eq!(ann.delete(&path).send().await.status, 404);
        assert!(disk(&world).is_empty(), "{:?}", disk(&world));
        let deleted = world.audited("file.deleted").await;
        assert_eq!(deleted.len(), 2);
        for event in &deleted {
            assert_eq!(event["object"], format!("file:{}", file["id"].as_str().unwrap()));
            assert!(event["actor"].as_str().unwrap().starts_with("user:"));
            assert_eq!((&event["details"]["size"], event["details"]["hash"].as_str().unwrap().len()), (&json!(content.len()), 32));
            assert!(!event.to_string().contains("sea.png"));
        }
        world.verify_audit().await;
    }

    async fn parts_of_a_file_are_given_out(setup) {
        let world = setup.start().await;
        let ann = keeper(&world, "ann@example.org").await;
        let content: Vec<u8> = (0..200_000_u32).map(|n| b'a' + (n % 26) as u8).collect();
        let id = upload(&ann, "letters.txt", &content).await;
        let path = format!("/api/v1/files/{id}/content");
        let tag = ann.get(&path).send().await.header("etag").to_owned();
        for (range, status, part) in [
            ("bytes=0-0", 206, Some(0..1)),
            ("bytes=65530-65545", 206, Some(65_530..65_546)),
            ("bytes=131071-", 206, Some(131_071..200_000)),
            ("bytes=-5", 206, Some(199_995..200_000)),
            ("bytes=0-999999", 206, Some(0..200_000)),
            ("bytes=200000-", 416, None),
            ("bytes=0-1,5-6", 200, Some(0..200_000)),
            ("lines=1-2", 200, Some(0..200_000)),
        ] {
            let answer = ann.get(&path).header("range", range).send().await;
            assert_eq!(answer.status, status, "{range}: {answer:?}");
            match part {
                Some(part) => {
                    assert!(answer.body[..] == content[part.clone()], "{range}");
                    assert_eq!(answer.header("content-length"), part.len().to_string());
                    let wanted = if status == 206 { format!("bytes {}-{}/200000", part.start, part.end - 1) } else { String::new() };
                    assert_eq!(answer.header("content-range"), wanted);
                }
                None => assert_eq!((answer.header("content-range"), answer.code().as_str()), ("bytes */200000", "range_not_satisfiable")),
            }
        }
        let on = |condition: &str| ann.get(&path).header("range", "bytes=0-4").header("if-range", condition).send();
        assert_eq!(on(&tag).await.status, 206);
        assert_eq!(on("\"another\"").await.status, 200);
        let head = ann.request("HEAD", &path).header("range", "bytes=10-19").send().await;
        assert_eq!((head.status, head.header("content-length"), head.body.len()), (206, "10", 0));
    }

    async fn the_same_bytes_are_stored_once_and_go_with_the_last_file(setup) {
        let world = setup.start().await;
        let [ann, bob] = keepers(&world).await;
        let content = vec![b'x'; 100_000];
        let first = upload(&ann, "one.txt", &content).await;
        let second = Form::new().field("folder", "Copies").file("two.txt", &content).send(&ann).await.json();
        assert_eq!(second["duplicate_of"][0]["id"], first.as_str());
        assert_eq!(second["duplicate_of"][0]["name"], "one.txt");
        assert_eq!(disk(&world).len(), 1);
        let theirs = Form::new().file("mine.txt", &content).send(&bob).await.json();
        assert_eq!(theirs["duplicate_of"], json!([]), "what others have is nobody's business");
        assert_eq!(disk(&world).len(), 2);
        let usage = ann.get("/api/v1/files/usage").send().await.json();
        assert_eq!((&usage["files"], &usage["logical_bytes"], &usage["physical_bytes"]), (&json!(2), &json!(200_000), &json!(100_000)));
        assert_eq!(ann.delete(&format!("/api/v1/files/{first}?permanent=true")).send().await.status, 204);
        let second = format!("/api/v1/files/{}", second["id"].as_str().unwrap());
        assert_eq!(ann.get(&format!("{second}/content")).send().await.body.len(), content.len());
        assert_eq!(disk(&world).len(), 2);
        ann.delete(&second).send().await;
        assert_eq!(disk(&world).len(), 2, "the trash keeps the bytes");
        let emptied = ann.delete("/api/v1/files/trash").send().await.json();
        assert_eq!(emptied, json!({"deleted": 1, "bytes": 100_000, "freed_bytes": 100_000, "more": false}));
        assert_eq!(disk(&world).len(), 1);
        assert_eq!(ann.get("/api/v1/files/usage").send().await.json()["physical_bytes"], 0);
    }

    async fn many_go_as_one_and_come_back_as_one(setup) {
        let world = setup.start().await;
        let [ann, bob] = keepers(&world).await;
        let mut ids = Vec::new();
        for n in 0..5 {
            ids.push(upload(&ann, &format!("{n}.txt"), format!("content {n}").as_bytes()).await);
        }
        let theirs = upload(&bob, "theirs.txt", b"content of bob").await;
        let foreign = ann.post("/api/v1/files/delete").json(&json!({"file_ids": [ids[0], theirs]})).send().await;
        assert_eq!((foreign.status, foreign.code().as_str()), (404, "not_found"));
        assert_eq!(everything(&ann, "/api/v1/files?limit=100").await.len(), 5, "nothing happened");
        let gone = ann.post("/api/v1/files/delete").json(&json!({"file_ids": ids})).send().await.json();
        assert_eq!((&gone["deleted"], &gone["freed_bytes"]), (&json!(5), &json!(0)));
        assert!(everything(&ann, "/api/v1/files?limit=100").await.is_empty());
        let undo = format!("/api/v1/files/batches/{}/restore", gone["batch_id"].as_str().unwrap());
        assert_eq!(bob.post(&undo).send().await.status, 404);
        let back = ann.post(&undo).send().await.json();
        assert_eq!(back["items"].as_array().unwrap().len(), 5);
        assert_eq!(ann.post(&undo).send().await.status, 404);
        assert_eq!(everything(&ann, "/api/v1/files?limit=2").await.len(), 5);
        assert_eq!(everything(&ann, "/api/v1/files?limit=2&q=3.TXT").await.len(), 1);
        let gone = ann.post("/api/v1/files/delete").json(&json!({"file_ids": ids[..2], "permanent": true})).send().await.json();
        assert_eq!((&gone["deleted"], &gone["batch_id"]), (&json!(2), &Value::Null));
        assert!(gone["freed_bytes"].as_u64().unwrap() > 0);
        assert_eq!(disk(&world).len(), 4);
        for (body, status) in [
            (json!({"file_ids": []}), 400),
            (json!({"file_ids": vec![ids[3].clone(); 1_001]}), 400),
            (json!({"file_ids": ["1"]}), 400),
            (json!({"file_ids": "x"}), 400),
            (json!({}), 400),
        ] {
            assert_eq!(ann.post("/api/v1/files/delete").json(&body).send().await.status, status, "{body:.80}");
        }
    }

    async fn several_files_come_in_one_request_all_or_none(setup) {
        let world = setup.start().await;
        let ann = keeper(&world, "ann@example.org").await;
        let several = Form::new().field("folder", "A").file("a.txt", b"a").field("folder", "B/C").file("b.txt", b"b").file("a2.txt", b"a");
        let made = several.send(&ann).await;
        assert_eq!(made.status, 201, "{made:?}");
        let items = made.json()["items"].clone();
        let folders: Vec<&str> = items.as_array().unwrap().iter().map(|one| one["folder"].as_str().unwrap()).collect();
        assert_eq!(folders, ["A", "B/C", "B/C"]);
        assert_eq!(items[2]["duplicate_of"][0]["name"], "a.txt");
        assert_eq!(disk(&world).len(), 2);
        let spoilt = Form::new().file("c.txt", b"c").file("d.png", b"MZ\x90\0\x03\0\0\0").send(&ann).await;
        assert_eq!((spoilt.status, spoilt.code().as_str()), (415, "unsupported_type"));
        assert_eq!((disk(&world).len(), everything(&ann, "/api/v1/files?limit=100").await.len()), (2, 3));
        let many = (0..21).fold(Form::new(), |form, n| form.file(&format!("{n}.txt"), b"x"));
        assert_eq!(many.send(&ann).await.status, 400);
        for form in [Form::new(), Form::new().field("folder", "A"), Form::new().field("colour", "red").file("a", b"a"), Form::new().field("modified_at", "yesterday").file("a", b"a")] {
            assert_eq!(form.send(&ann).await.status, 400);
        }
        assert_eq!(ann.post("/api/v1/files").json(&json!({})).send().await.status, 415);
    }

    async fn a_repeated_upload_is_stored_once(setup) {
        let world = setup.start().await;
        let ann = keeper(&world, "ann@example.org").await;
        let send = |boundary: &'static str, content: &'static [u8]| {
            Form::with(boundary).file("a.txt", content).request(&ann).header("idempotency-key", "upload-1").send()
        };
        let first = send("one", b"the same").await;
        assert_eq!(first.status, 201, "{first:?}");
        let again = send("two", b"the same").await;
        assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"));
        assert_eq!(again.json(), first.json());
        let other = send("one", b"another").await;
        assert_eq!((other.status, other.code().as_str()), (409, "idempotency_conflict"));
        assert_eq!(everything(&ann, "/api/v1/files?limit=9").await.len(), 1);
        assert_eq!(disk(&world).len(), 1);
    }

    async fn an_erasure_takes_the_bytes_from_the_disk(setup) {
        let world = setup.start().await;
        let [ann, bob] = keepers(&world).await;
        for n in 0..3 {
            upload(&ann, "a.txt", format!("content {n}").as_bytes()).await;
        }
        upload(&bob, "b.txt", b"content 0").await;
        let export = ann.get("/api/v1/me/export").send().await.json();
        assert_eq!(export["tables"]["files"].as_array().unwrap().len(), 3);
        assert_eq!(export["tables"]["files"][0]["name"], "a.txt");
        let receipt = ann.delete("/api/v1/me").json(&json!({"password": PASSWORD})).send().await;
        assert_eq!(receipt.status, 200, "{receipt:?}");
        assert_eq!((&receipt.json()["counts"]["files"], &receipt.json()["counts"]["blobs"]), (&json!(3), &json!(3)));
        eventually(Duration::from_secs(10), "the bytes are gone", async || disk(&world).len() == 1).await;
    }
}
