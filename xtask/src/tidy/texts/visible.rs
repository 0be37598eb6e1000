//! The words that a template shows by itself: in its text, in the attributes that people see or hear, and in what it
//! gives to the macros of forms.

/// Attributes that people see or hear, or that scripts show to them.
const ATTRIBUTES: &[&str] = &[
    "title",
    "aria-label",
    "placeholder",
    "alt",
    "data-ask",
    "data-ask-text",
    "data-ask-label",
    "data-label",
    "data-beat-words",
    "data-later",
];
/// Elements that hold what is read by machines.
const MACHINE: &[&str] = &["code", "pre", "kbd", "script", "style"];
/// Names that are the same in every language.
const NAMES: &[&str] =
    &["Stoa", "API", "JSON", "ZIP", "CSV", "openapi.json", "OpenAI", "curl", "UTC", "Markdown", "nbsp"];

/// A piece of a template.
enum Piece<'a> {
    /// `{{ … }}`, `{# … #}`.
    Value,
    /// `{% … %}`.
    Control(&'a str),
    /// `<…>`.
    Tag(&'a str),
    Text(&'a str),
}

/// The words that it shows, in the order of the file.
pub(super) fn words(template: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut machine: Option<&str> = None;
    let mut rest = template;
    while !rest.is_empty() {
        let (piece, after) = next(rest);
        rest = after;
        match piece {
            Piece::Value => {}
            Piece::Control(text) => found.extend(given(text)),
            Piece::Text(text) => {
                if machine.is_none() && says(text) {
                    found.push(text.trim().to_owned());
                }
            }
            Piece::Tag(tag) => {
                let name =
                    tag.trim_start_matches(['<', '/']).split([' ', '>', '\n']).next().unwrap_or_default();
                let closes = tag.starts_with("</");
                match machine {
                    Some(open) if closes && open == name => machine = None,
                    None if !closes => machine = MACHINE.iter().copied().find(|one| *one == name),
                    _ => {}
                }
                found.extend(attributes(tag));
            }
        }
    }
    found
}

fn next(text: &str) -> (Piece<'_>, &str) {
    let until = |end: &str| text.find(end).map_or(text.len(), |at| at + end.len());
    let cut = |at: usize| text.split_at_checked(at).unwrap_or((text, ""));
    if text.starts_with("{{") || text.starts_with("{#") {
        let (_, rest) = cut(until(if text.starts_with("{{") { "}}" } else { "#}" }));
        return (Piece::Value, rest);
    }
    if text.starts_with("{%") {
        let (control, rest) = cut(until("%}"));
        return (Piece::Control(control), rest);
    }
    if is_tag(text) {
        let (tag, rest) = cut(end_of_tag(text));
        return (Piece::Tag(tag), rest);
    }
    let begins = |(at, _): &(usize, char)| {
        *at > 0
            && text.get(*at..).is_some_and(|rest| {
                rest.starts_with("{{") || rest.starts_with("{%") || rest.starts_with("{#") || is_tag(rest)
            })
    };
    let (words, rest) = cut(text.char_indices().find(begins).map_or(text.len(), |(at, _)| at));
    (Piece::Text(words), rest)
}

fn is_tag(text: &str) -> bool {
    let mut signs = text.strip_prefix('<').unwrap_or_default().chars();
    signs.next().is_some_and(|sign| sign.is_ascii_alphabetic() || matches!(sign, '/' | '!'))
}

/// Where a tag ends; `>` inside of quotes and of values of the template is none of its own.
fn end_of_tag(text: &str) -> usize {
    let (mut at, mut quoted) = (0, false);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let inner = [("{{", "}}"), ("{%", "%}")].into_iter().find(|(begin, _)| rest.starts_with(begin));
        if let Some((_, end)) = inner {
            at += rest.find(end).map_or(rest.len(), |length| length + end.len());
            continue;
        }
        let Some(sign) = rest.chars().next() else { break };
        at += sign.len_utf8();
        match sign {
            '"' => quoted = !quoted,
            '>' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

/// Whether a text has words of a language.
fn says(text: &str) -> bool {
    text.split(|sign: char| !(sign.is_alphanumeric() || sign == '.'))
        .map(|word| word.trim_matches('.'))
        .any(|word| word.chars().any(char::is_alphabetic) && !NAMES.contains(&word))
}

/// The words in the attributes of a tag.
fn attributes(tag: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in ATTRIBUTES {
        for (at, _) in tag.match_indices(&format!(" {name}=\"")) {
            let value = tag.get(at + name.len() + 3..).unwrap_or_default();
            found.extend(shown(value).filter(|words| says(words)).map(|words| words.trim().to_owned()));
        }
    }
    found
}

/// The pieces of text of an attribute, up to its closing quote.
fn shown(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = value;
    std::iter::from_fn(move || {
        while !rest.is_empty() && !rest.starts_with('"') {
            let inner = [("{{", "}}"), ("{%", "%}")].into_iter().find(|(begin, _)| rest.starts_with(begin));
            if let Some((_, end)) = inner {
                let at = rest.find(end).map_or(rest.len(), |at| at + end.len());
                rest = rest.get(at..).unwrap_or_default();
                continue;
            }
            let at = ["\"", "{{", "{%"].iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
            let (words, after) = rest.split_at_checked(at)?;
            rest = after;
            return Some(words);
        }
        None
    })
}

/// What a macro is given without the filter: labels begin with a capital, and names of fields, types and attributes do
/// not.
fn given(control: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !control.contains("call ") {
        return found;
    }
    let mut rest = control;
    while let Some((_, after)) = rest.split_once('"') {
        let mut escaped = false;
        let end = after.find(|sign| {
            let ends = sign == '"' && !escaped;
            escaped = sign == '\\' && !escaped;
            ends
        });
        let Some((literal, after)) = end.and_then(|end| after.split_at_checked(end)) else { break };
        rest = after.get(1..).unwrap_or_default();
        if literal.starts_with(char::is_uppercase) && !rest.starts_with("|t") {
            found.push(literal.to_owned());
        }
    }
    found
}
