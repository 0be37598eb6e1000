//! Blind tags: a keyed hash under which a value can be found without being stored.

/// Makes tags under one key.
#[derive(Clone)]
pub struct Blind([u8; 32]);

impl Blind {
    /// With a key of its own purpose ([`crate::Keyring::purpose_key`]).
    pub const fn new(key: [u8; 32]) -> Blind {
        Blind(key)
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
    }
}
