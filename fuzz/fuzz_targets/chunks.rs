//! The chunker: passages lie in order on whole characters, are no longer than asked, and leave out nothing but
//! headings and white space. The first byte of the input is the length that is asked for.

#![no_main]

use knowledge::chunk::{chunks, title};
use knowledge::sentence::sentences;
use knowledge::tokens::{Stemming, distinct_terms};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&most, bytes)) = data.split_first() else { return };
    let source = &*String::from_utf8_lossy(bytes);
    let most = usize::from(most).max(1);
    let mut end = 0;
    let mut outside = String::new();
    for chunk in chunks(source, most) {
        let text = chunk.span.of(source).expect("a passage cuts a character");
        assert!(chunk.span.start >= end && !text.is_empty() && text.trim() == text);
        assert!(text.chars().count() <= most, "{text:?} is over {most}");
        assert!(chunk.span.verifies(source, text));
        outside.push_str(&source[end..chunk.span.start]);
        outside.push('\n');
        end = chunk.span.end;
    }
    outside.push_str(&source[end..]);
    // What no passage holds is a heading or nothing. Without the signs of headings, nothing may be missing.
    if !source.contains(['#', '=', '-']) {
        assert!(outside.trim().is_empty(), "{outside:?} is lost");
    }
    let _ = title(source);

    let mut end = 0;
    for range in sentences(source) {
        assert!(range.start >= end && source.get(range.clone()).is_some(), "{range:?}");
        end = range.end;
    }
    for stemming in [Stemming::English, Stemming::Prefix] {
        let _ = distinct_terms(source, stemming);
    }
});
