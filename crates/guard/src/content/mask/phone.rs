//! Telephone numbers: international ones by country code and length, national ones by how they are written.
//! Bare digits are a telephone number only beside a word that says so: ids and times are bare digits too.

use super::context;
use super::kind::PiiKind;
use super::number::{Number, Separator};
use super::scan::Hit;
use super::view::{View, is_digit, is_word};

/// Words that say a telephone number follows.
const FOR: &[&str] = &[
    "phone",
    "tel",
    "call",
    "mobile",
    "cell",
    "fax",
    "whatsapp",
    "sms",
    "dial",
    "ring",
    "msisdn",
    "contact",
    "handy",
    "hotline",
    "móvil",
    "movil",
    "teléfono",
    "téléphone",
    "office",
    "desk",
    "reach",
];
/// Words that say a number is one of things.
const AGAINST: &[&str] = &[
    "order", "invoice", "zip", "postal", "ticket", "sku", "page", "version", "port", "pid", "line", "rows",
    "bytes", "box", "isbn", "ref", "card", "account", "id", "took", "count", "size", "status", "license",
    "licence", "passport",
];
/// Words that say a number counted or measured something.
const UNITS: &[&str] = &[
    "bytes", "byte", "ms", "us", "ns", "seconds", "rows", "items", "users", "people", "times", "kb", "mb",
    "eur", "usd",
];

/// The first `count` groups as a telephone number.
pub(super) fn check(view: &View<'_>, number: &Number, count: usize) -> Option<Hit> {
    let digits = number.digits(count);
    if !(7..=17).contains(&digits.len()) {
        return None;
    }
    let end = number.end(count);
    let money = matches!(view.behind(number.start, 1), b'$' | b'#')
        || view.behind(number.start, 2) == 0xc2 && view.behind(number.start, 1) == 0xa3
        || view.behind(number.start, 3) == 0xe2 && view.behind(number.start, 1) == 0xac;
    let plausible = if number.plus {
        international(digits)
    } else if digits.starts_with(b"00") {
        count > 1 && international(digits.get(2..).unwrap_or(&[]))
    } else if money {
        false
    } else {
        national(view, number, count)
    };
    plausible.then(|| Hit::new(PiiKind::Phone, number.start, after_extension(view, end)))
}

/// Country code and subscriber: 8 to 15 digits (ITU-T E.164; the shortest in use have 8).
fn international(digits: &[u8]) -> bool {
    (8..=15).contains(&digits.len()) && assigned(digits)
}

/// Whether the digits begin with a country code that is assigned (ITU-T E.164, list of 2024, by zones).
fn assigned(digits: &[u8]) -> bool {
    match digits {
        [b'1' | b'7', ..] => true,
        [b'2', b'0' | b'7', ..] => true,
        [b'2', b'1', third, ..] => matches!(third, b'1' | b'2' | b'3' | b'6' | b'8'),
        [b'2', second, ..] => !matches!(second, b'8'),
        [b'3', b'0'..=b'4' | b'6' | b'9', ..] => true,
        [b'3', b'5' | b'7' | b'8', ..] => true,
        [b'4', ..] => true,
        [b'5', ..] => true,
        [b'6', ..] => true,
        [b'8', b'1' | b'2' | b'4' | b'6', ..] => true,
        [b'8', b'0' | b'5' | b'7' | b'8', ..] => true,
        [b'9', b'0'..=b'8', ..] => true,
        [b'9', b'9', third, ..] => !matches!(third, b'0' | b'1' | b'7'),
        _ => false,
    }
}

/// The shapes in which countries write numbers without their code.
fn national(view: &View<'_>, number: &Number, count: usize) -> bool {
    let digits = number.digits(count);
    let groups = number.groups(count);
    let mut sizes = [0; 8];
    for (size, group) in sizes.iter_mut().zip(groups) {
        *size = group.count;
    }
    let told = || context::near(view, number.start, FOR);
    let first = digits.first().copied().unwrap_or(0);
    if groups.len() == 1 {
        return (7..=12).contains(&digits.len()) && !number.bracket && told();
    }
    if number.bracket {
        let area = (1..=5).contains(&groups.first().map_or(0, |group| group.count));
        return area
            && (7..=12).contains(&digits.len())
            && groups.iter().skip(1).all(|group| group.count >= 2);
    }
    let slashes = groups.iter().filter(|group| group.before == Separator::Slash).count();
    if slashes > 1
        || (slashes == 1 && (first != b'0' || groups.get(1).map(|g| g.before) != Some(Separator::Slash)))
    {
        return false;
    }
    // North America: 3-3-4, or 1-3-3-4.
    match sizes {
        [3, 3, 4, 0, ..] if first >= b'2' => return true,
        [1, 3, 3, 4, 0, ..] if first == b'1' => return true,
        _ => {}
    }
    // A trunk zero: Europe, Australia and others.
    if first == b'0' && (9..=12).contains(&digits.len()) && groups.iter().all(|group| group.count >= 2) {
        return number.uniform(count) != Some(Separator::Dot) || groups.iter().all(|group| group.count == 2);
    }
    let local = match number.uniform(count) {
        Some(Separator::Space) => matches!(
            sizes,
            [3, 4, 0, ..]
                | [4, 4, 0, ..]
                | [2, 6, 0, ..]
                | [2, 3, 3, 0, ..]
                | [3, 2, 3, 0, ..]
                | [3, 3, 3, 0, ..]
                | [2, 2, 2, 2, 0, ..]
                | [2, 3, 2, 2, 0, ..]
                | [3, 2, 2, 2, 0, ..]
                | [2, 3, 3, 4, 0, ..]
        ),
        Some(Separator::Hyphen) => {
            matches!(sizes, [3, 4, 0, ..] | [3, 3, 3, 0, ..] | [2, 2, 2, 2, 0, ..] | [2, 3, 3, 0, ..])
                || (matches!(sizes, [4, 4, 0, ..]) && told())
        }
        _ => matches!(sizes, [3, 3, 3, 0, ..] | [3, 2, 2, 0, ..] | [2, 3, 2, 2, 0, ..]) && told(),
    };
    let end = number.end(count);
    let alone = number.groups(count + 1).len() == count;
    local && (alone && !measured(view, end) && !context::near(view, number.start, AGAINST) || told())
}

/// Whether a unit follows.
fn measured(view: &View<'_>, end: usize) -> bool {
    view.at(end) == b' '
        && UNITS
            .iter()
            .any(|unit| view.starts_fold(end + 1, unit.as_bytes()) && !is_word(view.at(end + 1 + unit.len())))
}

/// The end with an extension: `x123`, ` x123`, ` ext. 123`.
fn after_extension(view: &View<'_>, end: usize) -> usize {
    let mut at = end + usize::from(view.at(end) == b' ');
    at += match view.at(at).to_ascii_lowercase() {
        b'x' => 1,
        b'e' if view.starts_fold(at, b"ext. ") => 5,
        b'e' if view.starts_fold(at, b"ext ") || view.starts_fold(at, b"ext.") => 4,
        _ => return end,
    };
    let stop = view.run(at, 7, is_digit);
    if stop > at && stop - at < 7 && !is_word(view.at(stop)) { stop } else { end }
}
