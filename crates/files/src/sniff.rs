//! What a file is, by its content, while it comes in: the first bytes tell formats, every byte tells whether it is
//! text. The name and what the client says are never believed, but for the kind of a plain text.
//!
//! What a browser could run as a page of this server (HTML, SVG, XML) is told apart, however it begins, and is in no
//! wildcard.

use std::sync::Arc;

use kernel::{Code, Fault, Result};

mod magic;
mod markup;

/// How many of the first bytes are looked at.
const HEAD: usize = 8 * 1024;
/// The end of an archive is looked for in this many of the last bytes: 22 and a comment of up to 65,535.
const TAIL: usize = 22 + 65_535;

/// What is of no known format.
pub const BINARY: &str = "application/octet-stream";

/// The formats that are told apart, and whether the wildcard of their kind takes them. What browsers or machines run
/// must be named to be taken.
const KNOWN: &[(&str, bool)] = &[
    ("image/png", true),
    ("image/jpeg", true),
    ("image/gif", true),
    ("image/webp", true),
    ("image/bmp", true),
    ("image/tiff", true),
    ("image/avif", true),
    ("image/heic", true),
    ("image/jxl", true),
    ("image/x-icon", true),
    ("image/vnd.adobe.photoshop", true),
    ("image/svg+xml", false),
    ("text/plain", true),
    ("text/markdown", true),
    ("text/csv", true),
    ("text/tab-separated-values", true),
    ("text/html", false),
    ("text/xml", false),
    ("application/pdf", true),
    ("application/rtf", true),
    ("application/postscript", false),
    ("application/zip", true),
    ("application/epub+zip", true),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", true),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", true),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", true),
    ("application/vnd.oasis.opendocument.text", true),
    ("application/vnd.oasis.opendocument.spreadsheet", true),
    ("application/vnd.oasis.opendocument.presentation", true),
    ("application/x-ole-storage", true),
    ("application/gzip", true),
    ("application/x-bzip2", true),
    ("application/x-xz", true),
    ("application/zstd", true),
    ("application/x-7z-compressed", true),
    ("application/vnd.rar", true),
    ("application/x-tar", true),
    ("application/vnd.sqlite3", true),
    ("application/vnd.microsoft.portable-executable", false),
    ("application/x-elf", false),
    ("application/x-mach-binary", false),
    ("application/java-vm", false),
    ("application/wasm", false),
    (BINARY, false),
    ("audio/mpeg", true),
    ("audio/mp4", true),
    ("audio/flac", true),
    ("audio/wav", true),
    ("audio/ogg", true),
    ("video/mp4", true),
    ("video/quicktime", true),
    ("video/webm", true),
    ("video/x-matroska", true),
    ("video/x-msvideo", true),
];

/// Which files are taken: a fixed list, made from media types and wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    types: Vec<&'static str>,
    words: String,
}

impl Allowed {
    /// From media types in lower case, `image/*` for every harmless format of a kind. Types that are never told apart
    /// here take nothing.
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Allowed {
        let takes = |(known, harmless): &(&'static str, bool)| {
            let fits = |pattern: &S| match pattern.as_ref().strip_suffix("/*") {
                Some(kind) => *harmless && known.split('/').next() == Some(kind),
                None => pattern.as_ref() == *known,
            };
            patterns.iter().any(fits).then_some(*known)
        };
        let words: Vec<&str> = patterns.iter().map(AsRef::as_ref).collect();
        Allowed { types: KNOWN.iter().filter_map(takes).collect(), words: words.join(", ") }
    }

    /// Whether files of this media type are taken.
    pub fn takes(&self, media_type: &str) -> bool {
        self.types.contains(&media_type)
    }

    /// The media types that are taken.
    pub fn types(&self) -> &[&'static str] {
        &self.types
    }

    /// Whether anything of one of these types may still be taken.
    fn takes_text(&self) -> bool {
        self.types.iter().any(|known| known.starts_with("text/") || *known == "image/svg+xml")
    }

    fn refuse(&self, media_type: &str) -> Fault {
        Fault::new(Code::UnsupportedType)
            .say(format!("by its content this is {media_type}; taken here are {}", self.words))
    }
}

/// Looks at a content while it comes.
pub struct Judge {
    allowed: Arc<Allowed>,
    name: String,
    head: Vec<u8>,
    tail: Vec<u8>,
    text: Text,
    format: Option<&'static str>,
    judged: bool,
}

impl Judge {
    /// For a file with this label.
    pub fn new(allowed: &Arc<Allowed>, name: &str) -> Judge {
        let (head, tail) = (Vec::with_capacity(HEAD), Vec::new());
        Judge {
            allowed: Arc::clone(allowed),
            name: name.to_owned(),
            head,
            tail,
            text: Text::default(),
            format: None,
            judged: false,
        }
    }

    /// The next bytes. `unsupported_type` as soon as nothing that follows could make it a file that is taken.
    pub fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let missing = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend(bytes.iter().take(missing));
        self.keep_tail(bytes);
        self.text.take(bytes);
        if !self.judged && self.head.len() == HEAD {
            self.judge()?;
        }
        if self.judged && self.format.is_none() && !self.text.holds() && !self.allowed.takes(BINARY) {
            return Err(self.allowed.refuse(BINARY));
        }
        Ok(())
    }

    /// Everything has come: the media type.
    pub fn finish(mut self) -> Result<&'static str> {
        if !self.judged {
            self.judge()?;
        }
        let found = match self.format {
            Some(format) => format,
            None if self.text.ends() => markup::kind_of_text(&self.head, self.text.encoding, &self.name),
            None => BINARY,
        };
        if !self.allowed.takes(found) {
            return Err(self.allowed.refuse(found));
        }
        // A picture that is an archive too is taken for what its reader chooses to see in it.
        let is_document =
            found.starts_with("image/") || found.starts_with("text/") || found == "application/pdf";
        if is_document && magic::ends_as_archive(&self.tail) {
            return Err(self.allowed.refuse("both that and an archive"));
        }
        Ok(found)
    }

    fn judge(&mut self) -> Result<()> {
        self.judged = true;
        self.format = magic::format(&self.head, self.text.holds());
        match self.format {
            Some(format) if !self.allowed.takes(format) => Err(self.allowed.refuse(format)),
            None if !self.allowed.takes_text() && !self.allowed.takes(BINARY) => {
                Err(self.allowed.refuse("text"))
            }
            _ => Ok(()),
        }
    }

    fn keep_tail(&mut self, bytes: &[u8]) {
        let new = bytes.get(bytes.len().saturating_sub(TAIL)..).unwrap_or_default();
        // Moved down only now and then: each byte is copied a constant number of times.
        if self.tail.len() + new.len() > 2 * TAIL {
            let old = self.tail.len().saturating_sub(TAIL.saturating_sub(new.len()));
            self.tail.drain(..old);
        }
        self.tail.extend_from_slice(new);
    }
}

/// How the bytes of a text stand for characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Encoding {
    /// UTF-8, or a one-byte encoding, or an old one of East Asia: bytes below 32 are controls in all of them.
    #[default]
    Bytes,
    Utf16 {
        big: bool,
    },
}

/// Whether every byte until now can stand in a text.
#[derive(Default)]
struct Text {
    seen: u64,
    first: u8,
    encoding: Encoding,
    broken: bool,
    /// The first byte of a pair, in UTF-16.
    half: Option<u8>,
    /// A high surrogate waits for its low one.
    high: bool,
}

impl Text {
    fn take(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while self.seen < 2 {
            let Some((byte, after)) = rest.split_first() else { return };
            self.seen += 1;
            rest = after;
            match (self.seen, self.first, *byte) {
                (1, _, byte) => self.first = byte,
                (_, 0xff, 0xfe) => self.encoding = Encoding::Utf16 { big: false },
                (_, 0xfe, 0xff) => self.encoding = Encoding::Utf16 { big: true },
                (_, first, second) => self.broken = is_control(first) || is_control(second),
            }
        }
        self.seen += rest.len() as u64;
        if self.broken {
            return;
        }
        match self.encoding {
            Encoding::Bytes => self.broken = rest.iter().any(|byte| is_control(*byte)),
            Encoding::Utf16 { big } => {
                for byte in rest {
                    match self.half.take() {
                        None => self.half = Some(*byte),
                        Some(first) => {
                            let unit = if big {
                                u16::from_be_bytes([first, *byte])
                            } else {
                                u16::from_le_bytes([first, *byte])
                            };
                            self.unit(unit);
                        }
                    }
                }
            }
        }
    }

    fn unit(&mut self, unit: u16) {
        let (high, low) = ((0xd800..0xdc00).contains(&unit), (0xdc00..0xe000).contains(&unit));
        let control = u8::try_from(unit).is_ok_and(is_control);
        self.broken |= control || low != self.high || unit >= 0xfffe;
        self.high = high;
    }

    const fn holds(&self) -> bool {
        !self.broken
    }

    /// Whether it is a text now that everything has come.
    const fn ends(&self) -> bool {
        let single = self.seen == 1 && is_control(self.first);
        !self.broken && !single && self.half.is_none() && !self.high
    }
}

/// Bytes that no text has; tab, line feed, form feed, carriage return and escape are none.
const fn is_control(byte: u8) -> bool {
    byte == 0x7f || (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | 0x1b))
}

#[cfg(test)]
mod tests;
