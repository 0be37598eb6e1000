//! Folders that are there twice, and folders of which every file is somewhere else too. Only the largest are told of,
//! and what is told rests on files that stay.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::survey::{Survey, file_count};
use super::tree::{Folder, Tree};
use super::{Advice, Digest, Entry, Evidence, FindingKind, Member, Relation, versions};

/// Copies of one content that are followed to find a folder that holds another.
const COPIES: usize = 64;

type Copies = HashMap<Digest, Vec<usize>>;

struct Folders<'s, 'a> {
    tree: &'s Tree<'a>,
    survey: &'s mut Survey<'a>,
    /// Where each content is, as places in the list of files.
    copies: Copies,
    /// For each folder: it goes, or lies in one that does.
    gone: Vec<bool>,
}

/// Finds both kinds.
pub(super) fn find<'a>(tree: &Tree<'a>, survey: &mut Survey<'a>) {
    let mut copies: Copies = HashMap::new();
    for (at, file) in tree.files.iter().enumerate() {
        if let Some(digest) = file.digest.filter(|_| file.size > 0) {
            copies.entry(digest).or_default().push(at);
        }
    }
    let gone = vec![false; tree.folders.len()];
    let mut folders = Folders { tree, survey, copies, gone };
    folders.all();
}

impl<'a> Folders<'_, 'a> {
    /// The largest first: what is in a folder is told of with the folder.
    fn all(&mut self) {
        let tree = self.tree;
        let (alike, held) = {
            let rules = self.survey.rules;
            (rules.wants(FindingKind::IdenticalFolder), rules.wants(FindingKind::ContainedFolder))
        };
        // How many files up to each place have no second copy: a folder without one is worth a look.
        let mut single = vec![0_usize];
        for file in &tree.files {
            let copies = file.digest.and_then(|digest| self.copies.get(&digest));
            let lone = file.size > 0 && copies.is_none_or(|list| list.len() < 2);
            single.push(single.last().copied().unwrap_or(0) + usize::from(lone));
        }
        let lone = |at: usize| single.get(at).copied().unwrap_or(usize::MAX);
        let mut order: Vec<usize> = Vec::new();
        let mut twins: HashMap<Digest, Vec<usize>> = HashMap::new();
        for (at, folder) in tree.folders.iter().enumerate().skip(1) {
            if folder.odd || folder.bytes == 0 || lone(folder.files.start) != lone(folder.files.end) {
                continue;
            }
            order.push(at);
            if let Some(print) = folder.print {
                twins.entry(print).or_default().push(at);
            }
        }
        let size =
            |at: &usize| tree.folders.get(*at).map_or((0, 0), |one| (one.files.len(), one.folders.len()));
        order.sort_by_key(|at| (std::cmp::Reverse(size(at)), *at));
        for at in order {
            if self.is_gone(at) {
                continue;
            }
            let print = tree.folders.get(at).and_then(|folder| folder.print);
            // A group is dealt with as a whole where its first folder is met.
            let mut group = print.and_then(|print| twins.remove(&print)).unwrap_or_default();
            group.retain(|at| !self.is_gone(*at));
            if group.len() < 2 {
                group = vec![at];
            }
            // Where all of it lies in one folder inside, that one is told of.
            let inner = tree.folders.get(at + 1).map(|inner| &inner.files);
            if held && inner != tree.folders.get(at).map(|folder| &folder.files) {
                // What another folder holds can go with all its twins.
                group.retain(|at| match self.holder(*at).filter(|_| self.may_go(*at)) {
                    Some(holder) => {
                        self.tell_contained(holder, *at);
                        false
                    }
                    None => true,
                });
            }
            if alike {
                self.identical(group);
            }
        }
    }

    fn identical(&mut self, mut group: Vec<usize>) {
        group.sort_by_key(|at| (self.has_lost(*at), self.order(*at)));
        let Some((kept, rest)) = group.split_first() else { return };
        if self.has_lost(*kept) {
            return;
        }
        let go: Vec<usize> = rest.iter().copied().filter(|at| self.may_go(*at)).collect();
        let go: Vec<usize> = go.into_iter().filter(|at| !self.is_ignored(*kept, *at)).collect();
        if !go.is_empty() {
            self.tell(FindingKind::IdenticalFolder, *kept, &go);
        }
    }

    /// The smallest folder that holds every content of this one and stays.
    fn holder(&self, at: usize) -> Option<usize> {
        let copies = &self.copies;
        let folder = self.tree.folders.get(at)?;
        let contents: HashSet<Digest> = self.contents(folder);
        if self.tree.of_folder(folder).iter().filter(|file| file.size > 0).count() < 2 {
            return None;
        }
        let rarest =
            contents.iter().filter_map(|digest| copies.get(digest)).min_by_key(|list| (list.len(), *list))?;
        let mut candidates: Vec<usize> = Vec::new();
        for copy in rarest.iter().take(COPIES) {
            let path = self.tree.files.get(*copy).map_or("", |file| file.parent());
            let mut above = self.tree.folder_of(path);
            while let Some(other) = above {
                candidates.push(other);
                above = self.tree.folders.get(other).and_then(|folder| folder.parent);
            }
        }
        candidates.sort_unstable();
        candidates.dedup();
        let holds = |other: &usize| {
            let Some(holder) = self.tree.folders.get(*other) else { return false };
            let apart = !folder.folders.contains(other) && !holder.folders.contains(&at) && *other != at;
            let inside = |digest: &Digest| self.copy_in(holder, digest).is_some();
            apart
                && !self.is_gone(*other)
                && !self.is_ignored(at, *other)
                && contents.iter().all(inside)
                // Where each holds the other, one of them is kept, by the order that always holds.
                && (self.contents(holder).len() > contents.len()
                    || holder.print != folder.print && self.order(*other) < self.order(at))
        };
        let size = |other: &usize| self.tree.folders.get(*other).map_or(0, |folder| folder.files.len());
        candidates.into_iter().filter(holds).min_by_key(|other| (size(other), *other))
    }

    /// A file with this content in a folder that does not go itself.
    fn copy_in(&self, folder: &Folder<'_>, digest: &Digest) -> Option<&'a Entry> {
        let list = self.copies.get(digest).map_or(&[][..], Vec::as_slice);
        let first = list.partition_point(|place| *place < folder.files.start);
        let inside = list.get(first..)?.iter().take_while(|place| **place < folder.files.end);
        let mut files = inside.filter_map(|place| self.tree.files.get(*place).copied());
        files.find(|file| !self.survey.gone.contains(&file.id))
    }

    fn contents(&self, folder: &Folder<'_>) -> HashSet<Digest> {
        self.tree
            .of_folder(folder)
            .iter()
            .filter(|file| file.size > 0)
            .filter_map(|file| file.digest)
            .collect()
    }

    /// Whether a file in it goes by itself: nothing can rest on it then.
    fn has_lost(&self, at: usize) -> bool {
        self.tree.folders.get(at).is_none_or(|folder| {
            self.tree.of_folder(folder).iter().any(|file| self.survey.gone.contains(&file.id))
        })
    }

    /// What is rather kept comes first.
    fn order(&self, at: usize) -> (bool, bool, bool, kernel::Time, usize, &'a str) {
        let Some(folder) = self.tree.folders.get(at) else { return Default::default() };
        let anchored = self.tree.of_folder(folder).iter().any(|file| self.survey.anchored.contains(&file.id));
        let name = folder.path.rsplit('/').next().unwrap_or(folder.path);
        let protected = self.survey.rules.protects(folder.path);
        let depth = folder.path.matches('/').count();
        (!protected, !anchored, versions::is_copy(name), folder.modified, depth, folder.path)
    }

    fn is_gone(&self, at: usize) -> bool {
        self.gone.get(at).copied().unwrap_or(true)
    }

    /// Nothing in it is protected, and nothing else rests on it.
    fn may_go(&self, at: usize) -> bool {
        let Some(folder) = self.tree.folders.get(at) else { return false };
        let rules = self.survey.rules;
        let guarded = rules.protects(folder.path)
            || rules.protected.iter().any(|inner| {
                inner.trim_matches('/').strip_prefix(folder.path).is_some_and(|rest| rest.starts_with('/'))
            });
        !guarded && !self.tree.of_folder(folder).iter().any(|file| self.survey.anchored.contains(&file.id))
    }

    fn is_ignored(&self, one: usize, other: usize) -> bool {
        let id = |at: usize| self.tree.folders.get(at).and_then(|folder| folder.id);
        matches!((id(one), id(other)), (Some(one), Some(other)) if self.survey.rules.is_ignored(one, other))
    }

    fn tell(&mut self, kind: FindingKind, kept: usize, go: &[usize]) {
        let tree = self.tree;
        let Some(keeper) = tree.folders.get(kept) else { return };
        let why = format!("Kept because {}.", self.better(kept, go.first().copied().unwrap_or(kept)));
        let mut members = vec![member(keeper, Advice::Keep, why, Vec::new())];
        let mut leaving: Vec<&'a Entry> = Vec::new();
        for at in go {
            let Some(folder) = tree.folders.get(*at) else { continue };
            let pairs = tree.of_folder(folder).iter().zip(tree.of_folder(keeper));
            let evidence = pairs.map(|(file, other)| proof(file, other)).collect();
            let why = format!("Every file in it is in “{}” under the same name.", shown(keeper.path));
            members.push(member(folder, Advice::Go, why, evidence));
            leaving.extend(tree.of_folder(folder));
            self.leave(*at);
        }
        self.survey.anchor(tree.of_folder(keeper));
        let copies = go.len() + 1;
        let files = file_count(keeper.files.len());
        let reason = format!("{copies} folders hold the same {files}.");
        self.survey.add(kind, reason, members, &leaving);
    }

    fn tell_contained(&mut self, holder: usize, at: usize) {
        let tree = self.tree;
        let (Some(keeper), Some(folder)) = (tree.folders.get(holder), tree.folders.get(at)) else { return };
        let mut evidence = Vec::new();
        let mut others: Vec<&'a Entry> = Vec::new();
        for file in tree.of_folder(folder) {
            let copy = file.digest.filter(|_| file.size > 0);
            match copy.and_then(|digest| self.copy_in(keeper, &digest)) {
                Some(other) => {
                    evidence.push(proof(file, other));
                    others.push(other);
                }
                None => evidence.push(Evidence {
                    file: file.id,
                    digest: file.digest,
                    other: None,
                    other_digest: None,
                    relation: Relation::Empty,
                }),
            }
        }
        let files = file_count(folder.files.len());
        let why = "It holds everything that is in the other, and stays.".to_owned();
        let members = vec![
            member(keeper, Advice::Keep, why, Vec::new()),
            member(
                folder,
                Advice::Go,
                format!("Nothing is lost: each of its {files} is in “{}” too.", shown(keeper.path)),
                evidence,
            ),
        ];
        let reason = format!("Everything in “{}” is in “{}” too.", shown(folder.path), shown(keeper.path));
        self.leave(at);
        self.survey.anchor(&others);
        self.survey.add(FindingKind::ContainedFolder, reason, members, tree.of_folder(folder));
    }

    fn leave(&mut self, at: usize) {
        let Some(folder) = self.tree.folders.get(at) else { return };
        for place in std::iter::once(at).chain(folder.folders.clone()) {
            if let Some(gone) = self.gone.get_mut(place) {
                *gone = true;
            }
        }
    }

    fn better(&self, kept: usize, other: usize) -> &'static str {
        let (a, b) = (self.order(kept), self.order(other));
        match (a, b) {
            _ if a.0 != b.0 => "it is protected",
            _ if a.1 != b.1 => "other findings rest on it",
            _ if a.2 != b.2 => "its name is not that of a copy",
            _ if a.3 != b.3 => "it is the older one",
            _ if a.4 != b.4 => "its path is shorter",
            _ => "its path comes first in the alphabet",
        }
    }
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "the whole tree" } else { path }
}

fn proof(file: &Entry, other: &Entry) -> Evidence {
    let relation = if file.size == 0 { Relation::Empty } else { Relation::Identical };
    Evidence {
        file: file.id,
        digest: file.digest,
        other: Some(other.id),
        other_digest: other.digest,
        relation,
    }
}

fn member(folder: &Folder<'_>, advice: Advice, why: String, evidence: Vec<Evidence>) -> Member {
    let id: Option<Uuid> = folder.id;
    Member {
        id,
        path: folder.path.to_owned(),
        size: folder.bytes,
        modified: folder.modified,
        advice,
        why,
        evidence,
    }
}
