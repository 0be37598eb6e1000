//! Amazon Bedrock: Converse and ConverseStream. It owns what is sent, how it is signed and how an answer is read.
//! It never retries, holds no credential longer than a call, and never passes on Bedrock's own words on errors.

pub(crate) mod frame;
mod refusal;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use guard::outbound::aws::{self, Aws, Credentials, Paths, Scope};
use guard::outbound::{Client, Request};
use http::{HeaderMap, HeaderValue, header::ACCEPT};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::call::{Media, Reply, send};
use crate::chat::{ChatRequest, Completion, estimate, estimate_input};
use crate::failure::{Denial, Failure};
use crate::provider::{Bounds, Probed, decode, encode, name};
use crate::reading::{Answer, Parser, Reading, TEXT, usage};
use frame::Frame;

/// Most bytes of an answer that does not stream.
const ANSWER: usize = 8 << 20;
/// The name under which requests to Bedrock are signed; its host has another one.
const SIGNED_AS: &str = "bedrock";

/// Bedrock in one region.
pub(crate) struct Runtime {
    region: String,
    endpoint: Url,
    client: Client,
    aws: Aws,
    /// Who this server was at Amazon when this was made.
    who: Arc<aws::Config>,
}

impl Runtime {
    /// Bedrock at this address.
    pub(crate) fn new(region: String, endpoint: Url, client: Client, aws: Aws) -> Runtime {
        let who = aws.config();
        Runtime { region, endpoint, client, aws, who }
    }

    /// Whether this is the same one, asked by the same.
    pub(crate) fn is(&self, region: &str, endpoint: &Url, aws: &Aws) -> bool {
        self.region == region && self.endpoint == *endpoint && *self.who == *aws.config()
    }

    /// One whole answer, within `limit`.
    pub(crate) async fn complete(
        &self,
        request: &ChatRequest,
        model: &str,
        bounds: Bounds,
        limit: Duration,
    ) -> Result<Completion, Failure> {
        let body = encode(&wire::Converse::new(request, bounds))?;
        let reply = self.post(model, "converse", body, limit).await?;
        if reply.media != Media::Json {
            return Err(Failure::Garbage("the answer is not JSON"));
        }
        read_completion(&reply.whole(ANSWER).await?, request, model)
    }

    /// The head of a streamed answer, all of which may take `limit`. Nothing of the answer itself has been read yet.
    pub(crate) async fn open(
        &self,
        request: &ChatRequest,
        model: &str,
        bounds: Bounds,
        limit: Duration,
    ) -> Result<Reading, Failure> {
        let body = encode(&wire::Converse::new(request, bounds))?;
        let reply = self.post(model, "converse-stream", body, limit).await?;
        if reply.media != Media::Frames {
            return Err(Failure::Garbage("the answer is no stream of events"));
        }
        let parser = Parser::Frames(frame::Reader::default());
        Ok(Reading::new(reply.body, parser, shown_name(model), estimate_input(request)))
    }

    /// Asks the model for one token: whether it may be asked is told by nothing less.
    pub(crate) async fn probe(&self, model: &str, limit: Duration) -> Probed {
        let source = self.aws.config().source();
        let asked = match encode(&wire::Converse::knock()) {
            Ok(body) => self.post(model, "converse", body, limit).await,
            Err(failure) => Err(failure),
        };
        let (status, say) = match asked {
            Ok(reply) if reply.media == Media::Json => {
                let say = format!("the model answers, asked with {source}");
                return Probed { ok: true, status: Some(reply.status), say };
            }
            Ok(reply) => {
                (Some(reply.status), "the answer is not of Bedrock: check BEDROCK_ENDPOINT".to_owned())
            }
            Err(Failure::Denied(denial)) => {
                let (what, fix) = denial.words();
                let fix = if fix.is_empty() { String::new() } else { format!(": {fix}") };
                (None, format!("{what}, asked with {source}{fix}"))
            }
            Err(Failure::Refused(status @ 400)) => {
                let say = "400: the model cannot be asked this way: check BEDROCK_MODEL, which for most new models \
                           is the id of an inference profile (`eu.…`, `us.…`)";
                (Some(status), say.to_owned())
            }
            Err(Failure::Busy(_)) => (Some(429), "429: Bedrock is busy, or the quota is used up".to_owned()),
            Err(Failure::Broken(status) | Failure::Refused(status)) => {
                (Some(status), format!("Bedrock answered with an error ({status}): check BEDROCK_ENDPOINT"))
            }
            Err(_) => (None, "no answer: check AWS_REGION, BEDROCK_ENDPOINT and the network".to_owned()),
        };
        Probed { ok: false, status, say }
    }

    /// Signs and posts. Credentials may have to be fetched first, which is part of the call.
    async fn post(&self, model: &str, action: &str, body: Bytes, limit: Duration) -> Result<Reply, Failure> {
        let until = Instant::now() + limit;
        let mut headers = HeaderMap::new();
        let accept =
            if action == "converse" { "application/json" } else { "application/vnd.amazon.eventstream" };
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        let mut request = Request::post_json(self.address(model, action), headers, body);
        let credentials = timeout_at(until, self.aws.credentials()).await;
        let credentials = credentials.map_err(|_| Failure::Slow("total"))?.map_err(denied)?;
        let scope = Scope { service: SIGNED_AS, region: &self.region, paths: Paths::Tidied };
        aws::sign(&mut request, &credentials, &scope, self.aws.now()).map_err(denied)?;
        let reply = send(&self.client, request, until.saturating_duration_since(Instant::now())).await?;
        if (200..300).contains(&reply.status) {
            return Ok(reply);
        }
        Err(self.refused(&reply, &credentials))
    }

    fn refused(&self, reply: &Reply, used: &Credentials) -> Failure {
        let code = reply.error.as_ref().and_then(|code| code.to_str().ok()).unwrap_or_default();
        let failure = refusal::of(code, reply.status, reply.retry_after);
        if matches!(failure, Failure::Denied(Denial::Expired | Denial::Key)) {
            self.aws.forget_used(used);
        }
        failure
    }

    /// `/model/{model}/{action}` below the endpoint. The whole model, with its `:` and `/`, is one segment.
    fn address(&self, model: &str, action: &str) -> Url {
        let mut url = self.endpoint.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/model/{}/{action}", aws::encode(model.as_bytes())));
        url.set_query(None);
        url
    }
}

fn denied(failure: aws::Failure) -> Failure {
    Failure::Denied(Denial::Source(failure))
}

/// A model's id as people may see it. An ARN holds the number of the account, so only its end is shown.
pub(crate) fn shown(model: &str) -> &str {
    if model.starts_with("arn:") { model.rsplit('/').next().unwrap_or_default() } else { model }
}

fn shown_name(model: &str) -> String {
    name(shown(model).to_owned())
}

fn read_completion(bytes: &[u8], request: &ChatRequest, model: &str) -> Result<Completion, Failure> {
    let answered: wire::Answered<'_> = decode(bytes)?;
    let mut finish = wire::reason(&answered.stop_reason)?;
    let mut text = String::new();
    for part in answered.output.message.content {
        text.push_str(part.text.as_ref().map_or("", |text| &text.0));
    }
    if text.len() > TEXT {
        text.truncate(text.floor_char_boundary(TEXT));
        finish = crate::chat::Finish::Length;
    }
    let counts = answered.usage.map(wire::Tokens::counts);
    let usage = usage(counts, || estimate_input(request), || estimate(&text));
    Ok(Completion { text, finish, usage, model: shown_name(model), quotes: Vec::new() })
}

/// One frame of a stream.
pub(crate) fn event(frame: &Frame<'_>, answer: &mut Answer) -> Result<(), Failure> {
    if answer.is_closed() {
        return Ok(());
    }
    match (frame.kind, frame.name) {
        ("event", "contentBlockDelta") => {
            let delta: wire::Delta<'_> = decode(frame.payload)?;
            if let Some(text) = delta.delta.text {
                answer.add(&text.0);
            }
        }
        ("event", "messageStop") => {
            let stopped: wire::Stopped<'_> = decode(frame.payload)?;
            answer.finish(wire::reason(&stopped.stop_reason)?);
        }
        ("event", "metadata") => {
            let metadata: wire::Metadata = decode(frame.payload)?;
            if let Some(usage) = metadata.usage {
                answer.count(usage.counts());
            }
            if answer.is_finished() {
                answer.close();
            }
        }
        // `messageStart`, the borders of blocks, and what Bedrock may add.
        ("event", _) => {}
        ("exception" | "error", code) => return Err(refusal::inside(code)),
        _ => return Err(Failure::Garbage("a frame is of an unknown kind")),
    }
    Ok(())
}
