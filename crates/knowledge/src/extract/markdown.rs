//! Markdown: its text without its marks. Parsed in sections, so that no input, however contrived, is looked at as
//! one whole; HTML inside is read as HTML.

use comrak::nodes::{AstNode, ListType, NodeValue};
use comrak::{Arena, Options};

use super::budget::{Meter, Reason};
use super::draft::Draft;
use super::{BlockKind, Found, html};

/// A section is cut at the next heading or blank line after this many bytes.
const SECTION: usize = 32 * 1024;
/// …and anywhere after this many.
const LONGEST: usize = 96 * 1024;
/// Lines that open more blocks inside one another than this are shown as they are.
const DEEPEST: usize = 64;

pub(crate) fn read(source: &str, meter: &Meter) -> Result<Found, Reason> {
    let mut draft = Draft::new(meter);
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.front_matter_delimiter = Some("---".to_owned());
    for section in sections(source) {
        meter.time()?;
        if section.lines().any(piles_up) {
            draft.begin(BlockKind::Paragraph)?;
            draft.verbatim(section)?;
            continue;
        }
        let arena = Arena::new();
        let root = comrak::parse_document(&arena, section, &options);
        write(root, &mut draft, meter)?;
        // A title in front matter is a matter of generators; headings say it better.
        options.extension.front_matter_delimiter = None;
    }
    let (text, blocks) = draft.finish();
    Ok(Found { text, blocks, ..Found::default() })
}

/// Cuts at top-level headings outside of fences, and at blank lines where there are none.
fn sections(source: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut from, mut at, mut fence, mut blank) = (0, 0, None, true);
    for line in source.split_inclusive('\n') {
        let bare = line.trim();
        let size = at - from;
        let cut =
            fence.is_none() && ((blank && line.starts_with('#')) || (size > 2 * SECTION && bare.is_empty()));
        if (size > SECTION && cut) || size + line.len() > LONGEST {
            found.extend(source.get(from..at));
            from = at;
            fence = None;
        }
        match fence {
            Some(mark) if bare.starts_with(mark) => fence = None,
            Some(_) => {}
            None => fence = ["```", "~~~"].into_iter().find(|mark| bare.starts_with(mark)),
        }
        blank = bare.is_empty();
        at += line.len();
    }
    found.extend(source.get(from..));
    // A single line can be longer still.
    found.into_iter().flat_map(pieces).collect()
}

fn pieces(section: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = section;
    while rest.len() > LONGEST {
        let room = rest.floor_char_boundary(LONGEST);
        let cut = rest
            .get(..room)
            .and_then(|head| head.rfind(char::is_whitespace))
            .filter(|at| *at > 0)
            .unwrap_or(room);
        let Some((head, tail)) = rest.split_at_checked(cut) else { break };
        found.push(head);
        rest = tail;
    }
    found.push(rest);
    found
}

fn piles_up(line: &str) -> bool {
    let opened = line
        .bytes()
        .take_while(|b| matches!(b, b'>' | b'-' | b'+' | b'*' | b'.' | b')' | b' ' | b'\t' | b'0'..=b'9'))
        .filter(|b| matches!(b, b'>' | b'-' | b'+' | b'*' | b'.' | b')'))
        .count();
    opened > DEEPEST && line.bytes().any(|b| b.is_ascii_alphanumeric() || !b.is_ascii())
}

/// Walks the tree along its links, without recursion.
fn write<'a>(root: &'a AstNode<'a>, draft: &mut Draft<'_>, meter: &Meter) -> Result<(), Reason> {
    let (mut quotes, mut cells) = (0_usize, 0_usize);
    for edge in root.traverse() {
        meter.element()?;
        let (node, opens) = match edge {
            comrak::arena_tree::NodeEdge::Start(node) => (node, true),
            comrak::arena_tree::NodeEdge::End(node) => (node, false),
        };
        match &node.data().value {
            NodeValue::Heading(heading) if opens => {
                draft.begin(BlockKind::Heading(heading.level.clamp(1, 6)))?
            }
            NodeValue::Heading(_) => draft.end(),
            NodeValue::BlockQuote => {
                draft.end();
                quotes = if opens { quotes + 1 } else { quotes.saturating_sub(1) };
            }
            NodeValue::Item(_) | NodeValue::TaskItem(_) => {
                draft.end();
                if opens {
                    draft.begin_item(&mark(node))?;
                }
            }
            NodeValue::Paragraph if opens => {
                let in_item = draft.open() == Some(BlockKind::ListItem) && draft.is_blank();
                if !in_item {
                    let kind = if quotes > 0 { BlockKind::Quote } else { BlockKind::Paragraph };
                    draft.begin(kind)?;
                }
            }
            NodeValue::Paragraph => draft.end(),
            NodeValue::TableRow(_) if opens => {
                cells = 0;
                draft.begin(BlockKind::TableRow)?;
            }
            NodeValue::TableRow(_) | NodeValue::Table(_) => draft.end(),
            NodeValue::TableCell if opens => {
                if cells > 0 {
                    draft.words(" | ")?;
                }
                cells += 1;
            }
            NodeValue::CodeBlock(code) if opens => {
                draft.begin(BlockKind::Code)?;
                draft.verbatim(code.literal.trim_end())?;
                draft.end();
            }
            NodeValue::HtmlBlock(block) if opens => {
                let inner = html::read(&block.literal, meter)?;
                for block in &inner.blocks {
                    draft.begin(block.kind)?;
                    let text = inner.text.get(block.range.clone()).unwrap_or("");
                    if block.kind == BlockKind::Code { draft.verbatim(text)? } else { draft.words(text)? }
                }
                draft.end();
            }
            NodeValue::Text(text) if opens => draft.words(text)?,
            NodeValue::Code(code) if opens => draft.words(&code.literal)?,
            NodeValue::SoftBreak if opens => draft.words(" ")?,
            NodeValue::LineBreak if opens => draft.line(),
            NodeValue::FootnoteReference(note) if opens => draft.words(&format!("[{}]", note.name))?,
            NodeValue::FootnoteDefinition(_) => draft.end(),
            _ => {}
        }
    }
    draft.end();
    Ok(())
}

/// The mark of an item: its number, when the list has numbers.
fn mark<'a>(item: &'a AstNode<'a>) -> String {
    let start = item.parent().and_then(|list| match &list.data().value {
        NodeValue::List(list) if list.list_type == ListType::Ordered => Some(list.start),
        _ => None,
    });
    // Items of one list know only where the list starts; their own number is in `Item`.
    match (&item.data().value, start) {
        (NodeValue::Item(own), Some(_)) => format!("{}. ", own.start),
        _ => "- ".to_owned(),
    }
}
