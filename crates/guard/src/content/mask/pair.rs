//! Values of names that say they are secret: `password=…`, `"api_key": "…"`, `Authorization: …`, `?token=…`.
//! The name stays, the value goes; quotes and escapes around it stay whole, so JSON stays JSON.

use super::kind::PiiKind;
use super::scan::Hit;
use super::secret::LONGEST;
use super::view::View;

/// How the value of a name is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    /// One word or one quoted text.
    Word,
    /// Up to the end of the line: header fields.
    Line,
    /// Three to eight digits.
    Digits,
}

/// Ends of names, in lower case, that make the value a secret.
const NAMES: &[(&str, Value)] = &[
    ("password", Value::Word),
    ("passwd", Value::Word),
    ("passphrase", Value::Word),
    ("passcode", Value::Word),
    ("pwd", Value::Word),
    ("secret", Value::Word),
    ("secrets", Value::Word),
    ("credential", Value::Word),
    ("credentials", Value::Word),
    ("token", Value::Word),
    ("apikey", Value::Word),
    ("api_key", Value::Word),
    ("access_key", Value::Word),
    ("access_key_id", Value::Word),
    ("accesskey", Value::Word),
    ("secret_key", Value::Word),
    ("secretkey", Value::Word),
    ("private_key", Value::Word),
    ("privatekey", Value::Word),
    ("signing_key", Value::Word),
    ("encryption_key", Value::Word),
    ("master_key", Value::Word),
    ("session_id", Value::Word),
    ("sessionid", Value::Word),
    ("signature", Value::Word),
    ("authorization", Value::Line),
    ("cookie", Value::Line),
    ("pin", Value::Digits),
    ("otp", Value::Digits),
    ("cvv", Value::Digits),
    ("cvc", Value::Digits),
];

/// Names that are secrets only as parameters of a URL.
const PARAMETERS: &[&str] = &["code", "key", "sig", "auth", "state", "ticket", "jwt", "sid"];

/// Words before `key` that make it a secret: `api-key`, `private key`.
const KEYS: &[&str] =
    &["api", "access", "private", "secret", "signing", "encryption", "master", "subscription"];

/// Values that are no secret.
const PLAIN: &[&str] = &[
    "true",
    "false",
    "null",
    "none",
    "nil",
    "undefined",
    "yes",
    "no",
    "***",
    "required",
    "optional",
    "string",
];

/// The secret value of a name that ends with the word `at..end`.
pub(super) fn find(view: &View<'_>, at: usize, end: usize) -> Option<Hit> {
    let (assign, around_name) = assignment(view, end)?;
    let value = kind(view, at, end, view.at(assign))?;
    let spaced = view.at(assign + 1) == b' ';
    let from = view.run(assign + 1, 3, |byte| matches!(byte, b' ' | b'=' | b'>'));
    let slashes = view.run(from, 8, |byte| byte == b'\\');
    let quote = view.at(slashes);
    let quoted = matches!(quote, b'"' | b'\'' | b'`');
    let opens = match around_name {
        // Quotes of another depth belong to the text around the name.
        Some(depth) => quoted && depth == slashes - from,
        None => quoted && !closes(view.at(slashes + 1), slashes > from),
    };
    let (start, stop) = if opens {
        (slashes + 1, closing(view, slashes + 1, quote, slashes - from))
    } else if quoted || around_name.is_some() {
        // The end of the text around, or a number, `true` or `null` of JSON.
        return None;
    } else {
        (from, bare(view, from, value))
    };
    let text = view.slice(start, stop);
    let fits = match value {
        Value::Digits => (3..=8).contains(&text.len()) && text.iter().all(u8::is_ascii_digit),
        Value::Line => {
            !text.is_empty()
                && (start > from || text.contains(&b'=') || text.contains(&b' ') || text.len() >= 8)
        }
        Value::Word => !text.is_empty() && (start > from || !spaced || generated(text)),
    };
    (fits && !plain(text)).then(|| Hit::new(PiiKind::Secret, start, stop))
}

/// Where `:` or `=` stands behind a name that ends at `end`, and, when the name is quoted, how many backslashes stand
/// before the quote.
fn assignment(view: &View<'_>, end: usize) -> Option<(usize, Option<usize>)> {
    let (mut at, mut depth) = (end, None);
    if matches!(view.at(at), b'\\' | b'"' | b'\'') {
        at = view.run(at, 8, |byte| byte == b'\\');
        if !matches!(view.at(at), b'"' | b'\'') {
            return None;
        }
        depth = Some(at - end);
        at += 1;
    }
    if view.at(at) == b' ' {
        at += 1;
    }
    matches!(view.at(at), b':' | b'=').then_some((at, depth))
}

/// Whether a quote with this byte behind it closes a text of JSON rather than opening one.
fn closes(next: u8, escaped: bool) -> bool {
    matches!(next, 0..=b' ' | b',' | b'}' | b']' | b':') || (escaped && next == b'\\')
}

/// What the name `at..end` says about its value.
fn kind(view: &View<'_>, at: usize, end: usize, sign: u8) -> Option<Value> {
    const LONGEST_NAME: usize = 64;
    let from = at.max(end.saturating_sub(LONGEST_NAME));
    let mut folded = [0_u8; LONGEST_NAME];
    let name = view.slice(from, end);
    for (slot, byte) in folded.iter_mut().zip(name) {
        *slot = byte.to_ascii_lowercase();
    }
    let folded = folded.get(..name.len()).unwrap_or(&[]);
    if !matches!(
        folded.last(),
        Some(b'd' | b't' | b'e' | b's' | b'l' | b'n' | b'y' | b'p' | b'v' | b'c' | b'g' | b'h')
    ) {
        return None;
    }
    let parameter = sign == b'=' && matches!(view.behind(at, 1), b'?' | b'&');
    if parameter && PARAMETERS.iter().any(|known| folded == known.as_bytes()) {
        return Some(Value::Word);
    }
    if folded == b"key" {
        let before = view.before(at, 13).to_ascii_lowercase();
        let secret = before.split_last().is_some_and(|(sign, word)| {
            matches!(sign, b'-' | b' ' | b'.') && KEYS.iter().any(|key| word.ends_with(key.as_bytes()))
        });
        return secret.then_some(Value::Word);
    }
    let (known, value) = NAMES.iter().find(|(known, _)| folded.ends_with(known.as_bytes()))?;
    // `spin=`, `keypwd=`: a short ending counts only as a word of its own or behind `_` or a capital.
    let ahead = name.len().checked_sub(known.len() + 1).and_then(|index| name.get(index).copied());
    let first = name.get(name.len() - known.len()).copied().unwrap_or(0);
    let own = known.len() > 4 || ahead.is_none_or(|byte| byte == b'_') || first.is_ascii_uppercase();
    own.then_some(*value)
}

/// The end of a quoted value. A quote that is nested in JSON texts `depth` times has `2^depth - 1` backslashes before
/// it, and pairs of backslashes before those belong to the value; so the depth is the count of trailing ones. A quote
/// of a smaller depth ends the text around the value. Within `'` or a backtick every `"` ends the value, because
/// nothing tells the depth there.
fn closing(view: &View<'_>, start: usize, quote: u8, slashes: usize) -> usize {
    let (mut at, mut run) = (start, 0_usize);
    while at - start < LONGEST {
        let byte = view.at(at);
        let depth = run.trailing_ones();
        if byte == quote && depth <= slashes.trailing_ones() {
            return at - ((1 << depth) - 1);
        }
        if byte == b'"' && quote != b'"' {
            return at - run;
        }
        if at >= view.len() || (byte == b'\n' && quote != b'`') {
            return at;
        }
        run = if byte == b'\\' { run + 1 } else { 0 };
        at += 1;
    }
    cut(view, at)
}

/// The end of a value without quotes.
fn bare(view: &View<'_>, start: usize, value: Value) -> usize {
    let stop = view.run(start, LONGEST, |byte| match value {
        Value::Line => byte >= b' ' && !matches!(byte, b'"' | b'\\'),
        _ => {
            byte > b' '
                && !matches!(
                    byte,
                    b',' | b';'
                        | b'&'
                        | b'"'
                        | b'\''
                        | b'<'
                        | b'>'
                        | b'('
                        | b')'
                        | b'{'
                        | b'}'
                        | b']'
                        | b'|'
                        | b'\\'
                        | b'`'
                )
        }
    });
    let stop = if stop - start >= LONGEST { cut(view, stop) } else { stop };
    if matches!(view.at(start), b'[' | b'{' | b'$' | b'<' | b'%') && value == Value::Word {
        start
    } else {
        stop
    }
}

/// The nearest place at or before `at` where no character is cut.
fn cut(view: &View<'_>, mut at: usize) -> usize {
    while at > 0 && (0x80..=0xbf).contains(&view.at(at)) {
        at -= 1;
    }
    at
}

/// Whether a word after `password: ` looks made up by somebody rather than being the next word of a sentence.
fn generated(text: &[u8]) -> bool {
    let digit = text.iter().any(u8::is_ascii_digit);
    let sign = text
        .iter()
        .any(|byte| byte.is_ascii_punctuation() && !matches!(byte, b'.' | b'-' | b'?' | b'!' | b':'));
    text.len() >= 4 && (digit || sign) || text.len() >= 20
}

/// Whether a value says nothing, or has been masked already.
fn plain(text: &[u8]) -> bool {
    PLAIN.iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
        || PiiKind::ALL.iter().any(|kind| text == kind.mask().as_bytes())
        || text.iter().all(|byte| *byte == b'*')
}
