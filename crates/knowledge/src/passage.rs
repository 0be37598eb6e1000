//! Cuts the text of a document into passages along its structure: at headings, else between blocks, else between
//! sentences. Every word of the text lies in exactly one passage; a passage is a byte range, so what is cited from
//! it can be checked. It never rewrites text and never overlaps passages.

use std::ops::Range;

use crate::cite::Span;
use crate::extract::{Block, BlockKind};
use crate::sentence::sentences;

/// Characters of a passage at the most. Measured the way documents go, on three corpora of a public benchmark, 276
/// questions, recall and precision of the five best: .905/.065 at 800, .957/.045 at 1,200, .960/.041 at 1,300,
/// .970/.0396 at 1,400, .977/.035 at 1,600 (`cargo run --release -p knowledge --example chunking`).
pub const CHARS: usize = 1_300;

/// A passage of fewer characters takes in the next section when both fit together: sections of a line or two say
/// little alone.
const SMALL: usize = 400;
/// How many times a word of the heading right above a passage counts as one of the passage.
const OWN_HEADING: u8 = 3;
/// Characters of a heading that are kept beside its passages.
const TITLE: usize = 200;

/// A passage of a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passage {
    /// The headings that all of it stands under, outermost first.
    pub headings: Vec<String>,
    /// How many of them, the last ones, stand at the beginning of the passage itself.
    pub own: usize,
    /// Where it stands in the text, without white space around it.
    pub span: Span,
    /// The page it begins on, in documents that have pages.
    pub page: Option<u32>,
}

impl Passage {
    /// What is indexed for it: the headings that stand above it, and its text.
    pub fn indexed(&self, text: &str) -> String {
        let mut indexed = String::new();
        for heading in self.above() {
            indexed.push_str(heading);
            indexed.push('\n');
        }
        indexed.push_str(self.span.of(text).unwrap_or(""));
        indexed
    }

    /// What the index of documents counts: the title and the headings above like text, the heading right above it
    /// [`OWN_HEADING`] times, because pages say there what they are about.
    pub fn parts<'a>(&'a self, title: &'a str, text: &'a str) -> Vec<(&'a str, u8)> {
        let mut parts = vec![(self.span.of(text).unwrap_or(""), 1)];
        let says = |heading: &String| heading.trim() == title.trim();
        if !self.headings.first().is_some_and(says) {
            parts.push((title, 1));
        }
        parts.extend(self.above().iter().map(|heading| (heading.as_str(), 1)));
        parts.extend(self.headings.last().map(|own| (own.as_str(), OWN_HEADING - 1)));
        parts
    }

    /// The headings that do not stand in the passage itself.
    pub fn above(&self) -> &[String] {
        self.headings.get(..self.headings.len().saturating_sub(self.own)).unwrap_or(&[])
    }
}

/// Cuts `text`, which consists of `blocks`, into passages of at most `most` characters (at least 16), in order.
pub fn passages(text: &str, blocks: &[Block], most: usize) -> Vec<Passage> {
    let mut cutter =
        Cutter { text, most: most.max(16), path: Vec::new(), open: None, pending: None, done: Vec::new() };
    for block in blocks {
        match block.kind {
            BlockKind::Heading(level) if cutter.measure(&block.range) <= cutter.most / 2 => {
                cutter.enter(level, block)
            }
            kind => cutter.add(block.range.clone(), kind, block.page),
        }
    }
    cutter.finish()
}

struct Heading {
    level: u8,
    title: String,
    start: usize,
}

/// A passage that grows.
struct Open {
    range: Range<usize>,
    /// How many headings of the path hold for all of it.
    shared: usize,
    page: Option<u32>,
}

struct Cutter<'a> {
    text: &'a str,
    most: usize,
    /// The headings in force.
    path: Vec<Heading>,
    open: Option<Open>,
    /// Headings that wait for the text below them: where they begin, where they end, and on which page.
    pending: Option<(Range<usize>, Option<u32>)>,
    done: Vec<Passage>,
}

impl Cutter<'_> {
    fn enter(&mut self, level: u8, block: &Block) {
        // Many headings without text between them are text.
        if let Some((range, page)) = &self.pending
            && !fits(self.text, &(range.start..block.range.end), self.most / 2)
        {
            let (range, page) = (range.clone(), *page);
            self.pending = None;
            self.close();
            self.put(range, page);
            self.close();
        }
        // Small passages may go on with the next section, under the headings that both have. The rest of a section
        // that was cut may not: its heading stands beside it only.
        let keeps = self.path.iter().take_while(|heading| heading.level < level).count();
        let goes_on = self.open.as_ref().is_some_and(|open| {
            let left = self.path.get(keeps..open.shared).unwrap_or(&[]);
            self.measure(&open.range) < SMALL && left.iter().all(|heading| heading.start >= open.range.start)
        });
        if goes_on && keeps > 0 {
            if let Some(open) = &mut self.open {
                open.shared = open.shared.min(keeps);
            }
        } else {
            self.close();
        }
        self.path.truncate(keeps);
        let title = self.text.get(block.range.clone()).unwrap_or("");
        let title: Vec<&str> = title.split_whitespace().collect();
        let title = title.join(" ").chars().take(TITLE).collect();
        self.path.push(Heading { level, title, start: block.range.start });
        match &mut self.pending {
            Some((range, _)) => range.end = block.range.end,
            None => self.pending = Some((block.range.clone(), block.page)),
        }
    }

    fn add(&mut self, block: Range<usize>, kind: BlockKind, page: Option<u32>) {
        let pending = self.pending.take();
        let (start, page) = pending.map_or((block.start, page), |(range, first)| (range.start, first));
        let mut rest = start..block.end;
        let joins =
            self.open.as_ref().is_some_and(|open| fits(self.text, &(open.range.start..rest.end), self.most));
        if !joins {
            self.close();
        }
        while !fits(self.text, &rest, self.most) {
            // The headings at the beginning are not cut off from the text.
            let least = block.start.saturating_sub(rest.start);
            let cut = self.cut_at(&rest, kind, least);
            self.put(rest.start..cut, page);
            self.close();
            rest.start = cut + self.text.get(cut..rest.end).map_or(0, |t| t.len() - t.trim_start().len());
        }
        if rest.start < rest.end {
            self.put(rest, page);
        }
    }

    fn put(&mut self, range: Range<usize>, page: Option<u32>) {
        match &mut self.open {
            Some(open) => open.range.end = range.end,
            None => self.open = Some(Open { range, shared: self.path.len(), page }),
        }
    }

    /// Where to cut a block that is too large: at a line where lines matter, else at a sentence, else at a space,
    /// else between two characters. The second half of the room is preferred, so that pieces stay large.
    fn cut_at(&self, range: &Range<usize>, kind: BlockKind, least: usize) -> usize {
        let text = self.text.get(range.clone()).unwrap_or("");
        let room = text.char_indices().nth(self.most).map_or(text.len(), |(at, _)| at);
        let window = text.get(..room).unwrap_or(text);
        let line = || window.rfind('\n').map(|at| at + 1);
        let part = || window.rfind("; ").map(|at| at + 2);
        let space = || window.rfind(char::is_whitespace).map(|at| at + 1);
        let late = |at: &usize| *at > (room / 2).max(least) && text.is_char_boundary(*at);
        let first = match kind {
            BlockKind::Code => line(),
            BlockKind::TableRow => part(),
            // A sentence reaches to where the next begins.
            _ => sentences(window).last().map(|last| last.start),
        };
        let cut = first.filter(late).or_else(|| line().filter(late)).or_else(|| space().filter(late));
        range.start + cut.unwrap_or(room)
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let Some(text) = self.text.get(open.range.clone()) else { return };
        let start = open.range.start + (text.len() - text.trim_start().len());
        let end = open.range.start + text.trim_end().len();
        if start >= end {
            return;
        }
        let headings = self.path.get(..open.shared.min(self.path.len())).unwrap_or(&[]);
        let own = headings.iter().filter(|heading| heading.start >= start).count();
        let headings = headings.iter().map(|heading| heading.title.clone()).collect();
        self.done.push(Passage { headings, own, span: Span { start, end }, page: open.page });
    }

    fn finish(mut self) -> Vec<Passage> {
        if let Some((range, page)) = self.pending.take() {
            // Headings with nothing below them, at the end: they go with the text above when there is room.
            let joins = self
                .open
                .as_ref()
                .is_some_and(|open| fits(self.text, &(open.range.start..range.end), self.most));
            if !joins {
                self.close();
            }
            self.put(range, page);
        }
        self.close();
        self.done
    }

    fn measure(&self, range: &Range<usize>) -> usize {
        self.text.get(range.clone()).map_or(0, |text| text.chars().take(self.most + 1).count())
    }
}

fn fits(text: &str, range: &Range<usize>, most: usize) -> bool {
    range.len() <= most || text.get(range.clone()).is_none_or(|text| text.chars().nth(most).is_none())
}
