//! Formats by their first bytes, and archives by their last. Signatures are those of the formats' own documents.

use super::BINARY;

fn at(head: &[u8], place: usize, signature: &[u8]) -> bool {
    head.get(place..).is_some_and(|rest| rest.starts_with(signature))
}

fn holds(head: &[u8], word: &[u8]) -> bool {
    head.windows(word.len()).any(|window| window == word)
}

/// The format, when the first bytes tell one. `text`: no byte until now is a control, so a signature of plain letters
/// alone tells nothing.
pub(super) fn format(head: &[u8], text: bool) -> Option<&'static str> {
    let is = |signature: &[u8]| head.starts_with(signature);
    let found = if is(b"\x89PNG\r\n\x1a\n") && at(head, 12, b"IHDR") {
        "image/png"
    } else if is(b"\xff\xd8\xff") {
        "image/jpeg"
    } else if (is(b"GIF87a") || is(b"GIF89a")) && !text {
        "image/gif"
    } else if is(b"RIFF") && at(head, 8, b"WEBP") {
        "image/webp"
    } else if is(b"RIFF") && at(head, 8, b"WAVE") {
        "audio/wav"
    } else if is(b"RIFF") && at(head, 8, b"AVI ") {
        "video/x-msvideo"
    } else if is(b"BM")
        && matches!(head.get(14), Some(12 | 40 | 52 | 56 | 64 | 108 | 124))
        && at(head, 15, &[0, 0, 0])
    {
        "image/bmp"
    } else if is(b"II*\0") || is(b"MM\0*") {
        "image/tiff"
    } else if is(b"\xff\x0a") && !text || is(b"\0\0\0\x0cJXL \r\n\x87\n") {
        "image/jxl"
    } else if is(b"8BPS\0") {
        "image/vnd.adobe.photoshop"
    } else if is(b"\0\0\x01\0") && head.get(4).is_some_and(|count| *count > 0) && at(head, 9, &[0]) {
        "image/x-icon"
    } else if at(head, 4, b"ftyp") {
        media(head.get(8..12).unwrap_or_default())
    } else if is(b"%PDF-") {
        "application/pdf"
    } else if is(b"{\\rtf") {
        "application/rtf"
    } else if is(b"%!PS") {
        "application/postscript"
    } else if is(b"PK\x03\x04") || is(b"PK\x05\x06") {
        packed(head)
    } else if is(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        "application/x-ole-storage"
    } else if is(b"\x1f\x8b\x08") {
        "application/gzip"
    } else if is(b"BZh") && !text {
        "application/x-bzip2"
    } else if is(b"\xfd7zXZ\0") {
        "application/x-xz"
    } else if is(b"\x28\xb5\x2f\xfd") {
        "application/zstd"
    } else if is(b"7z\xbc\xaf\x27\x1c") {
        "application/x-7z-compressed"
    } else if is(b"Rar!\x1a\x07") {
        "application/vnd.rar"
    } else if at(head, 257, b"ustar") && !text {
        "application/x-tar"
    } else if is(b"SQLite format 3\0") {
        "application/vnd.sqlite3"
    } else if is(b"MZ") && !text {
        "application/vnd.microsoft.portable-executable"
    } else if is(b"\x7fELF") {
        "application/x-elf"
    } else if is(b"\xfe\xed\xfa\xce")
        || is(b"\xfe\xed\xfa\xcf")
        || is(b"\xce\xfa\xed\xfe")
        || is(b"\xcf\xfa\xed\xfe")
    {
        "application/x-mach-binary"
    } else if is(b"\xca\xfe\xba\xbe") {
        "application/java-vm"
    } else if is(b"\0asm") {
        "application/wasm"
    } else if is(b"OggS\0") {
        "audio/ogg"
    } else if is(b"fLaC") && !text {
        "audio/flac"
    } else if !text && (is(b"ID3") || is(b"\xff\xfb") || is(b"\xff\xf3") || is(b"\xff\xf2")) {
        "audio/mpeg"
    } else if is(b"\x1aE\xdf\xa3") {
        if holds(head, b"webm") { "video/webm" } else { "video/x-matroska" }
    } else if is(b"GIF8") && text {
        // A picture has bytes that no text has: this is a text that wants to be taken for a picture.
        BINARY
    } else {
        return None;
    };
    Some(found)
}

fn media(brand: &[u8]) -> &'static str {
    match brand {
        b"avif" | b"avis" => "image/avif",
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"mif1" | b"msf1" => "image/heic",
        b"qt  " => "video/quicktime",
        b"M4A " | b"M4B " => "audio/mp4",
        _ => "video/mp4",
    }
}

/// What is packed as a ZIP archive: the first names in it tell.
fn packed(head: &[u8]) -> &'static str {
    const OFFICE: [(&[u8], &str); 3] = [
        (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ];
    const OPEN: [(&[u8], &str); 4] = [
        (b"application/epub+zip", "application/epub+zip"),
        (b"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
        (b"application/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.spreadsheet"),
        (
            b"application/vnd.oasis.opendocument.presentation",
            "application/vnd.oasis.opendocument.presentation",
        ),
    ];
    if at(head, 30, b"mimetype") {
        let stored = head.get(38..).unwrap_or_default();
        if let Some((_, found)) = OPEN.iter().find(|(word, _)| stored.starts_with(word)) {
            return found;
        }
    }
    if (holds(head, b"[Content_Types].xml") || holds(head, b"_rels/.rels"))
        && let Some((_, found)) = OFFICE.iter().find(|(word, _)| holds(head, word))
    {
        return found;
    }
    "application/zip"
}

/// Whether the last bytes are those of a ZIP archive: its end record, and a comment that ends where the file does.
pub(super) fn ends_as_archive(tail: &[u8]) -> bool {
    tail.windows(22).enumerate().any(|(place, record)| {
        let comment = match record {
            [b'P', b'K', 5, 6, .., low, high] => usize::from(u16::from_le_bytes([*low, *high])),
            _ => return false,
        };
        place + 22 + comment == tail.len()
    })
}
