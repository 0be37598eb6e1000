//! Whose data it is: the visitor, user or key that owns conversations and everything in them.
//! It owns the one text form that every `owner` column holds.

use std::fmt;

use crate::{Code, Fault, KeyId, UserId, VisitorId};

/// The owner of data; export and erasure work per subject.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An anonymous browser.
    Visitor(VisitorId),
    /// An account.
    User(UserId),
    /// An API key.
    Key(KeyId),
}

impl Subject {
    /// Reads the form that `Display` writes: `visitor:…`, `user:…`, `key:…`.
    pub fn parse(text: &str) -> Result<Subject, Fault> {
        match text.split_once(':') {
            Some(("visitor", id)) => VisitorId::parse(id).map(Subject::Visitor),
            Some(("user", id)) => UserId::parse(id).map(Subject::User),
            Some(("key", id)) => KeyId::parse(id).map(Subject::Key),
            _ => Err(Fault::new(Code::InvalidId)),
        }
    }

    /// The kind as a word: `visitor`, `user`, `key`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Subject::Visitor(_) => "visitor",
            Subject::User(_) => "user",
            Subject::Key(_) => "key",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Visitor(id) => write!(f, "visitor:{id}"),
            Subject::User(id) => write!(f, "user:{id}"),
            Subject::Key(id) => write!(f, "key:{id}"),
        }
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_back() {
        let text = "key:019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d";
        assert_eq!(Subject::parse(text).unwrap().to_string(), text);
        assert!(Subject::parse("root:019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d").is_err());
        assert!(Subject::parse("user").is_err());
    }
}
