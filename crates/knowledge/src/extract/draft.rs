//! The text of a document while it grows: blocks one after the other, white space tidied, invisible characters
//! left out. It owns where a block begins and ends in the text.

use std::ops::Range;

use super::budget::{Meter, Reason};
use super::{Block, BlockKind};

/// A text in the making.
#[derive(Debug)]
pub(crate) struct Draft<'m> {
    meter: &'m Meter,
    text: String,
    blocks: Vec<Block>,
    open: Option<Open>,
    /// White space was seen and is put down before the next word.
    gap: Option<char>,
    /// The page that new blocks stand on.
    pub(crate) page: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    kind: BlockKind,
    start: usize,
    /// Where its words begin: behind the mark of an item.
    words: usize,
}

impl<'m> Draft<'m> {
    pub(crate) fn new(meter: &'m Meter) -> Draft<'m> {
        Draft { meter, text: String::new(), blocks: Vec::new(), open: None, gap: None, page: None }
    }

    /// Ends the open block and begins one of this kind.
    pub(crate) fn begin(&mut self, kind: BlockKind) -> Result<(), Reason> {
        self.begin_with(kind, "")
    }

    /// The same for an item of a list with its mark, `- ` or `1. `: by the mark, readers of the text tell one
    /// item from the next. An item without words is left out with its mark.
    pub(crate) fn begin_item(&mut self, mark: &str) -> Result<(), Reason> {
        self.begin_with(BlockKind::ListItem, mark)
    }

    fn begin_with(&mut self, kind: BlockKind, mark: &str) -> Result<(), Reason> {
        self.end();
        self.meter.element()?;
        self.meter.blocks(self.blocks.len() + 1)?;
        if let Some(last) = self.blocks.last() {
            let close = last.kind == kind && kind == BlockKind::ListItem;
            self.text.push_str(if close { "\n" } else { "\n\n" });
        }
        let start = self.text.len();
        self.text.push_str(mark);
        self.open = Some(Open { kind, start, words: self.text.len() });
        Ok(())
    }

    /// Ends the open block. One without text is as if it had never begun.
    pub(crate) fn end(&mut self) {
        self.gap = None;
        let Some(Open { kind, start, words }) = self.open.take() else { return };
        let written = self.text.get(words..).unwrap_or("");
        let end = words + written.trim_end().len();
        // What is verbatim may begin with white space.
        let start = if start == words { end - written.trim().len() } else { start };
        if words < end {
            self.text.truncate(end);
            self.blocks.push(Block { kind, range: start..end, page: self.page });
        } else {
            let end = self.blocks.last().map_or(0, |block| block.range.end);
            self.text.truncate(end);
        }
    }

    /// The kind of the open block.
    pub(crate) fn open(&self) -> Option<BlockKind> {
        self.open.map(|open| open.kind)
    }

    /// Whether the open block has no word yet.
    pub(crate) fn is_blank(&self) -> bool {
        self.open.is_none_or(|open| open.words == self.text.len())
    }

    /// How many blocks are done.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Adds running text to the open block (a paragraph, when none is): runs of white space become one space.
    pub(crate) fn words(&mut self, words: &str) -> Result<(), Reason> {
        if self.open.is_none() {
            if words.trim().is_empty() {
                return Ok(());
            }
            self.begin(BlockKind::Paragraph)?;
        }
        self.meter.text(words.chars().count())?;
        for c in words.chars() {
            if c.is_whitespace() {
                self.gap.get_or_insert(' ');
            } else if !is_invisible(c) {
                self.put(c);
            }
        }
        Ok(())
    }

    /// Adds text whose lines and spaces matter, such as code.
    pub(crate) fn verbatim(&mut self, words: &str) -> Result<(), Reason> {
        if self.open.is_none() {
            self.begin(BlockKind::Code)?;
        }
        self.meter.text(words.chars().count())?;
        self.gap = None;
        self.text.extend(words.chars().filter(|c| *c != '\r' && !is_invisible(*c)));
        Ok(())
    }

    /// Takes the last character back, when it is this one.
    pub(crate) fn take_back(&mut self, c: char) {
        self.gap = None;
        if !self.is_blank() && self.text.ends_with(c) {
            self.text.pop();
        }
    }

    /// A line that ends inside the open block.
    pub(crate) fn line(&mut self) {
        self.gap = Some('\n');
    }

    fn put(&mut self, c: char) {
        if let Some(gap) = self.gap.take()
            && !self.is_blank()
        {
            self.text.push(gap);
        }
        self.text.push(c);
    }

    /// The text and its blocks.
    pub(crate) fn finish(mut self) -> (String, Vec<Block>) {
        self.end();
        (self.text, self.blocks)
    }
}

/// Copies the blocks that `keep` names into a text of their own.
pub(crate) fn only(
    meter: &Meter,
    text: &str,
    blocks: &[Block],
    keep: impl Fn(usize) -> bool,
) -> Result<(String, Vec<Block>), Reason> {
    let mut draft = Draft::new(meter);
    for (number, block) in blocks.iter().enumerate() {
        if keep(number) {
            draft.page = block.page;
            draft.begin(block.kind)?;
            // Not counted again: it has been paid for.
            draft.text.push_str(text.get(Range::clone(&block.range)).unwrap_or(""));
        }
    }
    Ok(draft.finish())
}

/// Characters that nobody sees: controls, marks of direction and order, soft hyphens, tags. Text hides in them.
pub(crate) fn is_invisible(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(u32::from(c),
            0xAD | 0x61C | 0x180E | 0x200B | 0x200E..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0xFEFF
            | 0xFFF9..=0xFFFB | 0xE000..=0xF8FF | 0xE_0000..=0xE_0FFF)
}
