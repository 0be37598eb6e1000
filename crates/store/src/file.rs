//! Files: labels on blobs. Kept, listed, counted; names, folders and digests are sealed. Every query carries the owner.
//! It never tells a foreign id from an unknown one: both are `not_found`.

use std::collections::{HashMap, HashSet};

use crypto::Place;
use kernel::id::{BatchId, FileId};
use kernel::{AppId, AuditEvent, Code, Cursor, Fault, Page, PageRequest, Result, Subject, Time};

use crate::Store;
use crate::blob::{ContentKey, size};
use crate::connection::Sql;
use crate::data_key::{self, Refusal, SubjectKey};
use crate::tx::Tx;
use crate::value::{Row, values};

/// A stored file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Its id.
    pub id: FileId,
    /// Whose it is.
    pub owner: Subject,
    /// The app it belongs to.
    pub app: AppId,
    /// The name that people see.
    pub name: String,
    /// The folder that people see, its parts joined by `/`; empty for none.
    pub folder: String,
    /// What it is, by its content.
    pub media_type: String,
    /// How many bytes it has.
    pub size: u64,
    /// The BLAKE3 of its content as 64 hexadecimal digits.
    pub digest: String,
    /// When it was stored.
    pub created_at: Time,
    /// When it was changed last, where it came from.
    pub modified_at: Option<Time>,
    /// Since when it is in the trash.
    pub trashed_at: Option<Time>,
    /// With which others it went there.
    pub batch: Option<BatchId>,
    /// The name of its bytes.
    pub blob: String,
}

/// A file to be kept.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// Its id.
    pub id: FileId,
    /// The app it belongs to.
    pub app: AppId,
    /// The name that people see.
    pub name: String,
    /// The folder that people see.
    pub folder: String,
    /// What it is.
    pub media_type: String,
    /// The BLAKE3 of its content as 64 hexadecimal digits.
    pub digest: String,
    /// When it was changed last, where it came from.
    pub modified_at: Option<Time>,
    /// Its content.
    pub blob: StagedBlob,
    /// Where there is a file of the same name, folder and content already, that one is meant.
    pub reuse: bool,
}

/// The content of a file to be kept.
#[derive(Clone, Debug)]
pub struct StagedBlob {
    /// The name of its bytes.
    pub id: String,
    /// [`ContentKey::tag`].
    pub tag: String,
    /// How many bytes it has.
    pub size: u64,
    /// The bytes were announced and lie where they are to stay.
    pub placed: bool,
}

/// What became of files that were to be kept.
#[derive(Clone, Debug)]
pub enum Kept {
    /// They are kept: each with other files of the same content, and whether its bytes were taken over.
    Stored(Vec<KeptFile>),
    /// Nothing was kept: the contents with these ids are not there yet and must be placed first.
    Wanted(HashSet<String>),
}

/// One of them.
#[derive(Clone, Debug)]
pub struct KeptFile {
    /// The file.
    pub file: File,
    /// Files of the owner that had the same content already, the oldest first, a few at the most.
    pub twins: Vec<File>,
    /// The bytes that it brought are in use now; otherwise they are to be removed.
    pub fresh: bool,
}

/// Which files are wanted.
#[derive(Clone, Debug)]
pub struct FileFilter {
    /// Of this app.
    pub app: AppId,
    /// Those in the trash, or those that are not.
    pub trashed: bool,
    /// With a name that contains this text, in upper or lower case.
    pub q: Option<String>,
}

/// What an owner has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FileUsage {
    /// How many files are not in the trash.
    pub files: u64,
    /// Their sizes together.
    pub bytes: u64,
    /// How many are in the trash.
    pub trashed: u64,
    /// Their sizes together.
    pub trashed_bytes: u64,
    /// What all of them take, each content counted once: this counts against the quota.
    pub stored_bytes: u64,
}

pub(crate) const COLUMNS: &str =
    "id, app, blob, name, folder, media_type, size, digest, created_at, modified_at, trashed_at, batch";

/// How many twins of a new file are named.
const TWINS: i64 = 5;

pub(crate) const fn place<'a>(column: &'static str, id: &'a str) -> Place<'a> {
    Place { table: "files", column, row: id }
}

pub(crate) fn open(row: &Row, owner: &Subject, key: &SubjectKey) -> Result<File> {
    let id = row.text(0)?;
    let text = |column, index| key.open_text(place(column, &id), &row.bytes(index)?);
    Ok(File {
        app: AppId::parse(&row.text(1)?)?,
        blob: row.text(2)?,
        name: text("name", 3)?,
        folder: text("folder", 4)?,
        media_type: row.text(5)?,
        size: size(row.int(6)?)?,
        digest: text("digest", 7)?,
        created_at: row.time(8)?,
        modified_at: row.maybe_time(9)?,
        trashed_at: row.maybe_time(10)?,
        batch: row.maybe_text(11)?.as_deref().map(BatchId::parse).transpose()?,
        owner: *owner,
        id: FileId::parse(&id)?,
    })
}

pub(crate) fn select(condition: &str) -> Sql {
    Sql::Built(format!("SELECT {COLUMNS} FROM files {condition}").into())
}

impl Store {
    /// Keeps files, all of them or none. Contents that the owner has are not stored again. `quota_exceeded` when all
    /// contents of the owner together would have more than `quota` bytes; `conflict` when the owner's data was erased
    /// since `key` was taken. Each event of the audit log is `audit` with the file, its tag and its size.
    pub async fn keep_files(
        &self,
        key: &ContentKey,
        new: Vec<NewFile>,
        quota: u64,
        audit: AuditEvent,
    ) -> Result<Kept> {
        let now = self.inside.ambient.now();
        let owner = key.owner();
        let sealed = new.iter().map(|file| {
            let id = file.id.to_string();
            let seal = |column, text: &str| key.key.seal(self, place(column, &id), text.as_bytes());
            let (name, folder) = (seal("name", &file.name), seal("folder", &file.folder));
            (id.clone(), [name, folder, seal("digest", &file.digest)])
        });
        let work = Keeping { key: key.clone(), sealed: sealed.collect(), new, quota, audit, now };
        let kept = self.write_sealed("file.keep", Vec::new(), move |tx| Box::pin(work.run(tx))).await;
        match kept {
            Ok(kept) => Ok(kept),
            Err(Refusal::Fault(fault)) => Err(fault),
            Err(Refusal::StaleKey) => {
                self.inside.data_keys.invalidate(&owner).await;
                Err(Fault::new(Code::Conflict).say("your data was erased while the file came in"))
            }
        }
    }

    /// A file of this owner, in the trash or not.
    pub async fn file(&self, owner: &Subject, id: FileId) -> Result<File> {
        let sql = select("WHERE owner = $1 AND id = $2");
        let row = self.read("file.get").await?.one(sql, values![owner.to_string(), id.to_string()]).await?;
        let row = row.ok_or(Code::NotFound)?;
        self.opened(owner, |key| open(&row, owner, key)).await
    }

    /// Which of these files the owner still has, those in the trash not counted.
    pub async fn kept_files(&self, owner: &Subject, ids: Vec<FileId>) -> Result<HashSet<FileId>> {
        let sql = "SELECT id FROM files WHERE owner = $1 AND id = $2 AND trashed_at IS NULL";
        let mut reader = self.read("file.kept").await?;
        let mut kept = HashSet::with_capacity(ids.len());
        for id in ids {
            if reader.one(sql, values![owner.to_string(), id.to_string()]).await?.is_some() {
                kept.insert(id);
            }
        }
        Ok(kept)
    }

    /// Every file of an owner in the order of their ids, those in the trash too, `limit` after this one.
    pub async fn files_after(&self, owner: &Subject, after: Option<FileId>, limit: u32) -> Result<Vec<File>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let sql = select("WHERE owner = $1 AND id > $2 ORDER BY id LIMIT $3");
        let rows = self.read("file.every").await?.all(sql, values![owner.to_string(), after, limit]).await?;
        self.opened(owner, |key| rows.iter().map(|row| open(row, owner, key)).collect()).await
    }

    /// The owner's files, the newest first; those in the trash in the order in which they came there.
    pub async fn files(&self, owner: &Subject, filter: FileFilter, page: PageRequest) -> Result<Page<File>> {
        let wanted = filter.q.map(|q| q.to_lowercase()).filter(|q| !q.is_empty());
        // Names are sealed, so a search opens them here; larger steps save round trips.
        let step = if wanted.is_some() { 500 } else { page.limit + 1 };
        let enough = usize::try_from(page.limit).unwrap_or(usize::MAX).saturating_add(1);
        let (time, presence) =
            if filter.trashed { ("trashed_at", "NOT NULL") } else { ("created_at", "NULL") };
        let sql = select(&format!(
            "WHERE owner = $1 AND app = $2 AND trashed_at IS {presence} AND {time} <= $3 AND ({time} < $3 OR id < $4) \
             ORDER BY {time} DESC, id DESC LIMIT $5"
        ));
        let at = |file: &File| file.trashed_at.filter(|_| filter.trashed).unwrap_or(file.created_at);
        // Not while a connection is held.
        self.subject_key(owner).await?;
        let (mut before, mut tie) = match page.after {
            Some(cursor) => (cursor.key, cursor.tie),
            None => (i64::MAX, String::new()),
        };
        let mut found = Vec::new();
        let mut reader = self.read("file.list").await?;
        loop {
            let values = values![owner.to_string(), filter.app.as_str(), before, tie.as_str(), step];
            let rows = reader.all(sql.clone(), values).await?;
            let more = rows.len() == usize::try_from(step).unwrap_or(usize::MAX);
            let opened = self.opened(owner, |key| {
                rows.iter().map(|row| open(row, owner, key)).collect::<Result<Vec<_>>>()
            });
            for file in opened.await? {
                (before, tie) = (at(&file).micros(), file.id.to_string());
                if wanted.as_ref().is_none_or(|q| file.name.to_lowercase().contains(q.as_str())) {
                    found.push(file);
                }
            }
            if found.len() >= enough || !more {
                break;
            }
        }
        let cursor = |file: &File| Cursor { key: at(file).micros(), tie: file.id.to_string() };
        Ok(Page::cut(found, page.limit, cursor))
    }

    /// How much this owner has, in all apps together.
    pub async fn file_usage(&self, owner: &Subject) -> Result<FileUsage> {
        let mut reader = self.read("file.usage").await?;
        let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS bigint), \
                   COUNT(trashed_at), \
                   CAST(COALESCE(SUM(CASE WHEN trashed_at IS NULL THEN 0 ELSE size END), 0) AS bigint) \
                   FROM files WHERE owner = $1";
        let row = reader.one(sql, values![owner.to_string()]).await?.ok_or(Code::Internal)?;
        let (all, bytes) = (size(row.int(0)?)?, size(row.int(1)?)?);
        let (trashed, trashed_bytes) = (size(row.int(2)?)?, size(row.int(3)?)?);
        let row = reader.one(STORED, values![owner.to_string()]).await?.ok_or(Code::Internal)?;
        Ok(FileUsage {
            files: all.saturating_sub(trashed),
            bytes: bytes.saturating_sub(trashed_bytes),
            trashed,
            trashed_bytes,
            stored_bytes: size(row.int(0)?)?,
        })
    }
}

const STORED: &str = "SELECT CAST(COALESCE(SUM(size), 0) AS bigint) FROM blobs WHERE owner = $1";

struct Keeping {
    key: ContentKey,
    new: Vec<NewFile>,
    /// For each file its id and its sealed name, folder and digest.
    sealed: Vec<(String, [Vec<u8>; 3])>,
    quota: u64,
    audit: AuditEvent,
    now: Time,
}

impl Keeping {
    async fn run(self, tx: &mut Tx) -> Result<Kept, Refusal> {
        // The owner's key is locked from here on: nobody else counts or adds at the same time.
        data_key::hold_one(tx, &self.key.key).await?;
        let owner = self.key.owner().to_string();
        let mut stored: HashMap<String, String> = HashMap::new();
        let (mut wanted, mut more, mut fresh) = (HashSet::new(), 0_u64, HashSet::new());
        for StagedBlob { id, tag, size, placed } in self.new.iter().map(|file| &file.blob) {
            if stored.contains_key(tag) {
                continue;
            }
            let sql = "SELECT id FROM blobs WHERE owner = $1 AND tag = $2";
            let found = tx.one(sql, values![owner.as_str(), tag.as_str()]).await?;
            let used = match found {
                Some(row) => row.text(0)?,
                None => {
                    more = more.saturating_add(*size);
                    fresh.insert(id.clone());
                    if !placed {
                        wanted.insert(id.clone());
                    }
                    id.clone()
                }
            };
            stored.insert(tag.clone(), used);
        }
        if more > 0 {
            let row = tx.one(STORED, values![owner.as_str()]).await?;
            let now = row.map_or(Ok(0), |row| row.int(0)).map(size)??;
            if now.saturating_add(more) > self.quota {
                return Err(quota_exceeded(self.quota, now).into());
            }
        }
        if !wanted.is_empty() {
            return Ok(Kept::Wanted(wanted));
        }
        let mut kept = Vec::with_capacity(self.new.len());
        for (new, (id, sealed)) in self.new.iter().zip(self.sealed.clone()) {
            let blob = stored.get(&new.blob.tag).ok_or(Code::Internal)?;
            let fresh = *blob == new.blob.id && fresh.contains(blob);
            if fresh {
                take_over(tx, &owner, &new.blob, self.now).await?;
            }
            kept.push(self.keep(tx, &owner, new, id, sealed, blob, fresh).await?);
        }
        Ok(Kept::Stored(kept))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one row")]
    async fn keep(
        &self,
        tx: &mut Tx,
        owner: &str,
        new: &NewFile,
        id: String,
        [name, folder, digest]: [Vec<u8>; 3],
        blob: &str,
        fresh: bool,
    ) -> Result<KeptFile, Refusal> {
        let mut twins = Vec::new();
        if !fresh {
            let sql = select("WHERE owner = $1 AND blob = $2 ORDER BY created_at, id LIMIT $3");
            for row in tx.all(sql, values![owner, blob, TWINS]).await? {
                twins.push(open(&row, &self.key.owner(), &self.key.key)?);
            }
            let same = |twin: &&File| {
                let kept = twin.trashed_at.is_none() && twin.app == new.app;
                kept && twin.name == new.name && twin.folder == new.folder
            };
            if let Some(twin) = twins.iter().find(same).filter(|_| new.reuse) {
                return Ok(KeptFile { file: twin.clone(), twins, fresh });
            }
        }
        let count = i64::try_from(new.blob.size).map_err(Fault::internal)?;
        tx.run(
            "INSERT INTO files (id, owner, app, blob, name, folder, media_type, size, digest, created_at, modified_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            values![
                id,
                owner,
                new.app.as_str(),
                blob,
                name,
                folder,
                new.media_type.as_str(),
                count,
                digest,
                self.now,
                new.modified_at
            ],
        )
        .await?;
        tx.run("UPDATE blobs SET files = files + 1 WHERE owner = $1 AND id = $2", values![owner, blob])
            .await?;
        let event = self.audit.clone().to(format_args!("file:{}", new.id));
        tx.events.push(event.with("hash", new.blob.tag.as_str()).with("size", new.blob.size));
        let file = File {
            id: new.id,
            owner: self.key.owner(),
            app: new.app.clone(),
            name: new.name.clone(),
            folder: new.folder.clone(),
            media_type: new.media_type.clone(),
            size: new.blob.size,
            digest: new.digest.clone(),
            created_at: self.now,
            modified_at: new.modified_at,
            trashed_at: None,
            batch: None,
            blob: blob.to_owned(),
        };
        Ok(KeptFile { file, twins, fresh })
    }
}

/// Makes announced bytes the content of a row. Bytes whose removal is no longer announced may be gone already.
async fn take_over(tx: &mut Tx, owner: &str, blob: &StagedBlob, now: Time) -> Result<(), Refusal> {
    let id = blob.id.as_str();
    if tx.run("DELETE FROM blob_removals WHERE id = $1", values![id]).await? != 1 {
        return Err(Fault::new(Code::Unavailable)
            .because("the bytes waited too long and may be gone")
            .into());
    }
    let count = i64::try_from(blob.size).map_err(Fault::internal)?;
    tx.run(
        "INSERT INTO blobs (id, owner, tag, size, files, facts_version, created_at) VALUES ($1, $2, $3, $4, 0, 0, $5)",
        values![id, owner, blob.tag.as_str(), count, now],
    )
    .await?;
    Ok(())
}

/// `quota_exceeded`, with the numbers that its owner may know.
pub(crate) fn quota_exceeded(quota: u64, used: u64) -> Fault {
    Fault::new(Code::QuotaExceeded).say(format!(
        "Your files would take more than your {quota} bytes; {used} are in use. Empty the trash, or delete files for good."
    ))
}
