//! The hash of an account's password, sealed. It never hashes and never compares.

use std::sync::Arc;

use kernel::{AuditEvent, Result, Secret, SessionId, Subject, UserId};

use crate::Store;
use crate::account::{expect, move_valid_from};
use crate::data_key::{self, SubjectKey};
use crate::epoch::{self, Scope};
use crate::session;
use crate::ticket::Purpose;
use crate::user::place;
use crate::value::values;

impl Store {
    /// The hash of the password (a PHC string); `None` for an account without one, and for no account.
    ///
    /// Whoever is about to open a session reads the account first and this second: see
    /// [`NewSession::valid_from`](crate::NewSession::valid_from).
    pub async fn password(&self, id: UserId) -> Result<Option<Secret<String>>> {
        let id = id.to_string();
        let sql = "SELECT u.password, k.wrapped FROM users u JOIN data_keys k ON k.subject = 'user:' || u.id \
                   WHERE u.id = $1 AND u.password IS NOT NULL";
        let row = self.read("password.get").await?.one(sql, values![id.as_str()]).await?;
        let Some(row) = row else { return Ok(None) };
        let hash = self.row_key(&id, &row.bytes(1)?)?.open_text(place("password", &id), &row.bytes(0)?)?;
        Ok(Some(Secret::new(hash)))
    }

    /// Sets the password, and ends every session but `keep`, every stateless credential and every ticket to reset
    /// the password or to take another address from before: whoever got in may have asked for them.
    pub async fn set_password(
        &self,
        id: UserId,
        hash: Secret<String>,
        keep: Option<SessionId>,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let (name, now) = (id.to_string(), self.inside.ambient.now());
        self.with_subject_key(&Subject::User(id), |key: Arc<SubjectKey>| {
            let sealed = key.seal(self, place("password", &name), hash.expose().as_bytes());
            let name = name.clone();
            self.write_sealed_alone("password.set", audit.clone(), move |tx| {
                Box::pin(async move {
                    expect(tx, &name).await?;
                    data_key::hold_one(tx, &key).await?;
                    let sql = "UPDATE users SET password = $2, password_at = $3 WHERE id = $1";
                    tx.run(sql, values![name.as_str(), sealed, now]).await?;
                    move_valid_from(tx, &name, now).await?;
                    session::end_all(tx, &name, keep).await?;
                    let sql = "DELETE FROM tickets WHERE user_id = $1 AND purpose IN ($2, $3)";
                    tx.run(sql, values![name, Purpose::Reset.as_str(), Purpose::Change.as_str()]).await?;
                    epoch::bump(tx, Scope::Users).await
                })
            })
        })
        .await
    }

    /// Replaces the hash by one of the same password that costs more. Nothing else changes; nothing happens when
    /// the hash is not `old` any more.
    pub async fn rehash_password(&self, id: UserId, old: &Secret<String>, new: Secret<String>) -> Result<()> {
        let (name, old) = (id.to_string(), old.expose().as_bytes().to_vec());
        self.with_subject_key(&Subject::User(id), |key: Arc<SubjectKey>| {
            let sealed = key.seal(self, place("password", &name), new.expose().as_bytes());
            let (name, old) = (name.clone(), old.clone());
            self.write_sealed_alone("password.rehash", Vec::new(), move |tx| {
                Box::pin(async move {
                    let sql = "SELECT password FROM users WHERE id = $1";
                    let row = tx.one(sql, values![name.as_str()]).await?;
                    let Some(row) = row else { return Ok(()) };
                    data_key::hold_one(tx, &key).await?;
                    let now = match row.maybe_bytes(0)? {
                        Some(sealed) => key.open(place("password", &name), &sealed)?,
                        None => return Ok(()),
                    };
                    if now == old {
                        let sql = "UPDATE users SET password = $2 WHERE id = $1";
                        tx.run(sql, values![name, sealed]).await?;
                    }
                    Ok(())
                })
            })
        })
        .await
    }
}
