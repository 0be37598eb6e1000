//! A small stub of S3 that keeps objects of the bucket `stoa-files` in memory. Tests of other rooms use it too.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests stop the test they help, and not every test looks at all of it"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// As much of S3 as is used here. It checks that requests are signed, not by whom.
pub struct Stub {
    pub url: String,
    pub objects: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    pub seen: Arc<Mutex<Vec<String>>>,
    pub failures: Arc<Mutex<u32>>,
}

impl Stub {
    pub async fn start() -> Stub {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stub = Stub {
            url: format!("http://{}", listener.local_addr().unwrap()),
            objects: Arc::default(),
            seen: Arc::default(),
            failures: Arc::default(),
        };
        let (objects, seen, failures) = (stub.objects.clone(), stub.seen.clone(), stub.failures.clone());
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (objects, seen, failures) = (objects.clone(), seen.clone(), failures.clone());
                tokio::spawn(async move {
                    let (head, body) = take(&mut socket).await?;
                    let line = head.lines().next()?.to_owned();
                    seen.lock().unwrap().push(line.clone());
                    let failing = {
                        let mut left = failures.lock().unwrap();
                        let failing = *left > 0;
                        *left = left.saturating_sub(1);
                        failing
                    };
                    let answer = if failing {
                        reply(503, "", b"<Error><Code>SlowDown</Code></Error>")
                    } else {
                        answer(&objects, &line, &head, body)
                    };
                    socket.write_all(&answer).await.ok()
                });
            }
        });
        stub
    }
}

async fn take(socket: &mut tokio::net::TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            let mut body = bytes[end + 4..].to_vec();
            while body.len() < length {
                let mut more = vec![0; 1 << 16];
                let read = socket.read(&mut more).await.ok().filter(|read| *read > 0)?;
                body.extend_from_slice(&more[..read]);
            }
            return Some((head, body));
        }
        let mut more = [0; 4_096];
        let read = socket.read(&mut more).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&more[..read]);
    }
}

fn reply(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn answer(objects: &Mutex<BTreeMap<String, Vec<u8>>>, line: &str, head: &str, body: Vec<u8>) -> Vec<u8> {
    let mut parts = line.split(' ');
    let (method, target) = (parts.next().unwrap(), parts.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs: BTreeMap<&str, &str> =
        query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    let signed = head.lines().any(|line| {
        line.to_lowercase().starts_with("authorization: aws4-hmac-sha256 credential=akidexample/")
    });
    let hashed = head.lines().any(|line| line.to_lowercase().starts_with("x-amz-content-sha256: "));
    if !signed || !hashed {
        return reply(403, "", b"<Error><Code>AccessDenied</Code></Error>");
    }
    let mut objects = objects.lock().unwrap();
    match (method, pairs.get("partNumber"), pairs.contains_key("uploads"), pairs.contains_key("uploadId")) {
        ("POST", _, true, _) => reply(200, "", b"<R><UploadId>up&amp;load/1+2=</UploadId></R>"),
        ("PUT", Some(number), ..) => {
            assert_eq!(pairs["uploadId"], "up%26load%2F1%2B2%3D");
            objects.insert(format!("{path}#{number:0>5}"), body);
            reply(200, &format!("etag: \"tag-{number}\"\r\n"), b"")
        }
        ("POST", _, _, true) => {
            let listed = String::from_utf8(body).unwrap();
            let prefix = format!("{path}#");
            let parts: Vec<String> = objects.keys().filter(|key| key.starts_with(&prefix)).cloned().collect();
            let whole: Vec<u8> = parts.iter().flat_map(|part| objects.remove(part).unwrap()).collect();
            assert_eq!(listed.matches("<Part>").count(), parts.len());
            assert!(listed.contains("<ETag>&quot;tag-1&quot;</ETag>"));
            objects.insert(path.to_owned(), whole);
            reply(200, "", b"<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")
        }
        ("PUT", ..) => {
            objects.insert(path.to_owned(), body);
            reply(200, "etag: \"x\"\r\n", b"")
        }
        ("GET", ..) if pairs.get("list-type") == Some(&"2") => {
            let keys: Vec<&str> = objects.keys().map(|key| key.trim_start_matches("/stoa-files/")).collect();
            let prefix = pairs.get("prefix").map_or(String::new(), |prefix| prefix.replace("%2F", "/"));
            let keys: Vec<&str> = keys.into_iter().filter(|key| key.starts_with(&prefix)).collect();
            // One a piece, so that going on is tried.
            let after: usize = pairs.get("continuation-token").map_or(0, |token| token.parse().unwrap());
            let key = keys
                .get(after)
                .map(|key| {
                    let size = objects[&format!("/stoa-files/{key}")].len();
                    format!("<Contents><Key>{key}</Key><Size>{size}</Size></Contents>")
                })
                .unwrap_or_default();
            let next = if after + 1 < keys.len() {
                format!("<NextContinuationToken>{}</NextContinuationToken>", after + 1)
            } else {
                String::new()
            };
            reply(200, "", format!("<R>{key}{next}</R>").as_bytes())
        }
        ("GET", ..) => match objects.get(path) {
            None => reply(404, "", b"<Error><Code>NoSuchKey</Code></Error>"),
            Some(object) => {
                let range = head
                    .lines()
                    .find_map(|line| line.to_lowercase().strip_prefix("range: bytes=").map(str::to_owned))
                    .unwrap();
                let (from, to) = range.split_once('-').unwrap();
                let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
                let range = format!("content-range: bytes {from}-{to}/{}\r\n", object.len());
                reply(206, &range, &object[from..(to + 1).min(object.len())])
            }
        },
        ("HEAD", ..) => reply(if objects.contains_key(path) { 200 } else { 404 }, "", b""),
        ("DELETE", ..) => {
            objects.remove(path);
            reply(204, "", b"")
        }
        _ => reply(400, "", b""),
    }
}
