//! E-mail addresses: a local part of up to 64 bytes, `@` or `%40`, a domain with a dot and a top level of letters.

use super::kind::PiiKind;
use super::scan::Hit;
use super::view::{View, is_local, is_word};

/// Longest local part, in bytes (RFC 5321, 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;
/// Longest domain, in bytes (RFC 5321, 4.5.3.1.2).
const LONGEST_DOMAIN: usize = 255;

/// How far the run of local bytes is known, so that `a.a.a.…` is walked once.
#[derive(Default)]
pub(in crate::content::mask) struct Memory {
    /// Every byte before this, from the word that was asked last, is a local byte.
    known: usize,
    /// The run ends there and no `@` follows.
    dead: usize,
}

/// An address whose local part begins with the word `at..end`.
pub(super) fn find(view: &View<'_>, at: usize, end: usize, memory: &mut Memory) -> Option<Hit> {
    if end <= memory.dead {
        return None;
    }
    let from = if memory.known > end { memory.known } else { end };
    let limit = at + LONGEST_LOCAL;
    let mut local = from;
    while local <= limit && is_local(view.at(local)) {
        local += 1;
    }
    memory.known = local;
    if local > limit {
        return None;
    }
    let domain = match view.at(local) {
        b'@' => local + 1,
        b'%' if view.starts(local + 1, b"40") => local + 3,
        _ => {
            memory.dead = local;
            return None;
        }
    };
    if view.at(local - 1) == b'.' {
        return None;
    }
    domain_end(view, domain).map(|end| Hit::new(PiiKind::Email, at, end))
}

/// The end of a domain name: at least two labels, the last one of letters (or `xn--…`).
pub(super) fn domain_end(view: &View<'_>, from: usize) -> Option<usize> {
    let limit = from + LONGEST_DOMAIN;
    let (mut at, mut labels, mut best) = (from, 0_u32, None);
    while at < limit {
        let end = view.run(at, 64, |byte| byte == b'-' || (is_word(byte) && byte != b'_'));
        if end == at || end - at > 63 {
            break;
        }
        let label = view.slice(at, end);
        let letters = label.iter().all(|byte| !byte.is_ascii_digit() && *byte != b'-') && label.len() >= 2;
        if labels > 0 && (letters || label.starts_with(b"xn--")) {
            best = Some(end);
        }
        labels += 1;
        if view.at(end) != b'.' {
            break;
        }
        at = end + 1;
    }
    best
}
