//! Pictures that look alike. It owns the distances that count as alike, and never chains: every picture of a finding
//! looks like the one that is kept.

use std::collections::HashSet;

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
const SCREEN_FREQUENCIES: u32 = 4;
const SCREEN_GRADIENTS: u32 = 4;
const SCREEN_CORRELATION: f64 = 0.98;
/// From this distance on the grey values are asked, too.
const DOUBTFUL: u32 = 8;
const CORRELATION: f64 = 0.9;
/// Pictures asked for at once by all threads.
const BLOCK: usize = 256;

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
    let index = Index::new(&pictures);
    let mut taken: HashSet<usize> = HashSet::new();
    let mut start = 0;
    while start < pictures.len() {
        let end = pictures.len().min(start + BLOCK);
        let asked: Vec<usize> = (start..end).filter(|at| !taken.contains(at)).collect();
        for (at, found) in index.ask_all(&pictures, &asked) {
            if taken.contains(&at) {
                continue;
            }
            let Some((kept, _)) = pictures.get(at) else { continue };
            let choice = survey.choice();
            let near: Vec<(usize, Relation)> = found
                .into_iter()
                .filter(|(other, _)| *other > at && !taken.contains(other))
                .filter(|(other, _)| {
                    pictures.get(*other).is_some_and(|(other, _)| {
                        !choice.stays(other) && !survey.rules.is_ignored(kept.id, other.id)
                    })
                })
                .collect();
            if !near.is_empty() {
                taken.extend(near.iter().map(|(other, _)| *other));
                tell(kept, &near, &pictures, survey);
            }
        }
        start = end;
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

/// Every view of every picture by frequencies, the whole ones by gradients.
struct Index {
    frequencies: Nearest,
    gradients: Nearest,
    wholes: Nearest,
}

impl Index {
    fn new(pictures: &[(&Entry, &ImageFacts)]) -> Index {
        let owned = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let views = pictures
            .iter()
            .enumerate()
            .flat_map(|(at, (_, image))| image.frequencies.iter().map(move |hash| (*hash, owned(at))));
        let whole = |hashes: fn(&ImageFacts) -> &Vec<u64>| {
            let all = pictures.iter().enumerate();
            Nearest::new(all.filter_map(move |(at, (_, image))| Some((*hashes(image).first()?, owned(at)))))
        };
        Index {
            frequencies: Nearest::new(views),
            gradients: whole(|image| &image.gradients),
            wholes: whole(|image| &image.frequencies),
        }
    }

    /// What looks like the picture at this place.
    fn ask(&self, pictures: &[(&Entry, &ImageFacts)], at: usize) -> Vec<(usize, Relation)> {
        let Some((_, image)) = pictures.get(at) else { return Vec::new() };
        let mut found: Vec<u32> = Vec::new();
        let (Some(frequencies), Some(gradients)) = (image.frequencies.first(), image.gradients.first())
        else {
            return Vec::new();
        };
        self.frequencies
            .each(*frequencies, PART_FREQUENCIES, |place| found.push(self.frequencies.owner(place)));
        self.gradients.each(*gradients, WHOLE_GRADIENTS, |place| found.push(self.gradients.owner(place)));
        // This one may be the whole of which another is a part: its own views are asked for among the wholes.
        for view in image.frequencies.iter().skip(1) {
            self.wholes.each(*view, PART_FREQUENCIES, |place| found.push(self.wholes.owner(place)));
        }
        found.sort_unstable();
        found.dedup();
        let mut near: Vec<(usize, Relation)> = Vec::new();
        for other in found.into_iter().map(|other| other as usize).filter(|other| *other != at) {
            let relation = pictures.get(other).and_then(|(_, theirs)| compare(image, theirs));
            near.extend(relation.map(|relation| (other, relation)));
        }
        near
    }

    /// The same for many places, by all cores.
    fn ask_all(
        &self,
        pictures: &[(&Entry, &ImageFacts)],
        asked: &[usize],
    ) -> Vec<(usize, Vec<(usize, Relation)>)> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = asked.len().div_ceil(threads).max(1);
        if asked.len() < 32 || threads == 1 {
            return asked.iter().map(|at| (*at, self.ask(pictures, *at))).collect();
        }
        std::thread::scope(|scope| {
            let work =
                |part: &'_ [usize]| part.iter().map(|at| (*at, self.ask(pictures, *at))).collect::<Vec<_>>();
            let running: Vec<_> = asked.chunks(share).map(|part| scope.spawn(move || work(part))).collect();
            running.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
        })
    }
}
