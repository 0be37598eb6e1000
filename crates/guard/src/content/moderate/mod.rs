//! Judges whether a text may pass, by a lexicon of phrases and of patterns of words over the normalised text.
//! It is precise before it is complete: what blocks is meant to be plain, and what is implied is not seen (see
//! `examples/figures` for what that means on public sets). It never changes a text and calls nobody.
//!
//! | severity in the lexicon | score | verdict |
//! |---|---|---|
//! | 1 | 0.35 | `Warn`: passes, noted |
//! | 2 | 0.60 | `Review`: passes, put before a person |
//! | 3 | 0.90 | `Block` |
//! | 3 of `self-harm/intent`, 2 of any `self-harm` | | `Support`: answered with help |

mod category;
mod lexicon;

use std::sync::LazyLock;

pub use category::Category;

use super::normal::{normalise, windows};
use lexicon::{Lexicon, Severities};

/// What to do with a text. Ordered: the gravest of its findings decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verdict {
    /// Nothing was found.
    Allow,
    /// It passes and is noted.
    Warn,
    /// It passes and a person should look at it.
    Review,
    /// The writer needs help: the answer is [`Judgement::support`], not a refusal.
    Support,
    /// It does not pass. With a support text when it is about self-harm.
    Block,
}

impl Verdict {
    /// The name for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Allow => "allow",
            Verdict::Warn => "warn",
            Verdict::Review => "review",
            Verdict::Support => "support",
            Verdict::Block => "block",
        }
    }
}

/// One category that was found.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Finding {
    /// The category.
    pub category: Category,
    /// How grave, from 0 to 1.
    pub score: f32,
}

/// What was found in a text.
#[derive(Clone, PartialEq, Debug)]
pub struct Judgement {
    /// What to do.
    pub verdict: Verdict,
    /// Each category that was found once, the gravest first.
    pub categories: Vec<Finding>,
}

/// What a person in danger is told. No numbers of one country: an app adds its own.
const SUPPORT: &str = "It sounds as if you are going through something very hard. You do not have to face it alone: \
please talk to somebody you trust, or to a crisis line in your country (findahelpline.com lists them). \
If you are in danger now, call your local emergency number.";

impl Judgement {
    /// Whether the text must not pass.
    pub fn blocked(&self) -> bool {
        self.verdict == Verdict::Block
    }

    /// What to tell somebody who may harm themselves; `None` when nothing points to that.
    pub fn support(&self) -> Option<&'static str> {
        self.categories.iter().any(|finding| finding.category.is_self_harm()).then_some(SUPPORT)
    }
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::read(include_str!("lexicon.tsv")));

/// Reads the lexicon now instead of at the first text.
pub(super) fn warm() {
    LazyLock::force(&LEXICON);
}

/// Judges a text.
pub fn moderate(text: &str) -> Judgement {
    let normal = normalise(text);
    let mut severities = Severities::default();
    for words in [Some(&normal.text), normal.thin.as_ref()].into_iter().flatten() {
        windows(words).for_each(|window| severities.merge(LEXICON.find(window)));
    }
    let mut categories = Vec::new();
    let mut verdict = Verdict::Allow;
    for (category, severity) in severities.iter() {
        let score = match severity {
            1 => 0.35,
            2 => 0.6,
            _ => 0.9,
        };
        categories.push(Finding { category, score });
        verdict = verdict.max(match (severity, category) {
            (3.., Category::SelfHarmIntent | Category::SelfHarm) => Verdict::Support,
            (3.., _) => Verdict::Block,
            (2, category) if category.is_self_harm() => Verdict::Support,
            (2, _) => Verdict::Review,
            _ => Verdict::Warn,
        });
    }
    categories.sort_by(|a: &Finding, b: &Finding| b.score.total_cmp(&a.score));
    Judgement { verdict, categories }
}

#[cfg(test)]
mod tests;
