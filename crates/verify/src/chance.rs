//! Unpredictable names for what a run creates, so that two runs never meet.
//! Nothing here is a secret or protects one.

use std::hash::{BuildHasher, Hasher, RandomState};

/// 64 unpredictable bits. The standard library seeds each hasher from the operating system; that is enough
/// for names and saves a dependency.
pub(crate) fn bits() -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u8(1);
    hasher.finish()
}

/// A word that no other run uses.
pub(crate) fn marker() -> String {
    format!("stoa-verify-{:016x}", bits())
}

/// A well-formed identifier (UUIDv7 in shape) that no server has given out.
pub(crate) fn unknown_id() -> String {
    let (a, b) = (bits(), bits());
    format!(
        "0190{:04x}-{:04x}-7{:03x}-8{:03x}-{:012x}",
        a >> 48,
        (a >> 32) & 0xffff,
        (a >> 16) & 0xfff,
        a & 0xfff,
        b & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_have_their_shape_and_differ() {
        assert_ne!(super::marker(), super::marker());
        let id = super::unknown_id();
        assert_eq!(id.len(), 36);
        assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    }
}
