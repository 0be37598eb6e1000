//! Blind tags: a keyed hash under which a value can be found without being stored.

use crate::sealed::DataKey;

impl DataKey {
    /// Tags of what a subject wrote, under its own key: whoever destroys the key makes them mean nothing.
    pub fn blind(&self, purpose: &str) -> Blind {
        Blind(blake3::derive_key("stoa 2026 blind tags of a subject", self.bytes())).below(purpose, "")
    }
}

/// Makes tags under one key.
#[derive(Clone)]
pub struct Blind([u8; 32]);

impl Blind {
    /// With a key of its own purpose ([`crate::Keyring::purpose_key`]).
    pub const fn new(key: [u8; 32]) -> Blind {
        Blind(key)
    }

    /// With a key derived from this one, for one purpose and one thing: tags under it tell nothing about tags under
    /// another.
    pub fn below(&self, purpose: &str, thing: &str) -> Blind {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in [purpose, thing] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Blind(*hasher.finalize().as_bytes())
    }

    /// The first 64 bits of the keyed BLAKE3 of the text: short enough for an index of many words, long enough that
    /// two of a million words meet once in thirty million such indexes.
    pub fn number(&self, text: &str) -> u64 {
        let hash = blake3::keyed_hash(&self.0, text.as_bytes());
        hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    /// 32 hexadecimal digits: the first 128 bits of the keyed BLAKE3 of the text.
    pub fn tag(&self, text: &str) -> String {
        let hash = blake3::keyed_hash(&self.0, text.as_bytes());
        hash.as_bytes().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_depends_on_text_and_key() {
        let (one, two) = (Blind::new([1; 32]), Blind::new([2; 32]));
        assert_eq!(one.tag("x"), one.tag("x"));
        assert_ne!(one.tag("x"), one.tag("y"));
        assert_ne!(one.tag("x"), two.tag("x"));
        assert_eq!(one.tag("x").len(), 32);
        assert_ne!(one.number("x"), two.number("x"));
        assert_eq!(one.below("a", "bc").tag("x"), one.below("a", "bc").tag("x"));
        assert_ne!(one.below("a", "bc").tag("x"), one.below("ab", "c").tag("x"));
    }
}
