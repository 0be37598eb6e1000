//! Passages: every word in exactly one, whole characters, bounded length, headings with what they head.

use knowledge::cite::Span;
use knowledge::extract::{Block, BlockKind, Extracted};
use knowledge::passage::{CHARS, Passage, passages};
use proptest::prelude::*;

use crate::{pdf, read, samples};

/// What holds for every text and length.
fn check(text: &str, blocks: &[Block], most: usize) -> Vec<Passage> {
    let found = passages(text, blocks, most);
    let mut end = 0;
    for passage in &found {
        let between = text.get(end..passage.span.start).expect("in order, on whole characters");
        assert!(between.trim().is_empty(), "{between:?} lies in no passage");
        let words = passage.span.of(text).expect("whole characters");
        assert!(!words.is_empty() && words.trim() == words);
        assert!(words.chars().count() <= most.max(16), "{} over {most}", words.chars().count());
        assert!(passage.own <= passage.headings.len());
        assert!(passage.indexed(text).ends_with(words));
        // A quote from it is found where it stands.
        assert!(Span::from(passage.span.start..passage.span.end).verifies(text, words));
        end = passage.span.end;
    }
    assert!(text[end..].trim().is_empty(), "the end is lost");
    found
}

fn document(parts: &[(BlockKind, &str)]) -> (String, Vec<Block>) {
    let (mut text, mut blocks) = (String::new(), Vec::new());
    for (kind, words) in parts {
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        let start = text.len();
        text.push_str(words);
        blocks.push(Block { kind: *kind, range: start..text.len(), page: None });
    }
    (text, blocks)
}

#[test]
fn no_format_loses_a_word() {
    let parts = samples::handbook();
    let files = [
        ("a.docx", samples::docx(&parts)),
        ("a.html", samples::html(&parts)),
        ("a.md", samples::markdown(&parts)),
        ("a.csv", samples::csv(&parts)),
        ("a.pdf", pdf::new(&parts)),
    ];
    for (name, bytes) in files {
        let Extracted { text, blocks, .. } = read(&bytes, name).unwrap();
        for most in [0, 16, 100, 500, CHARS] {
            let found = check(&text, &blocks, most);
            let mean = text.chars().count() / found.len();
            assert!(most != CHARS || mean > CHARS / 2, "{name}: passages of {mean} characters are small");
            // A heading may end a passage only where the room is too small to go on, or the text ends.
            for (number, passage) in found.iter().enumerate().filter(|_| most >= 500) {
                let last = blocks.iter().rfind(|block| block.range.end <= passage.span.end).unwrap();
                let is_heading =
                    matches!(last.kind, BlockKind::Heading(_)) && last.range.start >= passage.span.start;
                assert!(!is_heading || number + 1 == found.len(), "{name}: {:?}", passage.span.of(&text));
            }
        }
    }
}

#[test]
fn headings_stand_above_and_beside() {
    let long = "One sentence here. ".repeat(40);
    let (text, blocks) = document(&[
        (BlockKind::Heading(1), "Shop"),
        (BlockKind::Heading(2), "Returns"),
        (BlockKind::Paragraph, long.trim()),
        (BlockKind::Heading(2), "Prices"),
        (BlockKind::Paragraph, "Low."),
        (BlockKind::Heading(2), "Hours"),
        (BlockKind::Paragraph, "Nine to five."),
        (BlockKind::Heading(1), "End"),
    ]);
    let found = check(&text, &blocks, 500);
    let shown: Vec<(Vec<&str>, usize, &str)> = found
        .iter()
        .map(|p| (p.headings.iter().map(String::as_str).collect(), p.own, p.span.of(&text).unwrap()))
        .collect();
    assert_eq!(shown[0].0, ["Shop", "Returns"]);
    assert_eq!(shown[0].1, 2);
    assert!(shown[0].2.starts_with("Shop\n\nReturns\n\nOne") && shown[0].2.ends_with("here."));
    assert_eq!((shown[1].0.clone(), shown[1].1), (vec!["Shop", "Returns"], 0));
    assert!(found[1].indexed(&text).starts_with("Shop\nReturns\nOne sentence"));
    // Two small sections go together under what they share; the end stands alone, for nothing follows it.
    assert_eq!(shown[2].0, ["Shop"]);
    assert_eq!(shown[2].2, "Prices\n\nLow.\n\nHours\n\nNine to five.");
    assert_eq!(shown[3].2, "End");
}

#[test]
fn a_row_is_cut_between_values_and_code_between_lines() {
    let row = (0..30).map(|n| format!("column{n}: value {n}")).collect::<Vec<_>>().join("; ");
    let code = (0..40).map(|n| format!("let x{n} = {n};")).collect::<Vec<_>>().join("\n");
    let (text, blocks) = document(&[(BlockKind::TableRow, &row), (BlockKind::Code, &code)]);
    for passage in check(&text, &blocks, 200) {
        let words = passage.span.of(&text).unwrap();
        assert!(words.starts_with("column") || words.starts_with("let"), "{words}");
    }
}

fn kinds() -> impl Strategy<Value = BlockKind> {
    prop_oneof![
        (1..=6_u8).prop_map(BlockKind::Heading),
        Just(BlockKind::Paragraph),
        Just(BlockKind::ListItem),
        Just(BlockKind::TableRow),
        Just(BlockKind::Code),
        Just(BlockKind::Quote),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_twice(
        parts in prop::collection::vec((kinds(), "[a-zé東.;! \n]{0,300}"), 0..30),
        most in 0..400_usize,
    ) {
        let parts: Vec<(BlockKind, &str)> =
            parts.iter().map(|(kind, words)| (*kind, words.trim())).filter(|(_, words)| !words.is_empty()).collect();
        let (text, blocks) = document(&parts);
        check(&text, &blocks, most);
    }
}
