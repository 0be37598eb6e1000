//! What every answer of a model passes in customer service: each sentence is held against the passages. It goes out
//! with the citation that supports it, with a sign that nothing does, or not at all. It prefers silence to an
//! invention: when no sentence is supported, the documents are quoted instead.

use std::ops::Range;

use knowledge::evidence::Finding;
use knowledge::sentence::sentences;
use llm::Quote;
use serde_json::{Value, json};

use super::ground::Given;
use super::leak::Leak;
use super::links;
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
            self.settle(lead, sentence, &mut out);
            done += first.end;
        }
        self.waiting = text.get(done..).unwrap_or("").to_owned();
        out
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
        if self.leak.in_text(sentence) {
            self.count.leaked += 1;
            return Fate::Dropped;
        }
        let given = &self.given;
        if object(sentence).is_some_and(|object| !given.iter().any(|passage| passage.holds(object))) {
            return Fate::Dropped;
        }
        let cleaned = links::clean(sentence, &|address| given.iter().any(|passage| passage.holds(address)));
        let (bare, marks) = unmarked(&cleaned);
        let bare = without_tail(&bare).to_owned();
        let spoken = bare.trim_matches(|c: char| !c.is_alphanumeric());
        if spoken.is_empty() || self.leak.in_text(&bare) {
            return Fate::Dropped;
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

/// The sentences of a text, with marks that follow one put to it: `It is so. [1]`.
fn joined(text: &str) -> Vec<Range<usize>> {
    let mut pieces: Vec<Range<usize>> = Vec::new();
    for range in sentences(text) {
        let piece = text.get(range.clone()).unwrap_or("");
        let (bare, marks) = unmarked(piece);
        let only_marks = bare.trim_matches(|c: char| !c.is_alphanumeric()).is_empty() && !marks.is_empty();
        match pieces.last_mut() {
            Some(last) if only_marks => last.end = range.end,
            // `It is so. [1] And so on.`: the marks in front belong to the sentence before.
            Some(last) if piece.starts_with('[') => {
                let front = front_marks(piece);
                last.end = if front > 0 { range.start + front } else { last.end };
                let start = range.start + front;
                let skip = text.get(start..range.end).map_or(0, |rest| rest.len() - rest.trim_start().len());
                pieces.push(start + skip..range.end);
            }
            _ => pieces.push(range),
        }
    }
    pieces
}

/// How many bytes at the beginning are marks.
fn front_marks(piece: &str) -> usize {
    let mut at = 0;
    while let Some(rest) = piece.get(at..)
        && rest.trim_start().starts_with('[')
    {
        let skipped = rest.len() - rest.trim_start().len();
        let Some(end) = rest.find(']') else { break };
        if numbers(rest.get(skipped + 1..end).unwrap_or("")).is_none()
            || rest.get(end + 1..).is_some_and(|r| r.starts_with('('))
        {
            break;
        }
        at += end + 1;
    }
    at
}

/// What a program would read as an object, as far as it goes: such are no words to anybody, unless the documents show
/// the very same.
fn object(sentence: &str) -> Option<&str> {
    let from = sentence.match_indices('{').map(|(at, _)| at).find(|at| {
        let inner = sentence.get(at + 1..).unwrap_or("").trim_start();
        inner.starts_with(['"', '\'', '“'])
    })?;
    let object = sentence.get(from..)?;
    Some(object.rfind('}').and_then(|to| object.get(..=to)).unwrap_or(object))
}

/// The numbers in a mark: `1`, `1, 2`, `^1`, `1†source`.
fn numbers(inside: &str) -> Option<Vec<usize>> {
    let inside = inside.split('†').next().unwrap_or("").trim_start_matches('^');
    if inside.is_empty() || inside.len() > 24 {
        return None;
    }
    inside
        .split([',', ';', ' '])
        .filter(|part| !part.is_empty())
        .map(|part| part.trim_start_matches('^').parse().ok())
        .collect()
}

/// The text without its marks, and their numbers in order.
fn unmarked(text: &str) -> (String, Vec<usize>) {
    let mut bare = String::with_capacity(text.len());
    let mut marks: Vec<usize> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['[', '【']) {
        let (before, tail) = rest.split_at(at);
        bare.push_str(before);
        let (open, close) = if tail.starts_with('[') { ('[', ']') } else { ('【', '】') };
        let inner = tail.get(open.len_utf8()..).unwrap_or("");
        let mark = inner.split_once(close).and_then(|(inside, behind)| Some((numbers(inside)?, behind)));
        match mark {
            Some((found, behind)) => {
                marks.extend(found.into_iter().filter(|number| !marks.contains(number)).collect::<Vec<_>>());
                bare.truncate(bare.trim_end_matches(' ').len());
                rest = behind;
            }
            None => {
                bare.push(open);
                rest = inner;
            }
        }
    }
    bare.push_str(rest);
    (bare, marks)
}

/// A list item without its mark, which may be a number.
fn without_item(text: &str) -> &str {
    let text = text.trim_start();
    let numbered = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let after = numbered.strip_prefix(". ").or_else(|| numbered.strip_prefix(") "));
    match after {
        Some(after) if numbered.len() < text.len() && text.len() - numbered.len() <= 3 => after,
        _ => text.trim_start_matches(['-', '*', '+', '>', '#', ' ']),
    }
}

/// Without the beginning of a list item or of a mark that never came.
fn without_tail(text: &str) -> &str {
    let mut text = text.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '[' | '(' | '【'));
    while let Some((before, last)) = text.rsplit_once('\n')
        && last.trim().chars().all(|c| matches!(c, '-' | '*' | '+' | '>' | '#'))
    {
        text = before.trim_end();
    }
    text
}

/// The sentence with something put beside it: in front of its full stop, and below a table or a block of code.
fn beside(sentence: &str, what: &str) -> String {
    let text = sentence.trim_end();
    if text.ends_with("```") || text.ends_with("~~~") || text.ends_with('|') {
        return format!("{text}\n\n{what}");
    }
    let body = text.trim_end_matches(['.', '!', '?', '。', ':', '"', '”', '*', '_', '`', ')']);
    // Closing marks of a bold word or a quote stay where they are; only the end of the sentence moves.
    let end = text.get(body.len()..).unwrap_or("");
    if end.chars().all(|c| matches!(c, '.' | '!' | '?' | '。' | ':')) {
        format!("{body} {what}{end}")
    } else {
        format!("{text} {what}")
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
