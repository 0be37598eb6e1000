//! Where sentences begin and end, as byte ranges of the text. Lines that a paragraph was wrapped at do not end a
//! sentence (UAX #29 would say so); a blank line, a list item, a heading and a code block do.
//! It never changes text.

use std::ops::Range;

/// Words whose full stop ends no sentence, in lower case.
const ABBREVIATIONS: &[&str] = &[
    "approx", "cf", "dr", "e.g", "etc", "fig", "i.e", "jr", "mr", "mrs", "ms", "no", "prof", "sr", "st", "vs",
];

/// The sentences of a piece of Markdown or plain text, in order, without the white space around them.
/// A code block is one piece, fences included, and so is a table.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut paragraph: Option<Range<usize>> = None;
    let mut table: Option<Range<usize>> = None;
    let mut fence: Option<(&str, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (start, end) = (at, at + line.len());
        at = end;
        let bare = line.trim();
        if let Some((mark, from)) = fence {
            if bare.starts_with(mark) {
                push(text, from..end, &mut found);
                fence = None;
            }
            continue;
        }
        let opens = ["```", "~~~"].into_iter().find(|mark| bare.starts_with(mark));
        let row = bare.starts_with('|');
        let alone = opens.is_some() || bare.is_empty() || bare.starts_with('#');
        if !row && let Some(range) = table.take() {
            push(text, range, &mut found);
        }
        if (alone || row || begins_item(bare))
            && let Some(range) = paragraph.take()
        {
            split(text, range, &mut found);
        }
        match opens {
            Some(mark) => fence = Some((mark, start)),
            None if alone => push(text, start..end, &mut found),
            None if row => table = Some(table.map_or(start, |range| range.start)..end),
            None => paragraph = Some(paragraph.map_or(start, |range| range.start)..end),
        }
    }
    if let Some((_, from)) = fence {
        push(text, from..text.len(), &mut found);
    }
    if let Some(range) = table {
        push(text, range, &mut found);
    }
    if let Some(range) = paragraph {
        split(text, range, &mut found);
    }
    found
}

/// Whether a line, trimmed, begins a list item: `- `, `* `, `+ `, `1. `, `1) `.
pub(crate) fn begins_item(line: &str) -> bool {
    let after_number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = after_number.len() < line.len() && line.len() - after_number.len() <= 9;
    line.starts_with("- ")
        || line.starts_with("* ")
        || line.starts_with("+ ")
        || (numbered && (after_number.starts_with(". ") || after_number.starts_with(") ")))
}

fn split(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let Some(paragraph) = text.get(range.clone()) else { return };
    let mut from = 0;
    let mut chars = paragraph.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let ends = matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '।');
        if !ends {
            continue;
        }
        let mut end = at + c.len_utf8();
        while let Some((_, next)) = chars.peek().copied()
            && matches!(
                next,
                '.' | '!' | '?' | '"' | '\'' | ')' | ']' | '”' | '’' | '»' | '」' | '*' | '`' | '_'
            )
        {
            end += next.len_utf8();
            chars.next();
        }
        let (before, after) = (paragraph.get(from..at).unwrap_or(""), paragraph.get(end..).unwrap_or(""));
        let unspaced = matches!(c, '。' | '！' | '？');
        if unspaced || (after.starts_with(char::is_whitespace) && !goes_on(c, before, after)) {
            push(text, range.start + from..range.start + end, found);
            from = end;
        }
    }
    push(text, range.start + from..range.end, found);
}

/// Whether the sentence goes on after this full stop: an abbreviation, an initial, or a small letter follows.
fn goes_on(mark: char, before: &str, after: &str) -> bool {
    if after.trim_start().starts_with(char::is_lowercase) {
        return true;
    }
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or("");
    let mut letters = word.chars();
    let initial = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none();
    mark == '.' && (initial || ABBREVIATIONS.contains(&word.to_lowercase().as_str()))
}

fn push(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let Some(piece) = text.get(range.clone()) else { return };
    let start = range.start + (piece.len() - piece.trim_start().len());
    let end = range.start + piece.trim_end().len();
    if start < end {
        found.push(start..end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn a_wrapped_line_ends_nothing() {
        assert_eq!(
            cut("One sentence\nover two lines. Another one!"),
            ["One sentence\nover two lines.", "Another one!"]
        );
    }

    #[test]
    fn abbreviations_and_names_go_on() {
        assert_eq!(
            cut("Use a proxy, e.g. Caddy. See J. Smith vs. Dr. No. Version 1.5 is out."),
            ["Use a proxy, e.g. Caddy.", "See J. Smith vs. Dr. No. Version 1.5 is out."]
        );
        assert_eq!(cut("He said \"stop.\" Then he left."), ["He said \"stop.\"", "Then he left."]);
    }

    #[test]
    fn structure_ends_a_sentence() {
        let text = "# Title\nIntro\n- first item\n- second. Really\n\n```sh\nstoa serve. Now\n\nmore\n```\n| a | b. C |\n|---|\nend";
        assert_eq!(
            cut(text),
            [
                "# Title",
                "Intro",
                "- first item",
                "- second.",
                "Really",
                "```sh\nstoa serve. Now\n\nmore\n```",
                "| a | b. C |\n|---|",
                "end"
            ]
        );
    }

    #[test]
    fn other_scripts_and_hostile_texts() {
        assert_eq!(cut("東京は首都です。大阪は違う。"), ["東京は首都です。", "大阪は違う。"]);
        for text in ["", "\n\n", "...", "```", "?!?!?!", "\u{0}", "1.", "- "] {
            for range in sentences(text) {
                assert!(text.get(range).is_some());
            }
        }
    }
}
