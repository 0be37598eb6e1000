//! What is spam, and what is not.

use super::*;

fn guard() -> SpamGuard {
    SpamGuard::new([7; 32])
}

fn at(seconds: i64) -> Time {
    Time::from_seconds(1_795_000_000 + seconds)
}

fn spam(text: &str) -> bool {
    match guard().admit_here("visitor:1", text, at(0)) {
        Ok(_) => false,
        Err(fault) => {
            assert_eq!(fault.code(), Code::Spam);
            true
        }
    }
}

#[test]
fn the_same_text_again_and_again_is_spam() {
    let guard = guard();
    let text = "Buy my wonderful watches today";
    assert!(guard.admit_here("a", text, at(0)).is_ok());
    assert!(guard.admit_here("a", "BUY my  wonderful watches, today!!", at(1)).is_ok());
    assert!(guard.admit_here("a", text, at(2)).is_ok());
    let fault = guard.admit_here("a", text, at(3)).unwrap_err();
    assert_eq!(fault.code(), Code::Spam);
    assert!(fault.retry().is_some());
    assert!(guard.admit_here("b", text, at(2)).is_ok(), "another caller");
    assert!(guard.admit_here("a", text, at(61)).is_ok(), "a minute later");
}

#[test]
fn short_answers_may_repeat() {
    let guard = guard();
    for second in 0..30 {
        for text in ["yes", "ok", "👍", "next please"] {
            assert!(guard.admit_here("a", text, at(second)).is_ok());
        }
    }
    assert!(guard.admit_here("a", "yes", at(31)).is_err());
}

#[test]
fn texts_that_vary_a_little_are_the_same() {
    let guard = guard();
    let offer = |number: i64| {
        format!(
            "Only today: our wonderful watches for {number} dollars, write to the number 555 {number} with the code q{number}x"
        )
    };
    for second in 0..3 {
        assert!(guard.admit_here("a", &offer(second), at(second)).is_ok());
    }
    assert_eq!(guard.admit_here("a", &offer(3), at(3)).unwrap_err().code(), Code::Spam);
    assert!(guard.admit_here("b", &offer(4), at(4)).is_ok(), "another caller");
}

#[test]
fn floods_are_spam() {
    let many = |text: &str, times: usize| text.repeat(times);
    assert!(spam(&many("a", 5_000)));
    assert!(spam(&many("🔥", 500)));
    assert!(spam(&many("buy now ", 300)));
    assert!(spam(&many("spam ", 60)));
    assert!(spam(&many("https://example.com/x ", 11)));
    assert!(spam(&many("https://example.com/x", 11)));
    let sources = (0..14)
        .map(|n| format!("Source {n} says how the weather of the year was: https://example.com/{n}\n"));
    assert!(!spam(&sources.collect::<String>()), "links with words about them");
    assert!(spam(&many("sdfghjklqwrtzpxcvbnm", 20)));
}

#[test]
fn ordinary_texts_pass() {
    let code = "fn main() {\n    let x = vec![0_u8; 128];\n    println!(\"{x:?}\");\n}\n".repeat(3);
    let table = "| a | b |\n|---|---|\n".to_owned() + &"| 1 | 2 |\n".repeat(30);
    let story = "It was a bright cold day and the clocks were striking. ".repeat(2);
    for text in [
        "",
        "aaaaaaah!!!!!",
        "hahahahahahahahahahahahahahahahahahahahahahahahahahahahahaha",
        &"-".repeat(500),
        &code,
        &table,
        &story,
        "see https://a.example and https://b.example",
        &"語".repeat(60),
    ] {
        assert!(!spam(text), "{text:.60}");
    }
}

#[test]
fn memory_is_bounded() {
    let guard = guard();
    for caller in 0..200_000 {
        assert!(guard.admit_here(&format!("visitor:{caller}"), "hello there", at(caller / 10_000)).is_ok());
    }
    assert!(guard.callers() <= super::repeats::SHARDS * super::repeats::CALLERS);
}

#[test]
fn a_burst_is_noticed_once_and_refuses_only_what_spam_is_sent_for() {
    let guard = guard();
    let said = |number: i64| format!("A quite different question about subject number {number} of them");
    let bursts = |from: i64, to: i64| -> Vec<bool> {
        (from..to)
            .map(|n| {
                guard
                    .admit_here(
                        "a",
                        &said(n * 7_919).replace("subject", &"xyz".repeat(n as usize % 5 + 1)),
                        at(n),
                    )
                    .unwrap()
                    .burst
            })
            .collect()
    };
    // Who is new may send five in a moment.
    assert_eq!(bursts(0, 8), [false, false, false, false, false, true, false, false]);
    let links = "look at https://a.example https://b.example https://c.example https://d.example please";
    assert_eq!(guard.admit_here("a", links, at(8)).unwrap_err().code(), Code::Spam);
    assert!(guard.admit_here("a", "yes", at(8)).is_ok() && guard.admit_here("a", "yes", at(8)).is_ok());
    let offer = "An offer that nobody wants to hear of";
    assert!(guard.admit_here("a", offer, at(9)).is_ok() && guard.admit_here("a", offer, at(9)).is_ok());
    assert!(guard.admit_here("a", offer, at(9)).is_err());
    assert!(guard.admit_here("b", links, at(9)).is_ok(), "another caller");
    // Slower, and some time later: nothing is said, and more is a burst only from nine on.
    assert!(guard.admit_here("a", links, at(100)).is_ok());
    assert!((0..7).all(|n| !guard.admit_here("a", &said(n), at(101)).unwrap().burst));
    assert!(guard.admit_here("a", links, at(102)).is_err());
    assert!(
        (0..20).all(|n| !guard.admit_here("a", &said(n * 31), at(200)).is_ok_and(|noticed| noticed.burst)),
        "told of within the hour"
    );
}
