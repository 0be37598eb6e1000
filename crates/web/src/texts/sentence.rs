//! A sentence whose values are filled in by name, in one pass: what a value holds is never read as a place for
//! another. [`Sentence`] is plain text; [`Line`] is the same as HTML, whose places may be elements too.

use std::borrow::Cow;
use std::fmt;

/// What stands in the places, by their names.
type Values = Vec<(Cow<'static, str>, String)>;

/// A sentence as plain text.
#[derive(Clone, Debug)]
pub(crate) struct Sentence<'a> {
    text: &'a str,
    values: Values,
}

impl<'a> Sentence<'a> {
    pub(super) const fn new(text: &'a str) -> Sentence<'a> {
        Sentence { text, values: Vec::new() }
    }

    /// With this in the place of `{name}`.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl fmt::Display) -> Sentence<'a> {
        self.values.push((Cow::Borrowed(name), value.to_string()));
        self
    }
}

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fill(f, self.text, &self.values, |f, text| f.write_str(text))
    }
}

impl From<Sentence<'_>> for String {
    fn from(sentence: Sentence<'_>) -> String {
        sentence.to_string()
    }
}

/// A sentence as HTML.
#[derive(Clone, Debug)]
pub(crate) struct Line<'a> {
    text: &'a str,
    /// The values are HTML.
    values: Values,
}

impl<'a> Line<'a> {
    pub(super) const fn new(text: &'a str) -> Line<'a> {
        Line { text, values: Vec::new() }
    }

    /// Whether there is nothing to say.
    pub(crate) const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// With this text in the place of `{name}`.
    pub(super) fn with(self, name: &'static str, value: &impl Value) -> Line<'a> {
        self.with_html(name, value.html())
    }

    /// With this HTML in the place of `{name}`.
    pub(super) fn with_html(mut self, name: &'static str, html: String) -> Line<'a> {
        self.values.push((Cow::Borrowed(name), html));
        self
    }

    /// With this HTML in the places of `{name}` and `{/name}`.
    pub(super) fn around(mut self, name: &'static str, begin: String, end: &str) -> Line<'a> {
        self.values.push((Cow::Borrowed(name), begin));
        self.values.push((Cow::Owned(format!("/{name}")), end.to_owned()));
        self
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fill(f, self.text, &self.values, |f, text| escape(f, text))
    }
}

impl askama::filters::HtmlSafe for Line<'_> {}

/// Writes the text with its places filled. A place without a value stays as it is; `{@…}` only tells two equal English
/// texts apart and is written nowhere.
fn fill(
    f: &mut fmt::Formatter<'_>,
    text: &str,
    values: &[(Cow<'static, str>, String)],
    write: impl Fn(&mut fmt::Formatter<'_>, &str) -> fmt::Result,
) -> fmt::Result {
    let mut rest = text;
    while let Some((before, name, after)) = place(rest) {
        write(f, before)?;
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => f.write_str(value)?,
            None if name.starts_with('@') => {}
            None => write!(f, "{{{name}}}")?,
        }
        rest = after;
    }
    write(f, rest)
}

/// The next place: what is before it, its name, what follows.
fn place(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// Escapes for text and for attributes in quotes.
fn escape(out: &mut impl fmt::Write, text: &str) -> fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        let (before, from) = rest.split_at(at);
        out.write_str(before)?;
        let mut signs = from.chars();
        out.write_str(match signs.next() {
            Some('&') => "&#38;",
            Some('<') => "&#60;",
            Some('>') => "&#62;",
            Some('"') => "&#34;",
            _ => "&#39;",
        })?;
        rest = signs.as_str();
    }
    out.write_str(rest)
}

/// What may stand in a place of a line.
pub(crate) trait Value {
    /// The value as HTML.
    fn html(&self) -> String;
}

impl Value for str {
    fn html(&self) -> String {
        let mut html = String::with_capacity(self.len());
        // Writing into a string does not fail.
        let _ = escape(&mut html, self);
        html
    }
}

impl Value for String {
    fn html(&self) -> String {
        self.as_str().html()
    }
}

impl Value for Cow<'_, str> {
    fn html(&self) -> String {
        self.as_ref().html()
    }
}

impl Value for Line<'_> {
    fn html(&self) -> String {
        self.to_string()
    }
}

impl Value for crate::ui::Markup {
    fn html(&self) -> String {
        self.to_string()
    }
}

impl<T: Value + ?Sized> Value for &T {
    fn html(&self) -> String {
        T::html(self)
    }
}

/// What templates count.
pub(crate) trait Number {
    /// The number; what is below nought is nought.
    fn number(&self) -> u64;
}

macro_rules! numbers {
    ($($kind:ty)*) => {
        $(impl Number for $kind {
            fn number(&self) -> u64 {
                u64::try_from(*self).unwrap_or_default()
            }
        }

        impl Value for $kind {
            fn html(&self) -> String {
                self.to_string()
            }
        })*
    };
}

numbers!(u8 u16 u32 u64 usize i32 i64);

impl<T: Number + ?Sized> Number for &T {
    fn number(&self) -> u64 {
        T::number(self)
    }
}
