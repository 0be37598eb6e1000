//! The form of a line between the thread that logs and the thread that writes: one `name=value` a row, which is
//! what the mask reads. It owns the gathering of fields, with a bound. It never masks and never escapes.
//!
//! The mask sees this form and not the finished JSON because a mask on JSON text breaks it: in `"\nann@example.org"`
//! the escape's `n` belongs to the address, and what is left is a lone backslash. Names stay beside their values, so
//! that a rule such as "what follows `password=`" still works.

use std::error::Error;
use std::fmt::{self, Debug, Write};

use tracing::field::{Field, Visit};

/// Stands for a line break inside of a value; [`rows`] readers turn it back. White space for every rule of a mask.
pub(super) const BREAK: char = '\u{b}';

/// How many bytes one value may hold before it is cut.
const MAX_VALUE: usize = 16 * 1024;

/// Cutting takes away the end of the last word too, up to this many bytes: half of an address or of a card number
/// is not recognised by the mask any more and would stand there in the clear.
const MAX_WORD: usize = 512;

/// It takes away as many words with digits in them before that, for what is written in groups:
/// `4111 1111 1111 1111`.
const MAX_GROUPS: usize = 12;

/// How many causes of an error are followed.
const MAX_CAUSES: usize = 8;

/// Collects fields as rows.
pub(super) struct Plain<'a> {
    out: &'a mut String,
    limit: usize,
}

impl<'a> Plain<'a> {
    /// Appends to `out`, which never grows past `limit` bytes; fields that find no room are left out.
    pub(super) fn new(out: &'a mut String, limit: usize) -> Plain<'a> {
        Plain { out, limit }
    }

    /// One row. `literal` values are numbers and booleans, which JSON writes without quotes.
    pub(super) fn row(&mut self, name: &str, literal: bool, value: fmt::Arguments<'_>) {
        if self.out.len() + name.len() + 3 >= self.limit {
            return;
        }
        for byte in name.strip_prefix("r#").unwrap_or(name).chars() {
            // Names come from the source text; these would break the row.
            self.out.push(if matches!(byte, '=' | ':' | '\n' | '\r' | BREAK) { '_' } else { byte });
        }
        self.out.push_str(if literal { ":=" } else { "=" });
        let start = self.out.len();
        let limit = (self.limit - 1).min(start + MAX_VALUE);
        let mut value_out = Value { out: self.out, limit, full: false };
        // An error here is the value's own (`Display` failed) or our stop sign; either way the row stands.
        let _ = value_out.write_fmt(value);
        if value_out.full {
            cut(self.out, start);
        }
        self.out.push('\n');
    }
}

/// Takes the last word, and the words with digits before it, from a value that began at `start` and was too long.
fn cut(out: &mut String, start: usize) {
    let from = out.floor_char_boundary(out.len().saturating_sub(MAX_WORD).max(start));
    let tail = out.get(from..).unwrap_or("");
    let mut kept = tail.rfind(char::is_whitespace).and_then(|at| tail.get(..at)).unwrap_or("");
    for _ in 0..MAX_GROUPS {
        let (before, last) = kept.trim_end().rsplit_once(char::is_whitespace).unwrap_or(("", kept));
        if !last.contains(|c: char| c.is_numeric()) {
            break;
        }
        kept = before;
    }
    let end = from + kept.len();
    out.truncate(end);
    out.push('…');
}

/// Writes one value: line breaks become [`BREAK`], and the end of the room is an error that stops the formatter.
struct Value<'a> {
    out: &'a mut String,
    limit: usize,
    full: bool,
}

impl Write for Value<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.limit.saturating_sub(self.out.len());
        let fits = text.get(..text.floor_char_boundary(room.min(text.len()))).unwrap_or("");
        if fits.bytes().any(|b| b == b'\n') {
            for (at, piece) in fits.split('\n').enumerate() {
                if at > 0 {
                    self.out.push(BREAK);
                }
                self.out.push_str(piece);
            }
        } else {
            self.out.push_str(fits);
        }
        if fits.len() < text.len() {
            self.full = true;
            return Err(fmt::Error);
        }
        Ok(())
    }
}

impl Visit for Plain<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // The bridge from the `log` crate adds where it was called from; the target says enough.
        if !field.name().starts_with("log.") {
            self.row(field.name(), false, format_args!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if !field.name().starts_with("log.") {
            self.row(field.name(), false, format_args!("{value}"));
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        if field.name() != "log.line" {
            self.row(field.name(), true, format_args!("{value}"));
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() != "log.line" {
            self.row(field.name(), true, format_args!("{value}"));
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.row(field.name(), false, format_args!("{value}"));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.row(field.name(), false, format_args!("{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.row(field.name(), value.is_finite(), format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.row(field.name(), true, format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.row(field.name(), false, format_args!("{}", Chain(value)));
    }
}

/// An error with its causes: `cannot connect: connection refused`.
struct Chain<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let causes =
            std::iter::successors(self.0.source(), |error: &&(dyn Error + 'static)| (**error).source());
        for cause in causes.take(MAX_CAUSES) {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

/// One field of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row<'a> {
    /// The field's name.
    pub(super) name: &'a str,
    /// Its value, with [`BREAK`] for line breaks.
    pub(super) value: &'a str,
    /// A number or a boolean.
    pub(super) literal: bool,
}

/// Reads one row; `None` when a mask has eaten the name.
pub(super) fn row(text: &str) -> Option<Row<'_>> {
    let (name, value) = text.split_once('=')?;
    Some(match name.strip_suffix(':') {
        Some(name) => Row { name, value, literal: true },
        None => Row { name, value, literal: false },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> String {
        let mut out = String::new();
        Plain::new(&mut out, 20 * 1024).row("r#type", false, format_args!("{text}"));
        assert!(out.ends_with('\n') && out.matches('\n').count() == 1);
        row(out.trim_end()).unwrap().value.to_owned()
    }

    #[test]
    fn a_row_is_one_line_whatever_the_value() {
        assert_eq!(value("a\nb=c"), format!("a{BREAK}b=c"));
        assert_eq!(row("n:=12"), Some(Row { name: "n", value: "12", literal: true }));
        assert_eq!(row("[EMAIL]"), None);
    }

    #[test]
    fn a_cut_leaves_no_half_of_a_word() {
        for padding in MAX_VALUE - 90..MAX_VALUE + 2 {
            let text = format!("{} ann.canary@example.org and more", "x ".repeat(padding / 2));
            let got = value(&text);
            assert!(got.len() <= MAX_VALUE + '…'.len_utf8());
            assert!(!got.contains("canary") || got.contains("ann.canary@example.org"), "{padding}");
            let text = format!("{}4111 1111 1111 1111 {}", "é ".repeat(padding / 3), "y".repeat(200));
            let got = value(&text);
            assert!(!got.contains("4111") || got.contains("4111 1111 1111 1111"), "{padding}");
        }
        assert_eq!(value(&"z".repeat(MAX_VALUE * 2)).len(), MAX_VALUE - MAX_WORD + '…'.len_utf8());
    }
}
