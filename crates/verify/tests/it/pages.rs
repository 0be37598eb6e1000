//! The pages, styles and numbers of the mock deployment, with the faults planted in them.

use bytes::Bytes;
use hyper::Response;

use crate::api::who;
use crate::mock::{Asked, Body, Mock, full};

pub(crate) const ASSET: &str = "/static/app.0123456789abcdef.css";

pub(crate) fn asset(mock: &Mock) -> Response<Body> {
    let media = if mock.has("odd-assets") { "text/plain" } else { "text/css; charset=utf-8" };
    let kept = if mock.has("uncached-assets") { "no-cache" } else { "public, max-age=31536000, immutable" };
    Response::builder().header("content-type", media).header("cache-control", kept).body(full("b{}")).unwrap()
}

/// The gauges of the pool.
pub(crate) fn pool(mock: &Mock) -> String {
    let gauge = |state: &str, count: u32| format!("stoa_db_pool_connections{{state=\"{state}\"}} {count}\n");
    let (open, idle) = if mock.has("pool-in-use") { (10, 0) } else { (3, 2) };
    let waiting = if mock.has("pool-waits") { 4 } else { 0 };
    if mock.has("no-pool") {
        return String::new();
    }
    [("max", 10), ("open", open), ("idle", idle), ("waiting", waiting)]
        .map(|(name, count)| gauge(name, count))
        .concat()
}

pub(crate) fn page(mock: &Mock, asked: &Asked) -> Response<Body> {
    let caller = who(mock, asked).unwrap_or_default();
    let state = mock.state.lock().unwrap();
    let titles = state.talks.values().filter(|talk| talk.owner == caller).map(|talk| {
        if mock.has("raw-titles") { talk.title.clone() } else { talk.title.replace('<', "&lt;") }
    });
    let foreign =
        if mock.has("foreign-scripts") { "<script src=\"https://cdn.example/x.js\"></script>" } else { "" };
    let html =
        format!("<link rel=\"stylesheet\" href=\"{ASSET}\">{foreign}<ul>{}</ul>", titles.collect::<String>());
    let kept = if mock.has("cached-pages") { "public, max-age=600" } else { "no-store" };
    let builder = Response::builder().header("content-type", "text/html; charset=utf-8");
    builder.header("cache-control", kept).body(full(html)).unwrap()
}

pub(crate) fn compressed(mock: &Mock, asked: &Asked, text: String) -> Response<Body> {
    let coding = asked.header("accept-encoding");
    let mark: &[u8] = match coding {
        "gzip" => &[0x1f, 0x8b, 8],
        "zstd" => &[0x28, 0xb5, 0x2f, 0xfd],
        "br" => &[1],
        _ => &[],
    };
    let builder = Response::builder().header("content-type", "application/json");
    if mark.is_empty() || mock.has("never-compresses") || (mock.has("no-brotli") && coding == "br") {
        return builder.body(full(text)).unwrap();
    }
    let builder = if mock.has("no-vary") { builder } else { builder.header("vary", "accept-encoding") };
    builder.header("content-encoding", coding).body(full(Bytes::copy_from_slice(mark))).unwrap()
}
