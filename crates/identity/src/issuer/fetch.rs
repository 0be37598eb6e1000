//! Reads what an issuer publishes: small JSON documents, at addresses that the operator configured or the issuer's own
//! document names. It never follows a redirect and never keeps anything.

use std::time::Duration;

use bytes::Bytes;
use guard::outbound::{Bounds, Outbound, Request, Response};
use http::header::{ACCEPT, AGE, CACHE_CONTROL};
use http::{HeaderMap, HeaderValue, StatusCode};
use url::Url;

use super::cached::UNSAID;

/// For one document. People wait for it.
pub(crate) const BOUNDS: Bounds = Bounds {
    first_byte: Duration::from_secs(5),
    idle: Duration::from_secs(5),
    total: Duration::from_secs(10),
    bytes: 512 * 1024,
};

/// A document, and how long its publisher wants it kept.
pub(crate) async fn document(outbound: &Outbound, url: &Url) -> Result<(Bytes, Duration), String> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let request = Request::get(url.clone(), headers).within(BOUNDS);
    let answer = outbound.operator().send(request).await.map_err(|failure| failure.to_string())?;
    let keep = freshness(&answer.headers);
    Ok((body(answer).await?, keep))
}

/// The body of an answer with status 200.
pub(crate) async fn body(answer: Response) -> Result<Bytes, String> {
    if answer.status != StatusCode::OK {
        return Err(format!("it answered with status {}", answer.status.as_u16()));
    }
    answer.body.collect().await.map_err(|failure| failure.to_string())
}

/// `max-age` less the time that the answer has spent in caches on its way (RFC 9111, section 4.2). What must not be
/// kept is kept for nothing, which the bounds of the cache make a minute.
fn freshness(headers: &HeaderMap) -> Duration {
    let mut span = None;
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    for directive in values.flat_map(|value| value.split(',')) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return Duration::ZERO,
            "max-age" => {
                let seconds = value.trim().trim_matches('"').parse().unwrap_or(0);
                span = Some(Duration::from_secs(seconds));
            }
            _ => {}
        }
    }
    let seconds = |value: &HeaderValue| value.to_str().ok()?.trim().parse().ok();
    let age = headers.get(AGE).and_then(seconds).map_or(Duration::ZERO, Duration::from_secs);
    span.map_or(UNSAID, |span| span.saturating_sub(age))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeps(lines: &[(&'static str, &'static str)]) -> u64 {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        freshness(&headers).as_secs()
    }

    #[test]
    fn the_publisher_says_how_long() {
        assert_eq!(
            keeps(&[("cache-control", "public, max-age=21600, must-revalidate, no-transform")]),
            21_600
        );
        assert_eq!(keeps(&[("cache-control", "public"), ("cache-control", "Max-Age=\"90\"")]), 90);
        assert_eq!(keeps(&[("cache-control", "max-age=600"), ("age", "250")]), 350);
        assert_eq!(keeps(&[("cache-control", "max-age=600"), ("age", "9999")]), 0);
        assert_eq!(keeps(&[("cache-control", "max-age=600, no-store")]), 0);
        assert_eq!(keeps(&[("cache-control", "no-cache")]), 0);
        assert_eq!(keeps(&[("cache-control", "max-age=soon")]), 0);
        assert_eq!(keeps(&[("cache-control", "public")]), UNSAID.as_secs());
        assert_eq!(keeps(&[]), UNSAID.as_secs());
        assert_eq!(keeps(&[("cache-control", "max-age=18446744073709551615")]), u64::MAX);
    }
}
