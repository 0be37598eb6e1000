//! The words for the applications that the server hosts: their ids, kinds and who may enter.
//! It never knows how an app works: that is the room `apps`.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Code, Fault};

/// The id of an app: 1 to 32 of `a-z`, `0-9`, `-`, beginning with a letter. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppId(Arc<str>);

impl AppId {
    /// Reads an app id; anything malformed is `invalid_id`.
    pub fn parse(text: &str) -> Result<AppId, Fault> {
        let well_formed = (1..=32).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if well_formed { Ok(AppId(text.into())) } else { Err(Fault::new(Code::InvalidId)) }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for AppId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AppId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<AppId, D::Error> {
        let text = String::deserialize(deserializer)?;
        AppId::parse(&text).map_err(|_| {
            serde::de::Error::custom("an app id is 1 to 32 of a-z, 0-9 and -, beginning with a letter")
        })
    }
}

/// What an app does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AppKind {
    /// A plain conversation with a model.
    Chat,
    /// Customer service: answers from documents with verified citations.
    Support,
    /// A Socratic tutor.
    Tutor,
    /// A file store that finds what can be thrown away.
    Files,
}

impl AppKind {
    /// The kind as the word that the configuration uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            AppKind::Chat => "chat",
            AppKind::Support => "support",
            AppKind::Tutor => "tutor",
            AppKind::Files => "files",
        }
    }
}

/// Which accounts may enter an app.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserEntry {
    /// None.
    Nobody,
    /// Those that hold a grant, and admins.
    Granted,
    /// Every active account.
    Everybody,
}

/// Who may enter an app.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Anonymous visitors may.
    pub visitors: bool,
    /// API keys may, when their own list of apps allows it.
    pub keys: bool,
    /// These accounts may.
    pub users: UserEntry,
}

/// Whom a document of an app speaks to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Visibility {
    /// Everybody who may enter the app.
    Everyone,
    /// Those who manage the app. Who may see these may see the others too.
    Staff,
}

impl Visibility {
    /// Every visibility, the widest first.
    pub const ALL: [Visibility; 2] = [Visibility::Everyone, Visibility::Staff];

    /// The visibility as a word: `everyone`, `staff`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Visibility::Everyone => "everyone",
            Visibility::Staff => "staff",
        }
    }

    /// Reads the word; any other is `invalid_input`.
    pub fn parse(text: &str) -> Result<Visibility, Fault> {
        Visibility::ALL
            .into_iter()
            .find(|one| one.as_str() == text)
            .ok_or_else(|| Fault::invalid("visibility", "unknown", "a visibility is `everyone` or `staff`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_words() {
        assert_eq!(AppId::parse("support-2").unwrap().as_str(), "support-2");
        for bad in ["", "Support", "2support", "a b", "../x", "a_b", &"a".repeat(33)] {
            assert!(AppId::parse(bad).is_err(), "{bad}");
        }
    }
}
