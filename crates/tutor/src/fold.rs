//! Texts as they are compared: one spelling for the many that look the same. It never shows what it makes.

use unicode_normalization::UnicodeNormalization as _;

/// Digits of other scripts: the zero of each run of ten.
const ZEROS: [u32; 14] = [
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0e50, 0x0ed0,
    0x1040,
];

/// Lower case, one form for each digit, sign and space; marks that are not seen are gone.
pub(crate) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut after_digit = false;
    for c in text.chars() {
        let vulgar = matches!(c, '¼' | '½' | '¾' | '⅐'..='⅞' | '↉');
        if vulgar && after_digit {
            out.push(' ');
        }
        match c {
            '²' => out.push_str("^2"),
            '³' => out.push_str("^3"),
            // Not seen: joiners, marks of direction, soft hyphens, variation selectors, keycaps.
            '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{feff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{20e3}'
            | '\u{e0000}'..='\u{e007f}' => continue,
            '−' | '–' | '—' | '‐' | '‑' | '‒' => out.push('-'),
            '×' | '✕' | '✖' | '·' | '∙' | '⋅' | '∗' => out.push('*'),
            '÷' | '∕' | '⁄' => out.push('/'),
            '’' | '‘' | 'ʼ' => out.push('\''),
            '“' | '”' | '„' | '«' | '»' => out.push('"'),
            c => match native_digit(c) {
                Some(digit) => out.push(digit),
                None => out.extend(std::iter::once(c).nfkc().flat_map(char::to_lowercase).map(slash)),
            },
        }
        after_digit = out.ends_with(|c: char| c.is_ascii_digit()) && !vulgar;
    }
    out
}

fn slash(c: char) -> char {
    match c {
        '⁄' => '/',
        c if c.is_whitespace() && c != '\n' => ' ',
        c => c,
    }
}

fn native_digit(c: char) -> Option<char> {
    let code = u32::from(c);
    let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code))?;
    char::from_digit(code - zero, 10)
}

/// [`fold`] after formulas, marks of Markdown and HTML have been read as what they show.
pub(crate) fn shown(text: &str) -> String {
    let text = latex(&untagged(text));
    let text = text.replace("**", "").replace("__", "").replace("~~", "").replace('`', "");
    fold(&text)
}

/// Without tags, and numeric entities read.
fn untagged(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let tag = from.starts_with("<!--")
            || from.chars().nth(1).is_some_and(|c| c.is_ascii_alphabetic() || c == '/')
                && from.starts_with('<');
        let end = if from.starts_with("<!--") {
            from.find("-->").map(|at| at + 3)
        } else {
            from.find('>').map(|at| at + 1)
        };
        match end {
            Some(end) if tag && end < 400 => rest = from.get(end..).unwrap_or_default(),
            _ => match entity(from) {
                Some((c, after)) => {
                    out.push(c);
                    rest = after;
                }
                None => {
                    let mut chars = from.chars();
                    out.extend(chars.next());
                    rest = chars.as_str();
                }
            },
        }
    }
    out.push_str(rest);
    out
}

/// `&#52;` or `&#x34;` at the beginning.
fn entity(text: &str) -> Option<(char, &str)> {
    let (inside, rest) = text.strip_prefix("&#")?.split_once(';')?;
    let code = match inside.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => inside.parse().ok()?,
    };
    Some((char::from_u32(code)?, rest))
}

/// What a brace of a formula holds: of a fraction, what stands over and under the line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Brace {
    Plain,
    Over,
    Under,
}

/// Formulas as plain text: `\frac{1}{2}` is `(1)/(2)`.
fn latex(text: &str) -> String {
    if !text.contains('\\') && !text.contains('{') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut braces: Vec<Brace> = Vec::new();
    let mut next = Brace::Plain;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let mut word = String::new();
                while let Some(letter) = chars.peek().filter(|c| c.is_ascii_alphabetic()) {
                    word.push(*letter);
                    chars.next();
                }
                match word.as_str() {
                    "frac" | "dfrac" | "tfrac" | "cfrac" => next = Brace::Over,
                    "times" | "cdot" | "ast" => out.push('*'),
                    "div" => out.push('/'),
                    "le" | "leq" | "ge" | "geq" | "ne" | "neq" | "approx" => out.push_str(" ~ "),
                    "" => match chars.next() {
                        Some(c @ ('%' | '$' | '#')) => out.push(c),
                        // A backslash and a comma or such is a space that nobody sees inside of a number.
                        Some('(' | ')' | '[' | ']' | '\\' | '\n') => out.push(' '),
                        _ => {}
                    },
                    "quad" | "qquad" | "implies" | "rightarrow" | "to" | "therefore" => out.push(' '),
                    _ => {}
                }
            }
            '{' => {
                out.push_str(if next == Brace::Plain { "" } else { "(" });
                braces.push(std::mem::replace(&mut next, Brace::Plain));
            }
            '}' => match braces.pop() {
                Some(Brace::Over) => {
                    out.push_str(")/");
                    next = Brace::Under;
                }
                Some(Brace::Under) => out.push(')'),
                Some(Brace::Plain) | None => {}
            },
            c => out.push(c),
        }
    }
    out
}

/// The words of a folded text: runs of letters and digits.
pub(crate) fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .map(|word| word.trim_matches('\''))
        .filter(|word| !word.is_empty())
}

/// A text as a line of words with single spaces, with one at each end: what phrases are looked for in.
pub(crate) fn line(text: &str) -> String {
    let folded = fold(text).replace('\'', "");
    let mut out = String::from(" ");
    for word in words(&folded) {
        out.push_str(word);
        out.push(' ');
    }
    out
}

/// Somebody's words inside a sentence of ours: no marks, no lines, no question, at most `most` words.
pub(crate) fn quote(text: &str, most: usize) -> String {
    // A star between spaces or digits is an operator, and not a mark.
    let text = text.replace(" * ", " × ");
    let after = text.chars().skip(1).chain([' ']);
    let mut before = ' ';
    let text: String = text
        .chars()
        .zip(after)
        .map(|(c, after)| {
            let operator = c == '*' && before.is_ascii_digit() && after.is_ascii_digit();
            before = c;
            if operator { '×' } else { c }
        })
        .collect();
    let plain: String = text
        .chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            '`' | '*' | '_' | '#' | '[' | ']' | '<' | '>' | '{' | '}' | '\\' | '|' | '"' | '“' | '”' | '?' | '!' => ' ',
            c => c,
        })
        .filter(|c| !c.is_control() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'))
        .collect();
    let words: Vec<&str> = plain.split_whitespace().filter(|word| !word.contains("://")).collect();
    let mut out = words.iter().take(most).copied().collect::<Vec<_>>().join(" ");
    if words.len() > most {
        out.push('…');
    }
    if out.chars().count() > 160 {
        out = out.chars().take(160).collect();
        out.push('…');
    }
    out.trim_matches(|c: char| c.is_whitespace() || matches!(c, '.' | ',' | ';' | ':')).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_spellings_are_one() {
        assert_eq!(fold("４２ × ½ − 1½"), "42 * 1/2 - 1 1/2");
        assert_eq!(fold("٤٢ 4\u{200b}2 4\u{fe0f}\u{20e3}"), "42 42 4");
        assert_eq!(shown(r"\boxed{4{,}2}"), "4,2");
        assert_eq!(shown(r"\frac{1}{2} \times 84"), "(1)/(2) * 84");
        assert_eq!(shown("4<b>2</b> **4**2 &#52;&#x32; a < b"), "42 42 42 a < b");
    }

    #[test]
    fn quoted_words_carry_no_marks() {
        assert_eq!(quote("**bold** <b>alert(1)</b> [a](http://x) why?", 20), "bold b alert(1) /b a why");
        assert_eq!(quote("What is 17 * 23?", 9), "What is 17 × 23");
        assert_eq!(quote("**4** and 3*5", 9), "4 and 3×5");
        assert!(quote(&"word ".repeat(50), 5).ends_with('…'));
    }
}
