//! Pictures that look alike. It owns the distances that count as alike, and never chains: every picture of a finding
//! looks like the one that is kept.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::keep::Purpose;
use super::nearest::Nearest;
use super::picture::{Group, group};
use super::survey::{Survey, member, proof};
use super::{Advice, Entry, FindingKind, ImageFacts, Relation, View};

/// Bits of the frequencies in which two whole pictures may differ.
const WHOLE_FREQUENCIES: u32 = 10;
/// Bits of the gradients; either is enough.
const WHOLE_GRADIENTS: u32 = 8;
/// Of a part or of what lies within a border: both have to hold.
const PART_FREQUENCIES: u32 = 11;
const PART_GRADIENTS: u32 = 14;
/// Of a turned or mirrored one.
const TURNED_FREQUENCIES: u32 = 8;
const TURNED_GRADIENTS: u32 = 16;
/// Screens look alike where they differ: both, and the grey values too.
const SCREEN_FREQUENCIES: u32 = 6;
const SCREEN_GRADIENTS: u32 = 6;
const SCREEN_CORRELATION: f64 = 0.985;
/// From this distance on the grey values are asked, too.
const DOUBTFUL: u32 = 8;
const CORRELATION: f64 = 0.9;
/// Pictures that a thread takes at a time.
const BATCH: usize = 64;
/// Most that one picture is said to look like.
const MOST: usize = 256;

/// How the second looks beside the first; `None` when they are not alike.
pub(super) fn relation(one: &Entry, other: &Entry) -> Option<Relation> {
    let facts = |entry: &'_ Entry| entry.facts.as_ref().filter(|facts| facts.image.is_some()).cloned();
    let (one, other) = (facts(one)?, facts(other)?);
    compare(one.image.as_ref()?, other.image.as_ref()?)
}

/// Compares two pictures both ways: each may be a part of the other.
pub(super) fn compare(one: &ImageFacts, other: &ImageFacts) -> Option<Relation> {
    if one.is_flat() || other.is_flat() {
        return None;
    }
    let distances = |a: &ImageFacts, b: &ImageFacts, place: usize| {
        let bits = |x: Option<&u64>, y: Option<&u64>| Some((x? ^ y?).count_ones());
        let frequencies = bits(a.frequencies.first(), b.frequencies.get(place))?;
        Some((frequencies, bits(a.gradients.first(), b.gradients.get(place))?))
    };
    let (frequencies, gradients) = distances(one, other, 0)?;
    let alike = |correlation: f64| correlated(&one.grey, &other.grey) >= correlation;
    if one.is_screenshot() || other.is_screenshot() {
        let same =
            frequencies <= SCREEN_FREQUENCIES && gradients <= SCREEN_GRADIENTS && alike(SCREEN_CORRELATION);
        return same.then(|| looks(frequencies, gradients, View::Whole));
    }
    if frequencies <= WHOLE_FREQUENCIES || gradients <= WHOLE_GRADIENTS {
        let sure = frequencies < DOUBTFUL && gradients <= PART_GRADIENTS;
        if sure || alike(CORRELATION) {
            return Some(looks(frequencies, gradients, View::Whole));
        }
    }
    let mut best: Option<(u32, Relation)> = None;
    for (a, b) in [(one, other), (other, one)] {
        for place in 1..b.frequencies.len() {
            let Some((frequencies, gradients)) = distances(a, b, place) else { continue };
            let (most, least, view) = match group(place) {
                Group::Whole => continue,
                Group::Turned => (TURNED_FREQUENCIES, TURNED_GRADIENTS, View::Turned),
                Group::Trimmed => (PART_FREQUENCIES, PART_GRADIENTS, View::Trimmed),
                Group::Part => (PART_FREQUENCIES, PART_GRADIENTS, View::Part),
            };
            let sum = frequencies + gradients;
            if frequencies <= most
                && gradients <= least
                && best.as_ref().is_none_or(|(other, _)| sum < *other)
            {
                best = Some((sum, looks(frequencies, gradients, view)));
            }
        }
    }
    best.map(|(_, relation)| relation)
}

fn looks(frequencies: u32, gradients: u32, view: View) -> Relation {
    let bits = |count: u32| u8::try_from(count).unwrap_or(64);
    Relation::Looks { frequencies: bits(frequencies), gradients: bits(gradients), view }
}

/// Normalised correlation of two lists of grey values, -1 to 1.
fn correlated(one: &[u8], other: &[u8]) -> f64 {
    let count = one.len().min(other.len()).max(1) as f64;
    let mean = |values: &[u8]| values.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
    let (first, second) = (mean(one), mean(other));
    let (mut product, mut left, mut right) = (0.0, 0.0, 0.0);
    for (a, b) in one.iter().zip(other) {
        let (a, b) = (f64::from(*a) - first, f64::from(*b) - second);
        product += a * b;
        left += a * a;
        right += b * b;
    }
    if left * right <= 0.0 { 0.0 } else { product / (left * right).sqrt() }
}

/// Finds them among files of which each content is there once.
pub(super) fn find<'a>(files: &[&'a Entry], survey: &mut Survey<'a>) {
    if !survey.rules.wants(FindingKind::SimilarImage) {
        return;
    }
    let image = |entry: &'a Entry| entry.facts.as_deref().and_then(|facts| facts.image.as_ref());
    let mut pictures: Vec<(&'a Entry, &'a ImageFacts)> = files
        .iter()
        .filter(|file| !survey.gone.contains(&file.id))
        .filter_map(|file| Some((*file, image(file)?)))
        .filter(|(_, image)| !image.is_flat())
        .collect();
    // What is rather kept comes first, and gathers what looks like it.
    let choice = survey.choice();
    pictures.sort_by(|a, b| choice.order(Purpose::Pictures, a.0, b.0).0);
    let near = neighbours(&pictures);
    let mut taken: HashSet<usize> = HashSet::new();
    for (at, ((kept, _), near)) in pictures.iter().zip(&near).enumerate() {
        if taken.contains(&at) {
            continue;
        }
        let choice = survey.choice();
        let wanted = |other: usize| {
            other > at
                && !taken.contains(&other)
                && pictures.get(other).is_some_and(|(other, _)| {
                    !choice.stays(other) && !survey.rules.is_ignored(kept.id, other.id)
                })
        };
        let near: Vec<(usize, Relation)> = near
            .iter()
            .map(|(other, how)| (*other as usize, *how))
            .filter(|(other, _)| wanted(*other))
            .collect();
        if !near.is_empty() {
            taken.extend(near.iter().map(|(other, _)| *other));
            tell(kept, &near, &pictures, survey);
        }
    }
}

fn tell<'a>(
    kept: &'a Entry,
    near: &[(usize, Relation)],
    pictures: &[(&'a Entry, &'a ImageFacts)],
    survey: &mut Survey<'a>,
) {
    let near: Vec<(&'a Entry, Relation)> =
        near.iter().filter_map(|(at, relation)| Some((pictures.get(*at)?.0, *relation))).collect();
    let Some((next, _)) = near.first() else { return };
    let why = survey.choice().why(Purpose::Pictures, kept, next);
    let mut members = vec![member(kept, Advice::Keep, why, None)];
    for (file, relation) in &near {
        let how = match relation {
            Relation::Looks { view: View::Trimmed, .. } => "the same picture with or without a border",
            Relation::Looks { view: View::Part, .. } => "the same picture, cropped",
            Relation::Looks { view: View::Turned, .. } => "the same picture, turned or mirrored",
            _ => "the same picture, saved again, resized or changed a little",
        };
        let why = format!("Looks like {how}.");
        members.push(member(file, Advice::Go, why, Some(proof(file, kept, *relation))));
    }
    let reason = format!("{} pictures look alike.", members.len());
    let leaving: Vec<&Entry> = near.iter().map(|(file, _)| *file).collect();
    survey.anchor(&[kept]);
    survey.add(FindingKind::SimilarImage, reason, members, &leaving);
}

/// Whom a picture looks like, and how.
type Near = Vec<(u32, Relation)>;

/// For each picture, those that look like it. Each is asked for by its whole among all views of all, so of two one
/// finds the other, and the answer is noted with both.
fn neighbours(pictures: &[(&Entry, &ImageFacts)]) -> Vec<Near> {
    let owned = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let numbered = || pictures.iter().enumerate();
    let views =
        numbered().flat_map(|(at, (_, image))| image.frequencies.iter().map(move |one| (*one, owned(at))));
    let frequencies = Nearest::new(views);
    let wholes = numbered().filter_map(|(at, (_, image))| Some((*image.gradients.first()?, owned(at))));
    let gradients = Nearest::new(wholes);
    let ask = |at: usize| -> Near {
        let Some((_, image)) = pictures.get(at) else { return Vec::new() };
        let mut found: Vec<u32> = Vec::new();
        if let (Some(waves), Some(steps)) = (image.frequencies.first(), image.gradients.first()) {
            frequencies.each(*waves, PART_FREQUENCIES, |owner| found.push(owner));
            gradients.each(*steps, WHOLE_GRADIENTS, |owner| found.push(owner));
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|other| *other as usize != at);
        let how = |other: u32| Some((other, compare(image, pictures.get(other as usize)?.1)?));
        // What is rather kept comes first: the best of a thousand frames is in every list.
        found.into_iter().filter_map(how).take(MOST).collect()
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done: Vec<(usize, Near)> = Vec::new();
        loop {
            let from = next.fetch_add(BATCH, Ordering::Relaxed);
            if from >= pictures.len() {
                return done;
            }
            done.extend((from..pictures.len().min(from + BATCH)).map(|at| (at, ask(at))));
        }
    };
    let lists: Vec<(usize, Near)> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    let mut near: Vec<Near> = pictures.iter().map(|_| Vec::new()).collect();
    for (at, list) in lists {
        for (other, how) in list {
            for (one, two) in [(at, other), (other as usize, owned(at))] {
                if let Some(slot) = near.get_mut(one) {
                    slot.push((two, how));
                }
            }
        }
    }
    for list in &mut near {
        list.sort_by_key(|(other, _)| *other);
        list.dedup_by_key(|(other, _)| *other);
    }
    near
}
