//! A model provider that speaks the OpenAI protocol and does what the question asks of it: answers slowly, fails,
//! breaks off, repeats what it was told. It counts the answers that it is writing.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream;
use serde_json::{Value, json};

/// How many words the slow answer has.
pub const SLOW_WORDS: usize = 40;
/// Between two words of the slow answer.
const SLOW: Duration = Duration::from_millis(120);
/// Between two pieces of the others.
const QUICK: Duration = Duration::from_millis(15);

/// What the provider has seen.
#[derive(Default)]
pub struct Seen {
    /// Requests for an answer.
    pub asked: AtomicUsize,
    /// Answers being written right now.
    pub writing: AtomicUsize,
    /// Failures still to be given to questions that ask for some.
    failures: AtomicUsize,
}

/// A provider that runs as long as the runtime of its test.
pub struct Upstream {
    pub url: String,
    pub seen: Arc<Seen>,
}

impl Upstream {
    pub async fn start() -> Upstream {
        let seen = Arc::new(Seen::default());
        let router = Router::new()
            .route("/v1/chat/completions", post(chat))
            .route("/v1/embeddings", post(embeddings))
            .route("/v1/models", get(models))
            .with_state(Arc::clone(&seen));
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await;
        let listener = listener.expect("a free port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Upstream { url, seen }
    }

    /// The next `times` questions that say "stumble" fail.
    pub fn stumble(&self, times: usize) {
        self.seen.failures.store(times, Ordering::SeqCst);
    }
}

/// Counts one answer for as long as it lives.
struct Writing(Arc<Seen>);

impl Writing {
    fn begin(seen: Arc<Seen>) -> Writing {
        seen.writing.fetch_add(1, Ordering::SeqCst);
        Writing(seen)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.writing.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn chat(State(seen): State<Arc<Seen>>, Json(request): Json<Value>) -> Response {
    seen.asked.fetch_add(1, Ordering::SeqCst);
    let question = request["messages"].as_array().and_then(|all| all.last());
    let question = question.and_then(|last| last["content"].as_str()).unwrap_or_default().to_owned();
    let stumbles = question.contains("stumble")
        && seen.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
    if stumbles || question.contains("always fail") {
        let body = json!({"error": {"message": "provider-secret-detail", "type": "server_error"}});
        return (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response();
    }
    let (text, pause) = answer(&question);
    if request["stream"] != true {
        return Json(json!({
            "id": "mock", "object": "chat.completion", "created": 1, "model": "mock-1",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 18},
        }))
        .into_response();
    }
    let mut pieces: VecDeque<String> = pieces(&text).into_iter().map(|piece| event(&chunk(&piece))).collect();
    if question.contains("break off") {
        pieces.truncate(3);
    } else {
        let end = json!({
            "id": "mock", "object": "chat.completion.chunk", "created": 1, "model": "mock-1",
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 18},
        });
        pieces.push_back(format!("{}data: [DONE]\n\n", event(&end)));
    }
    let writing = Writing::begin(seen);
    let body = stream::unfold((pieces, writing), move |(mut pieces, writing)| async move {
        let piece = pieces.pop_front()?;
        tokio::time::sleep(pause).await;
        Some((Ok::<_, std::convert::Infallible>(piece), (pieces, writing)))
    });
    ([("content-type", "text/event-stream")], Body::from_stream(body)).into_response()
}

fn chunk(text: &str) -> Value {
    json!({
        "id": "mock", "object": "chat.completion.chunk", "created": 1, "model": "mock-1",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}],
    })
}

fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}

/// What is answered, and how fast.
fn answer(question: &str) -> (String, Duration) {
    if question.contains("at leisure") {
        return (slow_answer(), SLOW * 3);
    }
    if question.contains("slowly") {
        return (slow_answer(), SLOW);
    }
    if let Some(text) = question.strip_prefix("Repeat: ") {
        return (text.to_owned(), QUICK);
    }
    if question.contains("a hundred pieces a second") {
        return (many_pieces(), Duration::from_millis(10));
    }
    if question.contains("everything") {
        return (RICH.to_owned(), QUICK);
    }
    (format!("You said {} characters. Good.", question.chars().count()), QUICK)
}

/// The slow answer: words that cannot be mistaken for each other.
pub fn slow_answer() -> String {
    (1..=SLOW_WORDS).map(|n| format!("word{n}")).collect::<Vec<_>>().join(" ")
}

/// An answer of four seconds.
pub fn many_pieces() -> String {
    (1..=400).map(|n| format!("piece{n:03} ")).collect()
}

/// Some characters at a time, never within one.
fn pieces(text: &str) -> Vec<String> {
    let all: Vec<char> = text.chars().collect();
    let size = if text.starts_with("piece001") {
        9
    } else if all.len() > 600 {
        all.len().div_ceil(60)
    } else {
        7
    };
    all.chunks(size).map(|piece| piece.iter().collect()).collect()
}

async fn embeddings(Json(request): Json<Value>) -> Json<Value> {
    let texts = request["input"].as_array().map_or(1, Vec::len);
    let data: Vec<Value> = (0..texts)
        .map(|index| json!({"object": "embedding", "index": index, "embedding": [0.25, -1.5, index as f32]}))
        .collect();
    Json(json!({
        "object": "list", "data": data, "model": request["model"],
        "usage": {"prompt_tokens": texts, "total_tokens": texts},
    }))
}

async fn models() -> Json<Value> {
    Json(
        json!({"object": "list", "data": [{"id": "mock-1", "object": "model", "created": 1, "owned_by": "mock"}]}),
    )
}

/// An answer with everything that a page has to lay out.
const RICH: &str = "\
## Keeping it running

Stoa keeps **every** conversation, and says *honestly* what it has measured. See the \
[reference](https://example.com/reference) or run `stoa check`.

1. Look at the health page.
2. Read the log:
   - errors first,
   - then warnings.

| Service | State | Since |
|---|:-:|--:|
| database | operational | 12 days |
| cache | not configured | – |
| model | degraded | 4 minutes |

> A limit that is set explicitly is exact in every profile.

```rust
fn main() {
    println!(\"{}\", \"a rather long line of code that has to scroll inside its box and never widens the page on a phone\");
}
```

- [x] done
- [ ] to be done

The energy is $E = mc^2$, and the roots are

$$x_{1,2} = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}$$

A_very_long_word_without_any_place_to_break_it_that_some_model_or_other_is_going_to_write_sooner_or_later_0123456789
";
