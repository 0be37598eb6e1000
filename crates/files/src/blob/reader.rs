//! A content, or a part of it, on its way out: the chunks that the part touches are read and opened one after the
//! other, a few of them in memory at a time, and what lies outside of the part is cut off.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use crypto::stream::{CHUNK, Opener, chunk_at, chunks};
use kernel::{Fault, Result};

use super::aside::broken;
use super::folder::blocking;
use super::s3::Reads;

/// How many chunks are read at once from the disk, and from a bucket, where each reading is a call.
const TOGETHER: (u64, u64) = (8, 32);

/// Where sealed bytes come from.
pub(super) enum Bytes {
    File(File),
    S3(Reads),
}

/// A content being read.
pub struct Reader {
    opener: Arc<Opener>,
    bytes: Source,
    /// What of the content is still to come.
    range: Range<u64>,
}

enum Source {
    File(Arc<File>),
    S3(Reads),
}

impl Reader {
    pub(super) fn new(opener: Opener, bytes: Bytes, range: Range<u64>) -> Result<Reader> {
        if range.start > range.end || range.end > opener.size() {
            return Err(Fault::internal("a part of a file was read that it does not have"));
        }
        let bytes = match bytes {
            Bytes::File(file) => Source::File(Arc::new(file)),
            Bytes::S3(reads) => Source::S3(reads),
        };
        Ok(Reader { opener: Arc::new(opener), bytes, range })
    }

    /// How many bytes are still to come.
    pub const fn left(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }

    /// The next bytes; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        if self.range.start >= self.range.end {
            return Ok(None);
        }
        let size = self.opener.size();
        let first = self.range.start / CHUNK as u64;
        let together = match self.bytes {
            Source::File(_) => TOGETHER.0,
            Source::S3(_) => TOGETHER.1,
        };
        let last = ((self.range.end - 1) / CHUNK as u64).min(first + together - 1).min(chunks(size) - 1);
        let after = || Fault::internal("a chunk after the end of a file");
        let (begin, _) = chunk_at(size, first).ok_or_else(after)?;
        let (from, length) = chunk_at(size, last).ok_or_else(after)?;
        let end = from + length as u64;
        let opener = Arc::clone(&self.opener);
        let sealed = match &self.bytes {
            Source::File(file) => {
                let file = Arc::clone(file);
                let length = usize::try_from(end - begin).map_err(Fault::internal)?;
                blocking(move || {
                    let mut sealed = vec![0; length];
                    file.read_exact_at(&mut sealed, begin).map_err(broken)?;
                    Ok(sealed)
                })
                .await?
            }
            Source::S3(reads) => reads.read(begin..end).await?,
        };
        let plain = blocking(move || {
            let mut plain = Vec::with_capacity(sealed.len());
            let mut rest = sealed.as_slice();
            for number in first..=last {
                let (_, length) = chunk_at(size, number).ok_or_else(after)?;
                let (chunk, later) =
                    rest.split_at_checked(length).ok_or_else(|| Fault::internal("a chunk is cut off"))?;
                plain.extend_from_slice(&opener.open(number, chunk)?);
                rest = later;
            }
            Ok(plain)
        })
        .await?;
        let skip = usize::try_from(self.range.start - first * CHUNK as u64).map_err(Fault::internal)?;
        let take = usize::try_from(self.left()).unwrap_or(usize::MAX);
        let wanted: Vec<u8> = if skip == 0 && take >= plain.len() {
            plain
        } else {
            plain.into_iter().skip(skip).take(take).collect()
        };
        self.range.start += wanted.len() as u64;
        Ok(Some(wanted))
    }

    /// Everything that is left in one piece, for small contents.
    pub async fn collect(mut self) -> Result<Vec<u8>> {
        let mut whole = Vec::with_capacity(usize::try_from(self.left()).unwrap_or(0));
        while let Some(piece) = self.next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }
}
