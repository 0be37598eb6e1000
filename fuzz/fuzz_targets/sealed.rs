//! Sealed values: hostile bytes never open and never panic, and what was sealed opens at its own place alone.
//! The first byte of the input says which byte of a true value is altered; it owns no knowledge of the layout.

#![no_main]

use crypto::{DataKey, Place, open, seal};
use kernel::Random;
use libfuzzer_sys::fuzz_target;

/// The same bytes each time, so that a finding can be repeated.
struct Fixed(u8);

impl Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fuzz_target!(|data: &[u8]| {
    let key = DataKey::generate(&Fixed(7));
    let place = Place { table: "messages", column: "content", row: "1" };
    let sealed = seal(&key, place, data, &Fixed(9));
    assert_eq!(open(&key, place, &sealed).expect("a sealed value opens"), data);

    // The input is never what `seal` made: it would have to hold a tag under a key it does not know.
    assert!(open(&key, place, data).is_err());
    // Neither with a true header in front of it.
    let mut forged = sealed.get(..29).expect("the header").to_vec();
    forged.extend_from_slice(data);
    assert!(open(&key, place, &forged).is_err());

    // Another key, another row, a cut and an altered byte.
    assert!(open(&DataKey::generate(&Fixed(8)), place, &sealed).is_err());
    assert!(open(&key, Place { row: "2", ..place }, &sealed).is_err());
    let at = data.first().map_or(0, |byte| usize::from(*byte)) % sealed.len();
    assert!(open(&key, place, &sealed[..at]).is_err());
    let mut altered = sealed;
    altered[at] ^= data.last().map_or(1, |byte| *byte | 1);
    assert!(open(&key, place, &altered).is_err());
});
