//! Public keys of passkeys: read from COSE (RFC 9052, 9053, 8230), kept, and used to verify signatures.
//!
//! Of the many spellings of COSE exactly one a key is read, the canonical one with the parameters that Web
//! Authentication demands and no others (section 6.5.1.1), so that there is nothing to be interpreted in two ways.

use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};

use super::Refusal;
use super::cbor::Reader;

/// COSE algorithm numbers, in the order in which they are asked for. ES256 is the one that every authenticator has;
/// RS256 is for Windows Hello in a TPM without elliptic curves.
pub(super) const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];

const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;

/// Key types of COSE.
const OCTET_KEY_PAIR: i64 = 1;
const TWO_COORDINATES: i64 = 2;
const RSA: i64 = 3;

/// Curves of COSE.
const P256: i64 = 1;
const ED25519: i64 = 6;

/// RSA with 2048 to 4096 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;
/// 65537, which is what TPMs use; small ones are weak where padding is not strict.
const EXPONENT: &[u8] = &[1, 0, 1];

/// A key that can verify.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum PublicKey {
    /// The uncompressed point.
    Es256([u8; 65]),
    EdDsa([u8; 32]),
    Rs256 {
        modulus: Vec<u8>,
    },
}

impl PublicKey {
    /// Reads a COSE key. That its point lies on the curve is seen at the first signature: one that does not signs
    /// nobody in.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<PublicKey, Refusal> {
        let entries = reader.map()?;
        let kind = labelled(reader, 1)?.integer()?;
        let algorithm = labelled(reader, 3)?.integer()?;
        let (expected, key) = match (kind, algorithm) {
            (TWO_COORDINATES, ES256) => (5, PublicKey::es256(reader)?),
            (OCTET_KEY_PAIR, EDDSA) => (4, PublicKey::eddsa(reader)?),
            (RSA, RS256) => (4, PublicKey::rs256(reader)?),
            (_, ES256 | EDDSA | RS256) => return Err(Refusal::Key),
            _ => return Err(Refusal::Algorithm),
        };
        if entries == expected { Ok(key) } else { Err(Refusal::Key) }
    }

    fn es256(reader: &mut Reader<'_>) -> Result<PublicKey, Refusal> {
        if labelled(reader, -1)?.integer()? != P256 {
            return Err(Refusal::Key);
        }
        let x = coordinate(labelled(reader, -2)?)?;
        let y = coordinate(labelled(reader, -3)?)?;
        let mut point = [4; 65];
        point.iter_mut().skip(1).zip(x.iter().chain(&y)).for_each(|(to, from)| *to = *from);
        Ok(PublicKey::Es256(point))
    }

    fn eddsa(reader: &mut Reader<'_>) -> Result<PublicKey, Refusal> {
        if labelled(reader, -1)?.integer()? != ED25519 {
            return Err(Refusal::Key);
        }
        Ok(PublicKey::EdDsa(coordinate(labelled(reader, -2)?)?))
    }

    fn rs256(reader: &mut Reader<'_>) -> Result<PublicKey, Refusal> {
        let modulus = labelled(reader, -1)?.bytes()?;
        let exponent = labelled(reader, -2)?.bytes()?;
        if !MODULUS.contains(&modulus.len()) || modulus.first() == Some(&0) || exponent != EXPONENT {
            return Err(Refusal::Key);
        }
        Ok(PublicKey::Rs256 { modulus: modulus.to_vec() })
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        let verified = match self {
            PublicKey::Es256(point) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, point).verify(message, signature)
            }
            PublicKey::EdDsa(key) => {
                UnparsedPublicKey::new(&signature::ED25519, key).verify(message, signature)
            }
            PublicKey::Rs256 { modulus } => RsaPublicKeyComponents { n: modulus.as_slice(), e: EXPONENT }
                .verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature),
        };
        verified.map_err(|_| Refusal::Signature)
    }
}

/// The reader, after the label that has to come next.
fn labelled<'r, 'a>(reader: &'r mut Reader<'a>, label: i64) -> Result<&'r mut Reader<'a>, Refusal> {
    if reader.integer()? == label { Ok(reader) } else { Err(Refusal::Key) }
}

fn coordinate(reader: &mut Reader<'_>) -> Result<[u8; 32], Refusal> {
    <[u8; 32]>::try_from(reader.bytes()?).map_err(|_| Refusal::Key)
}

/// What is kept of a passkey: version (1) · whether it may be backed up (1) · the COSE key as it came.
pub(super) struct Kept {
    pub(super) key: PublicKey,
    pub(super) backup_eligible: bool,
}

const VERSION: u8 = 1;

/// The bytes to be kept.
pub(super) fn keep(encoded: &[u8], backup_eligible: bool) -> Vec<u8> {
    [&[VERSION, u8::from(backup_eligible)], encoded].concat()
}

/// What [`keep`] made.
pub(super) fn kept(bytes: &[u8]) -> Result<Kept, Refusal> {
    let Some(([VERSION, eligible @ (0 | 1)], encoded)) = bytes.split_first_chunk::<2>() else {
        return Err(Refusal::Kept);
    };
    let mut reader = Reader::new(encoded);
    let key = PublicKey::read(&mut reader).map_err(|_| Refusal::Kept)?;
    reader.end().map_err(|_| Refusal::Kept)?;
    Ok(Kept { key, backup_eligible: *eligible == 1 })
}
