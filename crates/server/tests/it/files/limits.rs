//! How large, how much, how often, by whom.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::tools::{Form, disk, keeper, upload};
use crate::world::{everything, on_both_engines};

const MIB: usize = 1 << 20;

on_both_engines! {
    async fn a_file_has_the_size_that_is_allowed_and_not_one_byte_more(setup) {
        let world = setup.set("MAX_FILE_SIZE", "1").start().await;
        let ann = keeper(&world, "ann@example.org").await;
        upload(&ann, "exact.txt", &vec![b'x'; MIB]).await;
        let refused = Form::new().file("more.txt", &vec![b'x'; MIB + 1]).send(&ann).await;
        assert_eq!((refused.status, refused.code().as_str()), (413, "too_large"), "{refused:?}");
        assert_eq!(disk(&world).len(), 1);
        // Without a length, and without an end: refused while it comes, and the disk is not filled with it.
        let bearer = ann.get("/").value("authorization");
        let head = format!(
            "POST /api/v1/files HTTP/1.1\r\nhost: {}\r\nauthorization: {bearer}\r\n\
             content-type: multipart/form-data; boundary=b\r\ntransfer-encoding: chunked\r\n\r\n",
            world.address()
        );
        let mut stream = TcpStream::connect(world.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let begin = "--b\r\ncontent-disposition: form-data; name=f; filename=endless.txt\r\n\r\n";
        let chunk = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
        stream.write_all(&chunk(begin.as_bytes())).await.unwrap();
        let (mut reading, mut writing) = stream.into_split();
        let endless = tokio::spawn(async move {
            let mut sent = 0_usize;
            while sent < 64 * MIB && writing.write_all(&chunk(&[b'x'; 65_536])).await.is_ok() {
                sent += 65_536;
            }
            sent
        });
        let mut answer = vec![0; 2_048];
        let read = reading.read(&mut answer).await.unwrap();
        let text = String::from_utf8_lossy(&answer[..read]).into_owned();
        assert!(text.starts_with("HTTP/1.1 413"), "{text}");
        drop(reading);
        assert!(endless.await.unwrap() < 64 * MIB, "the connection was closed");
        assert_eq!(disk(&world).len(), 1);
    }

    async fn the_quota_holds_however_many_come_at_once(setup) {
        let world = setup.unlimited().set("FILES_QUOTA", "1MiB").start().await;
        let ann = keeper(&world, "ann@example.org").await;
        let sent = (0..12).map(|n| {
            let (ann, content) = (ann.clone(), vec![b'a' + n; 200_000]);
            async move { Form::new().file("a.txt", &content).send(&ann).await }
        });
        let answers = futures_util::future::join_all(sent).await;
        let stored = answers.iter().filter(|answer| answer.status == 201).count();
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!((answer.status, answer.code().as_str()), (413, "quota_exceeded"), "{answer:?}");
        }
        assert!(stored <= 5, "{stored} times 200,000 bytes");
        let usage = ann.get("/api/v1/files/usage").send().await.json();
        assert_eq!(usage["physical_bytes"], stored * 200_000);
        assert_eq!((&usage["quota_bytes"], disk(&world).len()), (&json!(MIB), stored));
        // One after the other the rest goes in, as far as there is room; then nothing more, until something goes.
        for n in 0..12_u8 {
            Form::new().file("a.txt", &vec![b'A' + n; 200_000]).send(&ann).await;
        }
        let files = everything(&ann, "/api/v1/files?limit=100").await;
        assert_eq!((files.len(), disk(&world).len()), (5, 5));
        let large = Form::new().file("a.txt", &vec![b'z'; 2 * MIB]).send(&ann).await;
        assert_eq!((large.status, large.code().as_str()), (413, "quota_exceeded"));
        let path = format!("/api/v1/files/{}", files[0]["id"].as_str().unwrap());
        ann.delete(&path).send().await;
        assert_eq!(Form::new().file("a.txt", &[b'q'; 200_000]).send(&ann).await.status, 413, "the trash counts");
        ann.delete("/api/v1/files/trash").send().await;
        upload(&ann, "a.txt", &[b'q'; 200_000]).await;
        assert_eq!(disk(&world).len(), 5);
    }

    async fn deletions_are_counted_by_request_and_by_user(setup) {
        let world = setup.set("RATE_LIMIT_FILE_DELETE", "20 per minute").start().await;
        let ann = keeper(&world, "ann@example.org").await;
        let bob = keeper(&world, "bob@example.org").await;
        let mut ids = Vec::new();
        for n in 0..3 {
            ids.push(upload(&ann, "a.txt", format!("content {n}").as_bytes()).await);
        }
        for n in 0..19 {
            let path = format!("/api/v1/files/{}", ids[n % 2]);
            let answer = ann.delete(&path).send().await;
            assert_eq!((answer.status, answer.header("x-ratelimit-limit")), (200, "20"), "{answer:?}");
        }
        // However many files one request names, it is one operation.
        let together = ann.post("/api/v1/files/delete").json(&json!({"file_ids": ids[..2]})).send().await;
        assert_eq!((together.status, together.header("x-ratelimit-remaining")), (200, "0"));
        let path = format!("/api/v1/files/{}", ids[2]);
        for request in [ann.delete(&path), ann.delete("/api/v1/files/trash"), ann.post("/api/v1/files/delete").json(&json!({"file_ids": [ids[2]]}))] {
            let answer = request.send().await;
            assert_eq!((answer.status, answer.code().as_str()), (429, "rate_limited"), "{answer:?}");
        }
        assert_eq!(ann.get(&path).send().await.json()["trashed_at"], serde_json::Value::Null, "it is still there");
        let theirs = upload(&bob, "b.txt", b"b").await;
        assert_eq!(bob.delete(&format!("/api/v1/files/{theirs}")).send().await.status, 200);
        assert_eq!(ann.post(&format!("/api/v1/files/{}/restore", ids[0])).send().await.status, 200);
    }

    async fn keys_work_with_the_files_of_their_maker(setup) {
        let world = setup.file("stoa.toml", "[[apps]]\nid = \"files\"\nkeys = true\n").start().await;
        let ann = keeper(&world, "ann@example.org").await;
        let id = upload(&ann, "mine.txt", b"mine").await;
        let key = async |scopes: serde_json::Value| {
            let made = ann.post("/api/v1/keys").json(&json!({"name": "k", "scopes": scopes})).send().await;
            assert_eq!(made.status, 201, "{made:?}");
            world.anonymous().with("x-api-key", made.json()["key"].as_str().unwrap())
        };
        let (reads, writes, talks) = (key(json!(["read"])).await, key(json!(["read", "write"])).await, key(json!(["chat"])).await);
        let path = format!("/api/v1/files/{id}");
        assert_eq!(reads.get(&format!("{path}/content")).send().await.text(), "mine");
        assert_eq!(Form::new().file("a.txt", b"a").send(&reads).await.status, 403);
        assert_eq!(reads.delete(&path).send().await.status, 403);
        assert_eq!(talks.get(&path).send().await.status, 403);
        upload(&writes, "by key.txt", b"by key").await;
        assert_eq!(everything(&ann, "/api/v1/files?limit=10").await.len(), 2);
        assert_eq!(writes.delete(&path).send().await.status, 200);
        assert!(ann.get(&path).send().await.json()["trashed_at"].is_string());
        // A key of the operator has files of its own, and sees nobody's.
        assert!(everything(&world.key(), "/api/v1/files?limit=10").await.is_empty());
        let own = upload(&world.key(), "own.txt", b"own").await;
        assert_eq!(world.stranger().get(&format!("/api/v1/files/{own}")).send().await.status, 404);
        assert_eq!(ann.get(&format!("/api/v1/files/{own}")).send().await.status, 404);
        // Nobody talks in a file store.
        let talk = ann.post("/api/v1/conversations").json(&json!({"app": "files"})).send().await;
        assert_eq!((talk.status, talk.code().as_str()), (400, "invalid_input"));
    }
}
