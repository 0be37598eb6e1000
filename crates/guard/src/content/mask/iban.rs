//! Account numbers (ISO 13616): the country's length and the check modulo 97, compact or in groups.

use super::kind::PiiKind;
use super::scan::Hit;
use super::view::{View, is_word};

/// Country and total length, from the registry that SWIFT keeps for ISO 13616.
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// An account number that begins at `at`.
pub(super) fn find(view: &View<'_>, at: usize) -> Option<Hit> {
    let country = [view.at(at).to_ascii_uppercase(), view.at(at + 1).to_ascii_uppercase()];
    if !country.iter().all(u8::is_ascii_uppercase)
        || !view.at(at + 2).is_ascii_digit()
        || !view.at(at + 3).is_ascii_digit()
    {
        return None;
    }
    let slot = LENGTHS.binary_search_by(|(name, _)| (*name).cmp(&country)).ok()?;
    let (_, length) = LENGTHS.get(slot)?;
    let mut rest = Modulo97::default();
    let mut head = [0_u8; 4];
    let (mut end, mut taken) = (at, 0_usize);
    while taken < *length {
        let byte = view.at(end);
        if byte.is_ascii_alphanumeric() {
            match head.get_mut(taken) {
                Some(slot) => *slot = byte,
                None => rest.take(byte),
            }
            taken += 1;
        } else if !(matches!(byte, b' ' | b'-') && taken.is_multiple_of(4) && view.at(end + 1) != byte) {
            return None;
        }
        end += 1;
    }
    if is_word(view.at(end)) {
        return None;
    }
    head.iter().for_each(|byte| rest.take(*byte));
    (rest.0 == 1).then(|| Hit::new(PiiKind::Iban, at, end))
}

/// The remainder modulo 97 of the number that the characters spell (ISO 7064: letters count 10 to 35).
#[derive(Default)]
struct Modulo97(u32);

impl Modulo97 {
    fn take(&mut self, byte: u8) {
        self.0 = match byte {
            b'0'..=b'9' => (self.0 * 10 + u32::from(byte - b'0')) % 97,
            _ => (self.0 * 100 + u32::from(byte.to_ascii_uppercase().saturating_sub(b'A')) + 10) % 97,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::LENGTHS;

    #[test]
    fn countries_are_sorted_for_the_search() {
        assert!(LENGTHS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
