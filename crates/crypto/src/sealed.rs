//! Sealed values: authenticated encryption bound to the place where the value is stored, so that a value that
//! is altered or moved to another row, column or table does not open.
//!
//! Layout: version (1 byte, `1`) · key id (4 bytes) · nonce (24 bytes) · ciphertext and tag (XChaCha20-Poly1305,
//! draft-irtf-cfrg-xchacha-03; random 192-bit nonces may be drawn without a counter).

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use kernel::{Fault, Random, Result, Secret};

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const NONCE: usize = 24;
const HEADER: usize = 1 + KEY_ID + NONCE;

/// A key that seals values: one for each subject. Destroying it makes everything it sealed unreadable.
#[derive(Clone)]
pub struct DataKey {
    bytes: Secret<[u8; 32]>,
    /// Four bytes that tell a wrong key from an altered value, and tell nothing about the key.
    id: [u8; KEY_ID],
}

impl DataKey {
    /// A new key.
    pub fn generate(random: &dyn Random) -> DataKey {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        DataKey::from_bytes(bytes)
    }

    /// The key that a token is: who has the token has the key, and nobody else. `context` is a fixed text that names the
    /// purpose and nothing else uses.
    pub fn of_token(token: &Secret<String>, context: &'static str) -> DataKey {
        DataKey::from_bytes(blake3::derive_key(context, token.expose().as_bytes()))
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> DataKey {
        let hash = blake3::derive_key("stoa 2026 sealed value key id", &bytes);
        let mut id = [0; KEY_ID];
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        DataKey { bytes: Secret::new(bytes), id }
    }

    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        self.bytes.expose()
    }

    pub(crate) const fn id(&self) -> [u8; KEY_ID] {
        self.id
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.bytes()))
    }
}

/// Where a sealed value is stored. The value opens there and nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's key as text.
    pub row: &'a str,
}

impl Place<'_> {
    /// The place as bytes; lengths in front keep two different places from meeting.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(24 + self.table.len() + self.column.len() + self.row.len());
        for part in [self.table, self.column, self.row] {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

/// The cause of a fault: a value was sealed with another key than the one in hand.
#[derive(Debug)]
pub struct AnotherKey(String);

impl AnotherKey {
    pub(crate) fn fault(what: &str, table: &str, column: &str) -> Fault {
        Fault::internal(AnotherKey(format!("{what} in {table}.{column}: sealed with another key")))
    }

    /// Whether this is why something did not open.
    pub fn is_behind(fault: &Fault) -> bool {
        fault.cause().is_some_and(|cause| cause.is::<AnotherKey>())
    }
}

impl std::fmt::Display for AnotherKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AnotherKey {}

/// Seals `plain` for `place`.
pub fn seal(key: &DataKey, place: Place<'_>, plain: &[u8], random: &dyn Random) -> Vec<u8> {
    let mut nonce = [0; NONCE];
    random.fill(&mut nonce);
    let aad = place.bytes();
    let payload = Payload { msg: plain, aad: &aad };
    let mut sealed = Vec::with_capacity(HEADER + plain.len() + 16);
    sealed.push(VERSION);
    sealed.extend_from_slice(&key.id);
    sealed.extend_from_slice(&nonce);
    // Encryption fails only beyond 256 GiB, far above every body limit; an empty result would then not open.
    if let Ok(ciphertext) = key.cipher().encrypt(&XNonce::from(nonce), payload) {
        sealed.extend_from_slice(&ciphertext);
    }
    sealed
}

/// Opens what [`seal`] made for the same key and place. Anything else is an `internal` fault whose cause says
/// whether the key or the value is wrong.
pub fn open(key: &DataKey, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>> {
    let broken =
        |what: &str| Fault::internal(format!("sealed value in {}.{}: {what}", place.table, place.column));
    let (header, ciphertext) = sealed.split_at_checked(HEADER).ok_or_else(|| broken("too short"))?;
    let [version, rest @ ..] = header else { return Err(broken("too short")) };
    let (key_id, nonce) = rest.split_at_checked(KEY_ID).ok_or_else(|| broken("too short"))?;
    if *version != VERSION {
        return Err(broken("unknown version"));
    }
    if key_id != key.id {
        return Err(AnotherKey::fault("sealed value", place.table, place.column));
    }
    let nonce = <[u8; NONCE]>::try_from(nonce).map_err(|_| broken("too short"))?;
    let aad = place.bytes();
    key.cipher()
        .decrypt(&XNonce::from(nonce), Payload { msg: ciphertext, aad: &aad })
        .map_err(|_| broken("altered, or moved from another place"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tests::Counting;

    const PLACE: Place<'static> = Place { table: "messages", column: "content", row: "1" };

    #[test]
    fn opens_at_its_place_and_nowhere_else() {
        let random = Counting::default();
        let key = DataKey::generate(&random);
        let sealed = seal(&key, PLACE, b"hello", &random);
        assert_eq!(open(&key, PLACE, &sealed).unwrap(), b"hello");
        for place in [
            Place { row: "2", ..PLACE },
            Place { column: "citations", ..PLACE },
            Place { table: "titles", ..PLACE },
        ] {
            assert!(open(&key, place, &sealed).is_err());
        }
        assert!(open(&DataKey::generate(&random), PLACE, &sealed).is_err());
    }

    #[test]
    fn any_flipped_bit_and_any_cut_is_refused() {
        let random = Counting::default();
        let key = DataKey::generate(&random);
        let sealed = seal(&key, PLACE, b"hello", &random);
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(open(&key, PLACE, &altered).is_err(), "byte {at}");
            assert!(open(&key, PLACE, &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn the_same_text_never_looks_the_same() {
        let random = Counting::default();
        let key = DataKey::generate(&random);
        assert_ne!(seal(&key, PLACE, b"x", &random), seal(&key, PLACE, b"x", &random));
    }
}
