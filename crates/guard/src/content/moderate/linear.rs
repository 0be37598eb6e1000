//! A linear judge beside the lexicon: hashed words, pairs of words and pieces of words, a weight of one byte for each
//! category. It sees what the lexicon does not name, but it is a reader of words: it never blocks by itself (its
//! scores stop at [`CEILING`]), and a policy that wants it to must say so.
//!
//! The weights are `weights.bin`, made by `examples/train_moderation.rs` from public labelled texts; no word can be
//! read from them. What they are worth on texts that were not trained on is printed by `examples/figures`.
//!
//! One file format: the number of outputs (1 byte), for each output its bias, its gain (both `f32`, little-endian),
//! then for each of the [`SLOTS`] slots one `i8` for each output.

use std::sync::LazyLock;

use super::Category;

/// How many slots the features are hashed into.
pub const SLOTS: usize = 1 << 15;
/// What the judge tells apart, in the order of the weights.
pub const OUTPUTS: usize = 8;
/// The highest score of a category that this judge alone has found.
pub const CEILING: f32 = 0.8;
/// How many words are judged at once: a harmful page in a long document must not be thinned out.
const WINDOW: usize = 256;

/// The categories of the outputs. Of those that are absent there are too few texts to learn from. The last output tells
/// whether the language is rough, which is no category of harm.
pub const CATEGORIES: [Option<Category>; OUTPUTS] = [
    Some(Category::Sexual),
    Some(Category::Hate),
    Some(Category::Violence),
    Some(Category::Harassment),
    Some(Category::SelfHarm),
    Some(Category::SexualMinors),
    Some(Category::HateThreatening),
    None,
];

/// So many weights of a byte may be added up in two bytes.
const FLUSH: u32 = 256;

struct Weights {
    /// A row is added at once: eight numbers of two bytes.
    rows: Vec<[i16; OUTPUTS]>,
    bias: [f32; OUTPUTS],
    gain: [f32; OUTPUTS],
}

static WEIGHTS: LazyLock<Option<Weights>> = LazyLock::new(|| read(include_bytes!("weights.bin")));

/// Reads the weights now instead of at the first text.
pub(super) fn warm() {
    LazyLock::force(&WEIGHTS);
}

fn read(file: &[u8]) -> Option<Weights> {
    let (count, mut rest) = file.split_first()?;
    if usize::from(*count) != OUTPUTS {
        return None;
    }
    let (mut bias, mut gain) = ([0.0; OUTPUTS], [0.0; OUTPUTS]);
    for (bias, gain) in bias.iter_mut().zip(&mut gain) {
        let (first, after) = rest.split_first_chunk::<4>()?;
        let (second, after) = after.split_first_chunk::<4>()?;
        (*bias, *gain, rest) = (f32::from_le_bytes(*first), f32::from_le_bytes(*second), after);
    }
    let mut rows = vec![[0_i16; OUTPUTS]; SLOTS];
    let packed = rest.chunks_exact(OUTPUTS);
    if packed.len() != SLOTS {
        return None;
    }
    for (row, packed) in rows.iter_mut().zip(packed) {
        row.iter_mut().zip(packed).for_each(|(slot, byte)| *slot = i16::from(byte.cast_signed()));
    }
    Some(Weights { rows, bias, gain })
}

/// Mixes the bits of a number (the finaliser of a 64-bit hash).
#[inline]
const fn mix(mut bits: u64) -> u64 {
    bits ^= bits >> 32;
    bits = bits.wrapping_mul(0xd6e8_feb8_6659_fd93);
    bits ^= bits >> 32;
    bits
}

#[inline]
fn slot(bits: u64) -> usize {
    usize::try_from(mix(bits) >> 40).unwrap_or(0) % SLOTS
}

/// The hash of a word, by eight bytes at once.
#[inline]
fn hash(word: &[u8]) -> u64 {
    let mut state = word.len() as u64 ^ 0x9e37_79b9_7f4a_7c15;
    let mut chunks = word.chunks_exact(8);
    for chunk in chunks.by_ref() {
        if let Ok(bytes) = <[u8; 8]>::try_from(chunk) {
            state = mix(state ^ u64::from_le_bytes(bytes));
        }
    }
    let tail = chunks.remainder().iter().fold(0_u64, |tail, byte| tail << 8 | u64::from(*byte));
    mix(state ^ tail)
}

/// Tells the slots of the features of a stretch of normalised text (see `content::normal`): each word, each pair of
/// words that follow one another in a sentence, each four letters within a word with its edges.
#[inline]
pub fn features(text: &str, mut tell: impl FnMut(usize)) {
    let bytes = text.as_bytes();
    let (mut at, mut before) = (0, 0_u64);
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or(&[]);
        let length = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or(&[]);
        let from = at;
        at += length + 1;
        match word {
            [] => continue,
            b"." => {
                before = 0;
                continue;
            }
            _ => {}
        }
        let this = hash(word);
        tell(slot(this));
        if before != 0 {
            tell(slot(before.rotate_left(17) ^ this));
        }
        before = this;
        // With the spaces around it: " kil", "kill", "ill ".
        let edges = bytes.get(from.saturating_sub(1)..at.min(bytes.len())).unwrap_or(&[]);
        let mut four = 0_u32;
        for (place, byte) in edges.iter().enumerate() {
            four = four << 8 | u32::from(*byte);
            if place >= 3 {
                tell(slot(u64::from(four) | 1 << 40));
            }
        }
    }
}

/// How likely each output is, from 0 to 1, in the worst stretch of a normalised text.
pub fn probabilities(text: &str) -> [f32; OUTPUTS] {
    let mut worst = [0.0; OUTPUTS];
    let Some(weights) = WEIGHTS.as_ref() else { return worst };
    for stretch in stretches(text) {
        for (worst, logit) in worst.iter_mut().zip(weights.logits(stretch)) {
            *worst = worst.max(1.0 / (1.0 + (-logit).exp()));
        }
    }
    worst
}

impl Weights {
    fn logits(&self, text: &str) -> [f32; OUTPUTS] {
        let (mut sums, mut few) = ([0_i32; OUTPUTS], [0_i16; OUTPUTS]);
        let mut count = 0_u32;
        let mut flush = |few: &mut [i16; OUTPUTS]| {
            sums.iter_mut().zip(*few).for_each(|(sum, few)| *sum += i32::from(few));
            *few = [0; OUTPUTS];
        };
        features(text, |slot| {
            count += 1;
            if let Some(row) = self.rows.get(slot) {
                few.iter_mut().zip(row).for_each(|(sum, weight)| *sum = sum.wrapping_add(*weight));
            }
            if count.is_multiple_of(FLUSH) {
                flush(&mut few);
            }
        });
        flush(&mut few);
        let scale = 1.0 / (count.max(1) as f32).sqrt();
        let mut logits = self.bias;
        for ((logit, gain), sum) in logits.iter_mut().zip(self.gain).zip(sums) {
            *logit += gain * sum as f32 * scale;
        }
        logits
    }
}

/// The text in stretches of [`WINDOW`] words.
pub fn stretches(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.trim().is_empty() {
            return None;
        }
        let spaces = rest.bytes().enumerate().filter(|(_, byte)| *byte == b' ');
        let end = spaces.map(|(at, _)| at).nth(WINDOW).unwrap_or(rest.len());
        let (stretch, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(stretch)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_are_whole() {
        let weights = WEIGHTS.as_ref().expect("weights.bin has the form that is read");
        assert!(weights.bias.iter().chain(&weights.gain).all(|number| number.is_finite()));
        assert!(read(&[]).is_none() && read(&[8; 100]).is_none());
    }

    #[test]
    fn features_are_words_pairs_and_pieces() {
        let mut slots = Vec::new();
        features(" kill time . now ", |slot| slots.push(slot));
        // Three words; one pair, as a sentence ends behind it; " kil", "kill", "ill "; " tim", "time", "ime "; " now", "now ".
        assert_eq!(slots.len(), 3 + 1 + 3 + 3 + 2);
        assert!(slots.iter().all(|slot| *slot < SLOTS));
    }

    #[test]
    fn stretches_are_the_whole_text() {
        let text = " word".repeat(1_000);
        assert_eq!(stretches(&text).collect::<String>(), text);
        assert_eq!(stretches(&text).count(), 4);
        assert_eq!(stretches(" ").count(), 0);
    }
}
