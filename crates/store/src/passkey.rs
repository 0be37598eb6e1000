//! Passkeys of accounts: sealed public keys, found by the credential's id. It never verifies a signature.

use std::sync::Arc;

use crypto::Place;
use kernel::{AuditEvent, Code, Fault, PasskeyId, Result, Subject, Time, UserId};

use crate::Store;
use crate::account::expect;
use crate::connection::Sql;
use crate::data_key::{self, SubjectKey};
use crate::epoch::{self, Scope};
use crate::value::{Row, values};

/// A passkey.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passkey {
    /// Its id here.
    pub id: PasskeyId,
    /// Whose it is.
    pub user: UserId,
    /// The credential's id, base64url without padding.
    pub credential: String,
    /// What the person calls it.
    pub name: String,
    /// The public key as the authenticator gave it.
    pub public_key: Vec<u8>,
    /// The last counter it showed.
    pub sign_count: u32,
    /// When it was made.
    pub created_at: Time,
    /// When it was last used.
    pub last_used_at: Option<Time>,
}

/// A passkey to be kept.
#[derive(Clone, Debug)]
pub struct NewPasskey {
    /// Its id here.
    pub id: PasskeyId,
    /// Whose it is.
    pub user: UserId,
    /// The credential's id, base64url without padding.
    pub credential: String,
    /// What the person calls it.
    pub name: String,
    /// The public key as the authenticator gave it.
    pub public_key: Vec<u8>,
    /// The counter it showed.
    pub sign_count: u32,
}

const fn place<'a>(column: &'static str, id: &'a str) -> Place<'a> {
    Place { table: "passkeys", column, row: id }
}

fn select(condition: &str) -> Sql {
    let columns = "p.id, p.user_id, p.credential, p.name, p.public_key, p.sign_count, p.created_at, \
                   p.last_used_at, k.wrapped";
    let tables = "passkeys p JOIN data_keys k ON k.subject = 'user:' || p.user_id";
    Sql::Built(format!("SELECT {columns} FROM {tables} WHERE {condition}").into())
}

fn read(store: &Store, row: &Row) -> Result<Passkey> {
    let (id, user) = (row.text(0)?, row.text(1)?);
    let key = store.row_key(&user, &row.bytes(8)?)?;
    Ok(Passkey {
        name: key.open_text(place("name", &id), &row.bytes(3)?)?,
        public_key: key.open(place("public_key", &id), &row.bytes(4)?)?,
        id: PasskeyId::parse(&id)?,
        user: UserId::parse(&user)?,
        credential: row.text(2)?,
        sign_count: row.count(5)?,
        created_at: row.time(6)?,
        last_used_at: row.maybe_time(7)?,
    })
}

impl Store {
    /// Keeps a passkey. `conflict` when the credential is known, `not_found` for an unknown account.
    pub async fn add_passkey(&self, new: NewPasskey, audit: Vec<AuditEvent>) -> Result<Passkey> {
        let (id, now) = (new.id.to_string(), self.inside.ambient.now());
        self.with_subject_key(&Subject::User(new.user), |key: Arc<SubjectKey>| {
            let name = key.seal(self, place("name", &id), new.name.as_bytes());
            let public_key = key.seal(self, place("public_key", &id), &new.public_key);
            let user = new.user.to_string();
            let row = values![
                id.as_str(),
                user.as_str(),
                new.credential.as_str(),
                name,
                public_key,
                new.sign_count,
                now
            ];
            self.write_sealed_alone("passkey.add", audit.clone(), move |tx| {
                Box::pin(async move {
                    expect(tx, &user).await?;
                    data_key::hold_one(tx, &key).await?;
                    tx.run(
                        "INSERT INTO passkeys (id, user_id, credential, name, public_key, sign_count, created_at) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7)",
                        row,
                    )
                    .await?;
                    epoch::bump(tx, Scope::Users).await
                })
            })
        })
        .await?;
        Ok(Passkey {
            id: new.id,
            user: new.user,
            credential: new.credential,
            name: new.name,
            public_key: new.public_key,
            sign_count: new.sign_count,
            created_at: now,
            last_used_at: None,
        })
    }

    /// The passkeys of an account, oldest first.
    pub async fn passkeys(&self, user: UserId) -> Result<Vec<Passkey>> {
        let sql = select("p.user_id = $1 ORDER BY p.created_at, p.id");
        let rows = self.read("passkey.list").await?.all(sql, values![user.to_string()]).await?;
        rows.iter().map(|row| read(self, row)).collect()
    }

    /// The passkey with this credential id.
    pub async fn passkey_by_credential(&self, credential: &str) -> Result<Option<Passkey>> {
        let sql = select("p.credential = $1");
        let row = self.read("passkey.credential").await?.one(sql, values![credential]).await?;
        row.map(|row| read(self, &row)).transpose()
    }

    /// Notes a use. False when the counter did not grow, which a copied authenticator shows, and when the passkey
    /// is gone; one that does not count shows 0 always.
    pub async fn use_passkey(&self, id: PasskeyId, sign_count: u32) -> Result<bool> {
        let row = values![id.to_string(), sign_count, self.inside.ambient.now()];
        self.write_alone("passkey.use", Vec::new(), move |tx| {
            Box::pin(async move {
                let sql = "UPDATE passkeys SET sign_count = $2, last_used_at = $3 \
                           WHERE id = $1 AND (sign_count < $2 OR (sign_count = 0 AND $2 = 0))";
                Ok(tx.run(sql, row).await? == 1)
            })
        })
        .await
    }

    /// Removes a passkey of this account. `not_found` when it has no such.
    pub async fn remove_passkey(&self, user: UserId, id: PasskeyId, audit: Vec<AuditEvent>) -> Result<()> {
        let row = values![user.to_string(), id.to_string()];
        self.write_alone("passkey.remove", audit, move |tx| {
            Box::pin(async move {
                if tx.run("DELETE FROM passkeys WHERE user_id = $1 AND id = $2", row).await? == 0 {
                    return Err(Fault::new(Code::NotFound).into());
                }
                epoch::bump(tx, Scope::Users).await
            })
        })
        .await
    }
}
