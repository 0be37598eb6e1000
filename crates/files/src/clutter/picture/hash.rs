//! Two hashes of 64 bits for each view of a picture: by frequencies (pHash) and by gradients (dHash). It owns the
//! list of views.

use std::sync::LazyLock;

use super::grey::{Frame, Grey};

/// What a place in the lists of hashes is a view of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Group {
    /// All of it, upright.
    Whole,
    /// Turned or mirrored.
    Turned,
    /// Without its border.
    Trimmed,
    /// A part of it.
    Part,
}

/// What the hash at this place is a view of. The place of a border comes last, and only when there is one.
pub(in super::super) fn group(place: usize) -> Group {
    match place {
        0 => Group::Whole,
        1..8 => Group::Turned,
        _ if place < 8 + PARTS.len() => Group::Part,
        _ => Group::Trimmed,
    }
}

const fn part(left: f64, top: f64, right: f64, bottom: f64) -> Frame {
    Frame { left, top, right: 1.0 - right, bottom: 1.0 - bottom }
}

/// Crops that people make: the middle, and from one corner.
const PARTS: [Frame; 10] = [
    part(0.05, 0.05, 0.05, 0.05),
    part(0.08, 0.08, 0.08, 0.08),
    part(0.11, 0.11, 0.11, 0.11),
    part(0.14, 0.14, 0.14, 0.14),
    part(0.17, 0.17, 0.17, 0.17),
    part(0.20, 0.20, 0.20, 0.20),
    part(0.0, 0.0, 0.15, 0.15),
    part(0.15, 0.0, 0.0, 0.15),
    part(0.0, 0.15, 0.15, 0.0),
    part(0.15, 0.15, 0.0, 0.0),
];

/// Side of the picture that the frequencies are taken of.
const SIDE: usize = 32;
/// Frequencies that are kept, each way.
const LOW: usize = 8;

static COSINES: LazyLock<Vec<[f64; SIDE]>> = LazyLock::new(|| {
    let cosine = |frequency: usize, at: usize| {
        (std::f64::consts::PI * frequency as f64 * (2.0 * at as f64 + 1.0) / (2.0 * SIDE as f64)).cos()
    };
    (0..LOW).map(|frequency| std::array::from_fn(|at| cosine(frequency, at))).collect()
});

/// The hashes of all views: by frequencies and by gradients.
pub(super) fn views(grey: &Grey) -> (Vec<u64>, Vec<u64>) {
    let whole = grey.means(Frame::WHOLE, SIDE, SIDE);
    let (mut frequencies, mut gradients) = (Vec::new(), Vec::new());
    for turn in 0..8 {
        let turned = turned(&whole, turn);
        frequencies.push(by_frequencies(&turned));
        gradients.push(by_gradients_of_square(&turned));
    }
    // Upright the gradients are taken from the picture itself and not from its 32 × 32 version.
    if let Some(first) = gradients.first_mut() {
        *first = by_gradients(&grey.means(Frame::WHOLE, 9, 8));
    }
    for frame in PARTS.into_iter().chain(grey.without_border()) {
        frequencies.push(by_frequencies(&grey.means(frame, SIDE, SIDE)));
        gradients.push(by_gradients(&grey.means(frame, 9, 8)));
    }
    (frequencies, gradients)
}

/// One of the eight ways to lay a square: bit 0 mirrors across, bit 1 down, bit 2 swaps the sides.
fn turned(square: &[f64], turn: usize) -> Vec<f64> {
    let at = |x: usize, y: usize| {
        let (x, y) = if turn & 4 == 0 { (x, y) } else { (y, x) };
        let x = if turn & 1 == 0 { x } else { SIDE - 1 - x };
        let y = if turn & 2 == 0 { y } else { SIDE - 1 - y };
        square.get(y * SIDE + x).copied().unwrap_or(0.0)
    };
    (0..SIDE * SIDE).map(|place| at(place % SIDE, place / SIDE)).collect()
}

/// The 64 lowest frequencies, each over or under their median.
fn by_frequencies(square: &[f64]) -> u64 {
    let along: Vec<Vec<f64>> = square
        .chunks_exact(SIDE)
        .map(|row| COSINES.iter().map(|wave| row.iter().zip(wave).map(|(a, b)| a * b).sum()).collect())
        .collect();
    let mut low = Vec::with_capacity(LOW * LOW);
    for wave in COSINES.iter() {
        for frequency in 0..LOW {
            let rows = along.iter().zip(wave);
            low.push(rows.map(|(row, b)| row.get(frequency).copied().unwrap_or(0.0) * b).sum::<f64>());
        }
    }
    let mut sorted = low.clone();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(LOW * LOW / 2).copied().unwrap_or(0.0);
    let median = f64::midpoint(sorted.get(LOW * LOW / 2 - 1).copied().unwrap_or(upper), upper);
    low.iter().fold(0, |hash, value| hash << 1 | u64::from(*value > median))
}

/// Whether each of 9 × 8 values is less than its right neighbour.
fn by_gradients(values: &[f64]) -> u64 {
    let pairs = values.chunks_exact(9).flat_map(|row| row.windows(2));
    pairs.fold(0, |hash, pair| hash << 1 | u64::from(pair.first() < pair.last()))
}

fn by_gradients_of_square(square: &[f64]) -> u64 {
    // Means of the 32 columns in nine parts that overlap a little; four rows each.
    let mut values = Vec::with_capacity(72);
    for row in 0..8 {
        for column in 0..9 {
            let (from, to) = (column * SIDE / 9, ((column + 1) * SIDE).div_ceil(9));
            let lines = square.chunks_exact(SIDE).skip(row * 4).take(4);
            let sum: f64 = lines.map(|line| line.get(from..to).unwrap_or(&[]).iter().sum::<f64>()).sum();
            values.push(sum / (4 * (to - from)) as f64);
        }
    }
    by_gradients(&values)
}
