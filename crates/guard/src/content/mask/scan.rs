//! One walk over the text, from word to word: which recogniser is asked where, and in which order they win.
//! Linear whatever the text: every recogniser reads a bounded stretch and nothing is read twice without bound.
//! It never builds the masked text.

use super::kind::PiiKind;
use super::view::{View, Word, is_digit, is_word};
use super::{address, email, iban, number, pair, secret, shape, url};

/// A place that was recognised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hit {
    pub(super) kind: PiiKind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Stands where JSON has a number: a quoted or bracketed mask would break the document, `0` does not.
    pub(super) number: bool,
}

impl Hit {
    pub(super) fn new(kind: PiiKind, start: usize, end: usize) -> Hit {
        Hit { kind, start, end, number: false }
    }

    /// What stands in its place.
    pub(super) fn mask(self) -> &'static str {
        if self.number { "0" } else { self.kind.mask() }
    }
}

/// What the walk found out at one place.
pub(super) enum Step {
    /// Nothing personal up to there.
    Pass(usize),
    /// Something; the walk goes on behind it.
    Mask(Hit),
}

/// What one walk knows beside its place. It only saves work: losing it changes no result.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) email: email::Memory,
}

/// Whether whole URLs are looked for.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) url: bool,
}

/// Decides about what begins at `at`, where no word is cut.
#[inline]
pub(super) fn step(view: &View<'_>, at: usize, wanted: Wanted, memory: &mut Memory) -> Step {
    let byte = view.at(at);
    if byte < 0x80 && is_word(byte) || (0xc3..=0xdf).contains(&byte) {
        return word(view, at, wanted, memory);
    }
    match byte {
        b'\\' => Step::Pass(after_escape(view, at)),
        b'+' | b'(' => number::find(view, at).map_or(Step::Pass(at + 1), Step::Mask),
        b':' if view.at(at + 1) == b':' => address::ipv6(view, at).map_or(Step::Pass(at + 2), Step::Mask),
        b'-' if view.starts(at, b"-----BEGIN ") => {
            secret::private_key(view, at).map_or(Step::Pass(at + 5), Step::Mask)
        }
        // The lead byte of a character that is no letter of a word.
        0xe0..=0xef => Step::Pass((at + 3).min(view.len())),
        0xf0..=0xff => Step::Pass((at + 4).min(view.len())),
        0xc0..=0xdf => Step::Pass((at + 2).min(view.len())),
        _ => Step::Pass(at + 1),
    }
}

/// The end of a JSON or source escape: its letter belongs to the backslash, not to the word behind it.
fn after_escape(view: &View<'_>, at: usize) -> usize {
    match view.at(at + 1) {
        b'u' if (2..6).all(|offset| view.at(at + offset).is_ascii_hexdigit()) => at + 6,
        next if next.is_ascii() && next != 0 => at + 2,
        _ => at + 1,
    }
}

/// Decides about the word that begins at `at`.
fn word(view: &View<'_>, at: usize, wanted: Wanted, memory: &mut Memory) -> Step {
    let word = view.word(at);
    let next = view.at(word.end);
    let found = if word.has_digit() {
        with_digit(view, at, word, next, memory)
    } else {
        plain(view, at, word, next, wanted, memory)
    };
    found.unwrap_or(Step::Pass(word.end))
}

/// A word without a digit: most words, so the first decisions are cheap ones.
#[inline]
fn plain(
    view: &View<'_>,
    at: usize,
    word: Word,
    next: u8,
    wanted: Wanted,
    memory: &mut Memory,
) -> Option<Step> {
    match next {
        b' ' => {
            let found = secret::after_scheme(view, at, word.end).or_else(|| pair::find(view, at, word.end));
            return found.map(Step::Mask);
        }
        b',' | b'\n' | b';' | b'?' | b'!' | b')' => return None,
        b'@' | b'.' | b'+' | b'%' => {
            if wanted.url
                && next == b'.'
                && let Some(hit) = url::without_scheme(view, at, word.end)
            {
                return Some(Step::Mask(hit));
            }
            return email::find(view, at, word.end, &mut memory.email).map(Step::Mask);
        }
        b':' if view.at(word.end + 1) == b'/' && view.at(word.end + 2) == b'/' => {
            return url::find(view, at, word.end, wanted.url);
        }
        b':' if word.all_hex() => {
            if let Some(hit) = address::ipv6(view, at).or_else(|| address::mac(view, at)) {
                return Some(Step::Mask(hit));
            }
        }
        b'-' => {
            let found = address::mac(view, at)
                .or_else(|| email::find(view, at, word.end, &mut memory.email))
                .or_else(|| secret::prefixed(view, at));
            return found.map(Step::Mask);
        }
        _ => {}
    }
    pair::find(view, at, word.end).map(Step::Mask)
}

/// A word with a digit: the order is the priority of the kinds.
fn with_digit(view: &View<'_>, at: usize, word: Word, next: u8, memory: &mut Memory) -> Option<Step> {
    if matches!(next, b'@' | b'.' | b'-' | b'+' | b'%')
        && let Some(hit) = email::find(view, at, word.end, &mut memory.email)
    {
        return Some(Step::Mask(hit));
    }
    if let Some(hit) = secret::prefixed(view, at).or_else(|| pair::find(view, at, word.end)) {
        return Some(Step::Mask(hit));
    }
    if let Some(end) = shape::harmless(view, at, word.end) {
        return Some(Step::Pass(end));
    }
    if let Some(hit) = iban::find(view, at) {
        return Some(Step::Mask(hit));
    }
    if word.all_hex() && matches!(next, b':' | b'-') {
        let found =
            address::mac(view, at).or_else(|| if next == b':' { address::ipv6(view, at) } else { None });
        if let Some(hit) = found {
            return Some(Step::Mask(hit));
        }
    }
    if !is_digit(view.at(at)) {
        return None;
    }
    if next == b'.'
        && let Some(hit) = address::ipv4(view, at)
    {
        return Some(Step::Mask(hit));
    }
    number::find(view, at).map(Step::Mask)
}
