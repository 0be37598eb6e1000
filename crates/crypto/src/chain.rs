//! The hash chain of the audit log. Each link is keyed: who can write the database but does not hold the key
//! can neither alter an event nor forge the end of the log unnoticed.

/// The key of the chain.
#[derive(Clone)]
pub struct ChainKey([u8; 32]);

/// The hash before the first event.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

impl ChainKey {
    /// With a key of its own purpose ([`crate::Keyring::purpose_key`]).
    pub const fn new(key: [u8; 32]) -> ChainKey {
        ChainKey(key)
    }

    /// The hash of the event with this number and these canonical bytes, after `previous`. 64 hexadecimal digits.
    pub fn link(&self, previous: &str, seq: i64, canonical: &[u8]) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(b"event");
        hasher.update(&(previous.len() as u64).to_le_bytes());
        hasher.update(previous.as_bytes());
        hasher.update(&seq.to_le_bytes());
        hasher.update(canonical);
        hasher.finalize().to_hex().to_string()
    }

    /// The seal of the end of the log: without it, cutting off the newest events would leave a valid chain.
    pub fn seal_head(&self, seq: i64, hash: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(b"head");
        hasher.update(&seq.to_le_bytes());
        hasher.update(hash.as_bytes());
        hasher.finalize().to_hex().to_string()
    }

    /// The seal of the beginning of the log, after the events up to this number were removed: without it, cutting off
    /// the oldest events would leave a valid chain.
    pub fn seal_cut(&self, seq: i64, hash: &str, at: i64) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(b"cut");
        hasher.update(&seq.to_le_bytes());
        hasher.update(&at.to_le_bytes());
        hasher.update(hash.as_bytes());
        hasher.finalize().to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts() {
        let key = ChainKey::new([7; 32]);
        let link = key.link(GENESIS, 1, b"event");
        assert_ne!(link, key.link(GENESIS, 2, b"event"));
        assert_ne!(link, key.link(GENESIS, 1, b"Event"));
        assert_ne!(link, key.link(&link, 1, b"event"));
        assert_ne!(link, ChainKey::new([8; 32]).link(GENESIS, 1, b"event"));
        assert_ne!(key.seal_head(1, &link), key.seal_head(2, &link));
        assert_ne!(key.seal_cut(1, &link, 5), key.seal_cut(1, &link, 6));
        assert_ne!(key.seal_cut(1, &link, 5), key.seal_head(1, &link));
    }
}
