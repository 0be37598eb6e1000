//! API keys: digests alone, never the keys. Every change moves the epoch of keys in the same transaction, so that
//! running servers drop what they have cached. It never decides what a key may do.

use std::collections::HashMap;
use std::sync::PoisonError;

use crypto::Place;
use kernel::{AppId, AuditEvent, Code, Cursor, Fault, KeyId, Page, PageRequest, Result, Time, UserId};

use crate::Store;
use crate::epoch::{self, Scope};
use crate::secret::Secrets;
use crate::value::{Row, values};

/// An API key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiKey {
    /// Its id.
    pub id: KeyId,
    /// Whose it is; `None` for the operator's.
    pub user: Option<UserId>,
    /// What its maker calls it.
    pub name: String,
    /// The digest of the key ([`crypto::token::digest`]).
    pub digest: String,
    /// The apps it may enter; empty means every app that takes keys.
    pub apps: Vec<AppId>,
    /// What it may be used for; empty means everything that a key may.
    pub scopes: Vec<String>,
    /// A limit of its own in any minute.
    pub per_minute: Option<u32>,
    /// A limit of its own in any hour.
    pub per_hour: Option<u32>,
    /// When it was made.
    pub created_at: Time,
    /// When it stops working.
    pub expires_at: Option<Time>,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
    /// When it was last used, to within some seconds.
    pub last_used_at: Option<Time>,
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Its id.
    pub id: KeyId,
    /// Whose it is; `None` for the operator's.
    pub user: Option<UserId>,
    /// What its maker calls it.
    pub name: String,
    /// The digest of the key.
    pub digest: String,
    /// The apps it may enter; empty means every app that takes keys.
    pub apps: Vec<AppId>,
    /// What it may be used for, plain words; empty means everything that a key may.
    pub scopes: Vec<String>,
    /// A limit of its own in any minute.
    pub per_minute: Option<u32>,
    /// A limit of its own in any hour.
    pub per_hour: Option<u32>,
    /// When it stops working.
    pub expires_at: Option<Time>,
}

const COLUMNS: &str =
    "SELECT id, name, digest, apps, created_at, expires_at, revoked_at, last_used_at FROM api_keys";

const fn place(id: &str) -> Place<'_> {
    Place { table: "api_keys", column: "name", row: id }
}

fn read(secrets: &Secrets, row: &Row) -> Result<ApiKey> {
    let id = row.text(0)?;
    let name = String::from_utf8(secrets.open(place(&id), &row.bytes(1)?)?)
        .map_err(|_| Fault::internal("the name of a key is not UTF-8"))?;
    let apps = row.text(3)?;
    Ok(ApiKey {
        name,
        id: KeyId::parse(&id)?,
        user: None,
        scopes: Vec::new(),
        per_minute: None,
        per_hour: None,
        digest: row.text(2)?,
        apps: apps.split_terminator(',').map(AppId::parse).collect::<Result<_>>()?,
        created_at: row.time(4)?,
        expires_at: row.maybe_time(5)?,
        revoked_at: row.maybe_time(6)?,
        last_used_at: row.maybe_time(7)?,
    })
}

impl Store {
    /// Makes a key. `conflict` when its id or digest exists.
    pub async fn create_key(&self, new: NewKey, audit: Vec<AuditEvent>) -> Result<ApiKey> {
        let now = self.inside.ambient.now();
        let id = new.id.to_string();
        let name = self.secrets().await?.seal(place(&id), new.name.as_bytes(), &self.inside.ambient);
        let apps: Vec<&str> = new.apps.iter().map(AppId::as_str).collect();
        let row = values![id, name, new.digest.as_str(), apps.join(","), now, new.expires_at];
        self.write_alone("key.create", audit, move |tx| {
            Box::pin(async move {
                tx.run(
                    "INSERT INTO api_keys (id, name, digest, apps, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
                    row,
                )
                .await?;
                epoch::bump(tx, Scope::Keys).await
            })
        })
        .await?;
        Ok(ApiKey {
            id: new.id,
            user: new.user,
            name: new.name,
            digest: new.digest,
            apps: new.apps,
            scopes: new.scopes,
            per_minute: new.per_minute,
            per_hour: new.per_hour,
            created_at: now,
            expires_at: new.expires_at,
            revoked_at: None,
            last_used_at: None,
        })
    }

    /// The key with this digest, revoked and expired ones too: the caller decides and tells the log why.
    pub async fn key_by_digest(&self, digest: &str) -> Result<Option<ApiKey>> {
        let sql = "SELECT id, name, digest, apps, created_at, expires_at, revoked_at, last_used_at FROM api_keys \
                   WHERE digest = $1";
        let secrets = self.secrets().await?;
        let row = self.read("key.digest").await?.one(sql, values![digest]).await?;
        row.map(|row| read(secrets, &row)).transpose()
    }

    /// The key with this id.
    pub async fn key(&self, id: KeyId) -> Result<ApiKey> {
        let secrets = self.secrets().await?;
        let sql = crate::connection::Sql::Built(format!("{COLUMNS} WHERE id = $1").into());
        let row =
            self.read("key.get").await?.one(sql, values![id.to_string()]).await?.ok_or(Code::NotFound)?;
        read(secrets, &row)
    }

    /// Keys, oldest first: those of one account, or all.
    pub async fn keys(&self, user: Option<UserId>, page: PageRequest) -> Result<Page<ApiKey>> {
        let _ = user;
        let (at, tie) = page.after.map_or((i64::MIN, String::new()), |cursor| (cursor.key, cursor.tie));
        let sql = crate::connection::Sql::Built(
            format!(
                "{COLUMNS} WHERE created_at > $1 OR (created_at = $1 AND id > $2) ORDER BY created_at, id LIMIT $3"
            )
            .into(),
        );
        let secrets = self.secrets().await?;
        let rows = self.read("key.list").await?.all(sql, values![at, tie, page.limit + 1]).await?;
        let keys: Result<Vec<ApiKey>> = rows.iter().map(|row| read(secrets, row)).collect();
        Ok(Page::cut(keys?, page.limit, |key| Cursor {
            key: key.created_at.micros(),
            tie: key.id.to_string(),
        }))
    }

    /// Ends a key for good, with `user` only one of that account. `not_found` for an unknown one; revoking twice is
    /// fine and keeps the first time.
    pub async fn revoke_key(&self, user: Option<UserId>, id: KeyId, audit: Vec<AuditEvent>) -> Result<()> {
        let _ = user;
        let now = self.inside.ambient.now();
        self.write_alone("key.revoke", audit, move |tx| {
            Box::pin(async move {
                let sql = "UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1";
                if tx.run(sql, values![id.to_string(), now]).await? == 0 {
                    return Err(Fault::new(Code::NotFound).into());
                }
                epoch::bump(tx, Scope::Keys).await
            })
        })
        .await
    }

    /// Ends every key. Gives how many were still valid.
    pub async fn revoke_all_keys(&self, audit: Vec<AuditEvent>) -> Result<u64> {
        let now = self.inside.ambient.now();
        self.write_alone("key.revoke_all", audit, move |tx| {
            Box::pin(async move {
                let count = tx
                    .run("UPDATE api_keys SET revoked_at = $1 WHERE revoked_at IS NULL", values![now])
                    .await?;
                epoch::bump(tx, Scope::Keys).await?;
                Ok(count)
            })
        })
        .await
    }

    /// Replaces the secret of a key, with `user` only of one of that account: the old one stops working with the
    /// commit. `not_found` for an unknown or revoked key.
    pub async fn rotate_key(
        &self,
        user: Option<UserId>,
        id: KeyId,
        new_digest: &str,
        audit: Vec<AuditEvent>,
    ) -> Result<ApiKey> {
        let _ = user;
        let row = values![id.to_string(), new_digest];
        self.write_alone("key.rotate", audit, move |tx| {
            Box::pin(async move {
                let sql = "UPDATE api_keys SET digest = $2 WHERE id = $1 AND revoked_at IS NULL";
                if tx.run(sql, row).await? == 0 {
                    return Err(Fault::new(Code::NotFound).into());
                }
                epoch::bump(tx, Scope::Keys).await
            })
        })
        .await?;
        self.key(id).await
    }

    /// Notes that a key was used. Costs nothing now: uses are written together every few seconds.
    pub fn touch_key(&self, id: KeyId, at: Time) {
        let mut touched = self.inside.touched.lock().unwrap_or_else(PoisonError::into_inner);
        let last = touched.entry(id).or_insert(at);
        *last = at.max(*last);
    }

    /// Writes the uses noted so far.
    pub(crate) async fn write_touches(&self) -> Result<()> {
        let touched = {
            let mut touched = self.inside.touched.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *touched)
        };
        if touched.is_empty() {
            return Ok(());
        }
        let written = self.write_plain("key.touch", {
            let mut sorted: Vec<(String, Time)> =
                touched.iter().map(|(id, at)| (id.to_string(), *at)).collect();
            // One order in every process, so that two replicas never wait for each other.
            sorted.sort();
            move |tx| {
                Box::pin(async move {
                    for (id, at) in sorted {
                        let sql = "UPDATE api_keys SET last_used_at = $2 \
                                   WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
                        tx.run(sql, values![id, at]).await?;
                    }
                    Ok(())
                })
            }
        });
        let outcome = written.await;
        if outcome.is_err() {
            self.retouch(touched);
        }
        outcome
    }

    fn retouch(&self, touched: HashMap<KeyId, Time>) {
        for (id, at) in touched {
            self.touch_key(id, at);
        }
    }
}
