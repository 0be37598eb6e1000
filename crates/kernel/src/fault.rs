//! A failure as every room reports it: a code for programs, a sentence for the caller, a cause for the log.
//! The three never mix: the cause is not shown to callers, and the sentence never holds a secret or a path.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::{Code, Kind};

/// The result of anything that can fail for a reason that a caller may be told.
pub type Result<T, E = Fault> = std::result::Result<T, E>;

/// What is wrong with one field of the input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldFault {
    /// The field's name, dotted when nested.
    pub field: Cow<'static, str>,
    /// A stable code: `missing`, `unknown`, `too_long`, …
    pub code: &'static str,
    /// One sentence.
    pub detail: Cow<'static, str>,
}

/// A failure. Small to pass around: one pointer.
pub struct Fault(Box<Parts>);

struct Parts {
    code: Code,
    say: Option<Cow<'static, str>>,
    fields: Vec<FieldFault>,
    cause: Option<Box<dyn Error + Send + Sync>>,
    retry_after: Option<Duration>,
}

impl Fault {
    /// A failure of this code, with the code's own title as the message.
    pub fn new(code: Code) -> Fault {
        Fault(Box::new(Parts { code, say: None, fields: Vec::new(), cause: None, retry_after: None }))
    }

    /// `invalid_input` for one field.
    pub fn invalid(
        field: impl Into<Cow<'static, str>>,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Fault {
        Fault::new(Code::InvalidInput).field(field, code, detail)
    }

    /// A defect or a broken dependency: `internal`, with the cause for the log.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Fault {
        Fault::new(Code::Internal).because(cause)
    }

    /// With a sentence for the caller. It must not hold secrets, paths or provider messages.
    #[must_use]
    pub fn say(mut self, sentence: impl Into<Cow<'static, str>>) -> Fault {
        self.0.say = Some(sentence.into());
        self
    }

    /// With a cause for the log. It must not hold message text.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Fault {
        self.0.cause = Some(cause.into());
        self
    }

    /// With one more field that is wrong.
    #[must_use]
    pub fn field(
        mut self,
        field: impl Into<Cow<'static, str>>,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Fault {
        self.0.fields.push(FieldFault { field: field.into(), code, detail: detail.into() });
        self
    }

    /// With the time after which a retry makes sense.
    #[must_use]
    pub fn retry_after(mut self, span: Duration) -> Fault {
        self.0.retry_after = Some(span);
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The sort of failure.
    pub fn kind(&self) -> Kind {
        self.0.code.kind()
    }

    /// The sentence for the caller.
    pub fn message(&self) -> &str {
        match (&self.0.say, self.0.fields.first()) {
            (Some(say), _) => say,
            (None, Some(field)) => &field.detail,
            (None, None) => self.0.code.title(),
        }
    }

    /// The fields that are wrong.
    pub fn fields(&self) -> &[FieldFault] {
        &self.0.fields
    }

    /// The cause, for the log alone.
    pub fn cause(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.0.cause.as_deref()
    }

    /// When to try again.
    pub fn retry(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl From<Code> for Fault {
    fn from(code: Code) -> Fault {
        Fault::new(code)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.message())?;
        match &self.0.cause {
            Some(cause) => write!(f, " (cause: {cause})"),
            None => Ok(()),
        }
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_sees_the_sentence_and_the_log_the_cause() {
        let fault = Fault::new(Code::Unavailable).because("connection to 10.0.0.3 refused");
        assert_eq!(fault.to_string(), Code::Unavailable.title());
        assert!(format!("{fault:?}").contains("10.0.0.3"));
        assert_eq!(std::mem::size_of::<Fault>(), std::mem::size_of::<usize>());
    }

    #[test]
    fn a_field_speaks_for_the_fault() {
        let fault = Fault::invalid("message", "too_long", "the message may hold 5000 characters");
        assert_eq!(fault.message(), "the message may hold 5000 characters");
        assert_eq!(fault.fields().len(), 1);
    }
}
