//! Which texts may pass: validation by characters, masking of personal data, moderation, spam, attempts at injection.
//! Everything here works on texts alone, in time linear in the text, and calls nobody.

pub mod injection;
mod look;
pub mod mask;
pub mod moderate;
pub mod normal;
pub mod spam;
pub mod validate;

pub use injection::{Suspicion, suspect};
pub use mask::{Found, Masker, PiiKind, StreamMasker, find_broadly, mask_broadly};
pub use moderate::{Category, Finding, Judgement, Policy, SUPPORT, Scores, Verdict, judge, moderate};
pub use spam::{Noticed, SpamGuard};

/// Builds what the judges need (some 20 ms of work) now instead of at the first text: for a background task at start.
pub fn warm() {
    moderate::warm();
    injection::warm();
}
