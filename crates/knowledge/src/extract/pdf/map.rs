//! The maps from codes to characters that fonts bring along (ToUnicode). Ranges are kept as ranges, so that a short
//! map cannot unfold into a long one.

use super::object::{Lexer, Object};
use crate::extract::budget::{Meter, Reason};

/// Longest text of one code.
const LONGEST: usize = 64;
/// Entries of one map.
const ENTRIES: usize = 200_000;

#[derive(Debug, Default)]
pub(super) struct CodeMap {
    /// First and last code, and the text of the first; sorted.
    ranges: Vec<(u32, u32, Vec<u8>)>,
    /// The bytes of a code that the map speaks of.
    pub(super) bytes: Option<usize>,
}

impl CodeMap {
    pub(super) fn read(data: &[u8], meter: &Meter) -> Result<CodeMap, Reason> {
        let mut map = CodeMap::default();
        let mut lexer = Lexer::new(data, 0, meter);
        let mut operands: Vec<Object> = Vec::new();
        while let Some(object) = lexer.operand()? {
            let Object::Word(word) = &object else {
                operands.push(object);
                if operands.len() > 4_096 {
                    operands.clear();
                }
                continue;
            };
            match word.as_str() {
                "endcodespacerange" => {
                    for object in &operands {
                        if let Object::Text(code) = object {
                            map.bytes = map.bytes.max(Some(code.len().clamp(1, 4)));
                        }
                    }
                }
                "endbfchar" => {
                    for pair in operands.chunks_exact(2) {
                        if let [Object::Text(code), Object::Text(text)] = pair {
                            map.add(number(code), number(code), text);
                        }
                    }
                }
                "endbfrange" => {
                    for triple in operands.chunks_exact(3) {
                        match triple {
                            [Object::Text(first), Object::Text(last), Object::Text(text)] => {
                                map.add(number(first), number(last), text);
                            }
                            [Object::Text(first), Object::Text(_), Object::Array(texts)] => {
                                for (offset, text) in (0_u32..).zip(texts) {
                                    if let Object::Text(text) = text {
                                        let code = number(first).saturating_add(offset);
                                        map.add(code, code, text);
                                    }
                                }
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
            operands.clear();
        }
        map.ranges.sort_by_key(|(first, ..)| *first);
        Ok(map)
    }

    fn add(&mut self, first: u32, last: u32, text: &[u8]) {
        if first <= last && self.ranges.len() < ENTRIES {
            self.ranges.push((first, last, text.get(..text.len().min(LONGEST)).unwrap_or(text).to_vec()));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The text of a code.
    pub(super) fn get(&self, code: u32) -> Option<String> {
        let after = self.ranges.partition_point(|(first, ..)| *first <= code);
        let (first, last, text) = self.ranges.get(after.checked_sub(1)?)?;
        if code > *last {
            return None;
        }
        let mut units: Vec<u16> = match text.as_slice() {
            [byte] => vec![u16::from(*byte)],
            wide => wide.chunks_exact(2).map(|pair| number(pair) as u16).collect(),
        };
        if let Some(unit) = units.last_mut() {
            *unit = unit.wrapping_add((code - first) as u16);
        }
        Some(char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).filter(|c| *c != '\0').collect())
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |value, byte| (value << 8) | u32::from(*byte))
}
