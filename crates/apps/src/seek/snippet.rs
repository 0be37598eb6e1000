//! The piece of a message around what was found, as one line of plain text with the places in it. It never makes markup.

use std::ops::Range;

/// Characters in front of the first place, and of all.
const BEFORE: usize = 60;
const ALL: usize = 220;

/// A piece of a text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snippet {
    /// The piece, with single spaces; an ellipsis stands where something was left out.
    pub text: String,
    /// The places of what was found, as ranges of its characters (Unicode scalar values).
    pub places: Vec<Range<usize>>,
}

impl Snippet {
    /// The piece of `text` around the first of these places, which are ranges of bytes in order.
    pub(super) fn of(text: &str, places: &[Range<usize>]) -> Snippet {
        let first = places.first().map_or(0, |place| place.start);
        let start = start(text, first);
        let mut snippet = Snippet::default();
        let mut length = 0;
        if start > 0 {
            snippet.text.push('…');
            length = 1;
        }
        let mut places = places.iter().skip_while(|place| place.end <= start).peekable();
        let mut begun = None;
        for (at, c) in text.get(start..).unwrap_or_default().char_indices() {
            let at = start + at;
            if begun.is_some() && places.peek().is_some_and(|place| at >= place.end) {
                snippet.end(&mut begun, length);
                places.next();
            }
            if length >= ALL {
                snippet.end(&mut begun, length);
                snippet.text.truncate(snippet.text.trim_end().len());
                snippet.text.push('…');
                return snippet;
            }
            if begun.is_none() && places.peek().is_some_and(|place| at >= place.start && at < place.end) {
                begun = Some(length);
            }
            let c = if c.is_whitespace() || c.is_control() { ' ' } else { c };
            if c == ' ' && (snippet.text.is_empty() || snippet.text.ends_with([' ', '…'])) {
                continue;
            }
            snippet.text.push(c);
            length += 1;
        }
        snippet.end(&mut begun, length);
        snippet
    }

    fn end(&mut self, begun: &mut Option<usize>, at: usize) {
        if let Some(start) = begun.take()
            && start < at
        {
            self.places.push(start..at);
        }
    }
}

/// Where the piece begins: some words before the place, not in the middle of one where that can be helped.
fn start(text: &str, place: usize) -> usize {
    let before = text.get(..place).unwrap_or_default();
    let Some((far, _)) = before.char_indices().rev().nth(BEFORE - 1) else { return 0 };
    if far == 0 {
        return 0;
    }
    let piece = before.get(far..).unwrap_or_default();
    let word = piece.char_indices().find(|(_, c)| c.is_whitespace());
    word.map_or(far, |(at, c)| far + at + c.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, place: &str) -> (String, Vec<String>) {
        let places: Vec<_> = text.match_indices(place).map(|(at, found)| at..at + found.len()).collect();
        let snippet = Snippet::of(text, &places);
        let letters: Vec<char> = snippet.text.chars().collect();
        let words = snippet.places.iter().map(|place| letters[place.clone()].iter().collect());
        let words = words.collect();
        (snippet.text, words)
    }

    #[test]
    fn the_piece_is_around_the_place() {
        assert_eq!(marked("a cat\n\n sat", "cat"), ("a cat sat".into(), vec!["cat".into()]));
        assert_eq!(marked("", ""), (String::new(), vec![]));
        let long = format!("{} größe é🙂 Wort {}", "ein wort ".repeat(40), "noch mehr ".repeat(60));
        let (text, words) = marked(&long, "é🙂 Wort");
        assert_eq!(words, ["é🙂 Wort"]);
        assert!(text.starts_with("…wort ein") && text.ends_with('…'), "{text}");
        assert!(text.chars().count() <= ALL + 1, "{text}");
        let (text, words) = marked(&"x".repeat(1_000), &"x".repeat(500));
        assert_eq!((text.chars().count(), words.len(), words[0].chars().count()), (ALL + 1, 1, ALL));
        assert_eq!(marked("one two one", "one").1, ["one", "one"]);
    }

    #[test]
    fn nothing_found_is_the_beginning() {
        let snippet = Snippet::of("  Hello\tthere", &[]);
        assert_eq!(snippet, Snippet { text: "Hello there".into(), places: vec![] });
    }
}
