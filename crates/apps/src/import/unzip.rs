//! A ZIP archive read while it comes, from its front: the entries that hold conversations are given out unpacked, and files of
//! messages where the archive is one of ours; all others are passed by. What it unpacks to is bounded. It follows no name and writes nothing; the format is that of PKWARE's
//! APPNOTE 6.3.10, and what of it can only be read from the end is refused with words.

use files::zip::AHEAD;
use flate2::{Crc, Decompress, FlushDecompress, Status};
use kernel::id::FileId;
use kernel::{Fault, Result};

/// Bytes that an archive may unpack to, all entries together.
const MOST: u64 = 1 << 30;
/// How many times larger than packed an entry may be, beyond its first bytes.
const RATIO: u64 = 200;
const FREE: u64 = 1 << 20;
/// Bytes of a head with its name and extra field.
const HEAD: usize = 30 + (64 << 10) * 2;

const LOCAL: u32 = 0x0403_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;

/// What comes out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// An entry with conversations begins.
    Talks,
    /// A file of messages begins.
    File(FileId),
    /// Bytes of it.
    Bytes(Vec<u8>),
    /// It has ended.
    End,
}

/// What is wanted of an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Nothing,
    Talks,
    File(FileId),
}

/// Reads an archive.
pub(super) struct Unzip {
    buffer: Vec<u8>,
    state: State,
    unpacked: u64,
}

enum State {
    Head,
    Stored {
        left: u64,
        /// Whether its sizes stand behind it too, and how wide they are.
        behind: Option<bool>,
        sum: Crc,
        wanted: bool,
    },
    Packed {
        inflate: Box<Decompress>,
        packed: u64,
        size: Option<u64>,
        wide: bool,
        wanted: bool,
    },
    Descriptor {
        wide: bool,
        /// What the checksum must be, where it was counted.
        sum: Option<u32>,
    },
    /// Nothing more is read: the table of contents, or what cannot be read from the front.
    Over,
}

fn broken(why: &'static str) -> Fault {
    Fault::invalid("file", "broken_archive", format!("the archive cannot be read: {why}"))
}

/// What an entry holds: the names that the exports use, wherever they lie; files of messages lie in `files/ID` in ours.
fn wanted(name: &[u8]) -> Wanted {
    let mut parts = name.rsplit(|byte| *byte == b'/');
    let base = parts.next().unwrap_or_default();
    let id =
        parts.next().and_then(|part| std::str::from_utf8(part).ok()).and_then(|id| FileId::parse(id).ok());
    if let Some(id) = id.filter(|_| parts.next() == Some(b"files")) {
        return Wanted::File(id);
    }
    let talks = base == b"conversations.json"
        || base == b"conversation.json"
        || (base.starts_with(b"chat-export") || base.starts_with(b"convo-")) && base.ends_with(b".json");
    if talks { Wanted::Talks } else { Wanted::Nothing }
}

fn short(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|two| two.try_into().ok()).map_or(0, u16::from_le_bytes)
}

fn long(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_le_bytes)
}

impl Unzip {
    pub(super) fn new() -> Unzip {
        Unzip { buffer: Vec::new(), state: State::Head, unpacked: 0 }
    }

    /// Whether what was read ends where an archive may end.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Takes more bytes; gives what comes out of them.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<Piece>) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        while self.step(out)? {}
        Ok(())
    }

    /// One step; false when more bytes are needed.
    fn step(&mut self, out: &mut Vec<Piece>) -> Result<bool> {
        match &mut self.state {
            State::Over => {
                self.buffer.clear();
                Ok(false)
            }
            State::Head => self.head(out),
            State::Stored { left, behind, sum, wanted } => {
                let here = self.buffer.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                let piece: Vec<u8> = self.buffer.drain(..here).collect();
                *left -= piece.len() as u64;
                let (ended, wanted, behind) = (*left == 0, *wanted, *behind);
                if wanted && behind.is_some() {
                    sum.update(&piece);
                }
                let sum = wanted.then(|| sum.sum());
                give(piece, wanted, out);
                if ended {
                    let next = behind.map_or(State::Head, |wide| State::Descriptor { wide, sum });
                    // What the checksum speaks of has ended behind it.
                    self.end(wanted && behind.is_none(), next, out);
                }
                Ok(ended)
            }
            State::Packed { .. } => self.inflate(out),
            State::Descriptor { wide, sum } => {
                let signed = long(&self.buffer, 0) == DESCRIPTOR;
                let length = if *wide { 20 } else { 12 } + if signed { 4 } else { 0 };
                // Four bytes tell whether there is a signature; the head of the next entry follows in any case.
                if self.buffer.len() < length.max(4) {
                    return Ok(false);
                }
                let told = long(&self.buffer, if signed { 4 } else { 0 });
                if sum.is_some_and(|sum| sum != told) {
                    return Err(broken("a file is damaged"));
                }
                let counted = sum.is_some();
                self.buffer.drain(..length);
                self.end(counted, State::Head, out);
                Ok(true)
            }
        }
    }

    fn head(&mut self, out: &mut Vec<Piece>) -> Result<bool> {
        if self.buffer.len() < 4 {
            return Ok(false);
        }
        if long(&self.buffer, 0) != LOCAL {
            // The table of contents begins, or there is none.
            self.state = State::Over;
            return Ok(true);
        }
        if self.buffer.len() < 30 {
            return Ok(false);
        }
        let (flags, method) = (short(&self.buffer, 6), short(&self.buffer, 8));
        let (packed, name, extra) = (
            long(&self.buffer, 18),
            usize::from(short(&self.buffer, 26)),
            usize::from(short(&self.buffer, 28)),
        );
        let length = 30 + name + extra;
        if self.buffer.len() < length.min(HEAD) {
            return Ok(false);
        }
        let head: Vec<u8> = self.buffer.drain(..length).collect();
        let meant = wanted(head.get(30..30 + name).unwrap_or_default());
        let wanted = meant != Wanted::Nothing;
        let (streamed, wide_sizes) = (flags & 8 != 0, packed == u32::MAX);
        let extra = head.get(30 + name..).unwrap_or_default();
        let wide = extra_field(extra, 1).map(|body| number(body, 8));
        let ahead = extra_field(extra, AHEAD).map(|body| number(body, 0));
        let size = match (streamed, wide_sizes, wide) {
            (true, ..) => None,
            (false, false, _) => Some(u64::from(packed)),
            (false, true, Some(size)) => Some(size),
            (false, true, None) => return Err(broken("the size of an entry is not told")),
        };
        if flags & 1 != 0 {
            return Err(broken("it is encrypted"));
        }
        self.state = match (method, size.or(ahead.filter(|_| method == 0))) {
            (0, Some(left)) => {
                State::Stored { left, behind: streamed.then_some(wide.is_some()), sum: Crc::new(), wanted }
            }
            // Where it ends stands at the end of the archive. Nothing behind it is read; in older archives of this server
            // no conversation is.
            (0, None) if meant != Wanted::Talks => State::Over,
            (8, size) => State::Packed {
                inflate: Box::new(Decompress::new(false)),
                packed: 0,
                size,
                wide: wide.is_some(),
                wanted,
            },
            (0, None) => return Err(broken("unpack it and send `conversations.json` itself")),
            _ => {
                return Err(broken(
                    "it is packed in a way that is not known here; send `conversations.json` itself",
                ));
            }
        };
        match meant {
            Wanted::Nothing => {}
            Wanted::Talks => out.push(Piece::Talks),
            // What is read no further has not begun.
            Wanted::File(_) if matches!(self.state, State::Over) => {}
            Wanted::File(id) => out.push(Piece::File(id)),
        }
        Ok(true)
    }

    fn inflate(&mut self, out: &mut Vec<Piece>) -> Result<bool> {
        let State::Packed { inflate, packed, size, wide, wanted } = &mut self.state else { return Ok(false) };
        let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
        let mut piece = Vec::with_capacity(64 << 10);
        let status = inflate
            .decompress_vec(&self.buffer, &mut piece, FlushDecompress::None)
            .map_err(|_| broken("an entry is damaged"))?;
        let read = inflate.total_in() - before_in;
        *packed += read;
        if inflate.total_out() > FREE.max(packed.saturating_mul(RATIO)) {
            return Err(broken("an entry unpacks to far too much"));
        }
        let stuck = read == 0 && inflate.total_out() == before_out;
        let (wanted, wide, streamed) = (*wanted, *wide, size.is_none());
        if size.is_some_and(|size| *packed > size) {
            return Err(broken("an entry is longer than it says"));
        }
        let ended = status == Status::StreamEnd;
        self.buffer.drain(..usize::try_from(read).unwrap_or(usize::MAX).min(self.buffer.len()));
        self.unpacked += piece.len() as u64;
        if self.unpacked > MOST {
            return Err(broken("it unpacks to far too much"));
        }
        give(piece, wanted, out);
        if ended {
            let next = if streamed { State::Descriptor { wide, sum: None } } else { State::Head };
            self.end(wanted, next, out);
        }
        Ok(ended || !stuck)
    }

    fn end(&mut self, wanted: bool, next: State, out: &mut Vec<Piece>) {
        self.state = next;
        if wanted {
            out.push(Piece::End);
        }
    }
}

fn give(piece: Vec<u8>, wanted: bool, out: &mut Vec<Piece>) {
    if wanted && !piece.is_empty() {
        out.push(Piece::Bytes(piece));
    }
}

/// A field of the extra fields: 1 is that of ZIP64, which holds the packed size behind eight other bytes.
fn extra_field(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    while extra.len() >= 4 {
        let (id, length) = (short(extra, 0), usize::from(short(extra, 2)));
        let body = extra.get(4..4 + length)?;
        if id == wanted {
            return Some(body);
        }
        extra = extra.get(4 + length..).unwrap_or_default();
    }
    None
}

fn number(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()).map_or(0, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    /// An entry, packed or stored, with its sizes in front or behind.
    fn entry(name: &str, content: &[u8], packed: bool, streamed: bool) -> Vec<u8> {
        let body = if packed {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        } else {
            content.to_vec()
        };
        let size = if streamed { 0 } else { body.len() as u32 };
        let mut out = LOCAL.to_le_bytes().to_vec();
        for number in [20_u16, if streamed { 8 } else { 0 }, if packed { 8 } else { 0 }, 0, 0] {
            out.extend(number.to_le_bytes());
        }
        for number in [0_u32, size, content.len() as u32] {
            out.extend(number.to_le_bytes());
        }
        out.extend((name.len() as u16).to_le_bytes());
        out.extend(0_u16.to_le_bytes());
        out.extend(name.as_bytes());
        out.extend(&body);
        if streamed {
            out.extend(DESCRIPTOR.to_le_bytes());
            out.extend([0; 12]);
        }
        out
    }

    fn read(archive: &[u8], step: usize) -> Result<(Vec<String>, bool)> {
        let (mut unzip, mut out) = (Unzip::new(), Vec::new());
        for piece in archive.chunks(step) {
            unzip.push(piece, &mut out)?;
        }
        let mut texts: Vec<String> = Vec::new();
        for piece in out {
            match piece {
                Piece::Talks | Piece::File(_) => texts.push(String::new()),
                Piece::Bytes(bytes) => texts.last_mut().unwrap().push_str(&String::from_utf8_lossy(&bytes)),
                Piece::End => {}
            }
        }
        Ok((texts, unzip.is_over()))
    }

    #[test]
    fn wanted_entries_come_out_however_they_are_packed_and_cut() {
        let archive = [
            entry("user.json", b"{\"secret\": 1}", true, false),
            entry("conversations.json", b"[1]", true, true),
            entry("a/b/conversation.json", b"[2]", false, false),
            entry("image.png", &[7; 5_000], true, true),
            entry("x/conversations.json", b"[3]", true, false),
            b"PK\x01\x02 and so on".to_vec(),
        ]
        .concat();
        for step in [1, 2, 7, 64, archive.len()] {
            assert_eq!(read(&archive, step).unwrap(), (vec!["[1]".into(), "[2]".into(), "[3]".into()], true));
        }
        assert!(!read(&archive[..60], 10).unwrap().1, "what is cut off has not ended");
    }

    #[test]
    fn files_of_our_own_archives_come_out_and_damage_is_seen() {
        let id = "01939f2e-7c4a-7b31-9d55-0a6f2c1e8b47";
        let (name, content) = (format!("x/files/{id}/a.txt"), vec![7; 3_000]);
        let mut archive = files::zip::Archive::default();
        let mut bytes = archive.whole("x/conversation.json", b"[1]");
        bytes.extend(archive.begin(&name, Some(3_000)));
        archive.piece(&content);
        bytes.extend(&content);
        bytes.extend(archive.begin("unknown.bin", None));
        bytes.extend(archive.finish());
        for step in [1, 7, 997, bytes.len()] {
            let (texts, over) = read(&bytes, step).unwrap();
            assert_eq!((texts[0].as_str(), texts[1].len(), over), ("[1]", 3_000, true));
        }
        let at = bytes.iter().position(|byte| *byte == 7).unwrap();
        bytes[at + 1_500] = 8;
        assert!(read(&bytes, 64).unwrap_err().fields()[0].detail.contains("damaged"));
    }

    #[test]
    fn bombs_and_what_cannot_be_read_from_the_front_are_refused() {
        let bomb = entry("conversations.json", &vec![b' '; 8 << 20], true, false);
        assert_eq!(read(&bomb, 4_096).unwrap_err().fields()[0].code, "broken_archive");
        let behind = entry("conversations.json", b"[]", false, true);
        assert!(read(&behind, 4_096).unwrap_err().fields()[0].detail.contains("unpack it"));
        let mut encrypted = entry("conversations.json", b"[]", true, false);
        encrypted[6] = 1;
        assert!(read(&encrypted, 4_096).is_err());
        for noise in 0..200_u8 {
            let mut broken = entry("conversations.json", b"[{\"a\": \"some text\"}]", true, noise % 2 == 0);
            let at = usize::from(noise) * 7 % broken.len();
            broken[at] ^= noise | 1;
            let _ = read(&broken, 16);
        }
    }
}
