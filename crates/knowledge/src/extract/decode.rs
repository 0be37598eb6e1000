//! From bytes to characters: a byte order mark, else UTF-8, else what a page says of itself, else a guess by the
//! letters. It never fails; what cannot be read is marked in the text and told beside it.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::Kind;
use super::budget::{Meter, Reason};

/// How much of a text the guess is made from.
const SAMPLE: usize = 256 * 1024;

/// The text of a file, and warnings.
pub(crate) fn decode(bytes: &[u8], kind: Kind, meter: &Meter) -> Result<(String, Vec<String>), Reason> {
    meter.time()?;
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return Ok(with(encoding, bytes.get(mark..).unwrap_or(&[])));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok((text.to_owned(), Vec::new()));
    }
    if let Some(encoding) = utf16(bytes) {
        return Ok(with(encoding, bytes));
    }
    // Cut in the middle of a character at the end, and good before: it is UTF-8.
    if let Err(fault) = std::str::from_utf8(bytes)
        && fault.error_len().is_none()
        && fault.valid_up_to() > 0
    {
        return Ok(with(UTF_8, bytes));
    }
    let declared = if kind == Kind::Html { declared(bytes) } else { None };
    let encoding = declared.unwrap_or_else(|| {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(bytes.get(..bytes.len().min(SAMPLE)).unwrap_or(bytes), true);
        detector.guess(None, Utf8Detection::Allow)
    });
    Ok(with(encoding, bytes))
}

fn with(encoding: &'static Encoding, bytes: &[u8]) -> (String, Vec<String>) {
    let (text, damaged) = encoding.decode_without_bom_handling(bytes);
    let mut warnings = Vec::new();
    if damaged {
        warnings.push(format!("Some characters could not be read (as {}).", encoding.name()));
    }
    (text.into_owned(), warnings)
}

/// UTF-16 without a mark: of Latin text, every other byte is nought.
pub(crate) fn utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = bytes.get(..bytes.len().min(1_024)).unwrap_or(bytes);
    let (mut even, mut odd, mut pairs) = (0, 0, 0);
    for pair in sample.chunks_exact(2) {
        pairs += 1;
        even += usize::from(pair.first() == Some(&0));
        odd += usize::from(pair.get(1) == Some(&0));
    }
    let most = |count: usize| pairs >= 4 && count * 10 > pairs * 7;
    match (most(even), most(odd)) {
        (false, true) if even == 0 => Some(UTF_16LE),
        (true, false) if odd == 0 => Some(UTF_16BE),
        _ => None,
    }
}

/// What a page says of its encoding in its first kilobytes.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..bytes.len().min(4_096)).unwrap_or(bytes);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let (_, after) = head.split_once("charset")?;
    let label = after.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let end = label
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':')))
        .unwrap_or(label.len());
    let encoding = Encoding::for_label(label.get(..end)?.as_bytes())?;
    // A page that can be read so far is not wide; a page that is no UTF-8 is not UTF-8.
    (![UTF_16LE, UTF_16BE, UTF_8].contains(&encoding)).then_some(encoding)
}
