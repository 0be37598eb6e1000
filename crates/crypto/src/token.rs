//! Random tokens and their digests. A token is shown once; only its digest is stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Random, Secret};

/// How every key made by this server begins, so that scanners can find leaked ones.
pub const KEY_PREFIX: &str = "stoa_";

/// 256 random bits as 43 URL-safe characters.
pub fn random(random: &dyn Random) -> Secret<String> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}

/// 512 random bits as 86 URL-safe characters.
pub fn random_long(random: &dyn Random) -> Secret<String> {
    let mut bytes = [0; 64];
    random.fill(&mut bytes);
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}

/// A new API key: `stoa_` and 43 URL-safe characters.
pub fn api_key(source: &dyn Random) -> Secret<String> {
    Secret::new(format!("{KEY_PREFIX}{}", random(source).expose()))
}

/// The digest under which a token is stored and looked up: BLAKE3 of the whole token, 64 hexadecimal digits.
/// Tokens carry 256 random bits, so a fast hash is enough; passwords are another matter.
pub fn digest(token: &str) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("stoa 2026 token digest");
    hasher.update(token.as_bytes());
    hasher.finalize().to_hex().to_string()
}

/// A secret for another purpose, derived from one that exists. `context` is a fixed text that names the purpose and
/// nothing else uses. 43 URL-safe characters.
pub fn derived(secret: &Secret<String>, context: &'static str) -> Secret<String> {
    let bytes = Secret::new(blake3::derive_key(context, secret.expose().as_bytes()));
    Secret::new(URL_SAFE_NO_PAD.encode(bytes.expose()))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Different bytes at every call, the same at every run.
    #[derive(Default)]
    pub(crate) struct Counting(AtomicU64);

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            blake3::Hasher::new().update(&count.to_le_bytes()).finalize_xof().fill(bytes);
        }
    }

    #[test]
    fn tokens_are_long_and_url_safe() {
        let source = Counting::default();
        assert_eq!(random(&source).expose().len(), 43);
        assert_eq!(random_long(&source).expose().len(), 86);
        let key = api_key(&source);
        assert!(key.expose().starts_with("stoa_"));
        assert!(key.expose().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_ne!(digest(key.expose()), digest(random(&source).expose()));
    }
}
