//! Pages of the web: main text, headings, lists, tables. Scripts, styles, navigation and what is hidden stay out.
//!
//! It reads the tokens of the HTML standard's tokenizer and builds no tree: there is nothing that nesting could
//! make deep, and time and memory are linear in the page.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use super::budget::{Meter, Reason};
use super::draft::{Draft, only};
use super::{BlockKind, Found};

/// Elements whose text nobody reads, or that are not the page's own.
const LEFT_OUT: &[&str] = &[
    "script", "style", "noscript", "template", "nav", "svg", "math", "canvas", "iframe", "object", "audio",
    "video", "select", "datalist", "button", "dialog", "menu", "map", "noembed", "noframes", "applet",
];
/// Elements that are left out where they stand beside the main text.
const BESIDE: &[&str] = &["aside", "footer"];
/// Elements that begin and end a block.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "header",
    "hgroup",
    "hr",
    "html",
    "legend",
    "main",
    "p",
    "section",
    "summary",
    "tbody",
    "thead",
    "tfoot",
    "table",
];
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];
/// Elements whose end tag may be missing: the next of the same kind ends them.
const UNENDED: &[&str] = &["p", "li", "dd", "dt", "tr", "td", "th", "option"];
/// From this many characters on, what a page marks as its main text is taken for all of it.
const MAIN: usize = 200;
/// Lists inside lists that are numbered.
const LISTS: usize = 64;
/// Bytes given to the tokenizer at once; the clock is looked at in between.
const STEP: usize = 4 * 1024;

pub(crate) fn read(source: &str, meter: &Meter) -> Result<Found, Reason> {
    let sink = Sink(RefCell::new(Page::new(meter)));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let queue = BufferQueue::default();
    let mut rest = source;
    while !rest.is_empty() {
        meter.time()?;
        let (step, after) =
            rest.split_at_checked(rest.ceil_char_boundary(STEP.min(rest.len()))).unwrap_or((rest, ""));
        rest = after;
        queue.push_back(StrTendril::from(step));
        // The sink never asks for a pause, so all of the step is taken.
        let _ = tokenizer.feed(&queue);
        if let Some(over) = &tokenizer.sink.0.borrow().over {
            return Err(over.clone());
        }
    }
    tokenizer.end();
    let page = tokenizer.sink.0.into_inner();
    match page.over {
        Some(over) => Err(over),
        None => page.finish(meter),
    }
}

struct Sink<'m>(RefCell<Page<'m>>);

impl TokenSink for Sink<'_> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut page = self.0.borrow_mut();
        if page.over.is_some() {
            return TokenSinkResult::Continue;
        }
        let mut next = TokenSinkResult::Continue;
        let done = match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                next = match &*tag.name {
                    "script" => TokenSinkResult::RawData(RawKind::ScriptData),
                    "style" | "xmp" | "iframe" | "noembed" | "noframes" | "noscript" => {
                        TokenSinkResult::RawData(RawKind::Rawtext)
                    }
                    "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
                    _ => TokenSinkResult::Continue,
                };
                page.start(&tag)
            }
            Token::TagToken(tag) => page.finish_tag(&tag.name),
            Token::CharacterTokens(text) => page.text(&text),
            _ => Ok(()),
        };
        page.over = done.err();
        next
    }
}

struct Page<'m> {
    meter: &'m Meter,
    draft: Draft<'m>,
    over: Option<Reason>,
    title: String,
    in_title: bool,
    /// What is left out now: the element that began it, and how many of its name are open.
    hidden: Option<(String, usize)>,
    main: usize,
    quotes: usize,
    pre: usize,
    /// The open lists; numbered ones with the number of their last item.
    lists: Vec<Option<u32>>,
    row: bool,
    /// Whether the row has a cell already, so that the next is set apart.
    cells: usize,
    /// The numbers of the blocks that lie in the main text.
    main_blocks: Vec<bool>,
}

impl<'m> Page<'m> {
    fn new(meter: &'m Meter) -> Page<'m> {
        Page {
            meter,
            draft: Draft::new(meter),
            over: None,
            title: String::new(),
            in_title: false,
            hidden: None,
            main: 0,
            quotes: 0,
            pre: 0,
            lists: Vec::new(),
            row: false,
            cells: 0,
            main_blocks: Vec::new(),
        }
    }

    fn start(&mut self, tag: &Tag) -> Result<(), Reason> {
        self.meter.element()?;
        let name = &*tag.name;
        if let Some((hidden, open)) = &mut self.hidden {
            if hidden == name && !tag.self_closing && !UNENDED.contains(&name) {
                *open += 1;
                return Ok(());
            }
            // The next paragraph or item ends a hidden one that was never closed.
            let ends = UNENDED.contains(&hidden.as_str())
                && (hidden == name || (hidden == "p" && (BLOCKS.contains(&name) || name == "li")));
            if !ends {
                return Ok(());
            }
            self.hidden = None;
        }
        if self.is_left_out(tag) {
            let is_empty = VOID.contains(&name) || (tag.self_closing && matches!(name, "svg" | "math"));
            if !is_empty {
                self.hidden = Some((name.to_owned(), 1));
            }
            return Ok(());
        }
        match name {
            "title" => self.in_title = self.title.is_empty(),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.begin(BlockKind::Heading(level(name)))?,
            "ul" | "ol" => {
                self.settle();
                // Lists that are never closed forget the outermost.
                if self.lists.len() < LISTS {
                    self.lists.push(if name == "ol" { Some(0) } else { None });
                }
            }
            "li" => {
                self.settle();
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{number}. ")
                    }
                    _ => "- ".to_owned(),
                };
                self.draft.begin_item(&mark)?;
            }
            "pre" | "listing" | "xmp" => {
                self.pre += 1;
                self.begin(BlockKind::Code)?;
            }
            "blockquote" => {
                self.quotes += 1;
                self.settle();
            }
            "tr" => {
                self.row = true;
                self.cells = 0;
                self.begin(BlockKind::TableRow)?;
            }
            "td" | "th" => {
                if !self.row {
                    self.row = true;
                    self.cells = 0;
                    self.begin(BlockKind::TableRow)?;
                }
                if self.cells > 0 {
                    self.draft.words(" | ")?;
                }
                self.cells += 1;
            }
            "br" if self.pre > 0 => self.draft.verbatim("\n")?,
            "br" => self.draft.line(),
            "img" => {
                if let Some(alt) = attribute(tag, "alt").filter(|alt| alt.chars().count() > 20) {
                    // A picture that is described at length says something.
                    let alt = alt.to_owned();
                    self.inline(&alt)?;
                }
            }
            "main" | "article" => {
                self.settle();
                self.main += 1;
            }
            _ if BLOCKS.contains(&name) => self.part(name)?,
            _ => {}
        }
        Ok(())
    }

    fn finish_tag(&mut self, name: &str) -> Result<(), Reason> {
        self.meter.element()?;
        if let Some((hidden, open)) = &mut self.hidden {
            if hidden == name {
                *open -= 1;
                if *open == 0 {
                    self.hidden = None;
                }
            }
            return Ok(());
        }
        match name {
            "title" => self.in_title = false,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "li" => self.settle(),
            "pre" | "listing" | "xmp" => {
                self.pre = self.pre.saturating_sub(1);
                self.settle();
            }
            "ul" | "ol" => {
                self.settle();
                self.lists.pop();
            }
            "blockquote" => {
                self.settle();
                self.quotes = self.quotes.saturating_sub(1);
            }
            "tr" | "table" => {
                self.row = false;
                self.settle();
            }
            "main" | "article" => {
                self.settle();
                self.main = self.main.saturating_sub(1);
            }
            _ if BLOCKS.contains(&name) => self.part(name)?,
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Reason> {
        if self.hidden.is_some() {
            return Ok(());
        }
        if self.in_title {
            if self.title.len() < 4_096 {
                self.title.push_str(text);
            }
            return Ok(());
        }
        self.inline(text)
    }

    fn inline(&mut self, text: &str) -> Result<(), Reason> {
        if self.draft.open().is_none() {
            if text.trim().is_empty() {
                return Ok(());
            }
            let kind = if self.pre > 0 {
                BlockKind::Code
            } else if self.quotes > 0 {
                BlockKind::Quote
            } else {
                BlockKind::Paragraph
            };
            self.begin(kind)?;
        }
        if self.pre > 0 && self.draft.open() == Some(BlockKind::Code) {
            let text = if self.draft.is_blank() { text.trim_start_matches('\n') } else { text };
            self.draft.verbatim(text)
        } else {
            self.draft.words(text)
        }
    }

    /// A block that begins or ends inside a row or at the start of an item only sets words apart.
    fn part(&mut self, name: &str) -> Result<(), Reason> {
        let keeps = self.row && self.draft.open() == Some(BlockKind::TableRow);
        let item = self.draft.open() == Some(BlockKind::ListItem)
            && (self.draft.is_blank() || matches!(name, "p" | "div"));
        if keeps || (item && name != "table") {
            return self.draft.words(" ");
        }
        self.settle();
        Ok(())
    }

    fn begin(&mut self, kind: BlockKind) -> Result<(), Reason> {
        self.settle();
        self.draft.begin(kind)
    }

    /// Ends the open block and notes whether it belongs to the main text.
    fn settle(&mut self) {
        self.draft.end();
        self.main_blocks.resize(self.draft.blocks(), self.main > 0);
    }

    fn is_left_out(&self, tag: &Tag) -> bool {
        let name = &*tag.name;
        let role = attribute(tag, "role").unwrap_or("");
        let beside = BESIDE.contains(&name) || matches!(role, "complementary" | "contentinfo" | "banner");
        LEFT_OUT.contains(&name)
            || matches!(role, "navigation" | "search" | "menu" | "menubar" | "dialog" | "alertdialog")
            || (beside && self.main == 0)
            || attribute(tag, "hidden").is_some()
            || attribute(tag, "aria-hidden").is_some_and(|value| value.eq_ignore_ascii_case("true"))
            || attribute(tag, "style").is_some_and(is_unseen)
    }

    fn finish(mut self, meter: &Meter) -> Result<Found, Reason> {
        self.settle();
        let (mut text, mut blocks) = self.draft.finish();
        let flags = self.main_blocks;
        let is_main = |number: usize| flags.get(number).copied().unwrap_or(false);
        let size = |main: bool| -> usize {
            blocks
                .iter()
                .enumerate()
                .filter(|(at, _)| !main || is_main(*at))
                .map(|(_, block)| block.range.len())
                .sum()
        };
        let (main, all) = (size(true), size(false));
        if main < all && (main >= MAIN || main * 2 >= all) && main > 0 {
            (text, blocks) = only(meter, &text, &blocks, is_main)?;
        }
        Ok(Found { title: Some(self.title), text, blocks, warnings: Vec::new() })
    }
}

fn level(name: &str) -> u8 {
    name.as_bytes().get(1).map_or(6, |digit| digit.saturating_sub(b'0')).clamp(1, 6)
}

fn attribute<'t>(tag: &'t Tag, name: &str) -> Option<&'t str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
}

/// Whether a style hides what it is set on. Words meant for machines only hide this way.
fn is_unseen(style: &str) -> bool {
    let style: String =
        style.chars().filter(|c| !c.is_whitespace()).take(4_096).collect::<String>().to_ascii_lowercase();
    style.split(';').any(|rule| {
        matches!(rule, "display:none" | "visibility:hidden" | "opacity:0" | "font-size:0" | "font-size:0px")
            || rule.starts_with("display:none!")
            || rule.starts_with("visibility:hidden!")
    })
}
