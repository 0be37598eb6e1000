//! Sealed streams: what was sealed opens, in whole and in part, and nothing else does.

use proptest::prelude::*;

use super::*;
use crate::token::tests::Counting;

const PLACE: Place<'static> = Place { table: "blobs", column: "content", row: "1" };

fn sealed(key: &DataKey, place: Place<'_>, content: &[u8], random: &dyn Random) -> Vec<u8> {
    let mut sealer = Sealer::new(key, place, random);
    let mut out = sealer.header().to_vec();
    let mut rest = content;
    loop {
        let (chunk, after) = rest.split_at(rest.len().min(CHUNK));
        rest = after;
        sealer.seal(chunk, rest.is_empty(), &mut out).unwrap();
        if rest.is_empty() {
            return out;
        }
    }
}

/// Opens everything, or says that something does not.
fn opened(key: &DataKey, place: Place<'_>, size: u64, sealed: &[u8]) -> Result<Vec<u8>> {
    if sealed.len() as u64 != sealed_size(size) {
        return Err(Fault::internal("another size"));
    }
    let opener = Opener::new(key, place, &sealed[..HEADER], size)?;
    let mut plain = Vec::new();
    for number in 0..chunks(size) {
        let (begin, length) = chunk_at(size, number).unwrap();
        let begin = begin as usize;
        plain.extend(opener.open(number, &sealed[begin..begin + length])?);
    }
    Ok(plain)
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 31 % 251) as u8).collect()
}

#[test]
fn every_size_around_a_chunk_opens_and_has_the_length_that_was_said() {
    let random = Counting::default();
    let key = DataKey::generate(&random);
    for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17] {
        let plain = content(size);
        let bytes = sealed(&key, PLACE, &plain, &random);
        assert_eq!(bytes.len() as u64, sealed_size(size as u64), "{size}");
        assert_eq!(opened(&key, PLACE, size as u64, &bytes).unwrap(), plain, "{size}");
        assert!(chunk_at(size as u64, chunks(size as u64)).is_none());
    }
}

#[test]
fn a_chunk_opens_without_the_others() {
    let random = Counting::default();
    let key = DataKey::generate(&random);
    let plain = content(3 * CHUNK + 5);
    let bytes = sealed(&key, PLACE, &plain, &random);
    let opener = Opener::new(&key, PLACE, &bytes[..HEADER], plain.len() as u64).unwrap();
    let (begin, length) = chunk_at(plain.len() as u64, 2).unwrap();
    let chunk = opener.open(2, &bytes[begin as usize..begin as usize + length]).unwrap();
    assert_eq!(chunk, &plain[2 * CHUNK..3 * CHUNK]);
}

#[test]
fn cut_extended_swapped_repeated_and_moved_streams_do_not_open() {
    let random = Counting::default();
    let key = DataKey::generate(&random);
    let step = CHUNK + TAG;
    let plain = content(3 * CHUNK);
    let bytes = sealed(&key, PLACE, &plain, &random);
    let size = plain.len() as u64;

    // Cut at a chunk, and the size said to be smaller with it: the chunk before is no last one.
    for kept in 1..3 {
        let cut = &bytes[..HEADER + kept * step];
        assert!(opened(&key, PLACE, (kept * CHUNK) as u64, cut).is_err(), "{kept} chunks");
    }
    // Extended by a copy of the last, by an own empty end, and by nothing real.
    let mut longer = bytes.clone();
    longer.extend_from_within(bytes.len() - step..);
    assert!(opened(&key, PLACE, size + CHUNK as u64, &longer).is_err());
    let mut longer = bytes.clone();
    longer.extend([0; TAG + 1]);
    assert!(opened(&key, PLACE, size + 1, &longer).is_err());
    // Two chunks in each other's place; one chunk twice.
    let mut swapped = bytes.clone();
    let (first, second) =
        (bytes[HEADER..HEADER + step].to_vec(), bytes[HEADER + step..HEADER + 2 * step].to_vec());
    swapped[HEADER..HEADER + step].copy_from_slice(&second);
    assert!(opened(&key, PLACE, size, &swapped).is_err());
    swapped[HEADER + step..HEADER + 2 * step].copy_from_slice(&first);
    assert!(opened(&key, PLACE, size, &swapped).is_err());
    // A chunk, and the header, of another stream of the same key, place and content.
    let other = sealed(&key, PLACE, &plain, &random);
    let mut mixed = bytes.clone();
    mixed[HEADER..HEADER + step].copy_from_slice(&other[HEADER..HEADER + step]);
    assert!(opened(&key, PLACE, size, &mixed).is_err());
    let mut mixed = bytes.clone();
    mixed[..HEADER].copy_from_slice(&other[..HEADER]);
    assert!(opened(&key, PLACE, size, &mixed).is_err());
    // The whole in the place of another row, and under another key.
    for place in
        [Place { row: "2", ..PLACE }, Place { column: "thumbnail", ..PLACE }, Place { table: "b", ..PLACE }]
    {
        assert!(opened(&key, place, size, &bytes).is_err());
    }
    let stranger = opened(&DataKey::generate(&random), PLACE, size, &bytes).unwrap_err();
    assert!(format!("{stranger:?}").contains("another key"), "{stranger:?}");
}

#[test]
fn a_sealed_value_is_no_stream_and_a_stream_is_no_sealed_value() {
    let random = Counting::default();
    let key = DataKey::generate(&random);
    let value = crate::seal(&key, PLACE, b"hello", &random);
    assert!(
        Opener::new(&key, PLACE, &value[..HEADER], 5)
            .is_ok_and(|opener| opener.open(0, &value[HEADER..]).is_err())
    );
    let stream = sealed(&key, PLACE, b"hello", &random);
    assert!(crate::open(&key, PLACE, &stream).is_err());
}

#[test]
fn chunks_that_do_not_fit_are_refused() {
    let random = Counting::default();
    let key = DataKey::generate(&random);
    let mut out = Vec::new();
    let sealer = || Sealer::new(&key, PLACE, &random);
    assert!(sealer().seal(b"short", false, &mut out).is_err());
    assert!(sealer().seal(&content(CHUNK + 1), true, &mut out).is_err());
    let mut sealer = sealer();
    sealer.seal(&content(CHUNK), false, &mut out).unwrap();
    assert!(
        sealer.seal(b"", true, &mut out).is_err(),
        "an empty end would be a second form of the same content"
    );
    sealer.seal(b"x", true, &mut out).unwrap();
    assert!(sealer.seal(b"y", true, &mut out).is_err());
}

#[test]
fn a_name_depends_on_content_and_key() {
    let random = Counting::default();
    let (one, two) = (DataKey::generate(&random), DataKey::generate(&random));
    assert_eq!(one.name_content(&[1; 32]), one.name_content(&[1; 32]));
    assert_ne!(one.name_content(&[1; 32]), one.name_content(&[2; 32]));
    assert_ne!(one.name_content(&[1; 32]), two.name_content(&[1; 32]));
    assert_eq!(one.name_content(&[1; 32]).len(), 32);
}

#[test]
fn sizes_at_the_end_of_numbers_do_not_wrap() {
    for size in [u64::MAX, u64::MAX - 1, 1 << 48, (1 << 48) + 1] {
        let _ = (
            chunks(size),
            sealed_size(size),
            chunk_at(size, u64::MAX),
            chunk_at(size, u64::MAX / CHUNK as u64),
        );
    }
    let key = DataKey::generate(&Counting::default());
    assert!(Opener::new(&key, PLACE, &[0; HEADER], u64::MAX).is_err());
    assert!(Opener::new(&key, PLACE, &[], 1).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_altered_byte_is_noticed(size in 0_usize..3 * CHUNK, at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let random = Counting::default();
        let key = DataKey::generate(&random);
        let plain = content(size);
        let mut bytes = sealed(&key, PLACE, &plain, &random);
        prop_assert_eq!(&opened(&key, PLACE, size as u64, &bytes).unwrap(), &plain);
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(opened(&key, PLACE, size as u64, &bytes).is_err());
    }

    #[test]
    fn no_other_size_opens(size in 0_usize..2 * CHUNK + 9, other in 0_usize..2 * CHUNK + 9) {
        prop_assume!(size != other);
        let random = Counting::default();
        let key = DataKey::generate(&random);
        let mut bytes = sealed(&key, PLACE, &content(size), &random);
        bytes.resize(usize::try_from(sealed_size(other as u64)).unwrap(), 0);
        prop_assert!(opened(&key, PLACE, other as u64, &bytes).is_err());
    }

    #[test]
    fn no_bytes_break_the_opener(bytes in prop::collection::vec(any::<u8>(), 0..200), size in any::<u64>(), number in any::<u64>()) {
        let key = DataKey::generate(&Counting::default());
        let header = bytes.get(..HEADER).unwrap_or(&bytes);
        if let Ok(opener) = Opener::new(&key, PLACE, header, size) {
            prop_assert!(opener.open(number, bytes.get(HEADER..).unwrap_or_default()).is_err());
        }
    }
}

#[test]
fn the_size_of_a_content_follows_from_that_of_its_stream() {
    let chunk = CHUNK as u64;
    for size in [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 5 * chunk + 7] {
        assert_eq!(super::plain_size(sealed_size(size)), Some(size));
    }
    // No content has these lengths: a header, a chunk without content after another, less than a tag.
    for sealed in
        [0, 5, HEADER as u64, HEADER as u64 + 3, sealed_size(chunk) + 1, sealed_size(chunk) + TAG as u64]
    {
        assert_eq!(super::plain_size(sealed), None, "{sealed}");
    }
}
