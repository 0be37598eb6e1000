//! Writes what an authority for certificates is asked with: a request for a certificate (PKCS #10, RFC 2986), and
//! certificates that this machine signs itself (RFC 5280), with keys on P-256. A few values of DER (X.690) are all it
//! takes. It never reads.

use kernel::Time;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
pub(crate) const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const UTF8: u8 = 0x0C;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

/// 1.2.840.10045.2.1 and 1.2.840.10045.3.1.7: a key on P-256.
const EC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
const P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
/// 1.2.840.10045.4.3.2: ECDSA with SHA-256.
const ECDSA_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
/// 1.2.840.113549.1.9.14: extensions asked for.
const EXTENSION_REQUEST: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x0E];
/// 2.5.4.3: a common name.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.29.17: the names that a certificate covers.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1D, 0x11];
/// 1.3.6.1.5.5.7.1.31: the answer to a challenge (RFC 8737).
const ACME_IDENTIFIER: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x1F];

/// It cannot be signed, or a key is none.
#[derive(Debug)]
pub(crate) struct Unfit;

/// A new key on P-256, as PKCS #8.
pub(crate) fn new_key() -> Result<Vec<u8>, Unfit> {
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
    Ok(key.map_err(|_| Unfit)?.as_ref().to_vec())
}

/// A request for a certificate that covers these names.
pub(crate) fn request(key: &[u8], names: &[String]) -> Result<Vec<u8>, Unfit> {
    let pair = pair(key)?;
    let extensions = value(SEQUENCE, &[&alternative_names(names)]);
    let attribute = value(SEQUENCE, &[&value(OID, &[EXTENSION_REQUEST]), &value(SET, &[&extensions])]);
    let body = value(
        SEQUENCE,
        &[&value(INTEGER, &[&[0]]), &value(SEQUENCE, &[]), &public_key(&pair), &value(0xA0, &[&attribute])],
    );
    signed(&body, &pair)
}

/// A certificate before it is signed.
pub(crate) struct Draft<'a> {
    /// Its number, positive.
    pub(crate) serial: u64,
    /// The common name of who signs it.
    pub(crate) issuer: &'a str,
    /// The common name of who holds it.
    pub(crate) subject: &'a str,
    /// From when until when it counts.
    pub(crate) begins: Time,
    /// Until when.
    pub(crate) ends: Time,
    /// Its key: a `SubjectPublicKeyInfo`.
    pub(crate) key: &'a [u8],
    /// What else it says.
    pub(crate) extensions: &'a [Vec<u8>],
}

/// A certificate, signed with this key.
pub(crate) fn certificate(draft: &Draft<'_>, signer: &[u8]) -> Result<Vec<u8>, Unfit> {
    let number: Vec<u8> = std::iter::once(0).chain(draft.serial.to_be_bytes()).collect();
    // An integer has no zero in front that it does not need.
    let first = number.windows(2).position(|pair| matches!(pair, [high, low] if *high != 0 || *low >= 0x80));
    let number = number.get(first.unwrap_or(number.len() - 1)..).unwrap_or_default();
    let extensions: Vec<&[u8]> = draft.extensions.iter().map(Vec::as_slice).collect();
    let body = value(
        SEQUENCE,
        &[
            &value(0xA0, &[&value(INTEGER, &[&[2]])]),
            &value(INTEGER, &[number]),
            &algorithm(),
            &name(draft.issuer),
            &value(SEQUENCE, &[&time(draft.begins), &time(draft.ends)]),
            &name(draft.subject),
            draft.key,
            &value(0xA3, &[&value(SEQUENCE, &extensions)]),
        ],
    );
    signed(&body, &pair(signer)?)
}

/// The certificate that answers a challenge (RFC 8737, section 3): it covers the one name and holds the digest.
pub(crate) fn challenge(key: &[u8], name: &str, digest: &[u8], now: Time) -> Result<Vec<u8>, Unfit> {
    let day = std::time::Duration::from_secs(86_400);
    let answer = extension(ACME_IDENTIFIER, true, &value(OCTETS, &[digest]));
    let draft = Draft {
        serial: 1,
        issuer: name,
        subject: name,
        begins: now - day,
        ends: now + day,
        key: &subject_key(key)?,
        extensions: &[alternative_names(&[name.to_owned()]), answer],
    };
    certificate(&draft, key)
}

/// The `SubjectPublicKeyInfo` of a key in PKCS #8.
pub(crate) fn subject_key(key: &[u8]) -> Result<Vec<u8>, Unfit> {
    Ok(public_key(&pair(key)?))
}

/// An extension of a certificate.
pub(crate) fn extension(oid: &[u8], critical: bool, content: &[u8]) -> Vec<u8> {
    let mark = if critical { value(BOOLEAN, &[&[0xFF]]) } else { Vec::new() };
    value(SEQUENCE, &[&value(OID, &[oid]), &mark, &value(OCTETS, &[content])])
}

/// The names that a certificate covers; addresses are said as such.
pub(crate) fn alternative_names(names: &[String]) -> Vec<u8> {
    let names: Vec<Vec<u8>> = names
        .iter()
        .map(|name| match name.parse() {
            Ok(std::net::IpAddr::V4(ip)) => value(0x87, &[&ip.octets()]),
            Ok(std::net::IpAddr::V6(ip)) => value(0x87, &[&ip.octets()]),
            Err(_) => value(0x82, &[name.as_bytes()]),
        })
        .collect();
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    extension(ALTERNATIVE_NAMES, false, &value(SEQUENCE, &names))
}

/// A value of DER: its tag, its length, these contents one after the other.
pub(crate) fn value(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let length: usize = contents.iter().map(|content| content.len()).sum();
    let mut bytes = vec![tag];
    match u8::try_from(length) {
        Ok(short @ 0..=0x7F) => bytes.push(short),
        _ => {
            let digits: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|digit| *digit == 0).collect();
            bytes.push(0x80 | digits.len() as u8);
            bytes.extend(digits);
        }
    }
    contents.iter().for_each(|content| bytes.extend_from_slice(content));
    bytes
}

fn pair(key: &[u8]) -> Result<EcdsaKeyPair, Unfit> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key, &SystemRandom::new()).map_err(|_| Unfit)
}

fn public_key(pair: &EcdsaKeyPair) -> Vec<u8> {
    let kind = value(SEQUENCE, &[&value(OID, &[EC_KEY]), &value(OID, &[P256])]);
    value(SEQUENCE, &[&kind, &value(BITS, &[&[0], pair.public_key().as_ref()])])
}

fn algorithm() -> Vec<u8> {
    value(SEQUENCE, &[&value(OID, &[ECDSA_SHA256])])
}

fn signed(body: &[u8], pair: &EcdsaKeyPair) -> Result<Vec<u8>, Unfit> {
    let signature = pair.sign(&SystemRandom::new(), body).map_err(|_| Unfit)?;
    Ok(value(SEQUENCE, &[body, &algorithm(), &value(BITS, &[&[0], signature.as_ref()])]))
}

fn name(common: &str) -> Vec<u8> {
    // No common name may be longer than 64 characters (RFC 5280, appendix A.1).
    let common: String = common.chars().take(64).collect();
    let pair = value(SEQUENCE, &[&value(OID, &[COMMON_NAME]), &value(UTF8, &[common.as_bytes()])]);
    value(SEQUENCE, &[&value(SET, &[&pair])])
}

/// Years up to 2049 have two digits (RFC 5280, section 4.1.2.5).
fn time(at: Time) -> Vec<u8> {
    let digits: String = at.rfc3339_seconds().chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix("20").filter(|short| *short < "50") {
        Some(short) => value(UTC_TIME, &[short.as_bytes(), b"Z"]),
        None => value(GENERALIZED_TIME, &[digits.as_bytes(), b"Z"]),
    }
}
