//! Whether a text may be taken at all: length in characters, not empty, no NUL, one line without control characters.
//! What was typed is taken unchanged: nothing is trimmed, escaped or normalised here. Markup is text like any other;
//! it is made harmless where it is shown.

use kernel::{Fault, Result};

/// Most characters of a title.
pub const LONGEST_TITLE: usize = 200;
/// Most characters of a topic.
pub const LONGEST_TOPIC: usize = 500;
/// Most characters of a name: of a key, a person, a file.
pub const LONGEST_NAME: usize = 100;
/// Most characters of a caller's own session id.
pub const LONGEST_SESSION: usize = 128;

/// A message of at most `most` characters (Unicode scalar values). The fault names the field that it came in.
pub fn message(field: &'static str, text: &str, most: usize) -> Result<()> {
    check(field, "message", text, most, Lines::Many)
}

/// A title: one line of at most [`LONGEST_TITLE`] characters. The fault names the field `title`.
pub fn title(text: &str) -> Result<()> {
    check("title", "title", text, LONGEST_TITLE, Lines::One)
}

/// A topic: one line of at most [`LONGEST_TOPIC`] characters. The fault names the field `topic`.
pub fn topic(text: &str) -> Result<()> {
    check("topic", "topic", text, LONGEST_TOPIC, Lines::One)
}

/// A name: one line of at most [`LONGEST_NAME`] characters. The fault names the field `name`.
pub fn name(text: &str) -> Result<()> {
    check("name", "name", text, LONGEST_NAME, Lines::One)
}

/// A session id that the caller made: one line of at most [`LONGEST_SESSION`] characters. Only a keyed tag of it is
/// stored, so any text will do. The fault names the field `session_id`.
pub fn session(text: &str) -> Result<()> {
    check("session_id", "session id", text, LONGEST_SESSION, Lines::One)
}

/// How many lines a text may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    One,
    Many,
}

fn check(field: &'static str, what: &str, text: &str, most: usize, lines: Lines) -> Result<()> {
    // A text of n bytes has at most n characters, so short texts are not counted.
    if text.len() > most && text.chars().count() > most {
        return Err(Fault::invalid(field, "too_long", format!("the {what} may hold {most} characters")));
    }
    if text.trim().is_empty() {
        return Err(Fault::invalid(field, "empty", format!("the {what} is empty")));
    }
    match text.chars().find(|&c| forbidden(c, lines)) {
        None => Ok(()),
        Some('\0') => Err(Fault::invalid(field, "nul", format!("the {what} holds a NUL character"))),
        Some('\t' | '\n' | '\r') => {
            Err(Fault::invalid(field, "one_line", format!("the {what} must be one line")))
        }
        Some(c) => Err(Fault::invalid(
            field,
            "control_character",
            format!("the {what} holds the control character U+{:04X}", u32::from(c)),
        )),
    }
}

/// One line may hold none of the control characters of Unicode (C0, DEL, C1). A message keeps what was typed, all but
/// NUL: it is sealed where it lies and escaped where it is shown, so nothing can act on them.
fn forbidden(c: char, lines: Lines) -> bool {
    match lines {
        Lines::One => c.is_control(),
        Lines::Many => c == '\0',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(result: Result<()>) -> &'static str {
        result.unwrap_err().fields()[0].code
    }

    #[test]
    fn length_is_counted_in_characters() {
        for letter in ["a", "é", "語", "😀"] {
            assert!(message("content", &letter.repeat(5_000), 5_000).is_ok());
            assert_eq!(code(message("content", &letter.repeat(5_001), 5_000)), "too_long");
        }
        assert!(title(&"ü".repeat(LONGEST_TITLE)).is_ok());
        assert_eq!(code(name(&"ü".repeat(LONGEST_NAME + 1))), "too_long");
    }

    #[test]
    fn empty_and_control_characters_are_refused() {
        for text in ["", " ", "\t\r\n ", "\u{a0}\u{2003}\u{3000}"] {
            assert_eq!(code(message("content", text, 10)), "empty");
        }
        assert_eq!(code(message("content", "a\0b", 10)), "nul");
        assert_eq!(code(title("a\u{1b}[31m")), "control_character");
        assert_eq!(code(title("a\u{9b}")), "control_character");
        assert!(message("content", "a\u{1b}[31m\u{9b}", 10).is_ok(), "what was typed is kept");
        assert_eq!(code(title("a\nb")), "one_line");
        assert!(message("content", "a\tb\r\nc", 10).is_ok());
        assert!(session("a b, ü").is_ok());
        assert_eq!(code(session("a\nb")), "one_line");
        assert_eq!(session("").unwrap_err().fields()[0].field, "session_id");
        assert!(session("6f1c:browser-7").is_ok());
    }

    #[test]
    fn markup_and_odd_texts_pass() {
        for text in
            ["<script>alert(1)</script>", "a < b", "' OR 1=1 --", "\u{202e}abc", "Z̮̞̠͙͔ͅ", "\u{feff}x", "٠"]
        {
            assert!(message("content", text, 100).is_ok(), "{text:?}");
        }
    }
}
