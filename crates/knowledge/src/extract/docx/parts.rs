//! The parts of a Word file beside its body: styles, notes, title; and the reader of XML that all parts share.
//! It knows the five entities of XML and no others, and refuses documents that would define their own.

use std::collections::HashMap;
use std::io::BufReader;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event as Xml};

use crate::extract::budget::{Meter, Reason};
use crate::extract::inflate::Inflate;
use crate::extract::zip::Archive;

/// What a paragraph is by its style.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Style {
    /// The level of a heading.
    pub(super) level: Option<u8>,
    pub(super) list: bool,
    pub(super) quote: bool,
}

/// What [`each`] meets.
pub(super) enum Event<'e> {
    /// A tag, and whether it is empty, so that no end follows.
    Start(&'e BytesStart<'e>, bool),
    /// The local name of an end tag.
    End(&'e str),
    Text(&'e str),
}

/// Reads a part from begin to end.
pub(super) fn each(
    part: Inflate<'_>,
    meter: &Meter,
    mut take: impl FnMut(Event<'_>) -> Result<(), Reason>,
) -> Result<(), Reason> {
    let mut reader = Reader::from_reader(BufReader::with_capacity(32 * 1024, part));
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    let mut buffer = Vec::new();
    let mut depth = 0_usize;
    loop {
        buffer.clear();
        meter.element()?;
        let event = reader.read_event_into(&mut buffer).map_err(|_| {
            meter.over().unwrap_or_else(|| {
                Reason::broken(
                    "The file is damaged or not complete: a part of it breaks off or cannot be read.",
                )
            })
        })?;
        match event {
            Xml::Start(tag) => {
                depth += 1;
                meter.depth(depth)?;
                take(Event::Start(&tag, false))?;
            }
            Xml::Empty(tag) => take(Event::Start(&tag, true))?,
            Xml::End(tag) => {
                depth = depth.saturating_sub(1);
                take(Event::End(tag.local_name().as_ref()))?;
            }
            Xml::Text(text) => take(Event::Text(&text))?,
            Xml::CData(text) => take(Event::Text(&text))?,
            Xml::GeneralRef(entity) => {
                let c = match &*entity {
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "amp" => Some('&'),
                    "apos" => Some('\''),
                    "quot" => Some('"'),
                    _ => entity.resolve_char_ref().ok().flatten(),
                };
                if let Some(c) = c {
                    take(Event::Text(c.encode_utf8(&mut [0; 4])))?;
                }
            }
            Xml::DocType(_) => {
                return Err(Reason::broken(
                    "The file defines entities of its own, which no word processor does.",
                ));
            }
            Xml::Eof if depth > 0 => {
                return Err(Reason::broken("The file is damaged or not complete: a part of it breaks off."));
            }
            Xml::Eof => return Ok(()),
            Xml::Comment(_) | Xml::Decl(_) | Xml::PI(_) => {}
        }
    }
}

/// The value of an attribute, by its local name.
pub(super) fn value(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    // Looking for doubles costs the square of their number.
    let mut attributes = tag.attributes();
    attributes
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)
        .map(|attribute| attribute.value.chars().take(256).collect())
}

/// The level of a heading by its outline level, 0 to 8; 9 is body text.
pub(super) fn outline(level: &str) -> Option<u8> {
    level.parse::<u8>().ok().filter(|level| *level < 9).map(|level| (level + 1).min(6))
}

/// The styles of paragraphs by their ids, with what they take from the styles they are based on.
pub(super) fn styles(archive: &Archive<'_>, meter: &Meter) -> Result<HashMap<String, Style>, Reason> {
    let mut own: HashMap<String, (Style, Option<String>)> = HashMap::new();
    let mut current: Option<String> = None;
    let Some(part) = archive.part("word/styles.xml")? else { return Ok(HashMap::new()) };
    each(part, meter, |event| {
        match event {
            Event::Start(tag, empty) => {
                let name = tag.local_name();
                if name.as_ref() == "style" && !empty {
                    current = value(tag, "styleId");
                    if let Some(id) = &current {
                        own.insert(id.clone(), (Style::default(), None));
                    }
                } else if let Some((style, based)) = current.as_ref().and_then(|id| own.get_mut(id)) {
                    match name.as_ref() {
                        "name" => named(&value(tag, "val").unwrap_or_default(), style),
                        "basedOn" => *based = value(tag, "val"),
                        "outlineLvl" => {
                            style.level = value(tag, "val").and_then(|level| outline(&level)).or(style.level);
                        }
                        "numId" => style.list = value(tag, "val").is_some_and(|id| id != "0"),
                        _ => {}
                    }
                }
            }
            Event::End("style") => current = None,
            Event::End(_) | Event::Text(_) => {}
        }
        Ok(())
    })?;
    let mut resolved = HashMap::new();
    for (id, (style, based)) in &own {
        let (mut style, mut above) = (*style, based.as_ref());
        // A style may be based on itself by way of others.
        for _ in 0..16 {
            let Some((base, next)) = above.and_then(|id| own.get(id)) else { break };
            style.level = style.level.or(base.level);
            style.list |= base.list;
            style.quote |= base.quote;
            above = next.as_ref();
        }
        // A heading with a number is a heading.
        style.list &= style.level.is_none();
        resolved.insert(id.clone(), style);
    }
    Ok(resolved)
}

/// What the names say that Word gives its own styles; they are the same in every language.
fn named(name: &str, style: &mut Style) {
    let name = name.to_ascii_lowercase();
    if let Some(level) = name.strip_prefix("heading ") {
        style.level =
            level.trim().parse::<u8>().ok().filter(|level| (1..=9).contains(level)).map(|level| level.min(6));
    } else if name == "title" {
        style.level = Some(1);
    } else if name.starts_with("list") {
        style.list = true;
    } else if name.contains("quote") {
        style.quote = true;
    }
}

/// Footnotes and endnotes: text by kind and id.
pub(super) fn notes(
    archive: &Archive<'_>,
    part: &str,
    sign: &str,
    notes: &mut HashMap<String, String>,
    meter: &Meter,
) -> Result<(), Reason> {
    let Some(part) = archive.part(part)? else { return Ok(()) };
    let mut current: Option<(String, String)> = None;
    let mut in_text = false;
    each(part, meter, |event| {
        match event {
            Event::Start(tag, empty) => {
                let name = tag.local_name();
                if name.as_ref() == sign {
                    // The lines that part notes from the page have a type.
                    let id =
                        value(tag, "id").filter(|_| value(tag, "type").is_none_or(|kind| kind == "normal"));
                    current = id.map(|id| (format!("{sign} {id}"), String::new()));
                }
                in_text = name.as_ref() == "t" && !empty;
                if let Some((_, text)) = &mut current
                    && matches!(name.as_ref(), "p" | "br" | "tab")
                    && !text.is_empty()
                {
                    text.push(' ');
                }
            }
            Event::End(name) => {
                in_text = false;
                if name == sign
                    && let Some((id, text)) = current.take()
                {
                    notes.insert(id, text);
                }
            }
            Event::Text(piece) => {
                if let Some((_, text)) = &mut current
                    && in_text
                {
                    text.push_str(piece);
                }
            }
        }
        Ok(())
    })
}

/// What the file calls itself.
pub(super) fn title(archive: &Archive<'_>, meter: &Meter) -> Result<Option<String>, Reason> {
    let Some(part) = archive.part("docProps/core.xml")? else { return Ok(None) };
    let (mut title, mut inside) = (String::new(), false);
    let read = each(part, meter, |event| {
        match event {
            Event::Start(tag, empty) => inside = !empty && tag.local_name().as_ref() == "title",
            Event::End(_) => inside = false,
            Event::Text(text) if inside && title.len() < 4_096 => title.push_str(text),
            Event::Text(_) => {}
        }
        Ok(())
    });
    match read {
        Err(reason) if reason.is_exhaustion() => Err(reason),
        // Without it the first heading serves.
        Err(_) => Ok(None),
        Ok(()) => Ok(Some(title)),
    }
}
