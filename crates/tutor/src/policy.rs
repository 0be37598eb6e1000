//! What an app lets its tutor do.

use serde::{Deserialize, Serialize};

/// A language that the tutor speaks by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// German.
    De,
}

/// Whether the answer is ever handed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reveal {
    /// Never.
    #[default]
    Never,
    /// After this many wrong tries, on the last rung of the hints, to who asks; an explanation is asked for in return.
    AfterTries(u32),
}

/// What an app lets its tutor do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// The highest rung of the hints, 0 to 4.
    pub hints: u8,
    /// Whether the answer is ever handed over.
    pub reveal: Reveal,
    /// After this many questions a summary is asked for; no bound when absent.
    pub questions: Option<u32>,
    /// The languages it may speak; the first where the learner's is none of them.
    pub languages: Vec<Language>,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            hints: 4,
            reveal: Reveal::Never,
            questions: None,
            languages: vec![Language::En, Language::De],
        }
    }
}

impl Policy {
    /// The language for a learner who writes German, or not, or in a way that tells nothing.
    pub(crate) fn language(&self, german: Option<bool>, before: Option<Language>) -> Language {
        let wanted = match german {
            Some(true) => Some(Language::De),
            Some(false) => Some(Language::En),
            None => before,
        };
        let first = self.languages.first().copied().unwrap_or_default();
        wanted.filter(|language| self.languages.contains(language)).unwrap_or(first)
    }
}
