//! What the guard finds, and what it lets through.

use super::*;

fn guard() -> Guard {
    let steps = "Each of the 6 trays holds 7 cakes so there are 6 * 7 = 42 cakes on the table";
    Guard::new(Some(&Problem::plain("There are 6 trays with 7 cakes each. How many cakes?", "42", steps)))
}

#[test]
fn the_answer_is_found_in_every_dress() {
    let guard = guard();
    for text in [
        "The answer is 42.",
        "It comes to forty-two",
        "zweiundvierzig",
        "４２",
        "4 2",
        "four two",
        "4\u{200b}2",
        "42.0",
        "quarante-deux",
        "cuarenta y dos",
        "XLII",
        "the 42nd",
        "84/2",
        "21 + 21",
        "40 plus 2",
        r"\boxed{42}",
        r"$\frac{84}{2}$",
        "one more than 41",
        "The answer minus 1 is 41",
        "twice 21",
        "between 41 and 43",
        "**4**2",
        "&#52;&#50;",
        "6 × 7",
        "4200 %",
        "101010",
        "0x2a",
        "the result is 57",
    ] {
        assert!(guard.leak(text).is_some(), "{text}");
    }
    assert_eq!(guard.leak("so there are 6 * 7 cakes on the table"), Some(Leak::Expression));
}

#[test]
fn what_is_known_may_be_said() {
    let mut guard = guard();
    assert_eq!(
        Guard::new(Some(&Problem::plain("He runs 2000 steps. And then?", "2000", "")))
            .leak("Well, **2000**."),
        Some(Leak::Assertion)
    );
    for text in [
        "What do the 6 trays and the 7 cakes have in common?",
        "How many are on 2 trays, and why?",
        "Which step is your first?",
    ] {
        assert_eq!(guard.leak(text), None, "{text}");
    }
    guard.knows("I think 6 * 7 = 42?");
    assert_eq!(guard.leak("You say 6 × 7 is 42. How did you work it out?"), None);
    assert_eq!(guard.leak("The answer is 42."), Some(Leak::Assertion));
    guard.solved(Some("72"));
    assert_eq!(guard.leak("The answer is 42."), None);
    assert_eq!(guard.leak("And then it is 72."), Some(Leak::Value));
}

#[test]
fn words_and_code_are_answers_too() {
    let words = Guard::new(Some(&Problem::plain("How do plants feed?", "photosynthesis", "")));
    assert!(words.leak("It is called photo-synthesis.").is_some());
    assert!(words.leak("p h o t o s y n t h e s i s").is_some());
    assert_eq!(words.leak("What do plants take from the light?"), None);
    let choice = Guard::new(Some(&Problem::plain("Is it A or B?", "B", "")));
    assert!(choice.leak("The answer is B.").is_some());
    assert_eq!(choice.leak("What speaks for A, what for B?"), None);
    let code = Guard::new(Some(&Problem::plain("Why does the loop miss the last?", "range(n + 1)", "")));
    assert!(code.leak("Try `range( n+1 )` here").is_some());
}

#[test]
fn strict_means_no_new_number() {
    let mut guard = guard();
    assert_eq!(guard.leak("What would 35 be?"), None);
    guard.strict();
    assert_eq!(guard.leak("What would 35 be?"), Some(Leak::New));
    assert_eq!(guard.leak("Name two ideas about the 7 cakes?"), None);
}
