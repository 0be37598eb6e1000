//! Reading files: the same text out of every format, hostile files that fail alone, and passages that lose nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod cutting;
mod fidelity;
mod hostile;
mod pdf;
mod samples;

use std::time::{Duration, Instant};

use knowledge::extract::{Budget, Extracted, Reason, ReasonKind, extract};

/// Reads within a deadline, as the server does. Whatever comes, a library may not have panicked.
fn read(bytes: &[u8], name: &str) -> Result<Extracted, Reason> {
    read_within(bytes, name, Budget::default())
}

fn read_within(bytes: &[u8], name: &str, budget: Budget) -> Result<Extracted, Reason> {
    let began = Instant::now();
    let budget = Budget { deadline: Some(began + Duration::from_secs(10)), ..budget };
    let result = extract(bytes, name, &budget);
    // Tests run unoptimised beside others; the deadline itself is what holds in production.
    assert!(began.elapsed() < Duration::from_secs(25), "{name} took {:?}", began.elapsed());
    match &result {
        Ok(found) => check(found),
        Err(reason) => {
            assert_ne!(reason.kind, ReasonKind::Failed, "{name} made a reader panic");
            assert!(reason.sentence.ends_with('.') && reason.sentence.len() > 15, "{reason:?}");
        }
    }
    result
}

/// What holds for every text: blocks in order, on whole characters, nothing but white space between them.
fn check(found: &Extracted) {
    let mut end = 0;
    for block in &found.blocks {
        let between = found.text.get(end..block.range.start).expect("blocks are in order");
        assert!(between.trim().is_empty(), "{between:?} lies in no block");
        let text = found.text.get(block.range.clone()).expect("whole characters");
        assert!(!text.is_empty() && text.trim() == text, "{text:?}");
        end = block.range.end;
    }
    assert_eq!(found.text.get(end..), Some(""), "the text ends with its last block");
    assert!(!found.blocks.is_empty() && !found.title.contains('\n'));
}
