//! Reads from a certificate when it ends: a small reader of DER (X.690) for the outline of RFC 5280, section 4.1.
//! It never judges a certificate; whether it is trusted is the work of TLS.

use crate::moment;

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xA0;

/// When the certificate ends, in seconds since 1970; `None` when it cannot be read.
pub(crate) fn ends(der: &[u8]) -> Option<u64> {
    let mut whole = der;
    let mut certificate = take(&mut whole, SEQUENCE)?;
    let mut body = take(&mut certificate, SEQUENCE)?;
    if body.first() == Some(&VERSION) {
        take(&mut body, VERSION)?;
    }
    take(&mut body, INTEGER)?; // serial number
    take(&mut body, SEQUENCE)?; // signature algorithm
    take(&mut body, SEQUENCE)?; // issuer
    let mut validity = take(&mut body, SEQUENCE)?;
    any(&mut validity)?; // not before
    let (tag, value) = any(&mut validity)?;
    time(tag, std::str::from_utf8(value).ok()?)
}

/// `YYMMDDHHMMSSZ`, where 50 to 99 mean the last century, or `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, rest) = match tag {
        UTC_TIME => {
            let year = number(0, 2)?;
            (if year >= 50 { 1900 + year } else { 2000 + year }, 2)
        }
        GENERALIZED_TIME => (number(0, 4)?, 4),
        _ => return None,
    };
    let part = |place: usize| number(rest + 2 * place, rest + 2 * place + 2);
    let (month, day, hour, minute, second) = (part(0)?, part(1)?, part(2)?, part(3)?, part(4)?);
    let days = moment::days(year, month, day)?;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// The content of the next value, which must have this tag.
fn take<'a>(rest: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    if rest.first() != Some(&tag) {
        return None;
    }
    any(rest).map(|(_, value)| value)
}

/// The next value with its tag.
fn any<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (tag, after) = rest.split_first()?;
    let (first, after) = after.split_first()?;
    let (length, after) = if *first < 0x80 {
        (usize::from(*first), after)
    } else {
        let count = usize::from(*first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let (bytes, after) = after.split_at_checked(count)?;
        (bytes.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte)), after)
    };
    let (value, after) = after.split_at_checked(length)?;
    *rest = after;
    Some((*tag, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_forms() {
        assert_eq!(time(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(time(UTC_TIME, "261121110000Z"), Some(1_795_258_800));
        assert_eq!(time(GENERALIZED_TIME, "20261121110000Z"), Some(1_795_258_800));
        assert_eq!(time(UTC_TIME, "000229235959Z"), Some(951_868_799));
        for wrong in ["", "26", "2611", "991399000000Z", "not a time at all"] {
            assert_eq!(time(UTC_TIME, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn rubbish_is_no_certificate() {
        for wrong in
            [&b""[..], b"0", &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 0x80], &[0x30, 2, 0x30, 0]]
        {
            assert_eq!(ends(wrong), None);
        }
    }
}
