//! One kept connection of the load driver, the question it sends and how its answer is judged.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::mock::PIECE;

/// Longer than any server here should need, short enough to end a run.
const PATIENCE: Duration = Duration::from_secs(30);
const WORDS: [&str; 32] = [
    "river", "engine", "bread", "orbit", "violin", "harbour", "lantern", "meadow", "copper", "glacier",
    "pepper", "window", "compass", "thunder", "basket", "marble", "signal", "garden", "feather", "bridge",
    "candle", "desert", "ladder", "mirror", "ocean", "pencil", "quarry", "saddle", "tunnel", "valley",
    "whistle", "yarn",
];

/// What is asked, in everything but the words.
pub(crate) struct Question {
    host: String,
    path: String,
    authorization: Option<String>,
    model: String,
    stream: bool,
    count: AtomicU64,
}

impl Question {
    pub(crate) fn new(
        address: SocketAddr,
        path: &str,
        key: Option<&str>,
        model: &str,
        stream: bool,
    ) -> Question {
        Question {
            host: address.to_string(),
            path: path.to_owned(),
            authorization: key.map(|key| format!("Bearer {key}")),
            model: model.to_owned(),
            stream,
            count: AtomicU64::new(1),
        }
    }

    /// The next question. Each has other words: a server may refuse a caller who repeats themself.
    fn request(&self) -> Result<Request<Full<Bytes>>> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        // SplitMix64 (Steele, Lea, Flood 2014): a different draw for each number.
        let mut draw = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        draw = (draw ^ (draw >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        draw ^= draw >> 27;
        let mut text = format!("Please tell me, question {number}, how these go together:");
        for place in 0..10 {
            let word = WORDS.get((draw >> (place * 5)) as usize % WORDS.len()).unwrap_or(&"word");
            text.push(' ');
            text.push_str(word);
        }
        let stream = if self.stream { r#","stream":true"# } else { "" };
        let body = format!(
            r#"{{"model":"{}","messages":[{{"role":"user","content":"{text}?"}}]{stream}}}"#,
            self.model
        );
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(&self.path)
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, "application/json");
        if let Some(value) = &self.authorization {
            request = request.header(AUTHORIZATION, value);
        }
        Ok(request.body(Full::new(Bytes::from(body)))?)
    }
}

/// One kept connection.
pub(crate) struct Connection {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Connection> {
        let socket =
            TcpStream::connect(address).await.with_context(|| format!("nobody listens on {address}"))?;
        socket.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
        tokio::spawn(connection);
        Ok(Connection { address, sender })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks once and judges the answer. Gives the moment at which a stream held its first text.
    pub(crate) async fn ask(&mut self, question: &Question) -> Result<Option<Instant>> {
        match tokio::time::timeout(PATIENCE, self.exchange(question)).await {
            Ok(result) => result,
            Err(_) => bail!("no answer within {} s", PATIENCE.as_secs()),
        }
    }

    async fn exchange(&mut self, question: &Question) -> Result<Option<Instant>> {
        self.sender.ready().await?;
        let response = self.sender.send_request(question.request()?).await?;
        let status = response.status();
        let mut body = response.into_body();
        let mut whole = BytesMut::new();
        let mut first = None;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            whole.extend_from_slice(&data);
            if question.stream && first.is_none() && holds(&whole, PIECE) {
                first = Some(Instant::now());
            }
        }
        ensure!(
            status.is_success(),
            "status {status}: {}",
            text(&whole).chars().take(300).collect::<String>()
        );
        let right = if question.stream {
            text(&whole).trim_end().ends_with("data: [DONE]") && first.is_some()
        } else {
            holds(&whole, "\"chat.completion\"") && holds(&whole, PIECE)
        };
        ensure!(right, "a wrong body: {}", text(&whole).chars().take(300).collect::<String>());
        Ok(first)
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

fn holds(bytes: &[u8], word: &str) -> bool {
    text(bytes).contains(word)
}
