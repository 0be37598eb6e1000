//! Which texts may pass: validation by characters, masking of personal data, moderation, spam.

pub mod mask;
pub mod validate;

pub use mask::{Found, Masker, PiiKind, StreamMasker};
