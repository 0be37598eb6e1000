//! What a picture looks like, in few numbers: decoded once, within limits, and hashed in several views, so that it is
//! found again after it was saved anew, resized, retouched, cropped, framed, turned or mirrored.
//! It never compares pictures: [`super::similar`] does.

mod decode;
mod exif;
mod grey;
mod hash;

use std::io::{BufRead, Seek};

use super::learn::Limits;
use super::{Format, ImageFacts};

pub(super) use hash::{Group, group};

/// Why there are no facts of a picture.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is damaged.
    Broken(String),
    /// It would cost more than it may, or is of a kind that is not read.
    Skipped,
}

/// Looks at a picture.
pub(super) fn look<R: BufRead + Seek>(
    reader: R,
    format: Format,
    limits: &Limits,
) -> Result<ImageFacts, Failure> {
    let decoded = decode::decode(reader, format, limits)?;
    let taken = decoded.exif.as_deref().and_then(exif::read);
    let (frequencies, gradients) = hash::views(&decoded.grey);
    Ok(ImageFacts {
        width: decoded.width,
        height: decoded.height,
        frequencies,
        gradients,
        grey: decoded.grey.thumbnail(),
        equal: decoded.equal,
        contrast: decoded.grey.contrast(),
        sharpness: decoded.grey.sharpness(),
        taken,
    })
}
