//! The event streams of Amazon Bedrock: any bytes in any pieces give the same frames or the same refusal, and none
//! panics. The reader is private to `llm` and compiled here from its file; what a frame may hold is tried by the tests
//! of that crate. Checksums are put right first, else nothing would ever get past them.

#![no_main]
#![allow(dead_code, reason = "two files of `llm` stand here without their users")]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/llm/src/failure.rs"]
mod failure;
#[path = "../../crates/llm/src/bedrock/frame.rs"]
mod frame;

type Found = (Vec<(String, String, Vec<u8>)>, bool);

fn frames<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Found {
    let (mut reader, mut found) = (frame::Reader::default(), Vec::new());
    let mut take = |frame: frame::Frame<'_>| {
        found.push((frame.kind.to_owned(), frame.name.to_owned(), frame.payload.to_vec()));
        Ok(())
    };
    for piece in pieces {
        if reader.push(piece, &mut take).is_err() {
            return (found, false);
        }
    }
    let whole = reader.finish().is_ok();
    (found, whole)
}

/// Writes the checksums that the frames in these bytes should have, as far as their lengths make sense.
fn mended(data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    let mut at = 0;
    while let Some(prelude) = data.get(at..at + 8) {
        let length = u32::from_be_bytes([0, 0, prelude[2], prelude[3]]) as usize;
        data[at..at + 2].fill(0);
        let check = crc32fast::hash(&data[at..at + 8]);
        let Some(place) = data.get_mut(at + 8..at + 12) else { break };
        place.copy_from_slice(&check.to_be_bytes());
        let Some(end) = (at + length).checked_sub(4).filter(|end| *end >= at + 12 && end + 4 <= data.len()) else {
            break;
        };
        let check = crc32fast::hash(&data[at..end]);
        data[end..end + 4].copy_from_slice(&check.to_be_bytes());
        at = end + 4;
    }
    data
}

fuzz_target!(|data: &[u8]| {
    let Some((&cut, stream)) = data.split_first() else { return };
    for stream in [stream.to_vec(), mended(stream)] {
        let whole = frames(std::iter::once(&stream[..]));
        assert!(whole.0.iter().map(|frame| frame.2.len()).sum::<usize>() <= stream.len());
        assert_eq!(frames(stream.chunks(1)), whole, "byte by byte");
        assert_eq!(frames(stream.chunks(usize::from(cut) % 16 + 1)), whole, "cut");
    }
});
