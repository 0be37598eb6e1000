//! One call to a provider: a request through the one HTTP client of the server, and the head of the answer in our
//! words. It never retries, and it reads no more of a body than it is told to.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use guard::outbound::{Body, Bounds, Client, Failure as Broken, Request, Step};
use http::HeaderValue;
use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};

use crate::failure::Failure;

/// Most bytes of any answer. A long stream is many times larger than its text.
const MOST: u64 = 128 << 20;
/// Where Amazon writes what is wrong.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// The head of an answer, with a body that has not been read. Dropping it closes the connection.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) media: Media,
    pub(crate) retry_after: Option<Duration>,
    /// Amazon's name for what is wrong, as it was written.
    pub(crate) error: Option<HeaderValue>,
    pub(crate) body: Body,
}

/// What an answer says it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Media {
    Json,
    /// Server-sent events.
    Events,
    /// Frames of Amazon's event streams.
    Frames,
    Other,
}

/// Sends a request. The whole call may take `limit`.
pub(crate) async fn send(client: &Client, request: Request, limit: Duration) -> Result<Reply, Failure> {
    // What the steps may take is decided where pieces are understood: a comment is no sign of life.
    let bounds = Bounds { first_byte: limit, idle: limit, total: limit, bytes: MOST };
    let answer = match client.send(request.within(bounds).traced()).await {
        Ok(answer) => answer,
        Err(Broken::Timeout(Step::FirstByte | Step::Idle | Step::Total)) => {
            return Err(Failure::Slow("total"));
        }
        Err(Broken::TooLarge) => return Err(Failure::Garbage("the answer is too long")),
        Err(broken) => return Err(Failure::Connect(broken.to_string())),
    };
    let text = |name| answer.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    Ok(Reply {
        status: answer.status.as_u16(),
        media: Media::of(text(CONTENT_TYPE)),
        retry_after: retry_after(text(RETRY_AFTER)),
        error: answer.headers.get(ERROR_TYPE).cloned(),
        body: answer.body,
    })
}

impl Reply {
    /// The same reply if its status says that it is an answer.
    pub(crate) fn successful(self) -> Result<Reply, Failure> {
        match self.status {
            200..=299 => Ok(self),
            429 => Err(Failure::Busy(self.retry_after)),
            status @ 500.. => Err(Failure::Broken(status)),
            status => Err(Failure::Refused(status)),
        }
    }

    /// The whole body, at most `most` bytes. One that comes in one piece is not copied.
    pub(crate) async fn whole(mut self, most: usize) -> Result<Bytes, Failure> {
        let mut next = async || self.body.chunk().await.map_err(inside);
        let Some(first) = next().await? else { return Ok(Bytes::new()) };
        let Some(second) = next().await? else { return Ok(first) };
        let mut whole = BytesMut::from(first);
        whole.extend_from_slice(&second);
        while whole.len() <= most {
            match next().await? {
                Some(more) => whole.extend_from_slice(&more),
                None => return Ok(whole.freeze()),
            }
        }
        Err(Failure::Garbage("the answer is too long"))
    }
}

/// A failure after the head of an answer has come.
pub(crate) fn inside(broken: Broken) -> Failure {
    match broken {
        Broken::Timeout(_) => Failure::Slow("total"),
        Broken::TooLarge => Failure::Garbage("the answer is too long"),
        _ => Failure::Garbage("the connection broke inside of the answer"),
    }
}

impl Media {
    /// From a `Content-Type`; nothing and nonsense are `Other`.
    fn of(content_type: Option<&str>) -> Media {
        let name = content_type.and_then(|name| name.split(';').next()).unwrap_or("").trim();
        if name.eq_ignore_ascii_case("text/event-stream") {
            Media::Events
        } else if name.eq_ignore_ascii_case("application/vnd.amazon.eventstream") {
            Media::Frames
        } else if name.eq_ignore_ascii_case("application/json")
            || name.to_ascii_lowercase().ends_with("+json")
        {
            Media::Json
        } else {
            Media::Other
        }
    }
}

/// The wait that a `Retry-After` in seconds asks for. (Its other form, a date, is rare here and taken for none.)
fn retry_after(value: Option<&str>) -> Option<Duration> {
    value?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_read_generously() {
        for (given, media) in [
            (Some("application/json; charset=utf-8"), Media::Json),
            (Some("Application/problem+JSON"), Media::Json),
            (Some(" text/event-stream;x"), Media::Events),
            (Some("application/vnd.amazon.eventstream"), Media::Frames),
            (Some("text/html"), Media::Other),
            (Some(""), Media::Other),
            (None, Media::Other),
        ] {
            assert_eq!(Media::of(given), media, "{given:?}");
        }
    }

    #[test]
    fn only_whole_seconds_are_waited_for() {
        assert_eq!(retry_after(Some(" 3 ")), Some(Duration::from_secs(3)));
        for odd in [None, Some("-1"), Some("1.5"), Some("soon"), Some("Wed, 21 Oct 2026 07:28:00 GMT")] {
            assert_eq!(retry_after(odd), None);
        }
    }
}
