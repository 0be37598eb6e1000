//! A provider that plays a script: each request gets the next one, the last one for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use url::Url;

/// One step of a script.
#[derive(Clone)]
pub(super) enum Act {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Waits.
    Pause(Duration),
    /// Sends these bytes again and again, with a pause between, until the other side goes.
    Endless(Vec<u8>, Duration),
    /// Sends no more and waits until the other side goes.
    Hang,
}

pub(super) type Script = Vec<Act>;

/// A request as it came in.
#[derive(Clone)]
pub(super) struct Seen {
    /// The request line and headers, in lower case.
    pub(super) head: String,
    /// The same as it came.
    pub(super) raw: String,
    /// The body as it came.
    pub(super) bytes: Vec<u8>,
    /// The body.
    pub(super) body: serde_json::Value,
}

/// The provider. It plays as long as the test's runtime lives.
pub(super) struct Mock {
    pub(super) url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    gone: Arc<Notify>,
    sent: Arc<AtomicUsize>,
}

impl Mock {
    pub(super) async fn play(scripts: Vec<Script>) -> Mock {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/", listener.local_addr().unwrap()).parse().unwrap();
        let (seen, gone, sent) = (Arc::default(), Arc::new(Notify::new()), Arc::default());
        let mock = Mock { url, seen, gone, sent };
        let (seen, gone, sent) = (mock.seen.clone(), mock.gone.clone(), mock.sent.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (seen, gone, sent, scripts) = (seen.clone(), gone.clone(), sent.clone(), scripts.clone());
                tokio::spawn(async move {
                    let _ = serve(socket, &seen, &gone, &sent, &scripts).await;
                });
            }
        });
        mock
    }

    /// The requests so far.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    /// Waits at most a second for the other side to close a connection that was kept open.
    pub(super) async fn closed(&self) {
        tokio::time::timeout(Duration::from_secs(1), self.gone.notified())
            .await
            .expect("the connection is closed within a second");
    }

    /// Bytes sent by `Endless` so far.
    pub(super) fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }
}

async fn serve(
    mut socket: TcpStream,
    seen: &Mutex<Vec<Seen>>,
    gone: &Notify,
    sent: &AtomicUsize,
    scripts: &[Script],
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if socket.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    };
    let raw = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let head = raw.to_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    while bytes.len() < head_end + length {
        socket.read_buf(&mut bytes).await?;
    }
    let body = serde_json::from_slice(&bytes[head_end..]).unwrap_or_default();
    let number = {
        let mut seen = seen.lock();
        seen.push(Seen { head, raw, bytes: bytes.split_off(head_end), body });
        seen.len() - 1
    };
    for act in &scripts[number.min(scripts.len() - 1)] {
        match act {
            Act::Send(bytes) => socket.write_all(bytes).await?,
            Act::Pause(span) => tokio::time::sleep(*span).await,
            Act::Endless(bytes, pause) => loop {
                if socket.write_all(bytes).await.is_err() {
                    gone.notify_one();
                    return Ok(());
                }
                sent.fetch_add(bytes.len(), Ordering::Relaxed);
                if pause.is_zero() {
                    tokio::task::yield_now().await;
                } else {
                    tokio::time::sleep(*pause).await;
                }
            },
            Act::Hang => {
                let mut rest = [0; 64];
                while !matches!(socket.read(&mut rest).await, Ok(0) | Err(_)) {}
                gone.notify_one();
                return Ok(());
            }
        }
    }
    socket.shutdown().await
}

/// The head of an answer that ends with its connection.
pub(super) fn head(status: &str, content_type: &str, more: &str) -> Act {
    Act::Send(
        format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\nconnection: close\r\n{more}\r\n")
            .into(),
    )
}

/// A whole answer.
pub(super) fn answer(status: &str, content_type: &str, body: &str) -> Script {
    let length = format!("content-length: {}\r\n", body.len());
    vec![head(status, content_type, &length), Act::Send(body.into())]
}

/// A JSON answer with status 200.
pub(super) fn json(body: &str) -> Script {
    answer("200 OK", "application/json", body)
}

/// A good answer.
pub(super) fn good(text: &str) -> Script {
    json(
        &serde_json::json!({
            "id": "x", "object": "chat.completion", "model": "gpt-test-2026",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
        })
        .to_string(),
    )
}

/// The head of a stream.
pub(super) fn stream_head() -> Act {
    head("200 OK", "text/event-stream; charset=utf-8", "")
}

/// One event.
pub(super) fn event(data: &str) -> Act {
    Act::Send(format!("data: {data}\n\n").into())
}

/// An event with text.
pub(super) fn delta(text: &str) -> Act {
    event(
        &serde_json::json!({"model": "gpt-test-2026", "choices": [{"index": 0, "delta": {"content": text}}]})
            .to_string(),
    )
}

/// The event that ends the text.
pub(super) fn finish(reason: &str) -> Act {
    event(&serde_json::json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}).to_string())
}

/// A good stream of these pieces.
pub(super) fn good_stream(pieces: &[&str]) -> Script {
    let mut script =
        vec![stream_head(), event(r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#)];
    script.extend(pieces.iter().map(|piece| delta(piece)));
    script.push(finish("stop"));
    script.push(event(r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12}}"#));
    script.push(event("[DONE]"));
    script
}
