//! Credentials that are known by their look: tokens with a prefix, JWTs, private keys, `Bearer` and `Basic`.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::kind::PiiKind;
use super::scan::Hit;
use super::view::{View, is_word};

/// How much of one credential is read, in bytes. A longer one is masked up to here.
pub(super) const LONGEST: usize = 8 * 1024;

/// Prefixes of credentials and how many characters follow at the least. Ordered by the first byte for the search.
const PREFIXES: &[(&str, usize)] = &[
    ("AGE-SECRET-KEY-1", 40),
    ("AIza", 30),
    ("AKIA", 12),
    ("AROA", 12),
    ("ASIA", 12),
    ("SG.", 20),
    ("dckr_pat_", 16),
    ("dop_v1_", 32),
    ("eyJ", 0),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("gsk_", 20),
    ("hf_", 20),
    ("npm_", 20),
    ("pk_live_", 16),
    ("pypi-", 20),
    ("rk_live_", 16),
    ("rk_test_", 16),
    ("shpat_", 20),
    ("sk-", 16),
    ("sk_live_", 16),
    ("sk_test_", 16),
    ("stoa_", 16),
    ("whsec_", 20),
    ("xai-", 20),
    ("xapp-", 10),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxe-", 10),
    ("xoxp-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("ya29.", 20),
];

const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// A credential with a known prefix at `at`, where a word begins.
pub(super) fn prefixed(view: &View<'_>, at: usize) -> Option<Hit> {
    let first = view.at(at);
    if !matches!(
        first,
        b'A' | b'S' | b'd' | b'e' | b'g' | b'h' | b'n' | b'p' | b'r' | b's' | b'w' | b'x' | b'y'
    ) {
        return None;
    }
    let (prefix, least) = PREFIXES.iter().find(|(prefix, _)| {
        prefix.as_bytes().first() == Some(&first) && view.starts(at, prefix.as_bytes())
    })?;
    let body = at + prefix.len();
    if *prefix == "eyJ" {
        return web_token(view, at);
    }
    let dotted = matches!(*prefix, "SG." | "ya29.");
    let end = view.run(body, LONGEST, |byte| is_token(byte) || (dotted && byte == b'.'));
    // Every generated token of this length holds a digit; names such as `sk-learn-compatible-api` hold none.
    let generated = view.slice(body, end).iter().any(u8::is_ascii_digit);
    (end - body >= *least && generated).then(|| Hit::new(PiiKind::Secret, at, end))
}

/// A JWT (RFC 7519): three parts, the first of which begins with the encoded `{"`.
fn web_token(view: &View<'_>, at: usize) -> Option<Hit> {
    let first = view.run(at, LONGEST, is_token);
    let second = view.run(first + 1, LONGEST, is_token);
    if view.at(first) != b'.' || first - at < 10 || second - first < 4 {
        return None;
    }
    let end = if view.at(second) == b'.' { view.run(second + 1, LONGEST, is_token) } else { second };
    Some(Hit::new(PiiKind::Secret, at, end))
}

/// The token after `Bearer ` and the credential after `Basic `; the word is `at..end` and a space follows.
pub(super) fn after_scheme(view: &View<'_>, at: usize, end: usize) -> Option<Hit> {
    let bearer = match end - at {
        6 => view.starts_fold(at, b"bearer"),
        5 if view.starts_fold(at, b"basic") => false,
        _ => return None,
    };
    if end - at == 6 && !bearer {
        return None;
    }
    let from = end + 1;
    let stop = view.run(from, LONGEST, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'+' | b'/' | b'=' | b'-')
    });
    let text = view.slice(from, stop);
    let secret = if bearer {
        text.len() >= 24 || (text.len() >= 8 && text.iter().any(u8::is_ascii_digit))
    } else {
        // Prose says `basic information`; a credential is base64 of `user:password`.
        text.len() >= 4 && ANY_PADDING.decode(text).is_ok_and(|plain| plain.contains(&b':'))
    };
    secret.then(|| Hit::new(PiiKind::Secret, from, stop))
}

/// A private key in PEM form; `-----BEGIN ` stands at `at`. With line ends written as `\n` too.
pub(super) fn private_key(view: &View<'_>, at: usize) -> Option<Hit> {
    let label = at + b"-----BEGIN ".len();
    let closed = view.run(label, 64, |byte| byte.is_ascii_uppercase() || matches!(byte, b' ' | b'0'..=b'9'));
    let name = view.slice(label, closed);
    if !name.windows(11).any(|window| window == b"PRIVATE KEY") || !view.starts(closed, b"-----") {
        return None;
    }
    let body = closed + 5;
    let dashes = view.run(body, LONGEST, |byte| byte != b'-' && byte != b'"');
    if view.starts(dashes, b"-----END ") {
        let tail = view.run(dashes + 9, 64, |byte| byte.is_ascii_uppercase() || byte == b' ');
        let end = if view.starts(tail, b"-----") { tail + 5 } else { tail };
        return Some(Hit::new(PiiKind::Secret, at, end));
    }
    // Cut off or never closed: as far as it looks like a key.
    let end = view.run(body, LONGEST, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\n' | b'\r')
    });
    let end = if is_word(view.at(end)) { body } else { end };
    Some(Hit::new(PiiKind::Secret, at, end))
}
