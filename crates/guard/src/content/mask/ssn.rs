//! US social security and individual taxpayer numbers: 3-2-4 digits of an issued range.

use super::context;
use super::kind::PiiKind;
use super::number::{Number, Separator};
use super::scan::Hit;
use super::view::View;

/// Words that say such a number follows.
const FOR: &[&str] = &["ssn", "social security", "social sec", "itin", "taxpayer", "tax id", "tax_id"];
/// Words that say the same shape is a number of things.
const AGAINST: &[&str] =
    &["part", "order", "sku", "model", "serial", "invoice", "ticket", "case", "version", "item", "product"];

/// The first `count` groups as such a number.
pub(super) fn check(view: &View<'_>, number: &Number, count: usize) -> Option<Hit> {
    let digits = number.digits(count);
    if digits.len() != 9 || number.plus || number.bracket {
        return None;
    }
    let groups = number.groups(count);
    let shaped = groups.iter().map(|group| group.count).eq([3, 2, 4]);
    let separator = number.uniform(count)?;
    let told = || context::near(view, number.start, FOR);
    let plausible = match (separator, shaped) {
        (Separator::Hyphen, true) => told() || !context::near(view, number.start, AGAINST),
        (Separator::Space | Separator::Dot, true) => told(),
        (Separator::None, _) => told(),
        _ => false,
    };
    (plausible && issued(digits)).then(|| Hit::new(PiiKind::Ssn, number.start, number.end(count)))
}

/// Whether the number may have been given to somebody: area not 000 or 666, group and serial not zero;
/// areas from 900 are taxpayer numbers, whose groups begin at 50.
fn issued(digits: &[u8]) -> bool {
    let value = |from: usize, to: usize| {
        digits
            .get(from..to)
            .unwrap_or(&[])
            .iter()
            .fold(0_u32, |value, digit| value * 10 + u32::from(digit - b'0'))
    };
    let (area, group, serial) = (value(0, 3), value(3, 5), value(5, 9));
    area != 0 && area != 666 && group != 0 && serial != 0 && (area < 900 || group >= 50)
}
