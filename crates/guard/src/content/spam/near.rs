//! A text as 64 bits of which few change when few of its words do (SimHash; Charikar, 2002). Numbers and
//! codes, case and signs do not count: they are what spam varies. It never keeps a text.

use std::collections::HashSet;
use std::hash::BuildHasher;

/// Shorter texts, in letters, are compared as a whole: what people say in few words is alike by itself.
const LEAST: usize = 60;
/// Letters in a row that are looked at together.
const SHINGLE: usize = 4;
/// Longer texts are looked at up to here, in bytes.
const MOST: usize = 20_000;
/// So many bits may differ. Two texts of a hundred letters with one other word differ in about six; an instruction with
/// another sentence to work on in more than ten. At seven no more is refused of what people write than at six, at eight
/// more is (the example `spam`).
pub(super) const NEAR: u32 = 7;

/// The bits of a text; `None` for one that is too short.
pub(super) fn sketch(text: &str, hasher: &impl BuildHasher) -> Option<u64> {
    let mut plain: Vec<char> = Vec::new();
    let mut letters = 0;
    for word in text.split_whitespace() {
        if plain.len() > MOST {
            break;
        }
        let digits = word.chars().filter(char::is_ascii_digit).count();
        let before = plain.len();
        plain.extend(word.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase));
        if digits > 0 {
            // A number, or a code.
            plain.truncate(before);
            continue;
        }
        letters += plain.len() - before;
        plain.push(' ');
    }
    if letters < LEAST {
        return None;
    }
    let seen: HashSet<u64> = plain.windows(SHINGLE).map(|shingle| hasher.hash_one(shingle)).collect();
    let mut sums = [0_i32; 64];
    for hash in seen {
        for (bit, sum) in sums.iter_mut().enumerate() {
            *sum += if hash >> bit & 1 == 1 { 1 } else { -1 };
        }
    }
    Some(sums.iter().enumerate().fold(0, |bits, (bit, sum)| bits | (u64::from(*sum > 0) << bit)))
}

/// Whether two texts are nearly the same.
pub(super) const fn is_near(one: u64, other: u64) -> bool {
    (one ^ other).count_ones() <= NEAR
}

#[cfg(test)]
mod tests {
    use std::collections::hash_map::DefaultHasher;
    use std::hash::BuildHasherDefault;

    use super::*;

    fn near(one: &str, other: &str) -> bool {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let sketch = |text: &str| sketch(text, &hasher).unwrap();
        is_near(sketch(one), sketch(other))
    }

    #[test]
    fn numbers_and_codes_change_nothing_and_other_words_do() {
        let offer =
            "Only today: our wonderful watches for 99 dollars, write to the number 555 1234 with the code";
        assert!(near(&format!("{offer} a7x9q"), &format!("{offer} zz81k").replace("99", "49")));
        assert!(!near(
            offer,
            "How do I return the watch that I bought of you last week, and who pays for the parcel then?"
        ));
        let translate = "Please translate the following sentence into German and keep its tone as it is:";
        assert!(!near(
            &format!("{translate} the cat sleeps on the warm stove all day"),
            &format!("{translate} nobody knows when the next train to Berlin leaves"),
        ));
    }

    #[test]
    fn short_texts_are_not_sketched() {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        assert_eq!(sketch("yes please go on", &hasher), None);
        assert_eq!(sketch(&"123 ".repeat(100), &hasher), None);
    }
}
