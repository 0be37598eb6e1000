//! Which texts are said where: the first arguments of `say`, `count`, `key` and `told` in the code of pages and in
//! scripts, what templates give to the filters `t` and `n`, and the titles of the codes of errors.

use super::super::house::File;
use super::{SCRIPTS, TEMPLATES};

/// The keys that a file uses.
pub(super) fn of(file: &File) -> Vec<String> {
    let path = file.path.as_str();
    if path.starts_with(TEMPLATES) && path.ends_with(".html") && !path.contains("/samples/") {
        return filtered(&file.text);
    }
    if path.starts_with(SCRIPTS) && path.ends_with(".js") {
        return called(&file.text, &["say", "count", "many"], false);
    }
    let pages = ["crates/web/src/pages", "crates/web/src/ui/", "crates/web/src/texts/patterned.rs"]
        .iter()
        .any(|room| path.starts_with(room));
    if pages && path.ends_with(".rs") && !path.contains("samples") {
        let code = file.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        return called(code, &["say", "count", "key", "told"], true);
    }
    // What mails say in the language of their readers.
    if path == "crates/ops/src/post/letters.rs" {
        let code = file.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        return called(code, &["say", "key"], false);
    }
    if path == "crates/kernel/src/code.rs" {
        return titles(&file.text);
    }
    Vec::new()
}

/// A key as a literal of Rust and of JSON.
pub(super) fn quoted(key: &str) -> String {
    format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What stands before `|t` and `|n(` in a template.
fn filtered(text: &str) -> Vec<String> {
    let mut keys = Vec::new();
    for filter in ["\"|t", "\"|n("] {
        for (end, _) in text.match_indices(filter) {
            let after = text.get(end + filter.len()..).and_then(|rest| rest.chars().next());
            if filter == "\"|t" && after.is_some_and(|sign| sign.is_alphanumeric() || sign == '_') {
                continue;
            }
            let Some(before) = text.get(..end) else { continue };
            let begin = before
                .match_indices('"')
                .map(|(at, _)| at)
                .rev()
                .find(|at| !before.get(..*at).is_some_and(|text| text.ends_with('\\')));
            if let Some(key) = begin.and_then(|begin| before.get(begin + 1..)) {
                keys.push(unescaped(key));
            }
        }
    }
    keys
}

/// The literals that these functions are called with. `methods` are meant too.
fn called(text: &str, names: &[&str], methods: bool) -> Vec<String> {
    let mut keys = Vec::new();
    for name in names {
        let call = format!("{name}(");
        for (at, _) in text.match_indices(&call) {
            let before = text.get(..at).and_then(|text| text.chars().next_back()).unwrap_or(' ');
            if before.is_alphanumeric() || before == '_' || (before == '.' && !methods) {
                continue;
            }
            let rest = text.get(at + call.len()..).unwrap_or_default().trim_start();
            if let Some(literal) = rest.strip_prefix('"').and_then(until_quote) {
                keys.push(unescaped(literal));
            }
        }
    }
    keys
}

/// The titles of the codes: `Name = "code", Kind, "title", "help";`.
fn titles(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let (_, rest) = line.trim().split_once(" = \"")?;
        let (_, rest) = rest.split_once(", \"")?;
        until_quote(rest).map(unescaped)
    };
    let table = text.split("codes! {\n").nth(1).unwrap_or_default();
    table.lines().take_while(|line| *line != "}").filter_map(line).collect()
}

/// The literal that begins here, without its quotes.
fn until_quote(text: &str) -> Option<&str> {
    let mut escaped = false;
    let end = text.find(|sign| {
        let ends = sign == '"' && !escaped;
        escaped = sign == '\\' && !escaped;
        ends
    })?;
    text.get(..end)
}

/// A literal as its value: quotes, backslashes, and the line breaks of Rust that join two lines.
pub(super) fn unescaped(literal: &str) -> String {
    let mut value = String::with_capacity(literal.len());
    let mut rest = literal;
    while let Some((before, after)) = rest.split_once('\\') {
        value.push_str(before);
        rest = match after.chars().next() {
            Some('\n') => after.trim_start(),
            Some('n') => {
                value.push('\n');
                after.get(1..).unwrap_or_default()
            }
            Some('u') => match unicode(after) {
                Some((sign, rest)) => {
                    value.push(sign);
                    rest
                }
                None => after,
            },
            Some(sign) => {
                value.push(sign);
                after.get(sign.len_utf8()..).unwrap_or_default()
            }
            None => "",
        };
    }
    value.push_str(rest);
    value
}

/// `u{a0}` of Rust and `u00a0` of JSON, and what follows.
fn unicode(text: &str) -> Option<(char, &str)> {
    let text = text.strip_prefix('u')?;
    let (digits, rest) = match text.strip_prefix('{') {
        Some(inner) => inner.split_once('}')?,
        None => text.split_at_checked(4)?,
    };
    Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, rest))
}
