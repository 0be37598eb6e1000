//! Reads CBOR (RFC 8949) in the canonical form that CTAP2 demands: shortest numbers, definite lengths, sorted keys, no
//! tags, no floats, four levels at most. It copies nothing, trusts no length, and never reads what no authenticator
//! writes.

use super::Refusal;

/// CTAP 2.1, section 8: messages nest four levels of maps and arrays at most.
const LEVELS: u8 = 4;

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const SIMPLE: u8 = 7;

/// `false`, `true` and `null`: the only simple values that are read. Floats have the same kind and larger arguments.
const SIMPLE_VALUES: std::ops::RangeInclusive<u64> = 20..=22;

/// What is not read yet.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader(bytes)
    }

    /// What follows.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Nothing follows.
    pub(super) fn end(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::Cbor("bytes follow the end")) }
    }

    /// An integer. One beyond 64 signed bits is no name and no number of anything here.
    pub(super) fn integer(&mut self) -> Result<i64, Refusal> {
        let (major, argument) = self.head()?;
        let value = i64::try_from(argument).map_err(|_| Refusal::Cbor("an integer is out of range"))?;
        match major {
            UNSIGNED => Ok(value),
            // -1 - value, which no i64 that is not negative can overflow.
            NEGATIVE => Ok(!value),
            _ => Err(Refusal::Cbor("an integer is missing")),
        }
    }

    /// A string of bytes.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Refusal> {
        match self.head()? {
            (BYTES, length) => self.take(length),
            _ => Err(Refusal::Cbor("a string of bytes is missing")),
        }
    }

    /// A text.
    pub(super) fn text(&mut self) -> Result<&'a str, Refusal> {
        match self.head()? {
            (TEXT, length) => utf8(self.take(length)?),
            _ => Err(Refusal::Cbor("a text is missing")),
        }
    }

    /// The beginning of a map: how many entries follow.
    pub(super) fn map(&mut self) -> Result<u64, Refusal> {
        match self.head()? {
            (MAP, entries) => Ok(entries),
            _ => Err(Refusal::Cbor("a map is missing")),
        }
    }

    /// Passes over a map and everything in it, which still has to be canonical. `outside` is the number of maps and
    /// arrays that it lies in.
    pub(super) fn skip_map(&mut self, outside: u8) -> Result<(), Refusal> {
        let mut ahead = *self;
        ahead.map()?;
        self.skip(outside)
    }

    /// Passes over one value.
    fn skip(&mut self, outside: u8) -> Result<(), Refusal> {
        let (major, argument) = self.head()?;
        if matches!(major, ARRAY | MAP) && outside >= LEVELS {
            return Err(Refusal::Cbor("too deep"));
        }
        match major {
            UNSIGNED | NEGATIVE => Ok(()),
            BYTES => self.take(argument).map(drop),
            TEXT => self.take(argument).and_then(utf8).map(drop),
            // No length is trusted: each element takes a byte at least, so the loop ends with the input.
            ARRAY => (0..argument).try_for_each(|_| self.skip(outside + 1)),
            MAP => self.skip_entries(argument, outside + 1),
            SIMPLE if SIMPLE_VALUES.contains(&argument) => Ok(()),
            _ => Err(Refusal::Cbor("a kind of value that is not used")),
        }
    }

    fn skip_entries(&mut self, entries: u64, outside: u8) -> Result<(), Refusal> {
        let mut before: &[u8] = &[];
        for _ in 0..entries {
            let key = self.key()?;
            // Numbers and lengths are in their shortest form, so that the order of the encoded keys is CTAP2's order
            // (by kind, then by length, then by bytes). The same key twice is not in order either.
            if key <= before {
                return Err(Refusal::Cbor("keys are out of order, or there twice"));
            }
            before = key;
            self.skip(outside)?;
        }
        Ok(())
    }

    /// A key of a map, as it is encoded: an integer or a text.
    fn key(&mut self) -> Result<&'a [u8], Refusal> {
        let whole = self.0;
        match self.head()? {
            (UNSIGNED | NEGATIVE, _) => {}
            (TEXT, length) => drop(utf8(self.take(length)?)?),
            _ => return Err(Refusal::Cbor("a key is neither integer nor text")),
        }
        let length = whole.len().saturating_sub(self.0.len());
        whole.get(..length).ok_or(Refusal::Cbor("too short"))
    }

    /// The kind of the next value and the number that comes with it.
    fn head(&mut self) -> Result<(u8, u64), Refusal> {
        let first = self.take(1)?.first().copied().unwrap_or_default();
        let (major, additional) = (first >> 5, first & 0x1f);
        let argument = match additional {
            0..=23 => return Ok((major, u64::from(additional))),
            24 => self.number(1)?,
            25 => self.number(2)?,
            26 => self.number(4)?,
            27 => self.number(8)?,
            // 28 to 30 mean nothing, 31 is a value without a length.
            _ => return Err(Refusal::Cbor("a length is missing")),
        };
        let shortest = match additional {
            24 => argument > 23,
            25 => argument > u64::from(u8::MAX),
            26 => argument > u64::from(u16::MAX),
            _ => argument > u64::from(u32::MAX),
        };
        if !shortest {
            return Err(Refusal::Cbor("a number is not in its shortest form"));
        }
        Ok((major, argument))
    }

    fn number(&mut self, length: u64) -> Result<u64, Refusal> {
        Ok(self.take(length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Refusal> {
        let split = usize::try_from(length).ok().and_then(|length| self.0.split_at_checked(length));
        let (taken, rest) = split.ok_or(Refusal::Cbor("too short"))?;
        self.0 = rest;
        Ok(taken)
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(bytes).map_err(|_| Refusal::Cbor("a text is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whether this is one canonical value and nothing else.
    fn reads(bytes: &[u8]) -> bool {
        let mut reader = Reader::new(bytes);
        reader.skip(0).and_then(|()| reader.end()).is_ok()
    }

    #[test]
    fn integers_are_read_to_the_limits() {
        for (bytes, value) in [
            (&[0x00][..], 0),
            (&[0x17], 23),
            (&[0x18, 24], 24),
            (&[0x19, 1, 0], 256),
            (&[0x1a, 0, 1, 0, 0], 65_536),
            (&[0x1b, 0, 0, 0, 1, 0, 0, 0, 0], 1 << 32),
            (&[0x1b, 0x7f, 255, 255, 255, 255, 255, 255, 255], i64::MAX),
            (&[0x20], -1),
            (&[0x38, 24], -25),
            (&[0x39, 1, 0], -257),
            (&[0x3b, 0x7f, 255, 255, 255, 255, 255, 255, 255], i64::MIN),
        ] {
            assert_eq!(Reader::new(bytes).integer(), Ok(value), "{bytes:?}");
        }
        for bytes in [
            &[0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0][..],
            &[0x3b, 0x80, 0, 0, 0, 0, 0, 0, 0],
            &[0x41, 0],
            &[0xf5],
            &[],
        ] {
            assert!(Reader::new(bytes).integer().is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_number_has_one_spelling() {
        for bytes in [
            &[0x18, 23][..],
            &[0x19, 0, 255],
            &[0x1a, 0, 0, 255, 255],
            &[0x1b, 0, 0, 0, 0, 255, 255, 255, 255],
            &[0x58, 1, 0],
            &[0x78, 1, b'a'],
            &[0x98, 1, 0],
            &[0xb8, 1, 0, 0],
        ] {
            assert!(!reads(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn the_wrong_kind_is_refused() {
        let (text, bytes, map) = (&[0x61, b'a'][..], &[0x41, b'a'][..], &[0xa0][..]);
        assert_eq!(Reader::new(text).text(), Ok("a"));
        assert_eq!(Reader::new(bytes).bytes(), Ok(&b"a"[..]));
        assert_eq!(Reader::new(map).map(), Ok(0));
        assert!(Reader::new(text).bytes().is_err() && Reader::new(text).map().is_err());
        assert!(Reader::new(bytes).text().is_err() && Reader::new(bytes).map().is_err());
        assert!(Reader::new(map).text().is_err() && Reader::new(map).bytes().is_err());
        assert!(Reader::new(&[0x61, 0xff]).text().is_err());
        assert!(Reader::new(map).skip_map(0).is_ok() && Reader::new(&[0x80]).skip_map(0).is_err());
    }

    #[test]
    fn every_cut_and_every_addition_is_refused() {
        // {"a": [1, -2, h'0102', true], "b": {1: null, -1: "é"}}
        let whole = [
            0xa2, 0x61, b'a', 0x84, 1, 0x21, 0x42, 1, 2, 0xf5, 0x61, b'b', 0xa2, 1, 0xf6, 0x20, 0x62, 0xc3,
            0xa9,
        ];
        assert!(reads(&whole));
        for at in 0..whole.len() {
            assert!(!reads(&whole[..at]), "cut at {at}");
        }
        assert!(!reads(&[&whole[..], &[0]].concat()));
    }

    #[test]
    fn four_levels_and_not_five() {
        assert!(reads(&[0x81, 0x81, 0x81, 0x81, 0]));
        assert!(!reads(&[0x81, 0x81, 0x81, 0x81, 0x80]));
        assert!(reads(&[0xa1, 0, 0xa1, 0, 0xa1, 0, 0xa1, 0, 0]));
        assert!(!reads(&[0xa1, 0, 0xa1, 0, 0xa1, 0, 0xa1, 0, 0xa0]));
        assert!(!reads(&[0x81; 100_000]), "and the stack holds");
        assert!(Reader::new(&[0xa0]).skip_map(3).is_ok());
        assert!(Reader::new(&[0xa0]).skip_map(4).is_err());
    }

    #[test]
    fn huge_lengths_end_with_the_input() {
        for kind in [0x40, 0x60, 0x80, 0xa0] {
            assert!(!reads(&[kind | 27, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0]), "{kind:x}");
            assert!(!reads(&[kind | 26, 255, 255, 255, 255, 0, 0]), "{kind:x}");
        }
    }

    #[test]
    fn keys_are_sorted_and_there_once() {
        // 1, 3, -1, -2, "a", "b", "aa": by kind, then length, then bytes.
        let keys: [&[u8]; 7] =
            [&[1], &[3], &[0x20], &[0x21], &[0x61, b'a'], &[0x61, b'b'], &[0x62, b'a', b'a']];
        for (at, first) in keys.iter().enumerate() {
            for (other, second) in keys.iter().enumerate() {
                let map = [&[0xa2], *first, &[0], *second, &[0]].concat();
                assert_eq!(reads(&map), at < other, "{map:?}");
            }
        }
        assert!(!reads(&[0xa1, 0x41, 0, 0]), "bytes are no key");
        assert!(!reads(&[0xa1, 0x80, 0]), "an array is no key");
        assert!(!reads(&[0xa1, 0x61, 0xff, 0]), "a key is text");
    }

    #[test]
    fn what_no_authenticator_writes_is_refused() {
        for bytes in [
            &[0xc0, 0][..],                        // a tag
            &[0xf7],                               // undefined
            &[0xe0],                               // an unassigned simple value
            &[0xf8, 32],                           // the same, longer
            &[0xf9, 0x3c, 0],                      // 1.0 as a half
            &[0xfa, 0x3f, 0x80, 0, 0],             // as a single
            &[0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0], // as a double
            &[0x5f, 0xff],                         // bytes without a length
            &[0x7f, 0xff],                         // a text without one
            &[0x9f, 0xff],                         // an array without one
            &[0xbf, 0xff],                         // a map without one
            &[0x1c],                               // a reserved length
            &[0xff],                               // an end of nothing
        ] {
            assert!(!reads(bytes), "{bytes:?}");
        }
        assert!(reads(&[0xf4]) && reads(&[0xf5]) && reads(&[0xf6]));
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader::new(&bytes);
            let _ = reader.skip(0);
            for mut reader in [Reader::new(&bytes); 4] {
                let _ = (reader.integer(), reader.text(), reader.bytes(), reader.map());
            }
        }
    }
}
