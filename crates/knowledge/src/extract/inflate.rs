//! Unpacks DEFLATE in bounded steps, counting every step before it takes the next. It never gives more than the
//! budget allows, whatever a header claims.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::budget::{Meter, Reason};

/// Bytes of one step.
const STEP: usize = 32 * 1024;

/// A part of a file that is unpacked while it is read.
pub(crate) struct Inflate<'a> {
    packed: &'a [u8],
    at: usize,
    given: usize,
    state: Option<Decompress>,
    meter: &'a Meter,
}

impl<'a> Inflate<'a> {
    /// Bare DEFLATE, as in ZIP.
    pub(crate) fn bare(packed: &'a [u8], meter: &'a Meter) -> Inflate<'a> {
        Inflate { packed, at: 0, given: 0, state: Some(Decompress::new(false)), meter }
    }

    /// With the header of zlib, as in PDF.
    pub(crate) fn zlib(packed: &'a [u8], meter: &'a Meter) -> Inflate<'a> {
        Inflate { packed, at: 0, given: 0, state: Some(Decompress::new(true)), meter }
    }

    /// Not packed at all.
    pub(crate) fn stored(bytes: &'a [u8], meter: &'a Meter) -> Inflate<'a> {
        Inflate { packed: bytes, at: 0, given: 0, state: None, meter }
    }

    /// Unpacks all of it. Damage ends the text early and is told beside it; only the budget is an error.
    pub(crate) fn all(mut self) -> Result<(Vec<u8>, bool), Reason> {
        let mut out = Vec::new();
        let mut step = vec![0; STEP];
        loop {
            match self.step(&mut step) {
                Ok(0) => return Ok((out, true)),
                Ok(count) => out.extend_from_slice(step.get(..count).unwrap_or(&[])),
                Err(Some(over)) => return Err(over),
                Err(None) => return Ok((out, false)),
            }
        }
    }

    /// Fills a part of `into`; 0 is the end. `Err(None)` is damage.
    fn step(&mut self, into: &mut [u8]) -> Result<usize, Option<Reason>> {
        let rest = self.packed.get(self.at..).unwrap_or(&[]);
        if into.is_empty() {
            return Ok(0);
        }
        let count = match &mut self.state {
            None => {
                let count = rest.len().min(into.len());
                for (to, from) in into.iter_mut().zip(rest) {
                    *to = *from;
                }
                self.at += count;
                count
            }
            Some(state) => loop {
                let rest = self.packed.get(self.at..).unwrap_or(&[]);
                let (read, written) = (state.total_in(), state.total_out());
                let status = state.decompress(rest, into, FlushDecompress::None).map_err(|_| None)?;
                let read = usize::try_from(state.total_in() - read).unwrap_or(0);
                let written = usize::try_from(state.total_out() - written).unwrap_or(0);
                self.at += read;
                if written > 0 {
                    break written;
                }
                match status {
                    Status::StreamEnd => return Ok(0),
                    // No progress without an end: it was cut off.
                    _ if read == 0 => return Err(None),
                    _ => {}
                }
            },
        };
        self.given += count;
        self.meter.unpack(count, self.packed.len(), self.given).map_err(Some)?;
        Ok(count)
    }
}

impl Read for Inflate<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let room = into.len().min(STEP);
        let into = into.get_mut(..room).unwrap_or(&mut []);
        self.step(into).map_err(|fault| match fault {
            Some(over) => io::Error::other(over),
            None => io::Error::from(io::ErrorKind::UnexpectedEof),
        })
    }
}
