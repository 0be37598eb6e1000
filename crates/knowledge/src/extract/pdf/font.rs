//! Fonts: which characters the codes of a text are, and how wide they stand. It never reads a font's own program.

use std::collections::HashMap;

use super::file::File;
use super::glyph::{self, Encoding};
use super::map::CodeMap;
use super::object::{Dict, Object};
use crate::extract::budget::Reason;

/// Widths of one font that are kept.
const WIDTHS: usize = 70_000;

#[derive(Debug)]
pub(super) struct Font {
    /// Bytes of a code: 1, or 2 in composite fonts.
    bytes: usize,
    map: CodeMap,
    /// The texts of single-byte codes.
    codes: Vec<Option<String>>,
    /// Codes are UTF-16 themselves.
    wide: bool,
    widths: HashMap<u32, f64>,
    default_width: Option<f64>,
    pub(super) bold: bool,
}

/// One glyph of a text.
pub(super) struct Glyph {
    pub(super) text: Option<String>,
    /// Its width as a share of the font's size.
    pub(super) width: f64,
    /// The code of a single space: word spacing applies.
    pub(super) is_space: bool,
}

impl Font {
    pub(super) fn read(file: &File<'_>, dict: &Dict) -> Result<Font, Reason> {
        let mut font = Font {
            bytes: 1,
            map: CodeMap::default(),
            codes: Vec::new(),
            wide: false,
            widths: HashMap::new(),
            default_width: None,
            bold: false,
        };
        if let Some(map) = dict.get("ToUnicode")
            && let Some(stream) = file.stream(map)?
            && let Some(data) = file.data(&stream)?
        {
            font.map = CodeMap::read(&data, file.meter)?;
        }
        let encoding = file.entry(dict, "Encoding")?;
        let name = file.entry(dict, "BaseFont")?.name().unwrap_or("").to_ascii_lowercase();
        font.bold = ["bold", "black", "heavy", "semibold"].iter().any(|word| name.contains(word));
        if file.entry(dict, "Subtype")?.name() == Some("Type0") {
            font.bytes = 2;
            let name = encoding.name().unwrap_or("");
            font.wide = name.starts_with("Uni") && (name.contains("UCS2") || name.contains("UTF16"));
            font.composite_widths(file, dict)?;
            return Ok(font);
        }
        let descriptor = file.entry(dict, "FontDescriptor")?;
        let flags =
            descriptor.dict().and_then(|dict| dict.get("Flags")).and_then(Object::whole).unwrap_or(32);
        let is_type3 = file.entry(dict, "Subtype")?.name() == Some("Type3");
        font.simple_codes(file, &encoding, flags & 4 != 0, &name)?;
        // The widths of a Type 3 font are in its own units.
        let unit = match file.entry(dict, "FontMatrix")?.array().and_then(|matrix| matrix.first()) {
            Some(Object::Number(unit)) if is_type3 => unit.abs(),
            _ => 0.001,
        };
        let first = file.entry(dict, "FirstChar")?.whole().unwrap_or(0);
        if let Some(widths) = file.entry(dict, "Widths")?.array() {
            for (offset, width) in widths.iter().take(256).enumerate() {
                if let Some(width) = file.resolve(width)?.number() {
                    font.widths.insert((first.min(256) + offset) as u32, width * unit);
                }
            }
            let missing =
                descriptor.dict().and_then(|dict| dict.get("MissingWidth")).and_then(Object::number);
            font.default_width = Some(missing.unwrap_or(0.0) * unit);
        }
        if name.contains("courier") && font.widths.is_empty() {
            font.default_width = Some(0.6);
        }
        Ok(font)
    }

    fn simple_codes(
        &mut self,
        file: &File<'_>,
        encoding: &Object,
        symbolic: bool,
        name: &str,
    ) -> Result<(), Reason> {
        let by_name = |name: Option<&str>| match name {
            Some("WinAnsiEncoding") => Some(Encoding::Windows),
            Some("MacRomanEncoding") => Some(Encoding::Mac),
            Some("StandardEncoding") => Some(Encoding::Standard),
            _ => None,
        };
        let base = match encoding {
            Object::Dict(dict) => by_name(file.entry(dict, "BaseEncoding")?.name()),
            other => by_name(other.name()),
        };
        let is_sign = name.contains("symbol") || name.contains("dingbats");
        let base = base.unwrap_or(if symbolic { Encoding::Windows } else { Encoding::Standard });
        self.codes = (0..=u8::MAX)
            .map(|code| {
                if is_sign && code != b' ' {
                    return (code == 0xb7 || code == 0x6c).then(|| "•".to_owned());
                }
                glyph::of_code(base, code).map(String::from)
            })
            .collect();
        let Some(dict) = encoding.dict() else { return Ok(()) };
        let differences = file.entry(dict, "Differences")?;
        let mut code = 0_usize;
        for item in differences.array().unwrap_or(&[]).iter().take(1_024) {
            match file.resolve(item)? {
                Object::Number(number) => code = number as usize,
                Object::Name(name) => {
                    if let Some(place) = self.codes.get_mut(code) {
                        *place = glyph::of_name(&name);
                    }
                    code = code.saturating_add(1);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn composite_widths(&mut self, file: &File<'_>, dict: &Dict) -> Result<(), Reason> {
        let descendants = file.entry(dict, "DescendantFonts")?;
        let descendant = descendants.array().and_then(|fonts| fonts.first()).map(|font| file.resolve(font));
        let descendant = descendant.transpose()?.unwrap_or_default();
        let Some(descendant) = descendant.dict() else { return Ok(()) };
        self.default_width = Some(file.entry(descendant, "DW")?.number().unwrap_or(1_000.0) / 1_000.0);
        let widths = file.entry(descendant, "W")?;
        let mut items = widths.array().unwrap_or(&[]).iter();
        while let Some(first) = items.next() {
            let Some(first) = file.resolve(first)?.whole() else { break };
            match items.next().map(|item| file.resolve(item)).transpose()? {
                Some(Object::Array(list)) => {
                    for (offset, width) in list.iter().enumerate() {
                        self.width(first.saturating_add(offset), file.resolve(width)?.number());
                    }
                }
                Some(Object::Number(last)) => {
                    let width =
                        items.next().map(|item| file.resolve(item)).transpose()?.and_then(|w| w.number());
                    for code in first..=(last as usize).min(first.saturating_add(65_535)) {
                        file.meter.element()?;
                        self.width(code, width);
                    }
                }
                _ => break,
            }
        }
        Ok(())
    }

    fn width(&mut self, code: usize, width: Option<f64>) {
        if let (Ok(code), Some(width)) = (u32::try_from(code), width)
            && self.widths.len() < WIDTHS
        {
            self.widths.insert(code, width / 1_000.0);
        }
    }

    /// The glyphs of a string.
    pub(super) fn glyphs<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = Glyph> + 't {
        // Some makers of composite fonts use codes of one byte, and say so in the map.
        let bytes = if self.bytes == 2 && self.map.bytes == Some(1) { 1 } else { self.bytes };
        text.chunks(bytes).map(move |bytes| {
            let code = bytes.iter().fold(0_u32, |code, byte| (code << 8) | u32::from(*byte));
            let text = self.map.get(code).or_else(|| self.unmapped(code));
            let width = self.widths.get(&code).copied().or(self.default_width).unwrap_or_else(|| {
                text.as_ref()
                    .and_then(|text| text.chars().next())
                    .map_or(0.5, |c| glyph::usual_width(c) / 1_000.0)
            });
            Glyph { text, width, is_space: bytes == b" " }
        })
    }

    fn unmapped(&self, code: u32) -> Option<String> {
        if self.wide {
            return char::from_u32(code).map(String::from);
        }
        if self.bytes == 2 {
            return None;
        }
        self.codes.get(usize::try_from(code).ok()?)?.clone()
    }

    /// Whether there is any way from codes to characters.
    pub(super) fn is_readable(&self) -> bool {
        self.bytes == 1 || self.wide || !self.map.is_empty()
    }
}
