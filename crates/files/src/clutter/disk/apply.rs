//! Moves to the trash what a report advises, after comparing each file with the one that stays, byte by byte, at that
//! moment. A folder goes as one piece when everything in it was proven and nothing has come since. It owns the promise
//! that no content loses its last copy to a report that is no longer true.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use uuid::Uuid;

use super::compare::{self, Seen};
use super::trash::Trash;
use super::undo::List;
use super::{FoundKind, Scan, readable};
use crate::clutter::{Advice, Entry, FindingKind, Move, Report, Rules, plan};

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Applied {
    /// What was moved to the trash.
    pub moved: Vec<Step>,
    /// What stayed, and why.
    pub stayed: Vec<Step>,
    /// Bytes of the contents that were moved.
    pub bytes: u64,
}

/// A file or folder that was moved, or not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Step {
    /// Where it is or was.
    pub path: String,
    /// Why it stayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What a report advises to go, of these kinds: the files, and among them those whose content goes with them.
pub fn go(report: &Report, kinds: &BTreeSet<FindingKind>) -> (BTreeSet<Uuid>, BTreeSet<Uuid>) {
    let (mut picked, mut lose) = (BTreeSet::new(), BTreeSet::new());
    for finding in report.findings.iter().filter(|finding| kinds.contains(&finding.kind)) {
        for member in finding.members.iter().filter(|member| member.advice == Advice::Go) {
            let files = member.evidence.iter().map(|evidence| evidence.file);
            let all: Vec<Uuid> = files.chain(member.id).collect();
            if !finding.kind.loses_nothing() {
                lose.extend(&all);
            }
            picked.extend(all);
        }
    }
    (picked, lose)
}

/// Moves what a report advises to go, of these kinds. `list` is where the undo list is begun.
///
/// # Errors
/// When the undo list cannot be written: nothing is moved that could not be put back.
pub fn apply(
    scan: &Scan,
    report: &Report,
    kinds: &BTreeSet<FindingKind>,
    rules: &Rules,
    trash: &Trash,
    list: &Path,
) -> io::Result<Applied> {
    let (picked, lose) = go(report, kinds);
    let is_file: HashSet<Uuid> =
        scan.entries.iter().filter(|entry| entry.is_file()).map(|entry| entry.id).collect();
    let files: BTreeSet<Uuid> = picked.iter().filter(|id| is_file.contains(id)).copied().collect();
    let plan = plan(&scan.entries, rules, &files, &lose);
    let mut run =
        Run { scan, trash, list: List::begin(list)?, applied: Applied::default(), witness: witness(report) };
    for refusal in &plan.refused {
        run.stay(refusal.id, &refusal.why);
    }
    let mut moves: BTreeMap<Uuid, &Move> = plan.moves.iter().map(|step| (step.id, step)).collect();
    let mut done: Option<PathBuf> = None;
    for folder in folders(report, kinds) {
        let Some((path, _)) = scan.seen(folder) else { continue };
        // Outer folders come first, and what is in them was decided with them.
        if done.as_ref().is_some_and(|outer| path.starts_with(outer)) {
            continue;
        }
        done = Some(path.clone());
        run.folder(folder, &mut moves)?;
    }
    for step in moves.values() {
        run.file(step)?;
    }
    Ok(run.applied)
}

/// What each file that is advised to go stands beside.
fn witness(report: &Report) -> HashMap<Uuid, Uuid> {
    let evidence = report.findings.iter().flat_map(|one| &one.members).flat_map(|member| &member.evidence);
    evidence.filter_map(|evidence| Some((evidence.file, evidence.other?))).collect()
}

/// The folders that are advised to go, in the order of their paths.
fn folders(report: &Report, kinds: &BTreeSet<FindingKind>) -> BTreeSet<Uuid> {
    let wanted = |kind: FindingKind| {
        kinds.contains(&kind)
            && matches!(
                kind,
                FindingKind::IdenticalFolder | FindingKind::ContainedFolder | FindingKind::EmptyFolder
            )
    };
    let members = report.findings.iter().filter(|finding| wanted(finding.kind)).flat_map(|one| &one.members);
    members.filter(|member| member.advice == Advice::Go).filter_map(|member| member.id).collect()
}

struct Run<'a> {
    scan: &'a Scan,
    trash: &'a Trash,
    list: List,
    applied: Applied,
    /// For a file whose content goes with it: the one that it is near to, which has to be there still.
    witness: HashMap<Uuid, Uuid>,
}

impl Run<'_> {
    fn stay(&mut self, id: Uuid, why: &str) {
        let path = self.scan.seen(id).map_or_else(String::new, |(path, _)| readable(path.as_os_str()));
        self.applied.stayed.push(Step { path, why: Some(why.to_owned()) });
    }

    /// Whether the file may go now.
    fn check(&self, step: &Move) -> Result<(), String> {
        let open = |id: Uuid| -> Result<Seen, String> {
            let (path, found) = self.scan.seen(id).ok_or("It is no longer there.")?;
            compare::open(&self.scan.root.join(path), found)
        };
        let victim = open(step.id)?;
        match step.kept {
            // What stays may itself have changed: then this may be the last copy.
            Some(kept) => compare::same(&victim, &open(kept).map_err(|why| format!("Its copy: {why}"))?),
            None => match self.witness.get(&step.id) {
                Some(other) => open(*other).map(|_| ()).map_err(|why| format!("What it is near to: {why}")),
                None => Ok(()),
            },
        }
    }

    fn file(&mut self, step: &Move) -> io::Result<()> {
        let Some((path, found)) = self.scan.seen(step.id) else { return Ok(()) };
        if let Err(why) = self.check(step) {
            self.stay(step.id, &why);
            return Ok(());
        }
        let size = found.size;
        self.put(path, size)
    }

    fn put(&mut self, path: &Path, bytes: u64) -> io::Result<()> {
        let full = std::path::absolute(self.scan.root.join(path))?;
        let list = &mut self.list;
        let mut written = Ok(());
        let moved = self.trash.put(&full, &mut |trashed| {
            written = list.add(&full, trashed);
            written.as_ref().copied().map_err(|error| io::Error::new(error.kind(), "the undo list"))
        });
        written?;
        let path = readable(path.as_os_str());
        match moved {
            Ok(_) => {
                self.applied.bytes += bytes;
                self.applied.moved.push(Step { path, why: None });
            }
            Err(error) => {
                let why = Some(format!("It cannot be moved to the trash: {error}."));
                self.applied.stayed.push(Step { path, why });
            }
        }
        Ok(())
    }

    /// Moves a folder as one piece, if everything in it may go; else all of it stays: it is not what was looked at.
    fn folder(&mut self, id: Uuid, moves: &mut BTreeMap<Uuid, &Move>) -> io::Result<()> {
        let scan = self.scan;
        let Some((relative, _)) = scan.seen(id).cloned() else { return Ok(()) };
        // The entries stand in the order of the paths, so a folder is followed by what is in it.
        let after = usize::try_from(id.as_u128()).map_or(0, |at| at + 1);
        let inside = |at: &usize| scan.found.get(*at).is_some_and(|(path, _)| path.starts_with(&relative));
        let end = (after..scan.found.len()).take_while(inside).count() + after;
        let inner = scan.entries.get(after..end).unwrap_or(&[]);
        let verdict = self.check_folder(&relative, inner, moves);
        for entry in inner {
            moves.remove(&entry.id);
        }
        match verdict {
            Ok(()) => self.put(&relative, inner.iter().map(|entry| entry.size).sum()),
            Err(why) => {
                self.stay(id, &why);
                Ok(())
            }
        }
    }

    /// Whether everything in a folder may go, and is everything in it.
    fn check_folder(
        &self,
        relative: &Path,
        inner: &[Entry],
        moves: &BTreeMap<Uuid, &Move>,
    ) -> Result<(), String> {
        for entry in inner.iter().filter(|entry| entry.is_file()) {
            let step = moves.get(&entry.id).ok_or_else(|| format!("“{}” in it stays.", entry.name()))?;
            self.check(step).map_err(|why| format!("“{}” in it: {why}", entry.name()))?;
        }
        self.is_unchanged(relative, inner.iter().map(|entry| entry.id))
    }

    /// Whether a folder holds exactly what was seen in it.
    fn is_unchanged(&self, folder: &Path, inner: impl Iterator<Item = Uuid>) -> Result<(), String> {
        let mut known: HashMap<Vec<u8>, FoundKind> = HashMap::new();
        for (path, found) in inner.filter_map(|id| self.scan.seen(id)) {
            known.insert(path.as_os_str().as_bytes().to_vec(), found.kind);
        }
        let mut waiting = vec![folder.to_owned()];
        let mut met = 0;
        while let Some(dir) = waiting.pop() {
            let unread = |error: io::Error| format!("It cannot be read: {}.", error.kind());
            for entry in fs::read_dir(self.scan.root.join(&dir)).map_err(unread)? {
                let entry = entry.map_err(unread)?;
                let path = dir.join(entry.file_name());
                let kind = match entry.file_type().map_err(unread)? {
                    kind if kind.is_dir() => FoundKind::Folder,
                    kind if kind.is_file() => FoundKind::File,
                    _ => FoundKind::Other,
                };
                if known.get(path.as_os_str().as_bytes()) != Some(&kind) || kind == FoundKind::Other {
                    return Err("Something in it has changed since it was looked at.".to_owned());
                }
                met += 1;
                if kind == FoundKind::Folder {
                    waiting.push(path);
                }
            }
        }
        if met == known.len() { Ok(()) } else { Err("Something that was in it is gone.".to_owned()) }
    }
}
