//! Addresses of machines: IPv4, IPv6 in every written form, hardware addresses.
//! Loopback, unspecified and broadcast addresses name nobody and are left alone.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::kind::PiiKind;
use super::scan::Hit;
use super::view::{View, is_digit, is_hex, is_word};

/// Longest written IPv6 address, in bytes: eight groups, or six and a dotted IPv4.
const LONGEST_V6: usize = 45;

/// Four octets at `at`; not a part of something longer, such as a version.
pub(super) fn ipv4(view: &View<'_>, at: usize) -> Option<Hit> {
    let inside = matches!(view.behind(at, 1), b'.' | b'-') && is_word(view.behind(at, 2));
    if inside {
        return None;
    }
    let mut octets = [0_u8; 4];
    let mut end = at;
    for (index, octet) in octets.iter_mut().enumerate() {
        if index > 0 {
            if view.at(end) != b'.' {
                return None;
            }
            end += 1;
        }
        let stop = view.run(end, 4, is_digit);
        *octet = decimal(view.slice(end, stop))?;
        end = stop;
    }
    let next = view.at(end);
    let longer = is_word(next)
        || (next == b'.' && is_word(view.at(end + 1)))
        || (next == b'-' && view.at(end + 1).is_ascii_alphabetic());
    if longer || after_version(view, at) {
        return None;
    }
    let address = Ipv4Addr::from(octets);
    let nobody = address.is_loopback() || address.is_unspecified() || address.is_broadcast();
    (!nobody).then(|| Hit::new(PiiKind::Ip, at, end))
}

fn decimal(digits: &[u8]) -> Option<u8> {
    if digits.is_empty() || digits.len() > 3 || (digits.len() > 1 && digits.first() == Some(&b'0')) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether the word before says that a version follows: `version 1.2.3.4`.
fn after_version(view: &View<'_>, at: usize) -> bool {
    let before = view.before(at, 12).to_ascii_lowercase();
    let words = before.trim_ascii_end();
    let words = words.strip_suffix(b":").or_else(|| words.strip_suffix(b"=")).unwrap_or(words);
    let words = words.strip_suffix(b"\"").unwrap_or(words);
    [&b"version"[..], b"release", b"build", b" ver", b" v", b"ver."].iter().any(|word| words.ends_with(word))
}

/// An IPv6 address at `at`, compressed or not, with a dotted tail or not.
pub(super) fn ipv6(view: &View<'_>, at: usize) -> Option<Hit> {
    if matches!(view.behind(at, 1), b':' | b'.') || is_word(view.behind(at, 1)) && view.at(at) == b':' {
        return None;
    }
    let mut end = view.run(at, LONGEST_V6 + 1, |byte| is_hex(byte) || byte == b':' || byte == b'.');
    if end - at > LONGEST_V6 || is_word(view.at(end)) {
        return None;
    }
    while end > at && (view.at(end - 1) == b'.' || (view.at(end - 1) == b':' && view.behind(end, 2) != b':'))
    {
        end -= 1;
    }
    let text = view.slice(at, end);
    let colons = text.iter().filter(|byte| **byte == b':').count();
    // `a::b` and `dead::beef` are paths in source text far more often than addresses.
    if colons < 2 || !text.iter().any(u8::is_ascii_digit) {
        return None;
    }
    let address = Ipv6Addr::from_str(std::str::from_utf8(text).ok()?).ok()?;
    let mapped = address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback() || v4.is_unspecified());
    let nobody = address.is_loopback() || address.is_unspecified() || mapped;
    (!nobody).then(|| Hit::new(PiiKind::Ip, at, end))
}

/// Six pairs of hexadecimal digits with `:` or `-` between them.
pub(super) fn mac(view: &View<'_>, at: usize) -> Option<Hit> {
    let separator = view.at(at + 2);
    if !matches!(separator, b':' | b'-') || view.behind(at, 1) == separator {
        return None;
    }
    for index in 0..6 {
        let pair = at + index * 3;
        if !is_hex(view.at(pair)) || !is_hex(view.at(pair + 1)) {
            return None;
        }
        if index < 5 && view.at(pair + 2) != separator {
            return None;
        }
    }
    let end = at + 17;
    let next = view.at(end);
    let text = view.slice(at, end);
    let nobody = text.iter().all(|byte| matches!(byte, b'0' | b':' | b'-'));
    (!nobody && !is_word(next) && next != separator).then(|| Hit::new(PiiKind::Mac, at, end))
}
