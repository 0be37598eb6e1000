//! The mask: finds lie in order on whole characters, a stream lets go the same for any cut, the result is bounded,
//! and no address or account number is left for a second pass. The first byte of the input says how the text is cut.

#![no_main]

use guard::content::{Masker, PiiKind};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&cut, bytes)) = data.split_first() else { return };
    let text = &*String::from_utf8_lossy(bytes);
    let longest = PiiKind::ALL.iter().map(|kind| kind.mask().len()).max().unwrap_or(0);
    for masker in [Masker::standard(), Masker::everything()] {
        let found = masker.find(text);
        let mut end = 0;
        for find in &found {
            assert!(find.range.start >= end && find.range.end > find.range.start, "{found:?} overlap");
            assert!(text.get(find.range.clone()).is_some(), "{find:?} cuts a character");
            end = find.range.end;
        }
        let whole = masker.mask(text);
        assert!(whole.len() <= text.len() + found.len() * longest);

        let mut stream = masker.stream();
        let mut out = String::new();
        let chars: Vec<char> = text.chars().collect();
        for piece in chars.chunks(usize::from(cut) % 16 + 1) {
            out.push_str(&stream.push(&piece.iter().collect::<String>()));
            assert!(out.len() + stream.waiting() <= text.len() + found.len() * longest);
        }
        out.push_str(&stream.finish());
        assert_eq!(out, whole, "the cut changed what was let go");

        // Masks are shorter or longer than what they hide, so a second pass may see another word near a number. What is
        // recognised by itself must be gone.
        let alone = |kind| matches!(kind, PiiKind::Email | PiiKind::Iban | PiiKind::Mac);
        let left = masker.find(&whole).into_iter().find(|find| alone(find.kind));
        assert!(left.is_none(), "{whole:?} still holds {left:?}");
    }
});
