//! From the bytes of a picture to grey values of at most 512 pixels a side. It owns the limits of decoding.

use std::io::{BufRead, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::error::LimitErrorKind;
use image::{DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader};

use super::Failure;
use super::grey::{Frame, Grey};
use crate::clutter::Format;
use crate::clutter::learn::Limits;

/// A decoded picture.
pub(super) struct Decoded {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) grey: Grey,
    /// Thousandths of pixels that equal their right neighbour.
    pub(super) equal: u16,
    pub(super) exif: Option<Vec<u8>>,
}

/// Decodes a picture.
pub(super) fn decode<R: BufRead + Seek>(
    reader: R,
    format: Format,
    limits: &Limits,
) -> Result<Decoded, Failure> {
    let format = match format {
        Format::Png => ImageFormat::Png,
        Format::Jpeg => ImageFormat::Jpeg,
        Format::Gif => ImageFormat::Gif,
        Format::Webp => ImageFormat::WebP,
        _ => return Err(Failure::Skipped),
    };
    // Decoders are sound but not infallible: what one panics on is the picture's problem. All state is made inside.
    catch_unwind(AssertUnwindSafe(|| read(reader, format, limits)))
        .unwrap_or_else(|_| Err(Failure::Broken("Its structure is not understood.".to_owned())))
}

fn read<R: BufRead + Seek>(reader: R, format: ImageFormat, limits: &Limits) -> Result<Decoded, Failure> {
    let mut reader = ImageReader::with_format(reader, format);
    let mut allowed = image::Limits::default();
    allowed.max_alloc = Some(limits.memory);
    reader.limits(allowed);
    let mut decoder = reader.into_decoder().map_err(failure)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > limits.pixels {
        return Err(Failure::Skipped);
    }
    let exif = decoder.exif_metadata().ok().flatten();
    let image = DynamicImage::from_decoder(decoder).map_err(failure)?;
    let luma = luma(image);
    let grey = Grey::shrink(&luma, width as usize, height as usize);
    let frame = grey.without_border().unwrap_or(Frame::WHOLE);
    let equal = equal(&luma, width as usize, height as usize, frame);
    Ok(Decoded { width, height, grey, equal, exif })
}

fn failure(error: ImageError) -> Failure {
    match error {
        ImageError::Limits(error) if matches!(error.kind(), LimitErrorKind::InsufficientMemory) => {
            Failure::Skipped
        }
        ImageError::Limits(_) | ImageError::Unsupported(_) => Failure::Skipped,
        ImageError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            // Decoders report damage through this too; a disk that fails is found when the content is named.
            Failure::Broken("It is damaged or not complete.".to_owned())
        }
        _ => Failure::Broken("It is damaged or not complete.".to_owned()),
    }
}

/// Grey values; what is transparent lies on white, as it would be seen.
fn luma(image: DynamicImage) -> Vec<u8> {
    if !image.color().has_alpha() {
        return image.into_luma8().into_raw();
    }
    let rgba = image.into_rgba8();
    let blend = |pixel: &[u8]| {
        let [red, green, blue, alpha] = pixel.first_chunk::<4>().map_or([0; 4], |pixel| pixel.map(u32::from));
        // The weights of ITU-R BT.709, times 10,000, as `into_luma8` takes them.
        let grey = (2_126 * red + 7_152 * green + 722 * blue) / 10_000;
        u8::try_from((grey * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
    };
    rgba.as_raw().chunks_exact(4).map(blend).collect()
}

/// Counted within the border, if there is one: a framed photo is no drawing.
fn equal(luma: &[u8], width: usize, height: usize, frame: Frame) -> u16 {
    let at = |share: f64, side: usize| (share * side as f64) as usize;
    let (left, right) = (at(frame.left, width), at(frame.right, width));
    let (top, bottom) = (at(frame.top, height), at(frame.bottom, height));
    let (mut same, mut all) = (0_u64, 0_u64);
    for row in luma.chunks_exact(width.max(1)).skip(top).take(bottom.saturating_sub(top)) {
        let row = row.get(left..right).unwrap_or(row);
        let pairs = row.iter().zip(row.iter().skip(1));
        same += pairs.filter(|(one, other)| one == other).count() as u64;
        all += row.len().saturating_sub(1) as u64;
    }
    u16::try_from(same * 1_000 / all.max(1)).unwrap_or(1_000)
}
