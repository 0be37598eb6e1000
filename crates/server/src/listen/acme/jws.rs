//! The signature on every request to an authority (RFC 7515, as RFC 8555 section 6.2 wants it): ES256, flattened JSON.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

/// The key of an account.
pub(super) struct Signer(EcdsaKeyPair);

impl Signer {
    pub(super) fn new(key: &[u8]) -> Result<Signer, String> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key, &SystemRandom::new());
        pair.map(Signer).map_err(|_| "the key of the account cannot be used".to_owned())
    }

    /// The public key (RFC 7517). Its members are in the order that a thumbprint needs.
    fn public(&self) -> (String, String) {
        // An uncompressed point: 4, x, y.
        let point = self.0.public_key().as_ref();
        let part = |from: usize| BASE64.encode(point.get(from..from + 32).unwrap_or_default());
        (part(1), part(33))
    }

    /// A request: signed for this address and nonce, by the account or, before there is one, by the key itself.
    pub(super) fn sign(
        &self,
        url: &str,
        nonce: &str,
        account: Option<&str>,
        payload: Option<&Value>,
    ) -> Result<String, String> {
        let mut head = json!({"alg": "ES256", "nonce": nonce, "url": url});
        match account {
            Some(account) => head["kid"] = json!(account),
            None => {
                let (x, y) = self.public();
                head["jwk"] = json!({"crv": "P-256", "kty": "EC", "x": x, "y": y});
            }
        }
        let head = BASE64.encode(head.to_string());
        let payload = payload.map_or_else(String::new, |payload| BASE64.encode(payload.to_string()));
        let text = format!("{head}.{payload}");
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes());
        let signature = BASE64.encode(signature.map_err(|_| "nothing can be signed".to_owned())?);
        Ok(json!({"protected": head, "payload": payload, "signature": signature}).to_string())
    }

    /// The digest that proves a token (RFC 8555 section 8.1, RFC 8737 section 3).
    pub(super) fn proof(&self, token: &str) -> Vec<u8> {
        let (x, y) = self.public();
        let jwk = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let thumbprint = BASE64.encode(digest(&SHA256, jwk.as_bytes()));
        digest(&SHA256, format!("{token}.{thumbprint}").as_bytes()).as_ref().to_vec()
    }
}
