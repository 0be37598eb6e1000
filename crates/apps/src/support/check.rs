//! What every answer of a model passes in customer service: each sentence is held against the passages. It goes out
//! with the citation that supports it, with a sign that nothing does, or not at all. It prefers silence to an
//! invention: when no sentence is supported, the documents are quoted instead.

use std::ops::Range;

use knowledge::evidence::Finding;
use llm::Quote;
use serde_json::{Value, json};

use super::ground::Given;
use super::leak::Leak;
use super::links;
use super::marks::{beside, joined, object, unmarked, without_item, without_tail};
use super::reply::Reply;
use super::words::{Words, is_talk};
use crate::plan::{Check, Closing};

/// A sentence longer than this in bytes is judged as far as it came.
const LONGEST: usize = 6_000;

/// Words of a heading at the most.
const HEADING: usize = 8;

/// Holds an answer against its passages.
pub(crate) struct Grounded {
    given: Vec<Given>,
    leak: Leak,
    words: &'static Words,
    /// What is said when nothing of the answer is supported.
    instead: Reply,
    /// Not judged yet.
    waiting: String,
    /// Judged and held back until a sentence is supported: talk, and sentences with the sign.
    held: String,
    /// The white space in front of the next sentence, when it ends a paragraph or a line.
    gap: String,
    /// What is cited: passage and place, in the order of the numbers.
    cited: Vec<(usize, Range<usize>)>,
    citations: Vec<Value>,
    begun: bool,
    count: Count,
    details: Value,
}

#[derive(Default)]
struct Count {
    supported: u32,
    unsupported: u32,
    dropped: u32,
    invented: u32,
    leaked: u32,
}

/// What becomes of a sentence.
enum Fate {
    Supported(String),
    Marked(String),
    Talk(String),
    Dropped,
}

impl Grounded {
    pub(crate) fn new(
        given: Vec<Given>,
        leak: Leak,
        words: &'static Words,
        instead: Reply,
        details: Value,
    ) -> Grounded {
        Grounded {
            given,
            leak,
            words,
            instead,
            waiting: String::new(),
            held: String::new(),
            gap: String::new(),
            cited: Vec::new(),
            citations: Vec::new(),
            begun: false,
            count: Count::default(),
            details,
        }
    }

    /// Judges what is complete, a sentence at a time, so that it makes no difference in which pieces the text came; all
    /// of it at the end.
    fn take(&mut self, end: bool) -> String {
        let mut out = String::new();
        let mut done = 0;
        let text = std::mem::take(&mut self.waiting);
        while let Some(rest) = text.get(done..).filter(|rest| !rest.is_empty()) {
            let window = rest.get(..rest.floor_char_boundary(2 * LONGEST)).unwrap_or(rest);
            let pieces = joined(window);
            let Some(first) = pieces.first() else { break };
            // The last may go on; without a letter it may still become the marks of the one before.
            let last = pieces.last().and_then(|range| window.get(range.clone())).unwrap_or("");
            let unsure = if last.contains(char::is_alphabetic) { 1 } else { 2 };
            let cut = window.len() < rest.len() || window.len() > LONGEST;
            if !end && !cut && pieces.len() <= unsure {
                break;
            }
            let lead = window.get(..first.start).unwrap_or("");
            let sentence = window.get(first.clone()).unwrap_or("");
            self.sift(lead, sentence, &mut out);
            done += first.end;
        }
        self.waiting = text.get(done..).unwrap_or("").to_owned();
        out
    }

    /// Takes out what may not be in a sentence. What is left may be several: each is judged by itself.
    fn sift(&mut self, lead: &str, sentence: &str, out: &mut String) {
        if self.leak.in_text(sentence) {
            self.count.leaked += 1;
            self.count.dropped += 1;
            return;
        }
        let given = &self.given;
        if object(sentence).is_some_and(|object| !given.iter().any(|passage| passage.holds(object))) {
            self.count.dropped += 1;
            return;
        }
        let cleaned = links::clean(sentence, &|address| given.iter().any(|passage| passage.holds(address)));
        let mut at = 0;
        for range in joined(&cleaned) {
            let between = cleaned.get(at..range.start).unwrap_or("");
            let lead = if at == 0 { lead } else { between };
            self.settle(lead, cleaned.get(range.clone()).unwrap_or(""), out);
            at = range.end;
        }
    }

    fn settle(&mut self, lead: &str, sentence: &str, out: &mut String) {
        if lead.len() > self.gap.len() || self.gap.is_empty() {
            self.gap = lead.to_owned();
        }
        let (text, supported) = match self.judge(sentence) {
            Fate::Dropped => {
                self.count.dropped += 1;
                return;
            }
            Fate::Supported(text) => {
                self.count.supported += 1;
                (text, true)
            }
            Fate::Marked(text) => {
                self.count.unsupported += 1;
                (text, false)
            }
            Fate::Talk(text) => (text, false),
        };
        let gap = std::mem::take(&mut self.gap);
        let first = !self.begun && self.held.is_empty();
        let piece = if first { text } else { format!("{}{text}", if gap.is_empty() { " " } else { &gap }) };
        if supported || self.begun {
            self.begun = true;
            out.push_str(&std::mem::take(&mut self.held));
            out.push_str(&piece);
        } else {
            self.held.push_str(&piece);
        }
    }

    fn judge(&mut self, sentence: &str) -> Fate {
        let given = &self.given;
        let (bare, marks) = unmarked(sentence);
        let bare = without_tail(&bare).to_owned();
        let spoken = bare.trim_matches(|c: char| !c.is_alphanumeric());
        if spoken.is_empty() || self.leak.in_text(&bare) {
            return Fate::Dropped;
        }
        if bare.starts_with("```") || bare.starts_with("~~~") {
            return self.judge_code(&bare);
        }
        if bare.starts_with('|') && bare.contains('\n') {
            return self.judge_table(&bare);
        }
        let judged = without_item(&bare);
        let findings: Vec<Finding> = given.iter().map(|passage| passage.evidence.judge(judged)).collect();
        let supports = |number: usize| {
            number
                .checked_sub(1)
                .is_some_and(|at| matches!(findings.get(at), Some(Finding::Supported { .. })))
        };
        let mut kept: Vec<usize> = marks.iter().copied().filter(|number| supports(*number)).collect();
        self.count.invented += u32::try_from(marks.len() - kept.len()).unwrap_or(u32::MAX);
        if kept.is_empty() {
            // The right passage without its number, or with another's.
            let best = |(at, finding): (usize, &Finding)| match finding {
                Finding::Supported { share, .. } => Some((at + 1, *share)),
                _ => None,
            };
            let best = findings.iter().enumerate().filter_map(best).max_by(|a, b| a.1.total_cmp(&b.1));
            kept.extend(best.map(|(number, _)| number));
        }
        if bare.starts_with('#') {
            // A heading is held back like talk until a sentence below it is supported; a long one is a claim.
            let short = judged.split_whitespace().count() <= HEADING;
            return if short && (!kept.is_empty() || is_talk(judged)) {
                Fate::Talk(bare)
            } else {
                Fate::Dropped
            };
        }
        if !kept.is_empty() {
            let mut numbers: Vec<usize> = Vec::new();
            for number in kept {
                let at = number - 1;
                if let Some(Finding::Supported { range, .. }) = findings.get(at)
                    && let Some(number) = self.cite(at, range.clone())
                    && !numbers.contains(&number)
                {
                    numbers.push(number);
                }
            }
            if !numbers.is_empty() {
                let marks: String = numbers.iter().map(|number| format!("[{number}]")).collect();
                return Fate::Supported(beside(&bare, &marks));
            }
        }
        if is_talk(judged) && marks.is_empty() {
            return Fate::Talk(bare);
        }
        let near = findings.iter().any(|finding| matches!(finding, Finding::Near | Finding::Contradicted));
        if near { Fate::Marked(beside(&bare, self.words.unfounded)) } else { Fate::Dropped }
    }

    /// Code goes out when each of its lines stands in one passage as it is: a command is not put in other words.
    fn judge_code(&mut self, code: &str) -> Fate {
        let lines = code.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<&str> =
            lines.filter(|line| !line.starts_with("```") && !line.starts_with("~~~")).collect();
        let place = self.given.iter().position(|passage| lines.iter().all(|line| passage.holds(line)));
        let cited = place.zip(lines.first()).and_then(|(at, line)| {
            let start = self.given.get(at)?.found.text.find(line)?;
            self.cite(at, start..start + line.len())
        });
        match cited {
            Some(number) => Fate::Supported(beside(code, &format!("[{number}]"))),
            None => Fate::Dropped,
        }
    }

    /// Of a table go out its head and the rows that are supported.
    fn judge_table(&mut self, table: &str) -> Fate {
        let mut kept: Vec<&str> = Vec::new();
        let mut numbers: Vec<usize> = Vec::new();
        let ruled = table.lines().nth(1).is_some_and(|row| row.chars().all(|c| " |-:".contains(c)));
        for (at, row) in table.lines().enumerate() {
            if ruled && at < 2 && row.split_whitespace().count() <= 2 * HEADING {
                kept.push(row);
                continue;
            }
            let cells = row.replace('|', " ");
            let findings = self.given.iter().map(|passage| passage.evidence.judge(&cells));
            let found = findings.enumerate().find_map(|(at, finding)| match finding {
                Finding::Supported { range, .. } => Some((at, range)),
                _ => None,
            });
            let Some(number) = found.and_then(|(at, range)| self.cite(at, range)) else {
                self.count.dropped += 1;
                continue;
            };
            kept.push(row);
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        if numbers.is_empty() {
            return Fate::Dropped;
        }
        let marks: String = numbers.iter().map(|number| format!("[{number}]")).collect();
        Fate::Supported(format!("{}\n\n{marks}", kept.join("\n")))
    }

    /// The number under which this place is cited.
    fn cite(&mut self, passage: usize, range: Range<usize>) -> Option<usize> {
        let place = (passage, range);
        if let Some(at) = self.cited.iter().position(|cited| *cited == place) {
            return Some(at + 1);
        }
        let number = self.cited.len() + 1;
        self.citations.push(self.given.get(passage)?.cite(number, &place.1)?);
        self.cited.push(place);
        Some(number)
    }
}

impl Check for Grounded {
    fn pass(&mut self, text: &str) -> String {
        self.waiting.push_str(text);
        self.take(false)
    }

    fn close(&mut self, _: &[Quote]) -> Closing {
        let mut rest = self.take(true);
        let Count { supported, unsupported, dropped, invented, leaked } = self.count;
        let said = supported + unsupported + dropped > 0 || !self.held.is_empty();
        let mut citations = std::mem::take(&mut self.citations);
        let mut outcome = "answered";
        if !self.begun && said {
            let instead = std::mem::take(&mut self.instead);
            outcome = if instead.citations.is_empty() { "none" } else { "quoted" };
            rest = instead.text;
            citations = instead.citations;
        }
        let mut details = std::mem::take(&mut self.details);
        if let Some(details) = details.as_object_mut() {
            details.insert("outcome".to_owned(), outcome.into());
            for (name, count) in [
                ("supported", supported),
                ("unsupported", unsupported),
                ("dropped", dropped),
                ("invented", invented),
                ("leaked", leaked),
            ] {
                details.insert(name.to_owned(), json!(count));
            }
        }
        if leaked > 0 {
            tracing::warn!(
                leaked,
                "a model was about to give its instructions away; the sentences were dropped"
            );
        }
        Closing { rest, citations, details, finish: None }
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
