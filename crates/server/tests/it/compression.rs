//! Bodies over 1 KiB are compressed when the client can read that; bodies that inflate are refused.

use std::io::{Read as _, Write as _};

use serde_json::json;

use crate::world::{Answer, Caller, Case, Setup, World, check};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn opened(answer: &Answer) -> Vec<u8> {
    let mut out = Vec::new();
    match answer.header("content-encoding") {
        "gzip" => flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut out).map(drop).unwrap(),
        "br" => brotli::Decompressor::new(&answer.body[..], 4096).read_to_end(&mut out).map(drop).unwrap(),
        "zstd" => out = zstd::decode_all(&answer.body[..]).unwrap(),
        other => panic!("{other}"),
    }
    out
}

#[tokio::test]
async fn large_answers_are_compressed() {
    let world = Setup::sqlite().start().await;
    let anonymous = world.anonymous();
    let plain = anonymous.get("/openapi.json").send().await;
    assert!(!plain.headers.contains_key("content-encoding"));
    for (accept, encoding) in
        [("gzip", "gzip"), ("br", "br"), ("zstd", "zstd"), ("gzip;q=0.5, zstd;q=1", "zstd")]
    {
        let answer = anonymous.get("/openapi.json").header("accept-encoding", accept).send().await;
        assert_eq!(answer.header("content-encoding"), encoding, "{accept}");
        assert!(answer.body.len() < plain.body.len() / 3 && opened(&answer) == plain.body);
        assert!(
            answer.headers.get_all("vary").iter().any(|v| v.to_str().unwrap().contains("accept-encoding"))
        );
    }
    for accept in ["identity", "gzip;q=0", "nonsense"] {
        let answer = anonymous.get("/openapi.json").header("accept-encoding", accept).send().await;
        assert!(!answer.headers.contains_key("content-encoding"), "{accept}: {:?}", answer.headers);
    }
}

/// An answer of exactly this many bytes: the list of one message of fitting length.
async fn sized(world: &World, key: &Caller, bytes: usize) -> Answer {
    let mut length = 10;
    for _ in 0..3 {
        let id = world.conversation(key).await;
        let text: String = (0..length).map(|n| format!("{n} ")).collect();
        world.say(key, &id, &text[..length]).await;
        let path = format!("/api/v1/conversations/{id}/messages?limit=1");
        let plain = key.get(&path).send().await;
        if plain.body.len() == bytes {
            return key.get(&path).header("accept-encoding", "gzip").send().await;
        }
        length = length + bytes - plain.body.len();
    }
    panic!("no answer of {bytes} bytes");
}

/// 003.09: over 1 KiB, and no smaller.
#[tokio::test]
async fn small_answers_are_not() {
    let world = Setup::sqlite().start().await;
    let key = world.key();
    assert_eq!(sized(&world, &key, 900).await.header("content-encoding"), "");
    assert_eq!(sized(&world, &key, 1025).await.header("content-encoding"), "gzip");
}

/// A stream that waited for a compressor to fill its window would be no stream.
#[tokio::test]
async fn streams_are_not_compressed() {
    let world = Setup::sqlite().start().await;
    let body = json!({"message": "hello", "stream": true, "app": "assistant"});
    let mut events = world
        .key()
        .post("/api/v1/chat")
        .json(&body)
        .header("accept-encoding", "gzip, br, zstd")
        .stream()
        .await;
    assert!(!events.headers.contains_key("content-encoding"));
    assert_eq!(events.rest().await.last().unwrap().name, "done");
}

#[tokio::test]
async fn compressed_requests_are_read_and_bombs_are_not() {
    let world = Setup::sqlite().start().await;
    let key = world.key();
    let body = json!({"message": "compressed hello", "app": "assistant"}).to_string();
    let send = |encoding: &str, bytes: Vec<u8>| {
        let request = key.post("/api/v1/chat").header("content-type", "application/json");
        request.header("content-encoding", encoding).body(bytes)
    };
    let zeros = vec![b' '; 200 * 1024 * 1024];
    let mut brotli_bomb = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams { quality: 1, ..Default::default() };
    brotli::BrotliCompress(&mut &zeros[..], &mut brotli_bomb, &parameters).unwrap();
    let bombs =
        [("gzip", gzip(&zeros)), ("zstd", zstd::encode_all(&zeros[..], 1).unwrap()), ("br", brotli_bomb)];
    drop(zeros);
    let before = world.process.memory();
    for (encoding, bomb) in bombs {
        assert!(bomb.len() < 2_000_000, "{encoding}: {}", bomb.len());
        for _ in 0..3 {
            let refused = send(encoding, bomb.clone()).send().await;
            assert_eq!(
                (refused.status, refused.code().as_str()),
                (413, "too_large"),
                "{encoding}: {refused:?}"
            );
        }
    }
    let grown = world.process.memory().saturating_sub(before);
    assert!(grown < 64 * 1024 * 1024, "the server grew by {grown} bytes");
    let whole = gzip(body.as_bytes());
    check([
        Case::new(send("gzip", whole.clone()), 200).holds("echo: compressed hello"),
        Case::new(send("zstd", zstd::encode_all(body.as_bytes(), 1).unwrap()), 200),
        Case::new(send("gzip", whole[..whole.len() / 2].to_vec()), 400).code("invalid_json"),
        Case::new(send("gzip", body.clone().into_bytes()), 400).code("invalid_json"),
        Case::new(send("compress", body.clone().into_bytes()), 415).code("unsupported_type"),
        Case::new(send("gzip, gzip", gzip(&whole)), 415).code("unsupported_type"),
    ])
    .await;
}
