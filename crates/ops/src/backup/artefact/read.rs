//! An artefact being read: every chunk is authenticated before a byte of it is looked at. It never changes anything.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crypto::Keyring;
use crypto::stream::{CHUNK, HEADER, Opener, TAG, chunk_at, chunks, plain_size};
use flate2::read::DeflateDecoder;
use kernel::{Code, Fault, Result};

use super::{DATA, FILE, FOOT, FORMAT, MAGIC, MANIFEST, Manifest, PRELUDE, ROWS, SUBJECTS, TABLE, place};
use crate::backup::broken;

/// How many bytes from the beginning and from the end are enough to read the manifest.
pub(crate) const HEAD: u64 = (PRELUDE + HEADER) as u64;
pub(crate) const TAIL: u64 = 1 << 20;

/// A frame is never longer than this.
const LONGEST: usize = 1 << 30;

/// A part of an artefact.
pub(crate) enum Frame {
    /// The rows that follow belong to this table.
    Table(String, Vec<String>),
    /// Rows.
    Rows(Vec<u8>),
    /// Subjects with the moments of their keys.
    Subjects(Vec<(String, i64)>),
    /// The bytes that follow are those of this content, so many.
    File(String, u64),
    /// Bytes of a content.
    Data(Vec<u8>),
    /// The end.
    Manifest(Box<Manifest>),
}

fn refused(say: impl std::fmt::Display) -> Fault {
    Fault::new(Code::InvalidInput).say(format!("The backup is refused: {say}."))
}

fn altered() -> Fault {
    refused("it was altered, cut off or is incomplete")
}

/// The opener of an artefact of `total` bytes that begins with `head`, and where the sealed stream begins.
fn opener(keyring: &Keyring, head: &[u8], total: u64) -> Result<Opener> {
    let (prelude, header) =
        head.split_at_checked(PRELUDE).ok_or_else(|| refused("it is no backup of Stoa"))?;
    let prelude = std::str::from_utf8(prelude).map_err(|_| refused("it is no backup of Stoa"))?;
    if !prelude.starts_with(MAGIC) {
        return Err(refused("it is no backup of Stoa, or one that a newer version made"));
    }
    let header = header.get(..HEADER).ok_or_else(altered)?;
    let size = total.checked_sub(PRELUDE as u64).and_then(plain_size).ok_or_else(altered)?;
    for key in keyring.backup_keys() {
        if let Ok(opener) = Opener::new(key, place(prelude), header, size) {
            return Ok(opener);
        }
    }
    let sealed_with = prelude.trim_end().rsplit_once("key=").map_or("?", |(_, key)| key);
    if sealed_with == keyring.fingerprint() {
        return Err(altered());
    }
    Err(refused(format!(
        "it is sealed with the encryption key {sealed_with}, and the configured one is {}; set ENCRYPTION_KEY, or \
         ENCRYPTION_KEY_PREVIOUS, to that key",
        keyring.fingerprint()
    )))
}

/// The manifest of an artefact of `total` bytes, from its first [`HEAD`] bytes and its last [`TAIL`], or all of it.
pub(crate) fn manifest(keyring: &Keyring, head: &[u8], tail: &[u8], total: u64) -> Result<Manifest> {
    let opener = opener(keyring, head, total)?;
    let size = opener.size();
    let last = chunks(size) - 1;
    // The first chunk that lies whole in the tail.
    let skipped = total - tail.len() as u64;
    let before = skipped.saturating_sub(PRELUDE as u64 + HEADER as u64);
    let first = before.div_ceil((CHUNK + TAG) as u64).min(last);
    let mut plain = Vec::new();
    for number in first..=last {
        let (begin, length) = chunk_at(size, number).ok_or_else(altered)?;
        let begin = usize::try_from((begin + PRELUDE as u64).checked_sub(skipped).ok_or_else(altered)?);
        let begin = begin.map_err(Fault::internal)?;
        let sealed = tail.get(begin..begin + length).ok_or_else(altered)?;
        plain.extend_from_slice(&opener.open(number, sealed).map_err(|_| altered())?);
    }
    let (rest, foot) = plain.len().checked_sub(FOOT).map(|at| plain.split_at(at)).ok_or_else(altered)?;
    let length = foot.try_into().map(u64::from_le_bytes).map_err(|_| altered())?;
    let length = usize::try_from(length).map_err(|_| altered())?;
    let frame = rest.len().checked_sub(length).and_then(|at| rest.get(at..)).ok_or_else(altered)?;
    let json = frame.get(5..).ok_or_else(altered)?;
    judge(json)
}

fn judge(json: &[u8]) -> Result<Manifest> {
    let manifest: Manifest = serde_json::from_slice(json).map_err(|_| refused("a newer version made it"))?;
    if manifest.format != FORMAT {
        return Err(refused(format!(
            "it has the form {}, which this version does not read",
            manifest.format
        )));
    }
    Ok(manifest)
}

/// Reads a whole artefact and gives each frame to `take`. The last one is the manifest; whatever came before it may be
/// believed only when it has come. Works on a thread that may wait for the disk.
pub(crate) fn frames(
    path: &Path,
    keyring: &Keyring,
    take: &mut dyn FnMut(Frame) -> Result<()>,
) -> Result<()> {
    let say = |error| broken(path, error);
    let mut file = File::open(path).map_err(say)?;
    let total = file.metadata().map_err(say)?.len();
    let mut head = vec![0; usize::try_from(HEAD.min(total)).map_err(Fault::internal)?];
    file.read_exact_at(&mut head, 0).map_err(say)?;
    let opener = opener(keyring, &head, total)?;
    file.seek(SeekFrom::Start(HEAD)).map_err(say)?;
    let last = chunks(opener.size()) - 1;
    let mut plain: Vec<u8> = Vec::new();
    let (mut at, mut ended) = (0, false);
    let mut sealed = Vec::new();
    for number in 0..=last {
        let (_, length) = chunk_at(opener.size(), number).ok_or_else(altered)?;
        sealed.resize(length, 0);
        file.read_exact(&mut sealed).map_err(say)?;
        plain.extend_from_slice(&opener.open(number, &sealed).map_err(|_| altered())?);
        while !ended && let Some((tag, payload)) = next(&plain, &mut at)? {
            let frame = understood(tag, payload)?;
            ended = matches!(frame, Frame::Manifest(_));
            take(frame)?;
        }
        plain.drain(..at);
        at = 0;
    }
    if ended && plain.len() == FOOT { Ok(()) } else { Err(altered()) }
}

/// The next frame, when all of it is there.
fn next<'a>(plain: &'a [u8], at: &mut usize) -> Result<Option<(u8, &'a [u8])>> {
    let rest = plain.get(*at..).unwrap_or_default();
    let Some((head, rest)) = rest.split_at_checked(5) else { return Ok(None) };
    let [tag, length @ ..] = head else { return Ok(None) };
    let length = length.try_into().map(u32::from_le_bytes).map_err(|_| altered())?;
    let length = usize::try_from(length).map_err(|_| altered())?;
    if length > LONGEST {
        return Err(altered());
    }
    let Some(payload) = rest.get(..length) else { return Ok(None) };
    *at += 5 + length;
    Ok(Some((*tag, payload)))
}

fn inflated(payload: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut decoder = DeflateDecoder::new(payload).take(LONGEST as u64);
    decoder.read_to_end(&mut bytes).map_err(|_| altered())?;
    Ok(bytes)
}

fn understood(tag: u8, payload: &[u8]) -> Result<Frame> {
    let strange = |_| altered();
    Ok(match tag {
        TABLE => {
            let (name, columns) = serde_json::from_slice(payload).map_err(strange)?;
            Frame::Table(name, columns)
        }
        ROWS => Frame::Rows(inflated(payload)?),
        SUBJECTS => Frame::Subjects(serde_json::from_slice(&inflated(payload)?).map_err(strange)?),
        FILE => {
            let (id, size) = serde_json::from_slice(payload).map_err(strange)?;
            Frame::File(id, size)
        }
        DATA => Frame::Data(payload.to_vec()),
        MANIFEST => Frame::Manifest(Box::new(judge(payload)?)),
        _ => return Err(refused("it holds what this version does not know")),
    })
}
