//! The keyring: the master key in use and those before it. It wraps data keys and derives one key for each
//! purpose. It never holds a subject's data and never leaves the process.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use kernel::{Fault, Random, Result, Secret};

use crate::sealed::{DataKey, Place, open, seal};

/// 32 bytes from which everything else is derived.
#[derive(Clone)]
pub struct MasterKey(Secret<[u8; 32]>);

impl MasterKey {
    /// A new key.
    pub fn generate(random: &dyn Random) -> MasterKey {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        MasterKey(Secret::new(bytes))
    }

    /// Reads 32 bytes written as base64url, base64 (both with or without padding) or hexadecimal.
    pub fn parse(text: &str) -> Result<MasterKey> {
        let text = text.trim();
        let bytes = decode_hex(text)
            .or_else(|| URL_SAFE_NO_PAD.decode(text).ok())
            .or_else(|| URL_SAFE.decode(text).ok())
            .or_else(|| STANDARD_NO_PAD.decode(text).ok())
            .or_else(|| STANDARD.decode(text).ok())
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .ok_or_else(|| {
                Fault::invalid(
                    "encryption_key",
                    "malformed",
                    "the encryption key is 32 bytes as base64url or hex; `stoa secret encryption` makes one",
                )
            })?;
        Ok(MasterKey(Secret::new(bytes)))
    }

    /// The key that belongs to a signing secret, for deployments that set no encryption key of their own.
    pub fn derive_from_secret(secret: &Secret<String>) -> MasterKey {
        MasterKey(Secret::new(blake3::derive_key(
            "stoa 2026 master key from signing secret",
            secret.expose().as_bytes(),
        )))
    }

    /// The key as base64url, to be written into a file that only the owner reads.
    pub fn encode(&self) -> Secret<String> {
        Secret::new(URL_SAFE_NO_PAD.encode(self.0.expose()))
    }

    /// 16 hexadecimal digits that name the key and tell nothing about it.
    pub fn fingerprint(&self) -> String {
        let hash = blake3::derive_key("stoa 2026 master key fingerprint", self.0.expose());
        hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    fn derive(&self, context: &'static str) -> [u8; 32] {
        blake3::derive_key(context, self.0.expose())
    }

    fn wrapping_key(&self) -> DataKey {
        DataKey::from_bytes(self.derive("stoa 2026 wrapping of data keys"))
    }

    fn backup_key(&self) -> DataKey {
        DataKey::from_bytes(self.derive("stoa 2026 backups"))
    }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect()
}

/// The master keys: the first wraps and derives, the older ones only unwrap. Cheap to clone.
#[derive(Clone)]
pub struct Keyring(Arc<Keys>);

struct Keys {
    current: MasterKey,
    wrapping: Vec<DataKey>,
    backups: Vec<DataKey>,
    own: DataKey,
}

impl Keyring {
    /// A keyring of the key in use and those it replaced.
    pub fn new(current: MasterKey, previous: Vec<MasterKey>) -> Keyring {
        let wrapping = std::iter::once(&current).chain(&previous).map(MasterKey::wrapping_key).collect();
        let backups = std::iter::once(&current).chain(&previous).map(MasterKey::backup_key).collect();
        let own = DataKey::from_bytes(current.derive("stoa 2026 values of the server itself"));
        Keyring(Arc::new(Keys { current, wrapping, backups, own }))
    }

    /// The fingerprint of the key in use.
    pub fn fingerprint(&self) -> String {
        self.0.current.fingerprint()
    }

    /// A key for one purpose. `context` is a fixed text that names the purpose and nothing else uses.
    pub fn purpose_key(&self, context: &'static str) -> [u8; 32] {
        self.0.current.derive(context)
    }

    /// The keys under which backups are sealed: the one in use, and then those of older master keys.
    pub fn backup_keys(&self) -> &[DataKey] {
        &self.0.backups
    }

    /// Wraps a subject's data key for storage.
    pub fn wrap(&self, subject: &str, key: &DataKey, random: &dyn Random) -> Vec<u8> {
        match self.0.wrapping.first() {
            Some(wrapping) => seal(wrapping, wrapped_place(subject), key.bytes(), random),
            None => Vec::new(),
        }
    }

    /// Unwraps a data key that this keyring, now or earlier, wrapped for the same subject.
    pub fn unwrap(&self, subject: &str, wrapped: &[u8]) -> Result<DataKey> {
        let mut last = None;
        for wrapping in &self.0.wrapping {
            match open(wrapping, wrapped_place(subject), wrapped) {
                Ok(bytes) => {
                    let bytes = <[u8; 32]>::try_from(bytes)
                        .map_err(|_| Fault::internal("a data key is not 32 bytes"))?;
                    return Ok(DataKey::from_bytes(bytes));
                }
                Err(fault) => last = Some(fault),
            }
        }
        Err(last.unwrap_or_else(|| Fault::internal("the keyring is empty")))
    }

    /// Seals a value of the server itself, which has no subject.
    pub fn seal(&self, place: Place<'_>, plain: &[u8], random: &dyn Random) -> Vec<u8> {
        seal(&self.0.own, place, plain, random)
    }

    /// Opens a value of the server itself.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>> {
        open(&self.0.own, place, sealed)
    }
}

fn wrapped_place(subject: &str) -> Place<'_> {
    Place { table: "data_keys", column: "wrapped", row: subject }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tests::Counting;

    #[test]
    fn every_usual_spelling_of_32_bytes_is_read() {
        let key = MasterKey::generate(&Counting::default());
        let bytes = URL_SAFE_NO_PAD.decode(key.encode().expose()).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        for text in [URL_SAFE_NO_PAD.encode(&bytes), URL_SAFE.encode(&bytes), STANDARD.encode(&bytes), hex] {
            assert_eq!(MasterKey::parse(&text).unwrap().fingerprint(), key.fingerprint());
        }
        assert!(MasterKey::parse("too short").is_err());
    }

    #[test]
    fn an_older_key_unwraps_and_a_foreign_one_does_not() {
        let random = Counting::default();
        let (old, new) = (MasterKey::generate(&random), MasterKey::generate(&random));
        let key = DataKey::generate(&random);
        let wrapped = Keyring::new(old.clone(), Vec::new()).wrap("user:1", &key, &random);
        let rotated = Keyring::new(new.clone(), vec![old]);
        assert_eq!(rotated.unwrap("user:1", &wrapped).unwrap().bytes(), key.bytes());
        assert!(rotated.unwrap("user:2", &wrapped).is_err());
        assert!(Keyring::new(new, Vec::new()).unwrap("user:1", &wrapped).is_err());
    }
}
