//! The fingerprint of a text: hashes of its words, three in a row, thinned so that it stays small and two of them can
//! still be compared, whatever their lengths. It never decides whether two texts are near: [`super::documents`] does.
//!
//! A sketch keeps the hashes under a bound that halves with each level. Two sketches are compared under the lower of
//! their bounds, where both are complete; so containment can be told as well as likeness, which a list of minima
//! cannot do. Up to [`MOST`] different shingles nothing is thinned and both are exact.

use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

use super::TextFacts;

/// Most hashes of one sketch: 2,048 of them put the error of a likeness of .5 under .02.
const MOST: usize = 2_048;
/// How many words are hashed together.
const RUN: usize = 3;

/// The fingerprint of a text; `None` when it has no word.
pub(super) fn fingerprint(text: &str) -> Option<TextFacts> {
    let mut words: u32 = 0;
    let mut singles = Vec::new();
    let mut sketch = Sketch::default();
    let mut last = [0_u64; RUN];
    for word in text.unicode_words() {
        let hash = word_hash(word);
        last.rotate_left(1);
        if let Some(end) = last.last_mut() {
            *end = hash;
        }
        words = words.saturating_add(1);
        if words <= TextFacts::SHORT {
            singles.push(spread(hash));
        }
        if words >= RUN as u32 {
            sketch.add(spread(last.iter().fold(0, |all, one| all.rotate_left(21) ^ one)));
        }
    }
    if words == 0 {
        return None;
    }
    if words < TextFacts::SHORT {
        singles.sort_unstable();
        singles.dedup();
        return Some(TextFacts { words, level: 0, sketch: singles });
    }
    sketch.thin();
    Some(TextFacts { words, level: sketch.level, sketch: sketch.hashes })
}

/// FNV-1a over the lower-case characters in their compatible form; the order of a file's composing is no difference.
fn word_hash(word: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut take = |c: char| hash = (hash ^ u64::from(u32::from(c))).wrapping_mul(0x0100_0000_01b3);
    if word.is_ascii() {
        word.chars().for_each(|c| take(c.to_ascii_lowercase()));
    } else {
        word.nfkc().flat_map(char::to_lowercase).for_each(take);
    }
    hash
}

/// Every bit of the result depends on every bit of the number (the finaliser of `SplitMix64`), cut to 32.
fn spread(mut x: u64) -> u32 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 32) as u32
}

#[derive(Default)]
struct Sketch {
    level: u8,
    hashes: Vec<u32>,
}

impl Sketch {
    fn add(&mut self, hash: u32) {
        if hash <= bound(self.level) {
            self.hashes.push(hash);
            if self.hashes.len() >= MOST * 4 {
                self.thin();
            }
        }
    }

    fn thin(&mut self) {
        self.hashes.sort_unstable();
        self.hashes.dedup();
        while self.hashes.len() > MOST && self.level < 31 {
            self.level += 1;
            let kept = self.hashes.partition_point(|hash| *hash <= bound(self.level));
            self.hashes.truncate(kept);
        }
    }
}

/// The largest hash that a sketch of this level keeps.
pub(super) fn bound(level: u8) -> u32 {
    u32::MAX >> level.min(31)
}

/// How much two texts have together.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Overlap {
    /// Share of what either has, that both have.
    pub(super) alike: f64,
    /// Share of the first that the second has.
    pub(super) first_in_second: f64,
    /// Share of the second that the first has.
    pub(super) second_in_first: f64,
    /// How many hashes of the first this was told by.
    pub(super) first_seen: usize,
    /// How many of the second.
    pub(super) second_seen: usize,
}

/// Compares two fingerprints of one sort; a short text and a long one are not comparable.
pub(super) fn overlap(one: &TextFacts, other: &TextFacts) -> Option<Overlap> {
    if (one.words < TextFacts::SHORT) != (other.words < TextFacts::SHORT) {
        return None;
    }
    let bound = bound(one.level.max(other.level));
    let under = |facts: &'_ TextFacts| facts.sketch.partition_point(|hash| *hash <= bound);
    let (first_seen, second_seen) = (under(one), under(other));
    let mut theirs = other.sketch.iter().take(second_seen).peekable();
    let mut both = 0_usize;
    for hash in one.sketch.iter().take(first_seen) {
        while theirs.next_if(|their| *their < hash).is_some() {}
        both += usize::from(theirs.next_if_eq(&hash).is_some());
    }
    let share = |all: usize| if all == 0 { 0.0 } else { both as f64 / all as f64 };
    Some(Overlap {
        alike: share(first_seen + second_seen - both),
        first_in_second: share(first_seen),
        second_in_first: share(second_seen),
        first_seen,
        second_seen,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(from: usize, to: usize) -> String {
        (from..to).map(|n| format!("word{n} ")).collect()
    }

    #[test]
    fn likeness_and_containment_are_exact_for_texts_of_usual_length() {
        let (one, other) = (fingerprint(&text(0, 402)).unwrap(), fingerprint(&text(200, 602)).unwrap());
        let found = overlap(&one, &other).unwrap();
        assert_eq!((one.level, one.sketch.len()), (0, 400));
        assert!((found.alike - 200.0 / 600.0).abs() < 1e-9, "{found:?}");
        let part = fingerprint(&text(100, 200)).unwrap();
        let found = overlap(&part, &one).unwrap();
        assert!((found.first_in_second - 1.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn long_texts_are_told_within_three_hundredths() {
        let long = fingerprint(&text(0, 100_000)).unwrap();
        assert!(long.sketch.len() <= MOST && long.sketch.len() > MOST / 3, "{}", long.sketch.len());
        let half = fingerprint(&text(50_000, 150_000)).unwrap();
        let found = overlap(&long, &half).unwrap();
        assert!((found.alike - 1.0 / 3.0).abs() < 0.03, "{found:?}");
        let part = fingerprint(&text(20_000, 40_000)).unwrap();
        let found = overlap(&part, &long).unwrap();
        assert!((found.first_in_second - 1.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn case_composition_and_punctuation_are_no_difference() {
        let one = fingerprint("Caf\u{e9}, la MAISON!").unwrap();
        assert_eq!(one, fingerprint("cafe\u{301} \u{201e}la\u{201c} maison").unwrap());
        assert_eq!(fingerprint("  \u{2014} !"), None);
        assert!(overlap(&one, &fingerprint(&text(0, 90)).unwrap()).is_none());
    }
}
