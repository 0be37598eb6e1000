//! The broad mask against names, addresses, dates and ages, and against words that are none.

use std::borrow::Cow;

use super::{find_broadly, mask_broadly};

#[test]
fn names_addresses_dates_and_ages_go() {
    for (text, expected) in [
        ("I met Ada Lovelace in Greenwich.", "I met [NAME] in [NAME]."),
        ("Write to Mrs. Müller-Lüdenscheidt, please.", "Write to [NAME] [NAME], please."),
        ("Peter van der Berg's car is here.", "[NAME]'s car is here."),
        ("She lives at 12 Baker Street, Apt. 5", "She lives at [ADDRESS]"),
        ("Send it to P.O. Box 104", "Send it to [ADDRESS]"),
        ("He was born on 12/27/1986 and is 39 years old.", "He was born on [DATE] and is [AGE] years old."),
        ("Until 5 May 2020 it rained.", "Until [DATE] it rained."),
        ("Mail ada@example.com about Ada", "Mail [EMAIL] about [NAME]"),
    ] {
        assert_eq!(mask_broadly(text), expected, "of {text:?}");
    }
}

#[test]
fn what_names_nobody_stays() {
    for text in [
        "",
        "Please send me the report today.",
        "What is the price? I do not know.",
        "The meeting was moved. It may rain in march.",
        "Hello, how can I change my password?",
    ] {
        assert_eq!(mask_broadly(text), text);
        assert!(matches!(mask_broadly(text), Cow::Borrowed(_)));
    }
}

#[test]
fn finds_are_in_order_and_whole_for_any_text() {
    let pieces = [
        "Ada",
        " ",
        "é",
        "12",
        ".",
        "Apt",
        "'s",
        "\u{301}",
        "@",
        "P.O. Box 9",
        "\n",
        "Dr",
        "5/5/2020",
        "😀",
        "de",
    ];
    for seed in 0..400_usize {
        let text: String = (0..12).map(|at| pieces[(seed * 7 + at * (seed + 3)) % pieces.len()]).collect();
        let mut end = 0;
        for found in find_broadly(&text) {
            assert!(found.range.start >= end && found.range.start < found.range.end, "{text:?}");
            assert!(text.get(found.range.clone()).is_some(), "{text:?}");
            end = found.range.end;
        }
    }
}
