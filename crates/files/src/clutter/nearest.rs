//! Hashes of 64 bits within a distance, found without comparing all with all. It owns the index: each hash is cut into
//! four pieces of 16 bits, and two hashes that differ in at most 11 bits differ in at most two bits of one piece.

/// Bits of one piece.
const PIECE: usize = 16;
/// Pieces of a hash.
const PIECES: usize = 4;

/// Hashes and whom they belong to.
pub(super) struct Nearest {
    tables: Vec<Table>,
    /// Numbers of 16 bits with at most two bits set.
    masks: Vec<u16>,
}

/// All hashes in the order of one piece, so that those with the same value lie side by side in memory.
struct Table {
    /// Where each value begins.
    starts: Vec<u32>,
    hashes: Vec<u64>,
    owners: Vec<u32>,
}

/// The bits of one piece. They lie apart in the hash, because neighbouring ones depend on each other.
fn piece(hash: u64, number: usize) -> u16 {
    (0..PIECE).fold(0, |value, bit| value << 1 | u16::from(hash >> (bit * PIECES + number) & 1 == 1))
}

impl Nearest {
    /// Makes the index.
    pub(super) fn new(entries: impl Iterator<Item = (u64, u32)>) -> Nearest {
        let entries: Vec<(u64, u32)> = entries.collect();
        let tables = (0..PIECES).map(|number| Table::new(&entries, number)).collect();
        let mut masks = vec![0_u16];
        for one in 0..PIECE {
            masks.push(1 << one);
            masks.extend((0..one).map(|other| 1 << one | 1 << other));
        }
        // Near buckets first is of no use here; a fixed order is.
        masks.sort_unstable();
        Nearest { tables, masks }
    }

    /// Calls `take` with the owner of each hash at most `distance` bits away, at least once; complete up to 11.
    pub(super) fn each(&self, hash: u64, distance: u32, mut take: impl FnMut(u32)) {
        for (number, table) in self.tables.iter().enumerate() {
            let value = piece(hash, number);
            for mask in &self.masks {
                let bucket = usize::from(value ^ mask);
                let (Some(from), Some(to)) = (table.starts.get(bucket), table.starts.get(bucket + 1)) else {
                    continue;
                };
                let range = *from as usize..*to as usize;
                let hashes = table.hashes.get(range.clone()).unwrap_or(&[]);
                let owners = table.owners.get(range).unwrap_or(&[]);
                for (other, owner) in hashes.iter().zip(owners) {
                    if (other ^ hash).count_ones() <= distance {
                        take(*owner);
                    }
                }
            }
        }
    }
}

impl Table {
    fn new(entries: &[(u64, u32)], number: usize) -> Table {
        let mut sorted: Vec<(u16, u64, u32)> =
            entries.iter().map(|(hash, owner)| (piece(*hash, number), *hash, *owner)).collect();
        sorted.sort_unstable();
        let mut starts = vec![0_u32; (1 << PIECE) + 1];
        for (value, ..) in &sorted {
            if let Some(count) = starts.get_mut(usize::from(*value) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let (hashes, owners) = sorted.into_iter().map(|(_, hash, owner)| (hash, owner)).unzip();
        Table { starts, hashes, owners }
    }
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
            index.each(asked, 11, |owner| { found.insert(owner as usize); });
            let all: BTreeSet<usize> =
                (0..hashes.len()).filter(|at| (hashes[*at] ^ asked).count_ones() <= 11).collect();
            prop_assert!(found.contains(&0));
            prop_assert_eq!(found, all);
        }
    }
}
