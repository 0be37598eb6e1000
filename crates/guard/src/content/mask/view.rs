//! Bytes as the recognisers see them: single bytes, classes of bytes, a little context.
//! It notes when something looked past the end: then a longer text could change the decision, and a stream waits.
//! It never decides what is personal.

use std::cell::Cell;

/// How far a recogniser may look back from where it stands. Streams keep this much of what they let go.
pub(super) const BEHIND: usize = 64;

const DIGIT: u8 = 1;
const LETTER: u8 = 2;
const HEX: u8 = 4;
const WORD: u8 = 8;
const LOCAL: u8 = 16;

/// What each byte may be part of. Bytes of two-byte characters from U+00C0 on (Latin, Greek, Cyrillic, …) are letters
/// of words; other non-ASCII characters end a word.
static CLASSES: [u8; 256] = {
    let mut classes = [0_u8; 256];
    let mut b = 0_usize;
    while b < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 255")]
        let byte = b as u8;
        let mut class = 0;
        if byte.is_ascii_digit() {
            class |= DIGIT | HEX | WORD | LOCAL;
        }
        if byte.is_ascii_alphabetic() {
            class |= LETTER | WORD | LOCAL;
        }
        if byte.is_ascii_hexdigit() {
            class |= HEX;
        }
        if byte == b'_' || (byte >= 0x80 && byte <= 0xbf) || (byte >= 0xc3 && byte <= 0xdf) {
            class |= WORD | LOCAL;
        }
        if byte == b'.' || byte == b'-' || byte == b'+' {
            class |= LOCAL;
        }
        #[expect(clippy::indexing_slicing, reason = "b is below 256, and this runs at compile time")]
        {
            classes[b] = class;
        }
        b += 1;
    }
    classes
};

fn class(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}

/// A byte of a number.
pub(super) fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

/// A byte of a hexadecimal number.
pub(super) fn is_hex(byte: u8) -> bool {
    class(byte) & HEX != 0
}

/// A byte of a word: letters, digits, `_`.
pub(super) fn is_word(byte: u8) -> bool {
    class(byte) & WORD != 0
}

/// A byte of the left side of an e-mail address. The rarer signs that RFC 5321 allows (`!#$&'*/=?^{|}~`) are left
/// out: in real text they stand around an address, not in it.
pub(super) fn is_local(byte: u8) -> bool {
    class(byte) & LOCAL != 0
}

/// A word: where it ends and what it is made of.
#[derive(Clone, Copy)]
pub(super) struct Word {
    pub(super) end: usize,
    any: u8,
    all: u8,
}

impl Word {
    /// Whether a digit is in it.
    pub(super) fn has_digit(self) -> bool {
        self.any & DIGIT != 0
    }

    /// Whether only hexadecimal digits are in it.
    pub(super) fn all_hex(self) -> bool {
        self.all & HEX != 0
    }
}

/// A text, or the part of a stream that is held.
pub(super) struct View<'t> {
    bytes: &'t [u8],
    touched: Cell<bool>,
}

impl<'t> View<'t> {
    pub(super) fn new(bytes: &'t [u8]) -> View<'t> {
        View { bytes, touched: Cell::new(false) }
    }

    /// Whether something looked past the end since [`View::forget`].
    pub(super) fn touched(&self) -> bool {
        self.touched.get()
    }

    pub(super) fn forget(&self) {
        self.touched.set(false);
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The byte there; past the end NUL, which belongs to nothing.
    #[inline]
    pub(super) fn at(&self, index: usize) -> u8 {
        match self.bytes.get(index) {
            Some(&byte) => byte,
            None => {
                self.touched.set(true);
                0
            }
        }
    }

    /// The byte `back` places (1 is the nearest) before `index`; NUL before the beginning.
    pub(super) fn behind(&self, index: usize, back: usize) -> u8 {
        debug_assert!(back <= BEHIND, "streams keep no more than that");
        index.checked_sub(back).and_then(|at| self.bytes.get(at)).copied().unwrap_or(0)
    }

    /// The `count` bytes before `index`, or as many as there are.
    pub(super) fn before(&self, index: usize, count: usize) -> &'t [u8] {
        debug_assert!(count <= BEHIND, "streams keep no more than that");
        self.bytes.get(index.saturating_sub(count)..index).unwrap_or(&[])
    }

    /// The bytes of a range that was walked already.
    pub(super) fn slice(&self, from: usize, to: usize) -> &'t [u8] {
        self.bytes.get(from..to).unwrap_or(&[])
    }

    /// Whether `literal` stands at `index`. Looks no further than the first difference.
    pub(super) fn starts(&self, index: usize, literal: &[u8]) -> bool {
        (index..).zip(literal).all(|(at, &byte)| self.at(at) == byte)
    }

    /// As [`View::starts`], where `literal` is in lower case and the text need not be.
    pub(super) fn starts_fold(&self, index: usize, literal: &[u8]) -> bool {
        (index..).zip(literal).all(|(at, &byte)| self.at(at).to_ascii_lowercase() == byte)
    }

    /// The end of the run of bytes that `accept` takes, at most `most` long.
    pub(super) fn run(&self, from: usize, most: usize, accept: impl Fn(u8) -> bool) -> usize {
        let limit = from.saturating_add(most);
        let rest = self.bytes.get(from..limit.min(self.bytes.len())).unwrap_or(&[]);
        match rest.iter().position(|&byte| !accept(byte)) {
            Some(length) => from + length,
            None => {
                if limit > self.bytes.len() {
                    self.touched.set(true);
                }
                from + rest.len()
            }
        }
    }

    /// The word that begins at `from`.
    #[inline]
    pub(super) fn word(&self, from: usize) -> Word {
        let (mut end, mut any, mut all) = (from, 0, u8::MAX);
        for &byte in self.bytes.get(from..).unwrap_or(&[]) {
            let class = class(byte);
            if class & WORD == 0 {
                return Word { end, any, all };
            }
            any |= class;
            all &= class;
            end += 1;
        }
        self.touched.set(true);
        Word { end, any, all }
    }
}
