//! What can go, and why: the analysis of `files::clutter` over the rows of an owner. A content is looked at once, when
//! it has come in, by `examine` below; a report is made of what was found then, and reads no content again.
//!
//! What somebody picks from a report is held against a new one: a suggestion that does not stand any more is refused,
//! and before anything goes to the trash, what is kept in its place is read to the end and compared.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use files::clutter::{
    Advice, Digest, Entry, Facts, Finding, Limits, Place, Relation, Report, Rules, analyse, learn,
};
use identity::{FilesDelete, FilesRead, FilesWrite, May};
use kernel::id::{BatchId, FileId};
use kernel::{AppId, Code, EventType, Fault, Result, Subject, Time};
use store::{Examined, Unexamined};
use uuid::Uuid;

use super::{Removed, event};
use crate::Hall;

/// How many files may be picked at once.
const MOST: usize = 1_000;
/// How many files may be said to belong beside each other at once.
const MOST_PAIRED: usize = 50;
/// What one content may cost that is looked at in the server: less than at the command line, where one person waits.
const LIMITS: Limits = Limits { file: 512 << 20, pixels: 50_000_000, memory: 256 << 20, document: 16 << 20 };

/// A report, and what it does not know yet.
#[derive(Clone, Debug)]
pub struct Declutter {
    /// What was found.
    pub report: Report,
    /// Contents that have not been looked at: what is said about them comes later.
    pub pending: u64,
    /// When it was made.
    pub made_at: Time,
}

/// What was done with what somebody picked.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The batch under which all of it comes back; `None` for a preview.
    pub batch: Option<BatchId>,
    /// The files.
    pub files: Vec<FileId>,
    /// Their sizes together.
    pub logical_bytes: u64,
    /// What will be free when they leave the trash: the sizes of contents that no other file has.
    pub physical_bytes: u64,
    /// How many contents that stay were read to the end and compared.
    pub verified: u64,
}

/// What an owner has, as the analysis sees it.
struct Seen {
    entries: Vec<Entry>,
    files: HashMap<Uuid, Examined>,
    rules: Rules,
    pending: u64,
}

impl Hall {
    /// What of the caller's files can go.
    pub async fn declutter(&self, may: &May<FilesRead>) -> Result<Declutter> {
        let seen = self.look_through(&may.keeper(), &may.what().0).await?;
        let (pending, made_at) = (seen.pending, seen.rules.now);
        let report = tokio::task::spawn_blocking(move || analyse(&seen.entries, &seen.rules));
        let report = report.await.map_err(Fault::internal)?;
        self.rooms.audit.note(event(may, EventType::DataRead).with("what", "declutter"));
        Ok(Declutter { report, pending, made_at })
    }

    /// Moves what was picked from a report to the trash, all of it or nothing, under one batch. `conflict` when a
    /// suggestion does not stand any more: its file is gone, what was to be kept is picked too, or what is kept cannot
    /// be read. A `preview` changes nothing.
    pub async fn apply_declutter(
        &self,
        may: &May<FilesDelete>,
        ids: &[FileId],
        preview: bool,
    ) -> Result<Applied> {
        let picked: BTreeSet<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        if picked.is_empty() || picked.len() > MOST {
            return Err(Fault::invalid("file_ids", "out_of_range", format!("name 1 to {MOST} files")));
        }
        let owner = may.keeper();
        // What is foreign and what does not exist are the same, before anything is said about a report.
        for id in ids {
            may.inside(&self.rooms.store.file(&owner, *id).await?.app)?;
        }
        let seen = self.look_through(&owner, &may.what().0).await?;
        let (seen, report) = tokio::task::spawn_blocking(move || {
            let report = analyse(&seen.entries, &seen.rules);
            (seen, report)
        })
        .await
        .map_err(Fault::internal)?;
        let kept = stand(&report, &seen, &picked)?;
        let mut verified = 0;
        for blob in kept.values() {
            self.verify(&owner, &seen, *blob).await?;
            verified += 1;
        }
        let chosen: Vec<&Examined> = picked.iter().filter_map(|id| seen.files.get(id)).collect();
        let mut applied = Applied {
            batch: None,
            files: chosen.iter().map(|one| one.file.id).collect(),
            logical_bytes: chosen.iter().map(|one| one.file.size).sum(),
            physical_bytes: freed(&chosen),
            verified,
        };
        if !preview && let Removed::Trashed(batch, _) = self.delete_files(may, &applied.files, false).await? {
            applied.batch = Some(batch);
        }
        Ok(applied)
    }

    /// Says that files are all wanted, so that no report puts them to one another again; or takes that back.
    pub async fn ignore_files(&self, may: &May<FilesWrite>, ids: &[FileId], ignored: bool) -> Result<()> {
        let ids: Vec<FileId> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        if !(2..=MOST_PAIRED).contains(&ids.len()) {
            return Err(Fault::invalid("file_ids", "out_of_range", format!("name 2 to {MOST_PAIRED} files")));
        }
        let after = |at: usize| ids.iter().skip(at + 1);
        let pairs = ids.iter().enumerate().flat_map(|(at, one)| after(at).map(|other| (*one, *other)));
        let audit = event(may, EventType::DataWritten).with("what", "declutter").with("ignored", ignored);
        let apps = self.rooms_of(may);
        self.rooms.store.pair_files(&may.keeper(), &apps, pairs.collect(), ignored, audit).await
    }

    async fn look_through(&self, owner: &Subject, app: &AppId) -> Result<Seen> {
        let mut rules = Rules::new(self.rooms.ambient.now());
        for (one, other) in self.rooms.store.file_pairs(owner).await? {
            rules.ignore(one.uuid(), other.uuid());
        }
        let (files, pending) = self.rooms.store.examined(owner, app, Facts::VERSION).await?;
        tokio::task::spawn_blocking(move || {
            // Facts are read once for each content, and shared by its files.
            let mut known: HashMap<String, Option<Arc<Facts>>> = HashMap::new();
            let mut entries = Vec::with_capacity(files.len());
            for one in &files {
                let read =
                    || one.facts.as_deref().and_then(|text| serde_json::from_str(text).ok()).map(Arc::new);
                let facts = known.entry(one.file.blob.clone()).or_insert_with(read).clone();
                entries.push(entry(one, facts));
            }
            let files = files.into_iter().map(|one| (one.file.id.uuid(), one)).collect();
            Seen { entries, files, rules, pending }
        })
        .await
        .map_err(Fault::internal)
    }

    /// Reads what stays to the end: it is there, it opens, and it is what it is said to be.
    async fn verify(&self, owner: &Subject, seen: &Seen, id: Uuid) -> Result<()> {
        let gone = || {
            Fault::new(Code::Conflict).say("what would be kept cannot be read any more; nothing was moved")
        };
        let Examined { file, .. } = seen.files.get(&id).ok_or_else(gone)?;
        let key = self.rooms.store.content_key(owner, false).await?;
        let opener = |header: &[u8]| key.opener(&file.blob, header, file.size);
        let mut hasher = blake3::Hasher::new();
        let mut reader = self.rooms.files.blobs.read(&file.blob, file.size, 0..file.size, opener).await;
        let read = async {
            let reader = reader.as_mut().map_err(|fault| Fault::new(fault.code()))?;
            while let Some(piece) = reader.next().await? {
                hasher.update(&piece);
            }
            Ok::<_, Fault>(())
        };
        match read.await {
            Ok(()) if hasher.finalize().to_hex().as_str() == file.digest => Ok(()),
            Ok(()) => Err(gone()),
            Err(fault) if fault.code() == Code::Unavailable => Err(fault),
            Err(fault) => {
                tracing::error!(file = %file.id, cause = ?fault, "the content of a stored file cannot be read");
                Err(gone())
            }
        }
    }

    /// Looks at one content that nobody has looked at. `false` when there is none.
    pub(crate) async fn examine(&self) -> Result<bool> {
        let Some(next) = self.rooms.store.unexamined(Facts::VERSION, 1).await?.pop() else {
            return Ok(false);
        };
        let Unexamined { owner, blob, size, name } = next;
        let key = self.rooms.store.content_key(&owner, false).await?;
        let id = blob.clone();
        let opener = move |header: &[u8]| key.opener(&id, header, size);
        let mut seeker = self.rooms.files.blobs.seeker(&blob, size, opener);
        // Readers of foreign formats may panic; that costs the facts of one content.
        let looked = tokio::task::spawn_blocking(move || learn(&mut seeker, &name, &LIMITS)).await;
        let facts = match looked {
            Ok(Ok(facts)) => Some(serde_json::to_string(&facts).map_err(Fault::internal)?),
            Ok(Err(error)) => {
                tracing::warn!(%error, "a stored content cannot be looked at");
                None
            }
            Err(_) => {
                tracing::error!("the analysis of a stored content broke off");
                None
            }
        };
        self.rooms.store.keep_facts(&owner, &blob, Facts::VERSION, facts.as_deref()).await?;
        Ok(true)
    }
}

fn entry(one: &Examined, facts: Option<Arc<Facts>>) -> Entry {
    let Examined { file, sharers, .. } = one;
    let path =
        if file.folder.is_empty() { file.name.clone() } else { format!("{}/{}", file.folder, file.name) };
    let place = u128::from_str_radix(&file.blob, 16).ok();
    Entry {
        created: Some(file.created_at),
        place: place.map(|key| Place { key, names: *sharers, bytes: file.size }),
        digest: Digest::parse(&file.digest),
        facts,
        ..Entry::file(file.id.uuid(), path, file.size, file.modified_at.unwrap_or(file.created_at))
    }
}

/// The sizes of contents of which every file is among these.
fn freed(chosen: &[&Examined]) -> u64 {
    let mut contents: BTreeMap<&str, (u64, u64, u64)> = BTreeMap::new();
    for Examined { file, sharers, .. } in chosen {
        contents.entry(&file.blob).or_insert((0, *sharers, file.size)).0 += 1;
    }
    contents.values().filter(|(chosen, sharers, _)| chosen == sharers).map(|(_, _, size)| size).sum()
}

/// What must be there for the picked files to go: one file for each content that is kept. `conflict` when the report of
/// now does not suggest one of them, or when what it would be kept for is picked too.
fn stand(report: &Report, seen: &Seen, picked: &BTreeSet<Uuid>) -> Result<BTreeMap<String, Uuid>> {
    let stale = |say: &str| Fault::new(Code::Conflict).say(format!("{say}; look at the report again"));
    let suggested = suggested(&report.findings);
    let mut kept = BTreeMap::new();
    for id in picked {
        let Some(reasons) = suggested.get(id) else {
            return Err(stale("a file that was picked is not, or no longer, suggested to go"));
        };
        let stays = |other: &&Option<Uuid>| other.is_none_or(|other| !picked.contains(&other));
        // One reason that still holds is enough, and one that needs no other file holds always.
        let Some(reason) = reasons.iter().find(stays) else {
            return Err(stale("a file was picked together with the one that would be kept for it"));
        };
        if let Some(file) = reason.and_then(|other| seen.files.get(&other)) {
            kept.entry(file.file.blob.clone()).or_insert(file.file.id.uuid());
        }
    }
    Ok(kept)
}

/// Every file that may be picked, with what stays for it in each finding that names it.
fn suggested(findings: &[Finding]) -> HashMap<Uuid, Vec<Option<Uuid>>> {
    let mut found: HashMap<Uuid, Vec<Option<Uuid>>> = HashMap::new();
    for member in findings.iter().flat_map(|finding| &finding.members) {
        if member.advice == Advice::Keep {
            continue;
        }
        for evidence in &member.evidence {
            let alone = matches!(evidence.relation, Relation::Empty | Relation::Alone);
            found.entry(evidence.file).or_default().push(evidence.other.filter(|_| !alone));
        }
        if let (Some(id), true) = (member.id, member.evidence.is_empty()) {
            found.entry(id).or_default().push(None);
        }
    }
    found
}
