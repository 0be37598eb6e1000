//! The form of an artefact: one file, sealed from its first byte to its last.
//!
//! A line that `head` shows (`STOA-BACKUP/1 id=… key=…`), then a sealed stream (`crypto::stream`) that is bound to that
//! line. In the stream stand frames: a letter, a length of four bytes, and as many bytes. `T` begins a table, `R` are rows of it
//! (deflated), `S` are subjects with the moments of their keys (deflated), `F` begins the content of a file and `D` are
//! its bytes, `M` is the manifest. The last eight bytes say how long the frame of the manifest is, so that it is found
//! without reading the rest.

mod manifest;
mod read;
mod write;

pub(super) use manifest::{Content, FORMAT};
pub use manifest::{Files, Manifest, Reason};
pub(super) use read::{Frame, HEAD, TAIL, frames, manifest};
pub(super) use write::{Finished, Pen, make};

use crypto::Place;

const TABLE: u8 = b'T';
const ROWS: u8 = b'R';
const SUBJECTS: u8 = b'S';
const FILE: u8 = b'F';
const DATA: u8 = b'D';
const MANIFEST: u8 = b'M';

/// What stands at the beginning of every artefact.
const MAGIC: &str = "STOA-BACKUP/1 ";
/// The length of the first line: magic, `id=` and 32 digits, a space, `key=` and 16 digits, the end of the line.
const PRELUDE: usize = MAGIC.len() + 3 + 32 + 1 + 4 + 16 + 1;
/// The last eight bytes of the stream.
const FOOT: usize = 8;

const fn place(prelude: &str) -> Place<'_> {
    Place { table: "backups", column: "artefact", row: prelude }
}
