//! A question as words to search for. It owns which of them are left out. It never sees a document.

use std::collections::HashSet;

use crypto::Blind;

use crate::forms::each_form;
use crate::index::{prefix_tag, stem_tag};

/// More different words of a question than these are not searched for: nobody asks with more, and a page pasted as
/// a question must not cost more than a question.
pub(crate) const MOST: usize = 64;

/// A question as different words, in the order in which they stand.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub(crate) words: Vec<Word>,
}

/// A word of a question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Word {
    pub(crate) stem: String,
    pub(crate) prefix: Option<String>,
    pub(crate) stem_tag: u64,
    pub(crate) prefix_tag: Option<u64>,
    pub(crate) common: bool,
}

impl Query {
    /// The words of `question` under the key of an app.
    pub fn new(question: &str, blind: &Blind) -> Query {
        let mut seen = HashSet::new();
        let mut words: Vec<Word> = Vec::new();
        each_form(question, |form| {
            if words.len() < MOST && seen.insert(form.stem.to_string()) {
                words.push(Word {
                    stem_tag: stem_tag(blind, &form.stem),
                    prefix_tag: form.prefix.as_deref().map(|prefix| prefix_tag(blind, prefix)),
                    stem: form.stem.into_owned(),
                    prefix: form.prefix.map(std::borrow::Cow::into_owned),
                    common: form.common,
                });
            }
        });
        Query { words }
    }

    /// Whether there is nothing to search for.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

/// A question weighed against an index: what is searched for, and how rare it is there.
#[derive(Clone, Debug, Default)]
pub struct Weighed {
    pub(crate) words: Vec<WeighedWord>,
    /// The sum of the weights of all words.
    pub(crate) total: f32,
}

/// A word of a question, weighed.
#[derive(Clone, Debug)]
pub(crate) struct WeighedWord {
    pub(crate) word: Word,
    /// Inverse document frequency of the stem; the largest for one that the index does not know.
    pub(crate) stem_idf: f32,
    /// The same of the first letters.
    pub(crate) prefix_idf: f32,
    /// The index knows it, at least by its first letters.
    pub(crate) known: bool,
}
