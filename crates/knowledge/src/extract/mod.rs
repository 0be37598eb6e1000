//! Files in, text with structure out: PDF, Word, HTML, Markdown, CSV and plain text. A file is known by what is in
//! it; the name only decides between kinds of text. Reading is pure and bounded: no process is started, nothing is
//! fetched, no link followed, and a hostile or broken file fails alone, with a [`Reason`].
//!
//! Everything here runs to its end on the calling thread; callers use a thread that may block, and a deadline.

mod budget;
mod csv;
mod decode;
mod docx;
mod draft;
mod html;
mod inflate;
mod markdown;
mod pdf;
mod plain;
mod sniff;
mod zip;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use budget::{Budget, Reason, ReasonKind};
pub use sniff::Kind;

use budget::Meter;

/// The text of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Extracted {
    /// What the file is.
    pub kind: Kind,
    /// Its title: what it calls itself, else its first heading, else its name without the ending.
    pub title: String,
    /// All its text. Blocks stand apart by a blank line, items of a list by a line end.
    pub text: String,
    /// What the text is made of, in order. Between blocks there is white space and nothing else.
    pub blocks: Vec<Block>,
    /// What the reader should know: sentences for a person.
    pub warnings: Vec<String>,
}

/// A piece of the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Where it stands in the text, in bytes, without white space around it.
    pub range: Range<usize>,
    /// The page it begins on, counted from 1, in files that have pages.
    pub page: Option<u32>,
}

/// The kinds of [`Block`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum BlockKind {
    /// A heading of this level, 1 the highest.
    Heading(u8),
    /// Running text.
    Paragraph,
    /// An item of a list.
    ListItem,
    /// A row of a table.
    TableRow,
    /// Text whose lines matter.
    Code,
    /// Somebody else's words.
    Quote,
}

/// What an extractor hands back: title, text, blocks, warnings.
#[derive(Debug, Default)]
struct Found {
    title: Option<String>,
    text: String,
    blocks: Vec<Block>,
    warnings: Vec<String>,
}

/// Longest title kept, in characters.
const TITLE: usize = 200;

/// Reads a file: `bytes` and the name it came with.
///
/// # Errors
/// When it cannot be read within the budget, with a sentence for the person who added it.
pub fn extract(bytes: &[u8], name: &str, budget: &Budget) -> Result<Extracted, Reason> {
    // Libraries below are sound but not infallible; what they panic on is the file's problem, not the server's.
    // All state is made inside, so nothing half-changed survives.
    match catch_unwind(AssertUnwindSafe(|| read(bytes, name, budget))) {
        Ok(result) => result,
        Err(_) => Err(Reason::new(
            ReasonKind::Failed,
            "The file could not be read: its structure is not understood.",
        )),
    }
}

/// What a file is, without reading it: enough to tell a document from a picture.
///
/// # Errors
/// When it is empty or of a kind that is not read.
pub fn recognise(bytes: &[u8], name: &str) -> Result<Kind, Reason> {
    if bytes.is_empty() {
        return Err(Reason::new(ReasonKind::Empty, "The file is empty."));
    }
    let looked = catch_unwind(AssertUnwindSafe(|| sniff::kind(bytes, name, &Meter::new(Budget::default()))));
    match looked {
        // Whatever else is wrong with it, it is a document: reading it says what.
        Ok(Err(reason)) if reason.kind != ReasonKind::Unsupported => Ok(Kind::Text),
        Ok(found) => found,
        Err(_) => Ok(Kind::Text),
    }
}

fn read(bytes: &[u8], name: &str, budget: &Budget) -> Result<Extracted, Reason> {
    if bytes.len() > budget.input {
        let most = budget.input >> 20;
        return Err(Reason::new(ReasonKind::TooLarge, format!("The file is larger than {most} MiB.")));
    }
    if bytes.is_empty() {
        return Err(Reason::new(ReasonKind::Empty, "The file is empty."));
    }
    let meter = Meter::new(*budget);
    meter.time()?;
    let kind = sniff::kind(bytes, name, &meter)?;
    let found = match kind {
        Kind::Pdf => pdf::read(bytes, &meter),
        Kind::Docx => docx::read(bytes, &meter),
        Kind::Html | Kind::Markdown | Kind::Csv | Kind::Text => {
            let (text, warnings) = decode::decode(bytes, kind, &meter)?;
            let found = match kind {
                Kind::Html => html::read(&text, &meter),
                Kind::Markdown => markdown::read(&text, &meter),
                Kind::Csv => csv::read(&text, &meter),
                _ => plain::read(&text, &meter),
            };
            found.map(|mut found| {
                found.warnings.extend(warnings);
                found
            })
        }
    };
    // What stopped the work first is the reason, not what a library made of it.
    let found = found.map_err(|reason| meter.over().unwrap_or(reason))?;
    if found.blocks.is_empty() {
        return Err(Reason::new(ReasonKind::Empty, "There is no text in the file."));
    }
    let title = title(&found, name);
    Ok(Extracted { kind, title, text: found.text, blocks: found.blocks, warnings: found.warnings })
}

fn title(found: &Found, name: &str) -> String {
    let own = found.title.as_deref().map(tidy).filter(|title| !title.is_empty());
    let heading = || {
        let block = found.blocks.iter().find(|block| matches!(block.kind, BlockKind::Heading(_)))?;
        found.text.get(block.range.clone()).map(tidy)
    };
    own.or_else(heading).unwrap_or_else(|| {
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        tidy(if stem.is_empty() { file } else { stem })
    })
}

/// A title as a label: one line, without what nobody sees, of bounded length.
pub fn tidy(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().filter(|c| !draft::is_invisible(*c)));
    }
    line.chars().take(TITLE).collect::<String>().trim().to_owned()
}
