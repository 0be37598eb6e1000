//! Payment cards: the prefix of a known issuer with a length that it uses (or a word such as `card` before the number),
//! the Luhn check, and a plausible grouping.

use super::context;
use super::kind::PiiKind;
use super::number::{Number, Separator};
use super::scan::Hit;
use super::view::View;

/// Words that say a card number follows: then the issuer need not be known.
const FOR: &[&str] = &[
    "card",
    "cc",
    "credit",
    "debit",
    "visa",
    "mastercard",
    "amex",
    "maestro",
    "karte",
    "kreditkarte",
    "carte",
    "tarjeta",
    "carta",
];

/// First and last prefix (over as many digits as the first has), shortest and longest number.
/// From ISO/IEC 7812 ranges as the schemes publish them.
const ISSUERS: &[(u32, u32, u32, usize, usize)] = &[
    // digits of the prefix, from, to, shortest, longest
    (1, 4, 4, 13, 19),       // Visa; 13, 16 and 19 are checked below
    (2, 51, 55, 16, 16),     // Mastercard
    (4, 2221, 2720, 16, 16), // Mastercard
    (2, 34, 34, 15, 15),     // American Express
    (2, 37, 37, 15, 15),     // American Express
    (3, 300, 305, 14, 19),   // Diners Club
    (4, 3095, 3095, 14, 19), // Diners Club
    (2, 36, 36, 14, 19),     // Diners Club
    (2, 38, 39, 14, 19),     // Diners Club
    (4, 6011, 6011, 16, 19), // Discover
    (3, 644, 649, 16, 19),   // Discover
    (2, 65, 65, 16, 19),     // Discover
    (4, 3528, 3589, 16, 19), // JCB
    (4, 2131, 2131, 15, 15), // JCB, older
    (4, 1800, 1800, 15, 15), // JCB, older
    (2, 62, 62, 16, 19),     // UnionPay
    (4, 2200, 2204, 16, 19), // Mir
    (4, 5018, 5018, 12, 19), // Maestro
    (4, 5020, 5020, 12, 19), // Maestro
    (4, 5038, 5038, 12, 19), // Maestro
    (4, 5893, 5893, 12, 19), // Maestro
    (4, 6304, 6304, 12, 19), // Maestro
    (4, 6390, 6390, 12, 19), // Maestro
    (4, 6759, 6759, 12, 19), // Maestro
    (4, 6761, 6763, 12, 19), // Maestro
];

/// The first `count` groups as a card.
pub(super) fn check(view: &View<'_>, number: &Number, count: usize) -> Option<Hit> {
    let digits = number.digits(count);
    let plausible = (12..=19).contains(&digits.len())
        && !number.plus
        && !number.bracket
        && grouped(number, count)
        && luhn(digits)
        && (issued(digits) || context::near(view, number.start, FOR));
    plausible.then(|| Hit::new(PiiKind::Card, number.start, number.end(count)))
}

/// In one piece, in fours, or as American Express and Diners print them.
fn grouped(number: &Number, count: usize) -> bool {
    let groups = number.groups(count);
    if groups.len() == 1 {
        return true;
    }
    if !matches!(number.uniform(count), Some(Separator::Space | Separator::Hyphen | Separator::Dot)) {
        return false;
    }
    let mut sizes = [0; 8];
    for (size, group) in sizes.iter_mut().zip(groups) {
        *size = group.count;
    }
    matches!(
        sizes,
        [4, 4, 4, 1..=4, 0, ..]
            | [4, 4, 4, 4, 1..=3, 0, ..]
            | [4, 6, 5 | 4, 0, ..]
            | [4, 5, 6, 0, ..]
            | [6, 13, 0, ..]
    )
}

/// Whether an issuer uses this prefix and length.
fn issued(digits: &[u8]) -> bool {
    let prefix = |count: u32| {
        digits.iter().take(count as usize).fold(0_u32, |value, digit| value * 10 + u32::from(digit - b'0'))
    };
    let length = digits.len();
    ISSUERS.iter().any(|(count, from, to, shortest, longest)| {
        (*shortest..=*longest).contains(&length)
            && (*from..=*to).contains(&prefix(*count))
            && (*from != 4 || matches!(length, 13 | 16 | 19))
    })
}

/// The check of ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0');
            match place % 2 {
                0 => value,
                _ if value > 4 => value * 2 - 9,
                _ => value * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}
