//! The trash of files: in, out again (alone or with the whole batch), and gone for good. A content goes with its last
//! file; its bytes are noted for removal in the same transaction. Every query carries the owner.

use kernel::id::{BatchId, FileId};
use kernel::{AppId, AuditEvent, Code, Fault, Result, Subject, Time};

use crate::Store;
use crate::blob::{MOST, list, lock_owner, with_list};
use crate::data_key::Refusal;
use crate::file::{File, open, select};
use crate::hold::{self, unheld};
use crate::tx::Tx;
use crate::value::{Value, values};

/// A file that went to the trash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trashed {
    /// The file.
    pub id: FileId,
    /// With which others it went, now or earlier.
    pub batch: BatchId,
    /// It was there already.
    pub already: bool,
}

/// A file that is gone for good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gone {
    /// The file.
    pub id: FileId,
    /// How many bytes it had.
    pub size: u64,
    /// The name of its bytes, when no other file has them.
    pub blob: Option<String>,
}

/// A file as the trash looks at it.
struct Row {
    id: String,
    blob: String,
    size: i64,
    tag: String,
    trashed: Option<BatchId>,
}

const FOUND: &str =
    "SELECT f.id, f.app, f.blob, f.size, b.tag, f.batch FROM files f JOIN blobs b ON b.id = f.blob";

fn strings(ids: &[FileId]) -> Vec<String> {
    let mut ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn with_owner(owner: &str, ids: &[String]) -> Vec<Value> {
    std::iter::once(Value::from(owner)).chain(list(ids)).collect()
}

/// The owner's files with these ids in these apps; `not_found` unless it is all of them.
async fn find(tx: &mut Tx, owner: &str, apps: &[AppId], ids: &[String]) -> Result<Vec<Row>, Refusal> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(MOST) {
        let head = format!("{FOUND} WHERE f.owner = ? AND f.id IN");
        let sql = with_list(tx.engine(), &head, 1, ids.len(), "");
        for row in tx.all(sql, with_owner(owner, ids)).await? {
            let app = row.text(1)?;
            if apps.iter().any(|one| one.as_str() == app) {
                found.push(Row {
                    id: row.text(0)?,
                    blob: row.text(2)?,
                    size: row.int(3)?,
                    tag: row.text(4)?,
                    trashed: row.maybe_text(5)?.as_deref().map(BatchId::parse).transpose()?,
                });
            }
        }
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    if found.len() == ids.len() { Ok(found) } else { Err(Fault::new(Code::NotFound).into()) }
}

impl Row {
    fn event(&self, audit: &AuditEvent) -> AuditEvent {
        let event = audit.clone().to(format_args!("file:{}", self.id));
        event.with("hash", self.tag.as_str()).with("size", self.size)
    }
}

impl Store {
    /// Moves files to the trash, all of them or none: `not_found` when one of them is not this owner's, or in none of
    /// these apps. What lies there already stays in its batch. Each event of the audit log is `audit` with the file.
    pub async fn trash_files(
        &self,
        owner: &Subject,
        apps: &[AppId],
        ids: &[FileId],
        batch: BatchId,
        audit: AuditEvent,
    ) -> Result<Vec<Trashed>> {
        let (owner, apps, ids, now) =
            (owner.to_string(), apps.to_vec(), strings(ids), self.inside.ambient.now());
        self.write("file.trash", Vec::new(), move |tx| {
            Box::pin(async move {
                lock_owner(tx, &owner).await?;
                let found = find(tx, &owner, &apps, &ids).await?;
                for ids in ids.chunks(MOST) {
                    let head = "UPDATE files SET trashed_at = ?, batch = ? WHERE trashed_at IS NULL AND owner = ? \
                                AND id IN";
                    let sql = with_list(tx.engine(), head, 3, ids.len(), "");
                    let mut row = values![now, batch.to_string(), owner.as_str()];
                    row.extend(list(ids));
                    tx.run(sql, row).await?;
                }
                let mut trashed = Vec::with_capacity(found.len());
                for row in &found {
                    if row.trashed.is_none() {
                        tx.events.push(row.event(&audit).with("batch", batch.to_string()));
                    }
                    let already = row.trashed.is_some();
                    let batch = row.trashed.unwrap_or(batch);
                    trashed.push(Trashed { id: FileId::parse(&row.id)?, batch, already });
                }
                Ok(trashed)
            })
        })
        .await
    }

    /// Takes a file out of the trash; one that is not there stays as it is.
    pub async fn restore_file(&self, owner: &Subject, id: FileId, audit: AuditEvent) -> Result<File> {
        let row = values![owner.to_string(), id.to_string()];
        self.write("file.restore", Vec::new(), move |tx| {
            Box::pin(async move {
                let sql = "UPDATE files SET trashed_at = NULL, batch = NULL \
                           WHERE owner = $1 AND id = $2 AND trashed_at IS NOT NULL";
                if tx.run(sql, row).await? == 1 {
                    tx.events.push(audit.to(format_args!("file:{id}")));
                }
                Ok(())
            })
        })
        .await?;
        self.file(owner, id).await
    }

    /// Takes out of the trash what went there together: undo. Gives the files; `not_found` when none of the batch is
    /// there any more.
    pub async fn restore_batch(
        &self,
        owner: &Subject,
        apps: &[AppId],
        batch: BatchId,
        audit: AuditEvent,
    ) -> Result<Vec<File>> {
        let (name, apps) = (owner.to_string(), apps.to_vec());
        let rows = self
            .write("file.undo", Vec::new(), move |tx| {
                Box::pin(async move {
                    lock_owner(tx, &name).await?;
                    let sql = select("WHERE owner = $1 AND batch = $2 ORDER BY id");
                    let mut rows = tx.all(sql, values![name.as_str(), batch.to_string()]).await?;
                    let mut kept = Vec::with_capacity(rows.len());
                    for row in rows.drain(..) {
                        let app = row.text(1)?;
                        if apps.iter().any(|one| one.as_str() == app) {
                            kept.push(row);
                        }
                    }
                    if kept.is_empty() {
                        return Err(Fault::new(Code::NotFound).into());
                    }
                    let ids = kept.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
                    for ids in ids.chunks(MOST) {
                        let head =
                            "UPDATE files SET trashed_at = NULL, batch = NULL WHERE owner = ? AND id IN";
                        let sql = with_list(tx.engine(), head, 1, ids.len(), "");
                        tx.run(sql, with_owner(&name, ids)).await?;
                    }
                    for id in ids {
                        tx.events.push(audit.clone().to(format_args!("file:{id}")));
                    }
                    Ok(kept)
                })
            })
            .await?;
        let whole =
            |row, key: &_| open(row, owner, key).map(|file| File { trashed_at: None, batch: None, ..file });
        self.opened(owner, |key| rows.iter().map(|row| whole(row, key)).collect()).await
    }

    /// Destroys files for good, all of them or none: `not_found` when one of them is not this owner's, or in none of
    /// these apps.
    pub async fn destroy_files(
        &self,
        owner: &Subject,
        apps: &[AppId],
        ids: &[FileId],
        audit: AuditEvent,
    ) -> Result<Vec<Gone>> {
        let (owner, apps, ids, now) =
            (owner.to_string(), apps.to_vec(), strings(ids), self.inside.ambient.now());
        self.write("file.destroy", Vec::new(), move |tx| {
            Box::pin(async move {
                lock_owner(tx, &owner).await?;
                let found = find(tx, &owner, &apps, &ids).await?;
                for app in &apps {
                    hold::refuse_kept(tx, &owner, app.as_str()).await?;
                }
                destroy(tx, &owner, &found, now, &audit).await
            })
        })
        .await
    }

    /// Destroys up to `limit` files of an owner's trash in this app, the oldest first. Gives fewer when it is empty.
    pub async fn empty_trash(
        &self,
        owner: &Subject,
        app: &AppId,
        limit: u32,
        audit: AuditEvent,
    ) -> Result<Vec<Gone>> {
        let (owner, now) = (owner.to_string(), self.inside.ambient.now());
        let row = values![owner.as_str(), app.as_str(), limit];
        let app = app.clone();
        self.write("file.empty", Vec::new(), move |tx| {
            Box::pin(async move {
                lock_owner(tx, &owner).await?;
                hold::refuse_kept(tx, &owner, app.as_str()).await?;
                let sql = "SELECT id FROM files WHERE owner = $1 AND app = $2 AND trashed_at IS NOT NULL \
                           ORDER BY trashed_at, id LIMIT $3";
                destroy_rows(tx, &owner, sql, row, now, &audit).await
            })
        })
        .await
    }

    /// Destroys up to `limit` files of one owner that went to the trash before `time`. Gives none when nobody has any.
    pub async fn expire_trash(&self, time: Time, limit: u32, audit: AuditEvent) -> Result<Vec<Gone>> {
        // What is held stays in the trash until the hold ends.
        let oldest = concat!(
            "SELECT f.owner FROM files f WHERE f.trashed_at < $1 \
             AND NOT EXISTS (SELECT 1 FROM holds a WHERE a.target = 'app:' || f.app) AND ",
            unheld!("f.owner"),
            " ORDER BY f.trashed_at LIMIT 1"
        );
        let row = self.read("file.expired").await?.one(oldest, values![time]).await?;
        let Some(owner) = row.map(|row| row.text(0)).transpose()? else { return Ok(Vec::new()) };
        let now = self.inside.ambient.now();
        self.write("file.expire", Vec::new(), move |tx| {
            Box::pin(async move {
                lock_owner(tx, &owner).await?;
                let sql = "SELECT id FROM files WHERE owner = $1 AND trashed_at < $2 \
                           AND NOT EXISTS (SELECT 1 FROM holds a WHERE a.target = 'app:' || files.app) \
                           ORDER BY trashed_at, id LIMIT $3";
                let row = values![owner.as_str(), time, limit];
                destroy_rows(tx, &owner, sql, row, now, &audit).await
            })
        })
        .await
    }
}

/// Destroys up to `limit` files of an owner in this app that were stored before `time`. Gives how many.
pub(crate) async fn destroy_older(
    tx: &mut Tx,
    owner: &str,
    app: &AppId,
    time: Time,
    limit: u32,
    now: Time,
    audit: &AuditEvent,
) -> Result<u64, Refusal> {
    lock_owner(tx, owner).await?;
    let sql = "SELECT id FROM files WHERE owner = $1 AND app = $2 AND created_at < $3 ORDER BY created_at, id LIMIT $4";
    let row = values![owner, app.as_str(), time, limit];
    Ok(destroy_rows(tx, owner, sql, row, now, audit).await?.len() as u64)
}

async fn destroy_rows(
    tx: &mut Tx,
    owner: &str,
    sql: &'static str,
    row: Vec<Value>,
    now: Time,
    audit: &AuditEvent,
) -> Result<Vec<Gone>, Refusal> {
    let rows = tx.all(sql, row).await?;
    let mut ids = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
    ids.sort_unstable();
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(MOST) {
        let head = format!("{FOUND} WHERE f.owner = ? AND f.id IN");
        let sql = with_list(tx.engine(), &head, 1, ids.len(), "");
        for row in tx.all(sql, with_owner(owner, ids)).await? {
            let (id, blob, tag) = (row.text(0)?, row.text(2)?, row.text(4)?);
            found.push(Row { id, blob, size: row.int(3)?, tag, trashed: None });
        }
    }
    destroy(tx, owner, &found, now, audit).await
}

/// Takes the rows away, and the contents that no file has any more; notes the bytes of those for removal.
async fn destroy(
    tx: &mut Tx,
    owner: &str,
    files: &[Row],
    now: Time,
    audit: &AuditEvent,
) -> Result<Vec<Gone>, Refusal> {
    let engine = tx.engine();
    let mut last = std::collections::HashSet::new();
    for files in files.chunks(MOST) {
        let ids: Vec<String> = files.iter().map(|file| file.id.clone()).collect();
        let mut blobs: Vec<String> = files.iter().map(|file| file.blob.clone()).collect();
        blobs.sort_unstable();
        blobs.dedup();
        for head in [
            "DELETE FROM file_pairs WHERE owner = ? AND one IN",
            "DELETE FROM file_pairs WHERE owner = ? AND other IN",
            "DELETE FROM files WHERE owner = ? AND id IN",
        ] {
            tx.run(with_list(engine, head, 1, ids.len(), ""), with_owner(owner, &ids)).await?;
        }
        let counted = "UPDATE blobs SET files = (SELECT COUNT(*) FROM files WHERE files.blob = blobs.id) \
                       WHERE owner = ? AND id IN";
        tx.run(with_list(engine, counted, 1, blobs.len(), ""), with_owner(owner, &blobs)).await?;
        let unused = "SELECT id FROM blobs WHERE files = 0 AND owner = ? AND id IN";
        let unused = tx.all(with_list(engine, unused, 1, blobs.len(), ""), with_owner(owner, &blobs)).await?;
        let unused = unused.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
        if unused.is_empty() {
            continue;
        }
        let doomed = "INSERT INTO blob_removals (id, due_at, attempts) SELECT id, CAST(? AS bigint), 0 FROM blobs \
                      WHERE owner = ? AND id IN";
        let mut row = values![now, owner];
        row.extend(list(&unused));
        tx.run(with_list(engine, doomed, 2, unused.len(), ""), row).await?;
        let gone = "DELETE FROM blobs WHERE owner = ? AND id IN";
        tx.run(with_list(engine, gone, 1, unused.len(), ""), with_owner(owner, &unused)).await?;
        last.extend(unused);
    }
    let mut gone = Vec::with_capacity(files.len());
    for file in files {
        tx.events.push(file.event(audit));
        gone.push(Gone {
            id: FileId::parse(&file.id)?,
            size: u64::try_from(file.size).map_err(Fault::internal)?,
            // Of several files with the same content one takes the bytes with it.
            blob: last.take(&file.blob),
        });
    }
    Ok(gone)
}
