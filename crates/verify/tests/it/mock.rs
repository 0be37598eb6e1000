//! The mock deployment: sockets, callers, the headers of every answer, and the faults planted in them.
//! What the paths do stands in `api`.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, Limited, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use verify::{ApiKey, Options, Report, Reporter};

pub(crate) const KEY: &str = "key-of-the-operator-1234";
pub(crate) const TOKEN: &str = "token-of-an-account-1234";
pub(crate) const ORIGIN: &str = "https://app.example.com";
const LARGEST: usize = 4 << 20;

pub(crate) type Body = BoxBody<Bytes, Infallible>;

/// A conversation of the mock.
#[derive(Clone, Default)]
pub(crate) struct Talk {
    pub(crate) owner: String,
    pub(crate) title: String,
    pub(crate) messages: Vec<Value>,
    pub(crate) stopped: Arc<Notify>,
}

/// What the mock remembers.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) talks: BTreeMap<String, Talk>,
    pub(crate) visitors: BTreeSet<String>,
    pub(crate) replays: BTreeMap<String, (Bytes, Bytes)>,
    pub(crate) documents: BTreeMap<String, String>,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) sessions: BTreeMap<String, String>,
    pub(crate) counts: BTreeMap<String, u64>,
    /// Hand-offs: the conversation, and whether somebody has it.
    pub(crate) inbox: BTreeMap<String, (String, bool)>,
    pub(crate) backups: usize,
    /// The wrong key that was shown last.
    pub(crate) last_key: String,
    next: u64,
}

/// The mock deployment. Its faults are words that `api` and `finish` look for.
pub(crate) struct Mock {
    faults: BTreeSet<&'static str>,
    pub(crate) state: Mutex<State>,
    requests: AtomicU64,
    at_once: AtomicU64,
}

/// One request with its body and the caller it comes from.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) too_large: bool,
    pub(crate) id: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Mock {
    /// Starts a mock with these faults on a free port of loopback.
    pub(crate) async fn start(faults: &[&'static str]) -> (Arc<Mock>, SocketAddr) {
        let mock = Arc::new(Mock {
            faults: faults.iter().copied().collect(),
            state: Mutex::default(),
            requests: AtomicU64::new(0),
            at_once: AtomicU64::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = Arc::clone(&mock);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let mock = Arc::clone(&served);
                socket.set_nodelay(true).unwrap();
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&mock), request));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        (mock, address)
    }

    pub(crate) fn has(&self, fault: &str) -> bool {
        self.faults.contains(fault)
    }

    /// A well-formed id that has not been given out.
    pub(crate) fn id(&self) -> String {
        let mut state = self.state.lock().unwrap();
        state.next += 1;
        format!("01900000-0000-7000-8000-{:012x}", state.next)
    }
}

async fn answer(mock: Arc<Mock>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let announced = head.headers.get("content-length").and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    let mut too_large = announced.is_some_and(|length| length > LARGEST);
    let mut bytes = Bytes::new();
    if !too_large || mock.has("reads-everything") {
        match Limited::new(body, 64 << 20).collect().await {
            Ok(collected) => bytes = collected.to_bytes(),
            Err(_) => too_large = true,
        }
    }
    let number = mock.requests.fetch_add(1, Ordering::Relaxed);
    let sent_id = head.headers.get("x-request-id").and_then(|value| value.to_str().ok());
    let id = match sent_id {
        Some(id) if mock.has("repeats-request-id") => id.to_owned(),
        _ if mock.has("same-request-id") => "always".to_owned(),
        _ => format!("request-{number}"),
    };
    let asked = Asked {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: bytes,
        too_large: too_large && !mock.has("takes-any-size"),
        id,
    };
    mock.at_once.fetch_add(1, Ordering::Relaxed);
    if mock.has("slow-under-load") || mock.has("breaks-under-load") {
        // Long enough for the others of a burst to come in.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let many = mock.at_once.load(Ordering::Relaxed) > 4;
    if many && mock.has("slow-under-load") {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    let mut response = match many && mock.has("breaks-under-load") {
        true => refuse(&mock, &asked, 503, "unavailable", json!([])),
        false => crate::api::route(&mock, &asked).await,
    };
    mock.at_once.fetch_sub(1, Ordering::Relaxed);
    finish(&mock, &asked, &mut response);
    Ok(response)
}

/// The headers of every answer, and the faults in them.
fn finish(mock: &Mock, asked: &Asked, response: &mut Response<Body>) {
    let status = response.status().as_u16();
    let mut set = |name: &'static str, value: &str| {
        response.headers_mut().insert(name, value.parse().unwrap());
    };
    set("x-content-type-options", "nosniff");
    set("x-xss-protection", "1; mode=block");
    set("referrer-policy", "strict-origin-when-cross-origin");
    set("permissions-policy", "camera=(), microphone=(), geolocation=()");
    let policy = match asked.path.as_str() {
        "/" if mock.has("loose-csp") => "default-src 'self' 'unsafe-inline'",
        path if path.ends_with("/content") && !mock.has("no-sandbox") => "sandbox; default-src 'none'",
        _ => "default-src 'self'",
    };
    set("content-security-policy", policy);
    if !(mock.has("no-frame-options-on-404") && status == 404) {
        set("x-frame-options", "DENY");
    }
    if mock.has("tells-version") {
        set("server", "nginx/1.22.1");
    }
    if mock.has("tells-framework") {
        set("x-powered-by", "a framework");
    }
    if mock.has("hsts-over-http") {
        set("strict-transport-security", "max-age=31536000; includeSubDomains");
    }
    if !mock.has("no-request-id") {
        set("x-request-id", &asked.id);
    }
    let origin = asked.header("origin");
    if mock.has("cors-star") {
        set("access-control-allow-origin", "*");
    } else if !origin.is_empty() && (mock.has("cors-mirror") || (origin == ORIGIN && !mock.has("cors-none")))
    {
        set("access-control-allow-origin", origin);
        set("access-control-allow-methods", "GET, POST");
        set("access-control-allow-headers", "content-type, x-api-key");
        response.headers_mut().append("vary", "Origin".parse().unwrap());
    }
}

/// A whole body.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed()
}

/// A body that is written while it is sent.
pub(crate) fn piped() -> (mpsc::Sender<String>, Body) {
    let (sender, receiver) = mpsc::channel::<String>(4);
    let frames = stream::unfold(receiver, |mut receiver| async move {
        let text = receiver.recv().await?;
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(text))), receiver))
    });
    (sender, BodyExt::boxed(StreamBody::new(frames)))
}

/// A JSON answer.
pub(crate) fn json_answer(status: u16, value: &Value) -> Response<Body> {
    let builder = Response::builder().status(status).header("content-type", "application/json");
    builder.body(full(value.to_string())).unwrap()
}

/// A refusal of the contract, or of OpenAI below `/v1/`.
pub(crate) fn refuse(mock: &Mock, asked: &Asked, status: u16, code: &str, errors: Value) -> Response<Body> {
    let title = if code == "rate_limited" { "Rate limit exceeded" } else { "It was refused" };
    let detail = if mock.has("leaks-path") { "panicked at /home/build/src/main.rs:3" } else { "Try again" };
    let value = if asked.path.starts_with("/v1/") && !mock.has("openai-problem") {
        json!({"error": {"message": title, "type": "invalid_request_error", "code": code}})
    } else {
        json!({"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code,
            "request_id": if mock.has("wrong-request-id") { "other" } else { &asked.id },
            "error": title, "errors": errors})
    };
    let media = match (asked.path.starts_with("/v1/"), mock.has("plain-errors")) {
        (false, false) => "application/problem+json",
        _ => "application/json",
    };
    let mut builder = Response::builder().status(status).header("content-type", media);
    if status == 401 && !mock.has("no-www-authenticate") {
        builder = builder.header("www-authenticate", "Bearer");
    }
    builder.body(full(value.to_string())).unwrap()
}

/// Says nothing.
pub(crate) struct Quiet;

impl Reporter for Quiet {
    fn begin(&mut self, _: &'static str, _: usize, _: usize) {}
    fn end(&mut self, _: &verify::Line) {}
    fn close(&mut self, _: &Report) {}
}

/// The options for a mock at this address.
pub(crate) fn options(address: SocketAddr, only: &[&str]) -> Options {
    let mut options = Options::new(format!("http://{address}").parse().unwrap());
    options.only = only.iter().map(|name| (*name).to_owned()).collect();
    options.origin = Some(ORIGIN.to_owned());
    options
}

/// The options with the token of an account.
pub(crate) fn with_token(mut options: Options) -> Options {
    options.token = Some(ApiKey::new(TOKEN));
    options
}

/// The options with the key.
pub(crate) fn with_key(mut options: Options) -> Options {
    options.api_key = Some(ApiKey::new(KEY));
    options
}
