//! The way to one provider of the OpenAI protocol: the client, and the key for this provider's host alone.
//! It never sends the key elsewhere.

use std::time::Duration;

use bytes::Bytes;
use guard::outbound::{Client, Request};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use kernel::Secret;
use url::Url;

use crate::call::{Reply, send};
use crate::failure::Failure;

/// The client with the key.
pub(crate) struct Line {
    client: Client,
    headers: HeaderMap,
}

impl Line {
    /// A line with this key, which goes along as a bearer token.
    pub(crate) fn new(client: Client, key: Option<&Secret<String>>) -> Line {
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            match HeaderValue::from_str(&format!("Bearer {}", key.expose())) {
                Ok(mut value) => {
                    value.set_sensitive(true);
                    headers.insert(AUTHORIZATION, value);
                }
                Err(_) => tracing::error!(
                    "OPENAI_API_KEY holds characters that a header cannot carry; calls go without a key"
                ),
            }
        }
        Line { client, headers }
    }

    /// Posts JSON. The whole call may take `limit`.
    pub(crate) async fn post(&self, url: &Url, body: Bytes, limit: Duration) -> Result<Reply, Failure> {
        send(&self.client, Request::post_json(url.clone(), self.headers.clone(), body), limit).await
    }

    /// Gets JSON.
    pub(crate) async fn get(&self, url: &Url, limit: Duration) -> Result<Reply, Failure> {
        send(&self.client, Request::get(url.clone(), self.headers.clone()), limit).await
    }
}
