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
/// How many bytes are judged at once: a harmful page in a long document must not be thinned out.
const WINDOW: usize = 1536;

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
const FLUSH: usize = 256;

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

/// Mixes the bits of a number (half the finaliser of a 64-bit hash).
#[inline]
const fn mix(mut bits: u64) -> u64 {
    bits ^= bits >> 32;
    bits.wrapping_mul(0xd6e8_feb8_6659_fd93)
}

/// The upper bits of a product depend on all the lower ones.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "15 bits are left")]
const fn slot(bits: u64) -> u16 {
    (bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - SLOTS.trailing_zeros())) as u16
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

/// Features are told in handfuls of at most this many.
const HANDFUL: usize = 32;

/// Tells the slots of the features of a stretch of normalised text (see `content::normal`), in handfuls: each word,
/// each pair of words that follow one another in a sentence, each four letters within a word with its edges.
#[inline]
pub fn features(text: &str, mut tell: impl FnMut(&[u16])) {
    let bytes = text.as_bytes();
    let (mut at, mut before) = (0, 0_u64);
    let mut slots = [0_u16; HANDFUL];
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
        let mut count = 1;
        slots[0] = slot(this);
        if before != 0 {
            slots[1] = slot(before.rotate_left(17) ^ this);
            count = 2;
        }
        before = this;
        // With the spaces around it: " kil", "kill", "ill ".
        let edges = bytes.get(from.saturating_sub(1)..at.min(bytes.len())).unwrap_or(&[]);
        for four in edges.windows(4) {
            if count == HANDFUL {
                tell(&slots);
                count = 0;
            }
            let number = <[u8; 4]>::try_from(four).map_or(0, u32::from_be_bytes);
            if let Some(place) = slots.get_mut(count) {
                *place = slot(u64::from(number) | 1 << 40);
            }
            count += 1;
        }
        tell(slots.get(..count).unwrap_or(&[]));
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
        let (mut count, mut waiting) = (0, 0);
        features(text, |slots| {
            if waiting + slots.len() > FLUSH {
                sums.iter_mut().zip(few).for_each(|(sum, few)| *sum += i32::from(few));
                (few, waiting) = ([0; OUTPUTS], 0);
            }
            let mut here = few;
            for row in slots.iter().filter_map(|slot| self.rows.get(usize::from(*slot))) {
                here.iter_mut().zip(row).for_each(|(sum, weight)| *sum = sum.wrapping_add(*weight));
            }
            few = here;
            count += slots.len();
            waiting += slots.len();
        });
        sums.iter_mut().zip(few).for_each(|(sum, few)| *sum += i32::from(few));
        let scale = 1.0 / (count.max(1) as f32).sqrt();
        let mut logits = self.bias;
        for ((logit, gain), sum) in logits.iter_mut().zip(self.gain).zip(sums) {
            *logit += gain * sum as f32 * scale;
        }
        logits
    }
}

/// The text in stretches of [`WINDOW`] bytes and the rest of the word there.
pub fn stretches(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.trim_ascii_start().is_empty() {
            return None;
        }
        let behind = rest.as_bytes().get(WINDOW..).unwrap_or(&[]);
        let space = behind.iter().position(|byte| *byte == b' ');
        let (stretch, after) = rest.split_at_checked(space.map_or(rest.len(), |space| WINDOW + space))?;
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
        features(" kill time . now ", |more| slots.extend_from_slice(more));
        // Three words; one pair, as a sentence ends behind it; " kil", "kill", "ill "; " tim", "time", "ime "; " now", "now ".
        assert_eq!(slots.len(), 3 + 1 + 3 + 3 + 2);
        assert!(slots.iter().all(|slot| usize::from(*slot) < SLOTS));
    }

    #[test]
    fn stretches_are_the_whole_text() {
        let text = " word".repeat(1_000);
        assert_eq!(stretches(&text).collect::<String>(), text);
        assert_eq!(stretches(&text).count(), 4, "5,000 bytes");
        assert_eq!(stretches(" ").count(), 0);
    }
}
