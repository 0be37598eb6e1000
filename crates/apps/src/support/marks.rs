//! Where the sentences of an answer begin and end when marks such as `[1]` stand in it, and what is put beside one. It
//! never judges what a sentence says.

use std::ops::Range;

use knowledge::sentence::sentences;

/// The sentences of a text, with marks that follow one put to it: `It is so. [1]`.
pub(super) fn joined(text: &str) -> Vec<Range<usize>> {
    let mut pieces: Vec<Range<usize>> = Vec::new();
    for range in sentences(text) {
        let piece = text.get(range.clone()).unwrap_or("");
        let (bare, marks) = unmarked(piece);
        let only_marks = bare.trim_matches(|c: char| !c.is_alphanumeric()).is_empty() && !marks.is_empty();
        match pieces.last_mut() {
            Some(last) if only_marks => last.end = range.end,
            // `It is so. [1] And so on.`: the marks in front belong to the sentence before.
            Some(last) if piece.starts_with('[') => {
                let front = front_marks(piece);
                last.end = if front > 0 { range.start + front } else { last.end };
                let start = range.start + front;
                let skip = text.get(start..range.end).map_or(0, |rest| rest.len() - rest.trim_start().len());
                pieces.push(start + skip..range.end);
            }
            _ => pieces.push(range),
        }
    }
    pieces
}

/// How many bytes at the beginning are marks.
fn front_marks(piece: &str) -> usize {
    let mut at = 0;
    while let Some(rest) = piece.get(at..)
        && rest.trim_start().starts_with('[')
    {
        let skipped = rest.len() - rest.trim_start().len();
        let Some(end) = rest.find(']') else { break };
        if numbers(rest.get(skipped + 1..end).unwrap_or("")).is_none()
            || rest.get(end + 1..).is_some_and(|r| r.starts_with('('))
        {
            break;
        }
        at += end + 1;
    }
    at
}

/// What a program would read as an object, as far as it goes: such are no words to anybody, unless the documents show
/// the very same.
pub(super) fn object(sentence: &str) -> Option<&str> {
    let from = sentence.match_indices('{').map(|(at, _)| at).find(|at| {
        let inner = sentence.get(at + 1..).unwrap_or("").trim_start();
        inner.starts_with(['"', '\'', '“'])
    })?;
    let object = sentence.get(from..)?;
    Some(object.rfind('}').and_then(|to| object.get(..=to)).unwrap_or(object))
}

/// The numbers in a mark: `1`, `1, 2`, `^1`, `1†source`.
fn numbers(inside: &str) -> Option<Vec<usize>> {
    let inside = inside.split('†').next().unwrap_or("").trim_start_matches('^');
    if inside.is_empty() || inside.len() > 24 {
        return None;
    }
    inside
        .split([',', ';', ' '])
        .filter(|part| !part.is_empty())
        .map(|part| part.trim_start_matches('^').parse().ok())
        .collect()
}

/// The text without its marks, and their numbers in order.
pub(super) fn unmarked(text: &str) -> (String, Vec<usize>) {
    let mut bare = String::with_capacity(text.len());
    let mut marks: Vec<usize> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['[', '【']) {
        let (before, tail) = rest.split_at(at);
        bare.push_str(before);
        let (open, close) = if tail.starts_with('[') { ('[', ']') } else { ('【', '】') };
        let inner = tail.get(open.len_utf8()..).unwrap_or("");
        let mark = inner.split_once(close).and_then(|(inside, behind)| Some((numbers(inside)?, behind)));
        match mark {
            Some((found, behind)) => {
                marks.extend(found.into_iter().filter(|number| !marks.contains(number)).collect::<Vec<_>>());
                bare.truncate(bare.trim_end_matches(' ').len());
                rest = behind;
            }
            None => {
                bare.push(open);
                rest = inner;
            }
        }
    }
    bare.push_str(rest);
    (bare, marks)
}

/// A list item without its mark, which may be a number.
pub(super) fn without_item(text: &str) -> &str {
    let text = text.trim_start();
    let numbered = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let after = numbered.strip_prefix(". ").or_else(|| numbered.strip_prefix(") "));
    match after {
        Some(after) if numbered.len() < text.len() && text.len() - numbered.len() <= 3 => after,
        _ => text.trim_start_matches(['-', '*', '+', '>', '#', ' ']),
    }
}

/// Without what stands apart behind the last word: the beginning of a list item or of a mark that never came.
pub(super) fn without_tail(text: &str) -> &str {
    let mut text = text.trim_end();
    if text.ends_with('|') || text.ends_with("```") || text.ends_with("~~~") {
        return text;
    }
    while let Some((before, last)) = text.rsplit_once(char::is_whitespace)
        && last.chars().all(|c| c.is_ascii_punctuation() || matches!(c, '【' | '】'))
        && !last.contains(['%', '$'])
    {
        text = before.trim_end();
    }
    text.trim_end_matches(['[', '(', '【'])
}

/// The sentence with something put beside it: in front of its full stop, and below a table or a block of code.
pub(super) fn beside(sentence: &str, what: &str) -> String {
    let text = sentence.trim_end();
    if text.ends_with("```") || text.ends_with("~~~") || text.ends_with('|') {
        return format!("{text}\n\n{what}");
    }
    let body = text.trim_end_matches(['.', '!', '?', '。', ':', '"', '”', '*', '_', '`', ')']);
    // Closing marks of a bold word or a quote stay where they are; only the end of the sentence moves.
    let end = text.get(body.len()..).unwrap_or("");
    if end.chars().all(|c| matches!(c, '.' | '!' | '?' | '。' | ':')) {
        format!("{body} {what}{end}")
    } else {
        format!("{text} {what}")
    }
}
