//! What the analysis found in contents, kept sealed beside them, so that a report is a query; and the pairs of files that
//! their owner wants both. It never knows what the facts say. Every query carries the owner, but for the one that looks
//! for contents that have not been looked at, whoever's they are.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use kernel::id::FileId;
use kernel::{AppId, AuditEvent, Code, EventId, Fault, Result, Subject};

use crate::Store;
use crate::blob::{self, lock_owner, size};
use crate::connection::Sql;
use crate::data_key::{self, Refusal};
use crate::file::{self, COLUMNS, File};
use crate::tx::Tx;
use crate::value::{Row, values};

/// A content that has not been looked at by this version of the analysis.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unexamined {
    /// Whose it is.
    pub owner: Subject,
    /// The name of its bytes.
    pub blob: String,
    /// How many bytes it has.
    pub size: u64,
    /// What one of its files is called; empty when none is left.
    pub name: String,
}

/// A file with what is known of its content.
#[derive(Clone, Debug)]
pub struct Examined {
    /// The file.
    pub file: File,
    /// How many files have its content, those in the trash and in other apps too.
    pub sharers: u64,
    /// What was found; `None` while it has not been looked at.
    pub facts: Option<Arc<str>>,
}

/// The most files of one owner that a report is made of.
const MOST: i64 = 500_000;
/// How many rows are read at once.
const PAGE: i64 = 1_000;

impl Store {
    /// Up to `limit` contents without facts of this version, the oldest version first.
    pub async fn unexamined(&self, version: u16, limit: u32) -> Result<Vec<Unexamined>> {
        let sql =
            "SELECT id, owner, size FROM blobs WHERE facts_version < $1 ORDER BY facts_version, id LIMIT $2";
        let rows = self.read("facts.missing").await?.all(sql, values![i64::from(version), limit]).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let (blob, owner) = (row.text(0)?, Subject::parse(&row.text(1)?)?);
            let sql = file::select("WHERE owner = $1 AND blob = $2 ORDER BY created_at LIMIT 1");
            let named =
                self.read("facts.name").await?.one(sql, values![owner.to_string(), blob.as_str()]).await?;
            let name = match named {
                Some(row) => Some(self.opened(&owner, |key| file::open(&row, &owner, key)).await?.name),
                None => None,
            };
            found.push(Unexamined { owner, blob, size: size(row.int(2)?)?, name: name.unwrap_or_default() });
        }
        Ok(found)
    }

    /// Keeps what was found in a content, or that nothing could be found. One that is gone meanwhile stays gone.
    pub async fn keep_facts(
        &self,
        owner: &Subject,
        id: &str,
        version: u16,
        facts: Option<&str>,
    ) -> Result<()> {
        self.with_subject_key(owner, |key: Arc<data_key::SubjectKey>| {
            let sealed = facts.map(|facts| key.seal(self, blob::place("facts", id), facts.as_bytes()));
            let row = values![key.subject.as_str(), id, sealed, i64::from(version)];
            self.write_sealed("facts.keep", Vec::new(), move |tx| {
                Box::pin(async move {
                    // Not held: where the key is gone, so is the row, and no key is made for nobody.
                    let sql = "UPDATE blobs SET facts = $3, facts_version = $4 WHERE owner = $1 AND id = $2";
                    tx.run(sql, row).await?;
                    Ok(())
                })
            })
        })
        .await
    }

    /// Everything that an owner has in an app and not in the trash, with what is known of it, and how many of the
    /// contents have not been looked at by this version.
    pub async fn examined(&self, owner: &Subject, app: &AppId, version: u16) -> Result<(Vec<Examined>, u64)> {
        let key = self.fresh_key(owner).await?;
        let mut contents: HashMap<String, (u64, Option<Arc<str>>)> = HashMap::new();
        let (mut pending, mut after) = (0, String::new());
        let mut reader = self.read("facts.read").await?;
        loop {
            let sql = "SELECT id, files, facts, facts_version FROM blobs WHERE owner = $1 AND id > $2 ORDER BY id LIMIT $3";
            let rows = reader.all(sql, values![owner.to_string(), after.as_str(), PAGE]).await?;
            for row in &rows {
                let id = row.text(0)?;
                let current = row.int(3)? == i64::from(version);
                pending += u64::from(!current);
                let facts = row.maybe_bytes(2)?.filter(|_| current);
                let facts =
                    facts.map(|sealed| key.open_text(blob::place("facts", &id), &sealed)).transpose()?;
                after.clone_from(&id);
                contents.insert(id, (size(row.int(1)?)?, facts.map(Arc::from)));
            }
            if (rows.len() as i64) < PAGE {
                break;
            }
        }
        let mut found = Vec::new();
        let mut after = String::new();
        loop {
            let sql = Sql::Built(
                format!(
                    "SELECT {COLUMNS} FROM files WHERE owner = $1 AND app = $2 AND trashed_at IS NULL AND id > $3 \
                     ORDER BY id LIMIT $4"
                )
                .into(),
            );
            let rows =
                reader.all(sql, values![owner.to_string(), app.as_str(), after.as_str(), PAGE]).await?;
            for row in &rows {
                let file = file::open(row, owner, &key)?;
                after = file.id.to_string();
                let (sharers, facts) = contents.get(&file.blob).cloned().unwrap_or((1, None));
                found.push(Examined { file, sharers, facts });
            }
            if (rows.len() as i64) < PAGE {
                return Ok((found, pending));
            }
            if found.len() as i64 >= MOST {
                return Err(Fault::new(Code::TooLarge).say("there are too many files for one report"));
            }
        }
    }

    /// Says that files are all to be kept beside each other, or takes that back. `not_found` when one of them is not
    /// this owner's, or in none of these apps.
    pub async fn pair_files(
        &self,
        owner: &Subject,
        apps: &[AppId],
        pairs: Vec<(FileId, FileId)>,
        together: bool,
        audit: AuditEvent,
    ) -> Result<()> {
        let (owner, apps, now) = (owner.to_string(), apps.to_vec(), self.inside.ambient.now());
        let ids: BTreeSet<String> =
            pairs.iter().flat_map(|(one, other)| [one.to_string(), other.to_string()]).collect();
        let pairs: Vec<(String, String, String)> = pairs
            .iter()
            .map(|(one, other)| (one.min(other).to_string(), one.max(other).to_string()))
            .map(|(one, other)| (EventId::new(&self.inside.ambient).to_string(), one, other))
            .collect();
        self.write("file.pair", vec![audit], move |tx| {
            Box::pin(async move {
                lock_owner(tx, &owner).await?;
                for id in &ids {
                    own(tx, &owner, &apps, id).await?;
                }
                for (id, one, other) in pairs {
                    if together {
                        tx.run(
                            "INSERT INTO file_pairs (id, owner, one, other, created_at) VALUES ($1, $2, $3, $4, $5) \
                             ON CONFLICT (one, other) DO NOTHING",
                            values![id, owner.as_str(), one, other, now],
                        )
                        .await?;
                    } else {
                        let sql = "DELETE FROM file_pairs WHERE owner = $1 AND one = $2 AND other = $3";
                        tx.run(sql, values![owner.as_str(), one, other]).await?;
                    }
                }
                Ok(())
            })
        })
        .await
    }

    /// The pairs that this owner wants both.
    pub async fn file_pairs(&self, owner: &Subject) -> Result<Vec<(FileId, FileId)>> {
        let sql = "SELECT one, other FROM file_pairs WHERE owner = $1";
        let rows = self.read("file.pairs").await?.all(sql, values![owner.to_string()]).await?;
        let pair = |row: &Row| Ok((FileId::parse(&row.text(0)?)?, FileId::parse(&row.text(1)?)?));
        rows.iter().map(pair).collect()
    }
}

async fn own(tx: &mut Tx, owner: &str, apps: &[AppId], id: &str) -> Result<(), Refusal> {
    let row = tx.one("SELECT app FROM files WHERE owner = $1 AND id = $2", values![owner, id]).await?;
    let app = row.map(|row| row.text(0)).transpose()?;
    match app {
        Some(app) if apps.iter().any(|one| one.as_str() == app) => Ok(()),
        _ => Err(Fault::new(Code::NotFound).into()),
    }
}
