//! What the front of the server allows. Values are valid already: `server::settings` made them.

use http::{HeaderName, Method};
use ipnet::IpNet;
use url::Url;

/// What the front of the server allows.
#[derive(Clone, Debug)]
pub struct Config {
    /// Host names that are served, in lower case without port; `*.example.com` stands for every name below it.
    /// `None`: any well-formed host. Loopback names are always added outside of production.
    pub allowed_hosts: Option<Vec<String>>,
    /// Peers whose `X-Forwarded-*` headers count.
    pub trusted_proxies: Vec<IpNet>,
    /// Plain HTTP is redirected or refused.
    pub enforce_https: bool,
    /// Where people reach the server; target of redirects.
    pub public_url: Option<Url>,
    /// Which other origins may call.
    pub cors: Cors,
    /// How large bodies may be.
    pub bodies: BodyLimits,
}

/// Which other origins may call, and how.
#[derive(Clone, Debug, Default)]
pub struct Cors {
    /// Exact origins (`https://app.example.com`), in lower case, without a trailing slash.
    pub origins: Vec<String>,
    /// Methods named in a preflight answer.
    pub methods: Vec<Method>,
    /// Request headers named in a preflight answer.
    pub headers: Vec<HeaderName>,
}

/// Largest bodies in bytes, counted after decompression (row K4 of the requirements).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// JSON bodies.
    pub json: u64,
    /// Other bodies.
    pub other: u64,
    /// One uploaded file.
    pub file: u64,
}
