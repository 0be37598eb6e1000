//! Words and phrases in short texts: under which words a text is found, what must be among them for a query, and where in
//! the text it stands. What a text is cut into depends on nothing around it: whatever begins and ends where letters and
//! digits do is found again, in every script. It keeps nothing and ranks nothing.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::forms::{Form, each_form};
use crate::tokens::is_unspaced;

/// Letters of the shorter beginning of a word.
const SHORT: usize = 3;

/// Letters of the longer one, as [`Form::prefix`] has them.
const LONG: usize = 5;

/// Places that are given at the most.
const MOST_PLACES: usize = 200;

/// Calls `take` with every word under which a text is found: stems, and beginnings for words that are not typed to
/// their end. A word may come more than once.
pub fn words_of(text: &str, take: &mut dyn FnMut(&str)) {
    let mut word = String::new();
    let mut give = |mark: char, text: &str| {
        word.clear();
        word.push(mark);
        word.push_str(text);
        take(&word);
    };
    let view = View::of(text);
    for atom in view.atoms() {
        each_form(view.text.get(atom).unwrap_or_default(), |form| {
            give('s', &form.stem);
            if let Some(prefix) = &form.prefix {
                give('l', prefix);
                if let Some((end, _)) = prefix.char_indices().nth(SHORT) {
                    give('b', prefix.get(..end).unwrap_or_default());
                }
            }
        });
    }
}

/// One thing that is looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Term {
    /// A word, by its stem.
    Word(String),
    /// The beginning of a word, without accents.
    Beginning(String),
    /// A text as it stands, but for upper and lower case and white space.
    Phrase(String),
}

/// What is looked for; a text must hold all of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sought {
    terms: Vec<Term>,
    needs: Vec<Vec<String>>,
}

impl Sought {
    /// Adds a word. What has no spaces between words, or is joined from several, is a phrase.
    pub fn word(&mut self, text: &str) {
        match sole(text) {
            Some(form) => {
                self.needs.push(vec![format!("s{}", form.stem)]);
                self.terms.push(Term::Word(form.stem.into_owned()));
            }
            None => self.phrase(text),
        }
    }

    /// Adds the beginning of a word; one or two letters are a word.
    pub fn beginning(&mut self, text: &str) {
        let Some(form) = sole(text) else { return self.phrase(text) };
        let folded = fold(text);
        let letters = folded.chars().count();
        if letters < SHORT || text.chars().any(char::is_numeric) {
            return self.word(text);
        }
        let first = |most: usize| folded.chars().take(most).collect::<String>();
        let mut forms = vec![format!("s{}", form.stem)];
        match letters {
            LONG.. => forms.push(format!("l{}", first(LONG))),
            SHORT => forms.extend([format!("l{folded}"), format!("b{folded}")]),
            _ => forms.push(format!("b{}", first(SHORT))),
        }
        self.needs.push(forms);
        self.terms.push(Term::Beginning(folded));
    }

    /// Adds a phrase. What holds no letter and no digit is looked for by nothing else.
    pub fn phrase(&mut self, text: &str) {
        let view = View::of(text.trim());
        if view.text.is_empty() {
            return;
        }
        for atom in view.atoms() {
            each_form(view.text.get(atom).unwrap_or_default(), |form| {
                // A character alone is a part of pairs that are not known here.
                let alone = form.stem.chars().all(is_unspaced) && form.stem.chars().nth(1).is_none();
                let need = vec![format!("s{}", form.stem)];
                if !alone && !self.needs.contains(&need) {
                    self.needs.push(need);
                }
            });
        }
        self.terms.push(Term::Phrase(view.text));
    }

    /// Whether nothing is looked for.
    pub const fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// How much is looked for.
    pub const fn len(&self) -> usize {
        self.terms.len()
    }

    /// What must be among the [`words_of`] a text that holds all of it; each in one of these forms.
    pub fn needs(&self) -> &[Vec<String>] {
        &self.needs
    }

    /// Where it stands in a text, as ranges of bytes in order; `None` when something is missing.
    pub fn read(&self, text: &str) -> Option<Vec<Range<usize>>> {
        let view = View::of(text);
        let mut places = Vec::new();
        let mut met = vec![false; self.terms.len()];
        let beginnings: Vec<char> = self.terms.iter().filter_map(Term::first).collect();
        if !beginnings.is_empty() {
            for atom in view.atoms() {
                let word = view.text.get(atom.clone()).unwrap_or_default();
                // Most words of a text begin with another letter.
                if !word.chars().next().is_some_and(|first| beginnings.contains(&bare(first)))
                    && !word.chars().any(is_unspaced)
                {
                    continue;
                }
                for (term, met) in self.terms.iter().zip(&mut met) {
                    if term.is(word) {
                        *met = true;
                        places.push(view.origin(&atom));
                    }
                }
            }
        }
        for (term, met) in self.terms.iter().zip(&mut met) {
            if let Term::Phrase(phrase) = term {
                let found = view.find(phrase);
                *met = !found.is_empty();
                places.extend(found.iter().map(|found| view.origin(found)));
            }
        }
        if met.contains(&false) {
            return None;
        }
        places.sort_unstable_by_key(|place| (place.start, place.end));
        let mut apart: Vec<Range<usize>> = Vec::new();
        for place in places {
            match apart.last_mut() {
                Some(last) if place.start < last.end => last.end = last.end.max(place.end),
                _ => apart.push(place),
            }
        }
        apart.truncate(MOST_PLACES);
        Some(apart)
    }
}

impl Term {
    /// The letter that a word must begin with.
    fn first(&self) -> Option<char> {
        match self {
            Term::Word(text) | Term::Beginning(text) => text.chars().next().map(bare),
            Term::Phrase(_) => None,
        }
    }

    fn is(&self, word: &str) -> bool {
        let mut met = false;
        match self {
            Term::Word(stem) => each_form(word, |form| met |= form.stem == stem.as_str()),
            Term::Beginning(folded) => {
                met = fold(word).starts_with(folded.as_str());
                // A word that is typed whole is found by its stem too.
                if !met && let Some(sought) = sole(folded) {
                    each_form(word, |form| met |= form.stem == sought.stem);
                }
            }
            Term::Phrase(_) => {}
        }
        met
    }
}

/// The form of a text that is one word of a script with spaces.
fn sole(text: &str) -> Option<Form<'static>> {
    let view = View::of(text.trim());
    let atoms = view.atoms();
    let [atom] = atoms.as_slice() else { return None };
    if atom.len() != view.text.len() || view.text.chars().any(is_unspaced) {
        return None;
    }
    let mut forms = Vec::new();
    each_form(&view.text, |form| {
        forms.push(Form { stem: form.stem.into_owned().into(), prefix: None, common: form.common });
    });
    if forms.len() == 1 { forms.pop() } else { None }
}

/// A letter without its accents.
fn bare(letter: char) -> char {
    match letter.is_ascii() {
        true => letter.to_ascii_lowercase(),
        false => letter.to_lowercase().nfd().next().unwrap_or(letter),
    }
}

/// A word without accents, in lower case, as the beginnings of words are written.
fn fold(word: &str) -> String {
    let accent = |c: &char| matches!(u32::from(*c), 0x300..=0x36F);
    let mut folded = String::with_capacity(word.len());
    for c in word.to_lowercase().nfkd().filter(|c| !accent(c)) {
        if c == 'ß' {
            folded.push_str("ss");
        } else {
            folded.push(c);
        }
    }
    folded
}

/// A text as it is compared: lower case, compatible forms as one, white space as single spaces; with the places in the
/// original.
struct View {
    text: String,
    /// For each byte where its letter begins in the original, and where that ends.
    at: Vec<u32>,
}

impl View {
    fn of(text: &str) -> View {
        let mut view =
            View { text: String::with_capacity(text.len()), at: Vec::with_capacity(text.len() + 1) };
        if text.is_ascii() {
            for (at, c) in text.char_indices() {
                view.push(c.to_ascii_lowercase(), at);
            }
        } else {
            for (at, letter) in text.grapheme_indices(true) {
                for c in letter.nfkc().flat_map(char::to_lowercase) {
                    view.push(if c == '\u{2019}' { '\'' } else { c }, at);
                }
            }
        }
        view.at.push(offset(text.len()));
        view
    }

    fn push(&mut self, c: char, at: usize) {
        let c = if c.is_whitespace() { ' ' } else { c };
        if c == ' ' && self.text.ends_with(' ') {
            return;
        }
        self.text.push(c);
        self.at.resize(self.text.len(), offset(at));
    }

    /// The stretches of letters and digits.
    fn atoms(&self) -> Vec<Range<usize>> {
        let mut atoms: Vec<Range<usize>> = Vec::new();
        let mut begun = None;
        for (at, c) in self.text.char_indices() {
            match (c.is_alphanumeric(), begun) {
                (true, None) => begun = Some(at),
                (false, Some(start)) => {
                    atoms.push(start..at);
                    begun = None;
                }
                _ => {}
            }
        }
        atoms.extend(begun.map(|start| start..self.text.len()));
        atoms
    }

    /// Where a phrase stands, not in the middle of a word.
    fn find(&self, phrase: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(at) = self.text.get(from..).and_then(|rest| rest.find(phrase)) {
            let place = from + at..from + at + phrase.len();
            let joined = |outside: Option<char>, inside: Option<char>| {
                let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && !is_unspaced(c));
                letter(outside) && letter(inside)
            };
            let before = self.text.get(..place.start).and_then(|text| text.chars().next_back());
            let after = self.text.get(place.end..).and_then(|text| text.chars().next());
            if !joined(before, phrase.chars().next()) && !joined(after, phrase.chars().next_back()) {
                found.push(place.clone());
                if found.len() == MOST_PLACES {
                    break;
                }
            }
            from = place.start + phrase.chars().next().map_or(1, char::len_utf8);
        }
        found
    }

    /// The place in the original.
    fn origin(&self, place: &Range<usize>) -> Range<usize> {
        let at = |byte: usize| self.at.get(byte).map_or(0, |at| *at as usize);
        let start = at(place.start);
        // White space that was left out behind it does not belong to it.
        let end = at(place.end).max(start);
        start..end
    }
}

/// Texts of four gigabytes do not come here.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn found(text: &str, seek: impl Fn(&mut Sought)) -> Option<Vec<&str>> {
        let mut sought = Sought::default();
        seek(&mut sought);
        let places = sought.read(text);
        let mut words = HashSet::new();
        words_of(text, &mut |word| {
            words.insert(word.to_owned());
        });
        if places.is_some() {
            // Whatever is found by reading is found by the index.
            for forms in sought.needs() {
                assert!(forms.iter().any(|form| words.contains(form)), "{forms:?} of {sought:?} in {text}");
            }
        }
        places.map(|places| places.into_iter().map(|place| &text[place]).collect())
    }

    #[test]
    fn words_are_found_by_their_stems_and_beginnings() {
        let text = "The Configurations of stoa.toml were RETURNED; naïve Größen, don't panic.";
        assert_eq!(found(text, |s| s.word("configuration")), Some(vec!["Configurations"]));
        assert_eq!(found(text, |s| s.word("return")), Some(vec!["RETURNED"]));
        assert_eq!(found(text, |s| s.word("toml")), Some(vec!["toml"]));
        assert_eq!(found(text, |s| s.word("stoa.toml")), Some(vec!["stoa.toml"]));
        assert_eq!(found(text, |s| s.word("don't")), Some(vec!["don't"]));
        assert_eq!(found(text, |s| s.beginning("grö")), Some(vec!["Größen"]));
        assert_eq!(found(text, |s| s.beginning("gros")), Some(vec!["Größen"]));
        assert_eq!(found(text, |s| s.beginning("grossen")), Some(vec!["Größen"]));
        assert_eq!(found(text, |s| s.beginning("naive")), Some(vec!["naïve"]));
        assert_eq!(found(text, |s| s.beginning("conf")), Some(vec!["Configurations"]));
        assert_eq!(found(text, |s| s.beginning("pan")), Some(vec!["panic"]));
        assert_eq!(found(text, |s| s.beginning("confirm")), None);
        assert_eq!(found(text, |s| s.word("conf")), None);
        assert_eq!(
            found(text, |s| {
                s.word("panic");
                s.word("return")
            }),
            Some(vec!["RETURNED", "panic"])
        );
        assert_eq!(
            found(text, |s| {
                s.word("panic");
                s.word("absent")
            }),
            None
        );
    }

    #[test]
    fn phrases_stand_as_they_are_written() {
        let text = "To be,  or\nnot to be: that is 3.5 km (café). 東京都に行く、can't stop";
        assert_eq!(found(text, |s| s.phrase("or not TO be")), Some(vec!["or\nnot to be"]));
        assert_eq!(found(text, |s| s.phrase("to be, or")), Some(vec!["To be,  or"]));
        assert_eq!(found(text, |s| s.phrase("to be or")), None);
        assert_eq!(found(text, |s| s.phrase("ot to b")), None, "in the middle of words");
        assert_eq!(found(text, |s| s.phrase("5 km")), Some(vec!["5 km"]));
        assert_eq!(found(text, |s| s.phrase("t stop")), Some(vec!["t stop"]));
        assert_eq!(found(text, |s| s.phrase("cafe\u{301}")), Some(vec!["café"]));
        assert_eq!(found(text, |s| s.word("京都")), Some(vec!["京都"]));
        assert_eq!(found(text, |s| s.word("都")), Some(vec!["都"]));
        assert_eq!(found(text, |s| s.phrase("(")), Some(vec!["("]));
        assert_eq!(found(text, |s| s.phrase("  ")), Some(vec![]));
    }

    #[test]
    fn every_phrase_of_a_text_is_found() {
        let text = "Ünïcode «quotes» e-mail:a.b@c.de v2.1_x 10:30 l’été ﬁnance 東京タワーtower 한국어 텍스트 हिन्दी में ไทย x²+y² can't—won't 🙂ok";
        let edges: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let mut tried = 0;
        for (nth, start) in edges.iter().enumerate() {
            for end in &edges[nth + 1..] {
                let phrase = &text[*start..*end];
                let cuts =
                    |at: usize| letter(text[..at].chars().next_back()) && letter(text[at..].chars().next());
                if phrase.trim() != phrase || cuts(*start) || cuts(*end) {
                    continue;
                }
                // A mark belongs to the letter before it.
                if text.grapheme_indices(true).all(|(at, _)| at != *start)
                    || (*end < text.len() && text.grapheme_indices(true).all(|(at, _)| at != *end))
                {
                    continue;
                }
                tried += 1;
                assert!(found(text, |s| s.phrase(phrase)).is_some(), "{phrase}");
            }
        }
        assert!(tried > 500, "{tried}");
    }

    #[test]
    fn hostile_texts_end_soon() {
        for text in ["", "\u{0}", &"a".repeat(100_000), &"aa ".repeat(50_000), &"e\u{301}".repeat(50_000)] {
            let mut sought = Sought::default();
            sought.phrase("aa aa aa");
            sought.word("e\u{301}");
            sought.beginning(&"a".repeat(400));
            assert!(sought.read(text).is_none());
            words_of(text, &mut |word| assert!(word.len() <= 65));
        }
    }
}
