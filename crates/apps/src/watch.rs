//! What a model says is judged like what is said to it: an answer that the rules of the app block goes no further than
//! where it was seen. It wraps the check that the kind of the app has for its answers, and never changes a text that
//! passes. What was shown before cannot be taken back, so it looks at every piece before the piece goes out.

use guard::content::{Finding, Policy, Verdict, judge};
use llm::Quote;
use store::FinishReason;

use crate::plan::{Check, Closing};

/// How much of what was shown is judged again with the next piece, in bytes: a phrase may lie over the edge.
const TAIL: usize = 600;

/// Said where an answer is cut off.
pub(crate) const WITHHELD: &str = "[The rest of this answer was withheld by the content rules.]";

/// A check that also judges.
pub(crate) struct Watched {
    inside: Box<dyn Check>,
    policy: Policy,
    tail: String,
    refused: Vec<Finding>,
    begun: bool,
}

impl Watched {
    /// Judges by this policy what the check lets through.
    pub(crate) fn new(inside: Box<dyn Check>, policy: Policy) -> Watched {
        Watched { inside, policy, tail: String::new(), refused: Vec::new(), begun: false }
    }

    /// The text, unless it completes something that is blocked.
    fn let_through(&mut self, text: String) -> String {
        if text.is_empty() || !self.refused.is_empty() {
            return String::new();
        }
        self.tail.push_str(&text);
        let judged = judge(&self.tail, &self.policy);
        if judged.verdict == Verdict::Block {
            let blocks = |finding: &Finding| self.policy.of(*finding) == Verdict::Block;
            self.refused = judged.categories.into_iter().filter(blocks).collect();
            return String::new();
        }
        let mut from = self.tail.len().saturating_sub(TAIL);
        while !self.tail.is_char_boundary(from) {
            from += 1;
        }
        self.tail.drain(..from);
        self.begun = true;
        text
    }
}

impl Check for Watched {
    fn pass(&mut self, text: &str) -> String {
        let passed = self.inside.pass(text);
        self.let_through(passed)
    }

    fn close(&mut self, quotes: &[Quote]) -> Closing {
        let closing = self.inside.close(quotes);
        let rest = self.let_through(closing.rest);
        if self.refused.is_empty() {
            return Closing { rest, ..closing };
        }
        let rest = if self.begun { format!("\n\n{WITHHELD}") } else { WITHHELD.to_owned() };
        Closing { rest, finish: Some(FinishReason::Blocked), ..closing }
    }

    fn refused(&self) -> &[Finding] {
        &self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Open;

    fn watched() -> Watched {
        Watched::new(Box::new(Open::default()), Policy::default())
    }

    #[test]
    fn what_passes_passes_unchanged() {
        let mut check = watched();
        let text = "How do you kill a process? With `kill`. ".repeat(40);
        let out: String = text.split_inclusive(' ').map(|piece| check.pass(piece)).collect();
        assert_eq!(out, text);
        let closing = check.close(&[]);
        assert!(closing.rest.is_empty() && closing.finish.is_none() && check.refused().is_empty());
    }

    #[test]
    fn an_answer_is_cut_where_it_becomes_harmful() {
        let text = "Of course. I will kill you. And then more.";
        for size in [1, 3, 7, 1_000] {
            let mut check = watched();
            let chars: Vec<char> = text.chars().collect();
            let out: String =
                chars.chunks(size).map(|piece| check.pass(&piece.iter().collect::<String>())).collect();
            assert!(text.starts_with(&out) && !out.contains("kill you"), "{out}");
            assert!(!check.refused().is_empty());
            let closing = check.close(&[]);
            assert!(closing.rest.ends_with(WITHHELD));
            assert_eq!(closing.finish, Some(FinishReason::Blocked));
        }
    }
}
