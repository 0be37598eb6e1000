//! Asks the deployment over HTTP/1.1: one client, no redirects followed, no decompression, everything bounded.
//! It keeps a journal of refusals and cookies for the checks that look at the whole run.
//! It never judges an answer.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, ORIGIN, SET_COOKIE};
use reqwest::tls::TlsInfo;
use reqwest::{Method, redirect};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use crate::answer::Answer;
use crate::deployment::Caller;
use crate::stream::Live;
use crate::verdict::{Verdict, fail};
use crate::{ApiKey, Options};

/// More than any answer of the contract; a longer one is a fault, not a reason to fill our memory.
const LONGEST_ANSWER: usize = 16 << 20;
/// Entries and bytes that the journal keeps.
const JOURNAL_ENTRIES: usize = 1000;
const JOURNAL_BODY: usize = 16 << 10;
/// A limit of the contract is over after a minute; a longer wait is not worth it.
const LONGEST_WAIT: Duration = Duration::from_secs(65);

/// What the whole run has seen, for the checks that look at everything.
#[derive(Default)]
pub(crate) struct Journal {
    /// Answers with a status of 400 or more.
    pub(crate) refusals: Vec<Refusal>,
    /// Each `Set-Cookie` as it came.
    pub(crate) cookies: Vec<String>,
    /// Answers of any status that held the caller's API key or token.
    pub(crate) key_shown_by: Vec<String>,
}

/// An answer that refused something.
pub(crate) struct Refusal {
    pub(crate) what: String,
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// The only way to the deployment.
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    key: Option<ApiKey>,
    token: Option<ApiKey>,
    timeout: Duration,
    journal: Mutex<Journal>,
    certificate: Mutex<Option<Vec<u8>>>,
    waited: AtomicU64,
}

impl Client {
    /// A client for this deployment. It connects only when something is asked.
    pub(crate) fn new(options: &Options) -> Verdict<Client> {
        let http = http_client(options.authority.as_deref()).map_err(|fault| {
            fail(format!("no HTTP client could be made: {}", innermost(&fault)))
                .why("nothing could be checked")
                .fix("look at the certificates of this machine, and at the file of --ca")
        })?;
        Ok(Client {
            http,
            base: options.url.clone(),
            key: options.api_key.clone(),
            token: options.token.clone(),
            timeout: options.timeout,
            journal: Mutex::default(),
            certificate: Mutex::default(),
            waited: AtomicU64::new(0),
        })
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// The origin of the deployment's own pages.
    pub(crate) fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// The time that went by waiting for a limit; a check is not blamed for it.
    pub(crate) fn waited(&self) -> Duration {
        Duration::from_millis(self.waited.load(Ordering::Relaxed))
    }

    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, path: &str) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Ask<'_> {
        self.ask(Method::POST, path)
    }

    /// A question about a path of the deployment, which may lie below a path of its own.
    pub(crate) fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        let base = self.base.as_str().trim_end_matches('/');
        self.ask_at(method, &format!("{base}{path}"), path)
    }

    /// A question about any address; `shown` stands for it in messages.
    pub(crate) fn ask_at(&self, method: Method, address: &str, shown: &str) -> Ask<'_> {
        let shown = shown.chars().take(80).collect::<String>();
        Ask {
            client: self,
            what: format!("{method} {shown}"),
            method,
            address: address.to_owned(),
            headers: HeaderMap::new(),
            body: None,
            caller: Caller::Nobody,
            foreign: false,
            patient: true,
            timeout: self.timeout,
        }
    }

    /// The certificate that the deployment showed last (DER); none over plain HTTP.
    pub(crate) fn certificate(&self) -> Option<Vec<u8>> {
        self.certificate.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note_certificate(&self, response: &reqwest::Response) {
        let shown = response.extensions().get::<TlsInfo>().and_then(|tls| tls.peer_certificate());
        if let Some(der) = shown {
            *self.certificate.lock().unwrap_or_else(PoisonError::into_inner) = Some(der.to_vec());
        }
    }

    fn note(&self, answer: &Answer) {
        let mut journal = self.journal();
        for cookie in answer.headers.get_all(SET_COOKIE) {
            if journal.cookies.len() < JOURNAL_ENTRIES {
                journal.cookies.push(String::from_utf8_lossy(cookie.as_bytes()).into_owned());
            }
        }
        let shows_key = [&self.key, &self.token].into_iter().flatten().any(|key| {
            let key = key.expose().as_bytes();
            key.len() >= 8 && answer.body.windows(key.len()).any(|window| window == key)
        });
        if shows_key && journal.key_shown_by.len() < JOURNAL_ENTRIES {
            journal.key_shown_by.push(answer.what.clone());
        }
        if answer.status >= 400 && journal.refusals.len() < JOURNAL_ENTRIES {
            let body = answer.body.get(..JOURNAL_BODY).unwrap_or(&answer.body);
            journal.refusals.push(Refusal {
                what: answer.what.clone(),
                status: answer.status,
                body: String::from_utf8_lossy(body).into_owned(),
            });
        }
    }
}

/// One question, not yet asked.
#[derive(Clone)]
pub(crate) struct Ask<'a> {
    client: &'a Client,
    what: String,
    method: Method,
    address: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    caller: Caller,
    foreign: bool,
    patient: bool,
    timeout: Duration,
}

impl Ask<'_> {
    /// Who asks. A visitor's changes carry the headers that a browser sends on the deployment's own pages.
    pub(crate) fn by(mut self, caller: &Caller) -> Self {
        self.caller = caller.clone();
        self
    }

    /// With this header. A value that cannot be sent is left out; ours can all be sent.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// With this JSON body.
    pub(crate) fn json(self, value: &Value) -> Self {
        self.header("content-type", "application/json").body(value.to_string().into_bytes())
    }

    /// With this body.
    pub(crate) fn body(mut self, body: Vec<u8>) -> Self {
        self.body = Some(body);
        self
    }

    /// Without the headers that show that a change comes from the deployment's own pages.
    pub(crate) fn foreign(mut self) -> Self {
        self.foreign = true;
        self
    }

    /// Takes 429 for an answer; otherwise a limit is waited for once.
    pub(crate) fn impatient(mut self) -> Self {
        self.patient = false;
        self
    }

    /// May take as long as a turn of a conversation.
    pub(crate) fn slow(mut self) -> Self {
        self.timeout = self.client.timeout * 4;
        self
    }

    /// Asks and reads the whole answer.
    pub(crate) async fn send(&self) -> Verdict<Answer> {
        let answer = self.send_once(None).await?;
        match self.wait(&answer).await {
            true => self.send_once(None).await,
            false => Ok(answer),
        }
    }

    /// Asks with a body that is made while it is sent. It is asked once.
    pub(crate) async fn send_body(&self, body: reqwest::Body) -> Verdict<Answer> {
        self.send_once(Some(body)).await
    }

    /// Asks and gives the answer while it arrives; a refusal is given as a whole answer instead.
    pub(crate) async fn open(&self) -> Verdict<Result<Live, Answer>> {
        for last in [false, true] {
            let (started, response) = self.start(None).await?;
            if response.status().is_success() {
                let live = Live::new(self.what.clone(), response, started, self.timeout);
                return Ok(Ok(live));
            }
            let answer = self.read(response, started).await?;
            if last || !self.wait(&answer).await {
                return Ok(Err(answer));
            }
        }
        Err(fail(format!("{} is refused by a limit", self.what)))
    }

    async fn send_once(&self, body: Option<reqwest::Body>) -> Verdict<Answer> {
        let (started, response) = self.start(body).await?;
        self.read(response, started).await
    }

    /// Sends the request and waits for the head of the answer.
    async fn start(&self, body: Option<reqwest::Body>) -> Verdict<(Instant, reqwest::Response)> {
        let mut headers = self.headers.clone();
        self.sign(&mut headers);
        let mut request = self.client.http.request(self.method.clone(), &self.address).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        } else if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        let started = Instant::now();
        match tokio::time::timeout(self.timeout, request.send()).await {
            Ok(Ok(response)) => {
                self.client.note_certificate(&response);
                if let Caller::Visitor(visitor) = &self.caller {
                    visitor.absorb(response.headers());
                }
                Ok((started, response))
            }
            Ok(Err(fault)) => Err(fail(format!("{}: {}", self.what, explain(&fault)))),
            Err(_) => Err(fail(format!("{}: no answer within {} s", self.what, self.timeout.as_secs()))),
        }
    }

    async fn read(&self, mut response: reqwest::Response, started: Instant) -> Verdict<Answer> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        let whole = async {
            while let Some(chunk) = response.chunk().await.map_err(|fault| explain(&fault))? {
                body.extend_from_slice(&chunk);
                if body.len() > LONGEST_ANSWER {
                    return Err(format!("the answer is longer than {} MiB", LONGEST_ANSWER >> 20));
                }
            }
            Ok(())
        };
        match tokio::time::timeout_at(started + self.timeout, whole).await {
            Ok(Ok(())) => {}
            Ok(Err(text)) => return Err(fail(format!("{}: {text}", self.what))),
            Err(_) => {
                let seconds = self.timeout.as_secs();
                return Err(fail(format!("{}: the answer did not end within {seconds} s", self.what)));
            }
        }
        let answer = Answer { what: self.what.clone(), status, headers, body, took: started.elapsed() };
        self.client.note(&answer);
        Ok(answer)
    }

    /// Adds what the caller carries.
    fn sign(&self, headers: &mut HeaderMap) {
        match &self.caller {
            Caller::Nobody => {}
            Caller::Key => show(headers, "x-api-key", self.client.key.as_ref().map_or("", ApiKey::expose)),
            Caller::Account => {
                let token = self.client.token.as_ref().map_or("", ApiKey::expose);
                show(headers, "authorization", &format!("Bearer {token}"));
            }
            Caller::Visitor(visitor) => {
                if let Ok(value) = HeaderValue::from_str(&visitor.cookies()) {
                    headers.insert(COOKIE, value);
                }
                if !self.foreign && self.method != Method::GET && self.method != Method::HEAD {
                    if let Ok(value) = HeaderValue::from_str(&self.client.origin()) {
                        headers.insert(ORIGIN, value);
                    }
                    headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
                }
            }
        }
        if self.body.is_some() && !headers.contains_key(CONTENT_TYPE) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        }
    }

    /// Waits for a limit that another run has used up. Gives `true` when it is worth asking again.
    async fn wait(&self, answer: &Answer) -> bool {
        if answer.status != 429 || !self.patient {
            return false;
        }
        let seconds = answer.header("retry-after").and_then(|text| text.trim().parse::<u64>().ok());
        match seconds.map(|seconds| Duration::from_secs(seconds.max(1))) {
            Some(span) if span <= LONGEST_WAIT => {
                // Counted before the sleep: whoever watches the clock must see it in time.
                self.client.waited.fetch_add(span.as_millis() as u64, Ordering::Relaxed);
                tokio::time::sleep(span).await;
                true
            }
            _ => false,
        }
    }
}

/// Adds a secret that no log may show.
fn show(headers: &mut HeaderMap, name: &'static str, secret: &str) {
    if let Ok(mut value) = HeaderValue::from_str(secret) {
        value.set_sensitive(true);
        headers.insert(name, value);
    }
}

#[expect(clippy::disallowed_methods, reason = "a stranger has no part of the server, its client included")]
fn http_client(authority: Option<&[u8]>) -> Result<reqwest::Client, reqwest::Error> {
    // The process may have installed it already; then it stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder();
    if let Some(pem) = authority {
        builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem)?);
    }
    builder
        .tls_info(true)
        .user_agent(concat!("stoa-verify/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .http1_only()
        .connect_timeout(Duration::from_secs(5))
        .pool_idle_timeout(Duration::from_secs(5))
        .build()
}

/// What went wrong on the way, in words for an operator.
pub(crate) fn explain(fault: &reqwest::Error) -> String {
    let cause = innermost(fault);
    if fault.is_timeout() {
        return "no answer in time".into();
    }
    if fault.is_connect() {
        return format!("no connection ({cause})");
    }
    let unreadable =
        ["invalid HTTP", "invalid HTTP version parsed", "parse"].iter().any(|w| cause.contains(w));
    if unreadable {
        return format!("the answer is not HTTP ({cause})");
    }
    format!("the connection broke ({cause})")
}

/// The innermost cause says most, and never holds our own address or key.
fn innermost(fault: &dyn Error) -> String {
    let mut at = fault;
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string()
}
