//! The judges of a text: no text makes one panic, scores stay between 0 and 1, and validation holds what it says.
//! It never says which texts are harmful: the tables of the crate's own tests do.

#![no_main]

use guard::content::normal::normalise;
use guard::content::{SpamGuard, moderate, spam, suspect, validate};
use kernel::{Code, Time};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = &*String::from_utf8_lossy(data);
    for finding in moderate(text).categories {
        assert!((0.0..=1.0).contains(&finding.score));
    }
    let suspicion = suspect(text);
    assert!((0.0..=1.0).contains(&suspicion.score), "{suspicion:?}");

    let normal = normalise(text);
    let words = &normal.text;
    assert!(words.starts_with(' ') && words.ends_with(' ') && !words.contains("  "), "{words:?}");

    let guard = SpamGuard::new();
    let once = guard.admit("a", text, Time::EPOCH);
    assert_eq!(once.is_err(), spam::check(text).is_err(), "the first time only the text counts");
    let last = (0..40).map(|_| guard.admit("a", text, Time::EPOCH)).last();
    assert!(last.is_some_and(|last| last.is_err_and(|fault| fault.code() == Code::Spam)));
    assert_eq!(guard.callers(), usize::from(once.is_ok()));

    let passed = validate::message(text, 100).is_ok();
    assert!(!passed || (!text.trim().is_empty() && text.chars().count() <= 100 && !text.contains('\0')));
    let _ = (validate::title(text), validate::topic(text), validate::name(text), validate::session(text));
});
