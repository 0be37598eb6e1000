//! Keys as JSON (RFC 7517): each is pinned to its algorithm as it is read; kinds and uses that are not ours are left
//! out, and sets that cannot be meant well are refused. It never fetches one.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::{Algorithm, Flaw, Key};
use crate::json::strict_object;

/// More keys than this are not a key set. Large providers publish a dozen.
const MOST_KEYS: usize = 128;

/// The keys of one issuer, by name.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    /// `None` under a name that two keys have: it names neither.
    named: HashMap<String, Option<Key>>,
    /// The key of a set that holds one alone.
    only: Option<Key>,
}

impl KeySet {
    /// Reads a JWK set. Keys of other kinds and uses are left out, a name that two keys have finds none, and a set that
    /// mixes secrets with public keys is refused: its owner does not know which is which.
    pub fn parse(json: &[u8]) -> Result<KeySet, Flaw> {
        let object =
            strict_object(json).ok_or(Flaw("a key set is not one JSON object without repetitions"))?;
        let Some(Value::Array(entries)) = object.get("keys") else {
            return Err(Flaw("a key set has no list of keys"));
        };
        if entries.len() > MOST_KEYS {
            return Err(Flaw("a key set has too many keys"));
        }
        let kind = |entry: &Value| entry.get("kty").and_then(Value::as_str).map(|kty| kty == "oct");
        let secrets = entries.iter().filter(|entry| kind(entry) == Some(true)).count();
        if secrets > 0 && secrets < entries.len() {
            return Err(Flaw("a key set mixes secrets and public keys"));
        }
        let mut set = KeySet::default();
        for entry in entries.iter().filter_map(Value::as_object).filter(|jwk| is_ours(jwk)) {
            let key = read(entry).ok();
            if entries.len() == 1 {
                set.only.clone_from(&key);
            }
            // A key that is broken takes its name with it: whoever published two under one name meant one of them.
            if let Some(kid) = entry.get("kid").and_then(Value::as_str) {
                set.named.entry(kid.to_owned()).and_modify(|known| *known = None).or_insert(key);
            }
        }
        Ok(set)
    }

    /// The same for the set that an issuer shows to the world: one that holds a secret is refused.
    pub fn parse_public(json: &[u8]) -> Result<KeySet, Flaw> {
        let set = KeySet::parse(json)?;
        let secret = set.only.iter().chain(set.named.values().flatten()).any(Key::is_secret);
        if secret { Err(Flaw("a public key set holds a secret")) } else { Ok(set) }
    }

    /// The key of this name; without a name, the key of a set that holds one alone.
    pub fn find(&self, kid: Option<&str>) -> Option<&Key> {
        match kid {
            Some(kid) => self.named.get(kid)?.as_ref(),
            None => self.only.as_ref(),
        }
    }

    /// The set has no key that can be used.
    pub fn is_empty(&self) -> bool {
        self.only.is_none() && self.named.values().all(Option::is_none)
    }
}

/// Whether a key is of a kind that we verify with, and meant for signatures of that kind.
fn is_ours(jwk: &Map<String, Value>) -> bool {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let algorithm = match (text("kty"), text("crv")) {
        (Some("RSA"), None) => Algorithm::Rs256,
        (Some("EC"), Some("P-256")) => Algorithm::Es256,
        (Some("OKP"), Some("Ed25519")) => Algorithm::EdDsa,
        (Some("oct"), None) => Algorithm::Hs256,
        _ => return false,
    };
    // A shared secret says nothing about what it is for, so it must name its algorithm; the other kinds are pinned by
    // their kind, and a name that contradicts it is an error.
    let alg = match jwk.get("alg") {
        None => algorithm != Algorithm::Hs256,
        Some(name) => name.as_str().and_then(Algorithm::parse) == Some(algorithm),
    };
    let meant = jwk.get("use").is_none_or(|meant| meant == "sig");
    let operations = jwk.get("key_ops").is_none_or(|operations| {
        operations.as_array().is_some_and(|operations| operations.iter().any(|one| one == "verify"))
    });
    alg && meant && operations
}

/// A key of a kind of ours.
fn read(jwk: &Map<String, Value>) -> Result<Key, Flaw> {
    let key = match jwk.get("kty").and_then(Value::as_str) {
        Some("RSA") => Key::rsa(&bytes(jwk, "n")?, &bytes(jwk, "e")?)?,
        Some("EC") => Key::p256(&array(jwk, "x")?, &array(jwk, "y")?),
        Some("OKP") => Key::ed25519(array(jwk, "x")?),
        Some("oct") => return Key::hmac(&bytes(jwk, "k")?),
        _ => return Err(Flaw("a key is of another kind")),
    };
    if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|one| jwk.contains_key(*one)) {
        return Err(Flaw("a public key shows its private part"));
    }
    Ok(key)
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, Flaw> {
    let text = jwk.get(name).and_then(Value::as_str).ok_or(Flaw("a key lacks a member"))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Flaw("a member of a key is not canonical base64url"))
}

fn array(jwk: &Map<String, Value>, name: &str) -> Result<[u8; 32], Flaw> {
    bytes(jwk, name)?.try_into().map_err(|_| Flaw("a member of a key has the wrong length"))
}
