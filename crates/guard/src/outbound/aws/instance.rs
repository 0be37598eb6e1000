//! The credentials of the instance's role, from its metadata service, version 2: a token first, then the role, then
//! its credentials. Version 1, which any request that is made to fetch an address can read, is never spoken.

use http::{HeaderMap, HeaderValue, Method};
use url::Url;

use super::chain::small;
use super::credentials::Credentials;
use super::failure::Failure;
use crate::outbound::{Client, Request};

const AGENT: &str = "the instance's metadata";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

/// Asks the metadata service.
pub(super) async fn credentials(client: &Client, metadata: &Url) -> Result<Credentials, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert("x-aws-ec2-metadata-token-ttl-seconds", HeaderValue::from_static("300"));
    let put = Request::new(Method::PUT, at(metadata, "/latest/api/token"), headers, bytes::Bytes::new());
    let token = text(small(client, AGENT, put).await?)?;
    let mut value =
        HeaderValue::from_str(&token).map_err(|_| Failure::Garbage(AGENT, "the token cannot be read"))?;
    value.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert("x-aws-ec2-metadata-token", value);
    let listed = match small(client, AGENT, Request::get(at(metadata, ROLES), headers.clone())).await? {
        // There is a metadata service, and the instance has no role.
        (404, _) => return Err(Failure::NoCredentials),
        answer => text(answer)?,
    };
    let role = listed.lines().next().map(str::trim).unwrap_or_default();
    let plain =
        !role.is_empty() && role.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b));
    if !plain {
        return Err(Failure::Garbage(AGENT, "the name of the role cannot be read"));
    }
    let (status, body) =
        small(client, AGENT, Request::get(at(metadata, &format!("{ROLES}{role}")), headers)).await?;
    match status {
        200 => Credentials::read(AGENT, &body),
        status => Err(Failure::refused(AGENT, status, "")),
    }
}

fn at(metadata: &Url, path: &str) -> Url {
    let mut url = metadata.clone();
    url.set_path(path);
    url
}

fn text((status, body): (u16, bytes::Bytes)) -> Result<String, Failure> {
    if status != 200 {
        return Err(Failure::refused(AGENT, status, ""));
    }
    match std::str::from_utf8(&body) {
        Ok(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        _ => Err(Failure::Garbage(AGENT, "the answer is no text")),
    }
}
