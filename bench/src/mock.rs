//! The mock model provider: OpenAI's chat completions, as JSON or as a stream of N pieces, with an optional delay.
//! It makes its answers once at start, so that it costs as little as a provider can.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response};
use serde_json::{Value, json};

use crate::wire::{Body, answer, full, serve};

/// What every piece of every answer says; the load driver looks for it.
pub(crate) const PIECE: &str = "A short piece of an answer. ";

/// The mock's settings.
#[derive(clap::Args, Clone)]
pub(crate) struct Args {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:9101")]
    listen: SocketAddr,
    /// Pieces of a stream
    #[arg(long, default_value_t = 20)]
    pieces: usize,
    /// Milliseconds before the answer or the first piece
    #[arg(long, default_value_t = 0)]
    delay: u64,
    /// Milliseconds between pieces
    #[arg(long, default_value_t = 0)]
    gap: u64,
}

/// The answers, made once.
struct Answers {
    whole: Bytes,
    pieces: Vec<Bytes>,
    usage: Bytes,
    models: Bytes,
    embedding: Bytes,
    delay: Duration,
    gap: Duration,
}

/// Serves until the process ends.
pub(crate) async fn run(args: Args) -> Result<()> {
    let answers = Arc::new(Answers::new(&args));
    serve(args.listen, "mock", move |request| respond(Arc::clone(&answers), request)).await
}

impl Answers {
    fn new(args: &Args) -> Answers {
        let usage = json!({"prompt_tokens": 20, "completion_tokens": 60, "total_tokens": 80});
        let whole = json!({"id": "chatcmpl-mock", "object": "chat.completion", "created": 1, "model": "mock",
            "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": PIECE.repeat(8)}}],
            "usage": usage});
        let mut pieces = vec![chunk(json!({"role": "assistant", "content": ""}), Value::Null)];
        pieces.extend((0..args.pieces).map(|_| chunk(json!({"content": PIECE}), Value::Null)));
        pieces.push(chunk(json!({}), json!("stop")));
        let last = json!({"id": "chatcmpl-mock", "object": "chat.completion.chunk", "created": 1,
            "model": "mock", "choices": [], "usage": usage});
        let models =
            json!({"object": "list", "data": [{"id": "mock", "object": "model", "owned_by": "bench"}]});
        let vector = vec![0.1_f32; 16];
        let embedding = json!({"object": "list", "model": "mock", "usage": usage,
            "data": [{"object": "embedding", "index": 0, "embedding": vector}]});
        Answers {
            whole: whole.to_string().into(),
            pieces,
            usage: format!("data: {last}\n\n").into(),
            models: models.to_string().into(),
            embedding: embedding.to_string().into(),
            delay: Duration::from_millis(args.delay),
            gap: Duration::from_millis(args.gap),
        }
    }
}

fn chunk(delta: Value, finish: Value) -> Bytes {
    let value = json!({"id": "chatcmpl-mock", "object": "chat.completion.chunk", "created": 1, "model": "mock",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
    format!("data: {value}\n\n").into()
}

async fn respond(answers: Arc<Answers>, request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let Ok(body) = request.into_body().collect().await else {
        return answer(400, "application/json", full("{}"));
    };
    let body = body.to_bytes();
    if !answers.delay.is_zero() {
        tokio::time::sleep(answers.delay).await;
    }
    if path.ends_with("/models") {
        return answer(200, "application/json", full(answers.models.clone()));
    }
    if path.ends_with("/embeddings") {
        return answer(200, "application/json", full(answers.embedding.clone()));
    }
    // The body is JSON made by programs; two spellings cover them, and parsing it would cost more than the answer.
    if !(has(&body, b"\"stream\":true") || has(&body, b"\"stream\": true")) {
        return answer(200, "application/json", full(answers.whole.clone()));
    }
    let usage = has(&body, b"include_usage");
    answer(200, "text/event-stream", pieces(answers, usage))
}

/// The stream: every piece a frame of its own.
fn pieces(answers: Arc<Answers>, usage: bool) -> Body {
    let frames = stream::unfold((answers, 0_usize), move |(answers, place)| async move {
        let count = answers.pieces.len();
        let bytes = match place.checked_sub(count) {
            None => {
                if place > 0 && !answers.gap.is_zero() {
                    tokio::time::sleep(answers.gap).await;
                }
                answers.pieces.get(place)?.clone()
            }
            Some(0) if usage => answers.usage.clone(),
            Some(0) => Bytes::from_static(b"data: [DONE]\n\n"),
            Some(1) if usage => Bytes::from_static(b"data: [DONE]\n\n"),
            Some(_) => return None,
        };
        Some((Ok::<_, hyper::Error>(Frame::data(bytes)), (answers, place + 1)))
    });
    BodyExt::boxed(StreamBody::new(frames))
}

fn has(body: &[u8], word: &[u8]) -> bool {
    body.windows(word.len()).any(|window| window == word)
}
