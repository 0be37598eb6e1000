//! The title of a conversation, made from its first message by rule: what is asked, without greeting, markup and code,
//! cut at the end of a sentence or a word. It never asks a model, so that a title is there at once and costs nothing.

/// Characters of a title.
const MOST: usize = 60;

/// A sentence that ends before this is too little for a title.
const LEAST: usize = 15;

/// How people begin before they say what they want, in lower case; the longest first.
const GREETINGS: &[&str] = &[
    "good afternoon",
    "good evening",
    "good morning",
    "guten morgen",
    "guten abend",
    "hello there",
    "buenos días",
    "hello all",
    "guten tag",
    "hey there",
    "hi there",
    "bonjour",
    "servus",
    "hello",
    "hallo",
    "salut",
    "moin",
    "hola",
    "hey",
    "hi",
];

/// What is said to be polite, in lower case.
const COURTESIES: &[&str] = &[
    "could you please",
    "can you please",
    "would you please",
    "könntest du bitte",
    "kannst du bitte",
    "können sie bitte",
    "s'il te plaît",
    "s'il vous plaît",
    "por favor",
    "please",
    "bitte",
];

/// The title of a conversation that begins with this message; empty for an empty message.
pub(crate) fn title(text: &str) -> String {
    let line = line(text);
    let plain = plain(line);
    let words = polite(&plain);
    cut(if words.chars().any(char::is_alphanumeric) { words } else { plain.trim() })
}

/// The first line that says something: not of code, unless there is nothing else.
fn line(text: &str) -> &str {
    let mut code = false;
    let mut first_code = None;
    let mut first = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with("```") || line.starts_with("~~~") {
            code = !code;
        } else if line.chars().any(char::is_alphanumeric) {
            if code {
                first_code = first_code.or(Some(line));
            } else {
                return line;
            }
        } else if !line.is_empty() {
            first = first.or(Some(line));
        }
    }
    first_code.or(first).unwrap_or_default()
}

/// A line without the marks of Markdown, and without what no line shows.
fn plain(line: &str) -> String {
    // Far more than a title holds.
    let line = line.get(..line.floor_char_boundary(1_000)).unwrap_or(line);
    let bare = line.trim_start_matches(['#', '>', '*', '-', '+', ' ']);
    let mut text = String::with_capacity(bare.len());
    let mut rest = if bare.chars().any(char::is_alphanumeric) { bare } else { line };
    while let Some(c) = rest.chars().next() {
        // `[words](address)` and `![words](address)` are their words.
        if let Some((words, after)) = link(rest) {
            text.push_str(words);
            rest = after;
            continue;
        }
        let c = if c.is_whitespace() { ' ' } else { c };
        let hidden = c.is_control()
            || matches!(u32::from(c), 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x2069 | 0xFEFF);
        if !hidden && c != '`' {
            text.push(c);
        }
        let mut letters = rest.chars();
        letters.next();
        rest = letters.as_str();
    }
    let text = text.replace("**", "").replace("__", "");
    text.split_whitespace().map(short).collect::<Vec<_>>().join(" ")
}

fn link(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix("![").or_else(|| text.strip_prefix('['))?;
    let (words, after) = text.split_once("](")?;
    let (_, after) = after.split_once(')')?;
    (!words.contains(['[', '\n'])).then_some((words, after))
}

/// An address as the name of its host.
fn short(word: &str) -> &str {
    match word.split_once("://") {
        Some(("http" | "https", place)) => place.split(['/', '?', '#']).next().unwrap_or(word),
        _ => word,
    }
}

/// What is left when greetings and courtesies are taken from the front, as long as something is.
fn polite(text: &str) -> &str {
    let mut words = text.trim();
    for openings in [GREETINGS, COURTESIES] {
        for opening in openings {
            let Some(front) = words.get(..opening.len()) else { continue };
            let Some(rest) = words.get(opening.len()..) else { continue };
            let ends = rest.starts_with(|c: char| !c.is_alphanumeric() && c != '\'' && c != '-');
            let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || ",!.:–—".contains(c));
            if front.to_lowercase() == *opening && ends && rest.split_whitespace().nth(1).is_some() {
                words = rest;
                break;
            }
        }
    }
    words
}

/// Cut at the end of a sentence, else at a word.
fn cut(line: &str) -> String {
    if line.chars().count() <= MOST {
        return line.trim_end_matches([',', ':', ';', ' ']).to_owned();
    }
    let end = line.char_indices().nth(MOST).map_or(line.len(), |(end, _)| end);
    let head = line.get(..end).unwrap_or(line);
    let sentence = head.char_indices().find(|(at, c)| {
        let after = line.get(at + c.len_utf8()..).unwrap_or_default();
        let long = head.get(..*at).is_some_and(|text| text.chars().count() >= LEAST);
        long && ("?!。？！".contains(*c) || (*c == '.' && after.starts_with(' ')))
    });
    if let Some((at, c)) = sentence {
        let end = if c == '.' { at } else { at + c.len_utf8() };
        return head.get(..end).unwrap_or(head).to_owned();
    }
    let words = head.rsplit_once(char::is_whitespace).map_or(head, |(words, _)| words);
    format!("{}…", words.trim_end_matches([',', ':', ';', '.', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_say_what_is_asked() {
        for (said, made) in [
            ("\n  Hello there \nmore", "Hello there"),
            ("hi", "hi"),
            ("Hi! How do I connect a model?", "How do I connect a model?"),
            ("Hallo, kannst du bitte meine Rechnung prüfen", "meine Rechnung prüfen"),
            ("Hello, could you please explain monads to me", "explain monads to me"),
            ("Please help", "Please help"),
            ("High tides: why?", "High tides: why?"),
            ("## **Plan** for `stoa.toml`:", "Plan for stoa.toml"),
            ("```rust\nfn main() {}\n```\nWhy does this not compile?", "Why does this not compile?"),
            ("```\nSELECT 1;\n```", "SELECT 1"),
            (
                "See [the manual](https://x.org/a(b)) and https://example.com/very/long?q=1",
                "See the manual) and example.com",
            ),
            ("a\u{202e}b\u{200b}c\tc", "abc c"),
            ("???", "???"),
            ("", ""),
            ("- first\n- second", "first"),
        ] {
            assert_eq!(title(said), made, "{said}");
        }
    }

    #[test]
    fn long_ones_end_at_a_sentence_or_a_word() {
        let two = "What is a borrow checker? I have read the book twice and still do not see why it refuses my code.";
        assert_eq!(title(two), "What is a borrow checker?");
        assert_eq!(
            title(&format!("I use version 2.5 of it. {}", "word ".repeat(20))),
            "I use version 2.5 of it"
        );
        let made = title(&"word ".repeat(30));
        assert!(made.chars().count() <= MOST + 1 && made.ends_with("word…"), "{made}");
        assert_eq!(title(&"ä".repeat(100)).chars().count(), MOST + 1);
        for text in ["[".repeat(5_000), "](".repeat(5_000), "#".repeat(5_000), "hi ".repeat(5_000)] {
            assert!(title(&text).chars().count() <= MOST + 1);
        }
    }
}
