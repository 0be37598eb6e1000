//! What an issuer says about itself (OpenID Connect Discovery 1.0). It believes an issuer about nobody but itself.

use serde_json::Value;
use url::Url;

/// The part of the discovery document that we use.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    /// Where the keys are.
    pub(crate) jwks_uri: Url,
    /// Where people sign in.
    pub(crate) authorization_endpoint: Option<Url>,
    /// Where codes are exchanged.
    pub(crate) token_endpoint: Option<Url>,
    /// Its answers name it (RFC 9207), so that one that does not is not its.
    pub(crate) names_itself: bool,
    /// It wants the client secret in the body, and not in a header.
    pub(crate) secret_in_body: bool,
}

/// Where the document of an issuer is.
pub(crate) fn address(issuer: &str) -> Option<Url> {
    Url::parse(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))).ok()
}

impl Metadata {
    /// Reads the document that was found at the address of this issuer. It must name exactly this issuer: else it is
    /// somebody else's, whose keys would then speak for this one.
    pub(crate) fn read(json: &[u8], issuer: &str) -> Result<Metadata, String> {
        let object = crypto::json::strict_object(json).ok_or("its document is not one JSON object")?;
        if object.get("issuer").and_then(Value::as_str) != Some(issuer) {
            return Err("its document names another issuer".to_owned());
        }
        let secure = issuer.starts_with("https://");
        let url = |name: &str| -> Result<Option<Url>, String> {
            let Some(value) = object.get(name) else { return Ok(None) };
            let url = value.as_str().and_then(|text| Url::parse(text).ok());
            // An issuer over HTTPS must not send secrets and keys over plain HTTP.
            let url = url.filter(|url| url.scheme() == "https" || !secure && url.scheme() == "http");
            let url = url.filter(|url| url.username().is_empty() && url.password().is_none());
            url.map(Some).ok_or_else(|| format!("`{name}` of its document is not a usable address"))
        };
        let methods = object.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
        let has = |method: &str| methods.is_some_and(|methods| methods.iter().any(|one| one == method));
        Ok(Metadata {
            jwks_uri: url("jwks_uri")?.ok_or("its document names no keys")?,
            authorization_endpoint: url("authorization_endpoint")?,
            token_endpoint: url("token_endpoint")?,
            names_itself: object.get("authorization_response_iss_parameter_supported")
                == Some(&Value::Bool(true)),
            secret_in_body: has("client_secret_post") && !has("client_secret_basic"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(issuer: &str, document: Value) -> Result<Metadata, String> {
        Metadata::read(document.to_string().as_bytes(), issuer)
    }

    #[test]
    fn an_issuer_speaks_for_exactly_itself() {
        let document = |issuer: &str| json!({"issuer": issuer, "jwks_uri": "https://id.example.com/keys"});
        assert!(read("https://id.example.com", document("https://id.example.com")).is_ok());
        for other in [
            "https://id.example.com/",
            "https://ID.example.com",
            "http://id.example.com",
            "https://evil.example",
            "",
        ] {
            assert!(read("https://id.example.com", document(other)).is_err(), "{other}");
        }
        assert!(read("https://id.example.com", json!({"jwks_uri": "https://id.example.com/keys"})).is_err());
    }

    #[test]
    fn addresses_are_no_weaker_than_the_issuer() {
        let document = |issuer: &str, keys: &str| json!({"issuer": issuer, "jwks_uri": keys});
        for keys in
            ["http://id.example.com/keys", "file:///etc/passwd", "https://a:b@id.example.com/", "keys", ""]
        {
            assert!(
                read("https://id.example.com", document("https://id.example.com", keys)).is_err(),
                "{keys}"
            );
        }
        assert!(
            read("http://127.0.0.1:9", document("http://127.0.0.1:9", "http://127.0.0.1:9/keys")).is_ok()
        );
    }

    #[test]
    fn the_document_lies_below_the_issuer() {
        for (issuer, expected) in [
            ("https://id.example.com", "https://id.example.com/.well-known/openid-configuration"),
            ("https://id.example.com/", "https://id.example.com/.well-known/openid-configuration"),
            ("https://id.example.com/a/b", "https://id.example.com/a/b/.well-known/openid-configuration"),
        ] {
            assert_eq!(address(issuer).unwrap().as_str(), expected);
        }
    }
}
