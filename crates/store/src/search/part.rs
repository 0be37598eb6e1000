//! The bytes of the index: which messages a run holds, and where its words are. It knows neither keys nor the database.
//!
//! A word is 40 bits of a keyed hash. A part holds a share of all words, those that begin with the same bits, in order:
//! five bytes, the length of what follows, and the places of the messages as steps from one to the next.

use std::collections::BTreeMap;

use kernel::{Fault, Result};

/// Messages of which one page tells.
pub(super) const PAGE: usize = 256;

/// Bytes of a word.
const WORD: usize = 5;

/// Bytes of an entry: time, message, conversation, flags.
const ENTRY: usize = 8 + 16 + 16 + 1;

const FROM_USER: u8 = 1;
const HAS_FILE: u8 = 2;

/// A message as a run knows it. They are ordered by time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Entry {
    pub(crate) at: i64,
    pub(crate) message: u128,
    pub(crate) conversation: u128,
    pub(crate) from_user: bool,
    pub(crate) has_file: bool,
}

/// The places of the messages that hold each word.
pub(super) type Words = BTreeMap<u64, Vec<u32>>;

/// 40 bits of a hash.
pub(super) const fn word(hash: u64) -> u64 {
    hash >> 24
}

/// How many parts hold the words of a run of this level.
pub(super) const fn parts(level: i64) -> u64 {
    if level == 0 { 64 } else { 1_024 }
}

/// The part that holds a word.
pub(super) const fn part_of(level: i64, word: u64) -> i64 {
    // At most ten bits, so that it fits.
    (word >> (40 - parts(level).trailing_zeros())) as i64
}

/// The part that tells of the message at this place.
pub(super) fn page_of(place: u32) -> i64 {
    -1 - i64::from(place / PAGE as u32)
}

fn broken() -> Fault {
    Fault::internal("a part of the index of the search cannot be read")
}

/// The pages of these messages, in order.
pub(super) fn write_entries(entries: &[Entry]) -> Vec<Vec<u8>> {
    let page = |page: &[Entry]| {
        let mut bytes = Vec::with_capacity(page.len() * ENTRY);
        for entry in page {
            bytes.extend_from_slice(&entry.at.to_le_bytes());
            bytes.extend_from_slice(&entry.message.to_le_bytes());
            bytes.extend_from_slice(&entry.conversation.to_le_bytes());
            let flag = |set: bool, flag: u8| if set { flag } else { 0 };
            bytes.push(flag(entry.from_user, FROM_USER) | flag(entry.has_file, HAS_FILE));
        }
        bytes
    };
    entries.chunks(PAGE).map(page).collect()
}

/// The messages of a page.
pub(super) fn read_entries(bytes: &[u8]) -> Result<Vec<Entry>> {
    let entry = |mut bytes: &[u8]| -> Option<Entry> {
        Some(Entry {
            at: i64::from_le_bytes(*take(&mut bytes)?),
            message: u128::from_le_bytes(*take(&mut bytes)?),
            conversation: u128::from_le_bytes(*take(&mut bytes)?),
            from_user: bytes.first()? & FROM_USER != 0,
            has_file: bytes.first()? & HAS_FILE != 0,
        })
    };
    bytes.chunks(ENTRY).map(|bytes| entry(bytes).ok_or_else(broken)).collect()
}

fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (front, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(front)
}

fn put_number(mut number: u64, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// The parts of these words, with their numbers. A part without a word is not written.
pub(super) fn write_words(level: i64, words: &Words) -> Vec<(i64, Vec<u8>)> {
    let mut parts: Vec<(i64, Vec<u8>)> = Vec::new();
    let mut steps = Vec::new();
    // In order, so that the words of a part follow each other.
    for (word, places) in words {
        let part = part_of(level, *word);
        if parts.last().is_none_or(|(last, _)| *last != part) {
            parts.push((part, Vec::new()));
        }
        let Some((_, bytes)) = parts.last_mut() else { continue };
        steps.clear();
        let mut before = 0;
        for place in places {
            put_number(u64::from(place.saturating_sub(before)), &mut steps);
            before = *place;
        }
        bytes.extend(word.to_be_bytes().iter().skip(8 - WORD));
        put_number(steps.len() as u64, bytes);
        bytes.extend_from_slice(&steps);
    }
    parts
}

/// Calls `look` with each word of a part, in order, and with the bytes of its places, until it says `false`.
fn each_word<'a>(mut bytes: &'a [u8], mut look: impl FnMut(u64, &'a [u8]) -> Result<bool>) -> Result<()> {
    while !bytes.is_empty() {
        let front: &[u8; WORD] = take(&mut bytes).ok_or_else(broken)?;
        let word = front.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        let length = take_number(&mut bytes).and_then(|length| usize::try_from(length).ok());
        let split = length.and_then(|length| bytes.split_at_checked(length));
        let (places, rest) = split.ok_or_else(broken)?;
        bytes = rest;
        if !look(word, places)? {
            break;
        }
    }
    Ok(())
}

fn places(mut bytes: &[u8]) -> Result<Vec<u32>> {
    // Most steps take one byte.
    let mut places = Vec::with_capacity(bytes.len());
    let mut place: u32 = 0;
    while !bytes.is_empty() {
        let step = take_number(&mut bytes).and_then(|step| u32::try_from(step).ok());
        place = step.and_then(|step| place.checked_add(step)).ok_or_else(broken)?;
        places.push(place);
    }
    Ok(places)
}

/// The places of a word in a part; empty when it is not there.
pub(super) fn find(bytes: &[u8], wanted: u64) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    each_word(bytes, |word, bytes| {
        if word == wanted {
            found = places(bytes)?;
        }
        Ok(word < wanted)
    })?;
    Ok(found)
}

/// Every word of a part with its places.
pub(super) fn read_words(bytes: &[u8], mut take: impl FnMut(u64, Vec<u32>)) -> Result<()> {
    each_word(bytes, |word, bytes| {
        take(word, places(bytes)?);
        Ok(true)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut words = Words::new();
        for n in 0..5_000_u64 {
            let hash = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            words.insert(word(hash), (0..n as u32 % 7).map(|m| m * m * 300 + n as u32 % 3).collect());
        }
        words.insert(0, vec![0]);
        words.insert((1 << 40) - 1, vec![8_191]);
        for level in [0, 1] {
            let parts: BTreeMap<i64, Vec<u8>> = write_words(level, &words).into_iter().collect();
            assert!(parts.len() as u64 <= super::parts(level));
            let mut read = Words::new();
            for (part, bytes) in &parts {
                read_words(bytes, |word, places| {
                    assert_eq!(part_of(level, word), *part);
                    read.insert(word, places);
                })
                .unwrap();
            }
            assert_eq!(read, words);
            for (word, places) in &words {
                assert_eq!(find(&parts[&part_of(level, *word)], *word).unwrap(), *places);
            }
            assert!(find(&parts[&0], 1).unwrap().is_empty());
        }
        let entries: Vec<Entry> = (0..600)
            .map(|n| Entry {
                at: n - 9,
                message: n as u128 * 77,
                conversation: u128::MAX - n as u128,
                from_user: n % 2 == 0,
                has_file: n % 3 == 0,
            })
            .collect();
        let pages = write_entries(&entries);
        assert_eq!(pages.len(), 3);
        let read: Vec<Entry> = pages.iter().flat_map(|page| read_entries(page).unwrap()).collect();
        assert_eq!(read, entries);
        assert_eq!((page_of(0), page_of(255), page_of(256)), (-1, -1, -2));
    }

    #[test]
    fn what_is_cut_is_refused() {
        let words = Words::from([(7, vec![1, 200, 70_000]), (8, vec![3])]);
        let (_, bytes) = write_words(0, &words).remove(0);
        let cuts = (1..bytes.len()).filter(|cut| read_words(&bytes[..*cut], |_, _| ()).is_ok());
        assert_eq!(cuts.count(), 1, "between the two words");
        assert!(read_entries(&[0; ENTRY + 1]).is_err());
        assert!(read_words(&[0xff; 64], |_, _| ()).is_err());
    }
}
