//! The second factor: the sealed secret of the authenticator, the last time step that counted, recovery codes.
//! Each step and each code counts once, whoever comes at the same time. It never computes a code.

use std::collections::BTreeSet;
use std::sync::Arc;

use kernel::{AuditEvent, Code, Fault, Result, Secret, Subject, UserId};

use crate::Store;
use crate::account::expect;
use crate::bulk::{Rows, Verb};
use crate::data_key::{self, Refusal, SubjectKey};
use crate::epoch::{self, Scope};
use crate::tx::Tx;
use crate::user::place;
use crate::value::{Value, values};

const INSERT: Rows =
    Rows { verb: Verb::Insert("INSERT INTO recovery_codes (user_id, digest)", ""), width: 2 };

/// Puts new recovery codes in the place of the old.
async fn replace_codes(tx: &mut Tx, id: &str, digests: Vec<String>) -> Result<(), Refusal> {
    tx.run("DELETE FROM recovery_codes WHERE user_id = $1", values![id]).await?;
    // The same code twice is one code.
    let digests: BTreeSet<String> = digests.into_iter().collect();
    let rows: Vec<Value> = digests.into_iter().flat_map(|digest| values![id, digest]).collect();
    INSERT.run(tx, rows).await?;
    Ok(())
}

impl Store {
    /// The secret of the authenticator, and whether it has been confirmed; `None` when there is none.
    pub async fn totp_secret(&self, id: UserId) -> Result<Option<(Secret<Vec<u8>>, bool)>> {
        let id = id.to_string();
        let sql = "SELECT u.totp, u.totp_at, k.wrapped FROM users u JOIN data_keys k \
                   ON k.subject = 'user:' || u.id WHERE u.id = $1 AND u.totp IS NOT NULL";
        let row = self.read("totp.get").await?.one(sql, values![id.as_str()]).await?;
        let Some(row) = row else { return Ok(None) };
        let secret = self.row_key(&id, &row.bytes(2)?)?.open(place("totp", &id), &row.bytes(0)?)?;
        Ok(Some((Secret::new(secret), row.maybe_time(1)?.is_some())))
    }

    /// Keeps a secret that is not confirmed yet; an earlier one of that kind is replaced. `conflict` when a
    /// confirmed one exists.
    pub async fn begin_totp(&self, id: UserId, secret: Secret<Vec<u8>>) -> Result<()> {
        let name = id.to_string();
        self.with_subject_key(&Subject::User(id), |key: Arc<SubjectKey>| {
            let sealed = key.seal(self, place("totp", &name), secret.expose());
            let name = name.clone();
            self.write_sealed_alone("totp.begin", Vec::new(), move |tx| {
                Box::pin(async move {
                    expect(tx, &name).await?;
                    data_key::hold_one(tx, &key).await?;
                    let sql = "UPDATE users SET totp = $2 WHERE id = $1 AND totp_at IS NULL";
                    match tx.run(sql, values![name, sealed]).await? {
                        0 => Err(Fault::new(Code::Conflict).into()),
                        _ => Ok(()),
                    }
                })
            })
        })
        .await
    }

    /// Confirms the secret with the time step of its first code, which counts as used, and sets the recovery codes.
    /// `conflict` when there is nothing to confirm or the step has been used.
    pub async fn confirm_totp(
        &self,
        id: UserId,
        step: i64,
        recovery_digests: Vec<String>,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let (id, now) = (id.to_string(), self.inside.ambient.now());
        self.write_alone("totp.confirm", audit, move |tx| {
            Box::pin(async move {
                expect(tx, &id).await?;
                let sql = "UPDATE users SET totp_at = $2, totp_step = $3 \
                           WHERE id = $1 AND totp IS NOT NULL AND totp_at IS NULL AND totp_step < $3";
                if tx.run(sql, values![id.as_str(), now, step]).await? == 0 {
                    return Err(Fault::new(Code::Conflict).into());
                }
                replace_codes(tx, &id, recovery_digests).await?;
                epoch::bump(tx, Scope::Users).await
            })
        })
        .await
    }

    /// Removes the authenticator and the recovery codes; fine when there are none. The last step stays known, so
    /// that a code that was used does not count again for the same secret.
    pub async fn remove_totp(&self, id: UserId, audit: Vec<AuditEvent>) -> Result<()> {
        let id = id.to_string();
        self.write_alone("totp.remove", audit, move |tx| {
            Box::pin(async move {
                expect(tx, &id).await?;
                let sql = "UPDATE users SET totp = NULL, totp_at = NULL WHERE id = $1";
                tx.run(sql, values![id.as_str()]).await?;
                replace_codes(tx, &id, Vec::new()).await?;
                epoch::bump(tx, Scope::Users).await
            })
        })
        .await
    }

    /// Uses a time step: true once for each, and never for one before the last.
    pub async fn use_totp_step(&self, id: UserId, step: i64) -> Result<bool> {
        let row = values![id.to_string(), step];
        self.write_alone("totp.use", Vec::new(), move |tx| {
            Box::pin(async move {
                let sql = "UPDATE users SET totp_step = $2 \
                           WHERE id = $1 AND totp_at IS NOT NULL AND totp_step < $2";
                Ok(tx.run(sql, row).await? == 1)
            })
        })
        .await
    }

    /// Replaces all recovery codes. `conflict` when the account has no confirmed authenticator.
    pub async fn set_recovery_codes(
        &self,
        id: UserId,
        digests: Vec<String>,
        audit: Vec<AuditEvent>,
    ) -> Result<()> {
        let id = id.to_string();
        self.write_alone("recovery.set", audit, move |tx| {
            Box::pin(async move {
                expect(tx, &id).await?;
                let sql = "SELECT id FROM users WHERE id = $1 AND totp_at IS NOT NULL";
                if tx.one(sql, values![id.as_str()]).await?.is_none() {
                    return Err(Fault::new(Code::Conflict).into());
                }
                replace_codes(tx, &id, digests).await
            })
        })
        .await
    }

    /// Uses a recovery code: true once for each. The events are written only then.
    pub async fn use_recovery_code(&self, id: UserId, digest: &str, audit: Vec<AuditEvent>) -> Result<bool> {
        let row = values![id.to_string(), digest, self.inside.ambient.now()];
        self.write_alone("recovery.use", Vec::new(), move |tx| {
            Box::pin(async move {
                let sql = "UPDATE recovery_codes SET used_at = $3 \
                           WHERE user_id = $1 AND digest = $2 AND used_at IS NULL";
                let used = tx.run(sql, row).await? == 1;
                if used {
                    tx.events.extend(audit);
                }
                Ok(used)
            })
        })
        .await
    }

    /// How many recovery codes are left.
    pub async fn recovery_left(&self, id: UserId) -> Result<u32> {
        let sql = "SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL";
        let row = self.read("recovery.count").await?.one(sql, values![id.to_string()]).await?;
        Ok(row.map_or(Ok(0), |row| row.count(0))?)
    }
}
