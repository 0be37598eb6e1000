//! Keys, each pinned to one algorithm. Verification is ring's, which TLS has in the tree already: the `rsa` crate leaks
//! timing (RUSTSEC-2023-0071, unpatched) and would come with every JWT library in pure Rust.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Fault, Result as KernelResult, Secret};
use ring::digest::{SHA256, digest};
use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::{Map, Value, json};

use super::roca::is_roca;
use super::{Algorithm, Flaw};

/// The least length of a secret for HMAC with SHA-256 (RFC 7518, section 3.2).
pub(super) const LEAST_SECRET: usize = 32;
/// The least and the greatest RSA modulus in bits (RFC 7518, section 3.3, and what ring takes).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;
/// The least and the greatest public exponent: FIPS 186-5, appendix A.1.1 asks for more than 2^16, ring takes 33 bits.
const RSA_EXPONENTS: std::ops::RangeInclusive<u64> = 65_537..=0x1_ffff_ffff;

/// A key that verifies signatures of one algorithm.
#[derive(Clone)]
pub struct Key(Material);

#[derive(Clone)]
enum Material {
    Hmac(hmac::Key),
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256([u8; 65]),
    Ed25519([u8; 32]),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.algorithm().as_str())
    }
}

impl Key {
    /// A secret of 32 bytes or more for HS256.
    pub fn hmac(secret: &[u8]) -> Result<Key, Flaw> {
        if secret.len() < LEAST_SECRET {
            return Err(Flaw("a secret for HS256 needs 32 bytes"));
        }
        Ok(Key(Material::Hmac(hmac::Key::new(hmac::HMAC_SHA256, secret))))
    }

    /// An RSA key of 2048 to 8192 bits for RS256, from its modulus and exponent, big-endian.
    pub fn rsa(n: &[u8], e: &[u8]) -> Result<Key, Flaw> {
        let (n, e) = (without_zeros(n), without_zeros(e));
        let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
        if !RSA_BITS.contains(&bits) {
            return Err(Flaw("an RSA key needs 2048 to 8192 bits"));
        }
        let exponent =
            e.iter().try_fold(0_u64, |sum, byte| sum.checked_mul(256).map(|sum| sum + u64::from(*byte)));
        let odd = |bytes: &[u8]| bytes.last().is_some_and(|last| last & 1 == 1);
        if !exponent.is_some_and(|e| RSA_EXPONENTS.contains(&e)) || !odd(e) || !odd(n) {
            return Err(Flaw("the numbers of an RSA key are unsound"));
        }
        if is_roca(n) {
            return Err(Flaw("an RSA key has the flaw ROCA (CVE-2017-15361)"));
        }
        Ok(Key(Material::Rsa { n: n.to_vec(), e: e.to_vec() }))
    }

    /// A point on P-256 for ES256. Whether it lies on the curve is seen when it verifies.
    pub fn p256(x: &[u8; 32], y: &[u8; 32]) -> Key {
        let mut point = [4; 65];
        point.iter_mut().skip(1).zip(x.iter().chain(y)).for_each(|(to, from)| *to = *from);
        Key(Material::P256(point))
    }

    /// A public key of Ed25519.
    pub const fn ed25519(public: [u8; 32]) -> Key {
        Key(Material::Ed25519(public))
    }

    /// The one algorithm of this key.
    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            Material::Hmac(_) => Algorithm::Hs256,
            Material::Rsa { .. } => Algorithm::Rs256,
            Material::P256(_) => Algorithm::Es256,
            Material::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    /// Whoever verifies with it could also sign with it.
    pub const fn is_secret(&self) -> bool {
        matches!(self.0, Material::Hmac(_))
    }

    pub(super) fn verify(&self, signed: &[u8], signature: &[u8]) -> Result<(), Flaw> {
        let verified = match &self.0 {
            Material::Hmac(key) => hmac::verify(key, signed, signature).is_ok(),
            Material::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
            }
            Material::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature).is_ok()
            }
            Material::Ed25519(public) => {
                UnparsedPublicKey::new(&ED25519, public).verify(signed, signature).is_ok()
            }
        };
        if verified { Ok(()) } else { Err(Flaw("the signature is wrong")) }
    }

    /// The public key as a JWK under its thumbprint (RFC 7638, RFC 8037), for keys that we sign with.
    /// `None` for a secret, and for kinds that we only verify.
    pub fn jwk(&self) -> Option<Value> {
        let Material::Ed25519(public) = &self.0 else { return None };
        let x = URL_SAFE_NO_PAD.encode(public);
        let kid = thumbprint(&x);
        Some(json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "use": "sig", "alg": "EdDSA"}))
    }
}

/// RFC 7638 for a key of Ed25519: the required members in the order of the alphabet.
fn thumbprint(x: &str) -> String {
    let canonical = format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"{x}\"}}");
    URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()))
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// A key that signs, and its name.
pub struct SigningKey {
    kid: String,
    secret: Signing,
    key: Key,
}

enum Signing {
    Hmac(hmac::Key),
    Ed25519(Ed25519KeyPair),
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({} {})", self.key.algorithm().as_str(), self.kid)
    }
}

impl SigningKey {
    /// HS256 with these bytes. A secret that is shorter than HMAC needs is stretched by derivation; that makes it
    /// long and not strong, and production refuses it. The name is a keyed hash, which tells nothing about the secret.
    pub fn hs256(secret: &Secret<String>) -> KernelResult<SigningKey> {
        let bytes = secret.expose().as_bytes();
        let stretched = Secret::new(blake3::derive_key("stoa 2026 short secret for HS256", bytes));
        let bytes = if bytes.len() < LEAST_SECRET { stretched.expose().as_slice() } else { bytes };
        let kid = blake3::derive_key("stoa 2026 name of an HS256 key", bytes);
        let kid = URL_SAFE_NO_PAD.encode(kid.first_chunk::<12>().copied().unwrap_or_default());
        let key = Key::hmac(bytes).map_err(Fault::internal)?;
        Ok(SigningKey { kid, secret: Signing::Hmac(hmac::Key::new(hmac::HMAC_SHA256, bytes)), key })
    }

    /// EdDSA with an Ed25519 key that belongs to this secret. The name is the thumbprint of RFC 7638.
    pub fn ed25519(secret: &Secret<String>) -> KernelResult<SigningKey> {
        let seed = Secret::new(blake3::derive_key("stoa 2026 Ed25519 seed", secret.expose().as_bytes()));
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose())
            .map_err(|error| Fault::internal(format!("Ed25519: {error}")))?;
        let public = <[u8; 32]>::try_from(pair.public_key().as_ref())
            .map_err(|_| Fault::internal("an Ed25519 public key has 32 bytes"))?;
        let kid = thumbprint(&URL_SAFE_NO_PAD.encode(public));
        Ok(SigningKey { kid, secret: Signing::Ed25519(pair), key: Key::ed25519(public) })
    }

    /// The name under which tokens and key sets know it.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The key that verifies what this one signs.
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// A compact token of this type with these claims.
    pub fn sign(&self, typ: &str, claims: &Map<String, Value>) -> Secret<String> {
        let header = json!({"alg": self.key.algorithm().as_str(), "kid": self.kid, "typ": typ});
        let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
        // A value of JSON is written without failing.
        let payload = Value::Object(claims.clone()).to_string();
        let mut token = format!("{}.{}", encode(header.to_string()), encode(payload));
        let signature = match &self.secret {
            Signing::Hmac(key) => URL_SAFE_NO_PAD.encode(hmac::sign(key, token.as_bytes())),
            Signing::Ed25519(pair) => URL_SAFE_NO_PAD.encode(pair.sign(token.as_bytes())),
        };
        token.push('.');
        token.push_str(&signature);
        Secret::new(token)
    }
}
