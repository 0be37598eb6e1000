//! Holds a text back until it is sure of it, a sentence at a time; replaces what leaks with the planned question.
//! What has been let out cannot be taken back, so nothing is let out unseen.

use crate::guard::{Guard, Leak};

/// A sentence without an end is looked at when it is this long.
const LONGEST: usize = 2_000;
/// How much of what was let out is looked at again together with the next sentence.
const TAIL: usize = 400;

/// A text on its way out.
pub struct Hold {
    guard: Guard,
    planned: String,
    held: String,
    shown: String,
    asked: bool,
    leak: Option<Leak>,
    done: bool,
}

impl Hold {
    /// For a text that is to ask the planned question, or one like it.
    pub fn new(guard: Guard, planned: String) -> Hold {
        Hold {
            guard,
            planned,
            held: String::new(),
            shown: String::new(),
            asked: false,
            leak: None,
            done: false,
        }
    }

    /// Takes more text, gives what may be shown.
    pub fn pass(&mut self, text: &str) -> String {
        if self.done {
            return String::new();
        }
        self.held.push_str(text);
        let mut out = String::new();
        while !self.done {
            let Some(end) =
                end(&self.held).or_else(|| (self.held.len() > LONGEST).then_some(self.held.len()))
            else {
                break;
            };
            let rest = self.held.split_off(end);
            let sentence = std::mem::replace(&mut self.held, rest);
            self.sentence(&sentence, &mut out);
        }
        out
    }

    /// The end of the text: what was held back, and the planned question where none was asked.
    pub fn close(&mut self) -> String {
        let mut out = String::new();
        if !self.done {
            let sentence = std::mem::take(&mut self.held);
            self.sentence(&sentence, &mut out);
        }
        if !self.done {
            self.ask(&mut out);
        }
        out
    }

    /// What was found in the text, if anything was.
    pub const fn leak(&self) -> Option<Leak> {
        self.leak
    }

    /// Whether the model's own question stands.
    pub const fn asked(&self) -> bool {
        self.asked && self.leak.is_none()
    }

    fn sentence(&mut self, sentence: &str, out: &mut String) {
        // A number may be spread over two sentences, so the end of the one before belongs to it.
        let from = self.shown.char_indices().rev().nth(TAIL).map_or(0, |(at, _)| at);
        let together = format!("{}{sentence}", self.shown.get(from..).unwrap_or_default());
        self.leak = self.guard.leak(&together).or_else(|| self.guard.leak(sentence));
        if self.leak.is_some() {
            // Whoever leaks once is not listened to for the rest of the turn.
            return self.ask(out);
        }
        self.shown.push_str(sentence);
        if asks(sentence) {
            // One question a turn: what follows is not said. What a sentence asks behind its first mark is cut.
            let cut = sentence.find(['?', '？', '؟']).map_or(sentence.len(), |at| {
                at + sentence.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
            });
            out.push_str(sentence.get(..cut).unwrap_or(sentence));
            self.asked = true;
            self.done = true;
            return;
        }
        out.push_str(sentence);
    }

    fn ask(&mut self, out: &mut String) {
        if !self.shown.is_empty() && !self.shown.ends_with(char::is_whitespace) {
            out.push_str("\n\n");
        }
        out.push_str(&self.planned);
        self.asked = true;
        self.done = true;
    }
}

/// Whether a sentence asks.
pub fn asks(sentence: &str) -> bool {
    sentence.contains(['?', '？', '؟'])
}

/// Where the first sentence ends, once that is certain: a mark and then a space, or a line's end.
fn end(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let behind = at + c.len_utf8();
        match c {
            '\n' | '。' | '？' | '؟' => return Some(behind),
            '.' | '!' | '?' if chars.peek().is_some_and(|(_, next)| next.is_whitespace()) => {
                return Some(behind);
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::problem::Problem;

    const PLANNED: &str = "What do you know about the trays?";

    fn hold() -> Hold {
        let problem = Problem::plain("There are 6 trays with 7 cakes each. How many cakes?", "42", "6*7=42");
        Hold::new(Guard::new(Some(&problem)), PLANNED.to_owned())
    }

    fn whole(pieces: &[&str]) -> String {
        let mut hold = hold();
        let mut out: String = pieces.iter().map(|piece| hold.pass(piece)).collect();
        out.push_str(&hold.close());
        out
    }

    #[test]
    fn a_leak_is_replaced_and_the_rest_is_not_said() {
        assert_eq!(
            whole(&["Good start. The answer is 42. Do you see? It is 42."]),
            format!("Good start.\n\n{PLANNED}")
        );
        assert_eq!(
            whole(&["Good start. ", "Count the trays."]),
            format!("Good start. Count the trays.\n\n{PLANNED}")
        );
        assert_eq!(whole(&["Why the 7? And why the 6? Tell me."]), "Why the 7?");
        assert_eq!(whole(&["Why the 7? or the 6?"]), "Why the 7?");
        assert_eq!(whole(&[]), PLANNED);
        assert_eq!(
            whole(&["First digit: 4.\n", "Second digit: 2.\n"]),
            format!("First digit: 4.\n{PLANNED}")
        );
    }

    #[test]
    fn a_leak_is_found_wherever_the_stream_is_cut() {
        for text in [
            "Well done. The answer is 42.",
            "Well done. It is forty-two, I think",
            r"Well done. So \boxed{42} it is",
            "Well done. Compute 84 / 2 now. Why?",
            "Well done. 4 2",
            "Well done.\n４２\n",
        ] {
            let chars: Vec<char> = text.chars().collect();
            for cut in 0..=chars.len() {
                for second in cut..=chars.len() {
                    let parts: Vec<String> = [&chars[..cut], &chars[cut..second], &chars[second..]]
                        .map(|part| part.iter().collect())
                        .to_vec();
                    let out = whole(&parts.iter().map(String::as_str).collect::<Vec<_>>());
                    assert!(
                        out.ends_with(PLANNED) && out.trim_end_matches(PLANNED).trim() == "Well done.",
                        "{out}"
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_ends_with_one_question(pieces in proptest::collection::vec(".{0,20}", 0..12)) {
            let out = whole(&pieces.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(out.matches(['?', '？', '؟']).count(), 1);
        }
    }
}
