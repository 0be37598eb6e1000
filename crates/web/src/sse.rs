//! Streams of events as CONTRACT section 4 names them. It owns their text form; the events come from `apps`.

use std::convert::Infallible;
use std::time::Duration;

use apps::{FinishReason, Numbered, StreamEvent, Subscription};
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::api::view::MessageView;

/// A comment is sent this often while nothing happens, so that proxies keep the connection.
const PING: Duration = Duration::from_secs(10);

/// An answer that gives out the events of a subscription as they come, encoded by `encode`.
pub(crate) fn respond(subscription: Subscription, encode: fn(u64, &StreamEvent) -> String) -> Response {
    let pieces = stream::unfold(Some(subscription), move |state| async move {
        let mut subscription = state?;
        tokio::select! {
            biased;
            events = subscription.next() => {
                let text: String = events?.iter().map(|(number, event)| encode(*number, event)).collect();
                Some((Ok::<_, Infallible>(Bytes::from(text)), Some(subscription)))
            }
            () = tokio::time::sleep(PING) => Some((Ok(Bytes::from_static(b": ping\n\n")), Some(subscription))),
        }
    });
    finish(Body::from_stream(pieces))
}

/// An answer that gives out a finished list of events.
pub(crate) fn replay(events: &[Numbered]) -> Response {
    finish(Body::from(events.iter().map(|(number, event)| encode(*number, event)).collect::<String>()))
}

fn finish(body: Body) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform")),
    ];
    let mut response = (headers, body).into_response();
    // nginx holds streams back unless told otherwise.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// One event: its number as id, its name, its data as one line of JSON.
pub(crate) fn encode(number: u64, event: &StreamEvent) -> String {
    let (name, data) = describe(event);
    format!("id: {number}\nevent: {name}\ndata: {data}\n\n")
}

fn describe(event: &StreamEvent) -> (&'static str, Value) {
    match event {
        StreamEvent::Message { conversation_id, user_message, message } => (
            "message",
            json!({
                "conversation_id": conversation_id,
                "user_message": MessageView::from(user_message.as_ref()),
                "message": MessageView::from(message.as_ref()),
            }),
        ),
        StreamEvent::Delta(text) => ("delta", json!({ "text": text.as_ref() })),
        StreamEvent::Citation(citation) => ("citation", citation.clone()),
        StreamEvent::Done(message) => (
            "done",
            json!({
                "message_id": message.id,
                "finish_reason": message.finish_reason.map(FinishReason::as_str),
                "model": message.model,
                "usage": {
                    "input_tokens": message.input_tokens.unwrap_or(0),
                    "output_tokens": message.output_tokens.unwrap_or(0),
                },
            }),
        ),
        StreamEvent::Error { code, detail, message } => (
            "error",
            json!({
                "code": code.as_str(),
                "title": code.title(),
                "detail": detail.as_ref(),
                "message_id": message.id,
                "finish_reason": message.finish_reason.map(FinishReason::as_str),
            }),
        ),
    }
}

/// The number in `Last-Event-ID`, after which a reader goes on.
pub(crate) fn last_event(headers: &http::HeaderMap) -> Option<u64> {
    headers.get("last-event-id")?.to_str().ok()?.trim().parse().ok()
}

/// Whether the caller asked for a stream of events.
pub(crate) fn wanted(headers: &http::HeaderMap) -> bool {
    headers
        .get_all(http::header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|accept| accept.contains("text/event-stream"))
}
