//! The finished line: masked, escaped, bounded. It owns the JSON and the text form. Nothing that a caller wrote
//! leaves the process without passing here.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::config::Level;
use super::pipeline::Head;
use super::plain::{BREAK, Row, row};

/// Replaces personal data and secrets in a text by placeholders such as `[EMAIL]`.
pub type Mask = for<'a> fn(&'a str) -> Cow<'a, str>;

/// The most bytes a line may have, its line break included.
pub(super) const MAX_LINE: usize = 16 * 1024;

/// The most that the message and any other field may take of it, so that the message does not push out the fields.
const MAX_MESSAGE: usize = 10 * 1024;
const MAX_FIELD: usize = 4 * 1024;

/// Kept free for the end of the line.
const TAIL: usize = 32;

/// How many fields a line may have.
const MAX_FIELDS: usize = 64;

/// Makes lines.
pub(super) struct Lines {
    mask: Option<Mask>,
}

impl Lines {
    /// With this mask, or none.
    pub(super) fn new(mask: Option<Mask>) -> Lines {
        Lines { mask }
    }

    /// Appends one line to each of the two buffers: JSON always, and the text form where it is wanted.
    pub(super) fn write(
        &self,
        head: Head,
        target: &str,
        rows: &str,
        json: &mut String,
        text: Option<(&mut String, bool)>,
    ) {
        let masked = match self.mask {
            Some(mask) => mask_rows(mask, rows),
            None => Cow::Borrowed(rows),
        };
        let fields = fields(&masked);
        write_json(head, target, &fields, json);
        if let Some((out, colour)) = text {
            write_text(head, target, &fields, out, colour);
        }
    }
}

/// Masks all rows at once, which lets a rule see the name beside the value. Where the mask took more than values,
/// and rows or names are gone, each row is masked alone.
fn mask_rows(mask: Mask, rows: &str) -> Cow<'_, str> {
    let masked = mask(rows);
    if let Cow::Borrowed(same) = masked
        && same.len() == rows.len()
    {
        return masked;
    }
    let name = |line: &str| line.find('=').map(|end| line.get(..end).unwrap_or("").to_owned());
    if rows.lines().map(name).eq(masked.lines().map(name)) {
        return masked;
    }
    let mut out = String::with_capacity(rows.len());
    for line in rows.lines() {
        let masked = mask(line);
        let kept = name(line).unwrap_or_default();
        if name(&masked).as_deref() != Some(&kept) {
            // The name became part of what was masked: it is put back, it came from the source text.
            out.push_str(kept.trim_end_matches(':'));
            out.push('=');
        }
        for piece in masked.split('\n') {
            out.push_str(piece);
        }
        out.push('\n');
    }
    Cow::Owned(out)
}

/// The rows as fields: the first of each name, those that would stand for the line's own parts renamed.
fn fields(rows: &str) -> Vec<Row<'_>> {
    let mut fields: Vec<Row<'_>> = Vec::with_capacity(12);
    for line in rows.split_terminator('\n').take(MAX_FIELDS) {
        let Some(mut field) = row(line) else { continue };
        field.name = match field.name {
            "@timestamp" => "field.@timestamp",
            "level" => "field.level",
            "target" => "field.target",
            "truncated" => "field.truncated",
            name => name,
        };
        if !fields.iter().any(|earlier| earlier.name == field.name) {
            fields.push(field);
        }
    }
    // The order that a reader expects: what happened, in which request, then the rest.
    let rank = |field: &Row<'_>| match field.name {
        "message" => 0,
        "request_id" => 1,
        _ => 2,
    };
    fields.sort_by_key(rank);
    fields
}

fn write_json(head: Head, target: &str, fields: &[Row<'_>], out: &mut String) {
    let begin = out.len();
    let _ =
        write!(out, "{{\"@timestamp\":\"{}\",\"level\":\"{}\",\"target\":\"", head.at, head.level.as_str());
    let mut cut = escape(target, 256, true, out);
    out.push('"');
    if fields.first().is_none_or(|field| field.name != "message") {
        out.push_str(",\"message\":\"\"");
    }
    for field in fields {
        let room = (MAX_LINE - TAIL).saturating_sub(out.len() - begin);
        let most = if field.name == "message" { MAX_MESSAGE } else { MAX_FIELD };
        // Its name at six times its length (all escaped) and the signs around it.
        let Some(room) = room.checked_sub(field.name.len().min(128) * 6 + 8) else {
            cut = true;
            break;
        };
        out.push_str(",\"");
        escape(field.name, 128 * 6, true, out);
        out.push_str("\":");
        if field.literal && is_literal(field.value) {
            out.push_str(field.value);
        } else {
            out.push('"');
            cut |= escape(field.value, room.min(most), true, out);
            out.push('"');
        }
    }
    out.push_str(if cut { ",\"truncated\":true}\n" } else { "}\n" });
}

fn write_text(head: Head, target: &str, fields: &[Row<'_>], out: &mut String, colour: bool) {
    let (paint, dim, plain) = match (colour, head.level) {
        (false, _) => ("", "", ""),
        (true, Level::Error) => ("\u{1b}[1;31m", "\u{1b}[2m", "\u{1b}[0m"),
        (true, Level::Warning) => ("\u{1b}[33m", "\u{1b}[2m", "\u{1b}[0m"),
        (true, Level::Info) => ("\u{1b}[32m", "\u{1b}[2m", "\u{1b}[0m"),
        (true, Level::Debug) => ("\u{1b}[34m", "\u{1b}[2m", "\u{1b}[0m"),
    };
    let at = head.at.rfc3339();
    // The time of the day to the millisecond: who reads this reads it now.
    let clock = at.get(11..23).unwrap_or(&at);
    let _ = write!(out, "{dim}{clock}{plain} {paint}{:<7}{plain} ", head.level.as_str());
    let rest = match fields.split_first() {
        Some((message, rest)) if message.name == "message" => {
            escape(message.value, MAX_MESSAGE, false, out);
            rest
        }
        _ => fields,
    };
    for field in rest {
        let _ = write!(out, "  {dim}");
        escape(field.name, 128, false, out);
        let _ = write!(out, "={plain}");
        escape(field.value, MAX_FIELD, false, out);
    }
    let _ = writeln!(out, "  {dim}{target}{plain}");
}

/// A number or boolean as JSON knows them: what a mask has replaced is a text.
fn is_literal(value: &str) -> bool {
    matches!(value, "true" | "false") || serde_json::from_str::<serde_json::Number>(value).is_ok()
}

/// Appends `value` with at most `room` bytes, without the signs that a terminal obeys, and in JSON without those
/// that end a string. Says whether it had to be cut.
fn escape(value: &str, room: usize, json: bool, out: &mut String) -> bool {
    let end = out.len() + room;
    let mut run = 0;
    for (at, sign) in value.char_indices() {
        let special = match sign {
            '"' | '\\' => json,
            // Beside the control characters: line separators and those that turn the direction of writing.
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
            '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
            _ => false,
        };
        let gathered = at - run;
        if out.len() + gathered + if special { 6 } else { sign.len_utf8() } + '…'.len_utf8() > end {
            out.push_str(value.get(run..at).unwrap_or(""));
            out.push('…');
            return true;
        }
        if special {
            out.push_str(value.get(run..at).unwrap_or(""));
            run = at + sign.len_utf8();
            match sign {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                BREAK => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                _ => {
                    let _ = write!(out, "\\u{:04x}", u32::from(sign));
                }
            }
        }
    }
    out.push_str(value.get(run..).unwrap_or(""));
    false
}

#[cfg(test)]
mod tests;
