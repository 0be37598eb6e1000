//! What a file is, by what is in it. The name decides only between kinds of text that look alike. It owns the
//! sentences for files that are known and not read.

use super::budget::{Meter, Reason, ReasonKind};
use super::zip::Archive;

/// The kinds of files that are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Kind {
    /// Portable Document Format.
    Pdf,
    /// Word, from 2007 on.
    Docx,
    /// A page of the web.
    Html,
    /// Markdown.
    Markdown,
    /// Values in rows: commas, semicolons, tabs or bars between them.
    Csv,
    /// Plain text.
    Text,
}

impl Kind {
    /// The kind as a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Pdf => "pdf",
            Kind::Docx => "docx",
            Kind::Html => "html",
            Kind::Markdown => "markdown",
            Kind::Csv => "csv",
            Kind::Text => "text",
        }
    }
}

/// First bytes of formats that are not read, and what they are called.
const FOREIGN: &[(&[u8], &str)] = &[
    (b"{\\rtf", "a rich text file (RTF); save it as DOCX or PDF"),
    (b"\x89PNG\r\n\x1a\n", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"II*\0", "a picture"),
    (b"MM\0*", "a picture"),
    (b"RIFF", "a sound, a film or a picture"),
    (b"OggS", "a sound or a film"),
    (b"ID3", "a sound"),
    (b"\x1f\x8b", "a compressed file; unpack it and add what is inside"),
    (b"BZh", "a compressed file; unpack it and add what is inside"),
    (b"\xfd7zXZ\0", "a compressed file; unpack it and add what is inside"),
    (b"7z\xbc\xaf\x27\x1c", "an archive; unpack it and add what is inside"),
    (b"Rar!\x1a\x07", "an archive; unpack it and add what is inside"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"SQLite format 3\0", "a database"),
    (b"%!PS", "a PostScript file; save it as PDF"),
];

/// How much of a file is looked at to tell one kind of text from another.
const LOOK: usize = 64 * 1024;

/// What the file is.
pub(crate) fn kind(bytes: &[u8], name: &str, meter: &Meter) -> Result<Kind, Reason> {
    let head = bytes.get(..bytes.len().min(LOOK)).unwrap_or(bytes);
    // Readers of PDF accept anything before the header within the first 1,024 bytes.
    let start = head.get(..head.len().min(1_024)).unwrap_or(head);
    let text = start.trim_ascii_start();
    if text.starts_with(b"%PDF-") || (looks_binary(start) && contains(start, b"%PDF-")) {
        return Ok(Kind::Pdf);
    }
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        return packed(bytes, meter);
    }
    if start.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Err(compound(bytes));
    }
    if let Some((_, what)) =
        FOREIGN.iter().find(|(magic, _)| start.starts_with(magic) && (magic.len() > 3 || looks_binary(head)))
    {
        return Err(Reason::new(ReasonKind::Unsupported, format!("The file is {what}.")));
    }
    if looks_binary(head) {
        return Err(Reason::new(
            ReasonKind::Unsupported,
            "The file is not a text or a document that can be read.",
        ));
    }
    Ok(text_kind(&plain_ascii(head), name))
}

/// Whether bytes are not text of any encoding that is read.
fn looks_binary(head: &[u8]) -> bool {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || super::decode::utf16(head).is_some()
    {
        return false;
    }
    let odd = head.iter().filter(|b| matches!(b, 0..=8 | 14..=26 | 28..=31 | 127)).count();
    head.contains(&0) || odd * 50 > head.len()
}

fn packed(bytes: &[u8], meter: &Meter) -> Result<Kind, Reason> {
    let archive = Archive::open(bytes, meter)?;
    let has = |start: &str| archive.names().any(|name| name.starts_with(start));
    if archive.names().any(|name| name == "word/document.xml") || (has("word/") && has("[Content_Types].xml"))
    {
        return Ok(Kind::Docx);
    }
    let what = if has("xl/") {
        "a spreadsheet; save it as CSV"
    } else if has("ppt/") {
        "a presentation; save it as PDF"
    } else if has("META-INF/container.xml") {
        "an electronic book (EPUB); save it as PDF or HTML"
    } else if has("content.xml") && has("mimetype") {
        "an OpenDocument file; save it as DOCX or PDF"
    } else {
        "an archive; unpack it and add what is inside"
    };
    Err(Reason::new(ReasonKind::Unsupported, format!("The file is {what}.")))
}

/// The container of old Office files, and of new ones with a password.
fn compound(bytes: &[u8]) -> Reason {
    let wide: Vec<u8> = "EncryptedPackage".bytes().flat_map(|b| [b, 0]).collect();
    if contains(bytes, &wide) {
        return Reason::new(
            ReasonKind::Encrypted,
            "The file is locked with a password; save it without one.",
        );
    }
    Reason::new(
        ReasonKind::Unsupported,
        "The file is of an old Office format (before 2007); save it as DOCX or PDF.",
    )
}

/// HTML by its tags wherever they are; the others by name, and by their signs when the name says nothing.
fn text_kind(head: &str, name: &str) -> Kind {
    let lower = head.trim_start().to_ascii_lowercase();
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let ending = ending.as_deref().unwrap_or("");
    let is_page = ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| lower.starts_with(tag))
        || (lower.starts_with('<') && (lower.contains("<html") || lower.contains("<body")));
    if is_page {
        return Kind::Html;
    }
    match ending {
        "html" | "htm" | "xhtml" if lower.contains("</") || lower.contains("<p") => Kind::Html,
        "md" | "markdown" | "mdx" | "mkd" => Kind::Markdown,
        "csv" | "tsv" if super::csv::delimiter(head, false).is_some() => Kind::Csv,
        "txt" | "text" | "log" | "rst" | "html" | "htm" | "xhtml" => Kind::Text,
        _ if super::csv::delimiter(head, true).is_some() => Kind::Csv,
        _ if looks_marked(head) => Kind::Markdown,
        _ => Kind::Text,
    }
}

/// Whether a text carries the signs of Markdown: headings, fences, links.
fn looks_marked(head: &str) -> bool {
    let mut signs = 0;
    for line in head.lines().take(400) {
        let rest = line.trim_start_matches('#');
        let level = line.len() - rest.len();
        if (1..=6).contains(&level) && rest.starts_with(' ') && rest.trim().chars().any(char::is_alphabetic) {
            signs += 1;
        }
        signs += usize::from(line.starts_with("```")) + usize::from(line.contains("](http"));
    }
    signs >= 2
}

/// The head as characters, whatever its encoding: good enough to look for ASCII signs.
fn plain_ascii(head: &[u8]) -> String {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || super::decode::utf16(head).is_some()
    {
        return head.iter().filter(|b| b.is_ascii() && **b != 0).map(|b| char::from(*b)).collect();
    }
    String::from_utf8_lossy(head).trim_start_matches('\u{feff}').to_owned()
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len().max(1)).any(|window| window == needle)
}
