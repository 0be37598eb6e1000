//! Where the objects of a PDF lie: tables and streams of references, and, when they are damaged, a search through
//! the whole file. Objects that refer to themselves end in nothing.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::filter;
use super::object::{Dict, Lexer, Object, is_white};
use crate::extract::budget::{Meter, Reason};

/// References followed one after the other.
const HOPS: usize = 24;

#[derive(Clone, Copy, Debug)]
enum Place {
    /// At this offset of the file.
    At(usize),
    /// In this stream of objects.
    In(u32),
}

pub(super) struct File<'a> {
    bytes: &'a [u8],
    pub(super) meter: &'a Meter,
    places: HashMap<u32, Place>,
    pub(super) trailer: Dict,
    /// Streams of objects: their data, and where in it each object lies.
    packed: RefCell<HashMap<u32, Rc<Packed>>>,
    /// How many objects are being read that need one another.
    busy: Cell<usize>,
}

#[derive(Default)]
struct Packed {
    data: Vec<u8>,
    objects: HashMap<u32, usize>,
}

/// A stream: its dictionary and its raw bytes.
pub(super) struct Stream<'a> {
    pub(super) dict: Dict,
    pub(super) raw: &'a [u8],
}

impl<'a> File<'a> {
    pub(super) fn open(bytes: &'a [u8], meter: &'a Meter) -> Result<File<'a>, Reason> {
        let mut file = File {
            bytes,
            meter,
            places: HashMap::new(),
            trailer: Dict::new(),
            packed: RefCell::new(HashMap::new()),
            busy: Cell::new(0),
        };
        file.follow()?;
        if !file.trailer.contains_key("Encrypt") && !file.has_pages()? {
            file.search()?;
        }
        Ok(file)
    }

    fn has_pages(&self) -> Result<bool, Reason> {
        let root = self.entry(&self.trailer, "Root")?;
        let Some(root) = root.dict() else { return Ok(false) };
        Ok(self.entry(root, "Pages")?.dict().is_some_and(|pages| pages.contains_key("Kids")))
    }

    /// Follows the chain of tables from the end of the file.
    fn follow(&mut self) -> Result<(), Reason> {
        let from = self.bytes.len().saturating_sub(2_048);
        let tail = self.bytes.get(from..).unwrap_or(&[]);
        let Some(found) = tail.windows(9).rposition(|window| window == b"startxref") else { return Ok(()) };
        let mut next =
            Lexer::new(self.bytes, from + found + 9, self.meter).object()?.and_then(|at| at.whole());
        let mut seen = HashSet::new();
        let mut waiting = Vec::new();
        while let Some(at) = next.or_else(|| waiting.pop()) {
            next = None;
            if at >= self.bytes.len() || !seen.insert(at) {
                continue;
            }
            let Some(dict) = self.table(at)? else { continue };
            next = dict.get("Prev").and_then(Object::whole);
            waiting.extend(dict.get("XRefStm").and_then(Object::whole));
            for (key, value) in dict {
                self.trailer.entry(key).or_insert(value);
            }
        }
        Ok(())
    }

    /// One table or stream of references. What newer tables say stands.
    fn table(&mut self, at: usize) -> Result<Option<Dict>, Reason> {
        let mut lexer = Lexer::new(self.bytes, at, self.meter);
        lexer.skip_white();
        if self.bytes.get(lexer.at..lexer.at + 4) != Some(b"xref") {
            let Some(stream) = self.stream_at(at)? else { return Ok(None) };
            self.reference_stream(&stream)?;
            return Ok(Some(stream.dict));
        }
        lexer.at += 4;
        loop {
            match (lexer.object()?, lexer.object()?) {
                (Some(Object::Number(first)), Some(Object::Number(count))) => {
                    let mut number = first as u32;
                    for _ in 0..count as usize {
                        let (Some(Object::Number(offset)), Some(Object::Number(_)), Some(Object::Word(kind))) =
                            (lexer.object()?, lexer.object()?, lexer.object()?)
                        else {
                            return Ok(None);
                        };
                        if kind == "n" {
                            self.places.entry(number).or_insert(Place::At(offset as usize));
                        }
                        number = number.saturating_add(1);
                    }
                }
                (Some(Object::Word(word)), Some(Object::Dict(dict))) if word == "trailer" => {
                    return Ok(Some(dict));
                }
                _ => return Ok(None),
            }
        }
    }

    fn reference_stream(&mut self, stream: &Stream<'a>) -> Result<(), Reason> {
        let Some(data) = self.data(stream)? else { return Ok(()) };
        let numbers = |key: &str| -> Vec<usize> {
            let items = stream.dict.get(key).and_then(Object::array).unwrap_or(&[]);
            items.iter().filter_map(Object::whole).collect()
        };
        let widths = numbers("W");
        let &[kind, second, third] = widths.as_slice() else { return Ok(()) };
        if kind > 8 || second > 8 || third > 8 || kind + second + third == 0 {
            return Ok(());
        }
        let mut index = numbers("Index");
        if index.is_empty() {
            index = vec![0, stream.dict.get("Size").and_then(Object::whole).unwrap_or(0)];
        }
        let mut rows = data.chunks_exact(kind + second + third);
        for pair in index.chunks_exact(2) {
            let (first, count) = (pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0));
            for offset in 0..count {
                let Some(row) = rows.next() else { return Ok(()) };
                self.meter.element()?;
                let field = |from: usize, width: usize| {
                    let bytes = row.get(from..from + width).unwrap_or(&[]);
                    bytes.iter().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte))
                };
                let Ok(number) = u32::try_from(first.saturating_add(offset)) else { break };
                let value = field(kind, second);
                let place = match if kind == 0 { 1 } else { field(0, kind) } {
                    1 => Place::At(usize::try_from(value).unwrap_or(usize::MAX)),
                    2 => Place::In(u32::try_from(value).unwrap_or(u32::MAX)),
                    _ => continue,
                };
                self.places.entry(number).or_insert(place);
            }
        }
        Ok(())
    }

    /// Looks for objects in the whole file. Later ones stand, as they were written later.
    fn search(&mut self) -> Result<(), Reason> {
        self.places.clear();
        let mut streams = Vec::new();
        let mut from = 0;
        while let Some(found) = self.bytes.get(from..).and_then(|rest| find(rest, b"obj")) {
            let at = from + found;
            from = at + 3;
            self.meter.element()?;
            let Some((number, start)) = self.header_before(at) else { continue };
            self.places.insert(number, Place::At(start));
            // Only the beginning: most objects are neither streams of objects nor the root.
            let head = self.bytes.get(from..self.bytes.len().min(from + 512)).unwrap_or(&[]);
            let holds = |word: &[u8]| find(head, word).is_some();
            if holds(b"/ObjStm") {
                streams.push(number);
            }
            if holds(b"/Catalog") {
                self.trailer.insert("Root".to_owned(), Object::Reference(number));
            }
            if holds(b"/XRef")
                && let Some(stream) = self.stream_at(start)?
            {
                self.trailer.extend(stream.dict);
            }
        }
        from = 0;
        while let Some(found) = self.bytes.get(from..).and_then(|rest| find(rest, b"trailer")) {
            from += found + 7;
            if let Some(Object::Dict(dict)) = Lexer::new(self.bytes, from, self.meter).object()? {
                self.trailer.extend(dict);
            }
        }
        for stream in streams {
            let packed = self.packed(stream)?;
            for number in packed.objects.keys() {
                self.meter.element()?;
                self.places.entry(*number).or_insert(Place::In(stream));
            }
        }
        if !self.has_pages()? {
            let numbers: Vec<u32> = self.places.keys().copied().collect();
            for number in numbers {
                let object = self.get(number)?;
                if object.dict().and_then(|dict| dict.get("Type")).and_then(Object::name) == Some("Catalog") {
                    self.trailer.insert("Root".to_owned(), Object::Reference(number));
                }
            }
        }
        Ok(())
    }

    /// The number in `12 0 obj`, whose `obj` stands at `at`, and where it begins.
    fn header_before(&self, at: usize) -> Option<(u32, usize)> {
        let before = |end: usize, most: usize, is: fn(u8) -> bool| -> usize {
            let head = self.bytes.get(end.saturating_sub(most)..end).unwrap_or(&[]);
            end - head.iter().rev().take_while(|b| is(**b)).count()
        };
        let digit: fn(u8) -> bool = |b| b.is_ascii_digit();
        let generation_end = before(at, 8, is_white);
        let generation = before(generation_end, 5, digit);
        let end = before(generation, 8, is_white);
        let start = before(end, 10, digit);
        if generation == generation_end || end == generation {
            return None;
        }
        let number = std::str::from_utf8(self.bytes.get(start..end)?).ok()?.parse().ok()?;
        Some((number, start))
    }

    /// What an object is, when it is a reference.
    pub(super) fn resolve(&self, object: &Object) -> Result<Object, Reason> {
        let mut object = object.clone();
        for _ in 0..HOPS {
            let Object::Reference(number) = object else { return Ok(object) };
            object = self.get(number)?;
        }
        Ok(Object::Null)
    }

    /// The entry of a dictionary, resolved.
    pub(super) fn entry(&self, dict: &Dict, key: &str) -> Result<Object, Reason> {
        dict.get(key).map_or(Ok(Object::Null), |object| self.resolve(object))
    }

    /// An object by its number; of a stream its dictionary.
    fn get(&self, number: u32) -> Result<Object, Reason> {
        self.meter.element()?;
        match self.places.get(&number) {
            Some(Place::At(at)) => {
                let mut lexer = Lexer::new(self.bytes, *at, self.meter);
                if !header(&mut lexer, Some(number))? {
                    return Ok(Object::Null);
                }
                Ok(lexer.object()?.unwrap_or_default())
            }
            Some(Place::In(stream)) => {
                let packed = self.packed(*stream)?;
                let Some(at) = packed.objects.get(&number) else { return Ok(Object::Null) };
                Ok(Lexer::new(&packed.data, *at, self.meter).object()?.unwrap_or_default())
            }
            None => Ok(Object::Null),
        }
    }

    /// A stream by reference.
    pub(super) fn stream(&self, object: &Object) -> Result<Option<Stream<'a>>, Reason> {
        let Object::Reference(number) = object else { return Ok(None) };
        match self.places.get(number) {
            Some(Place::At(at)) => self.stream_at(*at),
            _ => Ok(None),
        }
    }

    fn stream_at(&self, at: usize) -> Result<Option<Stream<'a>>, Reason> {
        let mut lexer = Lexer::new(self.bytes, at, self.meter);
        if !header(&mut lexer, None)? {
            return Ok(None);
        }
        let Some(Object::Dict(dict)) = lexer.object()? else { return Ok(None) };
        lexer.skip_white();
        if self.bytes.get(lexer.at..lexer.at + 6) != Some(b"stream") {
            return Ok(None);
        }
        let mut start = lexer.at + 6;
        if self.bytes.get(start) == Some(&b'\r') {
            start += 1;
        }
        if self.bytes.get(start) == Some(&b'\n') {
            start += 1;
        }
        // The length may be an object that needs this stream; then it is not believed.
        let length = if self.busy.get() < HOPS {
            self.busy.set(self.busy.get() + 1);
            let length = self.entry(&dict, "Length");
            self.busy.set(self.busy.get() - 1);
            length?.whole()
        } else {
            None
        };
        let stated =
            length.and_then(|length| self.bytes.get(start..start.checked_add(length)?)).filter(|raw| {
                let after = self.bytes.get(start + raw.len()..).unwrap_or(&[]);
                let after = after.get(..after.len().min(32)).unwrap_or(after);
                find(after, b"endstream").is_some() || find(after, b"endobj").is_some()
            });
        let raw = match stated {
            Some(raw) => raw,
            None => {
                let rest = self.bytes.get(start..).unwrap_or(&[]);
                let raw = rest.get(..find(rest, b"endstream").unwrap_or(rest.len())).unwrap_or(rest);
                // A search costs, and a file can ask for many.
                self.meter.elements(raw.len() / 64)?;
                raw
            }
        };
        Ok(Some(Stream { dict, raw }))
    }

    /// The unpacked data of a stream; `None` for pictures.
    pub(super) fn data(&self, stream: &Stream<'_>) -> Result<Option<Vec<u8>>, Reason> {
        let list = |long: &str, short: &str| -> Result<Vec<Object>, Reason> {
            let key = if stream.dict.contains_key(long) { long } else { short };
            match self.entry(&stream.dict, key)? {
                Object::Array(items) => items.iter().map(|item| self.resolve(item)).collect(),
                Object::Null => Ok(Vec::new()),
                single => Ok(vec![single]),
            }
        };
        filter::decode(stream.raw, &list("Filter", "F")?, &list("DecodeParms", "DP")?, self.meter)
    }

    fn packed(&self, number: u32) -> Result<Rc<Packed>, Reason> {
        if let Some(known) = self.packed.borrow().get(&number) {
            return Ok(known.clone());
        }
        // What the stream itself needs must lie outside of it.
        self.packed.borrow_mut().insert(number, Rc::default());
        let mut packed = Packed::default();
        if let Some(Place::At(at)) = self.places.get(&number)
            && let Some(stream) = self.stream_at(*at)?
            && let Some(data) = self.data(&stream)?
        {
            let whole = |key: &str| stream.dict.get(key).and_then(Object::whole).unwrap_or(0);
            let (count, first) = (whole("N"), whole("First"));
            let mut lexer = Lexer::new(&data, 0, self.meter);
            for _ in 0..count {
                let (Some(Object::Number(object)), Some(Object::Number(offset))) =
                    (lexer.operand()?, lexer.operand()?)
                else {
                    break;
                };
                packed.objects.insert(object as u32, first.saturating_add(offset as usize));
            }
            packed.data = data;
        }
        let packed = Rc::new(packed);
        self.packed.borrow_mut().insert(number, packed.clone());
        Ok(packed)
    }
}

/// Reads `12 0 obj`.
fn header(lexer: &mut Lexer<'_>, number: Option<u32>) -> Result<bool, Reason> {
    let found = lexer.operand()?.and_then(|object| object.whole());
    let generation = lexer.operand()?;
    let word = lexer.operand()?;
    Ok(found.is_some()
        && number.is_none_or(|number| found == Some(number as usize))
        && matches!(generation, Some(Object::Number(_)))
        && matches!(word, Some(Object::Word(word)) if word == "obj"))
}

pub(super) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    loop {
        let at = from + bytes.get(from..)?.iter().position(|b| *b == first)?;
        if bytes.get(at..)?.starts_with(needle) {
            return Some(at);
        }
        from = at + 1;
    }
}
