//! PDF: the text of its pages in the order of reading, with page numbers, headings by size.
//!
//! The reader is our own, because the readers at hand unpack streams without a bound, and a bound is what files from
//! strangers need most. It reads what text needs and nothing else: no pictures, no scripts, no forms to fill, no
//! attachments, no links.

mod content;
mod file;
mod filter;
mod font;
mod glyph;
mod layout;
mod map;
mod object;

use std::collections::HashSet;

use super::Found;
use super::budget::{Meter, Reason, ReasonKind};
use super::draft::Draft;
use content::Painter;
use file::File;
use object::{Dict, Object};

/// How much of a file precedes its header at most.
const HEADER: usize = 1_024;

pub(crate) fn read(bytes: &[u8], meter: &Meter) -> Result<Found, Reason> {
    // Offsets count from the header.
    let head = bytes.get(..bytes.len().min(HEADER)).unwrap_or(bytes);
    let bytes = bytes.get(file::find(head, b"%PDF-").unwrap_or(0)..).unwrap_or(bytes);
    let file = File::open(bytes, meter)?;
    if file.trailer.contains_key("Encrypt") {
        return Err(Reason::new(ReasonKind::Encrypted, "The PDF is encrypted; save it without protection."));
    }
    let pages = pages(&file)?;
    if pages.is_empty() {
        return Err(Reason::broken("The PDF is damaged or not complete: it has no pages that can be found."));
    }
    let mut painter = Painter::new(&file);
    let mut lines = Vec::new();
    let mut blank = 0_usize;
    for (number, page) in (1_u32..).zip(&pages) {
        meter.time()?;
        let data = contents(&file, page)?;
        let pieces = painter.page(&data, &page.resources)?;
        let found = layout::lines(pieces, number, meter)?;
        blank += usize::from(found.is_empty());
        lines.extend(found);
    }
    let mut warnings = Vec::new();
    if lines.is_empty() {
        let sentence = if painter.lost > 0 {
            "The PDF has text, but its fonts do not say which characters it is; run text recognition over it."
        } else {
            "The PDF has pictures of pages but no text; run text recognition (OCR) over it."
        };
        return Err(Reason::new(ReasonKind::NoText, sentence));
    }
    if blank > 0 {
        warnings.push(format!("{blank} of {} pages have no text that can be read.", pages.len()));
    }
    if painter.lost * 50 > painter.drawn {
        let share = 100 * painter.lost / painter.drawn.max(1);
        warnings.push(format!("About {share} % of the characters could not be read."));
    }
    let mut draft = Draft::new(meter);
    layout::write(&layout::without_running_titles(lines), &mut draft)?;
    let (text, blocks) = draft.finish();
    Ok(Found { title: title(&file)?, text, blocks, warnings })
}

struct Page {
    contents: Object,
    resources: Dict,
}

/// The pages in order. The tree is walked without recursion, each node once.
fn pages(file: &File<'_>) -> Result<Vec<Page>, Reason> {
    let root = file.entry(&file.trailer, "Root")?;
    let Some(top) = root.dict().and_then(|root| root.get("Pages")) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    // Nodes to visit, the next one last, with the resources they inherit and how deep they are.
    let mut waiting = vec![(top.clone(), Object::Null, 0_usize)];
    while let Some((node, inherited, depth)) = waiting.pop() {
        file.meter.element()?;
        file.meter.depth(depth)?;
        if let Object::Reference(number) = node
            && !seen.insert(number)
        {
            continue;
        }
        let node = file.resolve(&node)?;
        let Some(dict) = node.dict() else { continue };
        let resources = dict.get("Resources").cloned().unwrap_or(inherited);
        let kids = file.entry(dict, "Kids")?;
        if let Some(kids) = kids.array() {
            for kid in kids.iter().rev() {
                waiting.push((kid.clone(), resources.clone(), depth + 1));
            }
        } else if dict.contains_key("Contents") || file.entry(dict, "Type")?.name() == Some("Page") {
            file.meter.pages(found.len() + 1)?;
            let resources = file.resolve(&resources)?.dict().cloned().unwrap_or_default();
            found.push(Page { contents: dict.get("Contents").cloned().unwrap_or_default(), resources });
        }
    }
    Ok(found)
}

/// The drawing of a page: one stream, or several that make one.
fn contents(file: &File<'_>, page: &Page) -> Result<Vec<u8>, Reason> {
    let mut streams = vec![page.contents.clone()];
    if file.stream(&page.contents)?.is_none()
        && let Object::Array(parts) = file.resolve(&page.contents)?
    {
        streams = parts;
    }
    let mut data = Vec::new();
    for reference in &streams {
        if let Some(stream) = file.stream(reference)?
            && let Some(part) = file.data(&stream)?
        {
            // A page can name the same stream again and again, packed or not.
            file.meter.unpack(if data.is_empty() { 0 } else { part.len() }, usize::MAX, 0)?;
            data.extend(part);
            data.push(b'\n');
        }
    }
    Ok(data)
}

/// What the file calls itself, when it is not the name of the program's own file.
fn title(file: &File<'_>) -> Result<Option<String>, Reason> {
    let info = file.entry(&file.trailer, "Info")?;
    let Some(info) = info.dict() else { return Ok(None) };
    let Object::Text(title) = file.entry(info, "Title")? else { return Ok(None) };
    let title = match title.as_slice() {
        [0xfe, 0xff, wide @ ..] => encoding_rs::UTF_16BE.decode_without_bom_handling(wide).0.into_owned(),
        [0xff, 0xfe, wide @ ..] => encoding_rs::UTF_16LE.decode_without_bom_handling(wide).0.into_owned(),
        bytes => std::str::from_utf8(bytes).map_or_else(
            |_| encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
            str::to_owned,
        ),
    };
    let lower = title.to_ascii_lowercase();
    let is_name = lower.contains("untitled")
        || lower.starts_with("microsoft word -")
        || [".doc", ".docx", ".indd", ".tex", ".dvi", ".qxd"].iter().any(|ending| lower.ends_with(ending));
    Ok(Some(title).filter(|title| !is_name && title.chars().any(char::is_alphanumeric)))
}
