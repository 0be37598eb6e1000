//! Whether the length that a request announces may pass. The bytes that really come are counted by `web`,
//! after decompression; this refuses early, before anything is read.

use http::{HeaderMap, header};
use kernel::{Code, Fault, Result};

/// Refuses a request that announces more than `most` bytes (`too_large`), or announces nonsense (`invalid_input`).
/// A request without `Content-Length` passes: its bytes are counted while they come.
pub fn admit_length(headers: &HeaderMap, most: u64) -> Result<()> {
    let mut lines = headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(line) = lines.next() else { return Ok(()) };
    let digits = line.as_bytes();
    // Two lengths, or one that is no plain number, are how requests are smuggled (RFC 9112, section 6.3).
    if lines.next().is_some() || digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Fault::new(Code::InvalidInput).say("`Content-Length` must be one plain number."));
    }
    let length: Option<u64> = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
    if length.is_some_and(|length| length <= most) { Ok(()) } else { Err(too_large(most)) }
}

/// `too_large`, with the limit in words.
pub fn too_large(most: u64) -> Fault {
    Fault::new(Code::TooLarge).say(format!("The body may hold {most} bytes, counted after decompression."))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn announced_lengths() {
        let admit = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::CONTENT_LENGTH, HeaderValue::from_bytes(line.as_bytes()).unwrap());
            }
            admit_length(&headers, 100).map_err(|fault| fault.code())
        };
        for fine in [&[][..], &["0"], &["100"], &["0100"]] {
            assert_eq!(admit(fine), Ok(()), "{fine:?}");
        }
        for large in ["101", "18446744073709551615", "99999999999999999999999"] {
            assert_eq!(admit(&[large]), Err(Code::TooLarge), "{large}");
        }
        for nonsense in
            [&["-1"][..], &["+1"], &["1, 1"], &["1", "1"], &[""], &["0x10"], &["1.0"], &["1\u{e9}"]]
        {
            assert_eq!(admit(nonsense), Err(Code::InvalidInput), "{nonsense:?}");
        }
    }
}
