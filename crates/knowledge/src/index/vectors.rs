//! Vectors of passages, searched exactly: every one is looked at, first as bytes with a bound on what the rounding can
//! hide, then those that may be among the best as they are. It never makes a vector.

/// From so many numbers on a scan is shared by threads…
const SHARED: usize = 8_000_000;
/// …up to so many: a search must not take the whole machine.
const MOST_THREADS: usize = 4;

/// Vectors of one width by slot, each of length one.
#[derive(Default)]
pub(crate) struct Vectors {
    width: usize,
    /// As they are, row after row; a row of zeros where none is known.
    exact: Vec<f32>,
    /// Rounded to bytes.
    rough: Vec<i8>,
    /// What a byte of a row is worth, and the length of what the rounding left out. A step of zero: none is known.
    scales: Vec<(f32, f32)>,
    known: usize,
}

/// A vector rounded to bytes.
struct Rounded {
    bytes: Vec<i8>,
    step: f32,
    rest: f32,
}

/// What is searched for, rounded too.
struct Asked {
    /// As wider numbers: products of these and bytes are what processors have instructions for.
    numbers: Vec<i16>,
    step: f32,
    rest: f32,
}

impl Asked {
    fn new(vector: &[f32]) -> Asked {
        let Rounded { bytes, step, rest } = round(vector);
        Asked { numbers: bytes.into_iter().map(i16::from).collect(), step, rest }
    }

    /// The product with a rounded row, and the most that rounding can hide of it:
    /// |q·v − q̂·v̂| ≤ |q − q̂|·|v| + |q̂|·|v − v̂|, with |v| = 1 and |q̂| ≤ 1 + |q − q̂|; a little more for the rounding of
    /// this very sum.
    fn bound(&self, row: &[i8], step: f32, rest: f32) -> (f32, f32) {
        let sum: i32 =
            self.numbers.iter().zip(row).map(|(a, b)| i32::from(*a) * i32::from(i16::from(*b))).sum();
        (sum as f32 * self.step * step, self.rest + (1.0 + self.rest) * rest + 1e-4)
    }
}

fn round(vector: &[f32]) -> Rounded {
    let largest = vector.iter().fold(0.0_f32, |most, number| most.max(number.abs()));
    let step = largest / 127.0;
    let bytes: Vec<i8> = if step > 0.0 {
        vector.iter().map(|number| (number / step).round().clamp(-127.0, 127.0) as i8).collect()
    } else {
        vec![0; vector.len()]
    };
    let rest = vector.iter().zip(&bytes).map(|(number, byte)| (number - f32::from(*byte) * step).powi(2));
    Rounded { rest: rest.sum::<f32>().sqrt(), step, bytes }
}

/// A vector of length one; `None` for one that points nowhere.
pub(crate) fn unit(vector: &[f32]) -> Option<Vec<f32>> {
    let length = vector.iter().map(|number| f64::from(*number).powi(2)).sum::<f64>().sqrt();
    (length.is_finite() && length > 1e-12)
        .then(|| vector.iter().map(|number| (f64::from(*number) / length) as f32).collect())
}

impl Vectors {
    /// How many numbers each has, if any is known.
    pub(crate) fn width(&self) -> Option<usize> {
        (self.known > 0).then_some(self.width)
    }

    pub(crate) fn set(&mut self, slot: usize, vector: &[f32]) {
        let Some(vector) = unit(vector) else { return };
        if self.known == 0 {
            *self = Vectors { width: vector.len(), ..Vectors::default() };
        }
        if vector.len() != self.width {
            return;
        }
        if self.scales.len() <= slot {
            self.scales.resize(slot + 1, (0.0, 0.0));
            self.exact.resize((slot + 1) * self.width, 0.0);
            self.rough.resize((slot + 1) * self.width, 0);
        }
        let rounded = round(&vector);
        let row = slot * self.width..(slot + 1) * self.width;
        if let (Some(exact), Some(rough), Some(scale)) =
            (self.exact.get_mut(row.clone()), self.rough.get_mut(row), self.scales.get_mut(slot))
        {
            self.known += usize::from(scale.0 == 0.0);
            exact.copy_from_slice(&vector);
            rough.copy_from_slice(&rounded.bytes);
            *scale = (rounded.step, rounded.rest);
        }
    }

    /// Follows the slots to where they moved.
    pub(crate) fn keep(&mut self, moved: &[Option<u32>]) {
        if self.known == 0 {
            return;
        }
        let mut kept = Vectors { width: self.width, ..Vectors::default() };
        let rows = self.exact.chunks_exact(self.width).zip(self.rough.chunks_exact(self.width));
        for ((exact, rough), (scale, now)) in rows.zip(self.scales.iter().zip(moved)) {
            if now.is_some() {
                kept.exact.extend_from_slice(exact);
                kept.rough.extend_from_slice(rough);
                kept.scales.push(*scale);
                kept.known += usize::from(scale.0 > 0.0);
            }
        }
        *self = kept;
    }

    /// Of every known row the product with the question, the most that rounding can hide of it, and the slot.
    fn bounds(&self, asked: &Asked) -> Vec<(f32, f32, usize)> {
        let rows = self.scales.len();
        let threads = if rows * self.width < SHARED {
            1
        } else {
            std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_THREADS))
        };
        let share = rows.div_ceil(threads).max(1);
        let part = |at: usize, rough: &[i8], scales: &[(f32, f32)]| -> Vec<(f32, f32, usize)> {
            rough
                .chunks_exact(self.width)
                .zip(scales)
                .enumerate()
                .filter(|(_, (_, scale))| scale.0 > 0.0)
                .map(|(slot, (row, (step, rest)))| {
                    let (near, error) = asked.bound(row, *step, *rest);
                    (near, error, at * share + slot)
                })
                .collect()
        };
        let parts = self.rough.chunks(share * self.width).zip(self.scales.chunks(share)).enumerate();
        if threads == 1 {
            return parts.flat_map(|(at, (rough, scales))| part(at, rough, scales)).collect();
        }
        std::thread::scope(|scope| {
            let part = &part;
            let work: Vec<_> =
                parts.map(|(at, (rough, scales))| scope.spawn(move || part(at, rough, scales))).collect();
            // No part panics; if one did, its rows would be missing and nothing else.
            work.into_iter().flat_map(|work| work.join().unwrap_or_default()).collect()
        })
    }

    /// The slots whose vectors point most nearly where this one does, with the cosine, at most `limit`, in no order.
    pub(crate) fn nearest(&self, vector: &[f32], limit: usize) -> Vec<(usize, f32)> {
        let Some(vector) = unit(vector).filter(|vector| vector.len() == self.width) else {
            return Vec::new();
        };
        if self.known == 0 || limit == 0 {
            return Vec::new();
        }
        let asked = Asked::new(&vector);
        let bounds = self.bounds(&asked);
        let mut lowest: Vec<f32> = bounds.iter().map(|(near, error, _)| near - error).collect();
        let floor = match lowest.len() > limit {
            true => *lowest.select_nth_unstable_by(limit - 1, |a, b| b.total_cmp(a)).1,
            false => f32::NEG_INFINITY,
        };
        let mut near: Vec<(usize, f32)> = bounds
            .into_iter()
            .filter(|(near, error, _)| near + error >= floor)
            .filter_map(|(_, _, slot)| {
                let row = self.exact.get(slot * self.width..(slot + 1) * self.width)?;
                Some((slot, dot(&vector, row)))
            })
            .collect();
        if near.len() > limit {
            near.select_nth_unstable_by(limit - 1, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            near.truncate(limit);
        }
        near
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 16];
    let (a, b) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in a.0.iter().zip(b.0) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let rest: f32 = a.1.iter().zip(b.1).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_search_is_exact(
            rows in prop::collection::vec(prop::collection::vec(-1.0_f32..1.0, 24), 1..120),
            asked in prop::collection::vec(-1.0_f32..1.0, 24),
            limit in 1_usize..12,
        ) {
            let mut vectors = Vectors::default();
            for (slot, row) in rows.iter().enumerate() {
                vectors.set(slot, row);
            }
            let Some(one) = unit(&asked) else { return Ok(()) };
            let mut every: Vec<f32> = rows.iter().filter_map(|row| unit(row)).map(|row| dot(&one, &row)).collect();
            every.sort_by(|a, b| b.total_cmp(a));
            every.truncate(limit);
            let mut found: Vec<f32> = vectors.nearest(&asked, limit).into_iter().map(|(_, near)| near).collect();
            found.sort_by(|a, b| b.total_cmp(a));
            prop_assert_eq!(found, every);
        }
    }

    #[test]
    fn strange_vectors_are_left_out() {
        let mut vectors = Vectors::default();
        vectors.set(0, &[0.0, 0.0]);
        vectors.set(0, &[f32::NAN, 1.0]);
        assert_eq!(vectors.width(), None);
        vectors.set(2, &[1.0, 0.0]);
        vectors.set(0, &[1.0, 0.0, 0.0]);
        vectors.set(1, &[0.0, 2.0]);
        assert_eq!(vectors.nearest(&[0.0, 9.0], 1), [(1, 1.0)]);
        assert!(vectors.nearest(&[1.0], 1).is_empty());
        vectors.keep(&[None, Some(0), Some(1)]);
        assert_eq!(vectors.nearest(&[5.0, 0.0], 1), [(1, 1.0)]);
        vectors.keep(&[None, None]);
        assert!(vectors.width().is_none() && vectors.nearest(&[1.0, 0.0], 3).is_empty());
    }
}
