//! The grammar of limits: no text panics, what is read is within the bounds that the grammar names, and a limit
//! that is written out again reads as the same.

#![no_main]

use std::time::Duration;

use guard::limits::parse;
use libfuzzer_sys::fuzz_target;

const LONGEST: Duration = Duration::from_secs(366 * 86_400);

fuzz_target!(|data: &[u8]| {
    let text = &*String::from_utf8_lossy(data);
    let rules = match parse(text) {
        Ok(rules) => rules,
        Err(wrong) => {
            assert!((1..=text.len() + 1).contains(&wrong.part));
            return;
        }
    };
    assert!((1..=10).contains(&rules.len()));
    let mut written = Vec::new();
    for rule in &rules {
        assert!(rule.limit > 0 && rule.window > Duration::ZERO && rule.window <= LONGEST, "{rule:?}");
        written.push(format!("{} per {} seconds", rule.limit, rule.window.as_secs()));
    }
    assert_eq!(parse(&written.join("; ")), Ok(rules));
});
