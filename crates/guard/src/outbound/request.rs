//! What is sent to the outside, and the bounds of the call. It never connects.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use url::Url;

/// The bounds of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Until the head of the answer has come, connecting included.
    pub first_byte: Duration,
    /// Between two pieces of the body.
    pub idle: Duration,
    /// For the whole call.
    pub total: Duration,
    /// The most bytes of the body.
    pub bytes: u64,
}

impl Bounds {
    /// For services of the operator: 30 s to the head, 60 s between pieces, 15 min in all, 64 MiB.
    pub const OPERATOR: Bounds = Bounds {
        first_byte: Duration::from_secs(30),
        idle: Duration::from_secs(60),
        total: Duration::from_secs(900),
        bytes: 64 << 20,
    };

    /// For addresses from users and documents, where no call may ask for more: 10 s to the head, 5 s between pieces,
    /// 30 s in all, 16 MiB.
    pub const PUBLIC: Bounds = Bounds {
        first_byte: Duration::from_secs(10),
        idle: Duration::from_secs(5),
        total: Duration::from_secs(30),
        bytes: 16 << 20,
    };

    /// The tighter of both in every respect.
    #[must_use]
    pub fn and(self, other: Bounds) -> Bounds {
        Bounds {
            first_byte: self.first_byte.min(other.first_byte),
            idle: self.idle.min(other.idle),
            total: self.total.min(other.total),
            bytes: self.bytes.min(other.bytes),
        }
    }
}

/// A request to the outside.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) bounds: Bounds,
    pub(super) traced: bool,
}

impl Request {
    /// A request with this method, within [`Bounds::OPERATOR`] unless said otherwise.
    pub fn new(method: Method, url: Url, headers: HeaderMap, body: Bytes) -> Request {
        Request { method, url, headers, body, bounds: Bounds::OPERATOR, traced: false }
    }

    /// A GET.
    pub fn get(url: Url, headers: HeaderMap) -> Request {
        Request::new(Method::GET, url, headers, Bytes::new())
    }

    /// A POST of JSON that has been encoded already. `headers` carries the credential, marked as sensitive.
    pub fn post_json(url: Url, mut headers: HeaderMap, body: Bytes) -> Request {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Request::new(Method::POST, url, headers, body)
    }

    /// Part of a trace: where the operator wants it, the other side is told which.
    #[must_use]
    pub fn traced(mut self) -> Request {
        self.traced = true;
        self
    }

    /// With these bounds. The public face tightens them to its own.
    #[must_use]
    pub fn within(mut self, bounds: Bounds) -> Request {
        self.bounds = bounds;
        self
    }
}
