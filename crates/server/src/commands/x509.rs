//! Reads from a certificate what an operator wants to know: whose it is, which names it covers, when it ends.
//! It owns a small reader of DER (X.690) for the outline of RFC 5280, section 4.1. It never verifies anything:
//! that is the work of rustls.

use kernel::Time;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// The common name of the subject; empty when there is none.
    pub(crate) subject: String,
    /// The common name of the issuer; empty when there is none.
    pub(crate) issuer: String,
    /// When it ends.
    pub(crate) ends: Time,
}

const INTEGER: u8 = 0x02;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xA0;
/// id-at-commonName, 2.5.4.3.
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// Reads a DER certificate; `None` when it is not one.
pub(crate) fn read(der: &[u8]) -> Option<Certificate> {
    let mut whole = Der(der);
    let mut certificate = Der(whole.take(SEQUENCE)?);
    let mut body = Der(certificate.take(SEQUENCE)?);
    if body.peek() == Some(VERSION) {
        body.take(VERSION)?;
    }
    body.take(INTEGER)?; // serial number
    body.take(SEQUENCE)?; // signature algorithm
    let issuer = common_name(body.take(SEQUENCE)?);
    let mut validity = Der(body.take(SEQUENCE)?);
    validity.any()?; // not before
    let ends = time(validity.any()?)?;
    let subject = common_name(body.take(SEQUENCE)?);
    Some(Certificate { subject, issuer, ends })
}

/// The last common name of a distinguished name: a sequence of sets of (type, value).
fn common_name(name: &[u8]) -> String {
    let mut found = String::new();
    let mut name = Der(name);
    while let Some(set) = name.take(SET) {
        let mut set = Der(set);
        while let Some(pair) = set.take(SEQUENCE) {
            let mut pair = Der(pair);
            if pair.take(OID) == Some(&COMMON_NAME)
                && let Some((_, value)) = pair.any()
            {
                found = String::from_utf8_lossy(value).chars().filter(|c| !c.is_control()).collect();
            }
        }
    }
    found
}

/// `YYMMDDHHMMSSZ`, where 50 to 99 mean the last century, or `YYYYMMDDHHMMSSZ`.
fn time((tag, value): (u8, &[u8])) -> Option<Time> {
    let text = std::str::from_utf8(value).ok()?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let year: u32 = text.get(..2)?.parse().ok()?;
            (if year >= 50 { 1900 + year } else { 2000 + year }, text.get(2..)?)
        }
        GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let part = |from: usize| rest.get(from..from + 2);
    let text = format!("{year:04}-{}-{}T{}:{}:{}Z", part(0)?, part(2)?, part(4)?, part(6)?, part(8)?);
    Time::parse_rfc3339(&text)
}

/// A run of DER values.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The content of the next value, when it has this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.peek() != Some(tag) {
            return None;
        }
        self.any().map(|(_, content)| content)
    }

    /// The tag and content of the next value. Tags of one byte are enough for a certificate.
    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7F => (usize::from(first), rest),
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
                (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wraps content as DER.
    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82][..], &length, content].concat()
    }

    fn name(common: &str) -> Vec<u8> {
        let pair = der(SEQUENCE, &[der(OID, &COMMON_NAME), der(0x0C, common.as_bytes())].concat());
        der(SEQUENCE, &der(SET, &pair))
    }

    fn certificate(ends: &[u8]) -> Vec<u8> {
        let validity = der(SEQUENCE, &[der(UTC_TIME, b"260101000000Z"), ends.to_vec()].concat());
        let body = [
            der(VERSION, &der(INTEGER, &[2])),
            der(INTEGER, &[1]),
            der(SEQUENCE, &[]),
            name("Some Authority"),
            validity,
            name("chat.example.com"),
        ]
        .concat();
        der(SEQUENCE, &der(SEQUENCE, &body))
    }

    #[test]
    fn subject_issuer_and_end_are_read() {
        for (ends, at) in [
            (der(UTC_TIME, b"270203040506Z"), "2027-02-03T04:05:06Z"),
            (der(GENERALIZED_TIME, b"20510203040506Z"), "2051-02-03T04:05:06Z"),
        ] {
            let read = read(&certificate(&ends)).unwrap();
            assert_eq!((read.subject.as_str(), read.issuer.as_str()), ("chat.example.com", "Some Authority"));
            assert_eq!(Some(read.ends), Time::parse_rfc3339(at));
        }
    }

    #[test]
    fn anything_cut_or_altered_is_no_certificate_and_no_panic() {
        let whole = certificate(&der(UTC_TIME, b"270203040506Z"));
        for length in 0..whole.len() {
            let _ = read(&whole[..length]);
        }
        for at in 0..whole.len() {
            for value in [0, 0x7F, 0x80, 0x83, 0xFF] {
                let mut altered = whole.clone();
                altered[at] = value;
                let _ = read(&altered);
            }
        }
        assert_eq!(read(&[]), None);
        assert_eq!(read(&certificate(&der(UTC_TIME, b"not a time Z!"))), None);
    }
}
