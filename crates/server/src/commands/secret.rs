//! `stoa secret`: a fresh secret on standard output, and nothing else, so that it can be captured.

use crypto::{MasterKey, token};
use kernel::{Random, Secret};

use super::paper::print;
use crate::cli::SecretKind;

/// Prints a fresh secret of this kind.
pub(crate) fn run(kind: SecretKind, random: &dyn Random) -> anyhow::Result<bool> {
    print(&format!("{}\n", make(kind, random).expose()))?;
    Ok(true)
}

/// A fresh secret: 256 bits as 43 URL-safe characters, for tokens 512 bits as 86.
pub(crate) fn make(kind: SecretKind, random: &dyn Random) -> Secret<String> {
    match kind {
        SecretKind::Session => token::random(random),
        SecretKind::Jwt => token::random_long(random),
        SecretKind::ApiKey => token::api_key(random),
        SecretKind::Encryption => MasterKey::generate(random).encode(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::settings::strength::weakness;

    #[test]
    fn secrets_are_long_different_and_url_safe() {
        let ambient = crate::nature::ambient();
        for (kind, least) in [
            (SecretKind::Session, 43),
            (SecretKind::Jwt, 86),
            (SecretKind::ApiKey, 43),
            (SecretKind::Encryption, 43),
        ] {
            let mut seen = HashSet::new();
            for _ in 0..1_000 {
                let secret = make(kind, ambient.random());
                assert!(secret.expose().len() >= least && weakness(&secret).is_none());
                assert!(secret.expose().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
                assert!(seen.insert(secret.expose().clone()));
            }
        }
        let key = make(SecretKind::Encryption, ambient.random());
        assert!(MasterKey::parse(key.expose()).is_ok());
    }
}
