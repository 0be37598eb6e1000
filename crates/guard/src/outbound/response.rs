//! What came back: status, headers, and the body as a stream with a cap on bytes and on time.
//! Dropping it closes the connection at once unless the body has been read to its end.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use http::{HeaderMap, StatusCode};
use http_body::Body as _;
use tokio::time::{Instant, Sleep};

use super::failure::{Failure, Step};

/// The answer to a request.
#[derive(Debug)]
pub struct Response {
    /// The status. Redirects are not followed: 3xx comes back as it is.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// The body of an answer: a stream of pieces as they arrive, never copied. After the first failure it ends.
#[derive(Debug)]
pub struct Body {
    /// Gone after the end or a failure, which closes the connection or gives it back for reuse.
    inner: Option<reqwest::Body>,
    left: u64,
    idle: Duration,
    deadline: Instant,
    /// Made when the body makes us wait for the first time; most small answers never do.
    alarm: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl Body {
    pub(super) fn new(inner: reqwest::Body, most: u64, idle: Duration, deadline: Instant) -> Body {
        Body { inner: Some(inner), left: most, idle, deadline, alarm: None, waiting: false }
    }

    /// The next piece; `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        self.next().await.transpose()
    }

    /// The whole rest. A body that came in one piece is given as it is, without a copy.
    pub async fn collect(mut self) -> Result<Bytes, Failure> {
        let Some(first) = self.chunk().await? else { return Ok(Bytes::new()) };
        let Some(second) = self.chunk().await? else { return Ok(first) };
        let mut whole = BytesMut::with_capacity((first.len() + second.len()) * 2);
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&second);
        while let Some(piece) = self.chunk().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    fn end(&mut self, failure: Failure) -> Poll<Option<Result<Bytes, Failure>>> {
        self.inner = None;
        Poll::Ready(Some(Err(failure)))
    }

    fn poll_alarm(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        let idle_end = Instant::now().checked_add(self.idle).unwrap_or(self.deadline);
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(self.deadline)));
        if !self.waiting {
            alarm.as_mut().reset(idle_end.min(self.deadline));
            self.waiting = true;
        }
        match alarm.as_mut().poll(context) {
            Poll::Ready(()) if Instant::now() >= self.deadline => Poll::Ready(Step::Total),
            Poll::Ready(()) => Poll::Ready(Step::Idle),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Stream for Body {
    type Item = Result<Bytes, Failure>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let body = self.get_mut();
        loop {
            let Some(inner) = body.inner.as_mut() else { return Poll::Ready(None) };
            let frame = match Pin::new(inner).poll_frame(context) {
                Poll::Pending => {
                    return match body.poll_alarm(context) {
                        Poll::Ready(step) => body.end(Failure::Timeout(step)),
                        Poll::Pending => Poll::Pending,
                    };
                }
                Poll::Ready(None) => {
                    body.inner = None;
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Err(error))) => {
                    let failure = Failure::of(error);
                    return body.end(failure);
                }
                Poll::Ready(Some(Ok(frame))) => frame,
            };
            body.waiting = false;
            // A peer that always has something ready would never let the alarm ring.
            if body.alarm.is_some() && Instant::now() >= body.deadline {
                return body.end(Failure::Timeout(Step::Total));
            }
            // Trailers are dropped, and so are empty pieces.
            let Ok(data) = frame.into_data() else { continue };
            if data.is_empty() {
                continue;
            }
            match body.left.checked_sub(data.len() as u64) {
                Some(left) => body.left = left,
                None => return body.end(Failure::TooLarge),
            }
            return Poll::Ready(Some(Ok(data)));
        }
    }
}
