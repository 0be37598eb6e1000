//! What a content is, by its first bytes. It owns the signs; the name of the file is never asked.

use super::Format;

/// First bytes and what they say. Longer ones first where one begins like another.
const SIGNS: &[(&[u8], Format)] = &[
    (b"\x89PNG\r\n\x1a\n", Format::Png),
    (b"\xff\xd8\xff", Format::Jpeg),
    (b"GIF87a", Format::Gif),
    (b"GIF89a", Format::Gif),
    (b"II*\0", Format::Tiff),
    (b"MM\0*", Format::Tiff),
    (b"\xff\x0a", Format::Jxl),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Format::Jxl),
    (b"8BPS", Format::Psd),
    (b"%PDF-", Format::Pdf),
    (b"%!PS", Format::Postscript),
    (b"{\\rtf", Format::Rtf),
    (b"PK\x03\x04", Format::Zip),
    (b"PK\x05\x06", Format::Zip),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Format::Compound),
    (b"\x1f\x8b\x08", Format::Gzip),
    (b"BZh", Format::Bzip2),
    (b"\xfd7zXZ\0", Format::Xz),
    (b"\x28\xb5\x2f\xfd", Format::Zstd),
    (b"7z\xbc\xaf\x27\x1c", Format::SevenZip),
    (b"Rar!\x1a\x07", Format::Rar),
    (b"\x1a\x45\xdf\xa3", Format::Matroska),
    (b"OggS", Format::Ogg),
    (b"fLaC", Format::Flac),
    (b"ID3", Format::Mp3),
    (b"\x7fELF", Format::Elf),
    (b"SQLite format 3\0", Format::Sqlite),
];

/// What the content that begins like this is; `None` when it is nothing known.
pub(super) fn sniff(head: &[u8]) -> Option<Format> {
    if let Some((_, format)) = SIGNS.iter().find(|(sign, _)| head.starts_with(sign)) {
        // Three letters that begin many a text.
        let doubtful = matches!(format, Format::Bzip2 | Format::Mp3);
        if !doubtful || !is_text(head) {
            return Some(*format);
        }
    }
    if head.starts_with(b"RIFF") {
        return match head.get(8..12) {
            Some(b"WEBP") => Some(Format::Webp),
            Some(b"WAVE") => Some(Format::Wav),
            Some(b"AVI ") => Some(Format::Avi),
            _ => None,
        };
    }
    if head.get(4..8) == Some(b"ftyp") {
        return Some(match head.get(8..12) {
            Some(b"heic" | b"heix" | b"heim" | b"heis" | b"mif1" | b"msf1" | b"avif" | b"avis") => {
                Format::Heif
            }
            _ => Format::Mp4,
        });
    }
    // The size in the header keeps apart what only begins with two letters.
    if head.starts_with(b"BM") && head.get(6..10) == Some(&[0; 4]) && head.get(15..18) == Some(&[0; 3]) {
        return Some(Format::Bmp);
    }
    if head.is_empty() || !is_text(head) {
        // Readers of PDF accept a little of anything before the header.
        let start = head.get(..head.len().min(1_024)).unwrap_or(head);
        return start.windows(5).any(|window| window == b"%PDF-").then_some(Format::Pdf);
    }
    let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let lower = start.get(..start.len().min(512)).unwrap_or(start).to_ascii_lowercase();
    let has = |sign: &str| lower.windows(sign.len()).any(|window| window == sign.as_bytes());
    Some(match lower.first() {
        Some(b'<') if lower.starts_with(b"<!doctype html") || has("<html") => Format::Html,
        Some(b'<') if lower.starts_with(b"<?xml") || has("<svg") => Format::Xml,
        Some(b'{' | b'[') => Format::Json,
        _ => Format::Text,
    })
}

/// Whether bytes are text: no zero bytes except in UTF-16, hardly a control character.
fn is_text(head: &[u8]) -> bool {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return true;
    }
    let odd = head.iter().filter(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127)).count();
    !head.contains(&0) && odd * 50 <= head.len()
}

/// Whether the ending of a name says another format than the content is. Only endings that stand for something.
pub(super) fn contradicts(ending: &str, format: Format) -> bool {
    let claimed = Format::ALL.iter().any(|other| other.endings().contains(&ending));
    claimed && !format.endings().contains(&ending) && !(is_loose(format) && is_textual(ending))
}

/// Texts that are told apart by little: a page without its head is still a page.
fn is_loose(format: Format) -> bool {
    matches!(format, Format::Text | Format::Html | Format::Json | Format::Xml | Format::Postscript)
}

fn is_textual(ending: &str) -> bool {
    [Format::Text, Format::Html, Format::Json, Format::Xml].iter().any(|one| one.endings().contains(&ending))
}

/// Bits of information in a byte, times 100.
pub(super) fn entropy(bytes: &[u8]) -> u16 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let all = bytes.len().max(1) as f64;
    let bits: f64 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / all)
        .map(|share| -share * share.log2())
        .sum();
    (bits * 100.0).round().clamp(0.0, 800.0) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_their_first_bytes() {
        let cases: &[(&[u8], Option<Format>)] = &[
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Some(Format::Png)),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some(Format::Webp)),
            (b"RIFF\x10\0\0\0????", None),
            (b"\0\0\0\x18ftypheic\0\0", Some(Format::Heif)),
            (b"\0\0\0\x18ftypisom\0\0", Some(Format::Mp4)),
            (b"BZhello is a text", Some(Format::Text)),
            (b"BM me when you are there", Some(Format::Text)),
            (b"  <!DOCTYPE html><html>", Some(Format::Html)),
            (b"<?xml version='1.0'?><svg/>", Some(Format::Xml)),
            (b" {\"a\": 1}", Some(Format::Json)),
            (b"plain words", Some(Format::Text)),
            (b"\0\x01\x02\x03 binary", None),
            (b"\0\0garbage%PDF-1.4", Some(Format::Pdf)),
            (b"", None),
        ];
        for (head, format) in cases {
            assert_eq!(sniff(head), *format, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn only_endings_that_stand_for_something_contradict() {
        assert!(contradicts("jpg", Format::Png));
        assert!(contradicts("txt", Format::Pdf));
        assert!(contradicts("pdf", Format::Html));
        for (ending, format) in [
            ("jpeg", Format::Jpeg),
            ("docx", Format::Zip),
            ("dat", Format::Png),
            ("md", Format::Html),
            ("svg", Format::Xml),
            ("html", Format::Text),
            ("jpg_large", Format::Jpeg),
        ] {
            assert!(!contradicts(ending, format), "{ending}");
        }
    }

    #[test]
    fn entropy_is_nothing_for_zeros_and_most_for_noise() {
        assert_eq!(entropy(&[0; 100]), 0);
        assert_eq!(entropy(&[]), 0);
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(entropy(&all), 800);
    }
}
