//! Sealed cookies: a value that a browser made up never opens, and a true one opens under its own name alone.
//! The value is text as a browser sends it; bytes that are no UTF-8 never reach the jar.

#![no_main]

use crypto::CookieJar;
use kernel::{Random, Secret};
use libfuzzer_sys::fuzz_target;

struct Fixed;

impl Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(9);
    }
}

fuzz_target!(|data: &[u8]| {
    let (old, new) = (Secret::new("old".to_owned()), Secret::new("new".to_owned()));
    let former = CookieJar::new(std::slice::from_ref(&old));
    let jar = CookieJar::new(&[new, old]);
    let value = String::from_utf8_lossy(data);
    assert!(jar.open("stoa_visitor", &value).is_none(), "a made-up cookie opened");

    let sealed = former.seal("stoa_visitor", data, &Fixed);
    assert!(sealed.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    // A browser does not send a longer one.
    if sealed.len() <= 4_096 {
        assert_eq!(jar.open("stoa_visitor", &sealed).as_deref(), Some(data), "rotation lost a cookie");
    }
    assert!(jar.open("other", &sealed).is_none());
    assert!(jar.open("stoa_visitor", &format!("{sealed}{value}x")).is_none());
});
