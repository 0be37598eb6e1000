//! Files from strangers: no reader panics, the text is whole and in order, and what a file may cost is bounded.
//! The first byte of the input chooses the name the file came with.

#![no_main]

use std::time::{Duration, Instant};

use knowledge::extract::{Budget, ReasonKind, extract};
use knowledge::passage::passages;
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 5] = ["a.pdf", "a.html", "a.md", "a.csv", "a"];

fuzz_target!(|data: &[u8]| {
    let Some((&first, bytes)) = data.split_first() else { return };
    let name = NAMES[usize::from(first) % NAMES.len()];
    let began = Instant::now();
    let budget = Budget {
        decompressed: 8 << 20,
        text: 1 << 20,
        elements: 1 << 20,
        deadline: Some(began + Duration::from_secs(2)),
        ..Budget::default()
    };
    let found = extract(bytes, name, &budget);
    assert!(began.elapsed() < Duration::from_secs(5), "the budget did not hold");
    let found = match found {
        Ok(found) => found,
        Err(reason) => {
            assert_ne!(reason.kind, ReasonKind::Failed, "a reader panicked");
            return;
        }
    };
    assert!(found.text.chars().count() <= 4 << 20);
    let mut end = 0;
    for block in &found.blocks {
        assert!(found.text[end..block.range.start].trim().is_empty(), "text outside of blocks");
        assert!(!found.text[block.range.clone()].trim().is_empty(), "an empty block");
        end = block.range.end;
    }
    let most = 16 + usize::from(first) * 8;
    let mut end = 0;
    for passage in passages(&found.text, &found.blocks, most) {
        let text = passage.span.of(&found.text).expect("a passage cuts a character");
        assert!(found.text[end..passage.span.start].trim().is_empty(), "text is lost");
        assert!(text.chars().count() <= most);
        end = passage.span.end;
    }
    assert!(found.text[end..].trim().is_empty(), "the end is lost");
});
