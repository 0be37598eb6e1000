//! Numbers in digits, as people of several countries write them. It reads one number at the beginning of a text.

use super::rational::Rational;

/// A number in digits.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Digits {
    /// The bytes it takes.
    pub(crate) len: usize,
    /// What it most likely is.
    pub(crate) value: Rational,
    /// What it may be as well: `1.200` is a thousand and two hundred where the point parts thousands.
    pub(crate) other: Option<Rational>,
    /// The digits after the decimal point.
    pub(crate) places: u32,
}

/// The number at the beginning of a folded text.
pub(crate) fn read(text: &str) -> Option<Digits> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let span = |from: usize| (from..).take_while(|at| digit(*at)).count();
    // ".5"
    if bytes.first() == Some(&b'.') && digit(1) {
        let len = 1 + span(1);
        let fraction = text.get(1..len)?;
        return Some(Digits {
            len,
            value: Rational::decimal("0", fraction)?,
            other: None,
            places: places(fraction),
        });
    }
    let first = span(0);
    if first == 0 {
        return None;
    }
    let mut groups = vec![text.get(..first)?];
    let mut marks: Vec<u8> = Vec::new();
    let mut len = first;
    while let Some(mark) = bytes.get(len).copied().filter(|mark| matches!(mark, b',' | b'.' | b'\'')) {
        let size = span(len + 1);
        if size == 0 || mark == b'\'' && size != 3 {
            break;
        }
        marks.push(mark);
        groups.push(text.get(len + 1..len + 1 + size)?);
        len += 1 + size;
    }
    let thousands = |groups: &[&str]| {
        groups.first().is_some_and(|group| (1..=3).contains(&group.len()) && !group.starts_with('0'))
            && groups.iter().skip(1).all(|group| group.len() == 3)
    };
    let joined = |groups: &[&str]| Rational::decimal(&groups.concat(), "");
    let (last, before) = groups.split_last()?;
    let one_kind = marks.windows(2).all(|pair| pair.first() == pair.last());
    let plain = |len| Some(Digits { len, value: joined(groups.get(..1)?)?, other: None, places: 0 });
    match marks.as_slice() {
        [] => plain(len),
        [mark] => {
            let decimal = Rational::decimal(before.concat().as_str(), last)?;
            let grouped = if thousands(&groups) { joined(&groups) } else { None };
            Some(match (mark, grouped) {
                (b'\'', Some(grouped)) => Digits { len, value: grouped, other: None, places: 0 },
                (b'.', grouped) => Digits { len, value: decimal, other: grouped, places: places(last) },
                (_, Some(grouped)) => Digits { len, value: grouped, other: Some(decimal), places: 0 },
                (_, None) => Digits { len, value: decimal, other: None, places: places(last) },
            })
        }
        _ if one_kind && thousands(&groups) => {
            Some(Digits { len, value: joined(&groups)?, other: None, places: 0 })
        }
        _ => {
            let (mark, rest) = marks.split_last()?;
            // "1,234.50" and "1.234,50"
            if rest.iter().all(|other| other != mark) && thousands(before) {
                let value = Rational::decimal(&before.concat(), last)?;
                return Some(Digits { len, value, other: None, places: places(last) });
            }
            // A list without spaces, "1,2,3": the first of it.
            plain(first)
        }
    }
}

fn places(fraction: &str) -> u32 {
    u32::try_from(fraction.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_commas_part_thousands_and_decimals() {
        let shown = |text: &str| {
            let read = read(text).unwrap();
            (read.value.to_string(), read.other.map(|other| other.to_string()), read.len)
        };
        let table = [
            ("2640", "2640", None, 4),
            ("2,640 ", "2640", Some("2.64"), 5),
            ("2.640", "2.64", Some("2640"), 5),
            ("1,5", "1.5", None, 3),
            ("1.234,50", "1234.5", None, 8),
            ("1,234,567.5", "1234567.5", None, 11),
            ("1'200", "1200", None, 5),
            (".5", "0.5", None, 2),
            ("1,2,3", "1", None, 1),
            ("7.", "7", None, 1),
        ];
        for (text, value, other, len) in table {
            assert_eq!(shown(text), (value.to_owned(), other.map(str::to_owned), len), "{text}");
        }
        assert_eq!(read("9".repeat(60).as_str()), None);
    }
}
