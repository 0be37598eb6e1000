//! A citation is a place in a source and the words that stand there. It owns the check that the two agree, byte
//! for byte. A quote that does not verify is never shown as a citation.

use std::ops::Range;

/// A place in a source.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// The words at this place; `None` when it lies outside of the source or cuts a character.
    pub fn of<'a>(&self, source: &'a str) -> Option<&'a str> {
        source.get(self.start..self.end)
    }

    /// Whether exactly these words, byte for byte, stand at this place. Nothing is no citation.
    pub fn verifies(&self, source: &str, quote: &str) -> bool {
        !quote.is_empty() && self.of(source) == Some(quote)
    }

    /// Where `quote` stands inside this span of the source; `None` when it does not.
    pub fn locate(&self, source: &str, quote: &str) -> Option<Span> {
        let at = self.start + self.of(source)?.find(quote).filter(|_| !quote.is_empty())?;
        Some(Span { start: at, end: at + quote.len() })
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Span {
        Span { start: range.start, end: range.end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_words_verify() {
        let source = "Städte: Köln, Bonn.";
        let span = Span::from(0..source.len());
        let koeln = span.locate(source, "Köln").unwrap();
        assert!(koeln.verifies(source, "Köln"));
        assert!(!koeln.verifies(source, "Koln"));
        assert!(!koeln.verifies(source, "Kö"));
        assert!(!Span::from(2..3).verifies(source, "ä"), "a place inside a character holds nothing");
        assert!(!Span::from(5..500).verifies(source, "e"));
        assert!(!Span { start: 9, end: 2 }.verifies(source, "e"));
        assert!(!Span::from(3..3).verifies(source, ""));
        assert_eq!(span.locate(source, "Ulm"), None);
    }
}
