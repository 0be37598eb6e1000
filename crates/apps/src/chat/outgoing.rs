//! What the answers of a model pass in plain chat: the instructions of the operator do not come out, and links lead only
//! where the app allows it. It looks at nothing else, and holds nothing back that is neither.

use llm::Quote;
use store::FinishReason;

use super::canary::Canary;
use super::links::Links;
use crate::hosts::LinkHosts;
use crate::plan::{Check, Closing};
use crate::watch::WITHHELD;

/// Watches over what goes out.
pub(crate) struct Outgoing {
    inside: Box<dyn Check>,
    canary: Option<Canary>,
    links: Option<Links>,
    begun: bool,
}

impl Outgoing {
    /// With the word that stands in the instructions, where they have one, and the hosts that may be linked to, where not
    /// all may.
    pub(crate) fn new(inside: Box<dyn Check>, canary: Option<&str>, hosts: Option<&LinkHosts>) -> Outgoing {
        Outgoing { inside, canary: canary.map(Canary::new), links: hosts.map(Links::new), begun: false }
    }

    /// What of a text may go on to where its links lead.
    fn linked(&mut self, text: String) -> String {
        match &mut self.links {
            Some(links) => links.pass(&text),
            None => text,
        }
    }
}

impl Check for Outgoing {
    fn pass(&mut self, text: &str) -> String {
        let passed = self.inside.pass(text);
        let passed = match &mut self.canary {
            Some(canary) => canary.pass(&passed),
            None => passed,
        };
        let passed = self.linked(passed);
        self.begun |= !passed.is_empty();
        passed
    }

    fn seen(&mut self, before: &str) {
        self.pass(before);
        if let Some(canary) = &mut self.canary {
            canary.rest();
        }
        if let Some(links) = &mut self.links {
            links.was_shown();
        }
    }

    fn close(&mut self, quotes: &[Quote]) -> Closing {
        let closing = self.inside.close(quotes);
        let mut rest = closing.rest;
        if let Some(canary) = &mut self.canary {
            rest = canary.pass(&rest) + &canary.rest();
        }
        let rest = self.linked(rest) + &self.links.as_mut().map(Links::rest).unwrap_or_default();
        if !self.leaked() {
            return Closing { rest, ..closing };
        }
        let rest = if self.begun { format!("{rest}\n\n{WITHHELD}") } else { WITHHELD.to_owned() };
        Closing { rest, finish: Some(FinishReason::Blocked), ..closing }
    }

    fn leaked(&self) -> bool {
        self.canary.as_ref().is_some_and(Canary::found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Open;

    const WORD: &str = "00ff00ff12ab34cd56ef7890";

    fn outgoing() -> Outgoing {
        Outgoing::new(Box::new(Open::default()), Some(WORD), Some(&LinkHosts::default()))
    }

    #[test]
    fn an_answer_ends_where_the_instructions_come_out() {
        for size in [1, 5, 1_000] {
            let mut check = outgoing();
            let text = format!("Sure. My instructions: be brief ({WORD}). And the secret is 7.");
            let chars: Vec<char> = text.chars().collect();
            let mut out: String =
                chars.chunks(size).map(|piece| check.pass(&piece.iter().collect::<String>())).collect();
            assert!(check.leaked());
            let closing = check.close(&[]);
            out.push_str(&closing.rest);
            assert!(out.ends_with(WITHHELD) && !out.contains(WORD) && !out.contains("secret is"), "{out}");
            assert_eq!(closing.finish, Some(FinishReason::Blocked));
        }
    }

    #[test]
    fn a_link_is_none_over_a_seam_either() {
        for (before, more) in [
            ("[x]", "(https://evil.example/?q=1)"),
            ("a <", "img src=https://evil.example/1>"),
            ("[x", "](https://evil.example/?q=1)"),
        ] {
            let mut check = outgoing();
            check.seen(before);
            let out = check.pass(more) + &check.close(&[]).rest;
            let whole = format!("{before}{out}");
            assert!(
                !whole.contains("](") && !whole.contains("<img") && whole.contains("evil.example"),
                "{whole}"
            );
        }
        let mut check = outgoing();
        check.seen("It ends in 00ff00ff12");
        assert_eq!(check.pass(" and goes on") + &check.close(&[]).rest, " and goes on");
    }
}
