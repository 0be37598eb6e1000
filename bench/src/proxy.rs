//! The bare proxy: hyper in, a pool of hyper connections out, bodies passed through. With `--sqlite` it stores the
//! question and the answer durably before it answers. It checks, masks, limits and knows nothing.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Deserialize;

use crate::rows::Rows;
use crate::target;
use crate::wire::{Body, answer, full, serve};

/// The proxy's settings.
#[derive(clap::Args, Clone)]
pub(crate) struct Args {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:9102")]
    listen: SocketAddr,
    /// Where the provider answers (loopback)
    #[arg(long, default_value = "http://127.0.0.1:9101")]
    upstream: String,
    /// Store both messages in this file before answering
    #[arg(long)]
    sqlite: Option<PathBuf>,
}

#[derive(Clone)]
struct Proxy {
    client: Client<HttpConnector, Body>,
    upstream: String,
    rows: Option<Rows>,
}

/// Serves until the process ends.
pub(crate) async fn run(args: Args) -> Result<()> {
    target::authority(&args.upstream)?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_max_idle_per_host(1024)
        .build(connector);
    let rows = match &args.sqlite {
        Some(path) => Some(Rows::open(path).await?),
        None => None,
    };
    let name = if rows.is_some() { "proxy with SQLite" } else { "proxy" };
    let proxy = Proxy { client, upstream: args.upstream.trim_end_matches('/').to_owned(), rows };
    serve(args.listen, name, move |request| {
        let proxy = proxy.clone();
        async move {
            match proxy.pass(request).await {
                Ok(response) => response,
                Err(fault) => {
                    eprintln!("{fault:#}");
                    answer(502, "text/plain", full("the upstream did not answer"))
                }
            }
        }
    })
    .await
}

impl Proxy {
    async fn pass(&self, request: Request<Incoming>) -> Result<Response<Body>> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        if path == "/ready" {
            return Ok(answer(200, "application/json", full(r#"{"status":"ready"}"#)));
        }
        let uri = format!("{}{path}", self.upstream).parse::<Uri>()?;
        let (head, body) = request.into_parts();
        let onward = Request::builder().method(head.method).uri(uri);
        let onward = match head.headers.get(CONTENT_TYPE) {
            Some(media) => onward.header(CONTENT_TYPE, media),
            None => onward,
        };
        let Some(rows) = &self.rows else {
            let response = self.client.request(onward.body(body.boxed())?).await?;
            return Ok(response.map(BodyExt::boxed));
        };
        let question = body.collect().await?.to_bytes();
        let asked = question_of(&question)?;
        let onward = onward.body(Full::new(question).map_err(|never| match never {}).boxed())?;
        let response = self.client.request(onward).await?;
        let streams = response.headers().get(CONTENT_TYPE).is_some_and(|media| media == "text/event-stream");
        if streams {
            let rows = rows.clone();
            return Ok(response.map(|body| stored_stream(rows, asked, body)));
        }
        let (head, body) = response.into_parts();
        let bytes = body.collect().await?.to_bytes();
        rows.store(asked, answer_of(&bytes)?).await?;
        Ok(Response::from_parts(head, full(bytes)))
    }
}

/// Passes each piece on at once, and stores both messages before the last one.
fn stored_stream(rows: Rows, asked: String, body: Incoming) -> Body {
    struct Passing {
        rows: Rows,
        asked: String,
        text: String,
        body: Incoming,
        stored: bool,
    }
    let start = Passing { rows, asked, text: String::new(), body, stored: false };
    let frames = stream::unfold(start, |mut passing| async move {
        if passing.stored {
            return None;
        }
        let frame = match passing.body.frame().await? {
            Ok(frame) => frame,
            Err(fault) => return Some((Err(fault), passing)),
        };
        let bytes = frame.into_data().unwrap_or_default();
        gather(&bytes, &mut passing.text);
        if bytes.ends_with(b"data: [DONE]\n\n") || passing.body.is_end_stream() {
            passing.stored = true;
            let (asked, text) = (std::mem::take(&mut passing.asked), std::mem::take(&mut passing.text));
            if let Err(fault) = passing.rows.store(asked, text).await {
                // Not stored, so not finished: the reader sees a stream without its end.
                eprintln!("{fault:#}");
                return None;
            }
        }
        Some((Ok::<_, hyper::Error>(Frame::data(bytes)), passing))
    });
    BodyExt::boxed(StreamBody::new(frames))
}

#[derive(Deserialize)]
struct Question {
    messages: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    content: String,
}

#[derive(Deserialize)]
struct Answered {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Option<Said>,
    delta: Option<Delta>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
}

fn question_of(bytes: &[u8]) -> Result<String> {
    let question: Question = serde_json::from_slice(bytes).context("the question is no JSON")?;
    question.messages.into_iter().next_back().map(|said| said.content).context("the question is empty")
}

fn answer_of(bytes: &[u8]) -> Result<String> {
    let answered: Answered = serde_json::from_slice(bytes).context("the answer is no JSON")?;
    let choice = answered.choices.into_iter().next().context("the answer has no choice")?;
    choice.message.map(|said| said.content).context("the answer has no message")
}

/// Adds the text of the events in `bytes`. The mock never cuts an event, so neither does this have to.
fn gather(bytes: &Bytes, text: &mut String) {
    let whole = String::from_utf8_lossy(bytes);
    for line in whole.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let Ok(chunk) = serde_json::from_str::<Answered>(line) else { continue };
        let delta = chunk.choices.into_iter().next().and_then(|choice| choice.delta?.content);
        text.push_str(&delta.unwrap_or_default());
    }
}
