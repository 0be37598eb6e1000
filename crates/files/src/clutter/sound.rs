//! Whether a file that has an inner structure is whole: the directory of a ZIP and what it points at, the end of a
//! PDF, the syntax of JSON. It never unpacks anything and reads in bounded steps.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use serde::de::IgnoredAny;

use super::learn::fill;
use super::{Fault, Format};

/// A ZIP's end of directory and the longest comment after it.
const ZIP_TAIL: u64 = 22 + 65_535;
/// Where readers of PDF look for its end.
const PDF_TAIL: u64 = 2_048;
/// Larger JSON is taken at its word.
const JSON_MOST: u64 = 256 << 20;
/// Entries of a directory that are looked at.
const ENTRIES: usize = 200_000;

/// What is wrong with it, if something is.
pub(super) fn check<R: Read + Seek>(reader: &mut R, format: Format, size: u64) -> io::Result<Option<Fault>> {
    let sentence = match format {
        Format::Pdf => pdf(reader, size)?,
        Format::Zip => zip(reader, size)?,
        _ => None,
    };
    Ok(sentence.map(|sentence| Fault { format, sentence: sentence.to_owned() }))
}

/// Whether a text that begins like JSON is JSON.
pub(super) fn json<R: Read + Seek>(reader: &mut R, size: u64) -> io::Result<Option<Fault>> {
    if size > JSON_MOST {
        return Ok(None);
    }
    reader.seek(SeekFrom::Start(0))?;
    match serde_json::from_reader::<_, IgnoredAny>(BufReader::new(reader)) {
        Ok(IgnoredAny) => Ok(None),
        Err(error) if error.is_io() => Err(error.into()),
        Err(error) => {
            let sentence = format!("Its JSON is wrong in line {}, column {}.", error.line(), error.column());
            Ok(Some(Fault { format: Format::Json, sentence }))
        }
    }
}

fn tail<R: Read + Seek>(reader: &mut R, size: u64, most: u64) -> io::Result<Vec<u8>> {
    let length = size.min(most);
    reader.seek(SeekFrom::Start(size - length))?;
    let mut bytes = Vec::new();
    reader.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn pdf<R: Read + Seek>(reader: &mut R, size: u64) -> io::Result<Option<&'static str>> {
    let tail = tail(reader, size, PDF_TAIL)?;
    let has = |sign: &[u8]| tail.windows(sign.len()).any(|window| window == sign);
    let whole = has(b"%%EOF") || has(b"startxref");
    Ok((!whole).then_some("It is cut off: the end of the document is missing."))
}

fn zip<R: Read + Seek>(reader: &mut R, size: u64) -> io::Result<Option<&'static str>> {
    const CUT: Option<&str> = Some("It is cut off: its directory is missing.");
    const DAMAGED: Option<&str> = Some("It is damaged: its directory does not fit its content.");
    let tail = tail(reader, size, ZIP_TAIL)?;
    let Some(end) = tail.windows(4).rposition(|window| window == b"PK\x05\x06") else { return Ok(CUT) };
    let record = tail.get(end..).unwrap_or(&[]);
    let (Some(count), Some(length), Some(start)) = (short(record, 10), long(record, 12), long(record, 16))
    else {
        return Ok(CUT);
    };
    // The large form keeps its numbers elsewhere; such files are taken at their word.
    if count == usize::from(u16::MAX) || start == u64::from(u32::MAX) || length == u64::from(u32::MAX) {
        return Ok(None);
    }
    // What stands before the archive, as in one that unpacks itself, shifts every place by as much.
    let end = size - tail.len() as u64 + end as u64;
    let Some(shift) = end.checked_sub(start.saturating_add(length)) else { return Ok(DAMAGED) };
    let mut directory = Vec::new();
    reader.seek(SeekFrom::Start(start + shift))?;
    reader.take(length.min(64 << 20)).read_to_end(&mut directory)?;
    let mut at = 0;
    for _ in 0..count.min(ENTRIES) {
        let entry = directory.get(at..).unwrap_or(&[]);
        let fields = (short(entry, 28), short(entry, 30), short(entry, 32), long(entry, 42));
        let (Some(name), Some(extra), Some(comment), Some(place)) = fields else { return Ok(DAMAGED) };
        if !entry.starts_with(b"PK\x01\x02") {
            return Ok(DAMAGED);
        }
        if place != u64::from(u32::MAX) {
            let mut sign = [0; 4];
            reader.seek(SeekFrom::Start(place.saturating_add(shift)))?;
            if fill(reader, &mut sign)? < 4 || &sign != b"PK\x03\x04" {
                return Ok(DAMAGED);
            }
        }
        at += 46 + name + extra + comment;
    }
    Ok(None)
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?)))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn a_whole_archive_is_sound_and_a_cut_or_changed_one_is_not() {
        let mut whole = b"PK\x03\x04".to_vec();
        whole.extend([0; 27]);
        let start = u32::try_from(whole.len()).unwrap();
        whole.extend(b"PK\x01\x02");
        whole.extend([0; 42]);
        let length = u32::try_from(whole.len()).unwrap() - start;
        whole.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        whole.extend(length.to_le_bytes());
        whole.extend(start.to_le_bytes());
        whole.extend([0; 2]);
        let fault =
            |bytes: &[u8]| check(&mut Cursor::new(bytes), Format::Zip, bytes.len() as u64).unwrap().is_some();
        assert!(!fault(&whole));
        assert!(!fault(&[b"#!/bin/sh\n".as_slice(), &whole].concat()));
        assert!(fault(&whole[..whole.len() - 10]));
        assert!(fault(&whole[..40]));
        let mut changed = whole.clone();
        changed[0] = b'X';
        assert!(fault(&changed));
    }

    #[test]
    fn json_is_told_by_its_syntax_and_pdf_by_its_end() {
        let wrong = |text: &str| json(&mut Cursor::new(text), text.len() as u64).unwrap().is_some();
        assert!(!wrong("{\"a\": [1, 2]}\n"));
        assert!(wrong("{\"a\": [1, 2"));
        assert!(wrong("{} {}"));
        let cut =
            |text: &str| check(&mut Cursor::new(text), Format::Pdf, text.len() as u64).unwrap().is_some();
        assert!(!cut("%PDF-1.4 … startxref 9 %%EOF\n"));
        assert!(cut("%PDF-1.4 … obj"));
    }
}
