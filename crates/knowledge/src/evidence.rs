//! Whether a sentence that somebody made stands in a passage: enough of its words, every number, every name, and
//! nothing turned round. It owns that judgement and prefers to be wrong by doubting. It never changes a text.

use std::collections::HashSet;
use std::ops::Range;

use crate::language::Language;
use crate::sentence::sentences;

mod amount;
mod turned;

/// The share of a sentence's content words that must stand in the passage.
const HALF: f32 = 0.5;
/// The share that must stand in the sentences that are quoted for it.
const QUOTED: f32 = 0.34;
/// A sentence of which less than this stands anywhere has nothing to do with the passage.
const NEAR: f32 = 0.3;
/// Sentences of the passage that are quoted together at the most, and what each further one must bring.
const WINDOW: usize = 3;
const FURTHER: f32 = 0.08;

/// What came of holding a sentence against a passage.
#[derive(Clone, PartialEq, Debug)]
pub enum Finding {
    /// The passage says so, at this place.
    Supported {
        /// The sentences of the passage that say it.
        range: Range<usize>,
        /// The share of the sentence's content words that they hold.
        share: f32,
    },
    /// The passage speaks of it and says something else: another number, a name it does not know, the opposite.
    Contradicted,
    /// Some of its words stand in the passage, not enough.
    Near,
    /// The passage does not speak of it.
    Absent,
    /// The sentence says nothing that could be held against anything.
    Empty,
}

/// A passage, read once and asked often.
#[derive(Debug)]
pub struct Passage {
    text: String,
    language: Language,
    ranges: Vec<Range<usize>>,
    terms: Vec<HashSet<String>>,
    heading: HashSet<String>,
    /// Every word of passage, headings and question in lower case: the names that may be used.
    words: HashSet<String>,
}

impl Passage {
    /// Reads a passage. Names that stand in its headings or in the question are known as well.
    pub fn new(heading: &str, text: &str, question: &str) -> Passage {
        let language = Language::of(text);
        let ranges = sentences(text);
        let content = |range: &Range<usize>| language.content(text.get(range.clone()).unwrap_or(""));
        let terms = ranges.iter().map(|range| content(range).into_iter().collect()).collect();
        let words = [heading, text, question].into_iter().flat_map(lower_words).collect();
        let heading = language.content(heading).into_iter().collect();
        Passage { text: text.to_owned(), language, ranges, terms, heading, words }
    }

    /// Holds a sentence against the passage. Marks such as `[1]` must be taken out of it before.
    pub fn judge(&self, sentence: &str) -> Finding {
        let asked: HashSet<String> = self.language.content(sentence).into_iter().collect();
        if asked.is_empty() {
            return Finding::Empty;
        }
        let whole = share(&asked, |term| {
            self.heading.contains(term) || self.terms.iter().any(|terms| terms.contains(term))
        });
        let numbers = amount::numbers(sentence);
        let Some((range, held)) = self.window(&asked, &numbers) else { return Finding::Absent };
        if whole < HALF || held < QUOTED {
            return if whole >= NEAR { Finding::Near } else { Finding::Absent };
        }
        let quote = self.text.get(range.clone()).unwrap_or("");
        let known = amount::numbers(quote);
        let same_numbers = numbers.iter().all(|number| known.contains(number));
        let sound = same_numbers
            && !amount::other_unit(sentence, quote)
            && self.knows_names(sentence)
            && !turned::round(self.language, sentence, quote);
        if sound { Finding::Supported { range, share: held } } else { Finding::Contradicted }
    }

    /// The fewest neighbouring sentences that hold the most of it, those with its numbers first.
    fn window(&self, asked: &HashSet<String>, numbers: &HashSet<String>) -> Option<(Range<usize>, f32)> {
        let mut best: Option<(f32, Range<usize>, f32)> = None;
        for size in 1..=WINDOW.min(self.ranges.len()) {
            for (ranges, terms) in self.ranges.windows(size).zip(self.terms.windows(size)) {
                let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else { continue };
                let held = share(asked, |term| {
                    self.heading.contains(term) || terms.iter().any(|terms| terms.contains(term))
                });
                let own = share(asked, |term| terms.iter().any(|terms| terms.contains(term)));
                let range = first.start..last.end;
                let known = amount::numbers(self.text.get(range.clone()).unwrap_or(""));
                let counted = numbers.iter().filter(|number| known.contains(*number)).count();
                let counted = counted as f32 / numbers.len().max(1) as f32;
                let score = held + own + 2.0 * counted - FURTHER * (size - 1) as f32;
                if own > 0.0 && best.as_ref().is_none_or(|(top, ..)| score > *top) {
                    best = Some((score, range, held));
                }
            }
        }
        best.map(|(_, range, held)| (range, held))
    }

    /// Whether every name in the sentence is known: a word that begins with a capital letter without beginning the
    /// sentence, and any word made of letters and digits. In German every noun has a capital, so there only the latter.
    fn knows_names(&self, sentence: &str) -> bool {
        let german = self.language == Language::German;
        let mut begins = true;
        for token in sentence.split_whitespace() {
            let bare = token.trim_matches(|c: char| !c.is_alphanumeric());
            let code = bare.bytes().any(|b| b.is_ascii_digit()) && bare.chars().any(char::is_alphabetic);
            let name = !german && !begins && bare.starts_with(char::is_uppercase) && bare.chars().count() > 1;
            if (name || code)
                && !lower_words(bare).all(|word| self.words.contains(&word) || self.similar(&word))
            {
                return false;
            }
            // After a full stop, a colon or a list mark a capital means nothing.
            begins = bare.is_empty() && begins || token.ends_with(['.', ':', '!', '?', '*', '“', '"', '(']);
        }
        true
    }

    /// Whether the passage has the word with another ending: `Refunds` for `refund`.
    fn similar(&self, word: &str) -> bool {
        let stems = self.language.content(word);
        stems
            .iter()
            .all(|stem| self.heading.contains(stem) || self.terms.iter().any(|terms| terms.contains(stem)))
    }
}

fn lower_words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

fn share(asked: &HashSet<String>, holds: impl Fn(&str) -> bool) -> f32 {
    asked.iter().filter(|term| holds(term)).count() as f32 / asked.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "You may return any blender within 30 days of delivery. Refunds arrive within five working \
        days. Items on sale cannot be returned. We ship to Austria, but not to Switzerland. Shipping costs 4,90 € \
        before noon.";

    fn judge(sentence: &str) -> Finding {
        Passage::new("Shop › Returns", TEXT, "How do I return a blender?").judge(sentence)
    }

    fn quote(sentence: &str) -> &'static str {
        match judge(sentence) {
            Finding::Supported { range, .. } => &TEXT[range],
            other => panic!("{sentence}: {other:?}"),
        }
    }

    #[test]
    fn what_the_passage_says_is_supported_by_its_sentence() {
        assert_eq!(
            quote("Blenders can be returned within 30 days."),
            "You may return any blender within 30 days of delivery."
        );
        assert_eq!(quote("Refunds take 5 working days."), "Refunds arrive within five working days.");
        assert_eq!(quote("Items on sale can't be returned."), "Items on sale cannot be returned.");
        assert!(quote("We ship to Austria.").contains("Austria"));
        assert!(quote("Shipping costs 4.90 €.").contains("4,90"));
    }

    #[test]
    fn other_numbers_units_names_and_the_opposite_are_not() {
        for sentence in [
            "Blenders can be returned within 60 days.",
            "Blenders can be returned within 30 weeks.",
            "Blenders cannot be returned within 30 days.",
            "Items on sale can be returned.",
            "We ship to Switzerland.",
            "We ship to Austria and Portugal.",
            "Refunds arrive within five working days from John Smith.",
            "Shipping costs 4,90 € after noon.",
        ] {
            assert_eq!(judge(sentence), Finding::Contradicted, "{sentence}");
        }
    }

    #[test]
    fn what_it_does_not_speak_of_is_absent() {
        assert_eq!(judge("The capital of France is Paris."), Finding::Absent);
        assert_eq!(judge("Any blender delivery may burn kitchens and gardens."), Finding::Near);
        assert_eq!(judge("It is so, and that is it."), Finding::Empty);
        assert_eq!(Passage::new("", "", "").judge("Horses run fast."), Finding::Absent);
    }
}
