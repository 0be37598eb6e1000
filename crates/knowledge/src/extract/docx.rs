//! Word documents: paragraphs, headings by style, lists, tables, footnotes, in the order they are read. Of the
//! archive only the parts with text are opened; links, pictures and whatever lies outside are never followed.

mod parts;

use std::collections::HashMap;

use quick_xml::events::BytesStart;

use super::budget::{Meter, Reason};
use super::draft::Draft;
use super::zip::Archive;
use super::{BlockKind, Found};
use parts::{Style, each, value};

pub(crate) fn read(bytes: &[u8], meter: &Meter) -> Result<Found, Reason> {
    let archive = Archive::open(bytes, meter)?;
    let styles = parts::styles(&archive, meter)?;
    let mut notes = HashMap::new();
    for (part, sign) in [("word/footnotes.xml", "footnote"), ("word/endnotes.xml", "endnote")] {
        parts::notes(&archive, part, sign, &mut notes, meter)?;
    }
    let title = parts::title(&archive, meter)?;
    let mut body = Body {
        draft: Draft::new(meter),
        styles: &styles,
        notes: &notes,
        paragraphs: Vec::new(),
        rows: Vec::new(),
        unseen: 0,
        in_text: false,
        meter,
    };
    let document = archive
        .part("word/document.xml")?
        .ok_or_else(|| Reason::broken("The file is damaged: the text of the document is missing."))?;
    each(document, meter, |event| match event {
        parts::Event::Start(tag, empty) => body.start(tag, empty),
        parts::Event::End(name) => body.finish_tag(name),
        parts::Event::Text(text) => body.text(text),
    })?;
    let (text, blocks) = body.draft.finish();
    Ok(Found { title, text, blocks, warnings: Vec::new() })
}

struct Body<'a> {
    draft: Draft<'a>,
    styles: &'a HashMap<String, Style>,
    notes: &'a HashMap<String, String>,
    /// The open paragraphs. A text box puts one inside another.
    paragraphs: Vec<Paragraph>,
    /// The open rows, of a table inside a table.
    rows: Vec<Vec<String>>,
    /// How many elements deep in what is not shown: the old form of a drawing, deleted text.
    unseen: usize,
    in_text: bool,
    meter: &'a Meter,
}

#[derive(Default)]
struct Paragraph {
    text: String,
    style: Style,
    /// The current run is hidden.
    hidden: bool,
    in_run: bool,
    notes: Vec<String>,
}

impl Body<'_> {
    fn start(&mut self, tag: &BytesStart<'_>, empty: bool) -> Result<(), Reason> {
        if self.unseen > 0 {
            self.unseen += usize::from(!empty);
            return Ok(());
        }
        let local = tag.local_name();
        match local.as_ref() {
            // What a choice falls back to says the same again.
            "Fallback" | "del" | "moveFrom" => self.unseen = usize::from(!empty),
            "p" if !empty => {
                self.meter.depth(self.paragraphs.len())?;
                self.paragraphs.push(Paragraph::default());
            }
            "tr" if !empty => {
                self.meter.depth(self.rows.len())?;
                self.rows.push(Vec::new());
            }
            "tc" if !empty => {
                if let Some(row) = self.rows.last_mut() {
                    row.push(String::new());
                }
            }
            "t" => self.in_text = !empty,
            _ => self.inside(local.as_ref(), tag),
        }
        Ok(())
    }

    /// What stands inside a paragraph and its runs.
    fn inside(&mut self, name: &str, tag: &BytesStart<'_>) {
        let Some(paragraph) = self.paragraphs.last_mut() else { return };
        match name {
            "pStyle" => {
                if let Some(style) = value(tag, "val").and_then(|id| self.styles.get(&id).copied()) {
                    // What the paragraph says of itself goes before its style, in whatever order it is read.
                    paragraph.style.level = paragraph.style.level.or(style.level);
                    paragraph.style.list |= style.list;
                    paragraph.style.quote |= style.quote;
                }
            }
            "outlineLvl" => {
                paragraph.style.level = value(tag, "val").and_then(|level| parts::outline(&level));
            }
            "numId" => paragraph.style.list = value(tag, "val").is_some_and(|id| id != "0"),
            "r" => (paragraph.in_run, paragraph.hidden) = (true, false),
            "vanish" if paragraph.in_run => {
                paragraph.hidden = value(tag, "val").is_none_or(|on| !matches!(on.as_str(), "0" | "false"));
            }
            "tab" | "ptab" if paragraph.in_run => paragraph.text.push('\t'),
            "br" | "cr" => paragraph.text.push('\n'),
            "noBreakHyphen" => paragraph.text.push('-'),
            "footnoteReference" | "endnoteReference" => {
                let sign = name.strip_suffix("Reference").unwrap_or(name);
                let Some(id) = value(tag, "id") else { return };
                if let Some(note) = self.notes.get(&format!("{sign} {id}")) {
                    paragraph.text.push_str(&format!("[{id}]"));
                    paragraph.notes.push(format!("[{id}] {note}"));
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) -> Result<(), Reason> {
        if self.unseen == 0
            && self.in_text
            && let Some(paragraph) = self.paragraphs.last_mut()
            && !paragraph.hidden
        {
            paragraph.text.push_str(text);
        }
        Ok(())
    }

    fn finish_tag(&mut self, name: &str) -> Result<(), Reason> {
        if self.unseen > 0 {
            self.unseen -= 1;
            return Ok(());
        }
        match name {
            "t" => self.in_text = false,
            "r" => {
                if let Some(paragraph) = self.paragraphs.last_mut() {
                    (paragraph.in_run, paragraph.hidden) = (false, false);
                }
            }
            "p" => {
                if let Some(paragraph) = self.paragraphs.pop() {
                    self.put(&paragraph)?;
                }
            }
            "tr" => {
                if let Some(row) = self.rows.pop() {
                    self.put_row(&row)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn put(&mut self, paragraph: &Paragraph) -> Result<(), Reason> {
        if let Some(cell) = self.rows.last_mut().and_then(|row| row.last_mut()) {
            join(cell, &paragraph.text);
            for note in &paragraph.notes {
                join(cell, note);
            }
            return Ok(());
        }
        if paragraph.text.trim().is_empty() {
            return Ok(());
        }
        match paragraph.style {
            Style { level: Some(level), .. } => self.draft.begin(BlockKind::Heading(level))?,
            Style { list: true, .. } => self.draft.begin_item("- ")?,
            Style { quote: true, .. } => self.draft.begin(BlockKind::Quote)?,
            Style { .. } => self.draft.begin(BlockKind::Paragraph)?,
        }
        self.draft.words(&paragraph.text)?;
        for note in &paragraph.notes {
            self.draft.begin(BlockKind::Paragraph)?;
            self.draft.words(note)?;
        }
        Ok(())
    }

    fn put_row(&mut self, row: &[String]) -> Result<(), Reason> {
        let line = row.join(" | ");
        if row.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(());
        }
        if let Some(cell) = self.rows.last_mut().and_then(|row| row.last_mut()) {
            join(cell, &line);
            return Ok(());
        }
        self.draft.begin(BlockKind::TableRow)?;
        self.draft.words(&line)
    }
}

fn join(cell: &mut String, text: &str) {
    if !cell.is_empty() && !text.is_empty() {
        cell.push(' ');
    }
    cell.push_str(text);
}
