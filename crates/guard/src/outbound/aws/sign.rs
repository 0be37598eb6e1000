//! Signature Version 4: the canonical form of a request, the key of the day, the `Authorization` header.
//! It owns no credential and sends nothing.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue};
use kernel::{Secret, Time};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::credentials::Credentials;
use super::failure::Failure;
use crate::outbound::Request;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const CONTENT: HeaderName = HeaderName::from_static("x-amz-content-sha256");
/// What a proxy or the client may change on the way is not signed.
const UNSIGNED: [&str; 6] =
    ["authorization", "connection", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"];

/// What a signature is good for.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The name under which the service signs: `secretsmanager`, `bedrock`.
    pub service: &'a str,
    /// The region.
    pub region: &'a str,
    /// How the service reads paths.
    pub paths: Paths,
}

/// How a service reads paths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Paths {
    /// Empty segments are dropped and every segment is encoded once more: all services but S3.
    Tidied,
    /// As it is sent: S3, where two names that differ in a slash are two objects. The body's hash goes along.
    Kept,
}

/// Signs a request: adds the date, the token of temporary credentials and the signature to its headers. All other
/// headers must be there before; the time must be right within five minutes.
pub fn sign(
    request: &mut Request,
    credentials: &Credentials,
    scope: &Scope<'_>,
    at: Time,
) -> Result<(), Failure> {
    let stamp: String = at.rfc3339_seconds().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let text = |text: &str| {
        HeaderValue::from_str(text)
            .map_err(|_| Failure::Request("a credential holds what no header can carry"))
    };
    request.headers.insert(DATE, text(&stamp)?);
    match &credentials.token {
        Some(token) => request.headers.insert(TOKEN, sensitive(text(token.expose())?)),
        None => request.headers.remove(TOKEN),
    };
    let body = hex(&Sha256::digest(&request.body));
    if scope.paths == Paths::Kept {
        request.headers.insert(CONTENT, text(&body)?);
    }
    let (canonical, names) = canonical(request, scope.paths, &body)?;
    let day = stamp.get(..8).unwrap_or_default();
    let place = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let to_sign = format!("{ALGORITHM}\n{stamp}\n{place}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let key = key(credentials.secret.expose(), [day, scope.region, scope.service, "aws4_request"]);
    let signature = hex(&keyed(&key, to_sign.as_bytes()));
    let line = format!(
        "{ALGORITHM} Credential={}/{place}, SignedHeaders={names}, Signature={signature}",
        credentials.key_id
    );
    request.headers.insert(AUTHORIZATION, sensitive(text(&line)?));
    Ok(())
}

fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

/// The key of one day, region and service.
fn key(secret: &str, steps: [&str; 4]) -> [u8; 32] {
    let [day, rest @ ..] = steps;
    let begin = Secret::new(format!("AWS4{secret}"));
    let first = keyed(begin.expose().as_bytes(), day.as_bytes());
    rest.into_iter().fold(first, |key, step| keyed(&key, step.as_bytes()))
}

fn keyed(key: &[u8], text: &[u8]) -> [u8; 32] {
    // HMAC takes keys of every length; the other arm is there for the type alone.
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(text);
            mac.finalize().into_bytes().into()
        }
        Err(_) => [0; 32],
    }
}

/// The canonical form of a request, and the names of the headers that it holds.
fn canonical(request: &Request, paths: Paths, body: &str) -> Result<(String, String), Failure> {
    let mut headers: Vec<(&str, String)> = Vec::with_capacity(request.headers.len() + 1);
    for name in request.headers.keys().map(HeaderName::as_str) {
        if UNSIGNED.contains(&name) || name == HOST.as_str() {
            continue;
        }
        let values: Result<Vec<String>, Failure> = request
            .headers
            .get_all(name)
            .iter()
            .map(|value| value.to_str().map(trimmed).map_err(|_| Failure::Request("a header is no text")))
            .collect();
        headers.push((name, values?.join(",")));
    }
    headers.push((HOST.as_str(), host(&request.url)?));
    headers.sort();
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let mut text = format!("{}\n{}\n{}\n", request.method, path(&request.url, paths), query(&request.url));
    for (name, value) in &headers {
        text.push_str(&format!("{name}:{value}\n"));
    }
    text.push_str(&format!("\n{names}\n{body}"));
    Ok((text, names))
}

/// A value without spaces at its ends, and one space where there were several.
fn trimmed(value: &str) -> String {
    value.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The host as the client will send it.
fn host(url: &Url) -> Result<String, Failure> {
    let host = url.host_str().ok_or(Failure::Request("the address names no host"))?;
    Ok(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// `Url` has encoded the path once and resolved its dots already.
fn path(url: &Url, paths: Paths) -> String {
    match paths {
        Paths::Kept => url.path().split('/').map(|part| encode(&decode(part))).collect::<Vec<_>>().join("/"),
        Paths::Tidied => {
            let parts: Vec<&str> = url.path().split('/').filter(|part| !part.is_empty()).collect();
            let end = if url.path().ends_with('/') && !parts.is_empty() { "/" } else { "" };
            let parts: Vec<String> = parts.into_iter().map(|part| encode(part.as_bytes())).collect();
            format!("/{}{end}", parts.join("/"))
        }
    }
}

/// The pairs of the query, each encoded in the one way, sorted.
fn query(url: &Url) -> String {
    let mut pairs: Vec<(String, String)> = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encode(&decode(name)), encode(&decode(value)))
        })
        .collect();
    pairs.sort();
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Undoes `%XX`; everything else stays, `+` too.
fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits =
            after.get(..2).filter(|_| *first == b'%').and_then(|pair| std::str::from_utf8(pair).ok());
        match digits.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

/// Encodes all but the unreserved characters of RFC 3986: what a name must look like as one segment of a path.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(*byte))
            }
            other => {
                let _ = write!(text, "%{other:02X}");
            }
        }
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
