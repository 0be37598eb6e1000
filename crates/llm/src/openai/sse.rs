//! Server-sent events, read as they arrive: any cut between bytes, CRLF, LF or CR, comments, several `data` lines.
//! It owns the limit on lines and events; the stream as a whole is bounded where its bytes come from. It never looks
//! into an event: names, ids and retry times of the provider are dropped here.

use memchr::memchr2;

use crate::failure::Failure;

/// Longest line and longest event in bytes: an answer may come as one event, escaped.
const EVENT: usize = 4 << 20;

/// The reader of one stream.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// A line that is not complete yet.
    line: Vec<u8>,
    /// The data of an event that is not complete yet.
    data: Vec<u8>,
    has_data: bool,
    /// The last byte was CR: an LF that follows belongs to it.
    after_cr: bool,
    begun: bool,
}

impl Reader {
    /// Takes the next bytes and calls `take` with the data of each event that they complete.
    pub(crate) fn push(
        &mut self,
        mut bytes: &[u8],
        take: &mut impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        // Data that stands complete in these bytes is handed on without a copy.
        let mut borrowed: Option<&[u8]> = None;
        while let Some(end) = memchr2(b'\n', b'\r', bytes) {
            let (line, rest) = bytes.split_at(end);
            let mark = rest.first().copied();
            bytes = rest.get(1..).unwrap_or_default();
            let second_half = mark == Some(b'\n') && self.after_cr && line.is_empty();
            self.after_cr = mark == Some(b'\r');
            if second_half {
                continue;
            }
            if self.line.is_empty() {
                self.end_line(line, &mut borrowed, take)?;
            } else {
                if self.line.len() + line.len() > EVENT {
                    return Err(Failure::Garbage("an event is too long"));
                }
                self.keep(borrowed.take())?;
                self.line.extend_from_slice(line);
                let whole = std::mem::take(&mut self.line);
                let mut data = None;
                self.end_line(&whole, &mut data, take)?;
                self.keep(data)?;
            }
        }
        self.keep(borrowed)?;
        if !bytes.is_empty() {
            self.after_cr = false;
        }
        if self.line.len() + bytes.len() > EVENT {
            return Err(Failure::Garbage("an event is too long"));
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    /// The stream ended: what stands there complete but for its last blank line is an event too.
    pub(crate) fn finish(
        &mut self,
        take: &mut impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.push(b"\n\n", take)
    }

    fn end_line<'a>(
        &mut self,
        line: &'a [u8],
        borrowed: &mut Option<&'a [u8]>,
        take: &mut impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let line = if std::mem::replace(&mut self.begun, true) {
            line
        } else {
            line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
        };
        if line.is_empty() {
            return match borrowed.take() {
                Some(data) => take(data),
                None if self.has_data => {
                    self.has_data = false;
                    let data = std::mem::take(&mut self.data);
                    take(&data)
                }
                None => Ok(()),
            };
        }
        let Some(value) = line.strip_prefix(b"data").and_then(field) else { return Ok(()) };
        if borrowed.is_none() && !self.has_data {
            *borrowed = Some(value);
            return Ok(());
        }
        self.keep(borrowed.take())?;
        self.keep(Some(value))
    }

    /// Keeps a line of data until its event is complete.
    fn keep(&mut self, value: Option<&[u8]>) -> Result<(), Failure> {
        let Some(value) = value else { return Ok(()) };
        if self.data.len() + value.len() >= EVENT {
            return Err(Failure::Garbage("an event is too long"));
        }
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value);
        Ok(())
    }
}

/// The value after the name of a field; `None` when the name goes on (`database:`).
fn field(after: &[u8]) -> Option<&[u8]> {
    match after.split_first() {
        None => Some(b""),
        Some((b':', value)) => Some(value.strip_prefix(b" ").unwrap_or(value)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(chunks: &[&[u8]]) -> Result<Vec<String>, Failure> {
        let mut reader = Reader::default();
        let mut found = Vec::new();
        let mut take = |data: &[u8]| {
            found.push(String::from_utf8(data.to_vec()).unwrap());
            Ok(())
        };
        for chunk in chunks {
            reader.push(chunk, &mut take)?;
        }
        reader.finish(&mut take)?;
        Ok(found)
    }

    const STREAMED: &[u8] = "\u{feff}: hello\r\ndata: {\"a\":\"ü\"}\r\n\r\nevent: execute\nid: 7\ndata:b\n\n\
        data: one\rdata: two\r\rdatabase: no\n\ndata\n\ndata: [DONE]"
        .as_bytes();

    #[test]
    fn every_cut_gives_the_same_events() {
        let whole = events(&[STREAMED]).unwrap();
        assert_eq!(whole, ["{\"a\":\"ü\"}", "b", "one\ntwo", "", "[DONE]"]);
        for at in 0..STREAMED.len() {
            let (left, right) = STREAMED.split_at(at);
            assert_eq!(events(&[left, right]).unwrap(), whole, "cut at {at}");
        }
        let bytes: Vec<&[u8]> = STREAMED.chunks(1).collect();
        assert_eq!(events(&bytes).unwrap(), whole);
    }

    #[test]
    fn nothing_grows_without_bound() {
        let part = vec![b'x'; 1 << 20];
        assert!(events(&[&part, &part, &part, &part, &part]).is_err(), "a line without end");
        let mut lines = b"data: ".to_vec();
        lines.extend_from_slice(&part);
        lines.push(b'\n');
        assert!(events(&[&lines, &lines, &lines, &lines, &lines]).is_err(), "an event without end");
    }
}
