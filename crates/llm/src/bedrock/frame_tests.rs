//! Frames that are whole, cut anywhere, broken in every byte, and too large.

use proptest::prelude::*;

use super::*;

/// A frame of these raw headers and this payload.
pub(crate) fn raw(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
    let mut frame = length(PRELUDE + headers.len() + payload.len() + CHECK).to_vec();
    frame.extend(length(headers.len()));
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend(headers);
    frame.extend(payload);
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame
}

fn text(name: &str, value: &str) -> Vec<u8> {
    let mut header = vec![u8::try_from(name.len()).unwrap()];
    header.extend(name.as_bytes());
    header.push(7);
    header.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
    header.extend(value.as_bytes());
    header
}

fn event(name: &str, payload: &[u8]) -> Vec<u8> {
    let headers = [
        text(":event-type", name),
        text(":content-type", "application/json"),
        text(":message-type", "event"),
    ];
    raw(&headers.concat(), payload)
}

type Found = Vec<(String, String, Vec<u8>)>;

fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Found, Failure> {
    let mut reader = Reader::default();
    let mut found = Vec::new();
    for piece in pieces {
        reader.push(piece, &mut |frame| {
            found.push((frame.kind.to_owned(), frame.name.to_owned(), frame.payload.to_vec()));
            Ok(())
        })?;
    }
    reader.finish()?;
    Ok(found)
}

/// The bytes as the format's own documents print them: an empty message, and one with a payload and no headers.
#[test]
fn frames_of_the_documents_are_read() {
    let empty = [0, 0, 0, 16, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff];
    assert_eq!(frames([&empty[..]]).unwrap(), [(String::new(), String::new(), Vec::new())]);
    let payload: &[u8] = &[
        0x00, 0x00, 0x00, 0x1d, 0x00, 0x00, 0x00, 0x00, 0xfd, 0x52, 0x8c, 0x5a, 0x7b, 0x27, 0x66, 0x6f, 0x6f,
        0x27, 0x3a, 0x27, 0x62, 0x61, 0x72, 0x27, 0x7d, 0xc3, 0x65, 0x39, 0x36,
    ];
    assert_eq!(frames([payload]).unwrap()[0].2, b"{'foo':'bar'}");
}

#[test]
fn exceptions_and_errors_have_names_of_their_own() {
    let exception =
        [text(":exception-type", "throttlingException"), text(":message-type", "exception")].concat();
    let error =
        [text(":message-type", "error"), text(":error-code", "InternalError"), text(":event-type", "x")];
    let stream = [raw(&exception, b"{}"), raw(&error.concat(), b"")].concat();
    let found = frames([&stream[..]]).unwrap();
    assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("exception", "throttlingException"));
    assert_eq!((found[1].0.as_str(), found[1].1.as_str()), ("error", "InternalError"));
}

#[test]
fn headers_of_every_type_are_passed_over() {
    let mut headers = Vec::new();
    for (sort, value) in [
        (0_u8, &[][..]),
        (1, &[]),
        (2, &[1]),
        (3, &[1, 2]),
        (4, &[1; 4]),
        (5, &[1; 8]),
        (6, &[0, 2, 7, 7]),
        (8, &[1; 8]),
        (9, &[1; 16]),
    ] {
        headers.extend([1, b'a' + sort, sort]);
        headers.extend(value);
    }
    headers.extend(text(":message-type", "event"));
    assert_eq!(frames([&raw(&headers, b"x")[..]]).unwrap()[0].0, "event");
}

#[test]
fn headers_that_cannot_be_are_refused() {
    for headers in [
        vec![0, 7, 0, 0],                             // a name without a letter
        vec![1, b'a', 10],                            // a type that does not exist
        vec![1, b'a', 7, 0, 9, b'x'],                 // longer than what is there
        vec![9, b'a'],                                // a name that is cut
        vec![1, b'a', 7, 0, 1, 0xff],                 // text that is none
        [&[13][..], b":message-type", &[0]].concat(), // a flag where a text must be
        text("a", "").repeat(MOST_HEADERS + 1),
        text("a", &"x".repeat(HEADERS)),
    ] {
        assert!(matches!(frames([&raw(&headers, b"{}")[..]]), Err(Failure::Garbage(_))), "{headers:?}");
    }
    assert!(frames([&raw(&text("a", "").repeat(MOST_HEADERS), b"{}")[..]]).is_ok());
}

#[test]
fn lengths_that_cannot_be_are_refused_before_anything_is_kept() {
    let prelude = |whole: u32, headers: u32| {
        let mut bytes = [whole.to_be_bytes(), headers.to_be_bytes()].concat();
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes
    };
    for (whole, headers) in
        [(0, 0), (15, 0), (16, 1), (u32::MAX, 0), (u32::MAX, u32::MAX), (4 << 20 | 1, 0), (1 << 20, 1 << 15)]
    {
        let mut reader = Reader::default();
        let outcome = reader.push(&prelude(whole, headers), &mut |_| Ok(()));
        assert!(matches!(outcome, Err(Failure::Garbage(_))), "{whole} {headers}");
        assert!(reader.part.capacity() < 1_024);
    }
}

/// Whatever byte is another one, the frame is refused.
#[test]
fn every_broken_byte_is_noticed() {
    let good = event("contentBlockDelta", br#"{"delta":{"text":"hello"}}"#);
    for at in 0..good.len() {
        for flip in [1, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[at] ^= flip;
            // A length that was broken may ask for more bytes than there are; the end of the stream tells.
            assert!(matches!(frames([&bad[..]]), Err(Failure::Garbage(_))), "byte {at}");
        }
    }
    for cut in 1..good.len() {
        assert!(matches!(frames([&good[..cut]]), Err(Failure::Garbage(_))), "cut at {cut}");
    }
    assert!(frames([&b"data: {\"a\":1}\n\n"[..]]).is_err(), "another protocol");
}

proptest! {
    /// Any cuts give the same frames.
    #[test]
    fn cuts_do_not_matter(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..6),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let stream: Vec<u8> = payloads.iter().flat_map(|payload| event("metadata", payload)).collect();
        let whole = frames([&stream[..]]).unwrap();
        let payloads_back: Vec<&Vec<u8>> = whole.iter().map(|frame| &frame.2).collect();
        prop_assert_eq!(payloads_back, payloads.iter().collect::<Vec<_>>());
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([stream.len()]) {
            pieces.push(&stream[from..cut]);
            from = cut;
        }
        prop_assert_eq!(frames(pieces).unwrap(), whole.clone());
        prop_assert_eq!(frames(stream.chunks(1)).unwrap(), whole);
    }

    /// Bytes that are no frames harm nothing.
    #[test]
    fn noise_is_refused(noise in prop::collection::vec(any::<u8>(), 12..400)) {
        prop_assert!(frames([&noise[..]]).is_err());
    }
}
