//! Blobs: the contents that an owner's files have, each once, and the bytes that are to be removed. It owns the rows;
//! the bytes lie where `files::blob` puts them, sealed with the owner's data key.
//! It never touches a byte of a content.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use crypto::Place;
use crypto::stream::{Opener, Sealer};
use kernel::{Result, Subject, Time};

use crate::Store;
use crate::connection::Sql;
use crate::data_key::{self, Refusal, SubjectKey};
use crate::dialect::Engine;
use crate::trouble::Trouble;
use crate::tx::Tx;
use crate::value::values;

/// A content that is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Blob {
    /// The random name of its bytes.
    pub id: String,
    /// How many bytes it has.
    pub size: u64,
}

/// The key of one owner's contents. Cheap to clone.
#[derive(Clone)]
pub struct ContentKey {
    store: Store,
    pub(crate) key: Arc<SubjectKey>,
    owner: Subject,
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentKey({})", self.owner)
    }
}

impl ContentKey {
    /// Whose contents.
    pub const fn owner(&self) -> Subject {
        self.owner
    }

    /// Seals the bytes of the blob with this id.
    pub fn sealer(&self, id: &str) -> Sealer {
        self.key.sealer(&self.store, place("content", id))
    }

    /// Opens the bytes of the blob with this id and size, which begin with `header`.
    pub fn opener(&self, id: &str, header: &[u8], size: u64) -> Result<Opener> {
        self.key.opener(place("content", id), header, size)
    }

    /// The tag of the content with this BLAKE3: the same for the same content of this owner, and of no other.
    pub fn tag(&self, digest: &[u8; 32]) -> String {
        self.key.name_content(digest)
    }
}

pub(crate) const fn place<'a>(column: &'static str, id: &'a str) -> Place<'a> {
    Place { table: "blobs", column, row: id }
}

/// Bytes that are to be removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Removal {
    /// Their name.
    pub id: String,
    /// How often it was tried in vain.
    pub attempts: u32,
}

impl Store {
    /// The key under which an owner's contents are sealed; for `writing`, it is in the database when this returns.
    pub async fn content_key(&self, owner: &Subject, writing: bool) -> Result<ContentKey> {
        let key = if writing {
            self.with_subject_key(owner, |key: Arc<SubjectKey>| async move {
                let held = Arc::clone(&key);
                self.write_sealed("blob.key", Vec::new(), move |tx| {
                    Box::pin(async move { data_key::hold_one(tx, &held).await })
                })
                .await?;
                Ok(key)
            })
            .await?
        } else {
            self.subject_key(owner).await?
        };
        Ok(ContentKey { store: self.clone(), key, owner: *owner })
    }

    /// The owner's content with this tag.
    pub async fn blob_by_tag(&self, owner: &Subject, tag: &str) -> Result<Option<Blob>> {
        let sql = "SELECT id, size FROM blobs WHERE owner = $1 AND tag = $2";
        let row = self.read("blob.tag").await?.one(sql, values![owner.to_string(), tag]).await?;
        row.map(|row| Ok(Blob { id: row.text(0)?, size: size(row.int(1)?)? })).transpose()
    }

    /// The names of all contents that files have.
    pub async fn known_contents(&self) -> Result<HashSet<String>> {
        let rows = self.read("blob.names").await?.all("SELECT id FROM blobs", values![]).await?;
        rows.iter().map(|row| Ok(row.text(0)?)).collect()
    }

    /// Notes that bytes with this name are about to be stored. Unless a file has taken them over by then, they are
    /// removed at `due`.
    pub async fn announce_blob(&self, id: &str, due: Time) -> Result<()> {
        let row = values![id, due];
        self.write("blob.announce", Vec::new(), move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO blob_removals (id, due_at, attempts) VALUES ($1, $2, 0)";
                tx.run(sql, row).await?;
                Ok(())
            })
        })
        .await
    }

    /// Up to `limit` names of bytes whose time to be removed has come.
    pub async fn due_removals(&self, now: Time, limit: u32) -> Result<Vec<Removal>> {
        let sql = "SELECT id, attempts FROM blob_removals WHERE due_at <= $1 ORDER BY due_at LIMIT $2";
        let rows = self.read("blob.due").await?.all(sql, values![now, limit]).await?;
        rows.iter().map(|row| Ok(Removal { id: row.text(0)?, attempts: row.count(1)? })).collect()
    }

    /// The bytes with these names are gone.
    pub async fn removed(&self, ids: Vec<String>) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        self.write_alone("blob.removed", Vec::new(), move |tx| {
            Box::pin(async move {
                for ids in ids.chunks(MOST) {
                    let sql =
                        with_list(tx.engine(), "DELETE FROM blob_removals WHERE id IN", 0, ids.len(), "");
                    tx.run(sql, list(ids)).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// The bytes with this name could not be removed; it is tried again at `due`.
    pub async fn postpone_removal(&self, id: &str, due: Time) -> Result<()> {
        let row = values![id, due];
        self.write_alone("blob.postpone", Vec::new(), move |tx| {
            Box::pin(async move {
                let sql = "UPDATE blob_removals SET due_at = $2, attempts = attempts + 1 WHERE id = $1";
                tx.run(sql, row).await?;
                Ok(())
            })
        })
        .await
    }

    /// Of these names those that a row knows: of a content, or of bytes that are about to be stored or removed.
    pub async fn known_blobs(&self, ids: &[String]) -> Result<HashSet<String>> {
        let mut known = HashSet::new();
        let mut reader = self.read("blob.known").await?;
        for ids in ids.chunks(MOST) {
            for head in ["SELECT id FROM blobs WHERE id IN", "SELECT id FROM blob_removals WHERE id IN"] {
                let sql = with_list(self.inside.engine, head, 0, ids.len(), "");
                for row in reader.all(sql, list(ids)).await? {
                    known.insert(row.text(0)?);
                }
            }
        }
        Ok(known)
    }

    /// Contents in the order of their names, `limit` after `after`: what ought to be stored.
    pub async fn blobs_after(&self, after: &str, limit: u32) -> Result<Vec<Blob>> {
        let sql = "SELECT id, size FROM blobs WHERE id > $1 ORDER BY id LIMIT $2";
        let rows = self.read("blob.list").await?.all(sql, values![after, limit]).await?;
        rows.iter().map(|row| Ok(Blob { id: row.text(0)?, size: size(row.int(1)?)? })).collect()
    }
}

/// How many ids stand in one statement.
pub(crate) const MOST: usize = 200;

/// `head ($n, …) tail`, where `before` placeholders come first. All are written in the way of the engine.
pub(crate) fn with_list(engine: Engine, head: &str, before: usize, count: usize, tail: &str) -> Sql {
    let mut text = String::with_capacity(head.len() + count * 5 + tail.len() + 4);
    let number = mark(engine, head, &mut text);
    debug_assert_eq!(number, before, "{head}");
    text.push_str(" (");
    for at in 0..count {
        if at > 0 {
            text.push_str(", ");
        }
        engine.placeholder(before + at + 1, &mut text);
    }
    text.push(')');
    text.push_str(tail);
    Sql::Built(text.into())
}

/// A text with its `?` written in the way of the engine.
pub(crate) fn with_marks(engine: Engine, sql: &str) -> Sql {
    let mut text = String::with_capacity(sql.len());
    mark(engine, sql, &mut text);
    Sql::Built(text.into())
}

/// Writes a text with its `?` in the way of the engine; gives how many there are.
fn mark(engine: Engine, sql: &str, into: &mut String) -> usize {
    let mut number = 0;
    for (index, part) in sql.split('?').enumerate() {
        if index > 0 {
            number += 1;
            engine.placeholder(number, into);
        }
        into.push_str(part);
    }
    number
}

/// The ids as values.
pub(crate) fn list(ids: &[String]) -> Vec<crate::value::Value> {
    ids.iter().map(|id| crate::value::Value::from(id.as_str())).collect()
}

pub(crate) fn size(number: i64) -> Result<u64, Trouble> {
    u64::try_from(number).map_err(|_| Trouble::defect("a size is negative"))
}

/// Dooms the bytes of everything that a subject has, for this erasure; its rows go with the rest of it.
pub(crate) async fn doom_all(tx: &mut Tx, owner: &str, now: Time, erasure: &str) -> Result<(), Refusal> {
    let sql = "INSERT INTO blob_removals (id, due_at, attempts, erasure) \
               SELECT id, CAST($2 AS bigint), 0, CAST($3 AS text) FROM blobs WHERE owner = $1 \
               ON CONFLICT (id) DO UPDATE SET due_at = excluded.due_at, erasure = excluded.erasure";
    tx.run(sql, values![owner, now, erasure]).await?;
    Ok(())
}

/// Keeps others from writing what this owner has until the commit.
pub(crate) async fn lock_owner(tx: &mut Tx, owner: &str) -> Result<(), Refusal> {
    let lock = format!("SELECT subject FROM data_keys WHERE subject = $1{}", tx.engine().locked());
    tx.all(Sql::Built(lock.into()), values![owner]).await?;
    Ok(())
}
