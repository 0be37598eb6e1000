//! Callers, what they send and what they get. Every answer is held against what CONTRACT section 5 promises of
//! all of them, so that no test has to remember it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::Events;

/// Longer than any answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Headers that every answer carries, with their values (CONTRACT section 5).
const ALWAYS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("x-xss-protection", "1; mode=block"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
];

/// Words that no error may hold: they tell how the server is made, or what it knows.
const NEVER_IN_ERRORS: [&str; 16] = [
    "sqlx",
    "sqlite",
    "postgres",
    "SELECT ",
    "INSERT ",
    "panicked",
    "backtrace",
    ".rs:",
    "/tmp/",
    concat!("/wo", "rk/"),
    "/root/",
    "tokio",
    "hyper",
    "redis://",
    super::MODEL_KEY,
    super::SESSION_SECRET,
];

/// Somebody who asks.
#[derive(Clone)]
pub struct Caller {
    address: SocketAddr,
    headers: HeaderMap,
    jar: Option<Arc<Mutex<BTreeMap<String, String>>>>,
}

impl Caller {
    pub fn new(address: SocketAddr) -> Caller {
        Caller { address, headers: HeaderMap::new(), jar: None }
    }

    /// With this header on every request.
    pub fn with(mut self, name: &str, value: &str) -> Caller {
        self.headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        self
    }

    /// With a cookie jar.
    pub fn with_jar(mut self) -> Caller {
        self.jar = Some(Arc::default());
        self
    }

    /// The same caller at another replica.
    pub fn at(&self, address: SocketAddr) -> Caller {
        Caller { address, ..self.clone() }
    }

    /// A thief's copy: the same proofs, kept apart from now on.
    pub fn copied(&self) -> Caller {
        let jar = self.jar.as_ref().map(|jar| Arc::new(Mutex::new(jar.lock().unwrap().clone())));
        Caller { jar, ..self.clone() }
    }

    /// Where it asks.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar.as_ref()?.lock().unwrap().get(name).cloned()
    }

    /// Puts a cookie into the jar.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.jar.as_ref().unwrap().lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    pub fn post(&self, path: &str) -> Request {
        self.request("POST", path)
    }

    pub fn put(&self, path: &str) -> Request {
        self.request("PUT", path)
    }

    pub fn delete(&self, path: &str) -> Request {
        self.request("DELETE", path)
    }

    pub fn request(&self, method: &str, path: &str) -> Request {
        let mut headers = self.headers.clone();
        headers.entry("host").or_insert_with(|| self.address.to_string().parse().unwrap());
        let cookies = self.jar.as_ref().map(|jar| jar.lock().unwrap().clone()).unwrap_or_default();
        if !cookies.is_empty() {
            let line: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            headers.insert("cookie", line.join("; ").parse().unwrap());
            if method != "GET" && method != "HEAD" {
                headers
                    .entry("origin")
                    .or_insert_with(|| format!("http://{}", self.address).parse().unwrap());
            }
        }
        let method = method.parse().unwrap();
        Request { caller: self.clone(), method, path: path.to_owned(), headers, body: Bytes::new() }
    }

    fn keep_cookies(&self, headers: &HeaderMap) {
        let Some(jar) = &self.jar else { return };
        for line in headers.get_all("set-cookie") {
            let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            jar.lock().unwrap().insert(name.to_owned(), value.to_owned());
        }
    }
}

/// What is asked.
#[derive(Clone)]
pub struct Request {
    caller: Caller,
    pub method: Method,
    pub path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Request {
    /// With this header, in the place of an earlier one.
    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.headers
            .insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    /// The value of a header that it will carry.
    pub fn value(&self, name: &str) -> String {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
    }

    /// With this header beside an earlier one.
    pub fn and_header(mut self, name: &str, value: &str) -> Request {
        self.headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        self
    }

    /// Without this header.
    pub fn without(mut self, name: &str) -> Request {
        self.headers.remove(name);
        self
    }

    pub fn json(self, value: &Value) -> Request {
        self.header("content-type", "application/json").body(value.to_string())
    }

    pub fn body(mut self, body: impl Into<Bytes>) -> Request {
        self.body = body.into();
        self
    }

    /// Sends it on a connection of its own; gives the head, and the body as it comes.
    async fn open(self) -> std::io::Result<(http::Response<Incoming>, Connection, Asked)> {
        let asked = Asked { method: self.method.clone(), path: self.path.clone(), body: self.body.clone() };
        let broken = |error: hyper::Error| std::io::Error::other(error.to_string());
        let stream = TcpStream::connect(self.caller.address).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let connection = Connection(tokio::spawn(async move {
            let _ = connection.await;
        }));
        let mut request = http::Request::builder().method(self.method.clone()).uri(&self.path);
        *request.headers_mut().unwrap() = self.headers;
        let request = request.body(Full::new(self.body)).unwrap();
        let response = sender.send_request(request).await.map_err(broken)?;
        self.caller.keep_cookies(response.headers());
        Ok((response, connection, asked))
    }

    /// Sends it and reads the whole answer, or says how the connection failed.
    pub async fn try_send(self) -> std::io::Result<Answer> {
        let sent = async {
            let (response, _connection, asked) = self.open().await?;
            let (head, body) = response.into_parts();
            let body =
                body.collect().await.map_err(|error| std::io::Error::other(error.to_string()))?.to_bytes();
            Ok(Answer { asked, status: head.status.as_u16(), headers: head.headers, body })
        };
        let answer: std::io::Result<Answer> = tokio::time::timeout(PATIENCE, sent).await?;
        answer.inspect(Answer::examine)
    }

    /// Sends it and reads the whole answer.
    pub async fn send(self) -> Answer {
        let what = format!("{} {}", self.method, self.path);
        self.try_send().await.unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// Sends it and reads the answer as events while they come. It must be a stream.
    pub async fn stream(self) -> Events {
        self.try_stream().await.unwrap()
    }

    /// The same, or how the connection failed.
    pub async fn try_stream(self) -> std::io::Result<Events> {
        let (response, connection, asked) = self.open().await?;
        let (head, body) = response.into_parts();
        let answer =
            Answer { asked, status: head.status.as_u16(), headers: head.headers, body: Bytes::new() };
        if answer.status != 200 || !answer.header("content-type").starts_with("text/event-stream") {
            let body = body.collect().await.unwrap().to_bytes();
            panic!("no stream: {:?}", Answer { body, ..answer });
        }
        answer.examine();
        Ok(Events::new(answer.headers, body, connection))
    }
}

/// The task that drives a connection; without it the connection ends.
pub struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What was asked, for messages and for comparison.
#[derive(Clone)]
struct Asked {
    method: Method,
    path: String,
    body: Bytes,
}

impl Asked {
    /// The caller itself said this.
    fn holds(&self, text: &str) -> bool {
        self.path.contains(text) || self.body.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

/// What came back.
#[derive(Clone)]
pub struct Answer {
    asked: Asked,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = String::from_utf8_lossy(&self.body).chars().take(2_000).collect();
        let Asked { method, path, .. } = &self.asked;
        write!(f, "{method} {path} -> {} {:?}\n{shown}", self.status, self.headers)
    }
}

impl Answer {
    /// A header's value; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap_or_else(|_| panic!("not UTF-8: {self:?}"))
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The stable code of an error, in whichever shape it came; empty for anything else.
    pub fn code(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let code = body["code"].as_str().or(body["error"]["code"].as_str());
        code.unwrap_or_default().to_owned()
    }

    /// What holds for every answer, whatever its status.
    fn examine(&self) {
        for (name, value) in ALWAYS {
            assert_eq!(self.header(name), value, "{name}: {self:?}");
        }
        let policy = self.header("content-security-policy");
        assert!(policy.contains("default-src"), "{self:?}");
        for never in ["unsafe-inline", "unsafe-eval", "*"] {
            assert!(!policy.contains(never), "{self:?}");
        }
        let id = self.header("x-request-id").to_owned();
        assert_eq!(id.len(), 36, "{self:?}");
        assert_eq!(self.headers.get_all("x-request-id").iter().count(), 1, "{self:?}");
        for gone in ["server", "x-powered-by"] {
            assert!(!self.headers.contains_key(gone), "{self:?}");
        }
        if self.status < 400 || self.asked.method == Method::HEAD {
            return;
        }
        if self.headers.contains_key("content-encoding") {
            return;
        }
        let text = self.text();
        for word in NEVER_IN_ERRORS {
            assert!(!text.contains(word) || self.asked.holds(word), "an error holds `{word}`: {self:?}");
        }
        let kind = self.header("content-type");
        if kind == "application/problem+json" {
            let problem = self.json();
            for field in ["type", "title", "detail", "code", "error"] {
                assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {self:?}");
            }
            assert_eq!(problem["status"], self.status, "{self:?}");
            assert_eq!(problem["request_id"], id.as_str(), "{self:?}");
            assert_eq!(problem["error"], problem["title"], "{self:?}");
        } else if self.asked.path.starts_with("/v1/") {
            let error = self.json()["error"].clone();
            assert!(error["message"].is_string() && error["type"].is_string(), "{self:?}");
            assert!(error["code"].is_string() && error.get("param").is_some(), "{self:?}");
        } else if self.asked.path != "/ready" && !self.asked.path.ends_with("/health") {
            assert!(kind.starts_with("text/html"), "an error without a shape: {self:?}");
        }
        match self.status {
            401 => assert!(!self.header("www-authenticate").is_empty(), "{self:?}"),
            405 => assert!(!self.header("allow").is_empty(), "{self:?}"),
            429 => assert!(self.header("retry-after").parse::<u64>().is_ok_and(|s| s > 0), "{self:?}"),
            _ => {}
        }
    }
}
