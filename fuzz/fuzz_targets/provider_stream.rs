//! The stream of a model provider: any bytes in any pieces give the same events, and none panics. The reader is
//! private to `llm` and compiled here from its file; what an event may hold is tried by the tests of that crate.

#![no_main]
#![allow(dead_code, reason = "two files of `llm` stand here without their users")]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/llm/src/failure.rs"]
mod failure;
#[path = "../../crates/llm/src/openai/sse.rs"]
mod sse;

fn events<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut take = |data: &[u8]| {
        found.push(data.to_vec());
        Ok(())
    };
    let mut reader = sse::Reader::default();
    // The input is far below the limits of lines and events, so nothing is refused.
    for piece in pieces {
        reader.push(piece, &mut take).expect("a short stream is read");
    }
    reader.finish(&mut take).expect("a short stream ends");
    found
}

fuzz_target!(|data: &[u8]| {
    let Some((&cut, stream)) = data.split_first() else { return };
    let whole = events(std::iter::once(stream));
    assert!(whole.iter().map(Vec::len).sum::<usize>() <= stream.len());
    assert!(whole.iter().all(|event| !event.contains(&b'\r')), "an end of line is in an event");
    assert_eq!(events(stream.chunks(1)), whole, "byte by byte");
    assert_eq!(events(stream.chunks(usize::from(cut) % 16 + 1)), whole, "cut");
    let (left, right) = stream.split_at(usize::from(cut).min(stream.len()));
    assert_eq!(events([left, b"", right].into_iter()), whole, "with an empty piece");
});
