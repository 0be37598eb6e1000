//! The objects of PDF and their syntax. Reading never fails on bad syntax, it gives what can be made of it; only
//! the budget ends it. Objects inside objects are read to a fixed depth.

use std::collections::HashMap;

use crate::extract::budget::{Meter, Reason, ReasonKind};

/// Arrays and dictionaries inside one another.
const DEEPEST: usize = 48;
/// Objects that one object may hold: each costs many times its bytes.
const ROOM: usize = 1 << 18;

pub(super) type Dict = HashMap<String, Object>;

#[derive(Clone, Debug, PartialEq, Default)]
pub(super) enum Object {
    #[default]
    Null,
    Number(f64),
    Name(String),
    Text(Vec<u8>),
    Array(Vec<Object>),
    Dict(Dict),
    /// Another object, by its number.
    Reference(u32),
    /// A word that is none of these: an operator, `obj`, `stream`, `true`.
    Word(String),
}

impl Object {
    pub(super) fn number(&self) -> Option<f64> {
        if let Object::Number(number) = self { Some(*number) } else { None }
    }

    /// A count or an offset: a whole number that is not negative.
    pub(super) fn whole(&self) -> Option<usize> {
        // Saturates, and turns what is no number into nought.
        self.number().filter(|number| *number >= 0.0).map(|number| number as usize)
    }

    pub(super) fn name(&self) -> Option<&str> {
        if let Object::Name(name) = self { Some(name) } else { None }
    }

    pub(super) fn array(&self) -> Option<&[Object]> {
        if let Object::Array(items) = self { Some(items) } else { None }
    }

    pub(super) fn dict(&self) -> Option<&Dict> {
        if let Object::Dict(dict) = self { Some(dict) } else { None }
    }
}

/// Reads objects from bytes.
pub(super) struct Lexer<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    meter: &'a Meter,
    /// How many objects the one that is being read may still hold.
    room: usize,
}

pub(super) fn is_white(b: u8) -> bool {
    matches!(b, 0 | 9 | 10 | 12 | 13 | 32)
}

fn is_delimiter(b: u8) -> bool {
    matches!(b, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize, meter: &'a Meter) -> Lexer<'a> {
        Lexer { bytes, at, meter, room: ROOM }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    pub(super) fn skip_white(&mut self) {
        while let Some(b) = self.peek() {
            if is_white(b) {
                self.at += 1;
            } else if b == b'%' {
                while self.peek().is_some_and(|b| b != b'\n' && b != b'\r') {
                    self.at += 1;
                }
            } else {
                break;
            }
        }
    }

    /// The next object, with references put together; `None` at the end.
    pub(super) fn object(&mut self) -> Result<Option<Object>, Reason> {
        self.room = ROOM;
        self.nested(0, true)
    }

    /// The next object of a content stream, which holds no references.
    pub(super) fn operand(&mut self) -> Result<Option<Object>, Reason> {
        self.room = ROOM;
        self.nested(0, false)
    }

    fn nested(&mut self, depth: usize, references: bool) -> Result<Option<Object>, Reason> {
        self.meter.element()?;
        self.room = self.room.saturating_sub(1);
        if self.room == 0 {
            return Err(Reason::new(
                ReasonKind::TooLarge,
                "A part of the file consists of more pieces than are read.",
            ));
        }
        self.skip_white();
        let Some(b) = self.peek() else { return Ok(None) };
        let object = match b {
            b'/' => Object::Name(self.name()),
            b'(' => Object::Text(self.literal()),
            b'<' if self.peek_at(1) == Some(b'<') => {
                self.at += 2;
                self.dict(depth, references)?
            }
            b'<' => Object::Text(self.hex()),
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                loop {
                    self.skip_white();
                    if self.peek() == Some(b']') {
                        self.at += 1;
                        break;
                    }
                    self.deeper(depth)?;
                    match self.nested(depth + 1, references)? {
                        // Cut off, or the end of what holds the array.
                        None => break,
                        Some(Object::Word(word)) if matches!(word.as_str(), ">>" | "endobj" | "stream") => {
                            break;
                        }
                        Some(item) => items.push(item),
                    }
                }
                Object::Array(items)
            }
            b'0'..=b'9' | b'+' | b'-' | b'.' => self.number(references),
            b'>' if self.peek_at(1) == Some(b'>') => {
                self.at += 2;
                Object::Word(">>".to_owned())
            }
            b')' | b'>' | b']' | b'{' | b'}' => {
                self.at += 1;
                Object::Word(char::from(b).to_string())
            }
            _ => self.word(),
        };
        Ok(Some(object))
    }

    fn deeper(&self, depth: usize) -> Result<(), Reason> {
        if depth >= DEEPEST { self.meter.depth(usize::MAX) } else { Ok(()) }
    }

    fn dict(&mut self, depth: usize, references: bool) -> Result<Object, Reason> {
        let mut dict = Dict::new();
        loop {
            self.deeper(depth)?;
            match self.nested(depth + 1, references)? {
                Some(Object::Name(key)) => {
                    self.skip_white();
                    if self.bytes.get(self.at..self.at + 2) == Some(b">>") {
                        continue;
                    }
                    let Some(value) = self.nested(depth + 1, references)? else { break };
                    dict.insert(key, value);
                }
                Some(Object::Word(word)) if matches!(word.as_str(), ">>" | "endobj" | "stream") => break,
                None => break,
                Some(_) => {}
            }
        }
        Ok(Object::Dict(dict))
    }

    fn name(&mut self) -> String {
        self.at += 1;
        let mut name = Vec::new();
        while let Some(b) = self.peek().filter(|b| !is_white(*b) && !is_delimiter(*b)) {
            self.at += 1;
            let digits = (self.peek().and_then(hex), self.peek_at(1).and_then(hex));
            match (b, digits) {
                (b'#', (Some(high), Some(low))) => {
                    name.push(high * 16 + low);
                    self.at += 2;
                }
                _ => name.push(b),
            }
        }
        String::from_utf8_lossy(&name).into_owned()
    }

    fn word(&mut self) -> Object {
        let start = self.at;
        while self.peek().is_some_and(|b| !is_white(b) && !is_delimiter(b)) {
            self.at += 1;
        }
        let word = self.bytes.get(start..self.at).unwrap_or(&[]);
        match word {
            b"null" => Object::Null,
            _ => Object::Word(String::from_utf8_lossy(word).into_owned()),
        }
    }

    fn number(&mut self, references: bool) -> Object {
        let (number, is_whole) = self.digits();
        if !(references && is_whole) {
            return Object::Number(number);
        }
        // `12 0 R`
        let back = self.at;
        self.skip_white();
        if self.peek().is_some_and(|b| b.is_ascii_digit()) {
            let (_, is_whole) = self.digits();
            self.skip_white();
            let ends = self.peek_at(1).is_none_or(|b| is_white(b) || is_delimiter(b));
            if is_whole && self.peek() == Some(b'R') && ends {
                self.at += 1;
                return Object::Reference(number as u32);
            }
        }
        self.at = back;
        Object::Number(number)
    }

    fn digits(&mut self) -> (f64, bool) {
        let (mut value, mut scale, mut negative) = (0.0_f64, 0.0_f64, false);
        let start = self.at;
        while let Some(b) = self.peek() {
            match b {
                b'0'..=b'9' if scale > 0.0 => {
                    value += f64::from(b - b'0') * scale;
                    scale /= 10.0;
                }
                b'0'..=b'9' => value = value * 10.0 + f64::from(b - b'0'),
                b'.' if scale == 0.0 => scale = 0.1,
                b'-' => negative |= self.at == start,
                b'+' => {}
                _ => break,
            }
            self.at += 1;
        }
        (if negative { -value } else { value }, scale == 0.0 && !negative)
    }

    fn literal(&mut self) -> Vec<u8> {
        self.at += 1;
        let (mut text, mut open) = (Vec::new(), 1_usize);
        while let Some(b) = self.peek() {
            self.at += 1;
            match b {
                b'(' => open += 1,
                b')' => {
                    open -= 1;
                    if open == 0 {
                        break;
                    }
                }
                b'\\' => {
                    self.escape(&mut text);
                    continue;
                }
                _ => {}
            }
            text.push(b);
        }
        text
    }

    fn escape(&mut self, text: &mut Vec<u8>) {
        let Some(b) = self.peek() else { return };
        self.at += 1;
        match b {
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'\r' if self.peek() == Some(b'\n') => self.at += 1,
            b'\r' | b'\n' => {}
            b'0'..=b'7' => {
                let mut code = u32::from(b - b'0');
                for _ in 0..2 {
                    let Some(digit) = self.peek().filter(|b| (b'0'..=b'7').contains(b)) else { break };
                    code = code * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                text.push((code & 0xFF) as u8);
            }
            _ => text.push(b),
        }
    }

    fn hex(&mut self) -> Vec<u8> {
        self.at += 1;
        let (mut text, mut half) = (Vec::new(), None);
        while let Some(b) = self.peek() {
            self.at += 1;
            if b == b'>' {
                break;
            }
            let Some(digit) = hex(b) else { continue };
            match half.take() {
                Some(high) => text.push(high * 16 + digit),
                None => half = Some(digit),
            }
        }
        text.extend(half.map(|high| high * 16));
        text
    }
}

pub(super) fn hex(b: u8) -> Option<u8> {
    char::from(b).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
