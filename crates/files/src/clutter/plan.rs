//! From what somebody picked to what is moved: nothing whose last copy it is, unless that was said in so many words.
//! It owns that promise for one moment; whoever moves the files looks at both sides again right before.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Digest, Entry, Rules};

/// What may be moved to the trash and what may not.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Plan {
    /// What may be moved, in the order of the entries.
    pub moves: Vec<Move>,
    /// What may not.
    pub refused: Vec<Refusal>,
}

/// A file that may go.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Move {
    /// The file.
    pub id: Uuid,
    /// A file that stays and has the same content; `None` when it was said that the content may go, or there is none.
    pub kept: Option<Uuid>,
    /// What both contents must still be.
    pub digest: Option<Digest>,
}

/// A file that stays although it was picked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refusal {
    /// The file.
    pub id: Uuid,
    /// Why: a sentence.
    pub why: String,
}

/// What of `picked` may go. `lose` holds the files of which was said that their content may be lost.
pub fn plan(entries: &[Entry], rules: &Rules, picked: &BTreeSet<Uuid>, lose: &BTreeSet<Uuid>) -> Plan {
    let mut plan = Plan::default();
    let refuse =
        |plan: &mut Plan, id: Uuid, why: &str| plan.refused.push(Refusal { id, why: why.to_owned() });
    let known: BTreeMap<Uuid, &Entry> = entries.iter().map(|entry| (entry.id, entry)).collect();
    // What stays whatever is decided below, for each content: the smallest id, so that every run says the same.
    let mut stays: BTreeMap<Digest, Uuid> = BTreeMap::new();
    for entry in known.values().filter(|entry| entry.is_file()) {
        if let Some(digest) = entry.digest
            && (!picked.contains(&entry.id) || rules.protects(&entry.path))
        {
            stays.entry(digest).or_insert(entry.id);
        }
    }
    for id in picked {
        let Some(entry) = known.get(id) else {
            refuse(&mut plan, *id, "It is no longer there.");
            continue;
        };
        let kept = entry.digest.and_then(|digest| stays.get(&digest).copied());
        if rules.protects(&entry.path) {
            refuse(&mut plan, *id, "It lies in a protected folder.");
        } else if !entry.is_file() {
            refuse(&mut plan, *id, "It is no file.");
        } else if entry.size == 0 || kept.is_some() || lose.contains(id) {
            plan.moves.push(Move { id: *id, kept, digest: entry.digest });
        } else {
            // The first of the picked ones that cannot all go becomes the copy that stays.
            refuse(&mut plan, *id, "It is the last copy of its content.");
            if let Some(digest) = entry.digest {
                stays.insert(digest, *id);
            }
        }
    }
    plan
}
