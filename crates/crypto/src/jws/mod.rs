//! Signed tokens in the compact form of RFC 7515, as strictly as RFC 8725 asks: the key names the algorithm, the token
//! only repeats it; `none`, encrypted tokens, the JSON forms, `crit` and everything that would let a token bring or
//! fetch its own key have no code here. It never looks at claims or clocks: `identity` does.

mod jwk;
mod key;
mod roca;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

pub use jwk::KeySet;
pub use key::{Key, SigningKey};

use crate::json::strict_object;

/// No token is longer; it is refused before anything is decoded. Tokens of large directories come to 10 KiB.
pub const LONGEST: usize = 16 * 1024;
/// The longest header (encoded) and the longest text in it. Ours takes 100 bytes.
const LONGEST_HEADER: usize = 4 * 1024;
const LONGEST_TEXT: usize = 256;

/// The algorithms that are verified. There is no other, and none called `none`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// The name in headers and keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Algorithm::Hs256 => "HS256",
            Algorithm::Rs256 => "RS256",
            Algorithm::Es256 => "ES256",
            Algorithm::EdDsa => "EdDSA",
        }
    }

    /// Reads exactly these names; case counts. `Ed25519` is the same algorithm under its name of RFC 9864.
    pub fn parse(name: &str) -> Option<Algorithm> {
        match name {
            "HS256" => Some(Algorithm::Hs256),
            "RS256" => Some(Algorithm::Rs256),
            "ES256" => Some(Algorithm::Es256),
            "EdDSA" | "Ed25519" => Some(Algorithm::EdDsa),
            _ => None,
        }
    }
}

/// Why a token or a key is refused: words for the log, without anything of the token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flaw(pub &'static str);

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Flaw {}

/// What the header of a token says. Nothing of it is to be trusted; it finds the key, and the key decides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// The algorithm it claims, one of ours.
    pub algorithm: Algorithm,
    /// The name of its key.
    pub kid: Option<String>,
    /// What sort of token it says it is.
    pub typ: Option<String>,
}

/// A token that was taken apart and not yet verified.
pub struct Unverified<'a> {
    header: Header,
    /// Header and payload as they were signed.
    signed: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Takes a compact token apart: three parts of canonical base64url, a strict header with an algorithm of ours.
    pub fn read(token: &'a str) -> Result<Unverified<'a>, Flaw> {
        if token.len() > LONGEST {
            return Err(Flaw("the token is too long"));
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Flaw("the token has not three parts"))?;
        let (header, payload) = signed.split_once('.').ok_or(Flaw("the token has not three parts"))?;
        if payload.contains('.') {
            // Five parts would be an encrypted token, which has no reader here.
            return Err(Flaw("the token has not three parts"));
        }
        if header.len() > LONGEST_HEADER {
            return Err(Flaw("the header is too long"));
        }
        let header = read_header(&decode(header)?)?;
        let (payload, signature) = (decode(payload)?, decode(signature)?);
        if signature.is_empty() {
            return Err(Flaw("the token is not signed"));
        }
        Ok(Unverified { header, signed, payload, signature })
    }

    /// What the header says.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The payload before anything was verified: good for finding out whose keys to ask, and for nothing else.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload, when this key signed it with the algorithm that the key is pinned to.
    pub fn verify(self, key: &Key) -> Result<Vec<u8>, Flaw> {
        if self.header.algorithm != key.algorithm() {
            return Err(Flaw("the token names another algorithm than its key"));
        }
        key.verify(self.signed.as_bytes(), &self.signature)?;
        Ok(self.payload)
    }
}

/// Canonical base64url: no padding, no other characters, no spare bits.
fn decode(part: &str) -> Result<Vec<u8>, Flaw> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Flaw("a part is not canonical base64url"))
}

fn read_header(bytes: &[u8]) -> Result<Header, Flaw> {
    let object = strict_object(bytes).ok_or(Flaw("the header is not one JSON object without repetitions"))?;
    // `crit` names extensions that must be understood, and none is. The others belong to encrypted and to
    // unencoded tokens. `jwk`, `jku`, `x5c` and `x5u` are not even read: keys come from the configuration alone.
    if ["crit", "enc", "zip", "b64"].iter().any(|name| object.contains_key(*name)) {
        return Err(Flaw("the header asks for an extension"));
    }
    let algorithm = match object.get("alg") {
        Some(Value::String(name)) => Algorithm::parse(name).ok_or(Flaw("the algorithm is not accepted"))?,
        _ => return Err(Flaw("the header names no algorithm")),
    };
    Ok(Header { algorithm, kid: text(&object, "kid")?, typ: text(&object, "typ")? })
}

fn text(object: &Map<String, Value>, name: &str) -> Result<Option<String>, Flaw> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() && text.len() <= LONGEST_TEXT => Ok(Some(text.clone())),
        Some(_) => Err(Flaw("a member of the header is not a short text")),
    }
}

#[cfg(test)]
mod tests;
