//! Hashes of 64 bits within a distance, found without comparing all with all. It owns the index: each hash is cut into
//! four pieces of 16 bits, and two hashes that differ in at most 11 bits differ in at most two bits of one piece.

/// Bits of one piece.
const PIECE: usize = 16;
/// Pieces of a hash.
const PIECES: usize = 4;

/// Hashes and whom they belong to.
pub(super) struct Nearest {
    hashes: Vec<u64>,
    owners: Vec<u32>,
    /// For each piece: where the list of each value begins, and the lists one after another.
    tables: Vec<(Vec<u32>, Vec<u32>)>,
    /// Numbers of 16 bits with at most two bits set.
    masks: Vec<u16>,
}

/// The bits of one piece. They lie apart in the hash, because neighbouring ones depend on each other.
fn piece(hash: u64, number: usize) -> u16 {
    (0..PIECE).fold(0, |value, bit| value << 1 | u16::from(hash >> (bit * PIECES + number) & 1 == 1))
}

impl Nearest {
    /// Makes the index.
    pub(super) fn new(entries: impl Iterator<Item = (u64, u32)>) -> Nearest {
        let (hashes, owners): (Vec<u64>, Vec<u32>) = entries.unzip();
        let tables = (0..PIECES).map(|number| table(&hashes, number)).collect();
        let mut masks = vec![0_u16];
        for one in 0..PIECE {
            masks.push(1 << one);
            masks.extend((0..one).map(|other| 1 << one | 1 << other));
        }
        // Near buckets first is of no use here; a fixed order is.
        masks.sort_unstable();
        Nearest { hashes, owners, tables, masks }
    }

    /// Calls `take` with the place of each hash at most `distance` bits away, at least once; complete up to 11.
    pub(super) fn each(&self, hash: u64, distance: u32, mut take: impl FnMut(usize)) {
        for (number, (starts, places)) in self.tables.iter().enumerate() {
            let value = piece(hash, number);
            for mask in &self.masks {
                let bucket = usize::from(value ^ mask);
                let (Some(from), Some(to)) = (starts.get(bucket), starts.get(bucket + 1)) else { continue };
                for place in places.get(*from as usize..*to as usize).unwrap_or(&[]) {
                    let place = *place as usize;
                    if self.hashes.get(place).is_some_and(|other| (other ^ hash).count_ones() <= distance) {
                        take(place);
                    }
                }
            }
        }
    }

    /// Whom the hash at this place belongs to.
    pub(super) fn owner(&self, place: usize) -> u32 {
        self.owners.get(place).copied().unwrap_or(u32::MAX)
    }
}

fn table(hashes: &[u64], number: usize) -> (Vec<u32>, Vec<u32>) {
    let values: Vec<u16> = hashes.iter().map(|hash| piece(*hash, number)).collect();
    let mut starts = vec![0_u32; (1 << PIECE) + 1];
    for value in &values {
        if let Some(count) = starts.get_mut(usize::from(*value) + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    let mut next = starts.clone();
    let mut places = vec![0_u32; hashes.len()];
    for (place, value) in values.iter().enumerate() {
        if let Some(at) = next.get_mut(usize::from(*value)) {
            if let (Some(slot), Ok(place)) = (places.get_mut(*at as usize), u32::try_from(place)) {
                *slot = place;
            }
            *at += 1;
        }
    }
    (starts, places)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn everything_within_eleven_bits_is_found(
            hashes in proptest::collection::vec(any::<u64>(), 1..60),
            flips in proptest::collection::vec(0_u32..64, 0..11),
        ) {
            let asked = flips.iter().fold(hashes[0], |hash, bit| hash ^ 1 << bit);
            let index = Nearest::new(hashes.iter().enumerate().map(|(at, hash)| (*hash, at as u32)));
            let mut found = BTreeSet::new();
            index.each(asked, 11, |place| { found.insert(index.owner(place) as usize); });
            let all: BTreeSet<usize> =
                (0..hashes.len()).filter(|at| (hashes[*at] ^ asked).count_ones() <= 11).collect();
            prop_assert!(found.contains(&0));
            prop_assert_eq!(found, all);
        }
    }
}
