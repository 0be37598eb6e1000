//! Files with the same bytes. It trusts the digests it is given; whoever moves files compares them again.

use std::collections::{BTreeMap, HashMap};

use super::keep::Purpose;
use super::survey::{Survey, member, proof};
use super::tree::Tree;
use super::{Advice, Digest, Entry, FindingKind, Relation};

/// Finds them.
pub(super) fn find<'a>(tree: &Tree<'a>, survey: &mut Survey<'a>) {
    if !survey.rules.wants(FindingKind::Duplicate) {
        return;
    }
    let least = survey.rules.min_size.max(1);
    let mut groups: HashMap<Digest, Vec<&'a Entry>> = HashMap::new();
    for file in tree.files.iter().filter(|file| file.size >= least && !survey.gone.contains(&file.id)) {
        if let Some(digest) = file.digest {
            groups.entry(digest).or_default().push(file);
        }
    }
    let mut groups: Vec<Vec<&Entry>> = groups.into_values().filter(|group| group.len() > 1).collect();
    groups.sort_by(|a, b| a.first().map(|file| &file.path).cmp(&b.first().map(|file| &file.path)));
    for group in groups {
        tell(group, survey);
    }
}

fn tell<'a>(mut group: Vec<&'a Entry>, survey: &mut Survey<'a>) {
    let choice = survey.choice();
    choice.sort(Purpose::Copies, &mut group);
    let Some((kept, rest)) = group.split_first() else { return };
    let mut rest: Vec<&Entry> =
        rest.iter().copied().filter(|file| !survey.rules.is_ignored(kept.id, file.id)).collect();
    let mut together: Vec<&Entry> = Vec::new();
    if !survey.rules.shared_names {
        // Other names of the storage that stays are no copies; other names of one that goes all go, or nothing is won.
        if let Some(place) = kept.place {
            (together, rest) =
                rest.into_iter().partition(|file| file.place.is_some_and(|p| p.key == place.key));
        }
        let mut names: BTreeMap<u128, bool> = BTreeMap::new();
        for file in &rest {
            if let Some(place) = file.place {
                *names.entry(place.key).or_default() |= choice.stays(file);
            }
        }
        let stays = |file: &&Entry| file.place.is_some_and(|p| names.get(&p.key) == Some(&true));
        let (staying, going): (Vec<&Entry>, Vec<&Entry>) = rest.into_iter().partition(stays);
        together.extend(staying);
        rest = going;
    }
    let (staying, going): (Vec<&Entry>, Vec<&Entry>) = rest.into_iter().partition(|file| choice.stays(file));
    together.extend(staying);
    let Some(next) = going.first() else { return };
    let mut members = vec![member(kept, Advice::Keep, choice.why(Purpose::Copies, kept, next), None)];
    for file in together {
        let same = file.place.is_some_and(|place| kept.place.is_some_and(|other| other.key == place.key));
        let why = if same {
            "Another name of the file that stays: it takes no room of its own."
        } else {
            "Kept because it is protected, or something else rests on it."
        };
        members.push(member(file, Advice::Keep, why.to_owned(), None));
    }
    for file in &going {
        let why = format!("The same {} as “{}”.", bytes(file.size), kept.path);
        members.push(member(file, Advice::Go, why, Some(proof(file, kept, Relation::Identical))));
    }
    let reason = format!("{} files have the same {}.", members.len(), bytes(kept.size));
    survey.anchor(&[kept]);
    survey.add(FindingKind::Duplicate, reason, members, &going);
}

/// `18,914 bytes`
fn bytes(size: u64) -> String {
    let digits = size.to_string();
    let first = digits.len() % 3;
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == first {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if size == 1 { "1 byte".to_owned() } else { format!("{grouped} bytes") }
}
