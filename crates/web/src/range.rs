//! `Range` and `If-Range` (RFC 9110, section 14): one part of bytes. Several parts, other units and what is malformed
//! are answered with the whole, as the standard allows.

use std::ops::Range;

use http::HeaderMap;
use http::header::{IF_NONE_MATCH, IF_RANGE, RANGE};

/// What was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Asked {
    /// The whole.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes that are not there.
    Nowhere,
}

/// Reads the headers for a thing of `size` bytes with this strong tag.
pub(crate) fn asked(headers: &HeaderMap, size: u64, tag: &str) -> Asked {
    let mut lines = headers.get_all(RANGE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return Asked::Whole };
    // The rest of another version is of no use; dates are not given out, so they never match.
    if headers.get(IF_RANGE).is_some_and(|condition| condition.as_bytes() != tag.as_bytes()) {
        return Asked::Whole;
    }
    line.to_str().ok().and_then(|line| part(line, size)).unwrap_or(Asked::Whole)
}

/// Whether the client has this version already.
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers.get_all(IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    let weak = |found: &str| found.trim().trim_start_matches("W/") == tag;
    lines.flat_map(|line| line.split(',')).any(|found| weak(found) || found.trim() == "*")
}

/// `None` for what is not understood.
fn part(line: &str, size: u64) -> Option<Asked> {
    let (unit, set) = line.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return None;
    }
    let (first, last) = set.trim().split_once('-')?;
    let number = |text: &str| -> Option<u64> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // More digits than a number has are a number all the same: one behind every end.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let range = match (first.trim(), last.trim()) {
        ("", length) => size.saturating_sub(number(length)?)..size,
        (first, "") => number(first)?..size,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            first..last.saturating_add(1).min(size)
        }
    };
    Some(if range.start >= range.end { Asked::Nowhere } else { Asked::Part(range) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(range: &str, condition: Option<&str>) -> Asked {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, range.parse().unwrap());
        if let Some(condition) = condition {
            headers.insert(IF_RANGE, condition.parse().unwrap());
        }
        asked(&headers, 100, "\"v1\"")
    }

    #[test]
    fn parts_of_bytes() {
        for (range, wanted) in [
            ("bytes=0-0", Asked::Part(0..1)),
            ("bytes=0-99", Asked::Part(0..100)),
            ("bytes=10-", Asked::Part(10..100)),
            ("bytes=-10", Asked::Part(90..100)),
            ("bytes=-1000", Asked::Part(0..100)),
            ("bytes=50-1000", Asked::Part(50..100)),
            ("BYTES = 5-6", Asked::Part(5..7)),
            ("bytes=0-99999999999999999999999", Asked::Part(0..100)),
            ("bytes=100-", Asked::Nowhere),
            ("bytes=100-200", Asked::Nowhere),
            ("bytes=-0", Asked::Nowhere),
            ("bytes=99999999999999999999999-", Asked::Nowhere),
            ("bytes=5-4", Asked::Whole),
            ("bytes=0-1,5-6", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("bytes=+1-2", Asked::Whole),
            ("pages=1-2", Asked::Whole),
            ("bytes", Asked::Whole),
        ] {
            assert_eq!(ask(range, None), wanted, "{range}");
        }
        assert_eq!(ask("bytes=0-1", Some("\"v1\"")), Asked::Part(0..2));
        assert_eq!(ask("bytes=0-1", Some("W/\"v1\"")), Asked::Whole);
        assert_eq!(ask("bytes=0-1", Some("\"v0\"")), Asked::Whole);
        assert_eq!(ask("bytes=0-1", Some("Sat, 21 Nov 2026 00:00:00 GMT")), Asked::Whole);
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, "bytes=0-".parse().unwrap());
        assert_eq!(asked(&headers, 0, "\"v1\""), Asked::Nowhere, "nothing has no part");
    }
}
