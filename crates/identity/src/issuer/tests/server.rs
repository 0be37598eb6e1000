//! A small server on loopback that plays an issuer: each path has an answer that a test changes as it goes.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the server says at a path.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: String,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// The server. It ends with the runtime of its test.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) base: String,
    shared: Arc<Shared>,
    open: watch::Sender<bool>,
}

struct Shared {
    answers: Mutex<HashMap<String, Answer>>,
    asked: Mutex<Vec<Asked>>,
    down: Mutex<bool>,
}

impl Server {
    pub(crate) async fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let shared =
            Arc::new(Shared { answers: Mutex::default(), asked: Mutex::default(), down: Mutex::new(false) });
        let server = Server { base, shared: Arc::clone(&shared), open: watch::Sender::new(true) };
        let gate = server.open.subscribe();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared), gate.clone()));
            }
        });
        server
    }

    /// Answers 200 at this path, with this `Cache-Control`.
    pub(crate) fn say(&self, path: &str, cache: &str, body: impl Into<String>) {
        self.answer(path, 200, &format!("cache-control: {cache}\r\n"), body);
    }

    pub(crate) fn answer(&self, path: &str, status: u16, headers: &str, body: impl Into<String>) {
        let answer = Answer { status, headers: headers.to_owned(), body: body.into() };
        self.shared.answers.lock().insert(path.to_owned(), answer);
    }

    /// Drops every connection without a word.
    pub(crate) fn down(&self, down: bool) {
        *self.shared.down.lock() = down;
    }

    /// Holds every answer back until it is let go.
    pub(crate) fn hold(&self, hold: bool) {
        self.open.send_replace(!hold);
    }

    /// How often this path was asked for.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.shared.asked.lock().iter().filter(|asked| asked.path == path).count()
    }

    pub(crate) fn last(&self, path: &str) -> Asked {
        self.shared.asked.lock().iter().rfind(|asked| asked.path == path).unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>, mut gate: watch::Receiver<bool>) {
    let Some(asked) = read(&mut stream).await else { return };
    let path = asked.path.clone();
    shared.asked.lock().push(asked);
    let _ = gate.wait_for(|open| *open).await;
    if *shared.down.lock() {
        return;
    }
    let answer = shared.answers.lock().get(&path).cloned().unwrap_or(Answer {
        status: 404,
        headers: String::new(),
        body: String::new(),
    });
    let Answer { status, headers, body } = answer;
    let head = format!(
        "HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all((head + &body).as_bytes()).await;
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).await.ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:").map(|rest| rest.trim().to_owned())
        })
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Asked { path, head, body: String::from_utf8(body).ok()? })
}
