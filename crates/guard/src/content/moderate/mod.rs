//! Judges whether a text may pass: a lexicon of phrases and of patterns of words, and a linear judge beside it, both
//! over the normalised text. The lexicon is precise before it is complete; the linear judge never blocks by itself.
//! What is implied is not seen (see `examples/figures` for what that means on public sets). It never changes a text
//! and calls nobody. What is done about a score is the app's: `policy.rs`.
//!
//! | found by | score | without a rule of the app |
//! |---|---|---|
//! | lexicon, severity 1; rough language | 0.35 to 0.49 | `Warn`: passes, noted |
//! | lexicon, severity 2; the linear judge | 0.5 to 0.8 | `Review`: passes, put before a person |
//! | lexicon, severity 3, and 2 of self-harm | 0.9 | `Block`; of self-harm `Support`: answered with help |

mod category;
mod lexicon;
pub mod linear;
mod policy;
pub mod reviewed;

use std::sync::LazyLock;

pub use category::Category;
pub use policy::{FOUND, PLAIN, Policy, Verdict};

use super::normal::{Normal, normalise, windows};
use lexicon::{Lexicon, Severities};

/// One category that was found.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Finding {
    /// The category.
    pub category: Category,
    /// How grave, from 0 to 1.
    pub score: f32,
}

/// The score of every category, from 0 to 1.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Scores([f32; Category::ALL.len()]);

impl Scores {
    /// The score of a category.
    pub fn of(&self, category: Category) -> f32 {
        self.0.get(category as usize).copied().unwrap_or(0.0)
    }

    /// Every category with its score.
    pub fn iter(&self) -> impl Iterator<Item = Finding> {
        Category::ALL.iter().zip(self.0).map(|(category, score)| Finding { category: *category, score })
    }

    fn raise(&mut self, category: Category, score: f32) {
        if let Some(slot) = self.0.get_mut(category as usize) {
            *slot = score.max(*slot);
        }
    }
}

/// What was found in a text.
#[derive(Clone, PartialEq, Debug)]
pub struct Judgement {
    /// What to do.
    pub verdict: Verdict,
    /// Each category that was found or hinted at once, the gravest first.
    pub categories: Vec<Finding>,
    /// The score of every category.
    pub scores: Scores,
}

/// What a person in danger is told. No numbers of one country: an app adds its own.
pub const SUPPORT: &str = "It sounds as if you are going through something very hard. You do not have to face it alone: \
please talk to somebody you trust, or to a crisis line in your country (findahelpline.com lists them). \
If you are in danger now, call your local emergency number.";

impl Judgement {
    /// Whether the text must not pass.
    pub fn blocked(&self) -> bool {
        self.verdict == Verdict::Block
    }

    /// Whether the writer is to be answered with help.
    pub fn support(&self) -> bool {
        self.verdict == Verdict::Support
    }

    /// Whether a category was found.
    pub fn flagged(&self) -> bool {
        self.categories.iter().any(|finding| finding.score >= FOUND)
    }
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::read(include_str!("lexicon.tsv")));

/// Reads the lexicon now instead of at the first text.
pub(super) fn warm() {
    linear::warm();
    LazyLock::force(&LEXICON);
}

/// Judges a text by the rules that hold where an app says nothing.
pub fn moderate(text: &str) -> Judgement {
    judge(text, &Policy::default())
}

/// Judges a text by the rules of an app.
pub fn judge(text: &str, policy: &Policy) -> Judgement {
    let scores = scores(&normalise(text));
    // What is below a hint is no finding, only a number.
    let mut categories: Vec<Finding> = scores.iter().filter(|finding| finding.score >= HINT).collect();
    categories.sort_by(|a, b| b.score.total_cmp(&a.score));
    let verdict = categories.iter().map(|finding| policy.of(*finding)).max().unwrap_or(Verdict::Allow);
    Judgement { verdict, categories, scores }
}

/// The score of a hint: severity 1 of the lexicon, or language that is more likely rough than not.
const HINT: f32 = 0.35;
/// What a linear judge at its threshold is worth where nothing else speaks for it: just found.
const LIKELY: f32 = FOUND;

fn scores(normal: &Normal) -> Scores {
    let mut severities = Severities::default();
    for words in [Some(&normal.text), normal.thin.as_ref()].into_iter().flatten() {
        windows(words).for_each(|window| severities.merge(LEXICON.find(window)));
    }
    let mut scores = Scores::default();
    let likely = linear::probabilities(&normal.text);
    for (category, likely) in linear::CATEGORIES.iter().zip(likely) {
        let Some(category) = category else {
            // Rough words harass nobody by themselves.
            scores.raise(Category::Harassment, rough(likely));
            continue;
        };
        let above = (likely - LIKELY).max(0.0);
        let below = likely.min(LIKELY) / LIKELY * (HINT - 0.01);
        let score =
            if above > 0.0 { FOUND + above / (1.0 - LIKELY) * (linear::CEILING - FOUND) } else { below };
        scores.raise(*category, score);
    }
    for (category, severity) in severities.iter() {
        let score = match severity {
            1 => HINT,
            2 if category.is_self_harm() => 0.9,
            2 => 0.6,
            _ => 0.9,
        };
        scores.raise(category, score);
    }
    scores
}

/// The score of rough language: a hint when it is more likely than not, never a finding.
fn rough(likely: f32) -> f32 {
    if likely >= 0.5 { HINT + (likely - 0.5) * 0.28 } else { likely * 0.2 }
}

#[cfg(test)]
mod tests;
