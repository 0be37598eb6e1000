//! The layer that honours `Idempotency-Key` on every POST: the same key and body get the same answer once.
//! A stream is kept as the answer it wrote, and replayed from there.

use apps::{Once, StoredAnswer, StreamEvent, Subscription};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::BodyExt as _;
use identity::ConversationRead;
use kernel::{Code, ConversationId, Fault, MessageId};
use tracing::Instrument as _;

use crate::failure::{Failure, Outcome};
use crate::who::Who;
use crate::{Site, body, sse};

/// The header.
pub(crate) const HEADER: &str = "idempotency-key";
const EVENT_STREAM: &str = "text/event-stream";

/// Says in the extensions of an answer which stored message its stream writes.
#[derive(Clone, Copy)]
struct StreamOf(ConversationId, MessageId);

/// An answer that streams, told apart for this layer.
pub(crate) fn streamed(reader: Subscription, encode: fn(u64, &StreamEvent) -> String) -> Response {
    let mark = StreamOf(reader.conversation(), reader.message());
    let mut response = sse::respond(reader, encode);
    response.extensions_mut().insert(mark);
    response
}

/// The layer. Requests without the header pass untouched.
pub(crate) async fn once(State(site): State<Site>, request: Request, next: Next) -> Response {
    if *request.method() != Method::POST || !request.headers().contains_key(HEADER) {
        return next.run(request).await;
    }
    // In a box: requests without the header need no room for it.
    Box::pin(keyed(site, request, next)).await.unwrap_or_else(Failure::into_response)
}

async fn keyed(site: Site, request: Request, next: Next) -> Outcome<Response> {
    let who = request.extensions().get::<Who>().cloned().ok_or(Failure::from(Code::Unauthenticated))?;
    let key =
        request.headers().get(HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (parts, payload) = request.into_parts();
    let limits = site.front.body_limits();
    let payload =
        body::read(Request::from_parts(parts.clone(), payload), limits.json.max(limits.other)).await?;
    let fingerprint = fingerprint(&parts, &payload);
    let claim = match site.hall.once(&who.principal, &key, &fingerprint).await? {
        Once::Do(claim) => claim,
        Once::Done(answer) => return again(&site, &who, answer).await,
    };
    // In a task of its own: a caller that goes away must not leave the key claimed for ever.
    let work = async move {
        let response = next.run(Request::from_parts(parts, Body::from(payload))).await;
        keep(claim, response).await
    };
    tokio::spawn(work.in_current_span()).await.map_err(|panic| Failure::from(Fault::internal(panic)))?
}

/// Keeps what will be the same next time: successes. A failure gives the key back.
pub(crate) async fn keep(claim: apps::Claim, response: Response) -> Outcome<Response> {
    if !response.status().is_success() {
        claim.release().await?;
        return Ok(response);
    }
    if let Some(StreamOf(conversation, message)) = response.extensions().get::<StreamOf>().copied() {
        let body = format!("{conversation} {message}").into_bytes();
        let status = response.status().as_u16();
        claim.keep(StoredAnswer { status, body, content_type: EVENT_STREAM.to_owned() }).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map_err(|error| Fault::internal(error.to_string()))?.to_bytes();
    let content_type =
        parts.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    claim.keep(StoredAnswer { status: parts.status.as_u16(), body: bytes.to_vec(), content_type }).await?;
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// The answer of the first time.
pub(crate) async fn again(site: &Site, who: &Who, answer: StoredAnswer) -> Outcome<Response> {
    let mut response = if answer.content_type == EVENT_STREAM {
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let (conversation, message) =
            text.split_once(' ').ok_or_else(|| Fault::internal("a kept stream is malformed"))?;
        let (conversation, message) = (ConversationId::parse(conversation)?, MessageId::parse(message)?);
        let may = who.may(site, ConversationRead)?;
        match site.hall.resume(&may, conversation, None).await? {
            Some(reader) if reader.message() == message => sse::respond(reader, sse::encode),
            _ => sse::replay(&site.hall.replay(&may, conversation, Some(message), None).await?),
        }
    } else {
        let mut response = Response::new(Body::from(answer.body));
        if let Ok(value) = HeaderValue::from_str(&answer.content_type) {
            response.headers_mut().insert(CONTENT_TYPE, value);
        }
        response
    };
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    Ok(response)
}

fn fingerprint(parts: &http::request::Parts, body: &Bytes) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [parts.method.as_str(), parts.uri.path()] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.update(body);
    hasher.finalize().to_hex().to_string()
}
