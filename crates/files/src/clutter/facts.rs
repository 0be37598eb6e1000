//! What is computed once for each content and kept: a report is made from these alone. It owns their form and its
//! version; `learn` owns how they are found.

use serde::{Deserialize, Serialize};

use super::Digest;

/// What is known of a content.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// [`Facts::VERSION`] when they were made. Facts of another version are made anew.
    pub version: u16,
    /// Bytes.
    pub size: u64,
    /// Its name.
    pub digest: Digest,
    /// What it is, by its first bytes; `None` when they are of no known format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// All bytes are zero.
    #[serde(default)]
    pub zero: bool,
    /// Bits of information in a byte, times 100, over the first 64 KiB: 0 to 800.
    #[serde(default)]
    pub entropy: u16,
    /// What is damaged about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// The fingerprint of its text, if it is a document that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<TextFacts>,
    /// The fingerprint of the picture, if it is one that could be decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageFacts>,
}

impl Facts {
    /// The version of the methods below. Whoever changes what a field means raises it.
    pub const VERSION: u16 = 1;

    /// Facts of a content of which only size and name are known.
    pub fn bare(digest: Digest, size: u64) -> Facts {
        Facts {
            version: Facts::VERSION,
            size,
            digest,
            format: None,
            zero: false,
            entropy: 0,
            fault: None,
            text: None,
            image: None,
        }
    }

    /// Facts of a content of which only the front was read: its name is [`Digest::UNKNOWN`].
    pub fn glance(head: &[u8], size: u64) -> Facts {
        Facts {
            format: super::format::sniff(head),
            entropy: super::format::entropy(head),
            zero: size > 0 && size == head.len() as u64 && head.iter().all(|byte| *byte == 0),
            ..Facts::bare(Digest::UNKNOWN, size)
        }
    }

    /// Whether they were made by the methods of this version.
    pub fn is_current(&self) -> bool {
        self.version == Facts::VERSION
    }
}

/// Why a content cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// The format it should be.
    pub format: Format,
    /// What is wrong: a sentence.
    pub sentence: String,
}

/// The fingerprint of a text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TextFacts {
    /// How many words it has.
    pub words: u32,
    /// How thin the sketch is: only hashes under `2^(32 - level)` are in it.
    pub level: u8,
    /// Hashes of three words in a row, ascending, each once: all of them at level 0. Texts under
    /// [`TextFacts::SHORT`] words have hashes of single words.
    #[serde(with = "super::pack::words")]
    pub sketch: Vec<u32>,
}

impl TextFacts {
    /// Under this many words three in a row say little, and single words are compared.
    pub const SHORT: u32 = 50;
}

/// The fingerprint of a picture.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ImageFacts {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// Hashes by frequencies (pHash, 64 bits), of each view; `views` says of which.
    #[serde(with = "super::pack::hashes")]
    pub frequencies: Vec<u64>,
    /// Hashes by gradients (dHash, 64 bits), of the same views.
    #[serde(with = "super::pack::hashes")]
    pub gradients: Vec<u64>,
    /// The whole in 16 × 16 grey values, to look again where the hashes are not sure.
    #[serde(with = "super::pack::bytes")]
    pub grey: Vec<u8>,
    /// Share of pixels that equal their right neighbour, in thousandths: high in what was drawn by a computer.
    pub equal: u16,
    /// Standard deviation of the grey values, 0 to 127: low in what shows nothing.
    pub contrast: u8,
    /// Variance of the Laplacian of the sharpest tenth of the tiles: low in what is blurred.
    pub sharpness: u32,
    /// How it was taken, where the file says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Taken>,
}

/// How a picture was taken.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Taken {
    /// The camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera: Option<String>,
    /// The time as the file writes it: `2024:05:06 07:08:09`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The place is known.
    #[serde(default)]
    pub place: bool,
}

impl ImageFacts {
    /// Drawn by a computer: screens look alike where they differ, so they are compared more strictly.
    pub fn is_screenshot(&self) -> bool {
        self.equal > 350
    }

    /// Shows so little that its hashes are noise.
    pub fn is_flat(&self) -> bool {
        self.contrast < 4
    }

    /// How many pixels.
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

macro_rules! formats {
    ($($(#[$doc:meta])* $name:ident $word:literal $label:literal [$($ending:literal)*])*) => {
        /// Formats that are told apart by their first bytes.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Format {
            $($(#[$doc])* $name,)*
        }

        impl Format {
            /// The format as a word.
            pub fn as_str(self) -> &'static str {
                match self { $(Format::$name => $word,)* }
            }

            /// What it is called in a sentence.
            pub fn label(self) -> &'static str {
                match self { $(Format::$name => $label,)* }
            }

            /// The endings that names of such files have, the usual one first.
            pub fn endings(self) -> &'static [&'static str] {
                match self { $(Format::$name => &[$($ending,)*],)* }
            }

            /// Every format.
            pub const ALL: &'static [Format] = &[$(Format::$name,)*];
        }
    };
}

formats! {
    /// Portable Network Graphics.
    Png "png" "a PNG picture" ["png" "apng"]
    /// JPEG.
    Jpeg "jpeg" "a JPEG picture" ["jpg" "jpeg" "jpe" "jfif"]
    /// Graphics Interchange Format.
    Gif "gif" "a GIF picture" ["gif"]
    /// WebP.
    Webp "webp" "a WebP picture" ["webp"]
    /// Windows bitmap.
    Bmp "bmp" "a bitmap picture" ["bmp" "dib"]
    /// TIFF, and the raw formats of cameras that are made like it.
    Tiff "tiff" "a TIFF or camera raw picture" ["tif" "tiff" "dng" "nef" "cr2" "arw"]
    /// HEIF pictures.
    Heif "heif" "an HEIF picture" ["heic" "heif" "avif"]
    /// JPEG XL.
    Jxl "jxl" "a JPEG XL picture" ["jxl"]
    /// Photoshop.
    Psd "psd" "a Photoshop picture" ["psd" "psb"]
    /// Portable Document Format.
    Pdf "pdf" "a PDF document" ["pdf"]
    /// PostScript.
    Postscript "postscript" "a PostScript document" ["ps" "eps"]
    /// Rich Text Format.
    Rtf "rtf" "a rich text document" ["rtf" "doc"]
    /// ZIP, and everything that is packed in it.
    Zip "zip" "a ZIP archive or a file packed like one" [
        "zip" "docx" "docm" "xlsx" "xlsm" "pptx" "pptm" "odt" "ods" "odp" "epub" "jar" "apk" "cbz" "kmz"
    ]
    /// The container of Office files before 2007, and of locked ones after it.
    Compound "compound" "an old or a locked Office file" ["doc" "xls" "ppt" "msg" "msi" "docx" "xlsx" "pptx"]
    /// gzip.
    Gzip "gzip" "a gzip file" ["gz" "tgz"]
    /// bzip2.
    Bzip2 "bzip2" "a bzip2 file" ["bz2" "tbz2"]
    /// xz.
    Xz "xz" "an xz file" ["xz" "txz"]
    /// Zstandard.
    Zstd "zstd" "a Zstandard file" ["zst"]
    /// 7-Zip.
    SevenZip "7z" "a 7-Zip archive" ["7z"]
    /// RAR.
    Rar "rar" "a RAR archive" ["rar" "cbr"]
    /// ISO base media: MP4, QuickTime.
    Mp4 "mp4" "an MP4 or QuickTime film or sound" ["mp4" "m4a" "m4v" "mov" "3gp" "m4b"]
    /// Matroska.
    Matroska "matroska" "a Matroska or WebM film" ["mkv" "webm" "mka"]
    /// RIFF sound.
    Wav "wav" "a WAV sound" ["wav"]
    /// RIFF film.
    Avi "avi" "an AVI film" ["avi"]
    /// Ogg.
    Ogg "ogg" "an Ogg sound or film" ["ogg" "oga" "ogv" "opus"]
    /// FLAC.
    Flac "flac" "a FLAC sound" ["flac"]
    /// MP3 with a tag.
    Mp3 "mp3" "an MP3 sound" ["mp3"]
    /// Programs of Unix.
    Elf "elf" "a program" ["so"]
    /// Databases.
    Sqlite "sqlite" "an SQLite database" ["sqlite" "sqlite3"]
    /// A page of the web.
    Html "html" "an HTML page" ["html" "htm" "xhtml"]
    /// JSON.
    Json "json" "a JSON document" ["json"]
    /// XML.
    Xml "xml" "an XML document" ["xml" "svg" "rss" "atom" "xsl" "plist" "xhtml" "html" "htm"]
    /// Any other text.
    Text "text" "a text" ["txt" "md" "csv" "tsv" "log" "json" "html" "htm" "xml" "svg" "ini" "yaml" "yml" "toml"]
}
