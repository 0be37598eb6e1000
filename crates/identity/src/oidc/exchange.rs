//! The code for tokens, at the issuer's own address. It never shows an answer of the issuer to anybody.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use guard::outbound::{Outbound, Request};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use kernel::{Code, Fault, Result, Secret};
use ring::digest::{Algorithm as Hash, SHA256, SHA512, digest};
use serde_json::Value;
use subtle::ConstantTimeEq as _;
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::issuer::fetch::{BOUNDS, body};
use crate::issuer::metadata::Metadata;
use crate::issuer::{IdClaims, Issuer};

/// What the issuer gave for the code.
pub(super) struct Tokens {
    pub(super) id_token: Secret<String>,
    pub(super) access_token: Option<Secret<String>>,
}

/// Exchanges a code. The client shows who it is by `client_secret_basic` (by `client_secret_post` where the issuer
/// knows only that), or by PKCE alone when it has no secret.
pub(super) async fn code(
    outbound: &Outbound,
    issuer: &Issuer,
    metadata: &Metadata,
    code: &str,
    redirect_uri: &str,
    verifier: &str,
) -> Result<Tokens> {
    let away = |why: &'static str| Fault::new(Code::Unavailable).because(why);
    let client = issuer.client().ok_or(Code::NotFound)?;
    let endpoint =
        metadata.token_endpoint.clone().ok_or_else(|| away("the issuer names no place for codes"))?;
    let mut headers = HeaderMap::new();
    // In a block: the serializer must not be held while the answer is awaited, it cannot go to another thread.
    let text = {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("code_verifier", verifier);
        match &client.secret {
            Some(secret) if metadata.secret_in_body => {
                form.append_pair("client_id", &client.id).append_pair("client_secret", secret.expose());
            }
            Some(secret) => {
                headers.insert(AUTHORIZATION, basic(&client.id, secret)?);
            }
            None => {
                form.append_pair("client_id", &client.id);
            }
        }
        form.finish()
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let request = Request::new(Method::POST, endpoint, headers, Bytes::from(text)).within(BOUNDS);
    let answer = outbound.operator().send(request).await.map_err(|failure| {
        tracing::warn!(issuer = issuer.name(), %failure, "an issuer did not exchange a code");
        away("the issuer did not exchange the code")
    })?;
    let status = answer.status;
    let json = body(answer).await.map_err(|why| refused(issuer, status, &why))?;
    read(&json).ok_or_else(|| {
        tracing::warn!(issuer = issuer.name(), "an issuer gave no ID token for a code");
        away("the issuer gave no ID token")
    })
}

fn read(json: &[u8]) -> Option<Tokens> {
    let object = crypto::json::strict_object(json)?;
    let text = |name: &str| object.get(name).and_then(Value::as_str).map(|text| Secret::new(text.to_owned()));
    Some(Tokens { id_token: text("id_token")?, access_token: text("access_token") })
}

/// 400 is about this code: spent, too old, of somebody else. Everything else is about the issuer or our set-up.
fn refused(issuer: &Issuer, status: StatusCode, why: &str) -> Fault {
    tracing::warn!(issuer = issuer.name(), why, "an issuer did not exchange a code");
    if status == StatusCode::BAD_REQUEST {
        return super::stale("the issuer refused the code");
    }
    Fault::new(Code::Unavailable).because("the issuer did not exchange the code")
}

/// RFC 6749, section 2.3.1: both are encoded as in a form before they become Basic.
fn basic(id: &str, secret: &Secret<String>) -> Result<HeaderValue> {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Secret::new(format!("{}:{}", encode(id), encode(secret.expose())));
    let text = Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())));
    let mut value = HeaderValue::from_str(text.expose()).map_err(Fault::internal)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether the ID token belongs to the access token that came with it (OpenID Connect Core, section 3.1.3.6): the left
/// half of a hash, when the issuer wrote it down.
pub(super) fn fits(claims: &IdClaims, access_token: Option<&Secret<String>>) -> bool {
    let Some(named) = &claims.at_hash else { return true };
    let Some(access_token) = access_token else { return false };
    // The hash of the signature: Ed25519 signs with SHA-512, the others here with SHA-256.
    let hash: &'static Hash = match claims.algorithm {
        crypto::jws::Algorithm::EdDsa => &SHA512,
        _ => &SHA256,
    };
    let hash = digest(hash, access_token.expose().as_bytes());
    let half = hash.as_ref().get(..hash.as_ref().len() / 2).unwrap_or_default();
    bool::from(URL_SAFE_NO_PAD.encode(half).as_bytes().ct_eq(named.as_bytes()))
}
