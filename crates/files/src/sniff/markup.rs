//! Texts that are pages or pictures to a browser. A text is one when its first element says so, whatever stands before
//! it: marks of encoding, white space, comments, declarations.

use super::Encoding;

/// Elements with which only pages begin.
const PAGE: [&str; 17] = [
    "html", "head", "body", "script", "style", "title", "meta", "link", "base", "iframe", "object", "embed",
    "form", "frameset", "noscript", "template", "xss",
];
/// Elements with which pages begin, and notes in Markdown too.
const PIECE: [&str; 18] = [
    "p", "div", "h1", "h2", "h3", "a", "b", "br", "i", "table", "font", "img", "center", "span", "ul", "ol",
    "details", "picture",
];

/// The media type of a text.
pub(super) fn kind_of_text(head: &[u8], encoding: Encoding, name: &str) -> &'static str {
    let text = read(head, encoding);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let markdown = matches!(ending.as_str(), "md" | "markdown" | "mdown");
    match begins(&text, markdown) {
        Some(found) => found,
        None if markdown => "text/markdown",
        None if ending == "csv" => "text/csv",
        None if matches!(ending.as_str(), "tsv" | "tab") => "text/tab-separated-values",
        None => "text/plain",
    }
}

/// The beginning as characters, in lower case; what is not ASCII does not matter here.
fn read(head: &[u8], encoding: Encoding) -> String {
    let lower = |byte: u8| char::from(byte.to_ascii_lowercase());
    match encoding {
        Encoding::Bytes => {
            head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).iter().map(|b| lower(*b)).collect()
        }
        Encoding::Utf16 { big } => {
            let unit = |pair: &[u8]| match pair {
                [first, second] if big => u16::from_be_bytes([*first, *second]),
                [first, second] => u16::from_le_bytes([*first, *second]),
                _ => 0,
            };
            let units = head.get(2..).unwrap_or_default().chunks_exact(2).map(unit);
            units.map(|unit| u8::try_from(unit).map_or('\u{fffd}', lower)).collect()
        }
    }
}

/// What the first element makes of the text; `None` for what is no markup.
fn begins(text: &str, markdown: bool) -> Option<&'static str> {
    let mut rest = text.trim_start();
    let mut declared = false;
    loop {
        if let Some(after) = rest.strip_prefix("<!--") {
            // What is only a comment for as long as can be seen could be anything.
            rest = after.split_once("-->").map_or("", |(_, after)| after).trim_start();
            declared |= !markdown;
        } else if let Some(after) = rest.strip_prefix("<!doctype") {
            if after.trim_start().starts_with("html") {
                return Some("text/html");
            }
            declared = true;
            let subset = after.find('[').filter(|open| after.find('>').is_none_or(|end| *open < end));
            let end = match subset {
                Some(open) => after.split_at(open).1.split_once("]").map_or("", |(_, after)| after),
                None => after,
            };
            rest = end.split_once('>').map_or("", |(_, after)| after).trim_start();
        } else if let Some(after) = rest.strip_prefix("<?") {
            let program = !after.starts_with("xml");
            if program {
                return Some("text/xml");
            }
            declared = true;
            rest = after.split_once("?>").map_or("", |(_, after)| after).trim_start();
        } else {
            break;
        }
    }
    let element = rest.strip_prefix('<').unwrap_or_default();
    let word: String =
        element.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_')).collect();
    let local = word.rsplit(':').next().unwrap_or_default();
    match local {
        "svg" => Some("image/svg+xml"),
        local if PAGE.contains(&local) => Some("text/html"),
        local if PIECE.contains(&local) && !markdown => Some("text/html"),
        _ if declared => Some("text/xml"),
        // Whatever speaks of a namespace in its first element is read as XML.
        _ if !local.is_empty() && element.split('>').next().is_some_and(|tag| tag.contains("xmlns")) => {
            Some("text/xml")
        }
        _ => None,
    }
}
