//! What the index knows of a passage: its length and the keyed hashes of its words with their counts, in one blob.
//! It never holds a word: who has the blobs and not the key learns that passages share words, not which.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crypto::Blind;

use super::shelf::Itself;
use crate::forms::Former;
use crate::tokens::{Piece, each_piece};

/// The layout and the rules of words that this version writes. Another one is read from the text again.
const VERSION: u8 = 1;

/// Tells first letters from whole words among the hashes.
const SHORT: &str = "\u{1}";

/// What the index knows of a passage.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Card {
    /// How many words it has.
    pub(crate) length: u32,
    /// The hashes of its words, ascending, with how often they count.
    pub(crate) words: Vec<(u64, u8)>,
}

/// The hash of a stem.
pub(crate) fn stem_tag(blind: &Blind, stem: &str) -> u64 {
    blind.number(stem)
}

/// The hash of first letters.
pub(crate) fn prefix_tag(blind: &Blind, prefix: &str) -> u64 {
    let mut text = String::with_capacity(1 + prefix.len());
    text.push_str(SHORT);
    text.push_str(prefix);
    blind.number(&text)
}

/// Writes cards under the key of one app. It remembers the hashes of one document's words, which come again and again.
pub struct Scribe<'a> {
    blind: &'a Blind,
    former: Former,
    words: HashMap<String, Tags>,
    others: HashMap<String, Tags>,
}

/// The hashes of a word: of its stem and of its first letters.
#[derive(Clone, Copy)]
struct Tags {
    stem: u64,
    prefix: Option<u64>,
}

impl<'a> Scribe<'a> {
    /// A writer of cards.
    pub fn new(blind: &'a Blind) -> Scribe<'a> {
        Scribe { blind, former: Former::new(), words: HashMap::new(), others: HashMap::new() }
    }

    /// The card of a passage in parts, each with what one of its words counts.
    pub fn card(&mut self, parts: &[(&str, u8)]) -> Card {
        let mut counts: HashMap<u64, u8, BuildHasherDefault<Itself>> = HashMap::default();
        let mut length: u32 = 0;
        for (text, weight) in parts.iter().copied() {
            each_piece(text, |piece| {
                length = length.saturating_add(1);
                let tags = self.tags(piece);
                for tag in [Some(tags.stem), tags.prefix].into_iter().flatten() {
                    let count = counts.entry(tag).or_default();
                    *count = count.saturating_add(weight);
                }
            });
        }
        let mut words: Vec<(u64, u8)> = counts.into_iter().collect();
        words.sort_unstable();
        Card { length, words }
    }

    fn tags(&mut self, piece: Piece<'_>) -> Tags {
        let known = if piece.is_word() { &mut self.words } else { &mut self.others };
        if let Some(tags) = known.get(piece.text()) {
            return *tags;
        }
        let form = self.former.form(piece);
        let prefix = form.prefix.as_deref().map(|prefix| prefix_tag(self.blind, prefix));
        let tags = Tags { stem: stem_tag(self.blind, &form.stem), prefix };
        known.insert(piece.text().to_owned(), tags);
        tags
    }
}

impl Card {
    /// As it is stored: version, length, count of words; then all hashes, then all counts.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(9 + self.words.len() * 9);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.length.to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(self.words.len()).unwrap_or(u32::MAX).to_le_bytes());
        for (tag, _) in &self.words {
            bytes.extend_from_slice(&tag.to_le_bytes());
        }
        bytes.extend(self.words.iter().map(|(_, count)| *count));
        bytes
    }

    /// Reads what [`Card::encode`] wrote; `None` for another version and for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Card> {
        let (version, rest) = bytes.split_first()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (number, rest) = rest.split_first_chunk::<4>()?;
        let number = usize::try_from(u32::from_le_bytes(*number)).ok()?;
        if *version != VERSION || rest.len() != number.checked_mul(9)? {
            return None;
        }
        let (tags, counts) = rest.split_at_checked(number * 8)?;
        let tags = tags.as_chunks::<8>().0.iter().map(|tag| u64::from_le_bytes(*tag));
        Some(Card { length: u32::from_le_bytes(*length), words: tags.zip(counts.iter().copied()).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_reads_back_and_holds_no_word() {
        let blind = Blind::new([7; 32]);
        let card = Scribe::new(&blind).card(&[("Returns", 3), ("Returns are free within thirty days.", 1)]);
        let bytes = card.encode();
        assert_eq!(Card::decode(&bytes).unwrap(), card);
        assert_eq!(card.length, 7);
        assert!(!bytes.windows(6).any(|window| window.eq_ignore_ascii_case(b"return")));
        let count = |text: &str| {
            let tag = stem_tag(&blind, text);
            card.words.iter().find(|(known, _)| *known == tag).map(|(_, count)| *count)
        };
        assert_eq!((count("return"), count("free"), count("zebra")), (Some(4), Some(1), None));
        let other = Scribe::new(&Blind::new([8; 32])).card(&[("Returns", 1)]);
        assert!(other.words.iter().all(|(tag, _)| !card.words.iter().any(|(known, _)| known == tag)));
    }

    #[test]
    fn broken_blobs_are_refused() {
        let card = Scribe::new(&Blind::new([7; 32])).card(&[("one two three", 1)]);
        let bytes = card.encode();
        for end in 0..bytes.len() {
            assert_eq!(Card::decode(&bytes[..end]), None);
        }
        let mut other = bytes.clone();
        other[0] = 9;
        assert_eq!(Card::decode(&other), None);
        other = bytes;
        other[5..9].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(Card::decode(&other), None);
        assert_eq!(Card::decode(&Card::default().encode()), Some(Card::default()));
        assert_eq!(Scribe::new(&Blind::new([7; 32])).card(&[(&"a ".repeat(2_000), 255)]).words[0].1, 255);
    }
}
