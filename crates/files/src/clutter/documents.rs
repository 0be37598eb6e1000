//! Documents that read nearly the same, and documents that are a part of another. It owns what counts as near, and
//! never chains: every document of a finding is near the one that is kept.

use std::collections::{HashMap, HashSet};

use super::keep::Purpose;
use super::survey::{Survey, member, proof};
use super::text::{Overlap, overlap};
use super::{Advice, Entry, FindingKind, Relation, TextFacts};

/// Share of what either text has that both must have.
const ALIKE: f64 = 0.5;
/// The same for texts under fifty words: single words say less.
const ALIKE_SHORT: f64 = 0.8;
/// Share of a text that must be in another to be a part of it.
const PART: f64 = 0.9;
/// From this share on it is told as a part even where the two are much alike: what is kept is the longer then.
const WHOLE_PART: f64 = 0.95;
/// A part has at least this many words: a heading is a part of many a text.
const PART_WORDS: u32 = TextFacts::SHORT;
/// Hashes that a share can be told by.
const SEEN: usize = 8;
/// A text is looked for by this many of its hashes. Where two have half of everything together, each has two thirds
/// of the other; that fewer than [`HITS`] of 24 are met then is less likely than one in a million.
const ASKED: usize = 24;
const HITS: usize = 4;
/// Texts that share a hash with more than this many others share it with the rest, too: it is no sign of anything.
const COMMON: usize = 64;

/// How the first stands to the second, which stays; `None` when they are not near.
pub(super) fn relation(kept: &Entry, other: &Entry) -> Option<Relation> {
    let text = |entry: &'_ Entry| entry.facts.as_ref().filter(|facts| facts.text.is_some()).cloned();
    let (kept, other) = (text(kept)?, text(other)?);
    compare(other.text.as_ref()?, kept.text.as_ref()?)
}

/// How the first text stands to the second, which stays. A text is never near one that is a part of it: the longer
/// would go.
pub(super) fn compare(one: &TextFacts, other: &TextFacts) -> Option<Relation> {
    let Overlap { alike, first_in_second, second_in_first, first_seen, second_seen } = overlap(one, other)?;
    let hundredths = |share: f64| (share * 100.0).floor().clamp(0.0, 100.0) as u8;
    let shorter = |a: &TextFacts, b: &TextFacts| u64::from(a.words) * 20 < u64::from(b.words) * 19;
    let long = one.words.min(other.words) >= PART_WORDS;
    let whole = |share: f64, seen: usize| long && share >= WHOLE_PART && seen >= SEEN;
    if whole(first_in_second, first_seen) && shorter(one, other) {
        return Some(Relation::PartOf { share: hundredths(first_in_second) });
    }
    if whole(second_in_first, second_seen) && shorter(other, one) {
        return None;
    }
    let least = if one.words < TextFacts::SHORT { ALIKE_SHORT } else { ALIKE };
    // Very short texts are only the same when every word is.
    let enough = one.words.min(other.words) >= 8 || alike >= 1.0;
    let seen = first_seen.min(second_seen) >= SEEN.min(one.sketch.len()).min(other.sketch.len());
    if alike >= least && enough && seen {
        return Some(Relation::Reads { alike: hundredths(alike) });
    }
    let part = first_in_second >= PART && long && one.words < other.words && first_seen >= SEEN;
    part.then(|| Relation::PartOf { share: hundredths(first_in_second) })
}

/// Finds them among files of which each content is there once.
pub(super) fn find<'a>(files: &[&'a Entry], survey: &mut Survey<'a>) {
    if !survey.rules.wants(FindingKind::NearDocument) {
        return;
    }
    let text = |entry: &'a Entry| entry.facts.as_deref().and_then(|facts| facts.text.as_ref());
    let mut texts: Vec<(&'a Entry, &'a TextFacts)> = files
        .iter()
        .filter(|file| !survey.gone.contains(&file.id))
        .filter_map(|file| Some((*file, text(file)?)))
        .collect();
    let choice = survey.choice();
    texts.sort_by(|a, b| choice.order(Purpose::Texts, a.0, b.0).0);
    let pairs = candidates(&texts);
    let mut taken: HashSet<usize> = HashSet::new();
    alike(&texts, &pairs, &mut taken, survey);
    parts(&texts, &pairs, &mut taken, survey);
}

/// Pairs of places, each both ways, that share enough of their smallest hashes to be worth a comparison.
fn candidates(texts: &[(&Entry, &TextFacts)]) -> Vec<Vec<u32>> {
    let asked: HashSet<u32> =
        texts.iter().flat_map(|(_, facts)| facts.sketch.iter().take(ASKED).copied()).collect();
    let mut holders: HashMap<u32, Vec<u32>> = HashMap::with_capacity(asked.len());
    for (at, (_, facts)) in texts.iter().enumerate() {
        for hash in facts.sketch.iter().filter(|hash| asked.contains(hash)) {
            let list = holders.entry(*hash).or_default();
            // What is rather kept comes first in the list, so the rest finds it there.
            if list.len() < COMMON {
                list.push(u32::try_from(at).unwrap_or(u32::MAX));
            }
        }
    }
    let mut pairs: Vec<Vec<u32>> = texts.iter().map(|_| Vec::new()).collect();
    let mut hits: HashMap<u32, usize> = HashMap::new();
    for (at, (_, facts)) in texts.iter().enumerate() {
        hits.clear();
        for hash in facts.sketch.iter().take(ASKED) {
            for other in holders.get(hash).map_or(&[][..], Vec::as_slice) {
                *hits.entry(*other).or_default() += 1;
            }
        }
        let least = HITS.min(facts.sketch.len());
        for (other, count) in &hits {
            if *other as usize != at && *count >= least {
                if let Some(list) = pairs.get_mut(at) {
                    list.push(*other);
                }
                if let (Some(list), Ok(at)) = (pairs.get_mut(*other as usize), u32::try_from(at)) {
                    list.push(at);
                }
            }
        }
    }
    for list in &mut pairs {
        list.sort_unstable();
        list.dedup();
    }
    pairs
}

fn alike<'a>(
    texts: &[(&'a Entry, &'a TextFacts)],
    pairs: &[Vec<u32>],
    taken: &mut HashSet<usize>,
    survey: &mut Survey<'a>,
) {
    for (at, (kept, facts)) in texts.iter().enumerate() {
        if taken.contains(&at) {
            continue;
        }
        let choice = survey.choice();
        let mut near: Vec<(&'a Entry, Relation)> = Vec::new();
        for other in pairs.get(at).map_or(&[][..], Vec::as_slice).iter().map(|other| *other as usize) {
            let Some((file, theirs)) = texts.get(other).filter(|_| other > at && !taken.contains(&other))
            else {
                continue;
            };
            if choice.stays(file) || survey.rules.is_ignored(kept.id, file.id) {
                continue;
            }
            if let Some(relation @ Relation::Reads { .. }) = compare(theirs, facts) {
                near.push((file, relation));
                taken.insert(other);
            }
        }
        let Some((next, _)) = near.first() else { continue };
        let mut members = vec![member(kept, Advice::Keep, choice.why(Purpose::Texts, kept, next), None)];
        for (file, relation) in &near {
            let Relation::Reads { alike } = relation else { continue };
            let why = format!("{alike} % of what stands in either stands in both.");
            members.push(member(file, Advice::Go, why, Some(proof(file, kept, *relation))));
        }
        let reason = format!("{} documents read nearly the same.", members.len());
        let leaving: Vec<&Entry> = near.iter().map(|(file, _)| *file).collect();
        survey.anchor(&[kept]);
        survey.add(FindingKind::NearDocument, reason, members, &leaving);
    }
}

fn parts<'a>(
    texts: &[(&'a Entry, &'a TextFacts)],
    pairs: &[Vec<u32>],
    taken: &mut HashSet<usize>,
    survey: &mut Survey<'a>,
) {
    let mut order: Vec<usize> = (0..texts.len()).filter(|at| !taken.contains(at)).collect();
    order.sort_by_key(|at| std::cmp::Reverse(texts.get(*at).map_or(0, |(_, facts)| facts.words)));
    for at in order {
        let Some((file, facts)) = texts.get(at) else { continue };
        if survey.choice().stays(file) || taken.contains(&at) {
            continue;
        }
        // The longest text that holds it and stays itself.
        let whole = pairs
            .get(at)
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .filter(|other| !taken.contains(&(**other as usize)))
            .filter_map(|other| texts.get(*other as usize))
            .filter(|(other, _)| !survey.rules.is_ignored(file.id, other.id))
            .filter_map(|(other, theirs)| match compare(facts, theirs) {
                Some(relation @ Relation::PartOf { share }) => Some((*other, theirs.words, share, relation)),
                _ => None,
            })
            .max_by_key(|(_, words, ..)| *words);
        if let Some((whole, _, share, relation)) = whole {
            taken.insert(at);
            let members = vec![
                member(whole, Advice::Keep, "Kept because it is the longer one.".to_owned(), None),
                member(
                    file,
                    Advice::Go,
                    format!("{share} % of it stands in “{}”, word for word.", whole.path),
                    Some(proof(file, whole, relation)),
                ),
            ];
            let reason = format!("“{}” is a part of “{}”.", file.name(), whole.name());
            survey.anchor(&[whole]);
            survey.add(FindingKind::NearDocument, reason, members, &[file]);
        }
    }
}
