//! The making of a report: which searches run, in which order, and what they have found so far. It owns the counting
//! of bytes and the promise that no two findings rest on each other.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::keep::Choice;
use super::report::Amount;
use super::tree::Tree;
use super::{
    Advice, Entry, Evidence, Finding, FindingKind, Member, Relation, Report, Rules, Total, documents,
    duplicates, folders, similar, single, versions,
};

/// What has been found so far.
pub(super) struct Survey<'a> {
    pub(super) rules: &'a Rules,
    /// Files that prove that others can go: they stay.
    pub(super) anchored: HashSet<Uuid>,
    /// Files that are advised to go.
    pub(super) gone: HashSet<Uuid>,
    findings: Vec<Finding>,
    /// The files that each finding counts, for the totals.
    counted: BTreeMap<FindingKind, Vec<&'a Entry>>,
    /// What the totals of all kinds together count.
    leaving: Vec<&'a Entry>,
}

impl<'a> Survey<'a> {
    /// Notes a finding; `leaving` are the files that go with it, or, where none does, those to look at.
    pub(super) fn add(
        &mut self,
        kind: FindingKind,
        reason: String,
        members: Vec<Member>,
        leaving: &[&'a Entry],
    ) {
        let amount = amount(leaving.iter().copied());
        if members.iter().any(|member| member.advice == Advice::Go) {
            self.gone.extend(leaving.iter().map(|file| file.id));
            self.leaving.extend(leaving);
        }
        self.counted.entry(kind).or_default().extend(leaving);
        let (logical_bytes, physical_bytes) = (amount.logical_bytes, amount.physical_bytes);
        self.findings.push(Finding { kind, reason, members, logical_bytes, physical_bytes });
    }

    /// These stay: something rests on them.
    pub(super) fn anchor(&mut self, files: &[&Entry]) {
        self.anchored.extend(files.iter().map(|file| file.id));
    }

    /// How to choose among files now.
    pub(super) fn choice(&self) -> Choice<'_> {
        Choice { rules: self.rules, anchored: &self.anchored }
    }

    /// Files that stay so far, each content once.
    fn distinct(&self, tree: &Tree<'a>) -> Vec<&'a Entry> {
        let mut seen = HashSet::new();
        let stays = tree.files.iter().copied().filter(|file| !self.gone.contains(&file.id));
        stays.filter(|file| file.digest.is_none_or(|digest| seen.insert(digest))).collect()
    }

    fn finish(mut self, tree: &Tree<'_>) -> Report {
        let key = |finding: &Finding| {
            let path = finding.members.first().map(|member| member.path.clone());
            (finding.kind, std::cmp::Reverse(finding.logical_bytes), path)
        };
        self.findings.sort_by_cached_key(key);
        let mut counts: BTreeMap<FindingKind, u64> = BTreeMap::new();
        for finding in &self.findings {
            *counts.entry(finding.kind).or_default() += 1;
        }
        let total = |(kind, findings): (FindingKind, u64)| {
            let files = self.counted.get(&kind).map_or(&[][..], Vec::as_slice);
            Total { kind, findings, amount: amount(files.iter().copied()) }
        };
        Report {
            totals: counts.into_iter().map(total).collect(),
            together: amount(self.leaving.iter().copied()),
            seen: amount(tree.files.iter().copied()),
            findings: self.findings,
        }
    }
}

/// Makes the report.
pub(super) fn make(entries: &[Entry], rules: &Rules) -> Report {
    let tree = Tree::of(entries);
    let mut survey = Survey {
        rules,
        anchored: HashSet::new(),
        gone: HashSet::new(),
        findings: Vec::new(),
        counted: BTreeMap::new(),
        leaving: Vec::new(),
    };
    // What holds most is told of first: what lies in a folder that goes is not told of again.
    folders::find(&tree, &mut survey);
    duplicates::find(&tree, &mut survey);
    let distinct = survey.distinct(&tree);
    versions::find(&distinct, &mut survey);
    similar::find(&distinct, &mut survey);
    documents::find(&distinct, &mut survey);
    single::find(&tree, &mut survey);
    survey.finish(&tree)
}

/// How much these files are, each counted once: storage is freed when the last of its names goes.
pub(super) fn amount<'a>(files: impl Iterator<Item = &'a Entry>) -> Amount {
    let mut seen = HashSet::new();
    let mut places: HashMap<u128, u64> = HashMap::new();
    let mut amount = Amount::default();
    for file in files.filter(|file| seen.insert(file.id)) {
        amount.files += u64::from(file.is_file());
        amount.logical_bytes += file.size;
        match file.place {
            None => amount.physical_bytes += file.size,
            Some(place) => {
                let names = places.entry(place.key).or_default();
                *names += 1;
                if *names == place.names.max(1) {
                    amount.physical_bytes += place.bytes;
                }
            }
        }
    }
    amount
}

/// A number of files in words.
pub(super) fn file_count(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

/// A file as a member of a finding.
pub(super) fn member(file: &Entry, advice: Advice, why: String, evidence: Option<Evidence>) -> Member {
    Member {
        id: Some(file.id),
        path: file.path.clone(),
        size: file.size,
        modified: file.modified,
        advice,
        why,
        evidence: evidence.into_iter().collect(),
    }
}

/// The proof that one file can go because of another.
pub(super) fn proof(file: &Entry, other: &Entry, relation: Relation) -> Evidence {
    Evidence {
        file: file.id,
        digest: file.digest,
        other: Some(other.id),
        other_digest: other.digest,
        relation,
    }
}

/// The proof of what a file is by itself.
pub(super) fn alone(file: &Entry, relation: Relation) -> Evidence {
    Evidence { file: file.id, digest: file.digest, other: None, other_digest: None, relation }
}
