//! What looks like numbers of people and is none: UUIDs, times of RFC 3339, dates, hashes.
//! The walk steps over them as a whole, so that no part of them is taken for a telephone number or a card.

use super::view::{View, is_digit, is_hex, is_word};

/// The end of a harmless shape that begins with the word `at..end`.
pub(super) fn harmless(view: &View<'_>, at: usize, end: usize) -> Option<usize> {
    match (end - at, view.at(end)) {
        (8, b'-') => uuid(view, at),
        (4, b'-' | b'/' | b'.') => time(view, at),
        (1 | 2, b'-' | b'/' | b'.') => date(view, at, end),
        _ => None,
    }
}

fn hex(view: &View<'_>, from: usize, count: usize) -> bool {
    (from..from + count).all(|at| is_hex(view.at(at)))
}

fn digits(view: &View<'_>, from: usize, count: usize) -> bool {
    (from..from + count).all(|at| is_digit(view.at(at)))
}

fn uuid(view: &View<'_>, at: usize) -> Option<usize> {
    let groups = [(0, 8), (9, 4), (14, 4), (19, 4), (24, 12)];
    let mut end = at;
    for (offset, count) in groups {
        if offset > 0 && view.at(end) != b'-' || !hex(view, at + offset, count) {
            return None;
        }
        end = at + offset + count;
    }
    (!is_word(view.at(end))).then_some(end)
}

/// Two digits as a number below 100; 99 when they are none.
fn pair(view: &View<'_>, at: usize) -> u8 {
    match (view.at(at), view.at(at + 1)) {
        (tens @ b'0'..=b'9', ones @ b'0'..=b'9') => (tens - b'0') * 10 + (ones - b'0'),
        _ => 99,
    }
}

/// `2026-11-21`, with `T` or a space and `01:02:03.000004`, and `Z` or an offset; also with `/` or `.`.
fn time(view: &View<'_>, at: usize) -> Option<usize> {
    let separator = view.at(at + 4);
    let well_formed = digits(view, at, 4)
        && (1..=12).contains(&pair(view, at + 5))
        && view.at(at + 7) == separator
        && (1..=31).contains(&pair(view, at + 8));
    if !well_formed || is_digit(view.at(at + 10)) {
        return None;
    }
    let mut end = at + 10;
    let clock = matches!(view.at(end), b'T' | b't' | b' ' | b'_')
        && pair(view, end + 1) <= 24
        && view.at(end + 3) == b':'
        && pair(view, end + 4) <= 59;
    if !clock {
        return Some(end);
    }
    end += 6;
    if view.at(end) == b':' && pair(view, end + 1) <= 60 {
        end += 3;
        if matches!(view.at(end), b'.' | b',') && is_digit(view.at(end + 1)) {
            end = view.run(end + 1, 9, is_digit);
        }
    }
    if matches!(view.at(end), b'+' | b'-') && pair(view, end + 1) <= 24 {
        let minutes = end + 3 + usize::from(view.at(end + 3) == b':');
        if pair(view, minutes) <= 59 {
            end = minutes + 2;
        }
    }
    Some(end)
}

/// `21.11.2026`, `11/21/2026`, `1-2-1999`.
fn date(view: &View<'_>, at: usize, end: usize) -> Option<usize> {
    let separator = view.at(end);
    let second = view.run(end + 1, 2, is_digit);
    let year = second + 1;
    let well_formed = digits(view, at, end - at)
        && second > end + 1
        && view.at(second) == separator
        && matches!((view.at(year), view.at(year + 1)), (b'1', b'9') | (b'2', b'0'))
        && digits(view, year, 4)
        && !is_word(view.at(year + 4))
        && !(view.at(year + 4) == separator && is_digit(view.at(year + 5)));
    well_formed.then_some(year + 4)
}
