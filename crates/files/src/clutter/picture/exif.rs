//! The few fields of EXIF that say which of several pictures is worth most: camera, time, place. It reads within the
//! bounds it is given and follows each pointer once.

use crate::clutter::facts::Taken;

/// Longest text that is kept.
const TEXT: usize = 64;
/// Entries of one directory that are looked at.
const ENTRIES: u16 = 512;

struct Tiff<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl<'a> Tiff<'a> {
    fn short(&self, at: usize) -> Option<u16> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn long(&self, at: usize) -> Option<usize> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        usize::try_from(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }).ok()
    }

    /// The place of the entry with this tag in the directory at `at`.
    fn entry(&self, at: usize, tag: u16) -> Option<usize> {
        let count = self.short(at)?.min(ENTRIES);
        (0..usize::from(count)).map(|n| at + 2 + n * 12).find(|at| self.short(*at) == Some(tag))
    }

    fn text(&self, directory: usize, tag: u16) -> Option<String> {
        let entry = self.entry(directory, tag)?;
        let length = self.long(entry + 4)?;
        let from = if length <= 4 { entry + 8 } else { self.long(entry + 8)? };
        let bytes: &'a [u8] = self.bytes.get(from..from.checked_add(length.min(TEXT))?)?;
        let text = String::from_utf8_lossy(bytes);
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

/// Reads EXIF, with or without its name before it; `None` when it says nothing of the three.
pub(super) fn read(bytes: &[u8]) -> Option<Taken> {
    let bytes = bytes.strip_prefix(b"Exif\0\0").unwrap_or(bytes);
    let little = match bytes.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let tiff = Tiff { bytes, little };
    let first = tiff.long(4)?;
    let sub = tiff.entry(first, 0x8769).and_then(|entry| tiff.long(entry + 8));
    let gps = tiff.entry(first, 0x8825).and_then(|entry| tiff.long(entry + 8));
    let taken = Taken {
        camera: tiff.text(first, 0x0110),
        at: sub
            .and_then(|sub| tiff.text(sub, 0x9003))
            .filter(|at| at.starts_with(|c: char| c.is_ascii_digit())),
        place: gps.is_some_and(|gps| tiff.entry(gps, 2).is_some()),
    };
    (taken != Taken::default()).then_some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn little(entries: &[(u16, u16, u32, u32)], tail: &[u8]) -> Vec<u8> {
        let mut bytes = b"II*\0\x08\0\0\0".to_vec();
        bytes.extend(u16::try_from(entries.len()).unwrap().to_le_bytes());
        for (tag, kind, count, value) in entries {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(kind.to_le_bytes());
            bytes.extend(count.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(tail);
        bytes
    }

    #[test]
    fn the_camera_is_read_and_lies_are_not_followed() {
        let exif = little(&[(0x0110, 2, 7, 22)], b"Camera\0");
        assert_eq!(read(&exif).unwrap().camera.as_deref(), Some("Camera"));
        assert_eq!(read(&little(&[(0x0110, 2, 7, 4_000_000_000)], b"")), None);
        assert_eq!(read(&little(&[(0x8769, 4, 1, 8)], b"")), None);
        assert_eq!(read(b"II*\0"), None);
        assert_eq!(read(b"nonsense"), None);
    }
}
