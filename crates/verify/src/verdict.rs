//! What one check says: what it saw, or why it failed, or why it could not run.
//! It owns these words only. It never asks anything.

use std::borrow::Cow;

/// The end of a check: what was seen, or why it stopped.
pub(crate) type Verdict<T = String> = Result<T, Stop>;

/// Why a check stopped before it could say "good".
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    /// The deployment breaks the promise.
    Fail(Failure),
    /// The check does not apply here; the text says why.
    Skip(String),
}

/// A broken promise. Where `why` or `fix` is absent the table of checks has the general words.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) saw: String,
    pub(crate) why: Option<Cow<'static, str>>,
    pub(crate) fix: Option<Cow<'static, str>>,
}

impl Stop {
    /// With the reason why this failure matters, in place of the check's general one.
    pub(crate) fn why(mut self, text: impl Into<Cow<'static, str>>) -> Stop {
        if let Stop::Fail(failure) = &mut self {
            failure.why = Some(text.into());
        }
        self
    }

    /// With the way out of this failure, in place of the check's general one.
    pub(crate) fn fix(mut self, text: impl Into<Cow<'static, str>>) -> Stop {
        if let Stop::Fail(failure) = &mut self {
            failure.fix = Some(text.into());
        }
        self
    }
}

/// A failure that saw this.
pub(crate) fn fail(saw: impl Into<String>) -> Stop {
    Stop::Fail(Failure { saw: saw.into(), why: None, fix: None })
}

/// The check does not apply, because of this.
pub(crate) fn skip(why: impl Into<String>) -> Stop {
    Stop::Skip(why.into())
}

/// Goes on when `holds`, and otherwise fails with what was seen.
pub(crate) fn ensure<S: Into<String>>(holds: bool, saw: impl FnOnce() -> S) -> Verdict<()> {
    if holds { Ok(()) } else { Err(fail(saw())) }
}
