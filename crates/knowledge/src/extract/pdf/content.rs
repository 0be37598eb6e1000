//! The drawing of a page, as far as it draws text: each piece of text with its place. Pictures are skipped, and what
//! a maker marks as ornament is left out.

use std::collections::HashMap;
use std::rc::Rc;

use super::file::File;
use super::font::Font;
use super::object::{Dict, Lexer, Object, is_white};
use crate::extract::budget::Reason;

/// Forms drawn inside forms.
const FORMS: usize = 8;
/// Saved states.
const SAVED: usize = 256;
/// A gap of this share of the size is a space.
const SPACE: f64 = 0.17;

/// Characters on one baseline, in the direction they are read: `u` runs along the line, `v` upwards from it.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) base: f64,
    pub(super) size: f64,
    pub(super) bold: bool,
    /// The direction: 0, 1, 2, 3 quarters of a turn.
    pub(super) turn: u8,
    pub(super) text: String,
}

type Matrix = [f64; 6];
const IDENTITY: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

fn times(a: Matrix, b: Matrix) -> Matrix {
    let ([a0, a1, a2, a3, a4, a5], [b0, b1, b2, b3, b4, b5]) = (a, b);
    [
        a0 * b0 + a1 * b2,
        a0 * b1 + a1 * b3,
        a2 * b0 + a3 * b2,
        a2 * b1 + a3 * b3,
        a4 * b0 + a5 * b2 + b4,
        a4 * b1 + a5 * b3 + b5,
    ]
}

#[derive(Clone)]
struct State {
    page: Matrix,
    font: Option<Rc<Font>>,
    size: f64,
    between: f64,
    words: f64,
    stretch: f64,
    leading: f64,
    rise: f64,
}

/// Draws pages one after the other; fonts are read once.
pub(super) struct Painter<'f, 'a> {
    file: &'f File<'a>,
    fonts: HashMap<u32, Rc<Font>>,
    /// The forms that are being drawn; none draws itself.
    forms: Vec<u32>,
    pub(super) pieces: Vec<Piece>,
    state: State,
    saved: Vec<State>,
    text: Matrix,
    line: Matrix,
    /// The marks that are open; whether each says that what follows is ornament.
    marks: Vec<bool>,
    /// Glyphs that could not be read, and all.
    pub(super) lost: usize,
    pub(super) drawn: usize,
}

impl<'f, 'a> Painter<'f, 'a> {
    pub(super) fn new(file: &'f File<'a>) -> Painter<'f, 'a> {
        let state = State {
            page: IDENTITY,
            font: None,
            size: 1.0,
            between: 0.0,
            words: 0.0,
            stretch: 1.0,
            leading: 0.0,
            rise: 0.0,
        };
        Painter {
            file,
            fonts: HashMap::new(),
            forms: Vec::new(),
            pieces: Vec::new(),
            state,
            saved: Vec::new(),
            text: IDENTITY,
            line: IDENTITY,
            marks: Vec::new(),
            lost: 0,
            drawn: 0,
        }
    }

    /// Draws one page and gives its pieces.
    pub(super) fn page(&mut self, data: &[u8], resources: &Dict) -> Result<Vec<Piece>, Reason> {
        self.state = State { page: IDENTITY, font: None, size: 1.0, stretch: 1.0, ..self.state.clone() };
        (self.state.between, self.state.words, self.state.leading, self.state.rise) = (0.0, 0.0, 0.0, 0.0);
        self.saved.clear();
        self.marks.clear();
        self.draw(data, resources)?;
        Ok(std::mem::take(&mut self.pieces))
    }

    fn draw(&mut self, data: &[u8], resources: &Dict) -> Result<(), Reason> {
        let mut lexer = Lexer::new(data, 0, self.file.meter);
        let mut operands: Vec<Object> = Vec::new();
        while let Some(object) = lexer.operand()? {
            let Object::Word(word) = &object else {
                // No operator takes as many.
                if operands.len() < 64 {
                    operands.push(object);
                }
                continue;
            };
            if word == "ID" {
                skip_picture(&mut lexer);
            } else if word == "Do" {
                self.form(&operands, resources)?;
            } else {
                self.operator(word, &operands, resources)?;
            }
            operands.clear();
        }
        Ok(())
    }

    fn operator(&mut self, word: &str, operands: &[Object], resources: &Dict) -> Result<(), Reason> {
        let number = |at: usize| operands.get(at).and_then(Object::number).unwrap_or(0.0);
        match word {
            "q" if self.saved.len() < SAVED => self.saved.push(self.state.clone()),
            "Q" => {
                if let Some(state) = self.saved.pop() {
                    self.state = state;
                }
            }
            "cm" => self.state.page = times(matrix(operands), self.state.page),
            "BT" => (self.text, self.line) = (IDENTITY, IDENTITY),
            "Tf" => {
                self.state.font = self.font(operands.first(), resources)?;
                self.state.size = number(1);
            }
            "Tc" => self.state.between = number(0),
            "Tw" => self.state.words = number(0),
            "Tz" => self.state.stretch = number(0) / 100.0,
            "TL" => self.state.leading = number(0),
            "Ts" => self.state.rise = number(0),
            "Td" => self.advance(number(0), number(1)),
            "TD" => {
                self.state.leading = -number(1);
                self.advance(number(0), number(1));
            }
            "Tm" => (self.text, self.line) = (matrix(operands), matrix(operands)),
            "T*" => self.advance(0.0, -self.state.leading),
            "Tj" => self.show(operands.first())?,
            "'" => {
                self.advance(0.0, -self.state.leading);
                self.show(operands.first())?;
            }
            "\"" => {
                (self.state.words, self.state.between) = (number(0), number(1));
                self.advance(0.0, -self.state.leading);
                self.show(operands.get(2))?;
            }
            "TJ" => {
                for item in operands.first().and_then(Object::array).unwrap_or(&[]) {
                    match item {
                        Object::Number(back) => {
                            let by = -back / 1_000.0 * self.state.size * self.state.stretch;
                            self.text = times([1.0, 0.0, 0.0, 1.0, by, 0.0], self.text);
                        }
                        text => self.show(Some(text))?,
                    }
                }
            }
            "BMC" | "BDC" => {
                let above = self.marks.last().copied().unwrap_or(false);
                if self.marks.len() < 4_096 {
                    self.marks.push(above || operands.first().and_then(Object::name) == Some("Artifact"));
                }
            }
            "EMC" => _ = self.marks.pop(),
            _ => {}
        }
        Ok(())
    }

    fn advance(&mut self, x: f64, y: f64) {
        self.line = times([1.0, 0.0, 0.0, 1.0, x, y], self.line);
        self.text = self.line;
    }

    fn font(&mut self, name: Option<&Object>, resources: &Dict) -> Result<Option<Rc<Font>>, Reason> {
        let Some(name) = name.and_then(Object::name) else { return Ok(None) };
        let fonts = self.file.entry(resources, "Font")?;
        let Some(reference) = fonts.dict().and_then(|fonts| fonts.get(name)) else { return Ok(None) };
        if let Object::Reference(number) = reference
            && let Some(known) = self.fonts.get(number)
        {
            return Ok(Some(known.clone()));
        }
        let dict = self.file.resolve(reference)?;
        let Some(dict) = dict.dict() else { return Ok(None) };
        let font = Rc::new(Font::read(self.file, dict)?);
        if let Object::Reference(number) = reference {
            self.fonts.insert(*number, font.clone());
        }
        Ok(Some(font))
    }

    /// A form: a drawing inside the drawing.
    fn form(&mut self, operands: &[Object], resources: &Dict) -> Result<(), Reason> {
        let Some(name) = operands.first().and_then(Object::name) else { return Ok(()) };
        let forms = self.file.entry(resources, "XObject")?;
        let Some(form @ Object::Reference(number)) = forms.dict().and_then(|forms| forms.get(name)) else {
            return Ok(());
        };
        if self.forms.len() >= FORMS || self.forms.contains(number) {
            return Ok(());
        }
        let Some(stream) = self.file.stream(form)? else { return Ok(()) };
        if self.file.entry(&stream.dict, "Subtype")?.name() != Some("Form") {
            return Ok(());
        }
        let Some(data) = self.file.data(&stream)? else { return Ok(()) };
        let own = self.file.entry(&stream.dict, "Resources")?;
        let outside = (self.state.clone(), self.text, self.line, self.saved.len(), self.marks.len());
        if let Some(placed) = self.file.entry(&stream.dict, "Matrix")?.array() {
            self.state.page = times(matrix(placed), self.state.page);
        }
        self.forms.push(*number);
        self.draw(&data, own.dict().unwrap_or(resources))?;
        self.forms.pop();
        self.saved.truncate(outside.3);
        self.marks.truncate(outside.4);
        (self.state, self.text, self.line) = (outside.0, outside.1, outside.2);
        Ok(())
    }

    fn show(&mut self, text: Option<&Object>) -> Result<(), Reason> {
        let (Some(Object::Text(text)), Some(font)) = (text, self.state.font.clone()) else { return Ok(()) };
        self.file.meter.elements(text.len())?;
        let ornament = self.marks.last().copied().unwrap_or(false);
        for glyph in font.glyphs(text) {
            let State { size, between, words, stretch, rise, page, .. } = self.state;
            let place = times([size * stretch, 0.0, 0.0, size, 0.0, rise], times(self.text, page));
            let width = (glyph.width * size + between + if glyph.is_space { words } else { 0.0 }) * stretch;
            let inked = glyph.width * size * stretch;
            self.drawn += 1;
            match &glyph.text {
                Some(text) if !ornament => self.put(text, place, inked / (size * stretch), font.bold),
                Some(_) => {}
                None => self.lost += 1,
            }
            self.text = times([1.0, 0.0, 0.0, 1.0, width, 0.0], self.text);
        }
        if !font.is_readable() {
            self.lost += 1;
        }
        Ok(())
    }

    /// Puts characters at a place, joined to the piece before when they go on there.
    fn put(&mut self, text: &str, place: Matrix, width: f64, bold: bool) {
        let [a, b, c, d, x, y] = place;
        let (along, size) = (a.hypot(b), c.hypot(d));
        let is_seen = x.is_finite() && y.is_finite() && (0.01..=10_000.0).contains(&size);
        if !is_seen {
            return;
        }
        let turn = if a.abs() >= b.abs() {
            if a >= 0.0 { 0 } else { 2 }
        } else if b > 0.0 {
            1
        } else {
            3
        };
        let (from, base) = match turn {
            0 => (x, y),
            1 => (y, -x),
            2 => (-x, -y),
            _ => (-y, x),
        };
        let to = from + if width.is_finite() { width.clamp(0.0, 10.0) * along } else { 0.0 };
        if let Some(last) = self.pieces.last_mut()
            && last.turn == turn
            && (last.base - base).abs() < 0.1 * size
            && (last.size - size).abs() < 0.1 * size
            && last.bold == bold
            && last.text.len() < 8_192
        {
            let gap = from - last.to;
            // Bold is sometimes the same text twice, a hair apart.
            if last.text.ends_with(text)
                && (from - last.from).abs() < 0.1 * size
                && (to - last.to).abs() < 0.1 * size
            {
                return;
            }
            if gap > -0.6 * size && gap < 1.2 * size {
                if gap > SPACE * size && !last.text.ends_with(' ') && !text.starts_with(' ') {
                    last.text.push(' ');
                }
                last.text.push_str(text);
                last.to = to.max(last.to);
                return;
            }
        }
        self.pieces.push(Piece { from, to, base, size, bold, turn, text: text.to_owned() });
    }
}

fn matrix(operands: &[Object]) -> Matrix {
    let mut matrix = IDENTITY;
    for (place, value) in matrix.iter_mut().zip(operands) {
        *place = value.number().unwrap_or(*place);
    }
    matrix
}

/// A picture inside the drawing: raw bytes up to `EI` between white space.
fn skip_picture(lexer: &mut Lexer<'_>) {
    let rest = lexer.bytes.get(lexer.at..).unwrap_or(&[]);
    let end = rest.windows(4).position(
        |window| matches!(window, [before, b'E', b'I', after] if is_white(*before) && is_white(*after)),
    );
    lexer.at += end.map_or(rest.len(), |at| at + 3);
}
