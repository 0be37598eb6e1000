//! URLs: the credentials before `@`, and, where it is asked for, the whole address.

use super::kind::PiiKind;
use super::scan::{Hit, Step};
use super::view::View;

/// How much of a URL is read, in bytes.
const LONGEST: usize = 2048;
/// How long user and password may be together, in bytes.
const LONGEST_USER: usize = 512;

fn ends_url(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x7f)
}

/// A URL whose scheme is the word `at..end`; `://` follows.
pub(super) fn find(view: &View<'_>, at: usize, end: usize, whole: bool) -> Option<Step> {
    let authority = end + 3;
    if whole {
        let stop = trimmed(view, authority);
        return (stop > authority).then(|| Step::Mask(Hit::new(PiiKind::Url, at, stop)));
    }
    let stop = view.run(authority, LONGEST_USER, |byte| {
        !ends_url(byte) && !matches!(byte, b'/' | b'?' | b'#' | b'\'' | b'@')
    });
    if stop == authority || view.at(stop) != b'@' {
        return Some(Step::Pass(authority));
    }
    // A password may hold a bare `@` against the rules; the last one before the path counts.
    let mut last = stop;
    loop {
        let next = view.run(last + 1, LONGEST_USER, |byte| {
            !ends_url(byte) && !matches!(byte, b'/' | b'?' | b'#' | b'\'' | b'@')
        });
        if view.at(next) != b'@' || next - authority > LONGEST_USER {
            break;
        }
        last = next;
    }
    Some(Step::Mask(Hit::new(PiiKind::UrlCredentials, authority, last)))
}

/// `www.example.com/…`: the word is `www` and a dot follows.
pub(super) fn without_scheme(view: &View<'_>, at: usize, end: usize) -> Option<Hit> {
    if end - at != 3 || !view.starts_fold(at, b"www") {
        return None;
    }
    super::email::domain_end(view, end + 1)?;
    Some(Hit::new(PiiKind::Url, at, trimmed(view, end + 1)))
}

/// The end of the URL without the punctuation of the sentence around it.
fn trimmed(view: &View<'_>, from: usize) -> usize {
    let mut stop = view.run(from, LONGEST, |byte| !ends_url(byte));
    while stop > from
        && (matches!(view.at(stop - 1), b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' | b')' | b']')
            || view.at(stop - 1) >= 0x80)
    {
        stop -= 1;
    }
    stop
}
