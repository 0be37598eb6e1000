//! Contents on their way out, whole or in part. A reader who may not any more gets no further bytes.

use std::ops::Range;

use files::blob::Reader;
use identity::{FilesRead, May};
use kernel::id::FileId;
use kernel::{EventType, Fault, Result};
use store::File;

use super::event;
use crate::Hall;
use crate::standing::Standing;

/// Contents up to this size are given out at once; the longer ones watch whether their reader still may.
const AT_ONCE: u64 = 1 << 20;

/// Which part of a content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// All of it.
    Whole,
    /// These bytes.
    Range(Range<u64>),
}

/// A content being read.
pub struct Content {
    reader: Reader,
    standing: Option<Standing>,
}

impl Hall {
    /// The bytes of one of the caller's files, in the trash or not.
    pub async fn content(&self, may: &May<FilesRead>, file: &File, part: Part) -> Result<Content> {
        let range = match part {
            Part::Whole => 0..file.size,
            Part::Range(range) => range,
        };
        let owner = may.keeper();
        let key = self.rooms.store.content_key(&owner, false).await?;
        let blobs = &self.rooms.files.blobs;
        let opened = blobs
            .read(&file.blob, file.size, range.clone(), |header| key.opener(&file.blob, header, file.size));
        let reader = match opened.await {
            Ok(reader) => reader,
            // Deleted for good since the row was read: then it is not there, and nothing is broken.
            Err(fault) => {
                self.rooms.store.file(&owner, file.id).await?;
                return Err(fault);
            }
        };
        let read = event(may, EventType::DataRead).to(format_args!("file:{}", file.id));
        self.rooms
            .audit
            .note(read.with("what", "content").with("bytes", range.end.saturating_sub(range.start)));
        let long = reader.left() > AT_ONCE;
        let standing = long.then(|| Standing::watch(&self.rooms.identity, may.who(), &file.app));
        Ok(Content { reader, standing })
    }

    /// One of the caller's files with its whole content, for what reads it here.
    pub async fn file_for_reading(&self, may: &May<FilesRead>, id: FileId) -> Result<(File, Content)> {
        let file = self.file(may, id).await?;
        let content = self.content(may, &file, Part::Whole).await?;
        Ok((file, content))
    }
}

impl Content {
    /// How many bytes are still to come.
    pub const fn left(&self) -> u64 {
        self.reader.left()
    }

    /// The next bytes; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        match &self.standing {
            None => self.reader.next().await,
            Some(standing) => tokio::select! {
                biased;
                () = standing.lost() => Err(Fault::new(kernel::Code::Unauthenticated)),
                piece = self.reader.next() => piece,
            },
        }
    }
}
