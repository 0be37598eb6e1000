//! Sealed streams: long contents in chunks, so that a part is opened without the rest, and nothing of it is held in
//! memory. Each chunk is bound to its number, to whether it is the last, to the header and to the place of the whole:
//! chunks that are altered, cut off, added, swapped or brought from another stream do not open.
//!
//! Layout: header, chunks. Header: version (1 byte, `1`) · key id (4 bytes) · nonce prefix (19 bytes, random). Chunk:
//! ciphertext of up to 64 KiB and tag (16 bytes). The nonce of a chunk is prefix · number (4 bytes, big-endian) · last
//! (1 byte, `0` or `1`): the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár (2015) with
//! XChaCha20-Poly1305. The key is derived from the data key for this purpose alone. An empty content is one empty chunk.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use kernel::{Fault, Random, Result};

use crate::sealed::{AnotherKey, DataKey, Place};

/// How many bytes of content a chunk holds; the last may hold fewer.
pub const CHUNK: usize = 64 * 1024;
/// How many bytes a chunk is longer when it is sealed.
pub const TAG: usize = 16;
/// How many bytes stand before the first chunk.
pub const HEADER: usize = 1 + KEY_ID + PREFIX;

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const PREFIX: usize = 19;
/// The number of a chunk has four bytes: 256 TiB.
const MOST_CHUNKS: u64 = 1 << 32;

/// How many chunks a content of `size` bytes has: at least one.
pub const fn chunks(size: u64) -> u64 {
    let whole = size.div_ceil(CHUNK as u64);
    if whole == 0 { 1 } else { whole }
}

/// How many bytes a content of `size` bytes has when it is sealed, the header included.
pub const fn sealed_size(size: u64) -> u64 {
    size.saturating_add(HEADER as u64).saturating_add(chunks(size).saturating_mul(TAG as u64))
}

/// How many bytes of content there are in a sealed stream of `sealed` bytes; `None` when no content has that length.
pub const fn plain_size(sealed: u64) -> Option<u64> {
    let Some(body) = sealed.checked_sub(HEADER as u64) else { return None };
    let chunks = body.div_ceil((CHUNK + TAG) as u64);
    match body.checked_sub(chunks.saturating_mul(TAG as u64)) {
        Some(size) if sealed_size(size) == sealed => Some(size),
        _ => None,
    }
}

/// Where the sealed chunk `number` of a content of `size` bytes begins and how long it is; `None` after the end.
pub fn chunk_at(size: u64, number: u64) -> Option<(u64, usize)> {
    let last = chunks(size).checked_sub(1)?;
    if number > last {
        return None;
    }
    let begin = (HEADER as u64).checked_add(number.checked_mul((CHUNK + TAG) as u64)?)?;
    let plain = if number == last { size - last * CHUNK as u64 } else { CHUNK as u64 };
    Some((begin, usize::try_from(plain).ok()?.checked_add(TAG)?))
}

/// What sealing and opening share.
struct Chunks {
    cipher: XChaCha20Poly1305,
    prefix: [u8; PREFIX],
    aad: Vec<u8>,
}

impl Chunks {
    fn new(key: &DataKey, place: Place<'_>, header: &[u8; HEADER], prefix: [u8; PREFIX]) -> Chunks {
        let derived = blake3::derive_key("stoa 2026 sealed streams", key.bytes());
        let mut aad = place.bytes();
        aad.extend_from_slice(header);
        Chunks { cipher: XChaCha20Poly1305::new(&Key::from(derived)), prefix, aad }
    }

    fn nonce(&self, number: u32, last: bool) -> XNonce {
        let mut nonce = [0; 24];
        let tail = number.to_be_bytes().into_iter().chain([u8::from(last)]);
        nonce.iter_mut().zip(self.prefix.into_iter().chain(tail)).for_each(|(to, from)| *to = from);
        XNonce::from(nonce)
    }
}

/// Seals one content, chunk after chunk.
pub struct Sealer {
    chunks: Chunks,
    header: [u8; HEADER],
    next: u64,
    done: bool,
}

impl Sealer {
    /// For the content that will be stored at `place`.
    pub fn new(key: &DataKey, place: Place<'_>, random: &dyn Random) -> Sealer {
        let mut prefix = [0; PREFIX];
        random.fill(&mut prefix);
        let mut header = [0; HEADER];
        let parts = [VERSION].into_iter().chain(key.id()).chain(prefix);
        header.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        Sealer { chunks: Chunks::new(key, place, &header, prefix), header, next: 0, done: false }
    }

    /// What stands before the first chunk.
    pub const fn header(&self) -> &[u8; HEADER] {
        &self.header
    }

    /// Seals the next chunk onto the end of `into`. All but the last have exactly [`CHUNK`] bytes, and the last is
    /// empty only when the whole content is; anything else is a defect, and so is a chunk after the last.
    pub fn seal(&mut self, plain: &[u8], last: bool, into: &mut Vec<u8>) -> Result<()> {
        let whole = plain.len() == CHUNK;
        let fits = whole || (last && plain.len() < CHUNK && (!plain.is_empty() || self.next == 0));
        if self.done || !fits || self.next >= MOST_CHUNKS {
            return Err(Fault::internal("a sealed stream was given a chunk that does not fit"));
        }
        let number = u32::try_from(self.next).map_err(Fault::internal)?;
        let payload = Payload { msg: plain, aad: &self.chunks.aad };
        let sealed = self
            .chunks
            .cipher
            .encrypt(&self.chunks.nonce(number, last), payload)
            .map_err(|_| Fault::internal("a chunk could not be sealed"))?;
        into.extend_from_slice(&sealed);
        self.next += 1;
        self.done = last;
        Ok(())
    }
}

/// Opens chunks of one content, in any order.
pub struct Opener {
    chunks: Chunks,
    last: u64,
    size: u64,
    what: (&'static str, &'static str),
}

impl Opener {
    /// For the content of `size` bytes that is stored at `place` and begins with `header`. The size is what the caller
    /// knows of it from elsewhere; a stream of another size does not open.
    pub fn new(key: &DataKey, place: Place<'_>, header: &[u8], size: u64) -> Result<Opener> {
        let what = (place.table, place.column);
        let broken = |why: &str| Fault::internal(format!("sealed stream in {}.{}: {why}", what.0, what.1));
        let header = <[u8; HEADER]>::try_from(header).map_err(|_| broken("no header"))?;
        let [version, rest @ ..] = &header;
        let (id, prefix) = rest.split_at_checked(KEY_ID).ok_or_else(|| broken("no header"))?;
        if *version != VERSION {
            return Err(broken("unknown version"));
        }
        if id != key.id() {
            return Err(AnotherKey::fault("sealed stream", what.0, what.1));
        }
        let prefix = <[u8; PREFIX]>::try_from(prefix).map_err(|_| broken("no header"))?;
        let last = chunks(size) - 1;
        if last >= MOST_CHUNKS {
            return Err(broken("too long"));
        }
        Ok(Opener { chunks: Chunks::new(key, place, &header, prefix), last, size, what })
    }

    /// How many bytes the content has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Opens the chunk with this number, from 0.
    pub fn open(&self, number: u64, sealed: &[u8]) -> Result<Vec<u8>> {
        let broken = |why: &str| {
            Fault::internal(format!(
                "sealed stream in {}.{}, chunk {number}: {why}",
                self.what.0, self.what.1
            ))
        };
        let expected = chunk_at(self.size, number).ok_or_else(|| broken("after the end"))?.1;
        if sealed.len() != expected {
            return Err(broken("cut off"));
        }
        let counted = u32::try_from(number).map_err(|_| broken("after the end"))?;
        let payload = Payload { msg: sealed, aad: &self.chunks.aad };
        self.chunks
            .cipher
            .decrypt(&self.chunks.nonce(counted, number == self.last), payload)
            .map_err(|_| broken("altered, or moved from another place"))
    }
}

impl DataKey {
    /// The name of a content under this key: 32 hexadecimal digits that are the same for the same content, tell
    /// nothing about it without the key, and are another text under every other key. `digest` is the BLAKE3 of the
    /// content.
    pub fn name_content(&self, digest: &[u8; 32]) -> String {
        let key = blake3::derive_key("stoa 2026 names of contents", self.bytes());
        let hash = blake3::keyed_hash(&key, digest);
        hash.as_bytes().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
