//! A content as something that is read and sought in by code that blocks, such as the readers of pictures and documents:
//! opened piece by piece, nothing of it in the clear on any disk.

use std::io::{self, Read, Seek, SeekFrom};

use crypto::stream::Opener;
use kernel::{Fault, Result};
use tokio::runtime::Handle;

use super::Blobs;

/// How many bytes are fetched at once.
const PIECE: u64 = 512 * 1024;

/// Makes the opener of a content from its header.
type Open = Box<dyn Fn(&[u8]) -> Result<Opener> + Send + Sync>;

/// A content being read. Used on a thread that may block, never on one that drives the runtime.
pub struct Seeker {
    blobs: Blobs,
    id: String,
    size: u64,
    open: Open,
    runtime: Handle,
    place: u64,
    piece: Vec<u8>,
    /// Where the piece begins.
    begin: u64,
}

impl Blobs {
    /// A content of `size` bytes. Must be called inside of the runtime that its reading shall use.
    pub fn seeker(
        &self,
        id: &str,
        size: u64,
        open: impl Fn(&[u8]) -> Result<Opener> + Send + Sync + 'static,
    ) -> Seeker {
        Seeker {
            blobs: self.clone(),
            id: id.to_owned(),
            size,
            open: Box::new(open),
            runtime: Handle::current(),
            place: 0,
            piece: Vec::new(),
            begin: 0,
        }
    }
}

impl Seeker {
    fn fetch(&mut self) -> Result<(), Fault> {
        let begin = self.place - self.place % PIECE;
        let range = begin..(begin + PIECE).min(self.size);
        let read = async { self.blobs.read(&self.id, self.size, range, &self.open).await?.collect().await };
        self.piece = self.runtime.block_on(read)?;
        self.begin = begin;
        Ok(())
    }
}

impl Read for Seeker {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.place >= self.size || into.is_empty() {
            return Ok(0);
        }
        let held = self.begin..self.begin + self.piece.len() as u64;
        if !held.contains(&self.place) {
            self.fetch().map_err(|fault| io::Error::other(format!("{fault:?}")))?;
        }
        let skip = usize::try_from(self.place - self.begin).map_err(io::Error::other)?;
        let rest = self.piece.get(skip..).unwrap_or_default();
        let count = rest.len().min(into.len());
        into.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.place += count as u64;
        Ok(count)
    }
}

impl Seek for Seeker {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.place.checked_add_signed(offset),
        };
        self.place = place.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.place)
    }
}
