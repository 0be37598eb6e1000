//! API keys: digests alone, never the keys. Every change moves the epoch of keys in the same transaction, so that
//! running servers drop what they have cached. The name is sealed with the data key of the account that the key
//! belongs to, or with the store's own for the operator's keys. It never decides what a key may do.

use std::sync::Arc;

use crypto::Place;
use kernel::{
    AppId, AuditEvent, Code, Cursor, Fault, KeyId, Page, PageRequest, Result, Subject, Time, UserId,
};

use crate::Store;
use crate::account::expect;
use crate::connection::Sql;
use crate::data_key::{self, Refusal, SubjectKey};
use crate::epoch::{self, Scope};
use crate::secret::Secrets;
use crate::tx::Tx;
use crate::value::{Row, Value, values};

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
    /// When its secret was last replaced.
    pub rotated_at: Option<Time>,
    /// When it stops working.
    pub expires_at: Option<Time>,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
    /// When it was last used, to within some seconds.
    pub last_used_at: Option<Time>,
}

impl ApiKey {
    /// Since when its present secret exists.
    pub fn since(&self) -> Time {
        self.rotated_at.unwrap_or(self.created_at)
    }
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

const fn place(id: &str) -> Place<'_> {
    Place { table: "api_keys", column: "name", row: id }
}

/// A key of an account whose data key is destroyed belongs to nobody, and can be read by nobody.
fn select(condition: &str) -> Sql {
    let columns = "a.id, a.user_id, a.name, a.digest, a.apps, a.scopes, a.per_minute, a.per_hour, a.created_at, \
                   a.expires_at, a.revoked_at, a.last_used_at, a.rotated_at, k.wrapped";
    let tables = "api_keys a LEFT JOIN data_keys k ON k.subject = 'user:' || a.user_id";
    let opened = "(a.user_id IS NULL OR k.subject IS NOT NULL)";
    Sql::Built(format!("SELECT {columns} FROM {tables} WHERE {opened} AND {condition}").into())
}

fn words(column: Option<String>) -> Vec<String> {
    column.unwrap_or_default().split_terminator(',').map(str::to_owned).collect()
}

fn read(store: &Store, secrets: &Secrets, row: &Row) -> Result<ApiKey> {
    let (id, user, sealed) = (row.text(0)?, row.maybe_text(1)?, row.bytes(2)?);
    let name = match (&user, row.maybe_bytes(13)?) {
        (Some(user), Some(wrapped)) => store.row_key(user, &wrapped)?.open_text(place(&id), &sealed)?,
        _ => String::from_utf8(secrets.open(place(&id), &sealed)?)
            .map_err(|_| Fault::internal("the name of a key is not UTF-8"))?,
    };
    Ok(ApiKey {
        id: KeyId::parse(&id)?,
        user: user.map(|user| UserId::parse(&user)).transpose()?,
        name,
        digest: row.text(3)?,
        apps: row.text(4)?.split_terminator(',').map(AppId::parse).collect::<Result<_>>()?,
        scopes: words(row.maybe_text(5)?),
        per_minute: row.maybe_count(6)?,
        per_hour: row.maybe_count(7)?,
        created_at: row.time(8)?,
        expires_at: row.maybe_time(9)?,
        revoked_at: row.maybe_time(10)?,
        last_used_at: row.maybe_time(11)?,
        rotated_at: row.maybe_time(12)?,
    })
}

async fn insert(tx: &mut Tx, row: Vec<Value>) -> Result<(), Refusal> {
    tx.run(
        "INSERT INTO api_keys (id, user_id, name, digest, apps, scopes, per_minute, per_hour, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        row,
    )
    .await?;
    epoch::bump(tx, Scope::Keys).await
}

impl Store {
    /// Makes a key. `conflict` when its id or digest exists, `not_found` for an unknown account.
    pub async fn create_key(&self, new: NewKey, audit: Vec<AuditEvent>) -> Result<ApiKey> {
        if new.scopes.iter().any(|scope| scope.is_empty() || scope.contains(',')) {
            return Err(Fault::invalid("scopes", "invalid", "a scope is a plain word"));
        }
        let now = self.inside.ambient.now();
        let (id, user) = (new.id.to_string(), new.user.map(|user| user.to_string()));
        let apps: Vec<&str> = new.apps.iter().map(AppId::as_str).collect();
        let row = |name: Vec<u8>| {
            values![
                id.as_str(),
                user.clone(),
                name,
                new.digest.as_str(),
                apps.join(","),
                new.scopes.join(","),
                new.per_minute,
                new.per_hour,
                now,
                new.expires_at
            ]
        };
        match new.user {
            None => {
                let ambient = &self.inside.ambient;
                let row = row(self.secrets().await?.seal(place(&id), new.name.as_bytes(), ambient));
                self.write_alone("key.create", audit, move |tx| Box::pin(insert(tx, row))).await?;
            }
            Some(owner) => {
                self.with_subject_key(&Subject::User(owner), |key: Arc<SubjectKey>| {
                    let row = row(key.seal(self, place(&id), new.name.as_bytes()));
                    self.write_sealed_alone("key.create", audit.clone(), move |tx| {
                        Box::pin(async move {
                            expect(tx, &owner.to_string()).await?;
                            data_key::hold_one(tx, &key).await?;
                            insert(tx, row).await
                        })
                    })
                })
                .await?;
            }
        }
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
            rotated_at: None,
            expires_at: new.expires_at,
            revoked_at: None,
            last_used_at: None,
        })
    }

    /// The key with this digest, revoked and expired ones too: the caller decides and tells the log why.
    pub async fn key_by_digest(&self, digest: &str) -> Result<Option<ApiKey>> {
        let secrets = self.secrets().await?;
        let row = self.read("key.digest").await?.one(select("a.digest = $1"), values![digest]).await?;
        row.map(|row| read(self, secrets, &row)).transpose()
    }

    /// The key with this id.
    pub async fn key(&self, id: KeyId) -> Result<ApiKey> {
        let secrets = self.secrets().await?;
        let row = self.read("key.get").await?.one(select("a.id = $1"), values![id.to_string()]).await?;
        read(self, secrets, &row.ok_or(Code::NotFound)?)
    }

    /// Keys, oldest first: those of one account, or all.
    pub async fn keys(&self, user: Option<UserId>, page: PageRequest) -> Result<Page<ApiKey>> {
        let (at, tie) = page.after.map_or((i64::MIN, String::new()), |cursor| (cursor.key, cursor.tie));
        let rest =
            "a.created_at >= $1 AND (a.created_at > $1 OR a.id > $2) ORDER BY a.created_at, a.id LIMIT $3";
        let mut values = values![at, tie, page.limit.saturating_add(1)];
        let sql = match user {
            None => select(rest),
            Some(user) => {
                values.push(user.to_string().into());
                select(&format!("a.user_id = $4 AND {rest}"))
            }
        };
        let secrets = self.secrets().await?;
        let rows = self.read("key.list").await?.all(sql, values).await?;
        let keys: Result<Vec<ApiKey>> = rows.iter().map(|row| read(self, secrets, row)).collect();
        Ok(Page::cut(keys?, page.limit, |key| Cursor {
            key: key.created_at.micros(),
            tie: key.id.to_string(),
        }))
    }

    /// Ends a key for good, with `user` only one of that account. `not_found` for an unknown one; revoking twice is
    /// fine and keeps the first time.
    pub async fn revoke_key(&self, user: Option<UserId>, id: KeyId, audit: Vec<AuditEvent>) -> Result<()> {
        let row = values![id.to_string(), self.inside.ambient.now(), user.map(|user| user.to_string())];
        self.write_alone("key.revoke", audit, move |tx| {
            Box::pin(async move {
                let sql = "UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $2) \
                           WHERE id = $1 AND COALESCE(user_id, '') = COALESCE($3, user_id, '')";
                if tx.run(sql, row).await? == 0 {
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
        let now = self.inside.ambient.now();
        let row = values![id.to_string(), new_digest, user.map(|user| user.to_string()), now];
        self.write_alone("key.rotate", audit, move |tx| {
            Box::pin(async move {
                let sql = "UPDATE api_keys SET digest = $2, rotated_at = $4 WHERE id = $1 AND revoked_at IS NULL \
                           AND COALESCE(user_id, '') = COALESCE($3, user_id, '')";
                if tx.run(sql, row).await? == 0 {
                    return Err(Fault::new(Code::NotFound).into());
                }
                epoch::bump(tx, Scope::Keys).await
            })
        })
        .await?;
        self.key(id).await
    }
}
