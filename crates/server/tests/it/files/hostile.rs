//! Files that want to be something else, names that want to be paths, and uploads that break off.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::tools::{Form, PNG, disk, gather, keeper, keepers, upload};
use crate::world::{Caller, World, eventually, everything, on_both_engines};

/// A connection on which an upload has begun and not ended: the head and some of the file.
async fn begin(world: &World, caller: &Caller, announced: usize, sent: usize) -> TcpStream {
    let bearer = caller.get("/").value("authorization");
    let form = Form::new().file("half.txt", &vec![b'h'; sent]);
    let mut head =
        format!("POST /api/v1/files HTTP/1.1\r\nhost: {}\r\nauthorization: {bearer}\r\n", world.address());
    head.push_str(&format!("content-type: {}\r\ncontent-length: {announced}\r\n\r\n", form.content_type()));
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // Without the end of the file and of the form.
    let body = form.body();
    let end = body.len() - b"\r\n--boundary-7d83--\r\n".len();
    stream.write_all(&body[..end]).await.unwrap();
    stream
}

on_both_engines! {
    async fn what_a_file_is_is_told_by_its_content(setup) {
        let world = setup.start().await;
        let ann = keeper(&world, "ann@example.org").await;
        let archive = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        for (name, content) in [
            ("photo.png", b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0".to_vec()),
            ("photo.jpg", b"\x7fELF\x02\x01\x01\0\0\0\0\0".to_vec()),
            ("picture.svg", b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".to_vec()),
            ("picture.png", b"<?xml version=\"1.0\"?><svg/>".to_vec()),
            ("page.txt", b"\n <!-- x --><html><script>alert(1)</script>".to_vec()),
            ("page.txt", [b"\xff\xfe".to_vec(), "<script>alert(1)</script>".encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()),
            ("archive.pdf", b"PK\x03\x04\x14\0\0\0\0\0".to_vec()),
            ("both.png", [PNG, &[0; 100], archive].concat()),
            ("both.pdf", [&b"%PDF-1.4\n"[..], &[0; 100], archive].concat()),
            ("script.gif", b"GIF89a=1;alert(document.domain)".to_vec()),
            ("noise.txt", b"text and then \0\x01\x02".to_vec()),
        ] {
            let refused = Form::new().file(name, &content).send(&ann).await;
            assert_eq!((refused.status, refused.code().as_str()), (415, "unsupported_type"), "{name}: {refused:?}");
        }
        assert!(disk(&world).is_empty(), "{:?}", disk(&world));
        for (name, content, wanted) in [
            ("a.png", PNG, "image/png"),
            ("a.exe", b"just words", "text/plain"),
            ("a.pdf", b"%PDF-1.7\n\0", "application/pdf"),
            ("a.md", b"# Title\n<script>", "text/markdown"),
            ("latin.txt", b"gr\xfc\xdfe", "text/plain"),
            ("empty.txt", b"", "text/plain"),
        ] {
            let made = Form::new().file(name, content).send(&ann).await;
            assert_eq!((made.status, made.json()["media_type"].as_str()), (201, Some(wanted)), "{name}");
            let path = format!("/api/v1/files/{}/content", made.json()["id"].as_str().unwrap());
            let back = ann.get(&path).send().await;
            assert_eq!((&back.body[..], back.header("content-type")), (content, wanted));
            assert!(back.header("content-disposition").starts_with("attachment;"));
            assert!(back.header("content-security-policy").starts_with("sandbox; default-src 'none'"));
        }
    }

    async fn names_are_labels_and_never_paths(setup) {
        let world = setup.start().await;
        let ann = keeper(&world, "ann@example.org").await;
        for (raw, wanted) in [
            ("<svg onload=alert(1)>.txt", "_svg onload=alert(1)_.txt"),
            ("../../../../etc/cron.d/x", "x"),
            ("..\\..\\boot.ini", "boot.ini"),
            ("a\0b.txt", "ab.txt"),
            ("gpj.\u{202e}txt", "gpj.txt"),
            ("line\r\nSet-Cookie: a=b.txt", "lineSet-Cookie_ a=b.txt"),
            ("\"; filename=evil.html; x=\"", "_; filename=evil.html; x=_"),
            ("u\u{308}ber \u{1f98a}.txt", "über \u{1f98a}.txt"),
            ("", "unnamed"),
        ] {
            let made = Form::new().field("folder", "../..//a/<b>").file(raw, raw.as_bytes()).send(&ann).await;
            // A name can make its own content binary.
            let made = if made.status == 415 { Form::new().field("folder", "../..//a/<b>").file(raw, b"words").send(&ann).await } else { made };
            assert_eq!(made.status, 201, "{raw:?}: {made:?}");
            assert_eq!((made.json()["name"].as_str(), made.json()["folder"].as_str()), (Some(wanted), Some("a/_b_")), "{raw:?}");
            let path = format!("/api/v1/files/{}/content", made.json()["id"].as_str().unwrap());
            let back = ann.get(&path).send().await;
            assert_eq!(back.headers.get_all("set-cookie").iter().count(), 0);
            assert_eq!(back.header("content-disposition").matches('"').count(), 2, "{back:?}");
        }
        let long = Form::new().file(&("x".repeat(4_000) + ".txt"), b"long").send(&ann).await.json();
        assert_eq!(long["name"].as_str().map(|name| (name.len(), name.ends_with(".txt"))), Some((255, true)));
        assert_eq!(Form::new().field("folder", &"a/".repeat(40)).file("a.txt", b"a").send(&ann).await.status, 400);
        // On the disk lie random names, one level deep, and nothing anywhere else.
        for path in disk(&world) {
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit()), "{name}");
        }
        let listed = everything(&ann, "/api/v1/files?limit=100").await;
        assert!(listed.iter().all(|file| !file.to_string().contains('<')));
    }

    async fn nothing_of_a_file_is_readable_on_the_disk(setup) {
        let mut world = setup.start().await;
        let ann = keeper(&world, "ann@example.org").await;
        let content = "zebra-content-marker ".repeat(20_000);
        let form = Form::new().field("folder", "zebra-folder-marker").file("zebra-name-marker.txt", content.as_bytes());
        let id = form.send(&ann).await.json()["id"].as_str().unwrap().to_owned();
        world.crash().await;
        let ann = ann.at(world.address());
        let back = ann.get(&format!("/api/v1/files/{id}/content")).send().await;
        assert!(back.status == 200 && back.body == content);
        let mut files = Vec::new();
        gather(&world.data(), &mut files);
        assert!(files.len() > 2);
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            assert!(!bytes.windows(6).any(|window| window == b"zebra-"), "{}", file.display());
        }
    }

    async fn an_upload_that_breaks_off_leaves_nothing(setup) {
        let mut world = setup.start().await;
        let ann = keeper(&world, "ann@example.org").await;
        let stream = begin(&world, &ann, 3_000_000, 1_500_000).await;
        eventually(Duration::from_secs(10), "it is being written", async || disk(&world).len() == 1).await;
        drop(stream);
        eventually(Duration::from_secs(10), "it is gone", async || disk(&world).is_empty()).await;
        assert!(everything(&ann, "/api/v1/files?limit=5").await.is_empty());
        // A body that ends before its form does.
        let body = Form::new().file("cut.txt", b"cut").body();
        let cut = ann.post("/api/v1/files").header("content-type", &Form::new().content_type()).body(body[..body.len() - 12].to_vec());
        assert_eq!(cut.send().await.status, 400);
        assert!(disk(&world).is_empty());
        // A power cut in the middle: the next start sweeps it away.
        let stream = begin(&world, &ann, 3_000_000, 1_500_000).await;
        eventually(Duration::from_secs(10), "it is being written", async || disk(&world).len() == 1).await;
        world.crash().await;
        drop(stream);
        // What health writes to see whether files can be kept is there for moments.
        eventually(Duration::from_secs(10), "it is swept away", async || disk(&world).is_empty()).await;
        let ann = ann.at(world.address());
        upload(&ann, "after.txt", b"works").await;
    }

    async fn who_may_not_any_more_reads_no_further(setup) {
        let world = setup.start().await;
        let [ann, bob] = keepers(&world).await;
        let content = vec![b'r'; 24 << 20];
        let id = upload(&ann, "large.txt", &content).await;
        assert_eq!(bob.get(&format!("/api/v1/files/{id}/content")).send().await.status, 404);
        let bearer = ann.get("/").value("authorization");
        let head = format!("GET /api/v1/files/{id}/content HTTP/1.1\r\nhost: {}\r\nauthorization: {bearer}\r\n\r\n", world.address());
        let mut stream = TcpStream::connect(world.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut first = [0; 4_096];
        assert!(stream.read(&mut first).await.unwrap() > 0);
        let upload_begun = begin(&world, &ann, 3_000_000, 1_500_000).await;
        let removed = world.stoa(&["grant", "remove", "ann@example.org", "files"]).await;
        assert!(removed.success(), "{removed:?}");
        let refused = async || ann.get(&format!("/api/v1/files/{id}")).send().await.status == 403;
        eventually(Duration::from_secs(3), "the grant is gone", refused).await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        let mut rest = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await.expect("the stream ends");
        assert!(rest.len() < content.len() / 2, "{} bytes came", rest.len());
        drop(upload_begun);
    }
}
