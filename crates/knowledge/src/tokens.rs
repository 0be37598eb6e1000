//! From text to the terms that are indexed and searched: words of UAX #29, NFKC, lower case, light stemming.
//! It owns what counts as a word and which words are too common to search for. It never keeps offsets: what is
//! cited is a byte range of the source ([`crate::chunk`], [`crate::sentence`]), not of the terms.

use std::borrow::Cow;
use std::collections::HashSet;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::{UnicodeNormalization as _, is_nfkc};
use unicode_segmentation::UnicodeSegmentation as _;

/// How words lose their endings.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stemming {
    /// Snowball's English rules for ASCII words, [`Stemming::Prefix`] for all others.
    #[default]
    English,
    /// The first five letters. Crude, and better than nothing in every language measured: German hit@1 on
    /// XQuAD rises from .848 to .892, Russian from .801 to .912.
    Prefix,
}

/// One term of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Term<'a> {
    /// The stemmed word, or a pair of characters in scripts without spaces.
    pub text: &'a str,
    /// The word is so common in English that it says nothing by itself.
    pub common: bool,
}

/// Letters that a prefix stem keeps.
const PREFIX: usize = 5;
/// Longest term in bytes; the rest of a longer word is dropped, so a hostile text cannot fill the index with it.
const LONGEST: usize = 64;

/// Calls `take` with each term of `text`, in order.
pub fn each_term(text: &str, stemming: Stemming, mut take: impl FnMut(Term<'_>)) {
    let stemmer = Stemmer::create(Algorithm::English);
    each_piece(text, |piece| match piece {
        Piece::Word(word) => {
            take(Term { text: &stem(word, stemming, &stemmer), common: is_common(word) });
        }
        Piece::Name(text) | Piece::Pair(text) => take(Term { text, common: false }),
    });
}

/// What a text is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece<'a> {
    /// A word, or a part of a name, in lower case, of bounded length.
    Word(&'a str),
    /// A name such as `stoa.toml`; its parts follow as words.
    Name(&'a str),
    /// Two characters in a row of a script without spaces.
    Pair(&'a str),
}

impl<'a> Piece<'a> {
    /// The text of the piece. A word may be spelled like a name or a pair, whose forms are others.
    pub(crate) const fn text(self) -> &'a str {
        match self {
            Piece::Word(text) | Piece::Name(text) | Piece::Pair(text) => text,
        }
    }

    pub(crate) const fn is_word(self) -> bool {
        matches!(self, Piece::Word(_))
    }
}

/// Calls `take` with each piece of `text`, in order.
pub(crate) fn each_piece(text: &str, mut take: impl FnMut(Piece<'_>)) {
    let text = normal(text);
    let mut run = Run::default();
    for (start, word) in text.unicode_word_indices() {
        if word.chars().next().is_some_and(is_unspaced) {
            if run.end != start {
                run.flush(&mut take);
            }
            run.text.push_str(word);
            run.end = start + word.len();
            continue;
        }
        run.flush(&mut take);
        let word = small(word);
        if word.contains(['_', '.', ':']) && word.chars().any(char::is_alphabetic) {
            // Names such as `OPENAI_API_KEY` and `stoa.toml` are found whole and by their parts.
            take(Piece::Name(cut(&word)));
            for part in word.split(['_', '.', ':']).filter(|part| part.len() > 1) {
                take(Piece::Word(cut(part)));
            }
        } else {
            take(Piece::Word(cut(&word)));
        }
    }
    run.flush(&mut take);
}

/// The different terms of `text`.
pub fn distinct_terms(text: &str, stemming: Stemming) -> HashSet<String> {
    let mut found = HashSet::new();
    each_term(text, stemming, |term| {
        if !found.contains(term.text) {
            found.insert(term.text.to_owned());
        }
    });
    found
}

/// The word in lower case; most are already.
fn small(word: &str) -> Cow<'_, str> {
    if word.is_ascii() {
        if word.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(word.to_ascii_lowercase())
        } else {
            Cow::Borrowed(word)
        }
    } else {
        Cow::Owned(word.to_lowercase().replace('\u{2019}', "'"))
    }
}

fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfkc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfkc().collect()) }
}

fn stem<'a>(word: &'a str, stemming: Stemming, english: &Stemmer) -> Cow<'a, str> {
    if word.bytes().any(|b| b.is_ascii_digit()) {
        return Cow::Borrowed(word);
    }
    if stemming == Stemming::English && word.is_ascii() {
        return english.stem(word);
    }
    let end = word.char_indices().nth(PREFIX).map_or(word.len(), |(at, _)| at);
    Cow::Borrowed(word.get(..end).unwrap_or(word))
}

fn cut(word: &str) -> &str {
    word.get(..word.floor_char_boundary(LONGEST)).unwrap_or(word)
}

/// Letters of scripts that put no spaces between words, where pairs of characters serve as terms.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF // Thai, Lao
        | 0x1000..=0x109F // Myanmar
        | 0x1780..=0x17FF // Khmer
        | 0x3040..=0x30FF | 0x31F0..=0x31FF // Hiragana, Katakana
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF) // Han
}

/// A stretch of text in a script without spaces.
#[derive(Default)]
struct Run {
    text: String,
    end: usize,
}

impl Run {
    fn flush(&mut self, take: &mut impl FnMut(Piece<'_>)) {
        let mut previous = None;
        for (at, c) in self.text.char_indices() {
            if let Some(from) = previous
                && let Some(pair) = self.text.get(from..at + c.len_utf8())
            {
                take(Piece::Pair(pair));
            }
            previous = Some(at);
        }
        if self.text.chars().nth(1).is_none() && !self.text.is_empty() {
            take(Piece::Pair(&self.text));
        }
        self.text.clear();
    }
}

/// Function words of English in lower case, sorted. Question words are among them: they say what kind of answer
/// is wanted, not what it is about.
const COMMON: &[&str] = &[
    "a",
    "about",
    "after",
    "again",
    "all",
    "also",
    "am",
    "an",
    "and",
    "another",
    "any",
    "anyone",
    "anything",
    "are",
    "aren't",
    "around",
    "as",
    "at",
    "be",
    "because",
    "been",
    "before",
    "being",
    "both",
    "but",
    "by",
    "can",
    "can't",
    "cannot",
    "could",
    "couldn't",
    "did",
    "didn't",
    "do",
    "does",
    "doesn't",
    "doing",
    "don't",
    "done",
    "each",
    "either",
    "else",
    "ever",
    "every",
    "for",
    "from",
    "get",
    "gets",
    "give",
    "given",
    "go",
    "goes",
    "going",
    "got",
    "had",
    "has",
    "hasn't",
    "have",
    "haven't",
    "having",
    "he",
    "hello",
    "help",
    "her",
    "here",
    "hers",
    "hi",
    "him",
    "his",
    "how",
    "i",
    "i'd",
    "i'm",
    "i've",
    "if",
    "in",
    "into",
    "is",
    "isn't",
    "it",
    "it's",
    "its",
    "just",
    "kind",
    "know",
    "let",
    "like",
    "many",
    "may",
    "me",
    "might",
    "more",
    "most",
    "much",
    "must",
    "my",
    "name",
    "need",
    "needs",
    "no",
    "nor",
    "not",
    "of",
    "on",
    "one",
    "only",
    "or",
    "other",
    "our",
    "out",
    "over",
    "own",
    "please",
    "same",
    "see",
    "shall",
    "she",
    "should",
    "so",
    "some",
    "something",
    "such",
    "tell",
    "than",
    "thank",
    "thanks",
    "that",
    "that's",
    "the",
    "their",
    "them",
    "then",
    "there",
    "these",
    "they",
    "thing",
    "things",
    "this",
    "those",
    "through",
    "to",
    "too",
    "under",
    "until",
    "up",
    "us",
    "use",
    "used",
    "uses",
    "using",
    "very",
    "want",
    "wants",
    "was",
    "wasn't",
    "way",
    "we",
    "were",
    "what",
    "what's",
    "when",
    "where",
    "where's",
    "which",
    "while",
    "who",
    "who's",
    "whom",
    "whose",
    "why",
    "will",
    "with",
    "won't",
    "would",
    "yes",
    "you",
    "you're",
    "your",
    "yours",
];

/// The same of German, without those that mean something in English: `die`, `war`, `hat`, `bin`, `man`, `am`. With
/// them German hit@1 on XQuAD rises from .912 to .919; English stays.
#[rustfmt::skip]
const COMMON_GERMAN: &[&str] = &[
    "aber", "alle", "allem", "allen", "aller", "alles", "als", "ander", "andere", "anderem", "anderen",
    "anderer", "anderes", "auch", "auf", "aus", "bei", "beim", "bis", "bist", "bitte", "da", "damit", "dann",
    "das", "dass", "daß", "dein", "deine", "deinem", "deinen", "deiner", "dem", "den", "denen", "der",
    "deren", "des", "dessen", "dich", "dies", "diese", "diesem", "diesen", "dieser", "dieses", "dir", "doch",
    "dort", "du", "durch", "ein", "eine", "einem", "einen", "einer", "eines", "er", "es", "etwas", "euch",
    "euer", "eure", "für", "gegen", "gibt", "habe", "haben", "habt", "hatte", "hatten", "hier", "hinter",
    "ich", "ihm", "ihn", "ihnen", "ihr", "ihre", "ihrem", "ihren", "ihrer", "im", "indem", "ins", "ist",
    "ja", "jede", "jedem", "jeden", "jeder", "jedes", "jene", "jetzt", "kann", "kannst", "kein", "keine",
    "keinem", "keinen", "keiner", "können", "könnte", "könnten", "lassen", "machen", "mein", "meine",
    "meinem", "meinen", "meiner", "mich", "mir", "mit", "muss", "muß", "möchte", "müssen", "nach", "nicht",
    "nichts", "noch", "nun", "nur", "ob", "oder", "ohne", "sehr", "sein", "seine", "seinem", "seinen",
    "seiner", "seit", "sich", "sie", "sind", "soll", "sollte", "sollten", "sondern", "sonst", "um", "und",
    "uns", "unser", "unsere", "unter", "viel", "viele", "vom", "von", "vor", "wann", "waren", "warum", "was",
    "wegen", "weil", "weiter", "welche", "welchem", "welchen", "welcher", "welches", "wem", "wen", "wenn",
    "wer", "werde", "werden", "wessen", "wie", "wieder", "wieso", "wieviel", "will", "wir", "wird", "wo",
    "wobei", "wodurch", "wofür", "woher", "wohin", "womit", "worden", "wozu", "wurde", "wurden", "während",
    "zu", "zum", "zur", "zwar", "zwischen", "über",
];

/// Whether a lower-case word is among the common ones.
pub(crate) fn is_common(word: &str) -> bool {
    COMMON.binary_search(&word).is_ok() || COMMON_GERMAN.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, stemming: Stemming) -> Vec<String> {
        let mut terms = Vec::new();
        each_term(text, stemming, |term| terms.push(term.text.to_owned()));
        terms
    }

    #[test]
    fn the_lists_of_common_words_are_sorted() {
        for list in [COMMON, COMMON_GERMAN] {
            assert!(list.windows(2).all(|pair| pair[0] < pair[1]), "{list:?}");
        }
    }

    #[test]
    fn words_lose_case_and_endings() {
        assert_eq!(all("Connecting the Models", Stemming::English), ["connect", "the", "model"]);
        assert_eq!(all("Verbindungen, verbinden!", Stemming::Prefix), ["verbi", "verbi"]);
        assert_eq!(all("ＡＢＣ ﬁle 429", Stemming::English), ["abc", "file", "429"]);
    }

    #[test]
    fn names_are_found_whole_and_by_parts() {
        assert_eq!(all("OPENAI_API_KEY", Stemming::English), ["openai_api_key", "openai", "api", "key"]);
        assert_eq!(all("stoa.toml", Stemming::English), ["stoa.toml", "stoa", "toml"]);
    }

    #[test]
    fn scripts_without_spaces_give_pairs() {
        assert_eq!(all("東京都 は", Stemming::English), ["東京", "京都", "は"]);
        assert!(all("กรุงเทพ", Stemming::English).len() > 3);
        // Hindi keeps its combining marks inside the word.
        assert_eq!(all("हिन्दी भाषा", Stemming::English).len(), 2);
    }

    #[test]
    fn common_words_are_marked() {
        let mut common = Vec::new();
        each_term("How don’t I stop it?", Stemming::English, |term| common.push(term.common));
        assert_eq!(common, [true, true, true, false, true]);
        assert_eq!(distinct_terms("a key, the key", Stemming::English).len(), 3);
    }

    #[test]
    fn hostile_texts_give_bounded_terms() {
        let long = "x".repeat(100_000);
        assert_eq!(all(&long, Stemming::English)[0].len(), LONGEST);
        for text in ["", " \n\t", "\u{0}\u{200b}\u{fffd}", "🧨🧨", &"é".repeat(10_000)] {
            assert!(all(text, Stemming::Prefix).iter().all(|term| term.len() <= LONGEST));
        }
    }
}
