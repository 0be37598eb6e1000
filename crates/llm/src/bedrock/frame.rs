//! Frames of Amazon's event streams (`application/vnd.amazon.eventstream`), read as they arrive: any cut between bytes,
//! both checksums, headers of every type. It owns the limits on frames and headers; the stream as a whole is bounded
//! where its bytes come from. It never looks into a payload.
//!
//! A frame: its length and that of its headers (four bytes each, big endian), the CRC-32 of these eight, the headers,
//! the payload, the CRC-32 of all before it.

use crate::failure::Failure;

/// Longest frame in bytes: an answer may come as one event, escaped. Amazon allows 16 MiB.
pub(crate) const FRAME: usize = 4 << 20;
/// Most bytes of headers. Amazon allows 128 KiB and sends some hundred.
const HEADERS: usize = 16 << 10;
/// Most headers of a frame. Amazon sends three or four.
const MOST_HEADERS: usize = 32;
/// Both lengths and their checksum.
const PRELUDE: usize = 12;
/// The checksum at the end.
const CHECK: usize = 4;

/// The reader of one stream.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// A frame that is not complete yet.
    part: Vec<u8>,
}

/// A frame whose checksums hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// `:message-type`: `event`, `exception` or `error`.
    pub(crate) kind: &'a str,
    /// `:event-type`, `:exception-type` or `:error-code`, whichever fits the kind; empty when it is missing.
    pub(crate) name: &'a str,
    /// What it carries.
    pub(crate) payload: &'a [u8],
}

impl Reader {
    /// Takes the next bytes and calls `take` with each frame that they complete.
    pub(crate) fn push(
        &mut self,
        mut bytes: &[u8],
        take: &mut impl FnMut(Frame<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        while !bytes.is_empty() {
            // A frame that stands complete in these bytes is read without a copy.
            if self.part.is_empty()
                && let Some(length) = length(bytes)?
                && let Some((frame, rest)) = bytes.split_at_checked(length)
            {
                take(read(frame)?)?;
                bytes = rest;
                continue;
            }
            let wanted = length(&self.part)?.unwrap_or(PRELUDE).saturating_sub(self.part.len());
            let (more, rest) = bytes.split_at(wanted.min(bytes.len()));
            self.part.extend_from_slice(more);
            bytes = rest;
            if length(&self.part)?.is_some_and(|length| length == self.part.len()) {
                let whole = std::mem::take(&mut self.part);
                take(read(&whole)?)?;
            }
        }
        Ok(())
    }

    /// The stream ended: it must have ended between two frames.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        if self.part.is_empty() {
            Ok(())
        } else {
            Err(Failure::Garbage("the stream was cut inside of a frame"))
        }
    }
}

/// The length of the frame that begins here, once its prelude is complete; refuses one that cannot be before anything
/// is kept for it.
fn length(bytes: &[u8]) -> Result<Option<usize>, Failure> {
    let Some((prelude, _)) = bytes.split_at_checked(PRELUDE) else { return Ok(None) };
    let (lengths, check) = prelude.split_at(8);
    if number(check) != crc32fast::hash(lengths) {
        return Err(Failure::Garbage("the checksum of a frame's beginning is wrong"));
    }
    let (whole, headers) = lengths.split_at(4);
    let (whole, headers) = (number(whole) as usize, number(headers) as usize);
    if whole > FRAME || headers > HEADERS {
        return Err(Failure::Garbage("a frame is too long"));
    }
    if whole < PRELUDE + headers + CHECK {
        return Err(Failure::Garbage("the lengths of a frame do not fit"));
    }
    Ok(Some(whole))
}

/// Reads a complete frame, whose prelude [`length`] has checked.
fn read(frame: &[u8]) -> Result<Frame<'_>, Failure> {
    let malformed = || Failure::Garbage("the headers of a frame cannot be read");
    let (body, check) = frame.split_at_checked(frame.len().saturating_sub(CHECK)).ok_or_else(malformed)?;
    if number(check) != crc32fast::hash(body) {
        return Err(Failure::Garbage("the checksum of a frame is wrong"));
    }
    let headers = body.get(4..8).map_or(0, |bytes| number(bytes) as usize);
    let rest = body.get(PRELUDE..).ok_or_else(malformed)?;
    let (mut headers, payload) = rest.split_at_checked(headers).ok_or_else(malformed)?;
    let (mut kind, mut event, mut exception, mut code) = ("", "", "", "");
    for count in 0.. {
        if headers.is_empty() {
            break;
        }
        if count == MOST_HEADERS {
            return Err(Failure::Garbage("a frame has too many headers"));
        }
        let (name, value, rest) = header(headers).ok_or_else(malformed)?;
        headers = rest;
        let wanted = match name {
            b":message-type" => &mut kind,
            b":event-type" => &mut event,
            b":exception-type" => &mut exception,
            b":error-code" => &mut code,
            _ => continue,
        };
        // What we go by must be text.
        *wanted = value.ok_or_else(malformed)?;
    }
    let name = match kind {
        "exception" => exception,
        "error" => code,
        _ => event,
    };
    Ok(Frame { kind, name, payload })
}

/// A header's name, its value when that is text, and what follows it.
fn header(bytes: &[u8]) -> Option<(&[u8], Option<&str>, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length)).filter(|(name, _)| !name.is_empty())?;
    let (sort, rest) = rest.split_first()?;
    // The types of the format: flags, integers of 1, 2, 4 and 8 bytes, bytes, text, a time, a UUID.
    let fixed = match sort {
        0 | 1 => Some(0),
        2 => Some(1),
        3 => Some(2),
        4 => Some(4),
        5 | 8 => Some(8),
        9 => Some(16),
        6 | 7 => None,
        _ => return None,
    };
    let (value, rest) = match fixed {
        Some(length) => rest.split_at_checked(length)?,
        None => {
            let (length, rest) = rest.split_at_checked(2)?;
            rest.split_at_checked(number(length) as usize)?
        }
    };
    let text = if *sort == 7 { Some(std::str::from_utf8(value).ok()?) } else { None };
    Some((name, text, rest))
}

/// A number of up to four bytes, big endian.
fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
