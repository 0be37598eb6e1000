//! A ZIP archive as it is written: entry after entry, piece after piece, without ever going back, so that it can leave
//! while it is made. Entries are stored as they are; sizes and places beyond 4 GiB are understood (ZIP64). The format is
//! that of PKWARE's APPNOTE 6.3.10. It never reads an archive and never touches a file.

use crc32fast::Hasher;

/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
/// Sizes stand behind the content too.
const FLAGS: u16 = 1 << 3 | UTF8;
/// 1980-01-01: times stand in the manifest, with their zone.
const DATE: u16 = 0x21;
/// What a reader must know: ZIP64.
const VERSION: u16 = 45;
/// Names an extra field of our own: eight bytes with the size of an entry that is stored as it is. Readers from the front
/// need it, since sizes stand behind what leaves while it is made; all others pass it by.
pub const AHEAD: u16 = 0x5453;
/// Says that the number stands in the extra field.
const ELSEWHERE: u32 = u32::MAX;

struct Entry {
    name: Vec<u8>,
    crc: u32,
    size: u64,
    at: u64,
    wide: bool,
    flags: u16,
}

struct Open {
    name: Vec<u8>,
    crc: Hasher,
    size: u64,
    at: u64,
    wide: bool,
}

/// An archive under way. Each call gives the bytes that come next.
#[derive(Default)]
pub struct Archive {
    written: u64,
    entries: Vec<Entry>,
    open: Option<Open>,
}

fn put16(out: &mut Vec<u8>, numbers: &[u16]) {
    for number in numbers {
        out.extend_from_slice(&number.to_le_bytes());
    }
}

fn put32(out: &mut Vec<u8>, numbers: &[u32]) {
    for number in numbers {
        out.extend_from_slice(&number.to_le_bytes());
    }
}

fn put64(out: &mut Vec<u8>, numbers: &[u64]) {
    for number in numbers {
        out.extend_from_slice(&number.to_le_bytes());
    }
}

/// The number where it has room, else the mark that it stands elsewhere.
fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(ELSEWHERE)
}

fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// A name as far as an entry has room for it.
fn cut(name: &str) -> Vec<u8> {
    let mut length = name.len().min(usize::from(u16::MAX));
    while !name.is_char_boundary(length) {
        length -= 1;
    }
    name.as_bytes().get(..length).unwrap_or_default().to_vec()
}

impl Archive {
    /// Begins an entry; one that is open is ended first. `size` when it is known: an entry that may be larger than 4 GiB
    /// is announced as such. A name longer than 65,535 bytes is cut.
    pub fn begin(&mut self, name: &str, size: Option<u64>) -> Vec<u8> {
        let mut out = self.end();
        let at = self.written;
        let name = cut(name);
        let wide = size.is_none_or(|size| size >= u64::from(ELSEWHERE));
        let mut head = Vec::with_capacity(50 + name.len());
        put32(&mut head, &[0x0403_4b50]);
        put16(&mut head, &[if wide { VERSION } else { 20 }, FLAGS, 0, 0, DATE]);
        let sizes = if wide { ELSEWHERE } else { 0 };
        put32(&mut head, &[0, sizes, sizes]);
        let mut extra = Vec::new();
        if wide {
            put16(&mut extra, &[1, 16]);
            put64(&mut extra, &[0, 0]);
        }
        if let Some(size) = size {
            put16(&mut extra, &[AHEAD, 8]);
            put64(&mut extra, &[size]);
        }
        put16(&mut head, &[short(name.len()), short(extra.len())]);
        head.extend_from_slice(&name);
        head.extend_from_slice(&extra);
        self.open = Some(Open { name, crc: Hasher::new(), size: 0, at, wide });
        self.written += head.len() as u64;
        out.extend_from_slice(&head);
        out
    }

    /// The next bytes of the entry, which are given out as they are.
    pub fn piece(&mut self, bytes: &[u8]) {
        if let Some(open) = &mut self.open {
            open.crc.update(bytes);
            open.size += bytes.len() as u64;
            self.written += bytes.len() as u64;
        }
    }

    /// Ends the entry. Nothing when none is open.
    fn end(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let Some(open) = self.open.take() else { return out };
        let crc = open.crc.finalize();
        put32(&mut out, &[0x0807_4b50, crc]);
        if open.wide {
            put64(&mut out, &[open.size, open.size]);
        } else {
            put32(&mut out, &[narrow(open.size), narrow(open.size)]);
        }
        let Open { name, size, at, wide, .. } = open;
        self.entries.push(Entry { name, crc, size, at, wide, flags: FLAGS });
        self.written += out.len() as u64;
        out
    }

    /// A whole small entry: its sizes stand in front of it, so that it can be read while the archive comes.
    pub fn whole(&mut self, name: &str, content: &[u8]) -> Vec<u8> {
        let Ok(size) = u32::try_from(content.len()) else {
            let mut out = self.begin(name, Some(content.len() as u64));
            self.piece(content);
            out.extend_from_slice(content);
            return out;
        };
        let mut out = self.end();
        let at = self.written;
        let name = cut(name);
        let crc = crc32fast::hash(content);
        let before = out.len();
        put32(&mut out, &[0x0403_4b50]);
        put16(&mut out, &[20, UTF8, 0, 0, DATE]);
        put32(&mut out, &[crc, size, size]);
        put16(&mut out, &[short(name.len()), 0]);
        out.extend_from_slice(&name);
        out.extend_from_slice(content);
        self.written += (out.len() - before) as u64;
        self.entries.push(Entry { name, crc, size: u64::from(size), at, wide: false, flags: UTF8 });
        out
    }

    /// Ends the archive: its table of contents.
    pub fn finish(mut self) -> Vec<u8> {
        let mut out = self.end();
        let (begin, before) = (self.written, out.len());
        for entry in &self.entries {
            let mut extra = Vec::new();
            if entry.wide {
                put64(&mut extra, &[entry.size, entry.size]);
            }
            if narrow(entry.at) == ELSEWHERE {
                put64(&mut extra, &[entry.at]);
            }
            let size = if entry.wide { ELSEWHERE } else { narrow(entry.size) };
            put32(&mut out, &[0x0201_4b50]);
            // Made under Unix, a plain file that its owner reads and writes.
            put16(
                &mut out,
                &[3 << 8 | VERSION, if extra.is_empty() { 20 } else { VERSION }, entry.flags, 0, 0, DATE],
            );
            put32(&mut out, &[entry.crc, size, size]);
            let extra_length = if extra.is_empty() { 0 } else { short(extra.len()) + 4 };
            put16(&mut out, &[short(entry.name.len()), extra_length, 0, 0, 0]);
            put32(&mut out, &[0o100_600 << 16, narrow(entry.at)]);
            out.extend_from_slice(&entry.name);
            if !extra.is_empty() {
                put16(&mut out, &[1, short(extra.len())]);
                out.extend_from_slice(&extra);
            }
        }
        let end = begin + (out.len() - before) as u64;
        let (count, length) = (self.entries.len() as u64, end - begin);
        put32(&mut out, &[0x0606_4b50]);
        put64(&mut out, &[44]);
        put16(&mut out, &[3 << 8 | VERSION, VERSION]);
        put32(&mut out, &[0, 0]);
        put64(&mut out, &[count, count, length, begin]);
        put32(&mut out, &[0x0706_4b50, 0]);
        put64(&mut out, &[end]);
        put32(&mut out, &[1, 0x0605_4b50]);
        let few = u16::try_from(count).unwrap_or(u16::MAX);
        put16(&mut out, &[0, 0, few, few]);
        put32(&mut out, &[narrow(length), narrow(begin)]);
        put16(&mut out, &[0]);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
        bytes[at..at + width].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    #[test]
    fn the_table_of_contents_finds_every_entry() {
        let mut archive = Archive::default();
        let mut out = Vec::new();
        for (name, content, known) in
            [("a.json", "{}", false), ("files/ä.txt", "hello", true), ("empty", "", true)]
        {
            out.extend(archive.begin(name, known.then_some(content.len() as u64)));
            archive.piece(content.as_bytes());
            out.extend_from_slice(content.as_bytes());
        }
        out.extend(archive.whole("whole.md", b"# Hi"));
        out.extend(archive.finish());
        let end = out.len() - 22;
        assert_eq!((number(&out, end, 4), number(&out, end + 10, 2)), (0x0605_4b50, 4));
        let mut at = number(&out, end + 16, 4) as usize;
        let mut seen = Vec::new();
        for _ in 0..4 {
            assert_eq!(number(&out, at, 4), 0x0201_4b50);
            let (name, extra) = (number(&out, at + 28, 2) as usize, number(&out, at + 30, 2) as usize);
            let local = number(&out, at + 42, 4) as usize;
            assert_eq!(number(&out, local, 4), 0x0403_4b50);
            let begin =
                local + 30 + number(&out, local + 26, 2) as usize + number(&out, local + 28, 2) as usize;
            let text = String::from_utf8(out[at + 46..at + 46 + name].to_vec()).unwrap();
            let size = if extra == 0 { number(&out, at + 24, 4) } else { number(&out, at + 46 + name + 4, 8) }
                as usize;
            assert_eq!(number(&out, at + 16, 4), u64::from(crc32fast::hash(&out[begin..begin + size])));
            seen.push((text, out[begin..begin + size].to_vec()));
            at += 46 + name + extra;
        }
        assert_eq!(seen[0], ("a.json".into(), b"{}".to_vec()));
        assert_eq!(seen[1], ("files/ä.txt".into(), b"hello".to_vec()));
        assert_eq!(seen[2], ("empty".into(), Vec::new()));
        assert_eq!(seen[3], ("whole.md".into(), b"# Hi".to_vec()));
        // The end of ZIP64 stands where its locator says.
        let record = number(&out, end - 12, 8) as usize;
        assert_eq!((number(&out, record, 4), number(&out, record + 32, 8)), (0x0606_4b50, 4));
    }

    #[test]
    fn an_archive_without_entries_is_one() {
        let out = Archive::default().finish();
        assert_eq!((out.len(), number(&out, out.len() - 12, 2)), (98, 0));
    }
}
