//! The words shortly before a number, which say what it is.

use super::view::View;

/// How far before the number a word counts, in bytes.
const NEAR: usize = 40;

/// Whether one of the words (in lower case, ASCII first) stands shortly before `at`, as a word or the beginning of one.
pub(super) fn near(view: &View<'_>, at: usize, words: &[&str]) -> bool {
    let mut folded = [0_u8; NEAR];
    let before = view.before(at, NEAR);
    for (slot, byte) in folded.iter_mut().zip(before) {
        *slot = byte.to_ascii_lowercase();
    }
    let mut rest = folded.get(..before.len()).unwrap_or(&[]);
    let mut inside = false;
    while let Some((first, tail)) = rest.split_first() {
        let letter = first.is_ascii_alphabetic();
        if letter && !inside && words.iter().any(|word| rest.starts_with(word.as_bytes())) {
            return true;
        }
        inside = letter;
        rest = tail;
    }
    false
}
