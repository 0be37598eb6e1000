//! A word that stands in the instructions of a model alone: where it comes out, they come out. It is known again in any
//! spelling with signs between its letters, and backwards, however the text is cut into pieces. It never looks at what
//! the instructions say: what an operator wrote there may well be meant to be said.

use std::hash::{BuildHasher, RandomState};

use kernel::ConversationId;

/// So many letters of the word in a row are held back until the next one shows what they are: shorter runs come up in
/// ordinary text.
const HELD: usize = 6;

/// Makes the words, one for each conversation: the same in all its turns, so that providers that remember how a request
/// begins can go on doing so. Nobody who does not know the secret of this process can tell one.
#[derive(Default)]
pub(crate) struct Canaries {
    secret: RandomState,
}

impl Canaries {
    /// The word of a conversation.
    pub(crate) fn of(&self, id: ConversationId) -> String {
        let part = |number: u8| self.secret.hash_one((id.to_string(), number));
        format!("{:016x}{:08x}", part(0), part(1) >> 32)
    }
}

/// Watches for a word.
pub(crate) struct Canary {
    forward: Runs,
    backward: Runs,
    held: String,
    found: bool,
}

impl Canary {
    pub(crate) fn new(word: &str) -> Canary {
        let letters: Vec<char> = word.chars().collect();
        let backward = letters.iter().rev().copied().collect();
        Canary {
            forward: Runs::new(letters),
            backward: Runs::new(backward),
            held: String::new(),
            found: false,
        }
    }

    /// What of the text may go on. After the word has come nothing may.
    pub(crate) fn pass(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if self.found {
                return out;
            }
            let mut run = self.forward.length().max(self.backward.length());
            for letter in c.to_lowercase().filter(|letter| letter.is_alphanumeric()) {
                run = self.forward.step(letter).max(self.backward.step(letter));
                self.found |= self.forward.whole() || self.backward.whole();
            }
            if self.found {
                self.held.clear();
            } else if run >= HELD {
                self.held.push(c);
            } else {
                out.push_str(&self.held);
                self.held.clear();
                out.push(c);
            }
        }
        out
    }

    /// What was held back and is no part of the word after all.
    pub(crate) fn rest(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Whether the word came.
    pub(crate) const fn found(&self) -> bool {
        self.found
    }
}

/// How much of a word stands at the end of what came (Knuth, Morris, Pratt).
struct Runs {
    word: Vec<char>,
    /// For each length the longest shorter one that ends in the same letters.
    shorter: Vec<usize>,
    length: usize,
}

impl Runs {
    fn new(word: Vec<char>) -> Runs {
        let mut runs = Runs { shorter: vec![0; word.len() + 1], word, length: 0 };
        for at in 1..runs.word.len() {
            if let Some(letter) = runs.word.get(at).copied() {
                let length = runs.step(letter);
                if let Some(slot) = runs.shorter.get_mut(at + 1) {
                    *slot = length;
                }
            }
        }
        runs.length = 0;
        runs
    }

    fn step(&mut self, letter: char) -> usize {
        loop {
            if self.word.get(self.length) == Some(&letter) {
                self.length += 1;
                return self.length;
            }
            if self.length == 0 {
                return 0;
            }
            self.length = self.shorter.get(self.length).copied().unwrap_or(0);
        }
    }

    const fn length(&self) -> usize {
        self.length
    }

    const fn whole(&self) -> bool {
        !self.word.is_empty() && self.length == self.word.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORD: &str = "00ff00ff12ab34cd56ef7890";

    fn shown(text: &str, size: usize) -> (String, bool) {
        let mut canary = Canary::new(WORD);
        let chars: Vec<char> = text.chars().collect();
        let mut out: String =
            chars.chunks(size).map(|piece| canary.pass(&piece.iter().collect::<String>())).collect();
        out.push_str(&canary.rest());
        (out, canary.found())
    }

    #[test]
    fn it_is_known_in_every_dress_and_every_cut() {
        let spread: String = WORD.to_uppercase().chars().flat_map(|c| [c, '-', ' ']).collect();
        let backwards: String = WORD.chars().rev().collect();
        for text in [WORD.to_owned(), spread, backwards, format!("0{WORD}"), format!("00ff{WORD}")] {
            for size in 1..=40 {
                let (out, found) = shown(&format!("Sure: {text}. And more"), size);
                assert!(
                    found && out.starts_with("Sure: ") && !out.contains("And more"),
                    "{text} by {size}: {out}"
                );
                assert!(out.chars().filter(char::is_ascii_hexdigit).count() < 14, "{out}");
            }
        }
    }

    #[test]
    fn everything_else_passes_unchanged_and_at_once() {
        for text in ["A face, a bed, 00ff00 is green. Äöü 12ab", "00ff00ff12ab34cd56ef789", ""] {
            for size in [1, 2, 7, 100] {
                assert_eq!(shown(text, size), (text.to_owned(), false));
            }
        }
        let mut canary = Canary::new(WORD);
        assert_eq!(canary.pass("00ff0"), "00ff0", "nothing is held for so little");
        assert_eq!(canary.pass("0ff1 and "), "0ff1 and ");
    }

    #[test]
    fn each_conversation_has_its_own() {
        let canaries = Canaries::default();
        let id = |number| ConversationId::from_uuid(uuid::Uuid::from_u128(number));
        assert_eq!(canaries.of(id(1)), canaries.of(id(1)));
        assert_ne!(canaries.of(id(1)), canaries.of(id(2)));
        assert_ne!(canaries.of(id(1)), Canaries::default().of(id(1)));
        assert_eq!(canaries.of(id(1)).len(), 24);
    }
}
