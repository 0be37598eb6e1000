//! Facts of a content, found by reading it once from front to end and again where a reader needs it. It owns what is
//! looked at and how much of it; what a picture or a text is worth is told by the files beside it.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use knowledge::extract::{Budget, ReasonKind, extract};

use super::picture::{self, Failure};
use super::{Digest, Facts, Fault, Format, format, sound, text};

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
    let mut facts = digest(reader)?;
    if facts.size > limits.file || facts.zero {
        return Ok(facts);
    }
    match facts.format {
        Some(format @ (Format::Png | Format::Jpeg | Format::Gif | Format::Webp)) => {
            reader.seek(SeekFrom::Start(0))?;
            match picture::look(BufReader::with_capacity(HEAD, reader), format, limits) {
                Ok(image) => facts.image = Some(image),
                Err(Failure::Broken(sentence)) => facts.fault = Some(Fault { format, sentence }),
                Err(Failure::Skipped) => {}
            }
        }
        Some(format @ (Format::Pdf | Format::Zip)) => {
            facts.fault = sound::check(reader, format, facts.size)?;
            if facts.fault.is_none() {
                read_text(reader, name, limits, &mut facts)?;
            }
        }
        Some(Format::Json) => {
            facts.fault = sound::json(reader, facts.size)?;
            read_text(reader, name, limits, &mut facts)?;
        }
        Some(Format::Html | Format::Xml | Format::Text) => read_text(reader, name, limits, &mut facts)?,
        _ => {}
    }
    Ok(facts)
}

/// The name of a content and what its bytes show without understanding them: one reading.
///
/// # Errors
/// When it cannot be read.
pub fn digest<R: Read + Seek>(reader: &mut R) -> io::Result<Facts> {
    reader.seek(SeekFrom::Start(0))?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; HEAD];
    let mut facts = Facts::bare(Digest([0; 32]), 0);
    facts.zero = true;
    loop {
        let filled = fill(reader, &mut buffer)?;
        let piece = buffer.get(..filled).unwrap_or(&[]);
        if facts.size == 0 {
            facts.format = format::sniff(piece);
            facts.entropy = format::entropy(piece);
        }
        hasher.update(piece);
        facts.zero = facts.zero && piece.iter().all(|byte| *byte == 0);
        facts.size += filled as u64;
        if filled < buffer.len() {
            break;
        }
    }
    facts.zero = facts.zero && facts.size > 0;
    facts.digest = Digest(*hasher.finalize().as_bytes());
    Ok(facts)
}

/// Fills the buffer as far as there is something.
pub(super) fn fill<R: Read>(reader: &mut R, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn read_text<R: Read + Seek>(
    reader: &mut R,
    name: &str,
    limits: &Limits,
    facts: &mut Facts,
) -> io::Result<()> {
    if facts.size > limits.document {
        return Ok(());
    }
    reader.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    reader.take(limits.document).read_to_end(&mut bytes)?;
    match extract(&bytes, name, &Budget::default()) {
        Ok(extracted) => facts.text = text::fingerprint(&extracted.text),
        // A ZIP that is no document is none of the reader's business.
        Err(reason) if reason.kind == ReasonKind::Broken && facts.format == Some(Format::Pdf) => {
            facts.fault = Some(Fault { format: Format::Pdf, sentence: reason.sentence });
        }
        Err(_) => {}
    }
    Ok(())
}
