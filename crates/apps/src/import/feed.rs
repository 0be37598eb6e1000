//! The bytes of an export as they come, and what has come whole of them: conversations, and files behind them. What is read
//! before damage counts.

use kernel::id::FileId;
use kernel::{Fault, Result};

use super::split::{Element, Splitter};
use super::unzip::{Piece, Unzip};

/// What has come.
#[derive(Debug)]
pub(super) enum Came {
    /// A conversation.
    Talk(Element),
    /// A file begins.
    File(FileId),
    /// Bytes of it.
    Bytes(Vec<u8>),
    /// It has ended.
    End,
}

/// What the bytes are.
pub(super) enum Feed {
    /// Not known yet.
    Fresh(Vec<u8>),
    Json(Splitter),
    Zip(Box<Zip>),
    /// What came was read up to here; what follows cannot be.
    Damaged,
}

/// An archive on its way.
pub(super) struct Zip {
    unzip: Unzip,
    splitter: Splitter,
    entries: u64,
    in_file: bool,
}

impl Feed {
    /// Takes more bytes; gives what has come with them. Damage behind some of it costs what follows alone.
    pub(super) fn push(&mut self, bytes: &[u8], any: bool) -> Result<Vec<Came>> {
        let mut out = Vec::new();
        let fine = self.read(bytes, &mut out);
        match fine {
            Err(fault) if out.is_empty() && !any => return Err(fault),
            Err(_) => *self = Feed::Damaged,
            Ok(()) => {}
        }
        Ok(out)
    }

    /// Whether files may come behind conversations.
    pub(super) const fn brings_files(&self) -> bool {
        matches!(self, Feed::Zip(_))
    }

    /// Whether it ended where such a thing may end. An archive in which nothing was found is refused.
    pub(super) fn is_over(&self) -> Result<bool> {
        match self {
            Feed::Json(splitter) => Ok(splitter.is_over()),
            Feed::Zip(zip) if zip.unzip.is_over() && zip.entries == 0 => Err(Fault::invalid(
                "file",
                "nothing_found",
                "there is no `conversations.json` in this archive; send the export as you got it",
            )),
            Feed::Zip(zip) => Ok(zip.unzip.is_over()),
            Feed::Fresh(_) | Feed::Damaged => Ok(false),
        }
    }

    fn read(&mut self, bytes: &[u8], out: &mut Vec<Came>) -> Result<()> {
        match self {
            Feed::Fresh(held) => {
                held.extend_from_slice(bytes);
                if held.len() < 4 {
                    return Ok(());
                }
                let held = std::mem::take(held);
                *self = if held.starts_with(b"PK\x03\x04") {
                    let (unzip, splitter) = (Unzip::new(), Splitter::default());
                    Feed::Zip(Box::new(Zip { unzip, splitter, entries: 0, in_file: false }))
                } else {
                    Feed::Json(Splitter::default())
                };
                self.read(&held, out)
            }
            Feed::Json(splitter) => split(splitter, bytes, out),
            Feed::Zip(zip) => zip.read(bytes, out),
            Feed::Damaged => Ok(()),
        }
    }
}

impl Zip {
    fn read(&mut self, bytes: &[u8], out: &mut Vec<Came>) -> Result<()> {
        let mut pieces = Vec::new();
        // What came out before the damage counts.
        let unpacked = self.unzip.push(bytes, &mut pieces);
        for piece in pieces {
            match piece {
                Piece::Talks => {
                    (self.splitter, self.in_file) = (Splitter::default(), false);
                    self.entries += 1;
                }
                Piece::File(id) => {
                    self.in_file = true;
                    out.push(Came::File(id));
                }
                Piece::Bytes(bytes) if self.in_file => out.push(Came::Bytes(bytes)),
                Piece::Bytes(bytes) => split(&mut self.splitter, &bytes, out)?,
                Piece::End if self.in_file => out.push(Came::End),
                Piece::End => {}
            }
        }
        unpacked
    }
}

fn split(splitter: &mut Splitter, bytes: &[u8], out: &mut Vec<Came>) -> Result<()> {
    let mut elements = Vec::new();
    let fine = splitter.push(bytes, &mut elements);
    out.extend(elements.into_iter().map(Came::Talk));
    if fine { Ok(()) } else { Err(not_an_export()) }
}

pub(super) fn not_an_export() -> Fault {
    Fault::invalid(
        "file",
        "not_an_export",
        "this is no export that is known here: send the ZIP or the `conversations.json` of ChatGPT or Claude, the JSON of \
         Open WebUI or LibreChat, or an export of this server",
    )
}
