//! The Security Token Service: credentials in exchange for the token of another identity provider, and the question
//! who one is. It owns reading its answers, of which it wants a few plain texts.

use std::path::Path;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method};
use kernel::{Secret, Time};
use url::Url;
use url::form_urlencoded::Serializer;

use super::chain::{Aws, SMALL, small};
use super::config::{Config, WebIdentity};
use super::credentials::Credentials;
use super::failure::Failure;
use super::sign::{Paths, Scope};
use crate::outbound::{Client, Request};

const SERVICE: &str = "STS";
const VERSION: &str = "2011-06-15";
/// Larger files are no tokens.
const LARGEST_TOKEN: u64 = 64 << 10;

/// Who this server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account's number.
    pub account: String,
    /// The user or role.
    pub arn: String,
}

/// Exchanges the token for credentials. The request carries no signature: the token is the proof.
pub(super) async fn assume_role(
    client: &Client,
    config: &Config,
    identity: &WebIdentity,
) -> Result<Credentials, Failure> {
    let token = read_token(&identity.token_file).await?;
    let (url, _) = endpoint(config)?;
    let body = Serializer::new(String::new())
        .append_pair("Action", "AssumeRoleWithWebIdentity")
        .append_pair("Version", VERSION)
        .append_pair("RoleArn", &identity.role_arn)
        .append_pair("RoleSessionName", &identity.session_name)
        .append_pair("WebIdentityToken", token.expose())
        .finish();
    let (status, answer) = small(client, SERVICE, form(url, body)).await?;
    let answer = read(status, &answer)?;
    let missing = Failure::Garbage(SERVICE, "the answer holds no credentials");
    let expires = element(&answer, "Expiration").ok_or_else(|| missing.clone())?;
    Ok(Credentials {
        key_id: element(&answer, "AccessKeyId").ok_or_else(|| missing.clone())?,
        secret: Secret::new(element(&answer, "SecretAccessKey").ok_or_else(|| missing.clone())?),
        token: Some(Secret::new(element(&answer, "SessionToken").ok_or_else(|| missing.clone())?)),
        expires_at: Some(Time::parse_rfc3339(&expires).ok_or(missing)?),
    })
}

impl Aws {
    /// Who this server is, as Amazon sees it. Needs no permission.
    pub async fn caller(&self) -> Result<Caller, Failure> {
        let (url, region) = endpoint(&self.config())?;
        let body = format!("Action=GetCallerIdentity&Version={VERSION}");
        let scope = Scope { service: "sts", region: &region, paths: Paths::Tidied };
        let answer = self.call(SERVICE, form(url, body).within(SMALL), &scope).await?;
        let status = answer.status.as_u16();
        let body = answer.body.collect().await.map_err(|failure| Failure::Call(SERVICE, failure))?;
        let answer = read(status, &body).inspect_err(|failure| self.forget(failure))?;
        let part = |name| element(&answer, name).ok_or(Failure::Garbage(SERVICE, "the answer names nobody"));
        Ok(Caller { account: part("Account")?, arn: part("Arn")? })
    }
}

/// The service in the configured region; without one, the one for all regions, which signs as `us-east-1`.
fn endpoint(config: &Config) -> Result<(Url, String), Failure> {
    let none = Failure::Request("the region of AWS cannot be read");
    match &config.region {
        Some(region) => Ok((config.endpoint("sts", region).ok_or(none)?, region.clone())),
        None => {
            let mut url = config.endpoint("sts", "us-east-1").ok_or_else(|| none.clone())?;
            if url.host_str() == Some("sts.us-east-1.amazonaws.com") {
                url.set_host(Some("sts.amazonaws.com")).map_err(|_| none)?;
            }
            Ok((url, "us-east-1".to_owned()))
        }
    }
}

fn form(url: Url, body: String) -> Request {
    let mut headers = HeaderMap::new();
    headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8"));
    Request::new(Method::POST, url, headers, Bytes::from(body))
}

fn read(status: u16, body: &[u8]) -> Result<String, Failure> {
    let text = std::str::from_utf8(body).map_err(|_| Failure::Garbage(SERVICE, "the answer is no text"))?;
    match status {
        200 => Ok(text.to_owned()),
        status => Err(Failure::refused(SERVICE, status, &element(text, "Code").unwrap_or_default())),
    }
}

/// The text of the first element with this name. The answers that are read here hold plain texts, each under a name
/// that occurs once, so that no reader of XML is needed.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let text = text.trim();
    let plain = !text.is_empty() && !text.contains('<');
    plain.then(|| {
        let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
        entities.iter().fold(text.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
    })
}

/// Reads a token's file.
pub(super) async fn read_token(path: &Path) -> Result<Secret<String>, Failure> {
    let broken = |error: std::io::Error| Failure::TokenFile(error.kind());
    let about = tokio::fs::metadata(path).await.map_err(broken)?;
    if about.len() > LARGEST_TOKEN {
        return Err(Failure::TokenFile(std::io::ErrorKind::InvalidData));
    }
    let text = Secret::new(tokio::fs::read_to_string(path).await.map_err(broken)?);
    match text.expose().trim() {
        "" => Err(Failure::TokenFile(std::io::ErrorKind::UnexpectedEof)),
        token => Ok(Secret::new(token.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_plain_texts() {
        let xml = "<R xmlns=\"x\"><Credentials><SessionToken>a+b/c=&amp;lt;</SessionToken>\n<AccessKeyId> A </AccessKeyId></Credentials></R>";
        assert_eq!(element(xml, "SessionToken").unwrap(), "a+b/c=&lt;");
        assert_eq!(element(xml, "AccessKeyId").unwrap(), "A");
        for name in ["Credentials", "Nothing", "R"] {
            assert_eq!(element(xml, name), None, "{name}");
        }
        assert_eq!(element("<A><A>x</A>", "A"), None);
        assert_eq!(element("<A>", "A"), None);
    }

    #[test]
    fn without_a_region_the_service_for_all_regions_is_asked() {
        let (url, region) = endpoint(&Config::default()).unwrap();
        assert_eq!((url.as_str(), region.as_str()), ("https://sts.amazonaws.com/", "us-east-1"));
        let config = Config { region: Some("eu-west-1".to_owned()), ..Config::default() };
        assert_eq!(endpoint(&config).unwrap().0.as_str(), "https://sts.eu-west-1.amazonaws.com/");
    }
}
