//! The little of ZIP that documents need: the directory and single parts of it, unpacked in bounded steps. It never
//! opens an archive inside an archive, and believes no size that a header states.

use super::budget::{Meter, Reason, ReasonKind};
use super::inflate::Inflate;

const END: &[u8] = b"PK\x05\x06";
const ENTRY: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";

/// An archive, held in memory.
pub(crate) struct Archive<'a> {
    bytes: &'a [u8],
    entries: Vec<Entry>,
    meter: &'a Meter,
}

struct Entry {
    name: String,
    method: u16,
    locked: bool,
    packed: usize,
    at: usize,
}

impl<'a> Archive<'a> {
    /// Reads the directory.
    pub(crate) fn open(bytes: &'a [u8], meter: &'a Meter) -> Result<Archive<'a>, Reason> {
        let damaged = || Reason::broken("The file is damaged or not complete: its directory is missing.");
        // The directory's end is followed by a comment of at most 65,535 bytes.
        let tail = bytes.len().saturating_sub(65_557);
        let found = bytes.get(tail..).unwrap_or(&[]).windows(4).rposition(|window| window == END);
        let end = tail + found.ok_or_else(damaged)?;
        let (count, mut at) = (short(bytes, end + 10), long(bytes, end + 16));
        let count = count.ok_or_else(damaged)?;
        let mut entries = Vec::new();
        for _ in 0..count {
            meter.element()?;
            let start = at.ok_or_else(damaged)?;
            if bytes.get(start..start + 4) != Some(ENTRY) {
                return Err(damaged());
            }
            let field = |offset| short(bytes, start + offset).ok_or_else(damaged);
            let (name, extra, comment) = (field(28)?, field(30)?, field(32)?);
            let from = start + 46;
            let name = bytes.get(from..from + usize::from(name)).ok_or_else(damaged)?;
            entries.push(Entry {
                name: String::from_utf8_lossy(name).into_owned(),
                method: field(10)?,
                locked: field(8)? & 1 == 1,
                packed: long(bytes, start + 20).ok_or_else(damaged)?,
                at: long(bytes, start + 42).ok_or_else(damaged)?,
            });
            at = Some(from + name.len() + usize::from(extra) + usize::from(comment));
        }
        Ok(Archive { bytes, entries, meter })
    }

    /// The names of all parts.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    /// One part, unpacked while it is read; `None` when there is none of this name.
    pub(crate) fn part(&self, name: &str) -> Result<Option<Inflate<'a>>, Reason> {
        let Some(entry) = self.entries.iter().find(|entry| entry.name == name) else { return Ok(None) };
        if entry.locked {
            return Err(Reason::new(
                ReasonKind::Encrypted,
                "The file is locked with a password; save it without one.",
            ));
        }
        let damaged = || Reason::broken(format!("The file is damaged: its part {name} is not complete."));
        if self.bytes.get(entry.at..entry.at.saturating_add(4)) != Some(LOCAL) {
            return Err(damaged());
        }
        let skip = |offset| short(self.bytes, entry.at + offset).map(usize::from).ok_or_else(damaged);
        let start = entry.at + 30 + skip(26)? + skip(28)?;
        let packed = self.bytes.get(start..start.saturating_add(entry.packed)).ok_or_else(damaged)?;
        match entry.method {
            0 => Ok(Some(Inflate::stored(packed, self.meter))),
            8 => Ok(Some(Inflate::bare(packed, self.meter))),
            _ => {
                Err(Reason::new(ReasonKind::Unsupported, "The file is packed by a method that is not read."))
            }
        }
    }
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn long(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)).ok()
}
