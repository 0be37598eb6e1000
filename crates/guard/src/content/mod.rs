//! Which texts may pass: validation by characters, masking of personal data, moderation, spam.

pub mod mask;
pub mod moderate;
pub mod normal;
pub mod validate;

pub use mask::{Found, Masker, PiiKind, StreamMasker};
pub use moderate::{Category, Finding, Judgement, Verdict, moderate};
pub mod spam;
pub use spam::SpamGuard;
