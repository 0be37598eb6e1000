//! What a model says is judged like what is said to it: an answer that the rules of the app block goes no further than
//! where it was seen. It wraps the check that the kind of the app has for its answers, and never changes a text that
//! passes. What was shown before cannot be taken back, so it looks at every piece before the piece goes out.

use guard::content::{Finding, Judgement, Policy, Verdict, judge};
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
    /// What was let through, of which the end is judged again.
    text: String,
    from: usize,
    looks: usize,
    last: Vec<Finding>,
    refused: Vec<Finding>,
    marked: Vec<Finding>,
    begun: bool,
}

impl Watched {
    /// Judges by this policy what the check lets through.
    pub(crate) fn new(inside: Box<dyn Check>, policy: Policy) -> Watched {
        Watched {
            inside,
            policy,
            text: String::new(),
            from: 0,
            looks: 0,
            last: Vec::new(),
            refused: Vec::new(),
            marked: Vec::new(),
            begun: false,
        }
    }

    /// The findings about which the policy says this.
    fn of(&self, judged: Judgement, verdict: Verdict) -> Vec<Finding> {
        judged.categories.into_iter().filter(|finding| self.policy.of(*finding) == verdict).collect()
    }

    /// What a person should look at in the whole of it. A part by itself may read worse than it is, so that only an
    /// answer that came in one piece has been judged as a whole by now.
    fn mark(&mut self) {
        self.marked = match self.looks {
            0 => Vec::new(),
            1 => std::mem::take(&mut self.last),
            _ => {
                let judged = judge(&self.text, &self.policy);
                self.of(judged, Verdict::Review)
            }
        };
    }

    /// The text, unless it completes something that is blocked.
    fn let_through(&mut self, text: String) -> String {
        if text.is_empty() || !self.refused.is_empty() {
            return String::new();
        }
        let end = self.text.len();
        self.text.push_str(&text);
        let judged = judge(self.text.get(self.from..).unwrap_or_default(), &self.policy);
        self.looks += 1;
        if judged.verdict == Verdict::Block {
            self.refused = self.of(judged, Verdict::Block);
            self.text.truncate(end);
            return String::new();
        }
        self.last =
            if judged.verdict == Verdict::Review { self.of(judged, Verdict::Review) } else { Vec::new() };
        self.from = self.text.len().saturating_sub(TAIL);
        while !self.text.is_char_boundary(self.from) {
            self.from += 1;
        }
        self.begun = true;
        text
    }
}

impl Check for Watched {
    fn pass(&mut self, text: &str) -> String {
        let passed = self.inside.pass(text);
        self.let_through(passed)
    }

    fn seen(&mut self, before: &str) {
        self.inside.seen(before);
        self.let_through(before.to_owned());
    }

    fn close(&mut self, quotes: &[Quote]) -> Closing {
        let closing = self.inside.close(quotes);
        let rest = self.let_through(closing.rest);
        if self.refused.is_empty() {
            self.mark();
            return Closing { rest, ..closing };
        }
        let rest = if self.begun { format!("\n\n{WITHHELD}") } else { WITHHELD.to_owned() };
        Closing { rest, finish: Some(FinishReason::Blocked), ..closing }
    }

    fn refused(&self) -> &[Finding] {
        &self.refused
    }

    fn marked(&self) -> &[Finding] {
        &self.marked
    }

    fn leaked(&self) -> bool {
        self.inside.leaked()
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
